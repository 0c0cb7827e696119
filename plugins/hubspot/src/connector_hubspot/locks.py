"""Rows of a batch that another write held: they alone are sent again, a few times, then left for later."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from connector_core.policy import RequestPolicy

T = TypeVar("T")

LOCK_TRIES = 4
LOCK_SECONDS = 2.0
"""How long HubSpot holds a lock (developers.hubspot.com, error handling)."""

_LOCK = re.compile(r"(?<![A-Z])LOCK")


def is_lock(code: str | None) -> bool:
    """Tell whether the code of a row's failure speaks of a lock; HubSpot documents the status alone, 423."""
    return _LOCK.search(code or "") is not None


def send_past_locks(
    policy: RequestPolicy, send: Callable[[Sequence[T]], None], rows: Sequence[T], locked: Callable[[T], bool]
) -> None:
    """Send rows, then those that were locked, and those alone.

    :param locked: Tells whether a row was locked when it was sent last.
    """
    for attempt in range(LOCK_TRIES):
        if attempt:
            policy.rest(LOCK_SECONDS * attempt)
        send(rows)
        rows = [row for row in rows if locked(row)]
        if not rows:
            return
