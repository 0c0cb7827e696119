"""Whom and what an activity is about: WhoId, WhatId and the relations behind them, with Shared Activities on.

Documented at developer.salesforce.com, Object Reference, Task, Event, TaskRelation, EventRelation: one lead, or up to 50
contacts, and one record more, which a lead's activity may not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector_salesforce.sandbox.faults import ServiceError
from connector_salesforce.sandbox.store import Row, Store, now_text

ACTIVITIES: Mapping[str, str] = {"Task": "TaskRelation", "Event": "EventRelation"}
_MAX_CONTACTS = 50


def whos_of(store: Store, obj: str, record_id: str) -> list[str]:
    """Name the people of an activity, the primary one first."""
    relations = [row for row in _relations(store, obj, record_id) if not row["IsWhat"] and row.get("IsParent", True)]
    ids = [row["RelationId"] for row in relations]
    primary = (store.get(record_id) or {}).get("WhoId")
    return [primary, *(item for item in ids if item != primary)] if primary else ids


def wanted_whos(store: Store, obj: str, old: Row | None, changes: Mapping[str, Any]) -> list[str] | None:
    """Tell whose an activity is to be after a change; None where the change leaves that alone.

    A list replaces everybody; a new WhoId replaces the primary one; one set to null lets the next one take its place.
    """
    had = whos_of(store, obj, old["Id"]) if old is not None else []
    listed = f"{obj}WhoIds" in changes
    if not listed and "WhoId" not in changes:
        return None
    whos = list(changes.get(f"{obj}WhoIds") or ()) if listed else had
    if "WhoId" in changes:
        primary = changes["WhoId"]
        replaced = None if listed or not had else had[0]
        rest = [item for item in whos if item not in (primary, replaced)]
        whos = [primary, *rest] if primary else (whos if listed else rest)
    return whos


def check_relations(store: Store, whos: Sequence[str], what: str | None) -> None:
    """Refuse people and things that may not stand together on one activity.

    :raises ServiceError: FIELD_INTEGRITY_EXCEPTION. Its texts, but for the wrong type, are unverified.
    """
    leads = [item for item in whos if store.object_of(item) == "Lead"]
    if leads and len(whos) > 1:
        raise ServiceError(
            "FIELD_INTEGRITY_EXCEPTION", "Name ID: one lead or up to 50 contacts can be related", ["WhoId"]
        )
    if len(whos) > _MAX_CONTACTS:
        raise ServiceError("FIELD_INTEGRITY_EXCEPTION", f"Name ID: more than {_MAX_CONTACTS} contacts", ["WhoId"])
    if leads and what:
        raise ServiceError(
            "FIELD_INTEGRITY_EXCEPTION", "Related To ID: must be blank when Name ID is a lead", ["WhatId"]
        )


def refuse_converted(store: Store, whos: Sequence[str]) -> None:
    """Refuse leads that were converted: what is new belongs to the contacts that they became.

    :raises ServiceError: CANNOT_UPDATE_CONVERTED_LEAD.
    """
    for who in whos:
        if (store.live(who) or {}).get("IsConverted"):
            raise ServiceError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", ["WhoId"])


def derived_account(store: Store, who: str | None, what: str | None) -> str | None:
    """Give the account that the service derives for an activity: that of what it is about, else of whom."""
    source = store.live(what) or store.live(who)
    if source is None:
        return None
    account = source["Id"] if store.object_of(source["Id"]) == "Account" else source.get("AccountId")
    return str(account) if account else None


def hold_relations(store: Store, obj: str, row: Row, whos: Sequence[str], stamp: Mapping[str, Any]) -> None:
    """Make the relations of an activity those of its people and of what it is about."""
    wanted = dict.fromkeys(whos, False)
    if row["WhatId"]:
        wanted[row["WhatId"]] = True
    for relation in _relations(store, obj, row["Id"]):
        if relation.get("IsInvitee"):  # one relation says that somebody is a guest, and whom the event is about
            is_parent = wanted.pop(relation["RelationId"], None) is not None
            store.put(ACTIVITIES[obj], {**relation, "IsParent": is_parent})
            continue
        if wanted.pop(relation["RelationId"], None) is None:
            remove(store, ACTIVITIES[obj], relation)
    for target, is_what in wanted.items():
        flags = {} if obj == "Task" else {"IsParent": True, "IsInvitee": False, "Status": "New"}
        relation_id = store.new_id(ACTIVITIES[obj])
        account = derived_account(store, None if is_what else target, target if is_what else None)
        store.put(
            ACTIVITIES[obj],
            {
                "Id": relation_id,
                "IsDeleted": False,
                **stamp,
                f"{obj}Id": row["Id"],
                "RelationId": target,
                "IsWhat": is_what,
                **flags,
                "AccountId": account,
            },
        )


def with_counts(row: Row, whos: Sequence[str]) -> dict[str, Any]:
    """Give an activity its primary person and the numbers of its relations."""
    primary = whos[0] if whos else None
    return {**row, "WhoId": primary, "WhoCount": len(whos), "WhatCount": 1 if row["WhatId"] else 0}


def remove(store: Store, obj: str, row: Row, **changes: Any) -> None:
    """Move a record to the recycle bin."""
    store.put(obj, {**row, "IsDeleted": True, "SystemModstamp": now_text(), **changes})


def _relations(store: Store, obj: str, record_id: str) -> list[Row]:
    return store.where(ACTIVITIES[obj], f"{obj}Id", record_id)
