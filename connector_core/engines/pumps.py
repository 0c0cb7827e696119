"""The pumps of one process: a connection is opened when it has something to do, and closed when it has not for a while."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from connector_core.config import OpenConnection
from connector_core.engines.port import Health, Open, Report
from connector_core.errors import ConnectorError, TryAgainError
from connector_core.feed import Feed
from connector_core.fetching import Fetching
from connector_core.filler import Filler, FillRun
from connector_core.ledger.agenda import Agenda, read_agenda
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.retention import AT_ONCE, Retention
from connector_core.pump import Pump, Ran
from connector_core.upkeep import Upkeep
from connector_core.work import UNIT

PRUNE_SECONDS = 86_400.0
"""How often old calls are looked for; while there are any, a few are pruned with every sweep."""

COUNT_SECONDS = 60.0
"""How often it is looked for whose outcomes are to be counted anew; while there are days left, a few with every sweep."""
DAYS_AT_ONCE = 20

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an engine does at once, and how often.

    ``names``: the connections to work on; None for all that the ledger holds. ``pumps``: connections at once. ``batch``:
    calls of one that are looked up and written together. ``slice_seconds``: how long a pump has its thread while others may
    wait. ``sweep_seconds``: how often the ledger is asked what is due, should a wake-up be lost. ``rest_seconds``: how long
    a connection is left alone after it failed. ``idle_seconds``: how long one stays open that has nothing to do.
    ``keep_days``: how long what settled calls said is kept, of all connections; None for as long as the ledger.
    """

    names: Collection[str] | None = None
    pumps: int = 8
    batch: int = UNIT
    slice_seconds: float = 10.0
    sweep_seconds: float = 3.0
    rest_seconds: float = 15.0
    idle_seconds: float = 300.0
    keep_days: float | None = None

    def serves(self, name: str) -> bool:
        """Tell whether a connection is one to work on."""
        return self.names is None or name in self.names


@dataclass(slots=True)
class _Held:
    """A connection that is open: ``again`` if it was woken while it ran."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    opened: OpenConnection | None = None
    pump: Pump | None = None
    filler: Filler | None = None
    feed: Feed | None = None
    fetching: Fetching | None = None
    upkeep: Upkeep | None = None
    again: bool = False
    rests_until: float = 0.0
    used_at: float = 0.0


class Pumps:
    """Runs pumps, one at a time for each connection."""

    def __init__(self, ledger: Ledger, opening: Open, limits: Limits, report: Report | None) -> None:
        """Open nothing yet."""
        self._ledger = ledger
        self._opening = opening
        self._limits = limits
        self._report: Report = report or (lambda name, ran: None)
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()
        self._prune_at = 0.0
        self._count_at = 0.0
        self._cut_off = False
        self._swept_at: float | None = None

    def run(self, name: str, stop: threading.Event) -> bool:
        """Let a connection's pump run for a while; tell whether there is more to do at once.

        Whatever fails is reported, and the connection rests; the ledger knows what is still to be done.
        """
        with self._lock:
            held = self._held.setdefault(name, _Held())
            held.again = not held.lock.acquire(blocking=False)
            if held.again:
                return False  # the run that is under way sees to it
        try:
            if time.monotonic() < held.rests_until:
                return False
            more = self._work(name, held, stop)
            # However the calls fare: subscriptions end in their own time.
            more = self._read(name, held.upkeep) or more
            held.used_at = time.monotonic()
        finally:
            with self._lock:
                again = held.again
                held.lock.release()
        return more or again

    def _work(self, name: str, held: _Held, stop: threading.Event) -> bool:
        try:
            if held.pump is None:
                held.opened = self._opening(name)
                held.pump = Pump(self._ledger, held.opened, batch=self._limits.batch)
                held.filler = Filler(self._ledger, held.opened, batch=self._limits.batch)
                held.feed = Feed(self._ledger, held.opened)
                held.fetching = Fetching(self._ledger, held.opened)
                held.upkeep = Upkeep(self._ledger, held.opened)
            self._read(name, held.feed)
            ran = held.pump.run(stop, for_seconds=self._limits.slice_seconds)
        except ConnectorError as error:
            after = error.after_seconds if isinstance(error, TryAgainError) else None
            self._failed(name, held, error, after or self._limits.rest_seconds)
            return False
        except Exception as error:  # noqa: BLE001 - whatever fails for one connection keeps no other back
            _log.exception("connection %s: its pump failed", name)
            self._failed(name, held, _defect(name, error), self._limits.rest_seconds)
            return False
        self._tell(name, ran)
        # What calls said already goes first: what is announced of them is read slowly, at the provider's pace.
        read = self._read(name, held.fetching)
        filling = not (ran.busy or ran.paused) and self._fill(name, held.filler, stop)
        return (ran.more or read or filling) and not ran.busy

    def _fill(self, name: str, filler: Filler | None, stop: threading.Event) -> bool:
        """Fill the fields of calls that settled, which keeps no call back; tell whether there is more to do at once."""
        try:
            ran = filler.run(stop, for_seconds=self._limits.slice_seconds) if filler is not None else FillRun()
        except ConnectorError as error:
            self._tell(name, error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever fails here keeps no call of any connection back
            _log.exception("connection %s: its filling failed", name)
            self._tell(name, _defect(name, error))
            return False
        if ran.trouble is not None:
            self._tell(name, ran.trouble)
        return ran.more

    def _read(self, name: str, reader: Fetching | Feed | Upkeep | None) -> bool:
        """Do what is due beside the calls, if it is time to; tell whether there was anything.

        That it fails keeps no call back, and is tried the next time.
        """
        try:
            return reader is not None and bool(reader.read())
        except ConnectorError as error:
            self._tell(name, error)
        except Exception as error:  # noqa: BLE001 - likewise; and in a thread of a pump nobody else would hear of it
            _log.exception("connection %s: reading failed", name)
            self._tell(name, _defect(name, error))
        return False

    def _failed(self, name: str, held: _Held, error: ConnectorError, rest_seconds: float) -> None:
        held.rests_until = time.monotonic() + rest_seconds
        self._tell(name, error)
        if held.pump is None:
            self._close(name, held)

    def _tell(self, name: str, what: Ran | ConnectorError) -> None:
        try:
            self._report(name, what)
        except Exception:  # noqa: BLE001 - whatever the host's report raises, the pumps go on
            _log.exception("connection %s: the report of a run failed; nothing else changes", name)

    def running(self) -> tuple[str, ...]:
        """Name the connections that are worked on this moment."""
        with self._lock:
            return tuple(name for name, held in self._held.items() if held.lock.locked())

    def sweep(self) -> Agenda | None:
        """Tell what there is to do; None where the ledger cannot be reached, which is told once, until it is again."""
        self._close_idle()
        try:
            agenda = read_agenda(self._ledger.database)
        except ConnectorError as error:
            if not self._cut_off:
                _log.warning("waiting for the ledger: %s", error)
            self._cut_off = True
            return None
        if self._cut_off:
            _log.warning("the ledger can be reached again")
        self._cut_off = False
        self.prune()
        self.count()
        self._swept_at = time.monotonic()
        return agenda

    def health(self, *, running: bool) -> Health:
        """Tell how the engine is that these are of."""
        swept = None if self._swept_at is None else time.monotonic() - self._swept_at
        return Health(running, self.running(), swept)

    def prune(self) -> None:
        """Forget what some of the calls said that settled long ago, if it is time to."""
        if self._limits.keep_days is None or time.monotonic() < self._prune_at:
            return
        try:
            pruned = Retention(self._ledger.database).prune(self._limits.keep_days, most=AT_ONCE)
        except ConnectorError as error:
            _log.warning("old calls could not be pruned: %s", error)
            return
        if pruned < AT_ONCE:
            self._prune_at = time.monotonic() + PRUNE_SECONDS

    def count(self) -> None:
        """Count the outcomes of the filling anew, of the connections whose count is a day old."""
        if time.monotonic() < self._count_at:
            return
        days = self._ledger.fill_days
        try:
            finished = [days.refresh(name, most=DAYS_AT_ONCE) for name in days.due() if self._limits.serves(name)]
        except ConnectorError as error:
            _log.warning("the outcomes of the filling could not be counted: %s", error)
            return
        if all(finished):
            self._count_at = time.monotonic() + COUNT_SECONDS

    def _close_idle(self) -> None:
        """Close the connections that had nothing to do for a while."""
        since = time.monotonic() - self._limits.idle_seconds
        self._close_all(lambda held: max(held.used_at, held.rests_until) < since)

    def close(self) -> None:
        """Close all connections that nothing runs on."""
        self._close_all(lambda held: True)

    def _close_all(self, wanted: Callable[[_Held], bool]) -> None:
        with self._lock:
            chosen = [(name, held) for name, held in self._held.items() if not held.lock.locked() and wanted(held)]
            for name, _ in chosen:
                del self._held[name]
        for name, held in chosen:
            self._close(name, held)

    def _close(self, name: str, held: _Held) -> None:
        opened, held.opened, held.pump = held.opened, None, None
        held.feed, held.fetching, held.upkeep = None, None, None
        if opened is not None:
            with suppress(ConnectorError):
                opened.close()
            _log.debug("connection %s: closed", name)


def _defect(name: str, error: Exception) -> ConnectorError:
    return ConnectorError(f"connection {name}: unexpected {type(error).__name__}, a defect")
