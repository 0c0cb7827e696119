"""The agenda: whose calls are due, on both databases."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine_host import calls

from connector_core.ledger.agenda import Agenda, read_agenda
from connector_core.ledger.fill_queue import hurry_fills, make_settled_due
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.schema import calls as rows

NOTHING = Agenda((), frozenset(), None)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger of each kind."""
    sqlite = request.param == "SQLite"
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else request.getfixturevalue("postgres_url")) as opened:
        yield opened


def test_nothing_accepted_nothing_due(ledger: Ledger) -> None:
    """An empty ledger has an empty agenda."""
    assert read_agenda(ledger.database) == NOTHING


def test_who_waited_longest_comes_first(ledger: Ledger) -> None:
    """Connections are in the order of their oldest due call, whatever else they hold."""
    now = dt.datetime.now(dt.UTC)
    for name, seconds in (("second", 20), ("first", 40), ("third", 5)):
        ledger.inbox.accept(name, calls(1, start=now - dt.timedelta(seconds=60)))
        with ledger.database.writing() as step:
            due_at = now - dt.timedelta(seconds=seconds)
            step.execute(rows.update().where(rows.c.connection == name).values(due_at=due_at))

    assert read_agenda(ledger.database) == Agenda(("first", "second", "third"), frozenset(), None)


def test_fields_that_were_made_due_just_now_wait_for_connections_that_waited_longer(ledger: Ledger) -> None:
    """Whose fields somebody decided about comes first among its own connection's, and not before other connections."""
    now = dt.datetime.now(dt.UTC)
    for name, seconds in (("decides", 0), ("waits", 30)):
        ledger.inbox.accept(name, calls(1, start=now - dt.timedelta(seconds=60)))
        with ledger.database.writing() as step:
            due_at = now - dt.timedelta(seconds=seconds)
            step.execute(rows.update().where(rows.c.connection == name).values(due_at=due_at))
            if name == "decides":
                hurry_fills(ledger.database, step, name, ["test:0"], now)

    assert read_agenda(ledger.database).due == ("waits", "decides")


def test_fields_that_nobody_waits_for_are_held_back_with_a_backfill(ledger: Ledger) -> None:
    """While the quota is kept for others, only fields that somebody decided about are due."""
    now = dt.datetime.now(dt.UTC)
    for name in ("waits", "acme"):
        ledger.inbox.accept(name, calls(1, start=now), delay_seconds=6000)
        with ledger.database.writing() as step:
            step.execute(rows.update().values(state="written"))
            make_settled_due(ledger.database, step, name, now - dt.timedelta(days=1), now)
        with ledger.leases.take(name, "somebody") as lease:
            assert lease
            ledger.connections.hold_back(lease, "the quota is spent", seconds=500)
    with ledger.database.writing() as step:
        hurry_fills(ledger.database, step, "acme", ["test:0"], now)

    assert read_agenda(ledger.database).due == ("acme",)
    assert not ledger.fillings.due("waits", 10, backfill=False)


def test_what_is_due_later_says_when(ledger: Ledger) -> None:
    """A call that is left alone for a while is not due; the time until then is told, of the earliest."""
    now = dt.datetime.now(dt.UTC)
    ledger.inbox.accept("acme", calls(1, start=now), delay_seconds=600)
    ledger.inbox.accept("later", calls(1, start=now), delay_seconds=6000)

    agenda = read_agenda(ledger.database)

    assert agenda.due == ()
    assert agenda.next_in_seconds is not None
    assert 500 < agenda.next_in_seconds <= 660


def test_a_backfill_that_is_held_back(ledger: Ledger) -> None:
    """While the quota is kept for others, its calls are due when that is over, and interactive ones at once."""
    for name in ("waits", "acme"):
        ledger.inbox.accept(name, calls(2), backfill=True)
        with ledger.leases.take(name, "somebody") as lease:
            assert lease
            ledger.connections.hold_back(lease, "the quota is spent", seconds=500)
    ledger.inbox.accept("acme", calls(1, first=7))

    agenda = read_agenda(ledger.database)

    assert agenda.due == ("acme",)
    assert agenda.next_in_seconds is not None
    assert 400 < agenda.next_in_seconds <= 500


def test_whoever_is_paused_is_not_on_it(ledger: Ledger) -> None:
    """A connection that stands still has nothing to do, now or later."""
    ledger.inbox.accept("acme", calls(1))
    with ledger.leases.take("acme", "somebody") as lease:
        assert lease
        ledger.connections.pause(lease, "the credentials are refused")

    assert read_agenda(ledger.database) == NOTHING


def test_who_has_a_lease_is_told(ledger: Ledger) -> None:
    """A pump that works on a connection is seen by others, until it lets go."""
    ledger.inbox.accept("acme", calls(1))

    with ledger.leases.take("acme", "somebody") as lease:
        assert lease
        assert read_agenda(ledger.database).leased == {"acme"}
    assert read_agenda(ledger.database).leased == set()


def test_what_is_settled_is_off_it(ledger: Ledger) -> None:
    """A call that was deleted at its provider is due no more."""
    ledger.inbox.accept("acme", calls(1))
    ledger.inbox.deleted("acme", "test:0")

    assert read_agenda(ledger.database) == NOTHING
