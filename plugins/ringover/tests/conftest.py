"""Ringover with and without a key for its API, and a stand-in for that."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from connector_ringover import RINGOVER

from connector_core import policy
from connector_core.providers.binding import Provider, bind_provider
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

KEY = "5f1d-invented-webhook-key"
API_KEY = "9c2e-invented-api-key"


class RingoverAPI:
    """A stand-in for Ringover's API on this machine: what is known of it, and no more.

    It answers what ``answers`` has for a path, once each; the last stays. Whatever we should not send is answered with 501.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Response]] = {}
        self.asked: list[str] = []
        self._listener = Listener(self._answer, 0)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/v2"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()

    def say(self, path: str, value: object, status: int = 200, **headers: str) -> None:
        """Answer a path with JSON, after what it was given before."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers.setdefault(f"/v2/{path}", []).append(Response(status, body, headers))

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path.removeprefix("/v2/"))
        if request.method != "GET" or request.query or request.body:
            return Response(501)
        if request.headers.get("authorization") != API_KEY:
            return Response(401)
        waiting = self.answers.get(request.path, [Response(404)])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


@pytest.fixture
def ringover() -> Iterator[Provider]:
    """Give Ringover without a key for its API."""
    with bind_provider(RINGOVER, {"webhook_key": KEY}) as bound:
        yield bound


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[RingoverAPI]:
    """Serve the stand-in, and wait for nothing."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    served = RingoverAPI()
    yield served
    served.close()


@pytest.fixture
def reading(api: RingoverAPI) -> Iterator[Provider]:
    """Give Ringover with a key for the API."""
    with bind_provider(RINGOVER, {"webhook_key": KEY, "api_key": API_KEY, "api_url": api.url}) as bound:
        yield bound
