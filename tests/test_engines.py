"""What every engine keeps, asked of each: threads on SQLite, threads on PostgreSQL, Procrastinate."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engine_host import PATIENCE_SECONDS, Host, calls, running, states, until

from connector_core import ConnectorError
from connector_core.engines import Engine, Limits, engine_for
from connector_core.engines.embedded import Embedded
from connector_core.ledger.ledger import Ledger
from connector_core.upkeep import Upkeep

NEVER = 3600.0

Make = Callable[..., Engine]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A platform with connections to CRMs in files."""
    return Host(tmp_path)


@pytest.fixture(params=["threads on SQLite", "threads on PostgreSQL", "Procrastinate"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which engine."""
    return str(request.param)


@pytest.fixture
def ledger(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """An empty ledger."""
    sqlite = kind == "threads on SQLite"
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else request.getfixturevalue("postgres_url")
    with Ledger(url) as opened:
        yield opened


@pytest.fixture
def make(kind: str, ledger: Ledger, host: Host) -> Make:
    """Make an engine of that kind; by default it sweeps often."""

    def made(**limits: Any) -> Engine:
        kept = Limits(**{"sweep_seconds": 0.2, **limits})
        if kind == "Procrastinate":
            return engine_for(ledger, host.opening, limits=kept, report=host.report)
        return Embedded(ledger, host.opening, limits=kept, report=host.report)

    return made


def test_what_was_accepted_before_is_worked_on(make: Make, ledger: Ledger, host: Host) -> None:
    """An engine that begins finds what is due, of all connections."""
    for name in ("one", "two"):
        ledger.inbox.accept(name, calls(3))

    with running(make(sweep_seconds=NEVER)):
        until(lambda: states(ledger, "one")["written"] == states(ledger, "two")["written"] == 3)

    assert host.written("one") == host.written("two") == ["test:0", "test:1", "test:2"]


def test_a_wake_up_needs_no_sweep(make: Make, ledger: Ledger, host: Host) -> None:
    """What is accepted with a wake-up is worked on though the next sweep is far."""
    engine = make(sweep_seconds=NEVER)
    with running(engine):
        until(lambda: engine.health().swept_seconds_ago is not None)
        ledger.inbox.accept("acme", calls(2), wake=engine.wake)
        until(lambda: states(ledger, "acme")["written"] == 2)


def test_a_wake_up_without_a_transaction(make: Make, ledger: Ledger, host: Host) -> None:
    """A connection may also be woken afterwards."""
    engine = make(sweep_seconds=NEVER)
    with running(engine):
        until(lambda: engine.health().swept_seconds_ago is not None)
        ledger.inbox.accept("acme", calls(2))
        engine.wake("acme")
        until(lambda: states(ledger, "acme")["written"] == 2)


def test_a_lost_wake_up_does_no_harm(make: Make, ledger: Ledger) -> None:
    """What nobody woke is found by the sweep."""
    engine = make()
    with running(engine):
        until(lambda: engine.health().swept_seconds_ago is not None)
        ledger.inbox.accept("acme", calls(2))
        until(lambda: states(ledger, "acme")["written"] == 2)


def test_many_wake_ups_write_once(make: Make, ledger: Ledger, host: Host) -> None:
    """However often a connection is woken while it is worked on, each call is written once."""
    engine = make()
    with running(engine):
        for first in range(20):
            ledger.inbox.accept("acme", calls(1, first=first), wake=engine.wake)
            engine.wake("acme")
        until(lambda: states(ledger, "acme")["written"] == 20)

    assert len(host.written("acme")) == 20


def test_what_is_not_kept_wakes_nobody(make: Make, ledger: Ledger, host: Host) -> None:
    """An acceptance that fails after its wake-up leaves nothing, and the next one is worked on."""
    engine = make()

    def wake(name: str, step: sa.Connection) -> None:
        engine.wake(name, step)
        raise ConnectorError("failed")

    with running(engine):
        with pytest.raises(ConnectorError, match="failed"):
            ledger.inbox.accept("acme", calls(2), wake=wake)
        ledger.inbox.accept("acme", calls(1, first=5), wake=engine.wake)
        until(lambda: states(ledger, "acme")["written"] == 1)

    assert host.written("acme") == ["test:5"]


def test_a_call_is_worked_on_when_it_is_due(make: Make, ledger: Ledger) -> None:
    """The engine sleeps no longer than until the next call is due, though the next sweep is far."""
    just_now = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=60)
    ledger.inbox.accept("acme", calls(1, start=just_now), delay_seconds=2.0)

    with running(make(sweep_seconds=NEVER)):
        until(lambda: states(ledger, "acme")["written"] == 1)


def test_one_that_fails_keeps_no_other_back(make: Make, ledger: Ledger, host: Host) -> None:
    """A connection that cannot be opened, or whose opening is defective, is told of; the others go on."""
    host.broken, host.defective = {"broken"}, {"defective"}
    for name in ("broken", "defective", "acme"):
        ledger.inbox.accept(name, calls(1))

    with running(make()):
        until(lambda: states(ledger, "acme")["written"] == 1)
        until(lambda: {"broken", "defective"} <= {name for name, _ in host.reports})

    told = {name: str(error) for name, error in host.reports if isinstance(error, ConnectorError)}
    assert told == {
        "broken": "connection broken: cannot be opened",
        "defective": "connection defective: unexpected KeyError, a defect",
    }
    assert states(ledger, "broken")["due"] == states(ledger, "defective")["due"] == 1


def test_a_defect_beside_the_calls_is_told_of(
    make: Make, ledger: Ledger, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It keeps no call back, and does not end in a thread that nobody listens to."""
    monkeypatch.setattr(Upkeep, "read", lambda _: {}["missing"])
    ledger.inbox.accept("acme", calls(1))
    told = "connection acme: unexpected KeyError, a defect"

    with running(make()):
        until(lambda: states(ledger, "acme")["written"] == 1)
        until(lambda: ("acme", told) in {(name, str(it)) for name, it in host.reports})


def test_one_that_was_mended_goes_on(make: Make, ledger: Ledger, host: Host) -> None:
    """A connection that failed is tried again after its rest."""
    host.broken = {"acme"}
    ledger.inbox.accept("acme", calls(1))

    with running(make(rest_seconds=0.1)):
        until(lambda: bool(host.reports))
        host.broken = set()
        until(lambda: states(ledger, "acme")["written"] == 1)


def test_one_that_is_paused_is_left_alone(make: Make, ledger: Ledger, host: Host) -> None:
    """Nothing is opened for a connection that stands still."""
    for name in ("paused", "acme"):
        ledger.inbox.accept(name, calls(1))
    with ledger.leases.take("paused", "somebody") as lease:
        assert lease
        ledger.connections.pause(lease, "the credentials are refused")

    with running(make()):
        until(lambda: states(ledger, "acme")["written"] == 1)

    assert set(host.open) == {"acme"}


def test_only_the_named_connections(make: Make, ledger: Ledger, host: Host) -> None:
    """An engine with names leaves the other connections to others."""
    engine = make(names=["acme"])
    for name in ("other", "acme"):
        ledger.inbox.accept(name, calls(1), wake=engine.wake)

    with running(engine):
        until(lambda: states(ledger, "acme")["written"] == 1)

    assert set(host.open) == {"acme"}
    assert states(ledger, "other")["due"] == 1


def test_a_large_backlog_starves_nobody(make: Make, ledger: Ledger, host: Host) -> None:
    """With one thread for all, the small ones have their turn before the large one is through."""
    ledger.inbox.accept("large", calls(24))
    for i in range(8):
        ledger.inbox.accept(f"small-{i}", calls(1))

    with running(make(pumps=1, batch=2, slice_seconds=0.0)):
        until(lambda: states(ledger, "large")["written"] == 24)
        until(lambda: all(states(ledger, f"small-{i}")["written"] for i in range(8)))

    ran = [name for name, _ in host.reports]
    last = len(ran) - ran[::-1].index("large")
    assert {name for name in ran[:last] if name.startswith("small")} == {f"small-{i}" for i in range(8)}


def test_connections_side_by_side(make: Make, ledger: Ledger, host: Host) -> None:
    """One connection that stands still does not hold up another."""
    host.gate.clear()
    engine = make()
    with running(engine):
        for name in ("one", "two"):
            ledger.inbox.accept(name, calls(1), wake=engine.wake)
        until(lambda: set(engine.health().pumping) == {"one", "two"})
        host.gate.set()


def test_stopping_ends_what_is_under_way(make: Make, ledger: Ledger, host: Host) -> None:
    """A batch that is under way comes to its end, nothing new is claimed, and the next engine does the rest."""
    ledger.inbox.accept("acme", calls(40))
    host.gate.clear()
    engine = make(batch=5)
    thread = threading.Thread(target=engine.run)
    thread.start()
    assert host.reached.wait(PATIENCE_SECONDS)

    assert not engine.stop(0.0)
    host.gate.set()
    assert engine.stop(PATIENCE_SECONDS)
    thread.join()

    standing = states(ledger, "acme")
    assert 0 < standing["written"] < 40
    assert standing["written"] + standing["due"] == 40
    with running(make()):
        until(lambda: states(ledger, "acme")["written"] == 40)
    assert host.written("acme") == sorted(f"test:{i}" for i in range(40))


def test_two_engines_do_no_harm(make: Make, ledger: Ledger, host: Host) -> None:
    """Two engines on one ledger write each call once."""
    one, two = make(batch=5, slice_seconds=0.0), make(batch=5, slice_seconds=0.0)
    with running(one), running(two):
        for first in range(0, 100, 10):
            ledger.inbox.accept("acme", calls(10, first=first), wake=(one if first % 20 else two).wake)
        until(lambda: states(ledger, "acme")["written"] == 100)

    assert host.written("acme") == sorted(f"test:{i}" for i in range(100))


def test_every_connection_is_closed_in_the_end(make: Make, ledger: Ledger, host: Host) -> None:
    """What was opened is kept open while the engine runs, and closed when it stops."""
    engine = make()
    with running(engine):
        for first in range(3):
            ledger.inbox.accept("acme", calls(1, first=first), wake=engine.wake)
            until(lambda first=first: states(ledger, "acme")["written"] == first + 1)
        assert (host.open["acme"], host.closed["acme"]) == (1, 0)

    assert (host.open["acme"], host.closed["acme"]) == (1, 1)


def test_an_idle_connection_is_closed(make: Make, ledger: Ledger, host: Host) -> None:
    """A connection with nothing to do is closed after a while, and opened anew when it has."""
    engine = make(idle_seconds=0.1)
    with running(engine):
        ledger.inbox.accept("acme", calls(1), wake=engine.wake)
        until(lambda: host.closed["acme"] == 1)
        ledger.inbox.accept("acme", calls(1, first=1), wake=engine.wake)
        until(lambda: states(ledger, "acme")["written"] == 2)

    assert host.open["acme"] == host.closed["acme"] >= 2  # more, where a sweep looks once more after it was closed


def test_a_ledger_that_is_away_is_told_of_once(tmp_path: Path, host: Host, caplog: pytest.LogCaptureFixture) -> None:
    """However often it is looked for; and once more when it is there again, and the work goes on."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        looked: list[str] = []
        sa.event.listen(ledger.database.engine, "before_cursor_execute", lambda *given: looked.append(given[2]))
        ledger.inbox.accept("acme", calls(1))
        with ledger.database.writing() as step:
            step.execute(sa.text("alter table connections rename to away"))
        with running(engine_for(ledger, host.opening, limits=Limits(sweep_seconds=0.05))):
            until(lambda: sum("connections" in statement for statement in looked) > 5)
            with ledger.database.writing() as step:
                step.execute(sa.text("alter table away rename to connections"))
            until(lambda: states(ledger, "acme")["written"] == 1)

    away, back = (record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING)
    assert away.startswith("waiting for the ledger: ledger sqlite:///")
    assert back == "the ledger can be reached again"


def test_how_an_engine_is(make: Make, ledger: Ledger) -> None:
    """It runs between its start and its stop, and says when it last saw the whole agenda."""
    engine = make()
    assert not engine.health().running
    with running(engine):
        until(lambda: engine.health().swept_seconds_ago is not None)
        assert engine.health().running
        assert engine.health().pumping == ()
    assert not engine.health().running


def test_an_engine_that_was_stopped_does_not_begin(make: Make) -> None:
    """Stopping one that does not run yet keeps it from running."""
    engine = make()
    assert engine.stop()
    engine.run()
    assert not engine.health().running


def test_the_engine_follows_the_ledger(tmp_path: Path, host: Host) -> None:
    """On SQLite it is the one inside the process."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        assert isinstance(engine_for(ledger, host.opening), Embedded)
