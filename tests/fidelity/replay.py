"""Sends the requests of recorded traffic to a sandbox, and compares what it answers."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import urllib3

from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer
from tests.fidelity.compare import Comparison, told

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
_NOT_SPOKEN = 501
_INVENTED = "uncompressed_cassette.yaml"  # the recorder's test of itself: "Blah blah blah"
Exchange = Mapping[str, Any]


class CannotPlantError(Exception):
    """A record that a recorded answer shows cannot be made in the sandbox; the message says which, and why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; ``body`` is a value of JSON, or the text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one exchange: ``same``, ``same in form`` (names and types), ``differs`` (how) or ``not covered``."""

    operation: str
    what: str
    how: tuple[str, ...] = ()


class Stage:
    """One sandbox, and which recorded id is which of ours."""

    def __init__(self, server: SandboxServer) -> None:
        self.comparison = Comparison({})
        self._url = server.url
        self._pool = urllib3.PoolManager(
            retries=False, headers={"Authorization": f"Bearer {server.settings['access_token']}"}
        )

    @property
    def ids(self) -> dict[str, str]:
        """Recorded ids, and ours."""
        return self.comparison.ids

    def send(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Answer:
        """Send a request as it is."""
        url = f"{self._url}{path}" + (f"?{urlencode(query)}" if query else "")
        response = self._pool.request(method, url, json=body) if body is not None else self._pool.request(method, url)
        return Answer(
            response.status, parsed(response.data.decode()), {k.lower(): v for k, v in response.headers.items()}
        )

    def close(self) -> None:
        """End the connection."""
        self._pool.clear()


class Service(Protocol):
    """What is special about the traffic of one CRM."""

    name: str
    title: str
    headers: tuple[str, ...]
    """The beginnings of the names of headers that were recorded, and are compared."""

    def sandbox(self) -> Sandbox:
        """Give an empty sandbox."""

    def begin(self, stage: Stage) -> None:
        """Find what an empty sandbox has already."""

    def operation(self, exchange: Exchange) -> str:
        """Name the operation: method and path, ids left out."""

    def plant(self, stage: Stage, exchange: Exchange) -> None:
        """Make what the recorded answer shows to have been there before.

        :raises CannotPlantError: It cannot be made.
        """

    def query(self, exchange: Exchange) -> Mapping[str, str]:
        """Read the recorded query."""


def replay(service: Service) -> Iterator[Verdict]:
    """Replay all recorded traffic of a CRM, each recording in a sandbox of its own."""
    lines = (RECORDED / f"{service.name}.jsonl").read_text(encoding="utf-8").splitlines()
    for source, exchanges in itertools.groupby(map(json.loads, lines), key=lambda exchange: exchange["src"]):
        if source.endswith(_INVENTED):
            continue
        with SandboxServer(service.sandbox()) as server:
            stage = Stage(server)
            service.begin(stage)
            for exchange in exchanges:
                yield _verdict(service, stage, exchange)
            stage.close()


def _verdict(service: Service, stage: Stage, exchange: Exchange) -> Verdict:
    operation = service.operation(exchange)
    try:
        service.plant(stage, exchange)
    except CannotPlantError:
        stage.comparison.values = False
    path, query, body = stage.comparison.translate([exchange["path"], service.query(exchange), exchange["req"] or None])
    answer = stage.send(exchange["method"], path, body, query)
    if answer.status == _NOT_SPOKEN:
        return Verdict(operation, "not covered")
    if answer.status != exchange["status"]:
        return Verdict(operation, "differs", (f"{answer.status} for {exchange['status']}",))
    recorded, ours = (
        _compared(service, exchange["resp"] or "", exchange["headers"]),
        _compared(service, answer.body, answer.headers),
    )
    if not exchange["headers"]:
        ours["headers"] = recorded["headers"]  # a recorder took them out
    how = tuple(told(list(stage.comparison.differences(recorded, ours))))
    return Verdict(operation, "differs" if how else "same" if stage.comparison.values else "same in form", how)


def _compared(service: Service, body: Any, headers: Mapping[str, str] | None) -> dict[str, Any]:
    """Give the body, the media type of one that is there, and of other headers that they are there."""
    shown = {
        name: text.split(";")[0] if name == "content-type" else "there"
        for name, text in (headers or {}).items()
        if name.startswith(service.headers) and (body or name != "content-type")
    }
    return {"": body, "headers": shown}


def parsed(text: str) -> Any:
    """Read JSON, or leave the text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text
