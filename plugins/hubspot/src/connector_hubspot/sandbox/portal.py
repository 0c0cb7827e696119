"""The portal: its records, its schema, its users, and what an administrator may change of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connector_hubspot.sandbox.calculated import calculator
from connector_hubspot.sandbox.instants import iso
from connector_hubspot.sandbox.kinds import COMPANIES, CONTACTS, KINDS, PRIMARY, TYPE_IDS, Kind
from connector_hubspot.sandbox.limits import Limits
from connector_hubspot.sandbox.owners import Owners
from connector_hubspot.sandbox.pipelines import entered
from connector_hubspot.sandbox.schema import CURRENCIES, Schema
from connector_hubspot.sandbox.store import Record, Store
from connector_hubspot.sandbox.values import PORTAL_ID, Values

_ASSOCIATIONS_PAGE = 500


class Portal:
    """One HubSpot account."""

    def __init__(self) -> None:
        """Begin without records."""
        self.default_country: str | None = None
        self.time_zone = ZoneInfo("UTC")
        self.currencies: tuple[str, ...] = CURRENCIES
        self.association_page_size = _ASSOCIATIONS_PAGE
        self.required: Mapping[Kind, frozenset[str]] = {}
        self.missing_scopes: frozenset[str] = frozenset()
        self.limits = Limits()
        self.schema = Schema(entered())
        self.owners = Owners()
        self.store = Store(self.schema.unique, calculator(lambda: self.default_country))
        self.values = Values(self.schema, self.store, self.owners)

    def write(self, record: Record, changes: Mapping[str, str | None], at: Any) -> None:
        """Change a record; setting its primary company is an association."""
        self.store.change(record, changes, at)
        if record.kind is CONTACTS and "associatedcompanyid" in changes:
            self.set_primary_company(record, changes["associatedcompanyid"])

    def set_primary_company(self, contact: Record, company_id: str | None) -> None:
        """Make a company the primary one of a contact; None: it has none any more."""
        company = self.store.get(COMPANIES, company_id) if company_id else None
        current = self.store.get(COMPANIES, contact.primary_company() or "")
        if company is not None:
            self.store.link(contact, company, [PRIMARY])
        elif current is not None:
            self.store.relabel(contact, current, [])

    # -- how records look ----------------------------------------------------------------------------------------------

    def present(self, record: Record, names: Iterable[str] | None = None) -> dict[str, Any]:
        """Give a record with these properties, the usual ones where none are named: unknown ones are left out."""
        return self.wrapped(record, self._picked(record.kind, record.properties, names))

    def found(self, record: Record, seen: Mapping[str, str], names: Iterable[str] | None) -> dict[str, Any]:
        """Give a record as a search saw it."""
        return self.wrapped(record, self._picked(record.kind, seen, names))

    def written(self, record: Record, changed: Iterable[str], *, new: bool) -> dict[str, Any]:
        """Give a record as the answer to a write does: what it has when it is new, else what was changed."""
        if new:
            return self.wrapped(record, dict(sorted(record.properties.items())))
        echoed = _ECHOED.get(record.kind, ())
        names = {*changed, *record.kind.always, *echoed}
        return self.wrapped(record, {name: record.properties.get(name) for name in sorted(names)})

    def _picked(self, kind: Kind, properties: Mapping[str, str], names: Iterable[str] | None) -> dict[str, str | None]:
        wanted = {*(names or kind.shown), *kind.always}
        return {name: properties.get(name) for name in sorted(wanted) if self.schema.find(kind, name) is not None}

    def wrapped(self, record: Record, properties: Mapping[str, str | None]) -> dict[str, Any]:
        """Give what stands around the properties."""
        return {
            "id": record.id,
            "properties": dict(properties),
            "createdAt": iso(record.created_at),
            "updatedAt": iso(record.updated_at),
            "archived": record.archived,
            "url": f"https://app.hubspot.com/contacts/{PORTAL_ID}/record/{record.kind.type_id}/{record.id}",
        }

    def associations(self, record: Record, kinds: Sequence[Kind]) -> dict[str, Any]:
        """Give a record's associations in the form of the objects API; an object without any is left out."""
        return {
            kind.name: {
                "results": [
                    {"id": key, "type": name}
                    for key, link in record.linked(kind).items()
                    for name in _type_names(record.kind, kind, link.labels)
                ]
            }
            for kind in kinds
            if record.linked(kind)
        }

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """Give every record with all that it holds; tasks only where there are any."""
        return {
            kind.name: [
                {
                    "id": record.id,
                    "properties": dict(record.properties),
                    "associations": self.associations(record, list(KINDS.values())),
                }
                for record in self.store.all(kind)
            ]
            for kind in KINDS.values()
            if kind.name != "tasks" or self.store.all(kind)
        }


_SOURCES = ("hs_object_source", "hs_object_source_id", "hs_object_source_label")
_ECHOED: Mapping[Kind, Sequence[str]] = {
    CONTACTS: (*_SOURCES, "hs_is_contact", "hs_is_unworked", "hs_pipeline", "lifecyclestage"),
    COMPANIES: (*_SOURCES, "hs_pipeline", "lifecyclestage"),
}


def _type_names(start: Kind, end: Kind, labels: Iterable[str]) -> list[str]:
    """Name association types as the objects API does: where there is a primary one, the plain one says so."""
    stem = f"{'meeting_event' if start.name == 'meetings' else start.singular}_to_{end.singular}"
    has_primary = PRIMARY in TYPE_IDS[start, end]
    return [
        stem if label == PRIMARY or not has_primary else f"{stem}_unlabeled" for label in sorted(labels, reverse=True)
    ]
