"""A stand-in for Aircall's API, and Aircall with a key for it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator

import pytest
from connector_aircall import AIRCALL

from connector_core import policy
from connector_core.providers.binding import Provider, bind_provider
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

PAIR = {"api_id": "a1b2-invented", "api_token": "c3d4-invented"}


class AircallAPI:
    """A stand-in for Aircall's API on this machine: what is documented of it, and no more.

    It answers what ``answers`` has for a path, once each; the last stays. Whatever we should not send is answered with 501.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Response]] = {}
        self.asked: list[str] = []
        self._listener = Listener(self._answer, 0)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()

    def say(self, path: str, value: object, status: int = 200, **headers: str) -> None:
        """Answer a path with JSON, after what it was given before."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers.setdefault(f"/v1/{path}", []).append(Response(status, body, headers))

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.path.removeprefix("/v1/"))
        if request.method != "GET" or request.query or request.body:
            return Response(501)
        wanted = f"Basic {base64.b64encode(':'.join(PAIR.values()).encode()).decode()}"
        if request.headers.get("authorization") != wanted:
            return Response(401)
        waiting = self.answers.get(request.path, [Response(404)])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[AircallAPI]:
    """Serve the stand-in, and wait for nothing."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    served = AircallAPI()
    yield served
    served.close()


@pytest.fixture
def reading(api: AircallAPI) -> Iterator[Provider]:
    """Give Aircall with the pair that signs in to the API."""
    with bind_provider(AIRCALL, {"token": "t", **PAIR, "api_url": api.url}) as bound:
        yield bound
