"""When the next request may be sent: a token bucket for each class of requests that a service counts apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connector_core.errors import TryAgainError


@dataclass(slots=True)
class _Lane:
    """``rate`` requests a second, with bursts of one second's worth; ``at``: from when on it fills."""

    rate: float
    tokens: float
    at: float

    @property
    def burst(self) -> float:
        return max(self.rate, 1.0)

    def filled(self, now: float) -> float:
        return min(self.burst, self.tokens + max(0.0, now - self.at) * self.rate)


class Pace:
    """The lanes of one connection, shared by its threads.

    A lane that was given no rate at the start is never paced, whatever the service says later.
    """

    def __init__(self, rates: Mapping[str, float], clock: Callable[[], float]) -> None:
        """Take requests a second, by lane.

        :param clock: Seconds, ever growing.
        """
        self._clock = clock
        self._lanes = {name: _Lane(rate, max(rate, 1.0), clock()) for name, rate in rates.items()}
        self._lock = threading.Lock()

    def turn(self, lane: str, most_seconds: float) -> float:
        """Take the next turn in a lane.

        :returns: The seconds to wait before it.
        :raises TryAgainError: It is further away than ``most_seconds``; the turn is left to others.
        """
        with self._lock:
            if lane not in self._lanes:
                return 0.0
            it, now = self._lanes[lane], self._clock()
            tokens = it.filled(now) - 1.0
            delay = max(0.0, it.at - now) + max(0.0, -tokens / it.rate)
            if delay > most_seconds:
                raise TryAgainError("the service's limit of requests leaves no turn for so long", after_seconds=delay)
            it.tokens, it.at = tokens, max(it.at, now)
            return delay

    def set_rate(self, lane: str, rate: float) -> None:
        """Correct a lane by what the service says of it, in requests a second."""
        with self._lock:
            if lane in self._lanes and rate > 0:
                it, now = self._lanes[lane], self._clock()
                it.tokens, it.at, it.rate = it.filled(now), max(it.at, now), rate
                it.tokens = min(it.tokens, it.burst)

    def hold(self, lane: str, seconds: float) -> None:
        """Let nothing more through a lane for so long: its window is used up. A longer hold stays."""
        with self._lock:
            if lane in self._lanes:
                it, now = self._lanes[lane], self._clock()
                it.tokens, it.at = min(it.filled(now), 1.0), max(it.at, now + seconds)
