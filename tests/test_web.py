"""Webhooks over real HTTP: what a sender is answered, and what is kept."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.client
import json
import logging
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
import uvicorn
from echo_provider import WORD, Echo, provider, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Mount

from connector_core.errors import ConfigurationError, ContractError, CredentialsError, InputError, TryAgainError
from connector_core.ledger.ledger import Ledger
from connector_core.model import Changed
from connector_core.providers.bodies import read_object
from connector_core.providers.hookspecs import Delivery
from connector_core.receiving import Received, Receiver, Source
from connector_core.web.app import MOST_BODIES, create_app

MOST = 10_000
PATH = "/hooks/acme/echo"
PROVEN = {"X-Echo-Token": WORD}


@contextmanager
def served(app: Any) -> Iterator[int]:
    """Serve an app in a thread of its own; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Place:
    """An app that is served, its ledger, and the adapter behind it."""

    port: int
    ledger: Ledger
    adapter: Echo

    def send(
        self,
        body: bytes,
        path: str = PATH,
        headers: dict[str, str] | None = None,
        method: str = "POST",
        prefix: str = "",
    ) -> tuple[int, bytes]:
        """Send a request; give status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, prefix + path, body, PROVEN if headers is None else headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def event(self, *parts: dict[str, Any]) -> bytes:
        """Write an event."""
        return json.dumps({"parts": parts}).encode()

    @property
    def kept(self) -> int:
        """How many parts the ledger has."""
        with self.ledger.database.reading() as step:
            return step.execute(sa.text("select count(*) from parts")).scalar() or 0


def read_changes(delivery: Delivery) -> list[Changed]:
    """Read a webhook of a CRM: whoever says the word says which contacts changed."""
    if delivery.headers.get("x-echo-token") != WORD:
        raise CredentialsError("the word is not said")
    ids = read_object(delivery.body).get("contacts", [])
    if not isinstance(ids, list):
        raise InputError("contacts: should be a list")
    return [Changed("contact", str(each), dt.datetime.now(dt.UTC)) for each in ids]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    bound, adapter = provider()
    with Ledger(f"sqlite:///{tmp_path_factory.mktemp('web') / 'ledger.db'}") as ledger:
        find = {("acme", "echo"): Source(bound)}.get
        receiver = Receiver(ledger, lambda *names: find(names), find_changes={"acme": read_changes}.get)
        app = Starlette(
            routes=[Mount("/mounted", create_app(receiver)), Mount("/", create_app(receiver, most_bytes=MOST))]
        )
        with served(app) as port:
            yield Place(port, ledger, adapter)


def test_what_is_kept_is_answered_with_200(place: Place) -> None:
    """The ledger has it by then."""
    before = place.kept
    answer = place.send(place.event(said(1)))
    assert (answer, place.kept - before) == ((200, b""), 1)


def test_an_app_may_be_mounted(place: Place) -> None:
    """A platform gives it a path of its own."""
    assert place.send(place.event(said(2)), prefix="/mounted") == (200, b"")


def test_a_set_up_is_answered_as_the_provider_wants_it(place: Place) -> None:
    """What stands behind the question mark reaches the plugin, and its answer the provider."""
    assert place.send(b"", path=f"{PATH}?echo=hello%20you") == (200, b"hello you")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param({"body": b'{"contacts": ["C1"]}'}, 202, id="no call waits for it"),
        pytest.param({"body": b"{}"}, 202, id="nothing changed"),
        pytest.param({"body": b"{"}, 400, id="no event"),
        pytest.param({"body": b"{}", "headers": {}}, 401, id="not proven"),
        pytest.param({"body": b"{}", "path": "/crm/other"}, 404, id="no such connection"),
        pytest.param({"body": b"", "method": "GET"}, 405, id="not sent"),
        pytest.param({"body": b"x" * (MOST + 1)}, 413, id="too long"),
    ],
)
def test_a_crm_is_told_no_more_than_that(place: Place, request_: dict[str, Any], status: int) -> None:
    """As a call provider is."""
    answered, body = place.send(**{"path": "/crm/acme", **request_})
    assert (answered, body in (b"", b"Not Found", b"Method Not Allowed")) == (status, True)


class Listening:
    """A receiver that keeps how it was called."""

    def __init__(self) -> None:
        self.urls: list[str | None] = []
        self.headers: list[Mapping[str, str]] = []

    def receive_changes(self, connection: str, delivery: Delivery) -> Received:
        return self.receive(connection, "", delivery)

    def receive(self, _connection: str, _provider: str, delivery: Delivery) -> Received:
        self.urls.append(delivery.url)
        self.headers.append(delivery.headers)
        return Received("ignored")


@pytest.mark.parametrize("public", [None, "https://hooks.example.com/calls/"])
@pytest.mark.parametrize("path", [PATH, f"{PATH}?key=a%20b&key=c", "/hooks/acm%65/echo", "/crm/acme?key=a"])
def test_the_address_is_the_one_that_was_called(public: str | None, path: str) -> None:
    """Behind a proxy it is the public one, as it was written, query and all: some providers sign it."""
    receiver = Listening()
    with served(create_app(receiver, public_url=public)) as port:  # type: ignore[arg-type]  # it only listens
        Place(port, None, None).send(b"{}", path=path)  # type: ignore[arg-type]  # nothing of it is used
    assert receiver.urls == ["https://hooks.example.com/calls" + path if public else f"http://127.0.0.1:{port}{path}"]


class Wire:
    """One request to the app, without a server: its body comes chunk by chunk, and then the sender is silent or gone."""

    def __init__(self, *chunks: bytes, headers: Sequence[tuple[bytes, bytes]] = (), stays: bool = True) -> None:
        self.chunks = list(chunks)
        self.headers = headers
        self.stays = stays
        self.silent = asyncio.Event()
        self.status: int | None = None

    async def send(self, app: Any) -> int | None:
        """Send it; give the status."""
        scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": self.headers}
        await app({**scope, "scheme": "http", "http_version": "1.1"}, self._receive, self._answer)
        return self.status

    async def _receive(self) -> dict[str, Any]:
        if self.chunks:
            return {"type": "http.request", "body": self.chunks.pop(0), "more_body": self.stays or bool(self.chunks)}
        self.silent.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def _answer(self, message: Any) -> None:
        self.status = message.get("status", self.status)


def test_a_sender_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may send all of it again."""
    monkeypatch.setattr("connector_core.web.app.BODY_SECONDS", 0.01)
    assert asyncio.run(Wire(b"{").send(create_app(Listening()))) == 408  # type: ignore[arg-type]  # it only listens


def test_bodies_of_many_strangers_do_not_fill_the_memory() -> None:
    """There is room for so many; who finds none may try again, and finds it once others are gone."""

    async def crowd() -> list[int | None]:
        app = create_app(Listening(), most_bytes=10)  # type: ignore[arg-type]  # it only listens
        waiting = [Wire(b"x" * 10) for _ in range(MOST_BODIES)]
        tasks = [asyncio.create_task(each.send(app)) for each in waiting]
        for each in waiting:
            await each.silent.wait()
        crowded = await Wire(b"x", stays=False).send(app)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return [crowded, *[await Wire(b"x" * 10, stays=False).send(app) for _ in range(MOST_BODIES + 1)]]

    assert asyncio.run(crowd()) == [503, *[202] * (MOST_BODIES + 1)]


def test_a_header_that_stands_twice_is_read_as_one() -> None:
    """No plugin believes the one and another the other."""
    receiver = Listening()
    asyncio.run(
        Wire(b"{}", headers=[(b"x-token", b"a"), (b"x-token", b"b")], stays=False).send(create_app(receiver))  # type: ignore[arg-type]  # it only listens
    )
    assert receiver.headers == [{"x-token": "a, b"}]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        pytest.param({"body": b"{}"}, 202, id="understood, and nothing to keep"),
        pytest.param({"body": b"no JSON"}, 400, id="no event"),
        pytest.param({"body": b'{"parts": [{}]}'}, 400, id="a part without anything"),
        pytest.param({"body": b"{}", "headers": {}}, 401, id="not proven"),
        pytest.param({"body": b"no JSON", "headers": {"X-Echo-Token": "guess"}}, 401, id="proven wrongly"),
        pytest.param({"body": b"{}", "path": "/hooks/other/echo"}, 404, id="no such connection"),
        pytest.param({"body": b"{}", "path": "/hooks/acme/other"}, 404, id="no such provider"),
        pytest.param({"body": b"{}", "path": "/hooks/acme"}, 404, id="no such path"),
        pytest.param({"body": b"{}", "path": f"{PATH}/"}, 404, id="no redirection"),
        pytest.param({"body": b"", "method": "HEAD"}, 405, id="looked at"),
        pytest.param({"body": b"", "method": "OPTIONS"}, 405, id="asked about"),
        pytest.param({"body": b"", "method": "GET"}, 405, id="not sent"),
        pytest.param({"body": b"x" * (MOST + 1)}, 413, id="too long"),
        pytest.param({"body": b"[" * 9_000}, 400, id="nested too deeply"),
        pytest.param({"body": b'{"parts": [{"revision": NaN}]}'}, 400, id="no number"),
        pytest.param({"body": b'{"parts": [{"call_id": "echo:\\ud800"}]}'}, 400, id="half a character"),
    ],
)
def test_a_sender_is_told_no_more_than_that(place: Place, request_: dict[str, Any], status: int) -> None:
    """Why it was not kept is nothing that a stranger is told."""
    before = place.kept
    answered, body = place.send(**request_)
    assert (answered, place.kept - before) == (status, 0)
    assert body in (b"", b"Not Found", b"Method Not Allowed")


def test_a_body_without_a_length_is_read_no_further_than_allowed(place: Place) -> None:
    """A sender that does not say how much it will send is cut off."""
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=30)
    connection.putrequest("POST", PATH)
    connection.putheader("X-Echo-Token", WORD)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for _ in range(20):
            connection.send(b"400\r\n" + b"x" * 1024 + b"\r\n")
        status = connection.getresponse().status
    except ConnectionError:  # it may be closed before all was sent
        status = 413
    finally:
        connection.close()
    assert status == 413


def test_a_server_that_is_well_says_so(place: Place) -> None:
    """For whoever watches it."""
    assert place.send(b"", path="/health", method="GET", headers={}) == (204, b"")


class Failing:
    """A receiver that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def receive(self, *_: object) -> None:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (TryAgainError("the ledger is away"), 503),
        (ConfigurationError("acme, echo: no key"), 500),
        (ContractError("echo", "parse", "raised KeyError"), 500),
    ],
)
def test_what_is_not_the_senders_fault_is_tried_again(
    error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The sender learns that it was not kept; the log says why, and for whom."""
    with served(create_app(Failing(error))) as port, caplog.at_level(logging.ERROR, "connector_core.web.app"):  # type: ignore[arg-type]  # it fails
        answer = Place(port, None, None).send(b"{}")  # type: ignore[arg-type]  # nothing of it is used
    assert answer == (status, b"")
    assert f"connection acme, provider echo: a webhook is answered with {status}: {error}" in caplog.text


def test_a_defect_is_told_by_its_place_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the sender nor the log is shown what was sent."""
    failing = Failing(KeyError("carl@buyer.example"))
    with served(create_app(failing)) as port, caplog.at_level(logging.INFO):  # type: ignore[arg-type]  # it fails
        answer = Place(port, None, None).send(b"{}")  # type: ignore[arg-type]  # nothing of it is used
    assert answer == (500, b"")
    assert "unexpected KeyError at test_web.py, line" in caplog.text
    assert "carl@" not in caplog.text


def test_the_log_says_why_without_what_was_sent(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    """The place of a mistake is named, and no value."""
    with caplog.at_level(logging.WARNING, "connector_core.web.app"):
        place.send(place.event(said(1, title={"secret": "+33639981011"})))
    assert "title: should be text" in caplog.text
    assert "+33639981011" not in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["acme", "echo", "..", "%2e%2e", "%00", "a" * 300, "é"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(["parts", "announced"]), JSON).map(lambda value: json.dumps(value).encode())
    | st.tuples(st.sampled_from(sorted(said())), JSON).map(
        lambda changed: json.dumps({"parts": [said() | {changed[0]: changed[1]}]}).encode()
    ),
)
def test_no_body_is_answered_with_an_error_of_ours(place: Place, body: bytes) -> None:
    """Whatever is sent by whoever can prove it, the server finds words for it."""
    assert place.send(body)[0] < 500


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(NAMES, NAMES, st.dictionaries(st.sampled_from(["echo", "x-echo-token"]), NAMES.filter(str.isascii)))
def test_no_path_is_answered_with_an_error_of_ours(
    place: Place, connection: str, name: str, headers: dict[str, str]
) -> None:
    """Nor is any address."""
    path = f"/hooks/{connection}/{name}".encode("ascii", "ignore").decode()
    assert place.send(b"{}", path=path, headers=headers)[0] < 500


# -- what the app says of itself ---------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_the_app_answers_as_it_says(place: Place, data: st.DataObject) -> None:
    """Whatever is made up from its description, the answer is one of those that it names, and none of ours failing."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{place.port}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    case = data.draw(st.one_of(operation.as_strategy() for operation in operations))
    case.call_and_validate(headers=PROVEN)
