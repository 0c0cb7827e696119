"""How many tokens may be spent in a day."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from connector_core.errors import TryAgainError

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Reserved:
    """Tokens that a request may take, on a day counted from 1970."""

    day: int
    tokens: int


class DailyTokens:
    """What was spent from one account today, in UTC; safe for threads.

    It is counted in this process: each process counts its own, and one that starts anew begins at nothing.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Begin at nothing."""
        self._clock = clock
        self._lock = threading.Lock()
        self._day = 0
        self._spent = 0

    def reserve(self, tokens: int, most: int | None) -> Reserved:
        """Set tokens aside for a request, before it is sent.

        :param most: What may be spent in a day; None for any number.
        :raises TryAgainError: It would be more than that.
        """
        with self._lock:
            now = self._clock()
            day = int(now // _DAY_SECONDS)
            if day != self._day:
                self._day, self._spent = day, 0
            if most is not None and self._spent + tokens > most:
                if tokens > most:
                    raise TryAgainError(f"one request may take {tokens} tokens, more than the {most} of a day")
                left_seconds = (day + 1) * _DAY_SECONDS - now
                raise TryAgainError(f"the {most} tokens of this day are spent", after_seconds=left_seconds)
            self._spent += tokens
            return Reserved(day, tokens)

    def settle(self, reserved: Reserved, took: int) -> None:
        """Say what the request took in fact."""
        with self._lock:
            if reserved.day == self._day:
                self._spent += took - reserved.tokens


_open: dict[str, DailyTokens] = {}
_opening = threading.Lock()


def daily_tokens(account: str) -> DailyTokens:
    """Give the count of an account: one for all connections of this process."""
    with _opening:
        return _open.setdefault(account, DailyTokens())
