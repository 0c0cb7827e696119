"""A served cassette: the recorded answers, with faults before them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import urllib3
from taped import THREE, Client, one, other, three

from connector_core.testing.cassettes import CassetteError, Fault, replay_server


def attempt(client: Client) -> object:
    """Ask once; give the error where there is one."""
    try:
        answer = client.get("/one", q="a b")
    except urllib3.exceptions.HTTPError as error:
        return type(error)
    return answer.status, answer.data


def test_without_faults_it_answers_what_was_recorded(cassette: Path) -> None:
    """The recorded answers are served at the address of the settings."""
    with replay_server(cassette) as server:
        answers = [ask(Client(server.settings["url"])) for ask in THREE]

    assert [answer["path"] for answer in answers] == ["/one", "/two", "/three"]
    assert [served.index for served in server.requests] == [0, 1, 2]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.json(429, {"message": "slow"}), (429, b'{"message":"slow"}')),
        (Fault.nothing(), (200, b"")),
        (Fault.garbage(), (200, b'{"results": [{"id": \xff\xfe')),
        (Fault("half"), urllib3.exceptions.ProtocolError),
        (Fault("reset"), urllib3.exceptions.ProtocolError),
        (Fault("silence"), urllib3.exceptions.ReadTimeoutError),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_fault_comes_before_its_answer(cassette: Path, fault: Fault, seen: object) -> None:
    """The client sees the fault, and the recorded answer when it asks again."""
    with replay_server(cassette, [fault]) as server:
        client = Client(server.url)
        if fault.kind == "silence":
            client.pool = urllib3.PoolManager(retries=False, timeout=0.2)
        first = attempt(client)
        second = one(Client(server.url))

    assert (first, second["path"]) == (seen, "/one")
    assert [(served.index, served.fault) for served in server.requests] == [(0, fault.kind), (0, None)]


@pytest.mark.parametrize("answered", [0, 1, 2])
def test_connections_are_refused_once_so_many_answers_were_given(cassette: Path, answered: int) -> None:
    """The answers before that come whole, over one connection or several; then nothing listens any more."""
    with replay_server(cassette, [Fault("refused", before=answered)]) as server:
        client = Client(server.url)
        client.pool = urllib3.PoolManager(retries=False)
        for ask in THREE[:answered]:
            ask(client)
        with pytest.raises(urllib3.exceptions.NewConnectionError):
            THREE[answered](client)

    assert [served.fault for served in server.requests] == [None] * answered


def test_silence_ends_for_who_does_not_give_up(cassette: Path) -> None:
    """A client without a time-out gets the recorded answer in the end, so that a test of it ends."""
    with replay_server(cassette, [Fault("silence")]) as server:
        client = Client(server.url)
        client.pool = urllib3.PoolManager(retries=False)
        answer = one(client)

    assert answer["path"] == "/one"
    assert [served.fault for served in server.requests] == ["silence"]


def test_a_page_says_that_it_is_one(cassette: Path) -> None:
    """A web page comes with its own type and status."""
    with replay_server(cassette, [Fault.page(502)]) as server:
        answer = Client(server.url).get("/one", q="a b")

    assert (answer.status, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert answer.data.startswith(b"<!DOCTYPE html>")


def test_headers_of_a_fault_are_served(cassette: Path) -> None:
    """A refusal can say how long to wait."""
    with replay_server(cassette, [Fault.json(429, {}, retry_after="9")]) as server:
        answer = Client(server.url).get("/one", q="a b")

    assert answer.headers["retry-after"] == "9"


def test_a_fault_may_come_more_than_once(cassette: Path) -> None:
    """A fault comes as often as it says."""
    with replay_server(cassette, [Fault.json(503, {}, times=2)]) as server:
        seen = [Client(server.url).get("/one", q="a b").status for _ in range(3)]

    assert seen == [503, 503, 200]


def test_a_fault_waits_for_its_answer(cassette: Path) -> None:
    """A fault before a later answer leaves the earlier ones alone."""
    with replay_server(cassette, [Fault.json(503, {}, before=2)]) as server:
        client = Client(server.url)
        seen = [client.get("/one", q="a b").status, client.get("/three").status, client.get("/three").status]

    assert seen == [200, 503, 200]


def test_what_is_not_recorded_is_refused_and_noted(cassette: Path) -> None:
    """A request that is not recorded gets a 501, and stands in the journal without an index."""
    with replay_server(cassette) as server:
        status = Client(server.url).get("/other").status

    assert (status, server.requests[0].index) == (501, None)


def test_an_answer_is_given_once(cassette: Path) -> None:
    """Whoever asks twice gets the recorded answer once."""
    with replay_server(cassette) as server:
        seen = [Client(server.url).get("/three").status for _ in range(2)]

    assert seen == [200, 501]


@pytest.mark.parametrize("place", [-1, 3])
def test_a_fault_stands_before_an_answer(cassette: Path, place: int) -> None:
    """A fault that could never come is an error of the test that wrote it."""
    with (
        pytest.raises(CassetteError, match=f"has 3 answers, and none at {place}"),
        replay_server(cassette, [Fault("reset", before=place)]),
    ):
        pass


def elsewhere(path: Path, ask: Callable[[Client], Any]) -> None:
    """Reach for another address than the server's, and swallow what comes of it."""
    with replay_server(path), contextlib.suppress(Exception):
        ask(Client("http://127.0.0.1:1"))


def test_nothing_else_is_reached(cassette: Path) -> None:
    """Only the server is reached: any other connection is an error, even where it is swallowed."""
    with pytest.raises(CassetteError, match="the network is blocked"):
        elsewhere(cassette, three)


def test_the_file_stays(cassette: Path) -> None:
    """Serving changes no file."""
    before = cassette.read_bytes()
    with replay_server(cassette, [Fault("half")]) as server, contextlib.suppress(urllib3.exceptions.HTTPError):
        other(Client(server.url))

    assert cassette.read_bytes() == before
