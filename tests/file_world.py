"""A small world in a file, and what the tests of the CRM in a file do with it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_core.crms.file import FileAdapter, FileSettings
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, CallKey

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
HALF_PAST = NINE + dt.timedelta(minutes=30)
WORLD: Mapping[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}, {"id": "A2"}],
    "users": [{"id": "U1", "email": "Ada@Seller.example ", "name": "Ada Agent"}, {"id": "U2"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "emails": [" Carl@Buyer.example", "c@buyer.example"],
         "phones": ["06 12 34 56 78", "anonymous"], "title": "CTO", "account_id": "A1"},
        {"kind": "lead", "id": "L1", "name": "Lea", "emails": ["lea@buyer.example"], "converted_contact_id": "L2"},
        {"kind": "lead", "id": "L2", "converted_contact_id": "C1"},
        {"kind": "lead", "id": "L3", "emails": ["lost@buyer.example"], "converted_contact_id": "C9"},
        {"kind": "lead", "id": "L4", "emails": ["round@buyer.example"], "converted_contact_id": "L5"},
        {"kind": "lead", "id": "L5", "converted_contact_id": "L4"},
        {"kind": "contact", "id": "C2", "phones": ["+33612345678"], "account_id": "A9", "emails": ["C@BUYER.example"]},
        {"kind": "lead", "id": "L6", "converted_contact_id": " "},
    ],
    "opportunities": [
        {"id": "O1", "account_id": "A1", "owner_id": "U1", "created_at": "2026-02-01T00:00:00Z",
         "contact_ids": ["L1", "C1", "C9"], "next_step": "Quote"},
        {"id": "O2", "account_id": "A9", "owner_id": "U9", "created_at": "2025-02-01T00:00:00Z",
         "closed_at": "2026-01-31", "contact_ids": ["C2"]},
    ],
    "activities": [
        {"id": "T1", "kind": "call", "call_id": "aircall:1", "person_ids": ["C2", "C9"], "account_id": "A9",
         "opportunity_id": "O9", "owner_id": "U9"},
        {"id": "T2", "kind": "note", "body": "Good talk.\nref: aircall:1"},
        {"id": "T3", "kind": "meeting", "person_ids": ["L1"], "started_at": "2026-03-02T09:15:00Z",
         "account_id": "A1", "opportunity_id": "O1", "fields": {"mood": "sunny"}},
        {"id": "T4", "kind": "call", "person_ids": ["C1"], "started_at": "2026-03-02T09:15:01Z"},
        {"id": "T5", "kind": "task", "person_ids": ["C1"], "started_at": "2026-03-02", "duration_seconds": 1800},
        {"id": "T6", "kind": "task", "person_ids": ["C2"], "started_at": "2026-03-02T09:00:00Z"},
    ],
}  # fmt: skip


def adapter(path: Path, time_zone: str = "UTC") -> FileAdapter:
    """Make an adapter for a connection in France."""
    return FileAdapter(FileSettings(path=path), ConnectionInfo("test", ("FR",), time_zone))


def draft(key: str = "zoom:7", **changes: Any) -> ActivityDraft:
    """Draft an activity at nine."""
    return ActivityDraft(**{"key": key, "kind": "call", "started_at": NINE, "ended_at": HALF_PAST, **changes})


def stored(path: Path, name: str, record_id: str) -> dict[str, Any]:
    """Read one record from the file, as it stands."""
    return next(record for record in json.loads(path.read_text(encoding="utf-8"))[name] if record["id"] == record_id)


def ids(found: Any) -> set[str]:
    """Give the ids of an answer."""
    return {record.id for record in found}


def candidates(crm: FileAdapter, *people: str, call_id: str = "new") -> dict[str, Any]:
    """Look for the activities of a call at nine."""
    return {
        item.id: item for item in crm.find_activity([CallKey(call_id, "phone", NINE, HALF_PAST, None, people)])[call_id]
    }
