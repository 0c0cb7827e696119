"""Single records: create, read, change, archive, list. Batches prepare their rows here, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_hubspot.sandbox.instants import now
from connector_hubspot.sandbox.kinds import COMPANIES, CONTACTS, DEALS, ENGAGEMENTS, MEETINGS, TYPE_IDS, Kind, kind_of
from connector_hubspot.sandbox.pipelines import DEFAULT
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import (
    NoSuchRecordError,
    NotSpokenError,
    Problem,
    RefusalError,
    invalid,
    invalid_values,
)
from connector_hubspot.sandbox.store import Record

_LONGEST_PAGE = 100
_USUAL_PAGE = 10
WITH_WRITE_VALIDATION = "2026-09"


@dataclass(frozen=True, slots=True)
class Plan:
    """A record that may be created: what it will hold, and what it will be associated with."""

    kind: Kind
    properties: Mapping[str, str | None]
    links: Sequence[tuple[Record, str]]


class Objects:
    """The objects API, without batches and searches."""

    def __init__(self, portal: Portal) -> None:
        """Serve a portal."""
        self._portal = portal
        self._store = portal.store

    # -- requests ------------------------------------------------------------------------------------------------------

    def create(self, kind: Kind, body: Any, version: str) -> dict[str, Any]:
        """Create a record."""
        plan = self.plan(kind, body, version)
        self.refuse_taken(kind, plan.properties, None)
        record = self.execute(plan)
        return self._portal.written(record, (), new=True)

    def read(self, kind: Kind, record_id: str, query: Mapping[str, str]) -> dict[str, Any]:
        """Read a record; one that was merged away is answered by the one that is left."""
        if query.get("archived") == "true":
            record = self._store.archived[kind].get(record_id)
        else:
            record = self.locate(kind, record_id, query.get("idProperty"))
        if record is None:
            raise _missing(kind)
        return self._shown(record, query)

    def change(self, kind: Kind, record_id: str, body: Any, query: Mapping[str, str]) -> dict[str, Any]:
        """Change a record; one that was merged away is changed in the one that is left."""
        record = self.locate(kind, record_id, query.get("idProperty"))
        if record is None:
            raise _missing(kind)
        changes = self.changes(record, body)
        self._portal.write(record, changes, now())
        return self._portal.written(record, changes, new=False)

    def archive(self, kind: Kind, record_id: str) -> None:
        """Archive a record; one that is gone stays gone."""
        record = self._store.get(kind, record_id)
        if record is not None:
            self._store.archive(record)

    def page(self, kind: Kind, query: Mapping[str, str], path: str) -> dict[str, Any]:
        """List records; ``after`` is an id."""
        limit = whole_number(query.get("limit", str(_USUAL_PAGE)), "limit", _LONGEST_PAGE)
        after = whole_number(query.get("after", "0"), "after")
        gone = query.get("archived") == "true"
        records = list(self._store.archived[kind].values()) if gone else self._store.all(kind)
        rest = [record for record in records if int(record.id) >= after]
        answer: dict[str, Any] = {"results": [self._shown(record, query) for record in rest[:limit]]}
        if len(rest) > limit:
            last = str(int(rest[limit - 1].id) + 1)
            answer["paging"] = {
                "next": {"after": last, "link": f"https://api.hubapi.com{path}?limit={limit}&after={last}"}
            }
        return answer

    def _shown(self, record: Record, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("propertiesWithHistory"):
            raise NotSpokenError("propertiesWithHistory")
        names = [name.strip() for name in query.get("properties", "").split(",") if name.strip()]
        shown = self._portal.present(record, names)
        kinds = [kind_of(name.strip()) for name in query.get("associations", "").split(",") if name.strip()]
        bonds = self._portal.associations(record, kinds)
        return {**shown, "associations": bonds} if bonds else shown

    # -- rows, also of batches -----------------------------------------------------------------------------------------

    def locate(self, kind: Kind, value: str, name: str | None) -> Record | None:
        """Find a record by id, or by a unique property."""
        if name is None or name == "hs_object_id":
            return self._store.survivor(kind, value)
        self.refuse_not_unique(kind, name)
        return self._store.by_key(kind, name, value)

    def refuse_not_unique(self, kind: Kind, name: str) -> None:
        """Refuse to find records by a property that is not unique; a contact's address counts as such."""
        if name not in self._portal.schema.unique(kind) and not (kind is CONTACTS and name == "email"):
            raise invalid(f"Unable to find objects by the non-unique property {name}", propertyName=[name])

    def plan(self, kind: Kind, row: Any, version: str) -> Plan:
        """Check a record that is to be created, without creating it.

        :raises RefusalError: HubSpot would not create it.
        """
        given = _properties(row)
        properties = self._portal.values.read(kind, given, {})
        if kind is MEETINGS and not properties.get("hs_timestamp") and properties.get("hs_meeting_start_time"):
            properties["hs_timestamp"] = properties["hs_meeting_start_time"]
        _refuse_bare(kind, properties)
        if version == WITH_WRITE_VALIDATION:
            self._refuse_incomplete(kind, properties)
        return Plan(kind, _with_defaults(kind, properties), self._bonds(kind, row))

    def execute(self, plan: Plan) -> Record:
        """Create the record of a plan."""
        record = self._store.add(plan.kind, plan.properties, now())
        company = plan.properties.get("associatedcompanyid")
        if plan.kind is CONTACTS and company:
            self._portal.set_primary_company(record, company)
        for other, label in plan.links:
            self._store.link(record, other, [label])
        return record

    def changes(self, record: Record, row: Any) -> dict[str, str | None]:
        """Check what is to be changed in a record.

        :raises RefusalError: HubSpot would not change it.
        """
        changes = self._portal.values.read(record.kind, _properties(row), record.properties)
        self.refuse_taken(record.kind, changes, record)
        return changes

    def refuse_taken(self, kind: Kind, properties: Mapping[str, str | None], record: Record | None) -> None:
        """Refuse unique values that belong to another record."""
        email = properties.get("email") if kind is CONTACTS else None
        owner = self._store.by_key(kind, "email", email) if email else None
        if owner is not None and owner is not record:
            raise RefusalError(
                409,
                f"Contact already exists. Existing ID: {owner.id}",
                "CONFLICT",
                row_context={"existingId": [owner.id]},
            )
        for name in self._portal.schema.unique(kind):
            value = properties.get(name)
            holder = self._store.by_key(kind, name, value) if value else None
            if holder is not None and holder is not record:
                message = f"{holder.id} already has that value of {name}"
                raise invalid_values([Problem("CONFLICTING_UNIQUE_VALUE", name, message)])

    def _refuse_incomplete(self, kind: Kind, properties: Mapping[str, str | None]) -> None:
        missing = sorted(name for name in self._portal.required.get(kind, ()) if not properties.get(name))
        if missing:
            raise RefusalError(
                400,
                f"Missing required properties: {', '.join(missing)}",
                "VALIDATION_ERROR",
                errors=[
                    Problem("MISSING_REQUIRED_PROPERTY", name, f"{name} is required to create this record").entry()
                    for name in missing
                ],
            )

    def _bonds(self, kind: Kind, row: Any) -> list[tuple[Record, str]]:
        """Read the associations of a record that is to be created; the type alone tells what the other record is."""
        bonds: list[tuple[Record, str]] = []
        wrong: list[str] = []
        for item in row.get("associations") or ():
            for kind_of_type in item.get("types") or ():
                end, label = _end_of(kind, kind_of_type)
                other_id = str(item.get("to", {}).get("id"))
                other = self._store.get(end, other_id)
                if other is None:
                    wrong.append(f"{end.singular.upper()}={other_id} is not valid")
                else:
                    bonds.append((other, label))
        if wrong:
            raise invalid("One or more associated objects are not valid", INVALID_OBJECT_IDS=list(dict.fromkeys(wrong)))
        return bonds


def whole_number(value: Any, name: str, largest: int | None = None) -> int:
    """Read a number of a query or body.

    :raises RefusalError: It is none, or larger than allowed.
    """
    text = str(value)
    if not text.isdecimal() or (largest is not None and int(text) > largest):
        raise invalid(f"Invalid value for {name}: {text}" + (f"; the largest is {largest}" if largest else ""))
    return int(text)


def _properties(row: Any) -> Mapping[str, Any]:
    given = row.get("properties") if isinstance(row, dict) else None
    if not isinstance(given, dict):
        raise invalid("Invalid input JSON: an object with properties is required")
    return given


def _missing(kind: Kind) -> Exception:
    """A missing contact or company was recorded to be answered with a page; the rest is documented with a body."""
    if kind in (CONTACTS, COMPANIES):
        return NoSuchRecordError()
    return RefusalError(404, "Object not found. objectId are usually numeric.", "OBJECT_NOT_FOUND")


def _refuse_bare(kind: Kind, properties: Mapping[str, str | None]) -> None:
    needed: tuple[str, ...] = ()
    if kind in ENGAGEMENTS:
        needed = ("hs_timestamp",)
    elif kind is CONTACTS:
        needed = ("email", "firstname", "lastname")
    if needed and not any(properties.get(name) for name in needed):
        message = f"Error creating {kind.singular.upper()}. Some required properties were not set."
        raise invalid(message, properties=list(needed))


def _with_defaults(kind: Kind, properties: Mapping[str, str | None]) -> dict[str, str | None]:
    if kind is CONTACTS:
        return {"lifecyclestage": "lead", **properties}
    if kind is COMPANIES:
        return {"lifecyclestage": "lead", "website": properties.get("domain"), **properties}
    if kind is DEALS:
        return {"pipeline": DEFAULT.id, **properties}
    return dict(properties)


def _end_of(start: Kind, given: Mapping[str, Any]) -> tuple[Kind, str]:
    type_id = given.get("associationTypeId")
    if given.get("associationCategory") == "HUBSPOT_DEFINED":
        for (begin, end), labels in TYPE_IDS.items():
            for label, known in labels.items():
                if begin is start and known == type_id:
                    return end, label
    category = given.get("associationCategory")
    raise invalid(f"The association type {category} {type_id} does not start at {start.type_id}")
