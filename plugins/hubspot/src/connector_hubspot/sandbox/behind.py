"""What happens to a record behind the client's back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_hubspot.sandbox.instants import now
from connector_hubspot.sandbox.kinds import kind_of
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError
from connector_hubspot.sandbox.store import Record

_OWNERS = frozenset({"owners", "owner"})


def change_behind(
    portal: Portal, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
) -> None:
    """Set properties, also those that HubSpot sets; then merge; then delete. An owner can only be deleted (archived).

    :raises KeyError: There is no such record.
    :raises ValueError: A property or value that HubSpot does not know.
    """
    if obj.lower() in _OWNERS:
        owner = portal.owners.get(record_id)
        if owner is None or owner.archived:
            raise KeyError(record_id)
        if fields or merge_into or not delete:
            raise ValueError("an owner can only be deleted")
        owner.archived = True
        return
    record = _record(portal, obj, record_id)
    if fields:
        portal.write(record, _read(portal, record, fields), now())
    if merge_into == record_id:
        raise ValueError("a record cannot be merged into itself")
    if merge_into is not None:
        portal.store.merge(record, _record(portal, obj, merge_into), now())
    elif delete:
        portal.store.archive(record)


def _record(portal: Portal, obj: str, record_id: str) -> Record:
    try:
        record = portal.store.get(kind_of(obj), record_id)
    except (RefusalError, NotSpokenError) as error:
        raise KeyError(obj) from error
    if record is None:
        raise KeyError(record_id)
    return record


def _read(portal: Portal, record: Record, fields: Mapping[str, Any]) -> dict[str, str | None]:
    """Read values as a write does, those that no client could write as text."""
    own: dict[str, str | None] = {}
    given: dict[str, Any] = {}
    for name, value in fields.items():
        if not portal.schema.exists(record.kind, name):
            raise ValueError(f"{record.kind.name} have no property {name}")
        prop = portal.schema.find(record.kind, name)
        if prop is None or prop.read_only or prop.calculated:
            own[name] = None if value is None else str(value)
        else:
            given[name] = value
    try:
        return {**portal.values.read(record.kind, given, record.properties), **own}
    except RefusalError as error:
        raise ValueError(error.message) from error
