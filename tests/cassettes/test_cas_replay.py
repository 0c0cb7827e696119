"""Recording and replaying: strict, whole, in order, and without a network."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from taped import REPLAYED, THREE, Ask, Client, Serve, echo, fail, one, other, record, replay, three, two

from connector_core import policy
from connector_core.testing.cassettes import CassetteError, read, replaying, sabotaged
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, Cassette, Exchange
from connector_core.testing.cassettes.form import write
from connector_core.testing.sandbox import Response

# -- recording ---------------------------------------------------------------------------------------------------------


def test_what_was_recorded_is_answered(cassette: Path) -> None:
    """A replay answers what the service did, and counts the requests."""
    with replaying(cassette) as tape:
        answers = [ask(Client(REPLAYED)) for ask in THREE]

    assert [answer["path"] for answer in answers] == ["/one", "/two", "/three"]
    assert tape.requests == 3


def test_headers_are_kept_by_list(cassette: Path) -> None:
    """Of the headers only those of the contract are kept: no cookie, no id of a request, no agent."""
    kept = read(cassette).exchanges[1]

    assert (set(kept.asked.headers), set(kept.answer.headers)) == ({"content-type"}, {"content-type", "retry-after"})


def test_the_port_of_a_server_here_is_left_out(cassette: Path) -> None:
    """Whatever free port the server had, the file names the same address, and the settings of a replay lead to it."""
    assert {each.asked.url.rpartition("/")[0] for each in read(cassette).exchanges} == {REPLAYED}
    assert read(cassette).provenance.settings["url"] == REPLAYED


def test_what_is_compressed_is_shown(serve: Serve, tmp_path: Path) -> None:
    """A compressed answer is stored as what it says, and replayed as such."""
    path = tmp_path / "zipped.yaml"
    record(path, serve(echo), lambda client: client.get("/zipped"))

    with replaying(path):
        replayed = Client(REPLAYED).get("/zipped").json()

    assert read(path).exchanges[0].answer.body.value == replayed == {"path": "/zipped", "query": {}, "body": ""}


def test_an_answer_without_a_body_is_replayed(serve: Serve, tmp_path: Path) -> None:
    """204 stays 204."""
    path = tmp_path / "none.yaml"
    record(path, serve(lambda _: Response(204)), lambda client: client.get("/x"))

    with replaying(path):
        got = Client(REPLAYED).get("/x")

    assert (got.status, got.data) == (204, b"")


def test_a_block_that_fails_leaves_no_file(serve: Serve, tmp_path: Path) -> None:
    """Where the block raises, nothing is written."""
    with pytest.raises(ZeroDivisionError):
        record(tmp_path / "new.yaml", serve(echo), one, fail)

    assert list(tmp_path.iterdir()) == []


def test_a_block_that_fails_leaves_the_old_file(serve: Serve, cassette: Path) -> None:
    """Where the block raises, what was recorded before stays as it was."""
    before = cassette.read_bytes()

    with pytest.raises(ZeroDivisionError):
        record(cassette, serve(echo), other, fail)

    assert cassette.read_bytes() == before


def test_nothing_recorded_is_an_error(serve: Serve, tmp_path: Path) -> None:
    """A recording without a request is refused, for its replay would prove nothing."""
    with pytest.raises(CassetteError, match="no request was answered"):
        record(tmp_path / "none.yaml", serve(echo))

    assert list(tmp_path.iterdir()) == []


def test_recording_again_gives_the_same_file(serve: Serve, cassette: Path) -> None:
    """A service that answers the same gives the same file, to the letter, whatever port it has."""
    before = cassette.read_bytes()
    record(cassette, serve(echo), *THREE)

    assert cassette.read_bytes() == before


# -- what is another request -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "ask"),
    [
        ("method", lambda client: client.pool.request("PUT", f"{REPLAYED}/one?q=a+b")),
        ("path", lambda client: client.get("/uno", q="a b")),
        ("query", lambda client: client.get("/one", q="a c")),
        ("query", lambda client: client.get("/one", q="a b", more="")),
        ("port", lambda client: client.pool.request("GET", "http://127.0.0.1:2/one?q=a+b")),
        ("host", lambda client: client.pool.request("GET", "http://localhost:1/one?q=a+b")),
        ("scheme", lambda client: client.pool.request("GET", "https://127.0.0.1:1/one?q=a+b")),
    ],
)
def test_another_request_fails(cassette: Path, part: str, ask: Ask) -> None:
    """A request that differs from the recorded one fails, naming the file, the part, and how to record anew."""
    with pytest.raises(CassetteError) as caught:
        replay(cassette, ask)

    message = str(caught.value)
    assert message.startswith(f"{cassette}: request 1 of 3 is another one than recorded, in {part};")
    assert "cassettes/README.md" in message


@pytest.mark.parametrize("value", [{"name": "y", "number": 1}, {"name": "x", "number": True}, {"name": "x"}, []])
def test_another_body_fails(cassette: Path, value: object) -> None:
    """A body is compared as a value, and the difference is shown."""
    with pytest.raises(CassetteError, match=r"(?s)request 2 of 3 .* in body;.*recorded body.*sent body"):
        replay(cassette, one, lambda client: client.post("/two", value))


def test_the_order_of_a_body_means_nothing(cassette: Path) -> None:
    """JSON that says the same in another order is the recorded request."""
    tape = replay(cassette, one, lambda client: client.post("/two", {"number": 1, "name": "x"}), three)

    assert tape.requests == 3


def test_a_form_is_matched_by_its_pairs(serve: Serve, tmp_path: Path) -> None:
    """The pairs of a form may come in another order, and in another spelling."""
    path = tmp_path / "form.yaml"

    def send(body: str) -> Ask:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return lambda client: client.pool.request("POST", f"{client.url}/f", body=body, headers=form)

    record(path, serve(echo), send("a=1+2&b=3"))

    assert replay(path, send("b=3&a=1%202")).requests == 1


def test_another_order_fails(cassette: Path) -> None:
    """Requests are answered in the order in which they were recorded."""
    with pytest.raises(CassetteError, match="request 1 of 3"):
        replay(cassette, three, one, two)


def test_half_a_cassette_fails(cassette: Path) -> None:
    """All of a cassette is played."""
    with pytest.raises(CassetteError, match=r"2 of 3 requests were not made; the first is number 2, POST /two"):
        replay(cassette, one)


def test_one_request_more_fails(cassette: Path) -> None:
    """No more is played than was recorded, and nothing twice."""
    with pytest.raises(CassetteError, match="one request more than the 3 recorded: GET /three"):
        replay(cassette, *THREE, three)


def test_a_miss_that_is_swallowed_fails(cassette: Path) -> None:
    """A client that catches everything cannot hide that it asked for something else."""

    def swallowing(client: Client) -> None:
        with contextlib.suppress(Exception):
            other(client)

    with pytest.raises(CassetteError, match="request 1 of 3"):
        replay(cassette, swallowing, *THREE)


def test_a_miss_that_became_another_error_is_told(cassette: Path) -> None:
    """Where a client makes another error of a miss, the miss is raised, from that error."""

    def translating(client: Client) -> None:
        try:
            other(client)
        except CassetteError as error:
            raise KeyError from error

    with pytest.raises(CassetteError, match="request 1 of 3") as caught:
        replay(cassette, translating)

    assert isinstance(caught.value.__cause__, KeyError)


def test_a_block_that_fails_is_heard(cassette: Path) -> None:
    """Where the block fails for a reason of its own, that is what is raised."""
    with pytest.raises(ZeroDivisionError):
        replay(cassette, one, fail)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """Where there is no cassette, the replay fails even if nothing is asked."""
    with pytest.raises(CassetteError, match=r"none\.yaml: there is no such cassette"):
        replay(tmp_path / "none.yaml")


def test_an_empty_cassette_fails(cassette: Path) -> None:
    """A cassette without a request proves nothing, and fails."""
    write(cassette, Cassette(read(cassette).provenance, ()))

    with pytest.raises(CassetteError, match="holds no request"):
        replay(cassette)


def test_a_replay_changes_no_file(cassette: Path) -> None:
    """Whatever happens in a replay, the file stays as it is."""
    before = cassette.read_bytes()
    with contextlib.suppress(CassetteError):
        replay(cassette, other)

    assert cassette.read_bytes() == before


# -- threads -----------------------------------------------------------------------------------------------------------


def in_threads(*asks: Ask) -> Ask:
    """Ask in threads, one after the other, and wait."""

    def ask(client: Client) -> None:
        for each in asks:
            with contextlib.suppress(CassetteError):
                thread = threading.Thread(target=each, args=(client,))
                thread.start()
                thread.join()

    return ask


@pytest.fixture
def threaded(serve: Serve, tmp_path: Path) -> Path:
    """A request, two of other threads, and one more."""
    path = tmp_path / "threaded.yaml"
    record(path, serve(echo), one, in_threads(two, other), three)
    return path


def test_threads_may_come_in_any_order(threaded: Path) -> None:
    """What other threads asked has no order among itself."""
    tape = replay(threaded, one, in_threads(other, two), three)

    assert tape.requests == 4


def test_what_follows_threads_waits_for_them(threaded: Path) -> None:
    """What was asked after the threads is not answered before them."""
    with pytest.raises(CassetteError, match="request 3 of 4"):
        replay(threaded, one, in_threads(other), three)


def at_once(client: Client) -> None:
    """Ask from many threads at once, each over a connection of its own."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: Client(client.url).get(f"/{number}"), range(24)))


def test_threads_at_once_are_all_recorded(serve: Serve, tmp_path: Path) -> None:
    """No request of threads that open connections at the same time gets past the recording, or the replay."""
    path = tmp_path / "many.yaml"
    record(path, serve(echo), at_once)

    tape = replay(path, at_once)

    assert tape.requests == len(read(path).exchanges) == 24


# -- no network, no waiting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reach",
    [
        lambda it, address: it.connect(address),
        lambda it, address: it.connect_ex(address),
        lambda it, address: it.sendto(b"x", address),
        lambda it, address: it.sendto(b"x", 0, address),
        lambda it, address: it.sendmsg([b"x"], [], 0, address),
        lambda _, address: socket.create_connection(address),
        lambda _, __: socket.getaddrinfo("crm.example", 443),
        lambda _, __: socket.gethostbyname("crm.example"),
    ],
)
def test_the_network_is_blocked(
    cassette: Path, serve: Serve, reach: Callable[[socket.socket, tuple[str, int]], object]
) -> None:
    """Whatever reaches for the network fails, on loopback too, even where the failure is swallowed."""
    port = int(serve(echo).rpartition(":")[2])

    def reaching(_: Client) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as it, contextlib.suppress(CassetteError):
            reach(it, ("127.0.0.1", port))

    with pytest.raises(CassetteError, match="the network is blocked during a replay"):
        replay(cassette, reaching, *THREE)


def test_the_network_is_back_afterwards(cassette: Path, serve: Serve) -> None:
    """After a replay that failed, connections are made as before."""
    with contextlib.suppress(CassetteError):
        replay(cassette, other)

    assert one(Client(serve(echo)))["path"] == "/one"


def test_waits_take_no_time(cassette: Path) -> None:
    """The waits of a policy and of the clock are noted, and not waited."""
    tape = replay(cassette, lambda _: policy.RequestPolicy().sleep(3600.0), lambda _: time.sleep(7200.0), *THREE)

    assert tape.slept == [3600.0, 7200.0]


# -- sabotage ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "emptied"),
    [
        (Answer(200, {}, Body("json", {"a": 1})), (200, b"{}")),
        (Answer(200, {}, Body("json", [1])), (200, b"[]")),
        (Answer(404, {}, Body("json", {"message": "none"})), (200, b"{}")),
        (Answer(404, {}, Body("text", "<html>")), (200, b"")),
        (Answer(204), (500, b"")),
        (Answer(200, {}, Body("json", {})), (500, b"{}")),
    ],
)
def test_an_answer_is_emptied(tmp_path: Path, cassette: Path, answer: Answer, emptied: tuple[int, bytes]) -> None:
    """The answer that is sabotaged says nothing any more, and never what it said."""
    path = tmp_path / "one.yaml"
    write(path, Cassette(read(cassette).provenance, (Exchange(Asked("GET", f"{REPLAYED}/one"), answer),)))

    with sabotaged(path, 0):
        got = Client(REPLAYED).get("/one")

    assert (got.status, got.data) == emptied


def test_only_one_answer_is_emptied(cassette: Path) -> None:
    """The others are as they were recorded."""
    with sabotaged(cassette, 1):
        answers = [ask(Client(REPLAYED)) for ask in THREE]

    assert [bool(answer) for answer in answers] == [True, False, True]


def test_there_is_an_end_to_sabotage(cassette: Path) -> None:
    """Past the last answer there is none to empty."""
    with pytest.raises(IndexError), sabotaged(cassette, 3):
        pass
