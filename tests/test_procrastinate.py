"""What is particular to the engine on Procrastinate: its jobs, its tables, and what may happen to them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engine_host import Host, calls, running, states, until

from connector_core import ConfigurationError, ConnectorError
from connector_core.engines import Engine, Limits, engine_for
from connector_core.ledger.ledger import Ledger

pytest.importorskip("procrastinate", reason="needs connector-core[postgres]")

from procrastinate.exceptions import ConnectorException
from procrastinate.schema import SchemaManager

from connector_core.engines.procrastinate import _on_exception, install

MIGRATIONS = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[Ledger]:
    """An empty ledger in PostgreSQL."""
    with Ledger(postgres_url) as opened:
        yield opened


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A platform with connections to CRMs in files."""
    return Host(tmp_path)


@pytest.fixture
def engine(ledger: Ledger, host: Host) -> Engine:
    """The engine that fits the ledger."""
    return engine_for(ledger, host.opening, limits=Limits(sweep_seconds=0.2), report=host.report)


def execute(ledger: Ledger, statement: str, **values: Any) -> None:
    with ledger.database.writing() as step:
        step.execute(sa.text(statement), values)


def rows(ledger: Ledger, statement: str = "select * from procrastinate_jobs") -> list[dict[str, Any]]:
    with ledger.database.reading() as step:
        return [dict(row) for row in step.execute(sa.text(statement)).mappings()]


def test_a_job_names_the_connection_alone(ledger: Ledger, engine: Engine) -> None:
    """Nothing of a call is in the queue, and nothing is locked but the place in it."""
    ledger.inbox.accept("acme", calls(3), wake=engine.wake)

    (job,) = rows(ledger)
    assert job["args"] == {"connection": "acme"}
    assert (job["queueing_lock"], job["lock"], job["scheduled_at"]) == ("pump:acme", None, None)


def test_one_job_waits_for_a_connection(ledger: Ledger, engine: Engine) -> None:
    """A second wake-up finds the first one waiting; the calls are accepted all the same."""
    for first in range(3):
        ledger.inbox.accept("acme", calls(1, first=first), wake=engine.wake)
    ledger.inbox.accept("other", calls(1), wake=engine.wake)
    engine.wake("acme")

    assert [job["args"]["connection"] for job in rows(ledger)] == ["acme", "other"]
    assert states(ledger, "acme")["due"] == 3


def test_a_wake_up_is_kept_with_the_calls_or_not_at_all(ledger: Ledger, engine: Engine) -> None:
    """The job is in the transaction that accepts."""

    def wake(name: str, step: sa.Connection) -> None:
        engine.wake(name, step)
        raise ConnectorError("failed")

    with pytest.raises(ConnectorError, match="failed"):
        ledger.inbox.accept("acme", calls(1), wake=wake)

    assert rows(ledger) == []


@pytest.mark.parametrize("what", ["function procrastinate_defer_jobs_v1", "table procrastinate_jobs cascade"])
def test_calls_are_accepted_though_nobody_can_be_woken(ledger: Ledger, engine: Engine, what: str) -> None:
    """A queue that is broken costs a wake-up, and no call."""
    execute(ledger, f"drop {what}")

    accepted = ledger.inbox.accept("acme", calls(2), wake=engine.wake)

    assert accepted.counts == {"new": 2}
    assert states(ledger, "acme")["due"] == 2


def test_a_name_may_be_long(ledger: Ledger, engine: Engine, host: Host) -> None:
    """The names of PostgreSQL's notifications are short; those of connections need not be."""
    name = "a-customer-with-a-name-" * 6
    ledger.inbox.accept(name, calls(1), wake=engine.wake)

    with running(engine):
        until(lambda: states(ledger, name)["written"] == 1)


def test_nothing_is_left_in_the_queue(ledger: Ledger, engine: Engine) -> None:
    """Jobs that are done are deleted: the ledger is the history."""
    with running(engine):
        ledger.inbox.accept("acme", calls(1), wake=engine.wake)
        until(lambda: states(ledger, "acme")["written"] == 1)
        until(lambda: rows(ledger) == [])

    assert rows(ledger, "select * from procrastinate_workers") == []


def test_the_job_of_a_worker_that_died_is_forgotten(ledger: Ledger, engine: Engine) -> None:
    """It holds up nothing, whether its worker is known still or not; the connection is woken by a job of its own."""
    ledger.inbox.accept("acme", calls(1), wake=engine.wake)
    dead = "insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 day')"
    execute(ledger, dead)
    execute(
        ledger,
        "update procrastinate_jobs set status = 'doing', worker_id = (select max(id) from procrastinate_workers)",
    )
    ledger.inbox.accept("acme", calls(1, first=1), wake=engine.wake)

    with running(engine):
        until(lambda: states(ledger, "acme")["written"] == 2)
        until(lambda: rows(ledger) == [])


def test_the_lease_of_a_worker_that_died_is_waited_for(postgres_url: str, host: Host) -> None:
    """Nobody works on a connection while the lease of another may last; then somebody does."""
    with Ledger(postgres_url, lease_seconds=2.0) as ledger:
        ledger.inbox.accept("acme", calls(1))
        hold = ledger.leases.take("acme", "one that dies")
        lease = hold.__enter__()
        assert lease
        lease.fence = -1  # from now on it can neither be extended nor be given back
        engine = engine_for(ledger, host.opening, limits=Limits(sweep_seconds=0.2), report=host.report)
        with running(engine):
            until(lambda: states(ledger, "acme")["written"] == 1)
        hold.__exit__(None, None, None)


def test_a_worker_outlives_the_loss_of_its_database_connections(ledger: Ledger, engine: Engine) -> None:
    """When the server ends all its connections, the engine goes on with new ones."""
    with running(engine):
        until(lambda: engine.health().swept_seconds_ago is not None)
        others = "pid <> pg_backend_pid() and datname = current_database()"
        execute(ledger, f"select pg_terminate_backend(pid) from pg_stat_activity where {others}")  # noqa: S608 - ours
        until(lambda: _accepted(ledger, engine))
        until(lambda: states(ledger, "acme")["written"] == 1)


def _accepted(ledger: Ledger, engine: Engine) -> bool:
    try:
        ledger.inbox.accept("acme", calls(1), wake=engine.wake)
    except ConnectorError:
        return False
    return True


def test_several_processes_may_install_at_once(ledger: Ledger) -> None:
    """Whoever comes second finds the tables there."""
    with ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(install, ledger.database) for _ in range(6)]:
            done.result()

    assert rows(ledger) == []


def test_tables_of_an_older_version_are_brought_up_to_date(ledger: Ledger, host: Host) -> None:
    """What came since is applied, in order, and the engine works on it."""
    older = MIGRATIONS[:-4]
    for script in older:
        with ledger.database.writing() as step:
            raw: Any = step.connection.driver_connection
            raw.execute(script.read_text(encoding="utf-8"))
    execute(ledger, f"comment on table procrastinate_jobs is 'connector: {older[-1].stem}'")

    engine = engine_for(ledger, host.opening, limits=Limits(sweep_seconds=0.2))

    said = "select obj_description(to_regclass('procrastinate_jobs'), 'pg_class') as said"
    assert rows(ledger, said) == [{"said": f"connector: {MIGRATIONS[-1].stem}"}]
    with running(engine):
        ledger.inbox.accept("acme", calls(1), wake=engine.wake)
        until(lambda: states(ledger, "acme")["written"] == 1)


def test_tables_of_a_newer_version_are_refused(ledger: Ledger) -> None:
    """They are left as they are, and the message says what to do."""
    install(ledger.database)
    execute(ledger, "comment on table procrastinate_jobs is 'connector: 99.00.00_01_pre_new'")

    with pytest.raises(ConfigurationError, match="install the newer one"):
        install(ledger.database)


def test_tables_of_another_application_are_refused(ledger: Ledger, host: Host) -> None:
    """Its workers would take our jobs: the ledger gets a schema of its own."""
    install(ledger.database)
    execute(ledger, "comment on table procrastinate_jobs is null")

    with pytest.raises(ConfigurationError, match="another application has Procrastinate's tables"):
        engine_for(ledger, host.opening)


def test_a_schema_of_ones_own(postgres_url: str, ledger: Ledger, host: Host) -> None:
    """With the schema in the ledger's address, the tables of both are in it, beside those of another application."""
    install(ledger.database)
    execute(ledger, "comment on table procrastinate_jobs is null")
    execute(ledger, "create schema own")

    with Ledger(f"{postgres_url}?options=-csearch_path%3Down") as own:
        engine = engine_for(own, host.opening, limits=Limits(sweep_seconds=0.2))
        with running(engine):
            own.inbox.accept("acme", calls(1), wake=engine.wake)
            until(lambda: states(own, "acme")["written"] == 1)

    where = "select schemaname from pg_tables where tablename in ('calls', 'procrastinate_jobs') order by 1"
    assert [row["schemaname"] for row in rows(ledger, where)] == ["own", "own", "public", "public"]


@pytest.mark.parametrize(("error", "told"), [(ConnectorException("away"), 0), (ValueError("a defect"), 1)])
def test_a_job_that_nobody_awaits_is_told_of_unless_the_database_was_away(
    error: Exception, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The engine says once itself that its database is away."""

    async def fail() -> None:
        raise error

    async def work() -> None:
        asyncio.get_running_loop().set_exception_handler(_on_exception)
        asyncio.ensure_future(fail())  # noqa: RUF006 - that nobody keeps it is what is tested
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(work())

    assert len(caplog.records) == told
