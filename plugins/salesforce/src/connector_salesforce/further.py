"""Further columns of activities: which of them a draft may name, and what they hold now."""

from __future__ import annotations

from typing import Any

from connector_core.model import ActivityDraft
from connector_salesforce.client import Row

OWN = frozenset(
    {
        *("attributes", "id", "subject", "description", "ownerid", "whoid", "whatid", "taskwhoids", "eventwhoids"),
        *(
            "callobject",
            "calldisposition",
            "calldurationinseconds",
            "calltype",
            "tasksubtype",
            "status",
            "activitydate",
        ),
        *("startdatetime", "enddatetime", "durationinminutes"),
    }
)
"""Columns that the connector writes itself, in lower case, as Salesforce's names have no case."""


def own_field(draft: ActivityDraft, key_field: str | None) -> str | None:
    """Name a further column of a draft that the connector writes itself."""
    own = OWN | {(key_field or "").lower()}
    return next((name for name in draft.fields if name.lower() in own), None)


def fields_now(row: Row, draft: ActivityDraft) -> dict[str, Any]:
    """Give what the further columns of a draft hold; those that the connection's user cannot read are left out."""
    columns = {name.lower(): value for name, value in row.items()}
    return {name: columns[name.lower()] for name in draft.fields if name.lower() in columns}
