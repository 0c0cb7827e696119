"""Backfill: hundreds of thousands of calls of the past, read as a stream and worked on behind whatever is interactive.

Nothing is remembered of the calls but counts, and which of them are worked on as interactive ones: which are known, and how
they stand, the ledger tells. So a run that was killed goes on where it stopped when the same calls are given again, and what
was done costs no request.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError
from connector_core.filler import Filler
from connector_core.ledger.calls import Behind, Standing
from connector_core.ledger.connections import HELD_BACK_SECONDS
from connector_core.ledger.inbox import Verdict
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.progress import STATE_OF, Step
from connector_core.lookup import KnownPeople
from connector_core.model import Call
from connector_core.pump import Pump, Ran

BATCH = 1000
"""Calls that are looked up and written together: what a look-up costs whatever its size is spread over more of them."""
IN_FLIGHT = 6
"""Batches at once: while some wait for answers, others are worked on. With as many calls due, no more are accepted."""
LOOK_SECONDS = 1.0
"""How often it is looked whether another process that works on the connection has come to an end."""
PATIENT_SECONDS = 900.0
"""How long calls are waited for that are due later: what was not answered has settled by then."""

End: TypeAlias = Literal["done", "stopped", "held_back", "paused", "later"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a backfill ended, and why.

    ``done``: every call settled, or waits for a person. ``stopped``: from outside. ``held_back``: the rest of the quota is
    reserved. ``paused``: the connection stands still until somebody acts. ``later``: some calls are due later than one
    waits for.
    """

    how: End
    reason: str | None = None


@dataclass(slots=True)
class Tally:
    """What happened so far: calls accepted, by what they were to the ledger, and outcomes, some of them of earlier calls.

    A call that is put off, since it could not be asked for or was not answered, has come to no outcome yet.
    """

    accepted: Counter[Verdict] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def heard(self, steps: Sequence[Step]) -> None:
        """Count what calls came to."""
        with self._lock:
            self.outcomes.update(step.outcome for step in steps if step.outcome and STATE_OF[step.outcome] != "due")

    @property
    def settled(self) -> int:
        """How many calls came to an outcome."""
        with self._lock:
            return self.outcomes.total()


class Backfill:
    """One run over a stream of calls. ``trouble``: why some fields are filled later."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, calls: Iterator[Call], *, batch: int = BATCH) -> None:
        """Read nothing yet.

        :param calls: In any order; of two with one id the later one counts.
        :raises ConfigurationError: The connection cannot serve its settings.
        """
        self.tally = Tally()
        self.exhausted = False
        self.trouble: ConnectorError | None = None
        self._ledger = ledger
        self._name = opened.connection.name
        self._calls = calls
        self._batch = batch
        self._pump = Pump(ledger, opened, batch=batch, in_flight=IN_FLIGHT, known=KnownPeople(), heard=self.tally.heard)
        self._filler = Filler(ledger, opened, batch=batch)
        self._stop = threading.Event()
        self._beside: set[str] = set()

    @property
    def behind(self) -> Behind:
        """How many of its calls are due, with those of other backfills."""
        return self._ledger.calls.behind(self._name, self._beside)

    def unsettled(self) -> Iterator[Standing]:
        """Give its calls that wait for a person, or are due once more, with those of other backfills."""
        return self._ledger.calls.unsettled(self._name, self._beside)

    def stop(self) -> None:
        """Ask :meth:`run` to end; batches under way are brought to their end."""
        self._stop.set()

    def run(self, *, wait_for_quota: bool = False) -> Ended:
        """Accept all calls and work on them.

        :param wait_for_quota: Go on by itself when quota is left again.
        :raises TryAgainError: The ledger cannot be reached. What was accepted is known, and done later.
        """
        while True:
            ran = self._pump.run(self._stop, feed=self._feed)
            if self._stop.is_set():
                return Ended("stopped")
            if ran.paused is not None:
                return Ended("paused", ran.paused)
            ended, seconds = self._next(ran, wait_for_quota=wait_for_quota)
            if ended is not None:
                self._fill()
                return ended
            self._stop.wait(seconds)

    def _fill(self) -> None:
        """Fill fields from what was written; what keeps it from that undoes nothing, and those calls are due later."""
        try:
            self.trouble = self._filler.run(self._stop).trouble
        except ConnectorError as error:
            self.trouble = error

    def _next(self, ran: Ran, *, wait_for_quota: bool) -> tuple[Ended | None, float]:
        """Tell how it ended, or how long to wait before the next run."""
        if ran.busy:
            if not self._feed() and self.behind.number == 0:
                return Ended("done"), 0
            return None, LOOK_SECONDS
        behind = self.behind
        if ran.held_back is not None and not (self.exhausted and behind.number == 0):
            return (None, HELD_BACK_SECONDS) if wait_for_quota else (Ended("held_back", ran.held_back), 0)
        if behind.first_in_seconds is None:
            return Ended("done"), 0
        if behind.first_in_seconds > PATIENT_SECONDS:
            return Ended("later", f"{behind.number:,} calls are due later"), 0
        return None, max(0.0, behind.first_in_seconds)

    def _feed(self) -> bool:
        """Accept calls until there is a batch that is new; tell whether any was."""
        fresh = 0
        while fresh < self._batch and not self.exhausted and not self._stop.is_set():
            if self._ledger.calls.behind(self._name).number >= IN_FLIGHT * self._batch:
                break
            step = list(itertools.islice(self._calls, self._batch - fresh))
            self.exhausted = not step
            accepted = self._ledger.inbox.accept(self._name, step, backfill=True)
            counts = accepted.counts
            not_new = [call_id for call_id, verdict in accepted.verdicts.items() if verdict != "new"]
            self._beside |= self._ledger.calls.interactive(self._name, not_new)
            self.tally.accepted.update(counts)
            fresh += counts["new"] + counts["changed"]
        return fresh > 0
