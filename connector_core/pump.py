"""The pump: works on what is due of one connection, in batches, until nothing is.

Every batch is looked up, decided, noted in the ledger, sent, and noted again. Wherever the process dies in between, what the
ledger holds tells the next pump what may have been sent: that is looked for in the CRM before anything is sent again.
"""

from __future__ import annotations

import json
import logging
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace

from connector_core.association import Decision, awaited
from connector_core.config import OpenConnection
from connector_core.doubt import look_again
from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError, TryAgainError
from connector_core.feed import has_feed
from connector_core.ledger.inbox import DELETED
from connector_core.ledger.jobs import Job
from connector_core.ledger.leases import Lease, LeaseLostError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.progress import Step
from connector_core.lookup import KnownPeople
from connector_core.meter import Cost
from connector_core.model import Activity, ActivityDraft, Receipt, Written
from connector_core.noting import held, noted, owing_notes, with_notes
from connector_core.work import UNIT, Sent, Settled, Taken, Work
from connector_core.writing import written_by

IN_FLIGHT = 3
"""Batches of one connection that are worked on at once."""
MOST_TRIES = 5
"""How often a call is tried that fails by itself, before it is set aside for a person."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did: calls that came to an outcome. ``busy``: another pump has the connection; nothing was done.

    ``paused``: why nothing more is sent until somebody acts; ``failure``, if it was now that it came to this.
    ``held_back``: why backfill waits for another day. ``more``: its time was over before it came to an end.
    """

    calls: int = 0
    busy: bool = False
    paused: str | None = None
    failure: CredentialsError | ConfigurationError | None = None
    held_back: str | None = None
    more: bool = False


class Pump:
    """Works on the calls of one connection."""

    def __init__(
        self,
        ledger: Ledger,
        opened: OpenConnection,
        *,
        batch: int = UNIT,
        in_flight: int = IN_FLIGHT,
        known: KnownPeople | None = None,
        heard: Callable[[Sequence[Step]], object] = lambda steps: None,
        reached: Callable[[str], None] = lambda point: None,
    ) -> None:
        """Take nothing yet.

        :param batch: Calls that are looked up and written together.
        :param in_flight: Batches at once; ``known`` is for :class:`~connector_core.work.Work`.
        :param heard: Hears what calls came to, once that is kept; called in the threads of the batches.
        :param reached: Hears the name of each point that a batch passes; for tests that stop the process there.
        :raises ConfigurationError: The connection cannot serve its settings.
        """
        self.connection = opened.connection
        self._ledger = ledger
        self._reserve = opened.quota_reserve
        self._has_feed = has_feed(opened)
        self._work = Work(self.connection, opened.association, opened.writing, known=known)
        self._batch_size = batch
        self.in_flight = in_flight
        self._heard = heard
        self._reached = reached
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._taken = Taken()
        self._told = self.connection.cost

    def run(
        self,
        stop: threading.Event | None = None,
        *,
        for_seconds: float = math.inf,
        feed: Callable[[], bool] = lambda: False,
    ) -> Ran:
        """Work until nothing is due now, or ``stop`` is set; then what is under way is brought to its end.

        :param for_seconds: Claim nothing more after that long; one batch is claimed in any case.
        :param feed: Accepts more calls, and tells whether it did; called when nothing is left to claim, unless backfill is
            held back. What it raises is raised once what is under way has come to its end.
        :raises TryAgainError: The ledger cannot be reached. Nothing is lost.
        """
        timeout = self.connection.timeout_seconds
        with self._ledger.leases.take(self.connection.name, self._owner, at_least_seconds=2 * timeout) as lease:
            if lease is None:
                return Ran(busy=True)
            meter = self.connection.info.meter
            paused = self._ledger.connections.start(lease, meter, settle_seconds=self.connection.settle_seconds)
            if paused is not None:
                return Ran(paused=paused)
            meter.why_not_write = lambda: lease.why_not_write(timeout)
            try:
                return _Run(self, lease, stop or threading.Event(), time.monotonic() + for_seconds, feed).to_the_end()
            finally:
                meter.why_not_write = lambda: None
                self.tell_cost(lease)

    def claim(self, lease: Lease) -> tuple[list[Job], str | None]:
        """Take the next batch; and why backfill is left out, if it is."""
        why = self.connection.info.meter.why_not_spend(self._reserve)
        jobs = self._ledger.jobs.claim(lease, self._batch_size, backfill=why is None)
        if why is not None:
            self._ledger.connections.hold_back(lease, why)
        return jobs, why

    def work_on(self, lease: Lease, jobs: Sequence[Job]) -> int:
        """Bring a batch to its outcomes; where the connection or the ledger fails, let go of it."""
        ids = [job.call.id for job in jobs]
        try:
            return self._work_on(lease, jobs)
        except (CredentialsError, ConfigurationError, TryAgainError):
            with suppress(ConnectorError):  # the next lease takes them all the same
                self._ledger.progress.let_go(lease, ids)
            raise
        finally:
            self._taken.let_go(ids)

    def _work_on(self, lease: Lease, jobs: Sequence[Job]) -> int:
        """Work on a batch; where it fails for a reason of its own, on each half of it."""
        try:
            sending, decisions = self._noted(lease, jobs)
        except (LeaseLostError, CredentialsError, ConfigurationError, TryAgainError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails for one call keeps no other back
            if len(jobs) > 1:
                middle = len(jobs) // 2
                return self._work_on(lease, jobs[:middle]) + self._work_on(lease, jobs[middle:])
            self._set_aside(lease, jobs[0], error)
            return 1
        self._send(lease, sending, decisions)
        return len(jobs)

    def _noted(self, lease: Lease, jobs: Sequence[Job]) -> tuple[list[Step], Mapping[str, Decision]]:
        """Look up, decide, and note what is about to be sent."""
        self._reached("claimed")
        jobs, steps = look_again(self._work, jobs)
        steps += [Step(job, outcome="skipped", reason=DELETED) for job in jobs if job.deleted and not job.written]
        jobs = [job for job in jobs if job.written or not job.deleted]
        histories = {job.call.id: replace(job.history, written=job.written) for job in jobs}
        decisions = self._work.decide([job.call for job in jobs], self._take, histories)
        self._reached("decided")
        plan = self._work.plan([job.call for job in jobs], decisions, histories)
        own = [self._step(job, decisions, plan.drafts, plan.settled) for job in jobs]
        steps += with_notes(self._work, own, decisions)
        return self._begin(lease, steps), decisions

    def _begin(self, lease: Lease, steps: Sequence[Step]) -> list[Step]:
        """Note what is about to be sent, and settle the rest."""
        if not steps:
            return []
        doubt_seconds = self.connection.settle_seconds + lease.seconds
        sending = self._ledger.progress.begin(lease, steps, doubt_seconds=doubt_seconds)
        self._reached("noted")
        self._heard([step for step in steps if step.draft is None])
        return sending

    def _set_aside(self, lease: Lease, job: Job, error: Exception) -> None:
        """Put off a call that fails by itself; in the end a person is asked."""
        _log.warning("connection %s: a call fails by itself (%s)", self.connection.name, type(error).__name__)
        outcome = "waiting" if job.tries + 1 >= MOST_TRIES else "deferred"
        told = str(error) if isinstance(error, ConnectorError) else f"unexpected {type(error).__name__}, a defect"
        step = Step(job, outcome=outcome, reason=told)
        self._ledger.progress.begin(lease, [step], doubt_seconds=0)
        self._heard([step])

    def _send(self, lease: Lease, steps: Sequence[Step], decisions: Mapping[str, Decision]) -> None:
        """Send what was noted, and keep what came of it; then likewise the notes of calls that got their activities."""
        drafts = [step.draft for step in steps if step.draft is not None]
        if not drafts:
            return
        failure: ConnectorError | None = None
        why_not = lease.why_not_write(self.connection.timeout_seconds)
        if why_not is None:
            try:
                sent = self._work.send(drafts)
            except ConnectorError as error:
                failure = error
                why_not = str(error)
        if why_not is not None:
            sent = {it.key: Sent(it, Receipt("deferred", it.activity_id, reason=why_not)) for it in drafts}
        self._reached("sent")
        done = [(self._received(step, sent[step.job.call.id]), sent[step.job.call.id].receipt) for step in steps]
        owing = owing_notes(self._work, [step for step, _ in done], decisions)
        kept = [(held(it) if it.job.call.id in owing else it, receipt) for it, receipt in done]
        self._ledger.progress.finish(lease, kept, settle_seconds=self.connection.settle_seconds)
        self._reached("kept")
        self._heard([step for step, _ in done if step.job.call.id not in owing])
        if failure is not None:
            raise failure
        self._send(lease, self._begin(lease, with_notes(self._work, list(owing.values()), decisions)), decisions)

    def _step(
        self,
        job: Job,
        decisions: Mapping[str, Decision],
        drafts: Mapping[str, ActivityDraft],
        settled: Mapping[str, Settled],
    ) -> Step:
        call_id = job.call.id
        made = decisions.get(call_id)
        decision = _text_of(made, job) if made is not None else None
        awaits = awaited(made) if made is not None and self._has_feed else frozenset[str]()
        if call_id in drafts:
            return Step(job, decision, drafts[call_id], written=job.written, awaits=awaits)
        it = settled[call_id]
        outcome = it.outcome
        if outcome == "unchanged" and job.doubt is not None and job.doubt.activity_id is None:
            outcome = "created"  # by the write that was not answered
        written = job.written
        if it.activity is not None and (written is None or written.activity_id != it.activity.id):
            written = Written(it.activity.id, it.activity.kind, it.activity.url)
        return Step(job, decision, None, outcome, it.reason, written, awaits=awaits)

    def _received(self, step: Step, sent: Sent) -> Step:
        draft, receipt = sent.draft, sent.receipt
        if draft.kind == "note":
            return noted(step, receipt)
        written, outcome = step.written, receipt.outcome
        if outcome == "unchanged" and draft.activity_id is None and receipt.id is not None:
            # Somebody else created it meanwhile: what the call brought is not in it yet.
            written, outcome = Written(receipt.id, draft.kind, receipt.url), "deferred"
        elif outcome in ("created", "updated", "unchanged"):
            written = written_by(draft, receipt, step.written)
        return replace(
            step, outcome=outcome, reason=receipt.reason, written=written, after_seconds=receipt.after_seconds
        )

    def _take(self, call_id: str, activity: Activity) -> bool:
        """Take an activity for a call; not one that another call has, in any batch, now or earlier."""
        if not self._taken(call_id, activity):
            return False
        holder = self._ledger.progress.holders(self.connection.name, [(activity.kind, activity.id)])
        return holder.get((activity.kind, activity.id), call_id) == call_id

    def pause(self, lease: Lease, error: ConnectorError) -> None:
        """Stand still until a person resumes."""
        try:
            self._ledger.connections.pause(lease, str(error))
        except ConnectorError as other:
            _log.warning("connection %s: could not be paused: %s", self.connection.name, other)

    def tell_cost(self, lease: Lease) -> None:
        """Tell the ledger what was spent since it was told last."""
        spent = self.connection.cost
        if spent == self._told:
            return
        cost = Cost(spent.requests - self._told.requests, spent.seconds - self._told.seconds)
        try:
            self._ledger.connections.spent(lease, cost, self.connection.info.meter)
            self._told = spent
        except ConnectorError as error:
            _log.warning("connection %s: its cost was not kept: %s", self.connection.name, error)


def _text_of(decision: Decision, job: Job) -> str | None:
    """Give what is kept of a decision; of a refresh that came to none, the next try has to find the earlier one."""
    if job.history.earlier is not None and decision.status == "undecided":
        return None
    return json.dumps(decision.to_json())


class _Run:
    """One run of a pump: several batches in flight, until nothing is due."""

    def __init__(self, pump: Pump, lease: Lease, stop: threading.Event, until: float, feed: Callable[[], bool]) -> None:
        self._pump = pump
        self._lease = lease
        self._stop = stop
        self._until = until
        self._feed = feed
        self._claimed = self._more = False
        self._calls = 0
        self._held_back: str | None = None
        self._failure: ConnectorError | None = None

    def to_the_end(self) -> Ran:
        flying: set[Future[int]] = set()
        with ThreadPoolExecutor(self._pump.in_flight, thread_name_prefix=f"pump {self._lease.connection}") as pool:
            while True:
                while len(flying) < self._pump.in_flight and (jobs := self._next()):
                    flying.add(pool.submit(self._pump.work_on, self._lease, jobs))
                if not flying:
                    break
                done, flying = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    self._land(future)
                self._pump.tell_cost(self._lease)  # now, as a process that is killed tells nothing at its end
        if isinstance(self._failure, TryAgainError):
            raise self._failure
        if isinstance(self._failure, CredentialsError | ConfigurationError):
            self._pump.pause(self._lease, self._failure)
            return Ran(self._calls, paused=str(self._failure), failure=self._failure)
        return Ran(self._calls, held_back=self._held_back, more=self._more)

    def _next(self) -> list[Job]:
        if self._failure is not None or self._stop.is_set():
            return []
        if self._claimed and time.monotonic() >= self._until:
            self._more = True
            return []
        try:
            jobs, self._held_back = self._pump.claim(self._lease)
            while not jobs and self._held_back is None and self._feed():
                jobs, self._held_back = self._pump.claim(self._lease)
        except (TryAgainError, LeaseLostError) as error:
            self._failure = error
            return []
        self._claimed = True
        return jobs

    def _land(self, future: Future[int]) -> None:
        try:
            self._calls += future.result()
        except (TryAgainError, LeaseLostError, CredentialsError, ConfigurationError) as error:
            self._failure = self._failure or error
