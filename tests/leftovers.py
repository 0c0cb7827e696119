"""Nothing that a test started goes on after it: a server that is left spins on a closed socket, and slows all the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

PATIENCE_SECONDS = 30.0
"""How long threads that were told to end may take on a machine with much else to do."""


@pytest.fixture(scope="session", autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Every thread that the tests of this process started has ended with them."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + PATIENCE_SECONDS
    while (left := set(threading.enumerate()) - before) and time.monotonic() < until:
        time.sleep(0.1)
    assert sorted(f"{it.name}, daemon: {it.daemon}" for it in left) == []
