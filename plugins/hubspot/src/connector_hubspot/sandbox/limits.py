"""The limits of the account: always told, as in recorded traffic; kept once an administrator has set them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

_NAMES = ("daily", "burst", "burst_seconds")


class Limits:
    """Requests a day, and in a rolling window of some seconds. Searches are counted by the day alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with those of a Professional plan."""
        self._limits: dict[str, float] = {"daily": 650_000, "burst": 190, "burst_seconds": 10}
        self._clock = clock
        self._kept = False
        self._today = 0
        self._recent: deque[float] = deque()

    def change(self, given: Mapping[str, Any]) -> None:
        """Set some of them, and keep all from now on.

        :raises ValueError: An unknown one, or no number above 0.
        """
        for name, number in given.items():
            if name not in _NAMES:
                raise ValueError(f"org.limits: unknown {name}; possible are {', '.join(_NAMES)}")
            if type(number) not in (int, float) or not 0 < number < 1e9:
                raise ValueError(f"org.limits.{name}: a number above 0 is wanted, got {number}")
        self._limits |= given
        self._kept = True

    def exceeded(self, *, search: bool) -> str | None:
        """Name the policy that a request is refused by."""
        if not self._kept:
            return None
        if self._today >= self._limits["daily"]:
            return "DAILY"
        return "TEN_SECONDLY_ROLLING" if not search and self._in_window() >= self._limits["burst"] else None

    def count(self, *, search: bool, private: bool) -> dict[str, str]:
        """Count a request, and tell what is left, in headers; the day's is told to private apps alone."""
        self._today += 1
        daily = {"daily": self._limits["daily"], "daily-remaining": self._limits["daily"] - self._today}
        headers = _shown(daily) if private else {}
        if search:
            return headers
        self._recent.append(self._clock())
        burst = {
            "max": self._limits["burst"],
            "remaining": self._limits["burst"] - self._in_window(),
            "interval-milliseconds": self._limits["burst_seconds"] * 1000,
        }
        return headers | _shown(burst)

    def _in_window(self) -> int:
        while self._recent and self._recent[0] <= self._clock() - self._limits["burst_seconds"]:
            self._recent.popleft()
        return len(self._recent)


def _shown(numbers: Mapping[str, float]) -> dict[str, str]:
    return {f"x-hubspot-ratelimit-{name}": str(max(0, int(number))) for name, number in numbers.items()}
