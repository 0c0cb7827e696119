"""How a call is associated with CRM records: pure, no I/O, no clock, no randomness.

:func:`wants` says what has to be asked next; :func:`decide` decides from what was answered.
Both take the call's :class:`History`: what people chose, what we wrote, and the earlier decision to refresh.
"""

from connector_core.association.cases import decide, organizer_email, wants
from connector_core.association.decision import Decision
from connector_core.association.history import NO_HISTORY, Choice, Choices, Earlier, History
from connector_core.association.records import Records, Wants
from connector_core.association.settings import POLICIES, Policy, Settings
from connector_core.association.waiting import awaited, keys_of_opportunity, keys_of_person

__all__ = [
    "NO_HISTORY",
    "POLICIES",
    "Choice",
    "Choices",
    "Decision",
    "Earlier",
    "History",
    "Policy",
    "Records",
    "Settings",
    "Wants",
    "awaited",
    "decide",
    "keys_of_opportunity",
    "keys_of_person",
    "organizer_email",
    "wants",
]
