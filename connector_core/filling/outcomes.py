"""What came of an eligible field: a field of a published template, for a call that the template targets.

Each has exactly one outcome, always: one that was sent and not answered is ``other``, with the reason that it is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Outcome: TypeAlias = Literal["sent", "empty", "no_crm_link", "pending", "other"]

OUTCOMES: Mapping[Outcome, str] = {
    "sent": "the CRM has the value, by this call or before it",
    "empty": "nothing was found in the call",
    "no_crm_link": "the call has no record of the object",
    "pending": "a person has to approve it",
    "other": "something else, see its reason",
}

Reason: TypeAlias = Literal[
    "validation_rule",
    "too_long",
    "call_deleted",
    "object_not_linked",
    "refused_value",
    "other_currency",
    "not_empty",
    "changed_by_person",
    "newer_call",
    "taken_back",
    "no_permission",
    "field_missing",
    "not_extracted",
    "unknown_outcome",
]

REASONS: Mapping[Reason, str] = {
    "validation_rule": "a validation rule of the CRM refused it",
    "too_long": "the text is longer than the field",
    "call_deleted": "the call was deleted at its provider",
    "object_not_linked": "the record that should lead to the object names none",
    "refused_value": "the value does not fit the field, or the CRM refused it",
    "other_currency": "the amount is in another currency than the record",
    "not_empty": "the field had a value that the connector did not write",
    "changed_by_person": "somebody changed what the connector wrote",
    "newer_call": "a later call filled it, or another template for the same call",
    "taken_back": "somebody took the value back",
    "no_permission": "the connection's user may not set the field",
    "field_missing": "the CRM has no such field any more",
    "not_extracted": "the extractor could not be asked",
    "unknown_outcome": "it is not known yet: it was not answered, or not asked for",
}
"""Of the outcome ``other``."""

STANDARD_OBJECTS = ("contact", "lead", "account", "opportunity")
"""What a field may belong to by its role in the call; any other object is reached through one of these."""
