"""What changed: records by ``SystemModstamp`` and id.

``SystemModstamp`` is set by every change, those of automatic processes too, and indexed (Object Reference, "System Fields";
Large Data Volumes, "Indexes"). It is kept to the second, so many records share one: a page goes on behind time and id.
It is set within the transaction, which others see when it is committed; the caller looks back for that.

A contact role is a record of its own, beside its opportunity: one that changed is told as that.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from connector_core.errors import TryAgainError
from connector_core.model import Changed, ChangePage, RecordKind, Unknown
from connector_salesforce.client import Client, Row
from connector_salesforce.records import moment, record_id, text
from connector_salesforce.soql import Query, any_of, compare

OBJECTS: Mapping[RecordKind, tuple[str, ...]] = {
    "contact": ("Contact",),
    "lead": ("Lead",),
    "account": ("Account",),
    "opportunity": ("Opportunity", "OpportunityContactRole"),
    "activity": ("Task", "Event"),
}
_TOLD_AS = {"OpportunityContactRole": "OpportunityId"}
PAGE = 2_000
"""Rows of each object: as many as are answered at once."""


def changes(client: Client, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
    """List what changed: five objects to an API call."""
    behind: Mapping[str, tuple[str, str] | None] = (
        dict.fromkeys(name for kind in kinds for name in OBJECTS[kind]) if page is None else json.loads(page)
    )
    names = sorted(behind)
    found: list[Changed] = []
    going_on: dict[str, tuple[str, str]] = {}
    for name, rows in zip(names, client.ask([_query(name, since, behind[name]) for name in names]), strict=True):
        if isinstance(rows, Unknown):
            raise TryAgainError(f"what changed cannot be told: {rows.reason}")
        told = [text(row, _TOLD_AS[name]) if name in _TOLD_AS else record_id(row) for row in rows]
        found += [Changed(_kind(name), it, _changed_at(row)) for it, row in zip(told, rows, strict=True) if it]
        if len(rows) >= PAGE:
            going_on[name] = (_changed_at(rows[-1]).isoformat(), record_id(rows[-1]))
    return ChangePage(tuple(found), json.dumps(going_on) if going_on else None)


def _query(name: str, since: dt.datetime, behind: tuple[str, str] | None) -> Query:
    where = [compare("SystemModstamp", ">=", since)]
    if behind is not None:
        at = dt.datetime.fromisoformat(behind[0])
        same_or_later = any_of([compare("SystemModstamp", ">", at), compare("Id", ">", behind[1])])
        where = [compare("SystemModstamp", ">=", at), same_or_later]
    columns = ("Id", "SystemModstamp", *([_TOLD_AS[name]] if name in _TOLD_AS else []))
    return Query(name, columns, tuple(where), order=("SystemModstamp", "Id"), limit=PAGE)


def _kind(name: str) -> RecordKind:
    return next(kind for kind, names in OBJECTS.items() if name in names)


def _changed_at(row: Row) -> dt.datetime:
    found = moment(row.get("SystemModstamp"))
    if found is None:
        raise TryAgainError("Salesforce answered a record without the time of its change")
    return found
