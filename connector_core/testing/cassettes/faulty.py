"""A server on this machine that answers from a cassette, with faults between the answers.

What vcrpy cannot replay needs a real connection: silence, half an answer, a connection that breaks.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import unquote, urlsplit

from connector_core.testing.cassettes.exchange import Answer, Body, Cassette, CassetteError, Pairs
from connector_core.testing.cassettes.form import read
from connector_core.testing.cassettes.guard import no_network, no_waiting
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

FaultKind: TypeAlias = Literal["answer", "half", "refused", "reset", "silence"]
_CLOSED = -1
_POLL_SECONDS = 0.01
_SILENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What comes instead of a recorded answer, ``times`` times; then the answer follows, where it is asked for again.

    ``before``: the place of the answer, from 0; None: before each, and to what was not recorded. ``kind``: ``answer`` is
    ``status``, ``headers`` and ``body``; ``half`` is the recorded answer, broken off in its middle; ``reset`` closes the
    connection without an answer; ``silence`` lasts until the client gives up, and where it has not within five seconds the
    answer comes after all; ``refused`` takes no connection any more, once as many answers were given as ``before`` says.
    """

    kind: FaultKind
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    before: int | None = 0
    times: int = 1

    @classmethod
    def json(cls, status: int, value: object, *, before: int | None = 0, times: int = 1, **headers: str) -> Self:
        """Answer a value; a header's name is written with underscores, ``retry_after="1"``."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        typed = {"content-type": "application/json", **named}
        return cls("answer", status, typed, Body("json", value).content(), before, times)

    @classmethod
    def page(cls, status: int = 503, *, before: int | None = 0, times: int = 1) -> Self:
        """Answer a web page, as a proxy or a maintenance does."""
        page = b"<!DOCTYPE html><html><head><title>Be right back</title></head><body>Be right back.</body></html>"
        return cls("answer", status, {"content-type": "text/html; charset=utf-8"}, page, before, times)

    @classmethod
    def nothing(cls, status: int = 200, *, before: int | None = 0, times: int = 1) -> Self:
        """Answer without a body."""
        return cls("answer", status, {"content-type": "application/json"}, b"", before, times)

    @classmethod
    def garbage(cls, status: int = 200, *, before: int | None = 0, times: int = 1) -> Self:
        """Answer what says that it is JSON, and is none."""
        return cls(
            "answer", status, {"content-type": "application/json"}, b'{"results": [{"id": \xff\xfe', before, times
        )


@dataclass(frozen=True, slots=True)
class Served:
    """A request that came: ``index`` is the place of the recorded one that it is, None where there is none; ``fault`` is
    what came instead of the answer."""

    method: str
    path: str
    index: int | None
    fault: FaultKind | None = None


class ReplayServer:
    """Answers from a cassette while :func:`replay_server` is open."""

    def __init__(self, path: Path, cassette: Cassette, faults: Sequence[Fault]) -> None:
        """Bind a free port."""
        self.requests: list[Served] = []
        """What came, in order."""
        self.slept: list[float] = []
        """The waits of the client, in seconds; they take no time."""
        self._path = path
        self.answers = len(cassette.exchanges)
        """How many answers were recorded."""
        self._exchanges = cassette.exchanges
        self._faults = faults
        self._left = list(range(len(cassette.exchanges)))
        self._done: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._listener = Listener(self._answer, 0)
        self._kept_port = socket.socket()
        self.address = ("127.0.0.1", int(self._listener.server_address[1]))
        self.url = f"http://127.0.0.1:{self.address[1]}"
        self._recorded = {f"{it.scheme}://{it.netloc}" for it in (urlsplit(each.asked.url) for each in self._exchanges)}
        self.settings: Mapping[str, Any] = {
            name: self._moved(value) if isinstance(value, str) else value
            for name, value in cassette.provenance.settings.items()
        }
        """The recorded ones, with the address of this server; secrets are placeholders."""

    def start(self) -> None:
        """Serve in a thread of its own."""
        threading.Thread(target=self._listener.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        self._refuse()

    def close(self) -> None:
        """End every connection."""
        self._stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._kept_port.close()

    def _moved(self, text: str) -> str:
        for origin in self._recorded:
            text = text.replace(origin, self.url)
        return text

    def _answer(self, request: Request) -> Response | None:
        with self._lock:
            index = next((it for it in self._left if self._is(it, request)), None)
            fault = self._fault(index)
            self.requests.append(Served(request.method, request.path, index, fault.kind if fault else None))
            if fault is None and index is not None:
                self._left.remove(index)
        answer = self._unknown(request) if index is None else self._response(self._exchanges[index].answer)
        if fault is not None:
            return self._faulty(fault, answer)
        return replace(answer, headers={**answer.headers, "connection": "close"}) if self._refuse() else answer

    def _refuse(self) -> bool:
        """Stop listening, if enough answers were given; tell whether they were."""
        with self._lock:
            given = len(self._exchanges) - len(self._left)
            enough = any(fault.kind == "refused" and given >= (fault.before or 0) for fault in self._faults)
            if enough and self._listener.socket.fileno() != _CLOSED:
                self._listener.shutdown()
                with suppress(OSError):  # not every system takes this
                    self._listener.socket.shutdown(socket.SHUT_RDWR)  # now, whoever else still looks at it
                self._listener.socket.close()
                # A port that is bound refuses too, and goes to nobody else, who would be reached instead.
                self._kept_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with suppress(OSError):  # or somebody was quicker
                    self._kept_port.bind(self.address)
            return enough

    def _fault(self, index: int | None) -> Fault | None:
        for place, fault in enumerate(self._faults):
            if fault.kind != "refused" and fault.before in (index, None) and self._done[place] < fault.times:
                self._done[place] += 1
                return fault
        return None

    def _faulty(self, fault: Fault, answer: Response) -> Response | None:
        match fault.kind:
            case "answer":
                return Response(fault.status, fault.body, fault.headers)
            case "half":
                length = str(max(2, len(answer.body)))
                status = 200 if answer.status in (204, 304) else answer.status  # which have no half
                return Response(status, answer.body[: int(length) // 2], {**answer.headers, "content-length": length})
            case "silence":
                return None if self._stopping.wait(_SILENCE_SECONDS) else answer
            case "reset" | "refused":
                return None

    def _response(self, answer: Answer) -> Response:
        content = answer.body.content()
        if answer.body.kind != "base64":
            content = self._moved(content.decode()).encode()
        return Response(answer.status, content, answer.headers)

    def _is(self, index: int, request: Request) -> bool:
        asked = self._exchanges[index].asked
        body = Body.of(request.body, request.headers.get("content-type", ""))
        return (
            asked.method == request.method
            and unquote(urlsplit(asked.url).path) == request.path
            and _joined(asked.query) == dict(request.query)
            and self._moved(asked.body.shown()) == body.shown()
        )

    def _unknown(self, request: Request) -> Response:
        message = f"{self._path.name} holds no such request that was not answered yet: {request.method} {request.path}"
        return Response.of({"message": message}, 501)


def _joined(query: Pairs) -> dict[str, str]:
    """Join what has one name, as the listener does."""
    joined: dict[str, str] = {}
    for name, text in query:
        joined[name] = f"{joined[name]},{text}" if name in joined else text
    return joined


@contextmanager
def replay_server(path: Path, faults: Sequence[Fault] = ()) -> Iterator[ReplayServer]:
    """Serve a cassette on loopback, with faults; nothing else can be reached, and waits take no time.

    Each recorded answer is given once, to the first request that is the recorded one, in any order: who was refused or
    not answered may go other ways. A request that is not recorded gets a 501, and stands in the journal without index.

    :raises CassetteError: The file is missing or empty, a fault stands before no answer, or something else than the
        server was reached for.
    """
    cassette = read(path)
    if not cassette.exchanges:
        raise CassetteError(f"{path}: holds no request")
    for fault in faults:
        if fault.before is not None and fault.before not in range(len(cassette.exchanges)):
            raise CassetteError(f"{path}: has {len(cassette.exchanges)} answers, and none at {fault.before}")
    server = ReplayServer(path, cassette, faults)
    wrong: list[CassetteError] = []
    server.start()
    try:
        with no_network(wrong.append, but=server.address), no_waiting(server.slept.append):
            yield server
    finally:
        server.close()
    if wrong:
        raise wrong[0]
