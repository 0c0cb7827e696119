"""What changed in Salesforce: nothing is lost between pages, whatever shares a time and whatever changes meanwhile."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from connector_salesforce import feed
from connector_salesforce.sandbox import dml
from connector_salesforce.sandbox.store import time_text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.model import RecordKind

NINE = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
WORLD: dict[str, Any] = {
    "people": [
        *({"kind": "contact", "id": f"C{number}", "name": f"Person {number}"} for number in range(5)),
        *({"kind": "lead", "id": f"L{number}", "name": f"Lead {number}"} for number in range(3)),
    ],
    "activities": [
        {"kind": kind, "id": f"T{number}", "started_at": "2026-03-02T09:00:00Z", "duration_seconds": 60}
        for number, kind in enumerate(["call", "event"])
    ],
}
KEYS = [f"C{number}" for number in range(5)] + [f"L{number}" for number in range(3)]
Connect = Callable[..., Any]


class Clock:
    """The sandbox's time."""

    def __init__(self) -> None:
        """Begin at nine."""
        self.now = NINE

    def __call__(self) -> str:
        """Tell it as Salesforce writes it."""
        return time_text(self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the sandbox's time stand still, unless it is moved."""
    made = Clock()
    monkeypatch.setattr(dml, "now_text", made)
    return made


def listed(
    desk: Any, since: dt.datetime, *kinds: RecordKind, between: Callable[[], object] = lambda: None
) -> list[str]:
    """List all pages; something may happen before each further one."""
    found: list[str] = []
    page: str | None = None
    while True:
        answer = desk.adapter.list_changes(kinds, since, page)
        found += [record.id for record in answer.records]
        page = answer.next
        if page is None:
            return found
        between()


def touch(desk: Any, key: str) -> None:
    """Change a contact or a lead."""
    name = "Contact" if key.startswith("C") else "Lead"
    act = {"method": "PATCH", "referenceId": "r", "url": f"{desk.adapter._client.root}/sobjects/{name}/{desk.ids[key]}"}
    ((status, _),) = desk.adapter._client.composite([{**act, "body": {"Title": "New"}}], reads=False)
    assert status == 204


Moves = list[tuple[str, int]]
"""Records that change, each so many seconds after the one before: none for the same time."""
MOVES = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from([0, 0, 0, 1, 5])), max_size=10)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=MOVES, meanwhile=MOVES, most=st.integers(1, 4))
def test_no_change_is_lost(
    connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch, before: Moves, meanwhile: Moves, most: int
) -> None:
    """Contacts and leads that changed since, many of them at one time, are listed, though others change between pages."""
    monkeypatch.setattr(feed, "PAGE", most)
    desk = connect(WORLD)
    clock.now = since = NINE + dt.timedelta(seconds=10)
    coming = iter(meanwhile)

    def move(key: str, seconds: int) -> None:
        clock.now += dt.timedelta(seconds=seconds)
        touch(desk, key)

    def move_next() -> None:
        for one in itertools.islice(coming, 1):
            move(*one)

    for one in before:
        move(*one)
    clock.now += dt.timedelta(seconds=1)

    found = listed(desk, since, "contact", "lead", between=move_next)

    assert {desk.ids[key] for key, _ in before} <= set(found)


def test_what_changed_in_the_second_that_is_asked_for_is_listed(connect: Connect, clock: Clock) -> None:
    """Salesforce keeps no fractions of a second, so a bound within one stands for its beginning."""
    desk = connect(WORLD)
    clock.now = NINE + dt.timedelta(seconds=10)
    touch(desk, "C1")

    assert listed(desk, NINE + dt.timedelta(seconds=10.9), "contact") == [desk.ids["C1"]]


def test_activities_are_tasks_and_events(connect: Connect) -> None:
    """Both are listed as activities, from one cursor."""
    desk = connect(WORLD)

    assert sorted(listed(desk, NINE - dt.timedelta(days=1000), "activity")) == sorted([desk.ids["T0"], desk.ids["T1"]])


def test_the_people_and_opportunities_of_a_poll_cost_one_call(connect: Connect) -> None:
    """The queries of all kinds that the feed asks for fit into one API call."""
    desk = connect(WORLD)
    desk.adapter.list_changes(("contact", "lead", "opportunity"), NINE, None)

    assert desk.api_calls == 1


def test_an_opportunity_that_got_a_contact_role_changed(connect: Connect, clock: Clock) -> None:
    """Salesforce keeps the role beside the opportunity, whose own time it leaves alone."""
    deal = {"id": "O1", "created_at": "2026-02-01T00:00:00Z"}
    desk = connect({**WORLD, "opportunities": [deal]})
    clock.now = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    role = {"OpportunityId": desk.ids["O1"], "ContactId": desk.ids["C1"]}
    url = f"{desk.adapter._client.root}/sobjects/OpportunityContactRole"
    desk.adapter._client.composite([{"method": "POST", "referenceId": "r", "url": url, "body": role}], reads=False)
    page = desk.adapter.list_changes(["opportunity"], clock.now, None)

    assert [(it.kind, it.id) for it in page.records] == [("opportunity", desk.ids["O1"])]
