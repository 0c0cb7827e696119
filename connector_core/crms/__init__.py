"""The CRM that ships with the core: a JSON file."""

from connector_core.hookspecs import HOOK_API
from connector_core.manifest import OPERATIONS, TRAITS, CrmManifest

FILE = CrmManifest(
    name="file",
    title="CRM in a file",
    hook_api=HOOK_API,
    operations=OPERATIONS,
    traits=frozenset(TRAITS),
    settings="connector_core.crms.file:FileSettings",
    adapter="connector_core.crms.file:FileAdapter",
    meetings_as=("event", "task"),
    settle_seconds=0.0,
    paths=frozenset({"path"}),
    names={
        **dict.fromkeys(("contact", "lead"), "people"),
        "account": "accounts",
        "user": "users",
        "contact.title": "title",
        "opportunity": "opportunities",
        "opportunity.next_step": "next_step",
        "opportunity.amount": "amount",
        "opportunity.date": "closed_at",
        **dict.fromkeys(("call", "event", "task", "note"), "activities"),
        "event.place": "place",
    },
    field_codes={"read_only": "fixed"},
    refusals={"fixed": "no_permission", "invalid": "refused_value"},
    cannot_hold={
        "merged_records": "its format has no merged records",
        "fixed_fields": "its format keeps any further field",
    },
)
