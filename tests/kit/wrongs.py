"""Which clauses fail which wrong adapter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T", bound=type)


class Wrongs(dict[type, frozenset[str]]):
    """Wrong adapters, with the clauses that fail them."""

    def note(self, *clauses: str) -> Callable[[T], T]:
        """Name the clauses that fail an adapter, exactly."""

        def noted(cls: T) -> T:
            self[cls] = frozenset(clauses)
            return cls

        return noted
