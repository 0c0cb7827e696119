"""The records of the portal, what binds them, and what a search sees of them."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connector_hubspot.sandbox.instants import iso
from connector_hubspot.sandbox.kinds import COMPANIES, CONTACTS, DEALS, KINDS, PLAIN, PRIMARY, TYPE_IDS, Kind

_FIRST_ID = 100_000_000_001  # of twelve digits, as HubSpot's are today; so ids grow as text, too


@dataclass(slots=True)
class Link:
    """What binds two records: the labels, and from when on searches know of it."""

    labels: set[str] = field(default_factory=lambda: {PLAIN})
    visible_at: float = 0.0


@dataclass(slots=True, eq=False)
class Record:
    """One record; ``properties`` holds no empty ones. ``before`` is what searches see until ``visible_at``."""

    kind: Kind
    id: str
    created_at: dt.datetime
    updated_at: dt.datetime
    properties: dict[str, str] = field(default_factory=dict)
    archived: bool = False
    before: Mapping[str, str] | None = None
    visible_at: float = 0.0
    links: dict[Kind, dict[str, Link]] = field(default_factory=dict)

    def linked(self, kind: Kind) -> dict[str, Link]:
        """The records of an object that this one is associated with."""
        return self.links.get(kind, {})

    def primary_company(self) -> str | None:
        """The id of the primary company."""
        return next((key for key, link in self.linked(COMPANIES).items() if PRIMARY in link.labels), None)

    def emails(self) -> Iterator[str]:
        """Every address of a contact."""
        for text in (self.properties.get("email", ""), *self.properties.get("hs_additional_emails", "").split(";")):
            if text:
                yield text


class Store:
    """All records. ``calculate`` brings up to date what HubSpot derives from the other properties."""

    def __init__(
        self, unique: Callable[[Kind], Iterable[str]], calculate: Callable[[Record, Mapping[str, str]], None]
    ) -> None:
        """Begin empty."""
        self.lag_seconds = 0.0
        self.archived: dict[Kind, dict[str, Record]] = {kind: {} for kind in KINDS.values()}
        self._live: dict[Kind, dict[str, Record]] = {kind: {} for kind in KINDS.values()}
        self._survivors: dict[tuple[Kind, str], str] = {}
        self._keys: dict[tuple[Kind, str, str], str] = {}
        self._indexes: dict[Kind, dict[str, _Index]] = {kind: {} for kind in KINDS.values()}
        self._ids = itertools.count(_FIRST_ID)
        self._unique = unique
        self._calculate = calculate

    # -- reading -------------------------------------------------------------------------------------------------------

    def all(self, kind: Kind) -> list[Record]:
        """Every record of an object, in the order of their ids."""
        return list(self._live[kind].values())

    def get(self, kind: Kind, record_id: str) -> Record | None:
        """Find a record; one that was merged away is not there."""
        return self._live[kind].get(record_id)

    def survivor(self, kind: Kind, record_id: str) -> Record | None:
        """Find a record; for one that was merged away, the one that is left."""
        while (kind, record_id) in self._survivors:
            record_id = self._survivors[kind, record_id]
        return self.get(kind, record_id)

    def by_key(self, kind: Kind, name: str, value: str) -> Record | None:
        """Find the record that a unique value belongs to; a contact also by a further address."""
        if name == "email":
            value = value.strip().lower()
        found = self._keys.get((kind, name, value))
        return self.get(kind, found) if found is not None else None

    def with_values(
        self, kind: Kind, name: str, key: Callable[[str], Hashable], wanted: Iterable[Hashable]
    ) -> set[str]:
        """Give the ids of all records that have, or ever had, one of some values of a property, as ``key`` sees them."""
        index = self._indexes[kind].get(name)
        if index is None:
            index = self._indexes[kind][name] = _Index(name, key)
            for record in self._live[kind].values():
                index.add(record.id, record.before or {})
                index.add(record.id, record.properties)
        return set[str]().union(*(index.ids.get(each, ()) for each in wanted))

    def seen_by_search(self, record: Record) -> Mapping[str, str] | None:
        """What searches know of a record; None: nothing yet."""
        return record.before if self.hidden_until(record.visible_at) else record.properties

    def hidden_until(self, visible_at: float) -> bool:
        """Whether searches are still to learn of what was written."""
        return self.lag_seconds > 0 and time.monotonic() < visible_at

    # -- writing -------------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """Give the next id; they are unique over all objects, and grow."""
        return str(next(self._ids))

    def add(self, kind: Kind, properties: Mapping[str, str | None], at: dt.datetime) -> Record:
        """Hold a new record."""
        record = Record(kind, self.new_id(), at, at)
        record.visible_at = time.monotonic() + self.lag_seconds
        record.properties = {"hs_object_id": record.id, kind.created: iso(at)}
        if kind is DEALS:
            record.properties["hs_createdate"] = iso(at)  # its createdate may be set
        self._live[kind][record.id] = record
        self._write(record, properties, at)
        return record

    def change(self, record: Record, changes: Mapping[str, str | None], at: dt.datetime) -> None:
        """Change a record; None empties a property."""
        if not self.hidden_until(record.visible_at):
            record.before = dict(record.properties)
        record.visible_at = time.monotonic() + self.lag_seconds
        self._unindex(record)
        self._write(record, changes, at)

    def _write(self, record: Record, changes: Mapping[str, str | None], at: dt.datetime) -> None:
        old = dict(record.properties)
        record.updated_at = at
        for name, value in {**changes, record.kind.modified: iso(at)}.items():
            set_property(record, name, value)
        self._calculate(record, old)
        for name in self._unique(record.kind):
            if name in record.properties:
                self._keys[record.kind, name, record.properties[name]] = record.id
        if record.kind is CONTACTS:
            self._keys.update({(CONTACTS, "email", email): record.id for email in record.emails()})
        self._index(record)

    def _index(self, record: Record) -> None:
        for index in self._indexes[record.kind].values():
            index.add(record.id, record.properties)

    def _unindex(self, record: Record) -> None:
        for name in self._unique(record.kind):
            self._keys.pop((record.kind, name, record.properties.get(name, "")), None)
        for email in record.emails():
            self._keys.pop((CONTACTS, "email", email), None)

    def archive(self, record: Record) -> None:
        """Delete a record: what bound it vanishes."""
        for kind in list(record.links):
            for other in list(record.linked(kind)):
                self.unlink(record, self._live[kind][other])
        self._unindex(record)
        del self._live[record.kind][record.id]
        record.archived = True
        self.archived[record.kind][record.id] = record

    def merge(self, loser: Record, winner: Record, at: dt.datetime) -> None:
        """Merge one record into another, which takes over what it lacks, the addresses and the associations."""
        bonds = [(kind, key, set(link.labels)) for kind, others in loser.links.items() for key, link in others.items()]
        bonds.sort(key=lambda bond: PRIMARY not in bond[2])
        merged = [winner.properties.get("hs_merged_object_ids", ""), loser.id]
        emails = dict.fromkeys([*winner.emails(), *loser.emails()])
        self.archive(loser)
        self.archived[loser.kind].pop(loser.id)
        self._survivors[loser.kind, loser.id] = winner.id
        taken = {name: text for name, text in loser.properties.items() if name not in winner.properties}
        taken.pop("associatedcompanyid", None)
        if emails:
            taken["email"], *rest = emails
            taken["hs_additional_emails"] = ";".join(rest)
        taken["hs_merged_object_ids"] = ";".join(filter(None, merged))
        self.change(winner, taken, at)
        for kind, key, labels in bonds:
            if (kind, key) != (winner.kind, winner.id):
                keeps_its_own = winner.kind is not COMPANIES and winner.primary_company() is not None
                self.link(winner, self._live[kind][key], () if keeps_its_own else labels)

    # -- associations --------------------------------------------------------------------------------------------------

    def link(self, a: Record, b: Record, labels: Iterable[str] = ()) -> None:
        """Associate two records, in both directions; the first company of a contact or deal becomes its primary one."""
        link = a.linked(b.kind).get(b.id)
        wanted = {PLAIN, *labels}
        if link is None:
            link = Link(visible_at=time.monotonic() + self.lag_seconds)
            holder = b if a.kind is COMPANIES else a
            if PRIMARY in TYPE_IDS[a.kind, b.kind] and not holder.linked(COMPANIES):
                wanted.add(PRIMARY)
            a.links.setdefault(b.kind, {})[b.id] = link
            b.links.setdefault(a.kind, {})[a.id] = link
        self._label(a, b, link.labels | wanted)

    def relabel(self, a: Record, b: Record, labels: Iterable[str]) -> None:
        """Associate two records with these labels and no others."""
        known = b.id in a.linked(b.kind)
        self.link(a, b, labels)
        if known:
            self._label(a, b, {PLAIN, *labels})

    def _label(self, a: Record, b: Record, labels: set[str]) -> None:
        if PRIMARY in labels:
            holder = b if a.kind is COMPANIES else a
            for link in holder.linked(COMPANIES).values():
                link.labels.discard(PRIMARY)
        a.linked(b.kind)[b.id].labels = labels
        self._derive(a)
        self._derive(b)

    def unlink(self, a: Record, b: Record) -> None:
        """Undo every association of two records."""
        if a.linked(b.kind).pop(b.id, None) is not None:
            b.linked(a.kind).pop(a.id, None)
            self._derive(a)
            self._derive(b)

    def _derive(self, record: Record) -> None:
        """Bring up to date what follows from the associations."""
        if record.kind is CONTACTS:
            set_property(record, "associatedcompanyid", record.primary_company())
        for kind, name in ((CONTACTS, "num_associated_contacts"), (DEALS, "num_associated_deals")):
            if kind in record.links and (record.kind, kind) in _COUNTED:
                record.properties[name] = str(len(record.links[kind]))
        self._index(record)


@dataclass(slots=True)
class _Index:
    """The records of an object by the values that a property of theirs has or had."""

    name: str
    key: Callable[[str], Hashable]
    ids: dict[Hashable, set[str]] = field(default_factory=dict)

    def add(self, record_id: str, properties: Mapping[str, str]) -> None:
        if self.name in properties:
            self.ids.setdefault(self.key(properties[self.name]), set()).add(record_id)


def set_property(record: Record, name: str, value: str | None) -> None:
    """Set a property; None and empty text remove it."""
    if value:
        record.properties[name] = value
    else:
        record.properties.pop(name, None)


_COUNTED = frozenset({(COMPANIES, CONTACTS), (DEALS, CONTACTS), (COMPANIES, DEALS), (CONTACTS, DEALS)})
