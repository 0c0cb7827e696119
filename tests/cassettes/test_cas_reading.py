"""Only what reads gets through to an account."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from connector_core.testing.cassettes import Provenance, recording
from connector_core.testing.cassettes.exchange import Answer as Answered
from connector_core.testing.cassettes.exchange import Asked, Body, Cassette, Exchange
from connector_core.testing.cassettes.reading import NotReadingError, ReadGuard

HOST = "https://crm.example.com"
PROVENANCE = Provenance("sandbox", "nobody", "2026-11-21T12:00:00Z", {}, {}, {})


def asked(method: str, place: str, body: Any = None, **headers: str) -> Asked:
    """Make a request with a JSON body."""
    content = b"" if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Asked.of(method, HOST + place, {"content-type": "application/json", **named}, content)


def guard(*recorded: Asked) -> ReadGuard:
    """Make a guard that knows these requests."""
    return ReadGuard([Cassette(PROVENANCE, [Exchange(each, Answered(200)) for each in recorded])])


SEARCH = asked("POST", "/contacts/search", {"query": "ann"})
COMPOSITE = asked("POST", "/composite", {"requests": [{"method": "GET", "url": "/query?q=1"}]})


@pytest.mark.parametrize(
    "request_",
    [
        asked("GET", "/anything"),
        asked("HEAD", "/anything"),
        asked("POST", "/contacts/search", {"query": "bob"}),
        asked("POST", "/composite", {"requests": [{"method": "GET", "url": "/query?q=2"}]}),
        Asked("POST", f"{HOST}/token", body=Body("form", (("grant_type", "refresh_token"),))),
    ],
    ids=str,
)
def test_what_reads_passes(request_: Asked) -> None:
    """A GET, what a recorded look-up posts to that path, and signing in get through."""
    known = guard(SEARCH, COMPOSITE)

    known(request_)

    assert known.refused == []


@pytest.mark.parametrize(
    "request_",
    [
        asked("POST", "/contacts", {"name": "Ann"}),
        asked("PATCH", "/contacts/search"),
        asked("DELETE", "/anything"),
        asked("POST", "/contacts/search?_HttpMethod=PATCH", {"query": "ann"}),
        asked("POST", "/composite", {"requests": [{"method": "GET", "url": "/q"}, {"method": "patch", "url": "/q"}]}),
        asked("GET", "/contacts", x_http_method_override="DELETE"),
    ],
    ids=str,
)
def test_what_may_write_is_refused(request_: Asked) -> None:
    """Whatever no recorded look-up sends, or carries a method that writes, is refused and noted."""
    known = guard(SEARCH, COMPOSITE)

    with pytest.raises(NotReadingError, match="was not sent"):
        known(request_)

    assert known.refused == [request_]


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers everything, and keeps what was asked."""

    def do_GET(self) -> None:
        """Answer."""
        self.server.got.append(f"{self.command} {self.path}")  # type: ignore[attr-defined]  # set by the fixture
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - the name is that of the standard library

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Any]:
    """Serve on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as serving:
        serving.got = []  # type: ignore[attr-defined]  # what was asked
        thread = threading.Thread(target=serving.serve_forever, args=(0.01,))
        thread.start()
        yield serving
        serving.shutdown()
        thread.join()


def test_a_refused_request_reaches_no_server(server: Any, tmp_path: Path) -> None:
    """Where the guard stands before a recording, what it refuses is not sent, and what it lets through is."""
    url = f"http://127.0.0.1:{server.server_address[1]}"

    with recording(tmp_path / "it.yaml", PROVENANCE, before=guard()), urllib3.PoolManager() as http_:
        http_.request("GET", f"{url}/read")
        with pytest.raises(NotReadingError):
            http_.request("POST", f"{url}/write", body=b"{}", retries=False)

    assert server.got == ["GET /read"]
