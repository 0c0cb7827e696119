"""Works on the calls of one connection whose fields are due, until none are."""

from __future__ import annotations

import datetime as dt
import logging
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from connector_core.config import OpenConnection
from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError, TryAgainError
from connector_core.filler.unit import Unit
from connector_core.ledger.fill_steps import Turn, Wrote
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.leases import Lease, LeaseLostError
from connector_core.ledger.ledger import Ledger
from connector_core.work import UNIT

POISONED_SECONDS = 3600.0
"""How long a call is left alone whose fields cannot be filled, for a defect or for how the connection is set up."""
RESTING_SECONDS = 15.0
"""How long calls are left alone when the CRM cannot be asked, and does not say for how long."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FillRun:
    """What a run did. ``busy``: a pump has the connection; ``more``: its time was over before it came to an end.

    ``trouble``: why some values could not be looked for; those calls are due again.
    """

    calls: int = 0
    busy: bool = False
    paused: str | None = None
    more: bool = False
    trouble: ConnectorError | None = None


class Filler:
    """Fills the fields of one connection's calls."""

    def __init__(
        self,
        ledger: Ledger,
        opened: OpenConnection,
        *,
        batch: int = UNIT,
        reached: Callable[[str], None] = lambda point: None,
    ) -> None:
        """Take nothing yet.

        :param reached: Hears the name of each point that a batch passes; for tests that stop the process there.
        """
        self._ledger = ledger
        self._opened = opened
        self._connection = opened.connection
        self._batch = batch
        self._reached = reached
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"

    def run(self, stop: threading.Event | None = None, *, for_seconds: float = math.inf) -> FillRun:
        """Work until nothing is due now, or ``stop`` is set.

        :raises CredentialsError: The CRM refuses the credentials; the connection is paused.
        :raises ConfigurationError: The plugin cannot fill fields, for example. Those calls are tried again much later.
        :raises TryAgainError: The CRM or the ledger cannot be reached. Nothing is lost.
        """
        if not self._due():
            return FillRun()
        timeout = self._connection.timeout_seconds
        with self._ledger.leases.take(self._connection.name, self._owner, at_least_seconds=2 * timeout) as lease:
            if lease is None:
                return FillRun(busy=True)
            meter = self._connection.info.meter
            paused = self._ledger.connections.start(lease, meter, settle_seconds=self._connection.settle_seconds)
            if paused is not None:
                return FillRun(paused=paused)
            meter.why_not_write = lambda: lease.why_not_write(timeout)
            try:
                return self._run(lease, stop or threading.Event(), time.monotonic() + for_seconds)
            except CredentialsError as error:
                self._ledger.connections.pause(lease, str(error))
                raise
            finally:
                meter.why_not_write = lambda: None

    def _due(self) -> list[FillJob]:
        backfill = self._connection.info.meter.why_not_spend(self._opened.quota_reserve) is None
        return self._ledger.fillings.due(self._connection.name, self._batch, backfill=backfill)

    def _run(self, lease: Lease, stop: threading.Event, until: float) -> FillRun:
        calls, trouble = 0, None
        while not stop.is_set() and (jobs := self._due()):
            if calls and time.monotonic() >= until:
                return FillRun(calls, more=True, trouble=trouble)
            published = self._ledger.templates.published(lease.connection)
            unit = Unit(self._ledger, self._opened, published, self._reached, until=until)
            self._fill(partial(unit.fill, lease), lease, jobs)
            trouble = trouble or unit.trouble
            calls += len(jobs)
        return FillRun(calls, trouble=trouble)

    def _fill(self, fill: Callable[[Sequence[FillJob]], None], lease: Lease, jobs: Sequence[FillJob]) -> None:
        """Fill the fields of a batch; where it fails for a reason of its own, of each half of it."""
        jobs = self._sure(lease, jobs)
        try:
            fill(jobs)
        except (LeaseLostError, CredentialsError):
            raise
        except (ConfigurationError, TryAgainError) as error:
            after = error.after_seconds if isinstance(error, TryAgainError) else POISONED_SECONDS
            with suppress(ConnectorError):  # they are due all the same
                self._put_off(lease, [Turn(job, again_seconds=after or RESTING_SECONDS) for job in jobs])
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails for one call keeps no other back
            if len(jobs) > 1:
                known = self._ledger.fillings.jobs(lease.connection, [job.call_id for job in jobs])
                again = [known[job.call_id] for job in jobs if job.call_id in known]  # with what was kept of them
                middle = len(jobs) // 2
                self._fill(fill, lease, again[:middle])
                self._fill(fill, lease, again[middle:])
                return
            _log.warning(
                "connection %s: the fields of a call fail by themselves (%s)", lease.connection, type(error).__name__
            )
            self._put_off(lease, [Turn(job, again_seconds=POISONED_SECONDS) for job in jobs])

    def _sure(self, lease: Lease, jobs: Sequence[FillJob]) -> Sequence[FillJob]:
        """Put off the calls of which something may still take effect that was sent and not answered; give the others.

        They are due before that where somebody decided about them meanwhile, or published a template.
        """
        settled = self._ledger.now() - dt.timedelta(seconds=self._connection.settle_seconds)
        left = {job.call_id: job.doubt_since - settled for job in jobs if job.doubt_since}
        early = {call_id: it.total_seconds() for call_id, it in left.items() if it > dt.timedelta()}
        if early:
            self._put_off(lease, [Turn(job, again_seconds=early[job.call_id]) for job in jobs if job.call_id in early])
        return [job for job in jobs if job.call_id not in early]

    def _put_off(self, lease: Lease, turns: Sequence[Turn]) -> None:
        self._ledger.fill_steps.begin(lease, turns, (), Wrote(), doubt_seconds=0.0)
