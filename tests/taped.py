"""A small service to record, the plainest client of it, and how its recordings are described."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import urllib3

from connector_core.testing.cassettes import Provenance, Tape, recording, replaying
from connector_core.testing.sandbox import Request, Response

Serve: TypeAlias = Callable[[Callable[[Request], Response]], str]
REPLAYED = "http://127.0.0.1:1"
"""The address under which everything that ran on this machine is replayed."""


def echo(request: Request) -> Response:
    """Answer what was asked, as a service with a counter and a cookie."""
    value = {"path": request.path, "query": dict(request.query), "body": request.body.decode()}
    headers = {"Set-Cookie": "sid=secret-cookie", "X-Request-Id": "abc", "Retry-After": "7"}
    if request.path == "/zipped":
        packed = gzip.compress(json.dumps(value).encode())
        return Response(200, packed, {"Content-Type": "application/json", "Content-Encoding": "gzip", **headers})
    return Response.of(value, headers=headers)


def source(url: str, **settings: Any) -> Provenance:
    """Describe a recording of a service that no plugin is for."""
    return Provenance(
        "sandbox", "nobody", "2026-11-21T12:00:00Z", {"x": "1"}, {"url": url, **settings}, {"C1": "10001"}
    )


class Client:
    """The plainest client: one pool of connections, no retries."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pool = urllib3.PoolManager(retries=False, timeout=2.0)

    def get(self, path: str, **fields: str) -> urllib3.BaseHTTPResponse:
        """Read."""
        return self.pool.request("GET", self.url + path, fields=fields)

    def post(self, path: str, value: object, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send JSON."""
        return self.pool.request("POST", self.url + path, json=value, headers=headers)


Ask: TypeAlias = Callable[[Client], object]


def record(path: Path, url: str, *asks: Ask, **settings: Any) -> None:
    """Record requests."""
    client = Client(url)
    with recording(path, source(url, **settings)):
        for ask in asks:
            ask(client)


def replay(path: Path, *asks: Ask) -> Tape:
    """Replay requests."""
    client = Client(REPLAYED)
    with replaying(path) as tape:
        for ask in asks:
            ask(client)
    return tape


def fail(_: Client) -> None:
    """Fail for a reason of its own."""
    raise ZeroDivisionError


def one(client: Client) -> Any:
    """Read."""
    return client.get("/one", q="a b").json()


def two(client: Client) -> Any:
    """Change."""
    return client.post("/two", {"name": "x", "number": 1}).json()


def three(client: Client) -> Any:
    """Read."""
    return client.get("/three").json()


def other(client: Client) -> Any:
    """Read what is nowhere recorded."""
    return client.get("/other").json()


THREE: tuple[Ask, ...] = (one, two, three)
"""What the cassette of the tests holds."""
