"""Lets vcrpy intercept the requests of several threads at once.

While vcrpy makes a connection, and while it sends a request that it records, it puts the real classes of all HTTP libraries
back, for the whole process (``vcr.patch.force_reset``): another thread that opens a connection meanwhile is not intercepted,
and reaches the network unrecorded. Only the classes of ``http.client`` need it, which name each other; those of urllib3 do
not. So these stay in place here, and threads are safe with urllib3, requests and httpx, if not with ``http.client`` itself.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from unittest import mock

_REAL = {name: getattr(http.client, name) for name in ("HTTPConnection", "HTTPSConnection")}


class _Reset:
    """Puts the classes of ``http.client`` back while anybody needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._put_back = contextlib.ExitStack()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if not self._users:
                for name, real in _REAL.items():
                    self._put_back.enter_context(mock.patch.object(http.client, name, real))
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if not self._users:
                    self._put_back.close()


def in_all_threads() -> contextlib.AbstractContextManager[object]:
    """Intercept all threads while the block runs."""
    return mock.patch("vcr.patch.force_reset", _Reset())
