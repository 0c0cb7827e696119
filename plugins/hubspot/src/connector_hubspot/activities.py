"""The activities that may be a call's.

Where they are looked for, and why so:

- *By the people of the call*: the associations of contacts with calls and with meetings (two requests for 1,000 contacts)
  and the records that they name. Associations show what was written a moment ago, while a search may not for seconds,
  and after a request without an answer that moment is what counts. HubSpot cannot restrict them to a time, though, and a
  contact's history is long: only the newest 300 of each kind are read (ids grow), and where there are more, a search by
  contact and time finds the older ones.
- *By the call's id*: a search for ``hs_call_external_id``, 500 ids a request. ``IN`` ignores case, the comparison after
  it does not.
- *By its start*: meetings and notes have no field for a key. Those that start when the call does are searched, 500 starts a
  request, and told by the last line of their body.
- *By its own id*, where it is known and was found in none of these ways: the call or the meeting was moved since.

For 200 calls that is four requests, and one for each 100 activities that are read. What candidates are associated with is
read only of them: three requests for each kind that has any.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector_core.model import Activity, CallKey, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.deals import CUT, Deals
from connector_hubspot.kinds import CALL, COMPANIES, CONTACTS, DEALS, MEETING, NOTE, Kind
from connector_hubspot.people import Companies, People
from connector_hubspot.reading import (
    GROUPS,
    IN_VALUES,
    Link,
    Links,
    Record,
    cut,
    halving,
    ids_only,
    one_of,
    read,
    read_links,
    search,
    value,
)
from connector_hubspot.times import instant, milliseconds

_WINDOW = dt.timedelta(minutes=15)
_NEWEST = 300
_MANY = IN_VALUES * GROUPS
_OBJECTS = (CONTACTS, COMPANIES, DEALS)


@dataclass(slots=True)
class _Found:
    """What was found of one kind: records by id, the ids that people share, and what could not be asked for."""

    kind: Kind
    records: dict[str, Record] = field(default_factory=dict)
    of_people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unasked: set[str] = field(default_factory=set)
    """Call ids, starts in milliseconds, and ids of people."""

    def candidates(self, calls: Sequence[CallKey]) -> dict[str, list[str]]:
        """Choose for each call what carries its id, and what shares a person with it and starts about when it does."""
        keyed: dict[str | None, list[str]] = {}
        for record_id, record in self.records.items():
            keyed.setdefault(self.kind.key_of(record), []).append(record_id)
        starts = {key: start for key, record in self.records.items() if (start := _start(self.kind, record))}

        def alike(call: CallKey) -> Iterable[str]:
            shared = {each for person in call.person_ids for each in self.of_people.get(person, ())}
            return (key for key in shared & starts.keys() if abs(starts[key] - call.started_at) <= _WINDOW)

        def known(call: CallKey) -> Iterable[str]:
            return self.records.keys() & _known(self.kind, call)

        return {call.call_id: sorted({*keyed.get(call.call_id, ()), *alike(call), *known(call)}) for call in calls}

    def knows(self, call: CallKey) -> bool:
        """Tell whether everything could be asked for."""
        return not self.unasked & {call.call_id, milliseconds(call.started_at), *call.person_ids}


class Activities:
    """Finds calls and meetings; and notes, where they are asked for."""

    def __init__(self, client: HubSpotClient, people: People, companies: Companies, deals: Deals) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._people = people
        self._companies = companies
        self._deals = deals

    def of_calls(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        """Give for each call its candidates."""
        notes = [call for call in calls if call.kind == "note"]
        others = [call for call in calls if call.kind != "note"]
        return self._of_kinds((CALL, MEETING), others) | self._of_kinds((NOTE,), notes)

    def _of_kinds(self, kinds: Iterable[Kind], calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        if not calls:
            return {}
        people = ids_only(person for call in calls for person in call.person_ids)
        found = [self._find(kind, calls, people) for kind in kinds]
        candidates = [(it, it.candidates(calls)) for it in found]
        chosen = {call.call_id: [(it, key) for it, of in candidates for key in of[call.call_id]] for call in calls}
        activities = self._activities(found, chosen.values())

        def answer(call: CallKey) -> tuple[Activity, ...] | Unknown:
            if not all(each.knows(call) for each in found):
                return Unknown("HubSpot refuses to look for its activities, or has more than it hands out")
            known = []
            for it, key in chosen[call.call_id]:
                activity = activities[it.kind.name, key]
                if isinstance(activity, Unknown):
                    return activity
                known.append(activity)
            return tuple(known)

        return {call.call_id: answer(call) for call in calls}

    def _find(self, kind: Kind, calls: Sequence[CallKey], people: Sequence[str]) -> _Found:
        found = _Found(kind)
        self._by_reference(kind, calls, found)
        if people:
            self._by_people(kind, calls, people, found)
        moved = {key for call in calls for key in _known(kind, call)} - found.records.keys()
        found.records.update(read(self._client, kind.object, moved, kind.properties))
        return found

    def _by_reference(self, kind: Kind, calls: Sequence[CallKey], found: _Found) -> None:
        """Search by the key field; where there is none, by the start."""
        keys = [call.call_id if kind.key else milliseconds(call.started_at) for call in calls]
        name = kind.key or "hs_timestamp"

        def ask(chunk: Sequence[str]) -> list[Record]:
            groups = [[one_of(name, part)] for part in cut(chunk, IN_VALUES)]
            return search(self._client, kind.object, groups, kind.properties)

        for chunk in cut(list(dict.fromkeys(keys)), _MANY):
            records, unasked = halving(chunk, ask)
            found.records.update((str(record["id"]), record) for record in records)
            found.unasked.update(unasked)

    def _by_people(self, kind: Kind, calls: Sequence[CallKey], people: Sequence[str], found: _Found) -> None:
        links = read_links(self._client, CONTACTS, kind.object, people)
        found.of_people = {person: links.ids(person) for person in people}
        found.unasked.update(links.cut)
        ids = {each for linked in found.of_people.values() for each in linked} - found.records.keys()
        newest = sorted(ids, key=lambda each: (len(each), each), reverse=True)[:_NEWEST]
        found.records.update(read(self._client, kind.object, newest, kind.properties))
        if len(ids) > len(newest):
            self._by_people_and_time(kind, calls, people, found)

    def _by_people_and_time(self, kind: Kind, calls: Sequence[CallKey], people: Sequence[str], found: _Found) -> None:
        starts = [call.started_at for call in calls]
        window = {
            "propertyName": "hs_timestamp",
            "operator": "BETWEEN",
            "value": milliseconds(min(starts) - _WINDOW),
            "highValue": milliseconds(max(starts) + _WINDOW),
        }

        def ask(chunk: Sequence[str]) -> list[Record]:
            groups = [[one_of("associations.contact", part), window] for part in cut(chunk, IN_VALUES)]
            return search(self._client, kind.object, groups, kind.properties)

        for chunk in cut(people, _MANY):
            records, unasked = halving(chunk, ask)
            found.records.update((str(record["id"]), record) for record in records)
            found.unasked.update(unasked)

    def _activities(
        self, found: Iterable[_Found], chosen: Iterable[Iterable[tuple[_Found, str]]]
    ) -> dict[tuple[str, str], Activity | Unknown]:
        """Read what candidates are associated with: only of them, and most calls have none."""
        pairs = [pair for each in chosen for pair in each]
        links = {it.kind.name: self._links(it.kind, {key for other, key in pairs if other is it}) for it in found}
        named = {obj: {link.id for of in links.values() for link in _all(of[obj])} for obj in _OBJECTS}
        people = self._people.by_id(named[CONTACTS])
        accounts = self._companies.read(named[COMPANIES])
        deals = self._deals.by_id(named[DEALS])

        def activity(kind: Kind, key: str, record: Record) -> Activity | Unknown:
            own = links[kind.name]
            opportunities = [deals[each] for each in own[DEALS].ids(key) if each in deals]
            known = [deal for deal in opportunities if not isinstance(deal, Unknown)]
            if any(key in each.cut for each in own.values()) or len(known) < len(opportunities):
                return CUT
            return Activity(
                id=key,
                kind=kind.name,
                key=kind.key_of(record),
                people=tuple(people[each] for each in own[CONTACTS].ids(key) if each in people),
                opportunities=tuple(known),
                accounts=tuple(accounts[each] for each in own[COMPANIES].ids(key) if each in accounts),
                started_at=_start(kind, record),
                duration_seconds=kind.duration_of(record),
                subject=kind.title_of(record),
                body=value(record, kind.body),
                owner_id=value(record, "hubspot_owner_id"),
                url=record.get("url"),
            )

        return {(it.kind.name, key): activity(it.kind, key, it.records[key]) for it, key in pairs}

    def _links(self, kind: Kind, ids: set[str]) -> dict[str, Links]:
        return {obj: read_links(self._client, kind.object, obj, ids) for obj in _OBJECTS}


def _known(kind: Kind, call: CallKey) -> set[str]:
    return {call.known_id} if call.known_id is not None and call.known_kind == kind.name else set()


def _all(links: Links) -> Iterable[Link]:
    return (link for found in links.of.values() for link in found)


def _start(kind: Kind, record: Record) -> dt.datetime | None:
    return instant(value(record, kind.start)) or instant(value(record, "hs_timestamp"))
