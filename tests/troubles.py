"""What may go wrong with any request, and what each operation of a plugin is asked then.

The contract's cassettes show what is asked; those of troubles, at ``PLUGIN/troubles/NAME.yaml``, what is made of refusals:
of a session that ended, a limit, an outage, a right that is missing; and of answers in pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connector_core.connection import Connection
from connector_core.errors import ConnectorError
from connector_core.model import (
    ActivityDraft,
    CallKey,
    RecordFields,
    RecordUpdate,
    Unknown,
)

Ids: TypeAlias = Mapping[str, str]
Ask: TypeAlias = Callable[[Connection, Ids], object]

WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Acme"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Ann Able", "emails": ["ann@buyer.example"], "phones": ["+33639981011"],
         "account_id": "A1"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Deal", "account_id": "A1", "owner_id": "U1", "created_at": "2026-01-12T09:15:00Z",
         "contact_ids": ["C1"]},
    ],
    "activities": [
        {"id": "T1", "kind": "call", "call_id": "x:1", "person_ids": ["C1"], "started_at": "2026-03-02T09:00:00Z",
         "duration_seconds": 600, "title": "A talk"},
    ],
}  # fmt: skip


def many(users: int) -> dict[str, Any]:
    """Give more than the pages hold that answers are cut to."""
    numbers = range(5)
    return {
        "accounts": WORLD["accounts"],
        "users": [{"id": f"U{n}", "email": f"user{n}@seller.example", "name": f"User {n}"} for n in range(users)],
        "people": [{**WORLD["people"][0], "id": f"C{n}", "emails": [f"ann{n}@buyer.example"]} for n in numbers],
        "opportunities": [{**WORLD["opportunities"][0], "id": f"O{n}", "owner_id": None} for n in numbers],
        "activities": [
            {**WORLD["activities"][0], "id": f"T{n}", "call_id": f"x:{n}", "person_ids": [f"C{it}" for it in numbers]}
            for n in numbers
        ],
    }


START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
TROUBLES = ("expired", "limit", "outage", "denied", "pages")
PLUGINS = ("hubspot", "salesforce")
NAMES = {"salesforce": ("Contact", "Title"), "hubspot": ("contacts", "jobtitle")}


def _gone(ids: Ids) -> str:
    return ids["C1"][:-4] + "9999"


def _draft(key: str, **more: Any) -> ActivityDraft:
    return ActivityDraft(key, "call", START, START + dt.timedelta(minutes=10), subject="A talk", **more)


def _titles(found: Mapping[str, Any]) -> dict[str, object]:
    """Say what was found by key, by names; what is unknown by that word."""
    return {key: "unknown" if isinstance(it, Unknown) else [each.name for each in it] for key, it in found.items()}


def _people(connection: Connection, ids: Ids) -> object:
    found = _titles(connection.read_people([ids["C1"], _gone(ids)]))
    return [found[ids["C1"]], found[_gone(ids)]]


def _fields(connection: Connection, ids: Ids) -> object:
    obj, title = NAMES[connection.manifest.name]
    (found,) = connection.read_fields([RecordFields(obj, ids["C1"], (title,))]).values()
    return "unknown" if isinstance(found, Unknown) else [it[title] for it in found]


def _filled(connection: Connection, ids: Ids) -> object:
    obj, title = NAMES[connection.manifest.name]
    (found,) = connection.fill_fields([RecordUpdate(obj, ids["C1"], {title: "CEO", "nowhere__c": "x"})]).values()
    return [found[name].outcome for name in (title, "nowhere__c")]


def _written(connection: Connection, ids: Ids) -> object:
    drafts = [_draft("x:2", person_ids=(ids["C1"],)), _draft("x:3", owner_id=_gone(ids))]
    receipts = connection.write_activity(drafts)
    return [receipts[draft.key].outcome for draft in drafts]


def _recognised(connection: Connection, ids: Ids) -> object:
    found = connection.find_activity([CallKey("x:1", "phone", START, START, 600.0, (ids["C1"],))])["x:1"]
    return "unknown" if isinstance(found, Unknown) else [it.subject for it in found]


def _opportunities(connection: Connection, ids: Ids) -> object:
    (found,) = connection.list_opportunities([ids["C1"]]).of_people.values()
    return "unknown" if isinstance(found, Unknown) else sorted(str(it.name) for it in found)


def _described(connection: Connection, _: Ids) -> object:
    obj, title = NAMES[connection.manifest.name]
    found = connection.describe_objects([obj])[obj]
    return "unknown" if isinstance(found, Unknown) else [title in it.fields for it in found]


OPERATIONS: Mapping[str, Ask] = {
    "find_contacts_by_email": lambda it, _: _titles(
        it.find_contacts_by_email(["ann@buyer.example", "nobody@buyer.example"])
    ),
    "find_contacts_by_phone": lambda it, _: _titles(it.find_contacts_by_phone(["+33639981011"])),
    "find_activity": _recognised,
    "list_opportunities": _opportunities,
    "find_users_by_email": lambda it, _: _titles(it.find_users_by_email(["ada@seller.example"])),
    "read_people": _people,
    "read_accounts": lambda it, ids: list(_titles(it.read_accounts([ids["A1"]])).values()),
    "search_people": lambda it, _: _titles(it.search_people(["Ann Able"])),
    "search_accounts": lambda it, _: _titles(it.search_accounts(["Acme"])),
    "describe_objects": _described,
    "describe_organization": lambda it, _: it.describe_organization().time_zone,
    "check_access": lambda it, _: all(right.granted for right in it.check_access().rights),
    "read_fields": _fields,
    "list_changes": lambda it, _: sorted({each.kind for each in it.list_changes(["contact"], START).records}),
    "fill_fields": _filled,
    "write_activity": _written,
}
"""Every operation that asks the CRM, and what it gave, in a few words."""


def _all_changes(connection: Connection, ids: Ids) -> object:
    seeds = {record: seed for seed, record in ids.items()}
    found: set[str] = set()
    pages, page = 0, None
    while pages == 0 or page is not None:
        answer = connection.list_changes(["contact"], START, page)
        found |= {seeds[each.id] for each in answer.records}
        pages, page = pages + 1, answer.next
    return sorted(found), pages > 1


IN_PAGES: Mapping[str, Ask] = {
    "find_contacts_by_phone": lambda it, _: _titles(it.find_contacts_by_phone(["+33639981011"])),
    "find_activity": _recognised,
    "list_opportunities": _opportunities,
    "find_users_by_email": lambda it, _: _titles(it.find_users_by_email(["user4@seller.example"])),
    "list_changes": _all_changes,
}
"""Operations whose answers the services give in pages."""


def told(ask: Ask, connection: Connection, ids: Ids) -> object:
    """Give what an operation gave, or the error that it raised, by its kind."""
    try:
        return ask(connection, ids)
    except ConnectorError as error:
        return type(error).__name__
