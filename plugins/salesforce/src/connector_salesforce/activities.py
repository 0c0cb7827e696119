"""Tasks and events that may be a call's.

By key: ``Task.CallObject`` (compared exactly here, as SOQL does not count case), or the org's own key field; an event has
no key field, so those that start in the very second of the call, or with its minute, are read for the last line ``ref: ID``
of their body, as a body cannot be asked for. By people and time: all who are related, not the first alone (``TaskRelation``,
``EventRelation``), leads included that were converted into one of them. Archived activities are asked for too
(:data:`THERE`). A series of Salesforce Classic is a record beside its occurrences, at the time of the first: it is none of
the activities (Change Data Capture Developer Guide, "Recurring Activities").

Two API calls for a batch, one where nothing is found.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connector_core.manifest import ConnectionInfo
from connector_core.model import Account, Activity, CallKey, Opportunity, Person, Unknown
from connector_salesforce import opportunities
from connector_salesforce.client import Answer, Client, Row
from connector_salesforce.links import RELATIONS
from connector_salesforce.people import People
from connector_salesforce.records import PREFIXES, day, ids_of, moment, named, record_id, short, text
from connector_salesforce.soql import Child, Condition, Query, any_of, askable, both, compare, related, split, within

NEAR = dt.timedelta(minutes=15)
DAY = dt.timedelta(days=1)
THERE = compare("IsDeleted", "=", False)
"""``query`` leaves out archived activities, which are found and changed like others by who asks with ``queryAll`` (Object
Reference, "Archived Activities"): along with them come deleted records, relations too, that count for nothing."""

_REF = re.compile(r"(?:^|\n)ref: ([^\r\n]+)\s*$")  # browsers end lines with both
_BOTH = ("Id", "Subject", "Description", "WhoId", "WhatId", "What.Type", "OwnerId")
_TASK = (*_BOTH, "ActivityDate", "TaskSubtype", "CallObject", "CallDurationInSeconds")
_EVENT = (*_BOTH, "StartDateTime", "EndDateTime", "IsAllDayEvent", "ActivityDate")
COLUMNS = {"Task": _TASK, "Event": _EVENT}
"""What an activity is read from."""


@dataclass(slots=True)
class _Found:
    """What the answers to a batch have come to: rows by id, and the calls whose answer is not whole."""

    rows: dict[str, Row] = field(default_factory=dict)
    unknown: dict[str, Unknown] = field(default_factory=dict)

    def take(self, answers: Iterable[tuple[Iterable[str], Answer]]) -> None:
        """Take answers, each with the ids of the calls that depend on it."""
        for calls, answer in answers:
            if isinstance(answer, Unknown):
                self.unknown |= dict.fromkeys(calls, answer)
            else:
                self.rows |= {record_id(row): row for row in answer}


class Activities:
    """Finds candidates."""

    def __init__(self, client: Client, info: ConnectionInfo, people: People, key_field: str | None) -> None:
        """Ask for nothing yet."""
        self._client = client
        self._people = people
        self._zone = zoneinfo.ZoneInfo(info.time_zone)
        self._key_field = key_field

    def find(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        """Find the candidates of calls; see the module."""
        return self._client.with_relations(lambda: self._find(calls))

    def _find(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        found = _Found()
        asked = [*self._by_key(calls), *self._at_start(calls), *self._of_people(calls)]
        leads = list(self._of_leads(calls))
        answers = self._client.ask([it for _, it in (*asked, *leads)])
        found.take(zip([keys for keys, _ in asked], answers, strict=False))
        became = _Found()
        became.take(zip([keys for keys, _ in leads], answers[len(asked) :], strict=True))
        found.unknown |= became.unknown
        for lead in became.rows.values():
            found.rows |= {record_id(row): row for name in ("Tasks", "Events") for row in lead.get(name) or ()}
        return self._answer(
            calls, found, {short(it): text(row, "ConvertedContactId") for it, row in became.rows.items()}
        )

    def _answer(
        self, calls: Sequence[CallKey], found: _Found, became: Mapping[str, str | None]
    ) -> dict[str, tuple[Activity, ...] | Unknown]:
        """Keep what is a candidate of some call, read the records that it names, and answer by call."""
        rows = self._fitting(list(found.rows.values()), calls, became)
        kept = [row for of_call in rows.values() for row in of_call]
        whats = [it for row in kept if (it := text(row, "WhatId"))]
        who, what, unknown = details(self._client, self._people, (it for row in kept for it in _who(row)), whats)
        read = {record_id(row): self._activity(row, who, what) for row in kept}
        return {
            call.call_id: found.unknown.get(call.call_id)
            or (unknown if rows[call.call_id] else None)
            or tuple(read[record_id(row)] for row in rows[call.call_id])
            for call in calls
        }

    # -- asking --------------------------------------------------------------------------------------------------------

    def _by_key(self, calls: Sequence[CallKey]) -> Iterator[tuple[Iterable[str], Query]]:
        keys = [it for it in _ids(calls) if askable(it)]
        yield from split(keys, lambda part: self._tasks(self._key_condition("CallObject", part)))
        if self._key_field is not None:
            yield from split(keys, lambda part: self._events(within(str(self._key_field), part)))

    def _key_condition(self, column: str, keys: Sequence[str]) -> Condition:
        own = [within(self._key_field, keys)] if self._key_field else []
        return any_of((within(column, keys), *own))

    def _at_start(self, calls: Sequence[CallKey]) -> Iterator[tuple[Iterable[str], Query]]:
        seconds = {call.started_at.astimezone(dt.UTC).replace(microsecond=0) for call in calls}
        if starts := seconds | {it.replace(second=0) for it in seconds}:
            known = ids_of("Event", [it for call in calls if (it := call.known_id)])
            moved = [within("Id", known)] if known else []
            yield _ids(calls), self._events(any_of((within("StartDateTime", sorted(starts)), *moved)))

    def _of_people(self, calls: Sequence[CallKey]) -> Iterator[tuple[Iterable[str], Query]]:
        """Ask for the tasks of the days, and the events around the starts, of the people of calls."""
        everyone = [it for call in calls for it in call.person_ids]
        who = [*ids_of("Contact", everyone), *ids_of("Lead", everyone)]
        tasks = split(who, lambda part: self._tasks(self._then(calls), self._related("Task", part)))
        events = split(who, lambda part: self._events(self._near(calls), self._related("Event", part)))
        yield from ((_calls_of(calls, part), it) for part, it in (*tasks, *events))

    def _of_leads(self, calls: Sequence[CallKey]) -> Iterator[tuple[Iterable[str], Query]]:
        """Ask for the leads that were converted into the people, with their tasks and events of these times."""
        contacts = ids_of("Contact", [it for call in calls for it in call.person_ids])
        if not contacts:
            return
        tasks, events = self._tasks(self._then(calls)), self._events(self._near(calls))
        children = {"Tasks": Child(tasks.columns, tasks.where), "Events": Child(events.columns, events.where)}
        for part, query in split(
            contacts,
            lambda part: Query(
                "Lead",
                ("Id", "ConvertedContactId"),
                (within("ConvertedContactId", part), THERE),
                children=children,
                archived=True,
            ),
        ):
            yield _calls_of(calls, part), query

    def _related(self, kind: str, who: Sequence[str]) -> Condition:
        if not self._client.shared:
            return within("WhoId", who)
        return related("Id", f"{kind}Id", f"{kind}Relation", within("RelationId", who))

    def _then(self, calls: Iterable[CallKey]) -> Condition:
        return within("ActivityDate", sorted({it for call in calls for it in self._days(call)}))

    def _near(self, calls: Sequence[CallKey]) -> Condition:
        near = (
            both(compare("StartDateTime", ">=", since), compare("StartDateTime", "<=", until))
            for since, until in _windows(calls)
        )
        return any_of((both(compare("IsAllDayEvent", "=", True), self._then(calls)), *near))

    def _tasks(self, *where: Condition) -> Query:
        return self._query("Task", _TASK, *where)

    def _events(self, *where: Condition) -> Query:
        # Children are the copies that invited users have of an event.
        return self._query("Event", _EVENT, *where, compare("IsChild", "=", False))

    def _query(self, kind: str, columns: tuple[str, ...], *where: Condition) -> Query:
        own = (self._key_field,) if self._key_field else ()
        children = {RELATIONS[kind]: Child(("Id", "RelationId"), (THERE,))} if self._client.shared else {}
        return Query(
            kind, (*columns, *own), (*where, THERE), optional=("IsRecurrence",), children=children, archived=True
        )

    def _days(self, call: CallKey) -> Iterator[dt.date]:
        today = call.started_at.astimezone(self._zone).date()
        yield from (today - DAY, today, today + DAY)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _fitting(
        self, rows: Sequence[Row], calls: Iterable[CallKey], became: Mapping[str, str | None]
    ) -> dict[str, list[Row]]:
        """Give the activities that are candidates of each call: by key, or by people and time."""
        by_key: dict[str | None, list[int]] = {}
        of_person: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            by_key.setdefault(key_of(row, self._key_field), []).append(place)
            for person in {short(it) for who in _who(row) for it in (who, became.get(short(who))) if it}:
                of_person.setdefault(person, []).append(place)
        fitting: dict[str, list[Row]] = {}
        known = {record_id(row): [place] for place, row in enumerate(rows)}
        for call in calls:
            theirs = {place for who in call.person_ids for place in of_person.get(short(who), ())}
            places = {place for place in theirs if self._at_its_time(rows[place], call)}
            places.update(by_key.get(call.call_id, ()), known.get(call.known_id or "", ()))
            fitting[call.call_id] = [rows[place] for place in sorted(places)]
        return fitting

    def _at_its_time(self, row: Row, call: CallKey) -> bool:
        if row.get("IsRecurrence") is True:
            return False
        start = _start(row)
        if isinstance(start, dt.datetime):
            return abs(start - call.started_at) <= NEAR
        return start is not None and start in self._days(call)

    def _activity(self, row: Row, who: Mapping[str, Person], what: Mapping[str, Opportunity | Account]) -> Activity:
        task = "CallObject" in row
        about = what.get(text(row, "WhatId") or "")
        kind = "Task" if task else "Event"
        return Activity(
            id=record_id(row),
            kind=("call" if row.get("TaskSubtype") == "Call" else "task") if task else "event",
            key=key_of(row, self._key_field),
            people=tuple(who[it] for it in _who(row) if it in who),
            opportunities=(about,) if isinstance(about, Opportunity) else (),
            accounts=(about,) if isinstance(about, Account) else (),
            started_at=_start(row),
            duration_seconds=seconds_of(row),
            subject=text(row, "Subject"),
            body=text(row, "Description"),
            owner_id=text(row, "OwnerId"),
            url=f"{self._client.instance_url}/lightning/r/{kind}/{record_id(row)}/view",
        )


def details(
    client: Client, people: People, who: Iterable[str], what: Sequence[str]
) -> tuple[dict[str, Person], dict[str, Opportunity | Account], Unknown | None]:
    """Read the people, opportunities and accounts that an activity or note names; who is gone is not among them."""
    asked = people.queries(who)
    deals = opportunities.queries_by_id(what)
    accounts = [
        it
        for _, it in split(
            ids_of("Account", what), lambda part: Query("Account", ("Id", "Name"), (within("Id", part),))
        )
    ]
    answers = client.ask([*asked, *deals, *accounts])
    unknown = next((it for it in answers if isinstance(it, Unknown)), None)
    middle = len(asked) + len(deals)
    about: dict[str, Opportunity | Account] = {**opportunities.by_id(answers[len(asked) : middle])}
    for answer in answers[middle:]:
        for row in [] if isinstance(answer, Unknown) else answer:
            about[record_id(row)] = Account(record_id(row), named(row))
    return people.by_id(answers[: len(asked)]), about, unknown


def key_of(row: Row, key_field: str | None) -> str | None:
    """Give the call's id that an activity carries: in a field, else in the last line ``ref: ID`` of its body.

    The name of ``key_field`` may have another case than Salesforce's own.
    """
    own = next((it for it in row if key_field and it.lower() == key_field.lower()), "CallObject")
    stored = text(row, own) or text(row, "CallObject")
    reference = _REF.search(text(row, "Description") or "")
    return stored or (reference[1] if reference else None)


def seconds_of(row: Row) -> float | None:
    """Give the length of an activity; an event of whole days has none."""
    start, end = _start(row), moment(row.get("EndDateTime"))
    seconds = row.get("CallDurationInSeconds")
    if isinstance(start, dt.datetime) and end is not None:
        seconds = (end - start).total_seconds()
    return float(seconds) if isinstance(seconds, int | float) else None


def _ids(calls: Iterable[CallKey]) -> list[str]:
    return [call.call_id for call in calls]


def _calls_of(calls: Iterable[CallKey], who: Iterable[str]) -> list[str]:
    """Give the calls that name one of these people."""
    wanted = {short(it) for it in who}
    return [call.call_id for call in calls if not wanted.isdisjoint(map(short, call.person_ids))]


def _windows(calls: Iterable[CallKey]) -> list[tuple[dt.datetime, dt.datetime]]:
    """Give the times around the starts, merged where they touch, widened to whole seconds."""
    merged: list[tuple[dt.datetime, dt.datetime]] = []
    for start in sorted(call.started_at.astimezone(dt.UTC).replace(microsecond=0) for call in calls):
        since, until = start - NEAR, start + NEAR + dt.timedelta(seconds=1)
        if merged and since <= merged[-1][1]:
            since = merged.pop()[0]
        merged.append((since, until))
    return merged


def _start(row: Row) -> dt.datetime | dt.date | None:
    """Give when an activity starts: of a task, and of an event of whole days, only the day is known."""
    if "CallObject" in row or row.get("IsAllDayEvent") is True:
        return day(row.get("ActivityDate"))
    return moment(row.get("StartDateTime"))


def _who(row: Row) -> list[str]:
    """Give the contacts and leads of an activity, the first one first."""
    relations = [it for name in RELATIONS.values() for it in row.get(name) or ()]
    listed = [text(row, "WhoId"), *(text(it, "RelationId") for it in relations)]
    return list(dict.fromkeys(it for it in listed if it and it.startswith((PREFIXES["Contact"], PREFIXES["Lead"]))))
