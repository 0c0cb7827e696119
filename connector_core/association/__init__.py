"""How a call is associated with CRM records: pure, no I/O, no clock, no randomness.

:func:`wants` says what has to be asked next; :func:`decide` decides from what was answered.
"""

from connector_core.association.cases import decide, organizer_email, wants
from connector_core.association.decision import Decision
from connector_core.association.records import Records, Wants
from connector_core.association.settings import POLICIES, Policy, Settings

__all__ = [
    "POLICIES",
    "Decision",
    "Policy",
    "Records",
    "Settings",
    "Wants",
    "decide",
    "organizer_email",
    "wants",
]
