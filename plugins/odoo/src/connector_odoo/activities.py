"""The events that may be a call's.

All ways are one search, told apart afterwards:

- *By the call's id*: the message that carries it, whenever the event is. The line ``ref: ID`` in a description, which has no
  index, is looked for within a week of the call.
- *By the people of the call*: events with one of them, or on one of their leads, that start within 15 minutes of it (a day
  of it, for those of a whole day).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from connector_core.model import Activity, CallKey, Opportunity, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.events import activity, key_of, leads_named, message_id_of, people_of, read_events, start_of
from connector_odoo.opportunities import Opportunities
from connector_odoo.people import CUT, LEAD, PARTNER
from connector_odoo.reading import Domain, Record, any_of, cut, halving, id_of, like, numbers_of, written

_NEAR = dt.timedelta(minutes=15)
_NEAR_DAY = dt.timedelta(days=2)  # an event of a whole day lies between hours that Odoo makes up
_REFERRED = dt.timedelta(days=7)
_CALLS = 100


class Activities:
    """Finds events."""

    def __init__(self, client: OdooClient, opportunities: Opportunities) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._opportunities = opportunities

    def of_calls(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        """Give for each call its candidates: a request for 100 calls, and one for the opportunities they name."""
        records: dict[int, Record] = {}
        unasked: set[str] = set()
        for chunk in cut(calls, _CALLS):
            found, left = halving(chunk, lambda part: read_events(self._client, _domain(part)))
            records.update((record["id"], record) for record in found)
            unasked.update(call.call_id for call in left)
        chosen = {call.call_id: _candidates(call, records) for call in calls}
        named = leads_named(record for found in chosen.values() for record in found)
        opportunities = self._named(named)

        def answer(call: CallKey) -> tuple[Activity, ...] | Unknown:
            found = chosen[call.call_id]
            return (
                CUT
                if call.call_id in unasked
                else tuple(activity(record, opportunities, self._client.base_url) for record in found)
            )

        return {call.call_id: answer(call) for call in calls}

    def _named(self, numbers: set[int]) -> dict[int, Opportunity]:
        keys = {id_of(LEAD, number): number for number in sorted(numbers)}
        answers = self._opportunities.of((), (), tuple(keys), None).by_id if keys else {}
        return {keys[key]: found[0] for key, found in answers.items() if not isinstance(found, Unknown) and found}


def _domain(calls: Sequence[CallKey]) -> Domain:
    """Ask for what may be the calls'."""
    carrying: Domain = [["message_ids.message_id", "in", [message_id_of(call.call_id) for call in calls]]]
    return any_of(carrying, *map(_about_call, calls))


def _about_call(call: CallKey) -> Domain:
    """Ask for what is about the time of a call, and has its people or its id."""
    start = call.started_at
    week = _about(start, _REFERRED)
    domains: list[Domain] = [[*week, ["description", "=like", f"%ref: {like(call.call_id)}%"]]]
    contacts, leads = numbers_of(PARTNER, call.person_ids), numbers_of(LEAD, call.person_ids)
    if contacts or leads:
        when = any_of(_about(start, _NEAR), [["allday", "=", True], *_about(start, _NEAR_DAY)])
        whose = any_of([["partner_ids", "in", contacts]], [["opportunity_id", "in", leads]])
        domains.append([*when, *whose])
    return any_of(*domains)


def _about(start: dt.datetime, span: dt.timedelta) -> Domain:
    after = dt.timedelta(seconds=1)  # Odoo cuts a time to its second
    return [["start", ">=", written(start - span)], ["start", "<=", written(start + span + after)]]


def _candidates(call: CallKey, records: dict[int, Record]) -> list[Record]:
    """Choose what carries the call's id, and what shares a person with it and starts about when it does."""
    people = set(call.person_ids)

    def near(record: Record) -> bool:
        start = start_of(record)
        if isinstance(start, dt.datetime):
            return abs(start - call.started_at) <= _NEAR
        return start is not None and abs(start - call.started_at.date()) <= _NEAR_DAY

    return [
        record
        for _, record in sorted(records.items())
        if key_of(record) == call.call_id
        or (near(record) and not people.isdisjoint(person.id for person in people_of(record)))
    ]
