"""What the service refuses of a record that is created or changed, in the order in which it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_salesforce.sandbox.faults import ServiceError
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.schema import Field, ObjectType
from connector_salesforce.sandbox.store import Row, Store


def check_required(org: Org, obj: ObjectType, old: Row | None, new: Row, given: Mapping[str, Any]) -> None:
    """Refuse a record without what it needs: of a change, only what it names."""
    names = [item.name for item in obj.fields.values() if item.required and (old is None or item.name in given)]
    names += [name for name in org.requires(obj.name) if name not in names]
    missing = [name for name in names if new.get(name) is None]
    if missing:
        raise ServiceError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(missing)}]", missing)


def check_references(store: Store, obj: ObjectType, given: Mapping[str, Any]) -> None:
    """Refuse ids of what is not there, or of the wrong kind."""
    for name, value in given.items():
        item = obj.fields[name.lower()]
        for record_id in value if isinstance(value, tuple) else (value,) if item.targets and value else ():
            _check_reference(store, obj, item, record_id)


def _check_reference(store: Store, obj: ObjectType, item: Field, record_id: str) -> None:
    target = store.object_of(record_id)
    if item.name == "ContentDocumentId" and target == "ContentNote":
        target = "ContentDocument"
    if target not in item.targets:
        message = f"{item.label}: id value of incorrect type: {record_id}"
        raise ServiceError("FIELD_INTEGRITY_EXCEPTION", message, [item.name])
    row = store.live(record_id)
    if row is None:
        raise ServiceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [item.name])
    if item.name == "OwnerId" and target == "User" and not row["IsActive"]:
        message = f"operation performed with inactive user [{record_id[:15]}] as owner of {obj.name.lower()}"
        raise ServiceError("INACTIVE_OWNER_OR_USER", message, [])


def check_rules(org: Org, obj: ObjectType, new: Row) -> None:
    """Refuse what breaks a rule of the organization."""
    for rule in org.rules(obj.name):
        if rule.broken_by(new):
            raise ServiceError("FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, [rule.field] if rule.field else [])


def check_duplicates(store: Store, org: Org, obj: ObjectType, old: Row | None, new: Row) -> None:
    """Refuse what the organization takes for a double."""
    for rule in org.duplicate_rules(obj.name):
        if found := rule.matches(old, new, store.live_rows(obj.name)):
            raise ServiceError("DUPLICATES_DETECTED", rule.message, [], duplicates=rule.result(found))


def check_unique(store: Store, obj: ObjectType, new: Row) -> None:
    """Refuse a value that another record has in a field where each has its own."""
    if obj.name == "ContentDocumentLink":
        _check_link(store, new)
    for item in obj.fields.values():
        if not item.unique or new.get(item.name) is None:
            continue
        for row in store.where(obj.name, item.name, new[item.name]):
            if row["Id"] != new["Id"]:
                message = f"duplicate value found: {item.name} duplicates value on record with id: {row['Id'][:15]}"
                raise ServiceError("DUPLICATE_VALUE", message, [])


def _check_link(store: Store, new: Row) -> None:
    """Refuse a second link of a note to one record; the text is unverified."""
    for row in store.where("ContentDocumentLink", "ContentDocumentId", new["ContentDocumentId"]):
        if row["LinkedEntityId"] == new["LinkedEntityId"] and row["Id"] != new["Id"]:
            message = f"document ID: {row['ContentDocumentId'][:15]} is already linked with the entity"
            raise ServiceError("DUPLICATE_VALUE", message, ["ContentDocumentId"])
