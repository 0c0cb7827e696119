"""What the tests of cassettes share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from taped import THREE, Serve, echo, record

from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer requests with a function, at the address that is given."""
    with ExitStack() as stack:

        def start(answer: Callable[[Request], Response]) -> str:
            listener = Listener(answer, 0)
            threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(listener.server_close)
            stack.callback(listener.shutdown)
            return f"http://127.0.0.1:{listener.server_address[1]}"

        yield start


@pytest.fixture
def cassette(serve: Serve, tmp_path: Path) -> Path:
    """Three recorded requests: a read, a change, a read."""
    path = tmp_path / "three.yaml"
    record(path, serve(echo), *THREE)
    return path
