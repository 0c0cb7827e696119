"""The engine inside one process: threads, and nothing beside the ledger to install or to run."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import sqlalchemy as sa

from connector_core.engines.port import Health, Open, Report
from connector_core.engines.pumps import Limits, Pumps
from connector_core.ledger.ledger import Ledger


class Embedded:
    """Threads of this process. Several such processes on one ledger do no harm: a connection has one pump at a time."""

    def __init__(
        self, ledger: Ledger, opening: Open, *, limits: Limits | None = None, report: Report | None = None
    ) -> None:
        """Begin nothing yet; see :func:`connector_core.engines.engine_for`."""
        self._limits = limits or Limits()
        self._pumps = Pumps(ledger, opening, self._limits, report)
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._ended.set()
        self._changed = threading.Condition()
        # In the order of their coming: whoever had its slice waits behind the others.
        self._waiting: dict[str, None] = {}
        self._threads_busy = 0

    def wake(self, connection: str, step: sa.Connection | None = None) -> None:
        """Have the pump run now; it waits for ``step`` to end, which holds the connection's row."""
        if self._limits.serves(connection):
            with self._changed:
                self._waiting[connection] = None
                self._changed.notify()

    def run(self) -> None:
        """Work until stopped."""
        self._ended.clear()
        try:
            with ThreadPoolExecutor(self._limits.pumps, thread_name_prefix="pump of") as threads:
                while not self._stop.is_set():
                    next_sweep = time.monotonic() + self._sweep()
                    self._begin_until(next_sweep, threads)
        finally:
            self._pumps.close()
            self._ended.set()

    def stop(self, grace_seconds: float = 0.0) -> bool:
        """Ask :meth:`run` to end, and wait for it."""
        self._stop.set()
        with self._changed:
            self._changed.notify()
        return self._ended.wait(grace_seconds)

    def health(self) -> Health:
        """Tell how the engine is."""
        return self._pumps.health(running=not self._ended.is_set() and not self._stop.is_set())

    def _sweep(self) -> float:
        """Put what is due in the queue; give the seconds until the next sweep."""
        agenda = self._pumps.sweep()
        if agenda is None:
            return self._limits.sweep_seconds
        running = self._pumps.running()
        with self._changed:
            # The lease of another process does not count: it may be that of one that died.
            self._waiting |= {name: None for name in agenda.due if name not in running and self._limits.serves(name)}
        return min(self._limits.sweep_seconds, agenda.next_in_seconds or self._limits.sweep_seconds)

    def _begin_until(self, moment: float, threads: ThreadPoolExecutor) -> None:
        """Give threads to those that wait, until it is time for the next sweep."""
        with self._changed:
            while not self._stop.is_set() and (left := moment - time.monotonic()) > 0:
                while self._waiting and self._threads_busy < self._limits.pumps:
                    name = next(iter(self._waiting))
                    del self._waiting[name]
                    self._threads_busy += 1
                    threads.submit(self._pump, name)
                self._changed.wait(left)

    def _pump(self, name: str) -> None:
        more = False
        try:
            more = self._pumps.run(name, self._stop)
        finally:
            with self._changed:
                self._threads_busy -= 1
                if more:
                    self._waiting[name] = None
                self._changed.notify()
