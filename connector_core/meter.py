"""What a connection's requests cost: counted where they are sent, read by whoever pays for them.

:func:`why_not_spend` keeps a share of the service's quota for the customer's other uses.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

QUOTA_RESERVE = 0.2
"""The share of a service's quota that a backfill leaves alone, where nothing else is configured."""

WORD_KEEPS_SECONDS = 3_600.0
"""How long a word on the quota is believed; windows roll or start anew, and only a request can tell."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a service said of the requests that it allows: ``used`` of ``limit`` in its window, mostly a day.

    ``at``: when it said so, in seconds of the meter's clock.
    """

    limit: int
    used: int
    at: float

    @property
    def left(self) -> int:
        """Requests that are left."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests sent, and the seconds spent waiting for their answers."""

    requests: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Meter:
    """Counts the requests of one connection, and keeps the newest word on its quota; safe for threads.

    A request counts when it was sent, answered or not, and each try of it; so do those that sign in.

    ``why_not_write``: asked just before each request that creates or changes; whoever may have to stop writing at any
    moment, since another one may have taken over, says why here.
    """

    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    why_not_write: Callable[[], str | None] = lambda: None
    _requests: int = 0
    _seconds: float = 0.0
    _quota: Quota | None = None
    _clock_skew_seconds: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, seconds: float) -> None:
        """Count one request, answered or not, and how long it took."""
        with self._lock:
            self._requests += 1
            self._seconds += seconds

    def told(self, *, limit: int, used: int, seconds_ago: float = 0.0) -> None:
        """Keep what an answer says of the quota, or said so long ago."""
        with self._lock:
            self._quota = Quota(limit, used, self.clock() - max(0.0, seconds_ago))

    def told_time(self, moment: float, seconds: float) -> None:
        """Keep what an answer says of the time.

        :param moment: Seconds since 1970, whole ones, as ``Date`` has them (RFC 9110, section 6.6.1).
        :param seconds: How long the answer took.
        """
        with self._lock:
            self._clock_skew_seconds = moment + 0.5 - (self.wall_clock() - seconds / 2)

    @property
    def clock_skew_seconds(self) -> float | None:
        """How far this machine's clock is behind the service's, by its newest answer; None before any."""
        with self._lock:
            return self._clock_skew_seconds

    @property
    def cost(self) -> Cost:
        """What was spent since the connection was opened."""
        with self._lock:
            return Cost(self._requests, self._seconds)

    @property
    def quota(self) -> Quota | None:
        """The newest word on the quota; None before any."""
        with self._lock:
            return self._quota

    def why_not_spend(self, reserve_share: float, requests: int = 1) -> str | None:
        """Ask :func:`why_not_spend` of the newest word on the quota, now."""
        return why_not_spend(self.quota, reserve_share, requests, now=self.clock())


def why_not_spend(
    quota: Quota | None, reserve_share: float = QUOTA_RESERVE, requests: int = 1, *, now: float
) -> str | None:
    """Say why work that can wait, a backfill, is to send nothing more; None where it may go on.

    Ask before each batch; work that a person or a live call waits for does not ask.

    :param quota: What the service said last. Without a word nothing is held back, nor by one older than
        :data:`WORD_KEEPS_SECONDS`: a batch is let through then, whose answers bring a new one.
    :param reserve_share: The share of the limit that is kept for others, 0 to 1.
    :param requests: What the next batch may cost.
    :param now: Seconds of the clock that ``quota.at`` is of.
    """
    if quota is None or now - quota.at > WORD_KEEPS_SECONDS:
        return None
    reserved = math.ceil(quota.limit * reserve_share)
    if quota.left - requests >= reserved:
        return None
    return (
        f"{quota.left:,} of {quota.limit:,} API calls are left for today and {reserved:,} are reserved: "
        "backfill stops; interactive calls go on"
    )
