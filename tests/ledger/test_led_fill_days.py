"""What was counted of the filling is what a recount gives, after any history; and a day costs that day alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from filled_rows import NOON, TARGETS, change, row
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_bench import ACME, Bench, bench
from postgres import execute

from connector_core.filling.counts import Asked, Counts, FieldDay, Missing, Tally, Waiting
from connector_core.filling.outcomes import OUTCOMES, REASONS
from connector_core.filling.periods import Span
from connector_core.ledger.fill_days import REFRESH_SECONDS, FillDays
from connector_core.ledger.fill_queue import mark_dirty, replace_rows
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.schema_filling import (
    fill_days,
    fill_dirty,
    fill_missing,
    fill_pending,
    fill_refreshes,
    fillings,
)

MARCH = Span(dt.date(2026, 3, 1), dt.date(2026, 3, 31))
BEGINS = {"deal": MARCH.first, "people": MARCH.first}
COUNTED = (fillings, fill_dirty, fill_refreshes, fill_days, fill_pending, fill_missing)


def keep(at: Bench, *rows: Mapping[str, Any]) -> None:
    """Change rows of the ledger."""
    change(at.ledger.database, ACME, *rows)


def read(at: Bench) -> Counts:
    """Give all that was counted."""
    return FillDays(at.ledger.database).read(ACME, MARCH.first, MARCH, BEGINS)


def ordered(counts: Counts) -> tuple[list[Any], list[Any], list[Any]]:
    """Give counts in an order of their own."""
    missing = [(it.object, sorted(it.templates), it.calls) for it in counts.missing]
    return sorted(counts.days, key=repr), sorted(counts.waiting, key=repr), sorted(missing)


def recount(at: Bench) -> Counts:
    """Count every row by hand."""
    days: dict[Any, Counter[str]] = defaultdict(Counter)
    reasons: dict[Any, Counter[str]] = defaultdict(Counter)
    waiting: dict[Any, list[dt.datetime]] = defaultdict(list)
    lacking: dict[Any, set[Any]] = defaultdict(set)
    for it in at.rows(sa.select(fillings)):
        target = (it.template, it.field, it.target)
        day = dt.date.fromisoformat(it.day)
        days[day, target][it.outcome] += 1
        if it.outcome == "other":
            reasons[day, target][it.reason] += 1
        if it.outcome == "pending" and it.approved_at is None:
            waiting[target, it.who].append(it.since)
        if it.outcome == "no_crm_link":
            lacking[it.call_id, day, it.target.split(".")[0]].add(it.template)
        if it.reason == "object_not_linked":
            lacking[it.call_id, day, it.target.rpartition(".")[0]].add(it.template)
    missing = Counter((name, frozenset(templates)) for (_, _, name), templates in lacking.items())
    return Counts(
        tuple(FieldDay(*key, Tally(**number), dict(reasons[key])) for key, number in days.items()),  # type: ignore[call-arg]  # a day and a target
        tuple(Waiting(*key, len(since), min(since)) for key, since in waiting.items()),  # type: ignore[call-arg]  # a target and who
        tuple(Missing(*what, number) for what, number in missing.items()),
    )


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """A row as it may be at any time: of few calls and days, so that rows change."""
    field = draw(st.sampled_from(sorted(TARGETS)))
    outcome = draw(st.sampled_from(sorted(OUTCOMES)))
    return row(
        draw(st.integers(1, 4)),
        draw(st.integers(1, 3)),
        field,
        target=draw(st.sampled_from(TARGETS[field])),
        who=draw(st.sampled_from([None, "Ada", "Ben"])),
        outcome=outcome,
        reason=draw(st.sampled_from(sorted(REASONS))) if outcome == "other" else None,
        approved_at=draw(st.sampled_from([None, NOON])),
        since=NOON + dt.timedelta(minutes=draw(st.integers(0, 9))),
    )


HISTORIES = st.lists(st.one_of(st.just("refresh"), st.lists(changes(), min_size=1, max_size=4)), max_size=12)


@contextmanager
def database(server: str) -> Iterator[str]:
    """Make a database that outlives one test."""
    name = f"connector_test_{uuid.uuid4().hex[:12]}"
    execute(server, f"create database {name}")
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    execute(server, f"drop database {name} with (force)")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """One ledger for all examples."""
    if request.param == "sqlite":
        with bench() as made:
            yield made
    else:
        with database(request.getfixturevalue("postgres_server")) as url, bench(url) as made:
            yield made


@settings(max_examples=60)
@given(HISTORIES)
def test_what_was_counted_is_what_a_recount_gives(shared: Bench, history: list[Any]) -> None:
    """Whatever changed before and between refreshes: rows that are new, move to another day, or come to another end."""
    with shared.ledger.database.writing() as step:
        for table in COUNTED:
            step.execute(sa.delete(table))
    for what in [*history, "refresh"]:
        if what == "refresh":
            FillDays(shared.ledger.database).refresh(ACME)
        else:
            keep(shared, *what)

    assert ordered(read(shared)) == ordered(recount(shared))


def test_a_refresh_counts_the_days_that_changed_alone(at: Bench) -> None:
    """What stands for another day stays as it is, right or wrong."""
    days = FillDays(at.ledger.database)
    keep(at, row(1, 2), row(2, 3))
    days.refresh(ACME)
    with at.ledger.database.writing() as step:
        step.execute(sa.update(fill_days).values(sent=99))
    keep(at, row(3, 3))
    days.refresh(ACME)

    assert [(it.day.day, it.tally.sent) for it in sorted(read(at).days, key=repr)] == [(2, 99), (3, 2)]


def test_what_changes_while_a_day_is_counted_is_not_lost(at: Bench) -> None:
    """The day was marked already: the refresh waits for the change that is under way, and counts it."""
    keep(at, row(1))
    database = at.ledger.database
    refreshing = threading.Thread(target=lambda: FillDays(database).refresh(ACME))
    with database.writing() as step:
        lock_connection(database, step, ACME)
        mark_dirty(database, step, ACME, {"2026-03-02"})
        replace_rows(database, step, fillings, [{"connection": ACME, **row(2)}])
        refreshing.start()
        refreshing.join(0.2)
        assert refreshing.is_alive()
    refreshing.join()

    assert [it.tally.sent for it in read(at).days] == [2]


def test_a_refresh_may_count_a_few_days_at_a_time(at: Bench) -> None:
    """The oldest first; only when all are counted it is told that they are fresh."""
    days = FillDays(at.ledger.database)
    keep(at, *(row(number, number) for number in (2, 3, 4)))

    assert [days.refresh(ACME, most=2), days.refreshed_at(ACME), len(read(at).days)] == [False, None, 2]
    assert days.refresh(ACME, most=2)
    assert (len(read(at).days), at.rows(sa.select(fill_dirty))) == (3, [])
    assert days.refreshed_at(ACME) is not None


def test_a_connection_is_due_when_it_never_was_refreshed_and_a_day_later(at: Bench) -> None:
    """One without any field that is filled never is."""
    days = FillDays(at.ledger.database)
    assert days.due() == []
    keep(at, row(1))
    assert days.due() == [ACME]
    days.refresh(ACME)
    assert days.due() == []
    at.later(REFRESH_SECONDS)
    assert days.due() == [ACME]


def test_a_refresh_tells_when_it_began(at: Bench) -> None:
    """All that was there before is counted; what came meanwhile may be, or not."""
    before = at.ledger.now()
    FillDays(at.ledger.database).refresh(ACME)
    told = FillDays(at.ledger.database).refreshed_at(ACME)

    assert told is not None
    assert before <= told <= at.ledger.now()


def test_what_is_from_before_a_template_was_published_is_not_read(at: Bench) -> None:
    """Its other days are, and so are those of other templates."""
    role = ("people", "role")
    waits = {"outcome": "pending", "who": "Ada"}
    keep(at, row(1, 2), row(1, 2, role), row(2, 2, role, **waits))
    keep(at, row(3, 3), row(3, 3, role), row(4, 3, role, **waits))
    days = FillDays(at.ledger.database)
    days.refresh(ACME)

    counts = days.read(ACME, MARCH.first, MARCH, {**BEGINS, "people": dt.date(2026, 3, 3)})

    assert sorted((it.day.day, it.target[0]) for it in counts.days) == [(2, "deal"), (3, "deal"), (3, "people")]
    assert [it.number for it in counts.waiting] == [1]


def test_the_calls_of_a_field_are_found_the_newest_day_first(at: Bench) -> None:
    """Of these days, with this outcome and reason, and no more than asked for."""
    long: dict[str, Any] = {"outcome": "other", "reason": "too_long"}
    keep(at, row(1, 2, **long), row(2, 3, **long), row(3, 3, **long), row(4, 3), row(5, 4, **long))
    keep(at, row(6, 3, ("deal", "step"), **long), row(7, 3, outcome="other", reason="no_permission"))
    target = ("deal", "budget", "opportunity.Amount")
    days = (dt.date(2026, 3, 2), dt.date(2026, 3, 3))

    def found(*asked: Any) -> list[str]:
        return [it.call_id for it in FillDays(at.ledger.database).calls(ACME, target, Asked(days, *asked))]

    assert found("other", "too_long") == ["x:2", "x:3", "x:1"]
    assert found("other", "too_long", 2) == ["x:2", "x:3"]
    assert found() == ["x:2", "x:3", "x:4", "x:7", "x:1"]


def test_the_table_has_a_column_for_each_outcome() -> None:
    """None is left out of what is counted."""
    assert set(OUTCOMES) <= {column.name for column in fill_days.c}
    assert list(OUTCOMES) == [it.name for it in dataclasses.fields(Tally)]
