"""Creating, changing and deleting records as the service does: what it refuses, and in which order it looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from connector_salesforce.sandbox.checks import (
    check_duplicates,
    check_references,
    check_required,
    check_rules,
    check_unique,
)
from connector_salesforce.sandbox.derive import derived
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.persons import (
    IS_PERSON,
    PERSON_CONTACT,
    keep_alike,
    merged_too,
    person_contact,
    refuse,
)
from connector_salesforce.sandbox.relations import (
    ACTIVITIES,
    check_relations,
    hold_relations,
    refuse_converted,
    remove,
    wanted_whos,
    whos_of,
    with_counts,
)
from connector_salesforce.sandbox.schema import Field, ObjectType
from connector_salesforce.sandbox.store import Row, Store, now_text
from connector_salesforce.sandbox.values import coerce, trimmed

Access: TypeAlias = Literal["createable", "updateable"]

LINKS: Mapping[str, tuple[str, str]] = {
    "TaskRelation": ("TaskId", "RelationId"),
    "EventRelation": ("EventId", "RelationId"),
    "ContentDocumentLink": ("ContentDocumentId", "LinkedEntityId"),
}
"""Records that are nothing but a link, of which there is one between the same two records."""

_WITHOUT_ACCESS = "insufficient access rights on object id"


class Writer:
    """Writes to the organization: as its user, or as the ``system``, which rights and rules do not bind."""

    def __init__(self, store: Store, org: Org, user_id: str) -> None:
        self._store, self._org, self._user_id = store, org, user_id

    def insert(self, name: str, values: Mapping[str, Any], *, system: bool = False) -> str:
        """Create a record and give its id.

        :raises ServiceError: The service would refuse it; nothing was changed.
        """
        obj = self._begin(name, "create", system=system)
        if not obj.createable and not system:
            raise ServiceError("INVALID_TYPE_FOR_OPERATION", f"entity type {obj.name} does not support create", [])
        given = self.read(obj, values, None if system else "createable")
        if not system:
            refuse(self._store, obj.name, None, given)
            if given.get("IsRecurrence"):
                raise NotSpokenError(f"a series: IsRecurrence of a {obj.name}")
        stamp = self._stamp()
        row: dict[str, Any] = {"Id": self._store.new_id(obj.name), "IsDeleted": False, **stamp}
        full = self._org.full(obj.name)
        row |= {item.name: _default(item) for item in full.fields.values() if item.name not in row}
        row |= {"OwnerId": self._user_id} if "ownerid" in full.fields else {}
        row |= {key: value for key, value in given.items() if value is not None}
        return self._save(full, None, row, given, stamp, system=system)

    def update(self, record_id: str, values: Mapping[str, Any], *, system: bool = False) -> None:
        """Change a record.

        :raises ServiceError: The service would refuse it; nothing was changed.
        """
        name = self._store.object_of(record_id)
        old = self._found(record_id)
        obj = self._begin(str(name), "edit", system=system)
        if obj.name == "Lead" and old["IsConverted"] and not system:
            raise ServiceError("CANNOT_UPDATE_CONVERTED_LEAD", "cannot update converted lead", [])
        given = self.read(obj, values, None if system else "updateable")
        if not system:
            refuse(self._store, obj.name, old, given)
            if old.get("HasOpportunityLineItem"):
                given.pop("Amount", None)  # it is the sum of the products: another one is ignored
        stamp = self._stamp()
        row = {
            **old,
            **{key: stamp[key] for key in ("LastModifiedDate", "LastModifiedById", "SystemModstamp")},
            **given,
        }
        self._save(self._org.full(obj.name), old, row, given, stamp, system=system)

    def delete(self, record_id: str, *, system: bool = False, **changes: Any) -> None:
        """Delete a record. What refers to it stays, without the reference.

        :raises ServiceError: The service would refuse it; nothing was changed.
        """
        row = self._found(record_id)
        obj = self._begin(str(self._store.object_of(record_id)), "delete", system=system)
        if not obj.deletable and not system:
            raise ServiceError("INSUFFICIENT_ACCESS_OR_READONLY", _WITHOUT_ACCESS, [], status=403)
        if obj.name in ACTIVITIES.values() and row["IsWhat"] and not system:
            raise NotSpokenError(f"the deletion of a {obj.name} with IsWhat")
        if obj.name == "Contact" and row.get(IS_PERSON):
            raise person_contact()
        self._remove(obj.name, row, **changes)
        if obj.name == "Account" and row.get(IS_PERSON):
            self._remove("Contact", self._found(row[PERSON_CONTACT]))
        if obj.name in ACTIVITIES.values():
            self._recount(obj.name.removesuffix("Relation"), row, without=row["RelationId"])

    def merge(self, loser_id: str, winner_id: str) -> None:
        """Merge a record into another of its kind: what referred to the loser refers to the winner."""
        winner = self._found(winner_id)
        loser = self._found(loser_id)
        if self._store.object_of(winner_id) != self._store.object_of(loser_id):
            raise ServiceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        name = str(self._store.object_of(loser_id))
        for lost, kept in merged_too(name, loser, winner):
            self._replace("Contact", self._found(lost), kept)
        self._replace(name, loser, winner_id)

    def _replace(self, name: str, loser: Row, winner_id: str) -> None:
        for obj, item, row in self._referring(loser["Id"]):
            self._replace_reference(obj, item, row, winner_id)
        remove(self._store, name, loser, MasterRecordId=winner_id)

    def _remove(self, name: str, row: Row, **changes: Any) -> None:
        self._forget(row["Id"])
        remove(self._store, name, self._store.get(row["Id"]) or row, **changes)

    # -- steps --------------------------------------------------------------------------------------------------------

    def _begin(self, name: str, right: str, *, system: bool) -> ObjectType:
        if system:
            return self._org.full(name)
        obj = self._org.visible(name)
        if obj is None:
            raise ServiceError("INVALID_TYPE", f"sObject type '{name}' is not supported.")
        if not self._org.allows(obj.name, right):
            raise ServiceError("INSUFFICIENT_ACCESS_OR_READONLY", _WITHOUT_ACCESS, [], status=403)
        return obj

    def read(self, obj: ObjectType, values: Mapping[str, Any], must_be: Access | None) -> dict[str, Any]:
        """Read the values of a record by the names of their fields; without ``must_be`` any field, exactly as given.

        :raises ServiceError: A field that is not there or may not be written, or a value that it cannot have.
        :raises NotSpokenError: An Id, from whoever may set any other field: rows of a collection alone are named by it.
        """
        if must_be is None and any(key.lower() == "id" for key in values):
            raise NotSpokenError("the field Id: Salesforce gives ids by itself")
        fields = {key: self._known(obj, key) for key in values if key != "attributes" and key.lower() != "id"}
        locked = [item.name for item in fields.values() if must_be is not None and not getattr(item, must_be)]
        if locked:
            message = (
                f"Unable to create/update fields: {', '.join(locked)}. Please check the security settings of this field "
                "and verify that it is read/write for your profile or permission set."
            )
            raise ServiceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, locked)
        clean = trimmed if must_be else lambda value: value
        return {item.name: coerce(item, clean(values[key])) for key, item in fields.items()}

    def _known(self, obj: ObjectType, name: str) -> Field:
        item = obj.fields.get(name.lower())
        if name.lower() in obj.not_modelled:
            raise NotSpokenError(f"the field {obj.name}.{name}")
        if item is None:
            raise ServiceError("INVALID_FIELD", f"No such column '{name}' on sobject of type {obj.name}")
        return item

    def _found(self, record_id: str) -> Row:
        row = self._store.get(record_id)
        if row is None:
            raise ServiceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
        if row["IsDeleted"]:
            raise ServiceError("ENTITY_IS_DELETED", "entity is deleted", [], status=404)
        return row

    def _save(
        self,
        obj: ObjectType,
        old: Row | None,
        row: Mapping[str, Any],
        given: Mapping[str, Any],
        stamp: Mapping[str, Any],
        *,
        system: bool,
    ) -> str:
        check_references(self._store, obj, given)
        new = dict(row)
        whos = wanted_whos(self._store, obj.name, old, given) if obj.name in ACTIVITIES else None
        if obj.name in ACTIVITIES:
            new.pop(f"{obj.name}WhoIds", None)
            kept = whos if whos is not None else whos_of(self._store, obj.name, new["Id"])
            if old is None or whos is not None or "WhatId" in given:
                check_relations(self._store, kept, new["WhatId"])
            if whos is not None and not system:
                refuse_converted(self._store, whos)
            new = with_counts(new, kept)
            whos = kept
        new = derived(obj.name, self._store, self._org, old, new, given)
        if not system:
            check_required(self._org, obj, old, new, given)
            check_rules(self._org, obj, new)
            check_duplicates(self._store, self._org, obj, old, new)
        check_unique(self._store, obj, new)
        self._store.put(obj.name, new)
        keep_alike(self._store, obj.name, new)
        if whos is not None:
            hold_relations(self._store, obj.name, new, whos, stamp)
        if obj.name in ("TaskRelation", "EventRelation"):
            self._hold_relation(obj.name.removesuffix("Relation"), new, stamp)
        if obj.name == "Opportunity" and old is not None:
            self._note_history(old, new, stamp)
        if obj.name == "ContentNote" and old is None:
            self._link_owner(new, stamp)
        return str(new["Id"])

    # -- what follows -------------------------------------------------------------------------------------------------

    def _hold_relation(self, obj: str, relation: Row, stamp: Mapping[str, Any]) -> None:
        """Let an activity know of a relation that was created by itself."""
        activity = self._store.live(relation[f"{obj}Id"])
        if activity is None or relation["IsWhat"] or relation.get("IsInvitee"):
            return
        whos = whos_of(self._store, obj, activity["Id"])
        try:
            check_relations(self._store, whos, activity["WhatId"])
        except ServiceError:
            remove(self._store, f"{obj}Relation", relation)
            raise
        self._store.put(obj, {**with_counts(activity, whos), "SystemModstamp": stamp["SystemModstamp"]})

    def _recount(self, obj: str, relation: Row, *, without: str | None = None) -> None:
        """Let an activity know of a relation that is gone. That the next person becomes the primary one is unverified."""
        activity = self._store.live(relation[f"{obj}Id"])
        if activity is not None and not relation.get("IsInvitee"):
            whos = [who for who in whos_of(self._store, obj, activity["Id"]) if who != without]
            self._store.put(obj, {**with_counts(activity, whos), "SystemModstamp": now_text()})

    def _note_history(self, old: Row, new: Row, stamp: Mapping[str, Any]) -> None:
        watched = ("Amount", "Probability", "StageName", "CloseDate")
        if all(old[name] == new[name] for name in watched):
            return
        row = {"Id": self._store.new_id("OpportunityHistory"), "IsDeleted": False, **stamp, "OpportunityId": new["Id"]}
        row |= {name: new[name] for name in watched}
        row |= {"PrevCloseDate": old["CloseDate"], "CreatedDate": new["LastStageChangeDate"] or stamp["CreatedDate"]}
        self._store.put("OpportunityHistory", row)

    def _link_owner(self, note: Row, stamp: Mapping[str, Any]) -> None:
        """Share a new note with its owner, as the service does by itself."""
        link = {"ContentDocumentId": note["Id"], "LinkedEntityId": note["OwnerId"], "ShareType": "I"}
        row = {"Id": self._store.new_id("ContentDocumentLink"), "IsDeleted": False, **stamp}
        self._store.put("ContentDocumentLink", {**row, **link, "Visibility": "AllUsers"})

    def _referring(self, record_id: str) -> list[tuple[str, Field, Row]]:
        return [
            (obj.name, item, row)
            for obj in map(self._org.full, self._store.names())
            for item in obj.fields.values()
            if item.type == "reference" and self._store.object_of(record_id) in _tables(item)
            for row in self._store.where(obj.name, item.name, record_id)
        ]

    def _forget(self, record_id: str) -> None:
        for obj, item, row in self._referring(record_id):
            self._replace_reference(obj, item, row, None)

    def _replace_reference(self, obj: str, item: Field, row: Row, target: str | None) -> None:
        """Let a row refer to another record, or to none: then one that is nothing but a link goes too."""
        current = self._store.live(row["Id"])
        if current is None:
            return
        if target is None and not item.nillable:
            remove(self._store, obj, current)
            return
        if obj in ACTIVITIES and item.name == "WhoId":
            whos = [target or "" if who == current["WhoId"] else who for who in whos_of(self._store, obj, row["Id"])]
            whos = list(dict.fromkeys(who for who in whos if who))
            current = with_counts(current, whos)
            self._store.put(obj, current)
            hold_relations(self._store, obj, current, whos, self._stamp())
            return
        self._store.put(obj, moved := {**current, item.name: target})
        if self._is_double(obj, moved):
            remove(self._store, obj, moved)
            if obj in ACTIVITIES.values():
                self._recount(obj.removesuffix("Relation"), moved)

    def _is_double(self, obj: str, row: Row) -> bool:
        """Tell whether another link says the same: of a merged record's there is one afterwards. Unverified."""
        names = LINKS.get(obj)
        return names is not None and any(
            other["Id"] != row["Id"] and other[names[1]] == row[names[1]]
            for other in self._store.where(obj, names[0], row[names[0]])
        )

    def _stamp(self) -> dict[str, Any]:
        now = now_text()
        return {
            "CreatedDate": now,
            "CreatedById": self._user_id,
            "LastModifiedDate": now,
            "LastModifiedById": self._user_id,
            "SystemModstamp": now,
        }


def _default(item: Field) -> Any:
    return None if item.type == "junctionIdList" else item.default


def _tables(item: Field) -> tuple[str, ...]:
    return tuple("ContentNote" if target == "ContentDocument" else target for target in item.targets)
