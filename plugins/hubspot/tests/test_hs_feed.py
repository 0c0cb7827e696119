"""What changed in HubSpot: nothing is lost between pages, whatever shares a time and whatever changes meanwhile."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot import feed
from connector_hubspot.sandbox import batches, behind, seed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.errors import TryAgainError
from connector_core.model import RecordKind

NINE = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
PEOPLE: dict[str, Any] = {
    "people": [{"kind": "contact", "id": f"C{number}", "name": f"Person {number}"} for number in range(8)]
}
Connect = Callable[..., Any]


class Clock:
    """The sandbox's time."""

    def __init__(self) -> None:
        """Begin at nine."""
        self.now = NINE

    def __call__(self) -> dt.datetime:
        """Tell it."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Let the sandbox's time stand still, unless it is moved."""
    made = Clock()
    for module in (behind, batches, seed):
        monkeypatch.setattr(module, "now", made)
    return made


def listed(
    account: Any, since: dt.datetime, *kinds: RecordKind, between: Callable[[], object] = lambda: None
) -> list[str]:
    """List all pages; something may happen before each further one."""
    found: list[str] = []
    page: str | None = None
    while True:
        answer = account.adapter.list_changes(kinds or ("contact",), since, page)
        found += [record.id for record in answer.records]
        page = answer.next
        if page is None:
            return found
        between()


def touch(account: Any, number: int) -> None:
    """Change a contact behind everybody's back."""
    account.sandbox.patch("contacts", account[f"C{number}"], {"jobtitle": "New"}, delete=False, merge_into=None)


Moves = list[tuple[int, int]]
"""Contacts that change, each so many milliseconds after the one before: none for the same time."""
MOVES = st.lists(st.tuples(st.integers(0, 7), st.sampled_from([0, 0, 0, 1, 5])), max_size=10)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=MOVES, meanwhile=MOVES, most=st.integers(1, 4))
def test_no_change_is_lost(
    connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch, before: Moves, meanwhile: Moves, most: int
) -> None:
    """Contacts that changed since, many of them at one time, are listed, though others change between the pages."""
    monkeypatch.setattr(feed, "PAGE", most)
    account = connect(**PEOPLE)
    clock.now = since = NINE + dt.timedelta(seconds=1)
    coming = iter(meanwhile)

    def move(number: int, milliseconds: int) -> None:
        clock.now += dt.timedelta(milliseconds=milliseconds)
        touch(account, number)

    def move_next() -> None:
        for one in itertools.islice(coming, 1):
            move(*one)

    for one in before:
        move(*one)
    clock.now += dt.timedelta(milliseconds=1)

    found = listed(account, since, between=move_next)

    assert {account[f"C{number}"] for number, _ in before} <= set(found)


def test_more_than_a_search_reaches_is_listed(connect: Connect, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of an import with one time are listed, though a search hands out fewer: 4 here, in pages of 2."""
    monkeypatch.setattr(feed, "PAGE", 2)
    monkeypatch.setattr("connector_hubspot.sandbox.search._REACH", 4)
    account = connect(**PEOPLE)
    clock.now = since = NINE + dt.timedelta(seconds=1)
    for number in range(8):
        touch(account, number)

    assert sorted(listed(account, since)) == sorted(account[f"C{number}"] for number in range(8))


def test_what_was_written_is_seen_once_searches_know_it(connect: Connect, clock: Clock) -> None:
    """A search knows what was written some seconds later; whoever asks again for the time before finds it then."""
    account = connect(**PEOPLE)
    clock.now = since = NINE + dt.timedelta(seconds=1)
    account.sandbox.index_lag_seconds = 3600.0
    listed(account, since)  # the lag holds from the next request on
    touch(account, 1)
    hidden = listed(account, since)
    account.sandbox.index_lag_seconds = 0.0

    assert (hidden, listed(account, since)) == ([], [account["C1"]])


def test_activities_are_calls_and_meetings(connect: Connect) -> None:
    """Both are listed as activities, from one cursor."""
    activities = [
        {"kind": kind, "id": f"T{number}", "started_at": "2026-03-02T09:00:00Z", "duration_seconds": 60}
        for number, kind in enumerate(["call", "meeting"])
    ]
    account = connect(activities=activities)

    assert sorted(listed(account, NINE - dt.timedelta(days=1000), "activity")) == sorted([account["T0"], account["T1"]])


def test_leads_are_no_kind_of_hubspot(connect: Connect) -> None:
    """Nothing is asked for them."""
    account = connect(**PEOPLE)

    assert (listed(account, NINE, "lead"), account.requests("search")) == ([], [])


def test_a_total_without_results_is_no_answer(connect: Connect) -> None:
    """What is said to be there and not told is not taken for the end."""
    account = connect(**PEOPLE)
    account.faults({"do": {"status": 200, "body": {"total": 3, "results": []}}, "match": {"path": "*/search"}})

    with pytest.raises(TryAgainError, match="answers none"):
        listed(account, NINE)


def test_pages_that_lead_nowhere_end(connect: Connect) -> None:
    """A search that answers the same again and again, as though its times were compared otherwise, is told."""
    account = connect()
    record = {"id": "7", "properties": {"lastmodifieddate": NINE.isoformat()}}
    body = {"total": 500, "results": [record, {**record, "id": "8"}]}
    account.faults({"match": {"path": "*/search"}, "times": 9, "do": {"status": 200, "body": body}})
    with pytest.raises(TryAgainError, match="answers again"):
        listed(account, NINE)
