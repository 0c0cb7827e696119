"""What a connection remembers of the answers that it got."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_REMEMBERED = 10_000
"""How many values are remembered."""


class Remembered(Generic[T]):
    """Values by key, for a while: the newest ones, at most :data:`MOST_REMEMBERED`."""

    def __init__(self, age_seconds: float, clock: Callable[[], float]) -> None:
        self._age_seconds = age_seconds
        self._clock = clock
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, keys: Iterable[str]) -> dict[str, T]:
        """Give those that are known and not too old."""
        oldest = self._clock() - self._age_seconds
        with self._lock:
            known = ((key, self._values.get(key)) for key in keys)
            return {key: entry[1] for key, entry in known if entry is not None and entry[0] > oldest}

    def keep(self, values: Mapping[str, T]) -> None:
        """Remember values, letting go of the oldest."""
        now = self._clock()
        with self._lock:
            for key, value in values.items():
                self._values[key] = (now, value)
                self._values.move_to_end(key)
            while len(self._values) > MOST_REMEMBERED:
                self._values.popitem(last=False)

    def forget(self, keys: Iterable[str] | None = None) -> None:
        """Forget these, or all."""
        with self._lock:
            for key in list(self._values) if keys is None else keys:
                self._values.pop(key, None)
