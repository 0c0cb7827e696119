"""The engine for many machines: Procrastinate, on the PostgreSQL that the ledger is in.

A job says no more than "look at this connection". At most one per connection waits in the queue; whose turn it is, the
ledger's lease decides, not a lock of the queue. A job whose worker died is thrown away: the sweep wakes its connection anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager

from connector_core.engines.port import Health, Open, Report
from connector_core.engines.pumps import Limits, Pumps
from connector_core.errors import ConfigurationError, ConnectorError
from connector_core.ledger.database import Database
from connector_core.ledger.ledger import Ledger

TASK = "connector.pump"
LOOK_SECONDS = 0.2
"""How often the loop looks whether it is to stop, or to sweep."""
POLL_SECONDS = 1.0
"""How often a worker looks for jobs unasked: it may miss a notification while it fetches another job."""
_WAITING = sa.text("select 1 from procrastinate_jobs where queueing_lock = :lock and status = 'todo'")
_OURS = "connector: "

_log = logging.getLogger(__name__)


class Procrastinate:
    """A worker of Procrastinate, and what wakes it; any number of processes on any number of machines."""

    def __init__(
        self, ledger: Ledger, opening: Open, *, limits: Limits | None = None, report: Report | None = None
    ) -> None:
        """Bring Procrastinate's tables up to date, and begin nothing yet; see :func:`connector_core.engines.engine_for`."""
        install(ledger.database)
        self._ledger = ledger
        self._limits = limits or Limits()
        self._pumps = Pumps(ledger, opening, self._limits, report)
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        # It only ever writes on connections of the ledger, so it never opens one.
        self._sender = App(connector=SyncPsycopgConnector())

    def wake(self, connection: str, step: sa.Connection | None = None) -> None:
        """Enqueue a job for the pump, in the transaction that made something due."""
        if step is None:
            with self._ledger.database.writing() as own:
                self.wake(connection, own)
            return
        lock = f"pump:{connection}"
        raw = step.connection.driver_connection
        job = self._sender.configure_task(TASK, queue=_queue(connection), queueing_lock=lock, connection=raw)
        try:
            # A job that is refused would spoil the whole transaction, and stand as an error in the server's log.
            with step.begin_nested():
                if step.execute(_WAITING, {"lock": lock}).first() is None:
                    job.defer(connection=connection)
        except AlreadyEnqueued:
            pass
        except (ProcrastinateException, sa.exc.DBAPIError) as error:
            # What was accepted counts more than who is told of it.
            _log.warning(
                "connection %s: not woken, so it waits for the next sweep (%s)", connection, type(error).__name__
            )

    def run(self) -> None:
        """Work until stopped; a worker that ends by itself, as it does when its database was away, is begun anew."""
        self._ended.clear()
        try:
            why: str | None = None
            while not self._stop.is_set():
                if self._pumps.sweep() is not None:  # a worker without its database only waits longer, and says so
                    if why is not None:
                        _log.warning("the worker ended (%s), and is begun anew", why)
                    why = self._work_until_it_ends()
                self._stop.wait(self._limits.sweep_seconds)
        finally:
            self._pumps.close()
            self._ended.set()

    def stop(self, grace_seconds: float = 0.0) -> bool:
        """Ask :meth:`run` to end, and wait for it."""
        self._stop.set()
        return self._ended.wait(grace_seconds)

    def health(self) -> Health:
        """Tell how the engine is."""
        return self._pumps.health(running=not self._ended.is_set() and not self._stop.is_set())

    def _work_until_it_ends(self) -> str:
        try:
            asyncio.run(self._work())
        except (ProcrastinateException, psycopg.Error) as error:
            return type(error).__name__
        return "of itself"

    async def _work(self) -> None:
        # One thread more than there are pumps, so that the sweep never waits for one of them.
        threads = ThreadPoolExecutor(self._limits.pumps + 1, thread_name_prefix="pump of")
        loop = asyncio.get_running_loop()
        loop.set_default_executor(threads)
        loop.set_exception_handler(_on_exception)
        url = self._ledger.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=4))
        app.task(name=TASK)(self._pump)
        names = self._limits.names
        queues: Any = names and [_queue(name) for name in names]  # None for all, which its annotations do not know
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=queues,
                    concurrency=self._limits.pumps,
                    fetch_job_polling_interval=POLL_SECONDS,
                    delete_jobs="always",
                    install_signal_handlers=False,
                )
            )
            try:
                await self._sweep_while(worker, app)
            finally:
                worker.cancel()
                with suppress(asyncio.CancelledError):
                    await worker

    async def _sweep_while(self, worker: asyncio.Task[None], app: App) -> None:
        next_sweep = time.monotonic()
        while not self._stop.is_set() and not worker.done():
            if time.monotonic() >= next_sweep:
                next_sweep = time.monotonic() + await asyncio.to_thread(self._sweep)
                await _forget_jobs_of_the_dead(app)
            await asyncio.wait({worker}, timeout=LOOK_SECONDS)

    def _sweep(self) -> float:
        """Wake every connection with something due that nobody works on; give the seconds until the next sweep."""
        agenda = self._pumps.sweep()
        if agenda is None:
            return self._limits.sweep_seconds
        for name in agenda.due:
            if name not in agenda.leased and self._limits.serves(name):
                with suppress(ConnectorError):  # the next sweep finds it
                    self.wake(name)
        return min(self._limits.sweep_seconds, agenda.next_in_seconds or self._limits.sweep_seconds)

    def _pump(self, connection: str) -> None:
        """Let a pump run for a while; whoever has more to do waits behind the others."""
        if self._pumps.run(connection, self._stop) and not self._stop.is_set():
            with suppress(ConnectorError):  # the sweep finds it
                self.wake(connection)


def _on_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out what nobody awaits when the database is away: the worker ends of it, and :meth:`run` tells that."""
    if not isinstance(context.get("exception"), ProcrastinateException | psycopg.Error):
        loop.default_exception_handler(context)


def _queue(connection: str) -> str:
    """Name a connection's queue: short, since PostgreSQL's notifications have names of 63 bytes at most."""
    return hashlib.sha256(connection.encode()).hexdigest()[:16]


async def _forget_jobs_of_the_dead(app: App) -> None:
    """Delete the jobs of workers that died: trying them again could only fail on a job that was enqueued since."""
    for job in await app.job_manager.get_stalled_jobs(task_name=TASK):
        if job.id is not None:
            with suppress(ProcrastinateException):  # another worker forgot it first
                await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)


def install(database: Database) -> None:
    """Bring Procrastinate's tables up to date, beside the ledger's; several processes may do so at once.

    :raises ConfigurationError: The tables belong to another application, or to a newer version.
    :raises TryAgainError: The database cannot be reached.
    """
    migrations = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    while _apply_next(database, migrations):
        pass


def _apply_next(database: Database, migrations: Sequence[Path]) -> bool:
    """Apply what comes next, in a transaction of its own, as an enum's new value may be used in a later one alone.

    Which migrations are in stands in the comment of the table of jobs.
    """
    with database.writing() as step:
        step.execute(sa.text("select pg_advisory_xact_lock(hashtext('connector engine'))"))
        there = step.execute(sa.text("select to_regclass('procrastinate_jobs')::oid")).scalar()
        said = step.execute(sa.text("select obj_description(:there, 'pg_class')"), {"there": there}).scalar() or ""
        before = said.removeprefix(_OURS)
        if there is None:
            script, name = SchemaManager.get_schema(), migrations[-1].stem
        elif not said.startswith(_OURS):
            raise ConfigurationError(
                f"ledger {database.name}: another application has Procrastinate's tables there. Give the ledger a schema"
                " of its own, with ?options=-csearch_path%3DNAME at the end of its address"
            )
        elif before > migrations[-1].stem:
            version = importlib.metadata.version("procrastinate")
            raise ConfigurationError(
                f"ledger {database.name}: was used with a newer Procrastinate than {version}: install the newer one"
            )
        elif (path := next((path for path in migrations if path.stem > before), None)) is None:
            return False
        else:
            script, name = path.read_text(encoding="utf-8"), path.stem
        raw: Any = step.connection.driver_connection
        raw.execute(script)
        step.execute(sa.text(f"comment on table procrastinate_jobs is '{_OURS}{name}'"))
        return True
