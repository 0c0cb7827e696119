"""What flows through the connector.

What comes from outside (:class:`Call` and its parts) is pydantic: validated, unknown keys refused. What the connector and
its plugins hand to each other is frozen and slotted. All times are aware; all durations are seconds.
"""

from connector_core.model.access import NEEDS, Access, Need, Right, Subject, Verb
from connector_core.model.call import (
    Call,
    CallId,
    CallKind,
    CallStatus,
    Direction,
    Note,
    Organizer,
    Participant,
    Utterance,
)
from connector_core.model.changes import Current, remaining
from connector_core.model.drafts import (
    ActivityDraft,
    FieldReceipt,
    FieldValue,
    FillReason,
    FormFields,
    FormRecord,
    Receipt,
    RecordFields,
    RecordUpdate,
    Replaced,
    WriteOutcome,
    Written,
)
from connector_core.model.feed import Changed, ChangePage, RecordKind
from connector_core.model.records import (
    Account,
    Activity,
    ActivityKind,
    CallKey,
    Opportunities,
    Opportunity,
    Person,
    PersonKind,
    Unknown,
    User,
)
from connector_core.model.schema import Choice, FieldDescription, FieldType, ObjectDescription, Organization

__all__ = [
    "NEEDS",
    "Access",
    "Account",
    "Activity",
    "ActivityDraft",
    "ActivityKind",
    "Call",
    "CallId",
    "CallKey",
    "CallKind",
    "CallStatus",
    "ChangePage",
    "Changed",
    "Choice",
    "Current",
    "Direction",
    "FieldDescription",
    "FieldReceipt",
    "FieldType",
    "FieldValue",
    "FillReason",
    "FormFields",
    "FormRecord",
    "Need",
    "Note",
    "ObjectDescription",
    "Opportunities",
    "Opportunity",
    "Organization",
    "Organizer",
    "Participant",
    "Person",
    "PersonKind",
    "Receipt",
    "RecordFields",
    "RecordKind",
    "RecordUpdate",
    "Replaced",
    "Right",
    "Subject",
    "Unknown",
    "User",
    "Utterance",
    "Verb",
    "WriteOutcome",
    "Written",
    "remaining",
]
