"""One pump per connection at a time, however many processes run.

In PostgreSQL a lease by the database's clock, with a fence that grows with every owner. In SQLite, where all processes share
one machine, a lock of the operating system beside it: it is let go of the moment that its process dies, so that the next one
need not wait for the lease to end.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from connector_core.errors import ConnectorError, TryAgainError
from connector_core.ledger.database import Database
from connector_core.ledger.schema import connections

LEASE_SECONDS = 60.0
_AWAKE_OR_NOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""The clock that goes on while the machine sleeps, as the database's does: Linux's other one stands still, see
clock_gettime(2).
"""
LONGEST = dt.timedelta(hours=1)
"""No lease is longer: plugins bound their time-outs to minutes."""


def _passed() -> float:
    return time.clock_gettime(_AWAKE_OR_NOT)


class LeaseLostError(ConnectorError):
    """Another pump works on this connection by now: nothing of this step was kept, and nothing more may be sent."""


@dataclass(slots=True)
class Lease:
    """The right to work on one connection, for a while. ``fence`` is higher than that of every owner before."""

    connection: str
    owner: str
    fence: int
    seconds: float
    clock: Callable[[], float] = _passed
    _until: float = 0.0
    _lost: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def outlasts(self, seconds: float) -> bool:
        """Tell whether the lease surely lasts that much longer, by this process's own clock."""
        return not self._lost and self.clock() + seconds < self._until

    def why_not_write(self, seconds: float) -> str | None:
        """Say why nothing is sent that may take so long: another owner would take it for not sent, or writes meanwhile."""
        return None if self.outlasts(seconds) else "the lease of this connection was about to end"

    def extended(self, since: float) -> None:
        """Note that the lease was extended by a step that began at ``since``, by this process's own clock."""
        with self._lock:
            self._until = max(self._until, since + self.seconds)

    def lost(self) -> None:
        """Note that another owner took over, whatever this process's clock says."""
        self._lost = True


class Leases:
    """Takes, extends and lets go of leases."""

    def __init__(
        self, database: Database, *, seconds: float = LEASE_SECONDS, clock: Callable[[], float] = _passed
    ) -> None:
        """Take none yet."""
        self.seconds = seconds
        self._database = database
        self._clock = clock

    @contextmanager
    def take(self, connection: str, owner: str, *, at_least_seconds: float = 0.0) -> Iterator[Lease | None]:
        """Take the lease, and let go of it in the end; None where another one has it.

        :param at_least_seconds: Make it no shorter: one that a request's time-out outlasts lets nothing be created.
        """
        with self._alone(connection) as alone:
            lease = self._take(connection, owner, max(self.seconds, at_least_seconds)) if alone else None
            if lease is None:
                yield None
                return
            stop = threading.Event()
            keeper = threading.Thread(target=self._keep, args=(lease, stop), name=f"lease {connection}", daemon=True)
            keeper.start()
            try:
                yield lease
            finally:
                stop.set()
                keeper.join()
                with suppress(ConnectorError):  # it ends by itself
                    self._let_go(lease)

    @contextmanager
    def step(self, lease: Lease) -> Iterator[sa.Connection]:
        """Write in one transaction, if it is this owner's to write; once it is kept, the lease is extended.

        :raises LeaseLostError: Another owner took over.
        :raises TryAgainError: As :meth:`Database.writing`.
        """
        since = self._clock()
        table = connections.c
        with self._database.writing() as step:
            statement = (
                sa.update(connections)
                .where(table.name == lease.connection, table.fence == lease.fence)
                .values(lease_until=self._database.now(step) + dt.timedelta(seconds=lease.seconds))
            )
            if step.execute(statement).rowcount != 1:
                lease.lost()
                raise LeaseLostError(f"connection {lease.connection}: another pump took over")
            yield step
        lease.extended(since)

    def _take(self, connection: str, owner: str, seconds: float) -> Lease | None:
        since = self._clock()
        with self._database.writing() as step:
            row = lock_connection(self._database, step, connection)
            now = self._database.now(step)
            # One that ends later than any lease could was made by a clock that was set back since.
            if not self._database.is_sqlite and row.lease_until and now < row.lease_until <= now + LONGEST:
                return None
            until = now + dt.timedelta(seconds=seconds)
            values = {"fence": row.fence + 1, "owner": owner, "lease_until": until}
            step.execute(sa.update(connections).where(connections.c.name == connection).values(values))
        lease = Lease(connection, owner, row.fence + 1, seconds, self._clock)
        lease.extended(since)
        return lease

    def _keep(self, lease: Lease, stop: threading.Event) -> None:
        while not stop.wait(lease.seconds / 4):
            try:
                with self.step(lease):
                    pass
            except LeaseLostError:
                return
            except ConnectorError:
                continue  # it may be reached the next time, before the lease ends

    def _let_go(self, lease: Lease) -> None:
        with self._database.writing() as step:
            table = connections.c
            mine = (table.name == lease.connection, table.fence == lease.fence)
            step.execute(sa.update(connections).where(*mine).values(owner=None, lease_until=None))

    @contextmanager
    def _alone(self, connection: str) -> Iterator[bool]:
        """Take the operating system's lock, where one machine has it all."""
        if self._database.path is None:
            yield True
            return
        lock = _lock_file(self._database.path, connection)
        try:
            lock.parent.mkdir(exist_ok=True)
            handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unlockable(self._database, error) from error
        try:
            yield _locked(handle, self._database)
        finally:
            os.close(handle)


def _locked(handle: int, database: Database) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # a file system without locks, or whose server of locks is away
        raise _unlockable(database, error) from error
    return True


def _unlockable(database: Database, error: OSError) -> TryAgainError:
    return TryAgainError(f"ledger {database.name}: cannot be locked: {error.strerror}")


def surely_let_go(database: Database, connection: str) -> bool:
    """Tell whether nobody works on a connection though its lease lasts, as whoever had it died.

    Only SQLite's machine can tell. While this looks, for a moment, a pump that begins finds the connection busy.
    """
    if database.path is None:
        return False
    try:
        with _lock_file(database.path, connection).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return True
    except OSError:  # it is held, or cannot be looked at
        return False
    return True


def _lock_file(ledger: Path, connection: str) -> Path:
    """Give the file of a connection: short, whatever its name, as a file system's names are of 255 bytes at most."""
    return ledger.with_name(f"{ledger.name}.locks") / hashlib.sha256(connection.encode()).hexdigest()[:32]


def lock_connection(database: Database, step: sa.Connection, name: str) -> sa.Row[tuple[object, ...]]:
    """Give a connection's row, made where there is none, and keep others from changing it until the step ends."""
    step.execute(database.insert(connections).values(name=name).on_conflict_do_nothing())
    return step.execute(sa.select(connections).where(connections.c.name == name).with_for_update()).one()
