"""One HTTP request, done properly: a time-out, retries, a pace, and no create sent twice.

It sits at the transport of a service's SDK (a ``requests`` session, a ``urllib3`` pool), because an SDK's exceptions carry
no headers and its own retries re-send creates. The SDK's retries are switched off.

The service's own code decides what an answer means: a :data:`Judge` turns a :class:`Reply` into a verdict.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import tenacity

from connector_core.errors import OutcomeUnknownError, TryAgainError
from connector_core.meter import Meter
from connector_core.pace import Pace

wait: Callable[[float], None] = time.sleep
"""How a policy without a ``sleep`` of its own waits, in seconds; looked up at each wait, so that tests need not wait."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, whatever its status. ``headers`` have lower-case names; ``raw`` is the SDK's own response."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    raw: Any = None


class NotSentError(Exception):
    """Raised by a transport: the request never reached the service (refused connection, no such host)."""


class NoReplyError(Exception):
    """Raised by a transport: the request was sent, and no whole answer came (time-out, reset)."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Walk what an exception of ``requests`` wraps, itself first: urllib3 keeps it as an argument, and as ``reason``."""
    open_: list[object] = [error]
    while open_:
        found = open_.pop()
        if isinstance(found, BaseException):
            yield found
            open_ += [*found.args, getattr(found, "reason", None)]


@dataclass(frozen=True, slots=True)
class Accept:
    """The answer is for the caller, whatever it says."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The service says that it did not execute the request, and may do so later (429, a limit, a lock)."""

    why: str
    after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """The request may or may not have been executed (5xx)."""

    why: str
    after_seconds: float | None = None


Verdict: TypeAlias = Accept | Wait | Doubt
Judge: TypeAlias = Callable[[Reply], Verdict]
ACCEPT = Accept()


MOST_WAIT_SECONDS = 86_400.0
"""What a service may ask to wait: no window of a limit is longer than a day, and no clock goes on for ever."""


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Read ``Retry-After`` in seconds, from a number or from a date; None where there is none that can be read.

    :returns: From 0 to :data:`MOST_WAIT_SECONDS`.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return _bounded(seconds) if math.isfinite(seconds) else None
    moment = _moment(text)
    return None if moment is None else _bounded(moment - now())


def _bounded(seconds: float) -> float:
    return min(max(0.0, seconds), MOST_WAIT_SECONDS)


def _moment(text: str) -> float | None:
    """Read a date of HTTP, in seconds since 1970; None for what is none."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def instead_of_json(reply: Reply) -> str:
    """Name what a body is that is no JSON, for a message; a web page is a proxy's, or speaks of maintenance."""
    body = reply.body.strip()
    if not body:
        return "nothing"
    return "a web page" if body.startswith(b"<") else "what is no JSON"


class _RetryError(Exception):
    def __init__(self, verdict: Wait | Doubt) -> None:
        super().__init__(verdict.why)
        self.verdict = verdict


@dataclass(slots=True)
class RequestPolicy:
    """How requests are sent: shared by all threads of a connection.

    :param attempts: Tries of one request, the first included.
    :param patience_seconds: The longest time that one request may be waited for in all; a service that asks for more is
        told apart at once with :class:`~connector_core.errors.TryAgainError`.
    :param lanes: Requests a second, for each class of requests that the service counts apart; others are not paced.
        ``pace`` corrects them by what the service says.
    :param most_at_once: Requests in flight at the same time; None for as many as there are threads.
    :param meter: Counts every request that was sent, each try of it.
    """

    attempts: int = 4
    patience_seconds: float = 30.0
    lanes: Mapping[str, float] = field(default_factory=dict)
    most_at_once: int | None = None
    meter: Meter = field(default_factory=Meter)
    sleep: Callable[[float], None] = lambda seconds: wait(seconds)
    clock: Callable[[], float] = time.monotonic
    pace: Pace = field(init=False)
    _gate: contextlib.AbstractContextManager[object] = field(init=False)

    def __post_init__(self) -> None:
        """Set up the lanes and the gate."""
        self.pace = Pace(self.lanes, self.clock)
        self._gate = (
            contextlib.nullcontext() if self.most_at_once is None else threading.BoundedSemaphore(self.most_at_once)
        )

    def run(
        self, send: Callable[[], Reply], judge: Judge, *, repeatable: bool, changes: bool = False, lane: str = ""
    ) -> Reply:
        """Send a request until it is answered.

        :param send: Sends once; raises :class:`NotSentError` or :class:`NoReplyError` where there is no answer.
        :param repeatable: Sending twice does what sending once does (every read; a change by id). A request that is not
            repeatable is sent again only when it was surely not executed.
        :param changes: It writes, though it is repeatable: sent late, it would undo what another one wrote meanwhile.
        :raises TryAgainError: Not executed, or a read that was not answered, within attempts and patience.
        :raises OutcomeUnknownError: Not repeatable, and it may have been executed.
        """
        waited = 0.0

        def once() -> Reply:
            nonlocal waited
            waited += self._keep_pace(lane, self.patience_seconds - waited)
            verdict: Verdict
            try:
                with self._gate:
                    writes = changes or not repeatable
                    if writes and (why := self.meter.why_not_write()) is not None:  # after what was waited
                        raise TryAgainError(why)
                    reply = self._counted(send)
            except NotSentError as error:
                verdict = Wait(str(error))
            except NoReplyError as error:
                verdict = Doubt(str(error))
            else:
                verdict = judge(reply)
                if isinstance(verdict, Accept):
                    return reply
            if isinstance(verdict, Doubt) and not repeatable:
                raise OutcomeUnknownError(verdict.why)
            raise _RetryError(verdict)

        def pause(state: tenacity.RetryCallState) -> float:
            asked = _verdict(state).after_seconds
            return self._backoff(state) if asked is None else asked

        def spent(state: tenacity.RetryCallState) -> bool:
            return state.attempt_number >= self.attempts or waited + state.upcoming_sleep > self.patience_seconds

        def sleep(seconds: float) -> None:
            nonlocal waited
            waited += seconds
            self.sleep(seconds)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_RetryError), stop=spent, wait=pause, sleep=sleep, reraise=True
        )
        try:
            return retrying(once)
        except _RetryError as error:
            raise TryAgainError(error.verdict.why, after_seconds=error.verdict.after_seconds) from error

    _backoff = staticmethod(tenacity.wait_random_exponential(multiplier=0.5, max=8.0))

    def rest(self, seconds: float) -> None:
        """Wait for so long, and up to half as long again: rows that were locked together come back spread."""
        self.sleep(seconds * random.uniform(1.0, 1.5))  # noqa: S311 - spreads, hides nothing

    def _counted(self, send: Callable[[], Reply]) -> Reply:
        """Send once; whatever reached the service counts, answered or not."""
        started = self.clock()
        try:
            reply = send()
        except NoReplyError:
            self.meter.sent(self.clock() - started)
            raise
        seconds = self.clock() - started
        self.meter.sent(seconds)
        if (moment := _moment(reply.headers.get("date", ""))) is not None:
            self.meter.told_time(moment, seconds)
        return reply

    def _keep_pace(self, lane: str, most_seconds: float) -> float:
        """Wait for this lane's turn; give the seconds waited."""
        delay = self.pace.turn(lane, most_seconds)
        if delay:
            self.sleep(delay)
        return delay


def _verdict(state: tenacity.RetryCallState) -> Wait | Doubt:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _RetryError)  # noqa: S101 - the only error that is retried
    return error.verdict
