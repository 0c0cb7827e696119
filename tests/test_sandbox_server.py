"""What serving adds to a sandbox: HTTP, the journal, the faults, and the addresses under ``/_sandbox``."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connector_core.crms.world import World, parse_world
from connector_core.errors import InputError
from connector_core.testing.faults import parse_faults
from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_core.testing.server import SandboxServer


class Shelf(Sandbox):
    """A CRM of one object: ``POST /items`` stores a list of names, ``GET /items`` lists them."""

    def __init__(self, world: World) -> None:
        self.items: dict[str, str] = {record.id: record.name or "" for record in world.accounts}
        self.expired = 0
        self.hidden: list[str] = []

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        return {"instance_url": url}

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        match request.method, request.path:
            case "GET", "/items":
                return Response.of(sorted(self.items.values()))
            case "POST", "/items":
                return Response.of([self._store(name, row_error) for name in json.loads(request.body)], 201)
            case _, "/echo":
                return Response.of({"query": dict(request.query), "body": request.body.decode()}, api_calls=0)
            case "GET", "/broken":
                raise RuntimeError("a bug")
        return Response.of({"message": "not here"}, 501)

    def _store(self, name: str, row_error: RowError | None) -> str:
        if row_error is not None and row_error.picks():
            return row_error.code
        self.items[f"I{len(self.items)}"] = name
        return "stored"

    def ids(self) -> dict[str, str]:
        return {key: key for key in self.items}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        return {"Item": [{"Id": key, "Name": name} for key, name in self.items.items()]}

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        if set(fields) - {"Name"}:
            raise ValueError("an Item has only a Name")
        if delete:
            del self.items[record_id]
        else:
            self.items[record_id] = fields["Name"] if self.items[record_id] else ""

    def org(self, changes: Mapping[str, Any]) -> None:
        if set(changes) - {"hidden"}:
            raise ValueError(f"org: unknown {', '.join(changes)}; possible is hidden")
        self.hidden = changes["hidden"]

    def expire_session(self) -> None:
        self.expired += 1


class Client:
    """One keep-alive connection to a server."""

    def __init__(self, server: SandboxServer) -> None:
        self.connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)

    def ask(
        self, method: str, path: str, value: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Send a request, and give the status and the JSON of its answer (None for an empty one)."""
        body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
        self.connection.request(method, path, body, dict(headers or {}))
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def faults(self, *rules: object) -> None:
        """Replace the fault rules."""
        assert self.ask("POST", "/_sandbox/faults", list(rules))[0] == 200


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(parse_world({"accounts": [{"id": "A1", "name": "seeded"}]}))


@pytest.fixture
def server(shelf: Shelf) -> Iterator[SandboxServer]:
    with SandboxServer(shelf) as running:
        yield running


@pytest.fixture
def client(server: SandboxServer) -> Iterator[Client]:
    with talking(server) as client:
        yield client


@contextlib.contextmanager
def talking(server: SandboxServer) -> Iterator[Client]:
    """Open a connection, and close it in the end."""
    client = Client(server)
    yield client
    client.connection.close()


def raw(server: SandboxServer, data: bytes) -> bytes:
    """Send bytes on a connection of their own, end them, and give all that comes back."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


# -- HTTP --------------------------------------------------------------------------------------------------------------


def test_a_sandbox_answers_over_one_connection(client: Client) -> None:
    """Several requests are answered on one connection that stays open."""
    client.ask("GET", "/items")
    first = client.connection.sock
    assert client.ask("GET", "/items") == (200, ["seeded"])
    assert client.connection.sock is first


def test_query_and_path_arrive_decoded(client: Client) -> None:
    """A sandbox sees the query decoded, repeated names joined by commas."""
    assert client.ask("GET", "/ech%6F?a=x+y%2B&b=1&b=2")[1]["query"] == {"a": "x y+", "b": "1,2"}


def test_chunked_bodies_are_read(client: Client) -> None:
    """A body without a length arrives whole."""
    client.connection.request("POST", "/echo", iter([b"one ", b"two"]))
    assert json.loads(client.connection.getresponse().read())["body"] == "one two"


def test_zipped_bodies_are_read(client: Client) -> None:
    """A body sent with gzip arrives unpacked."""
    body = gzip.compress(b"packed")
    assert client.ask("POST", "/echo", body, {"Content-Encoding": "gzip"})[1]["body"] == "packed"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
        (b"GET items HTTP/1.1\r\n\r\n", 400),
        (b"GET /items HTTP/9.9.9\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"POST /items HTTP/1.1\r\nContent-Length: -5\r\n\r\n[]", 400),
        (b"POST /items HTTP/1.1\r\nContent-Length: five\r\n\r\n[]", 400),
        (b"POST /items HTTP/1.1\r\nContent-Length: 900\r\n\r\n[]", 400),
        (b"POST /items HTTP/1.1\r\nContent-Length: 99999999999999999\r\n\r\n[]", 413),
        (b"POST /items HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /items HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]x\r\n0\r\n\r\n", 400),
        (b"POST /items HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", 400),
        (b"POST /items HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]", 400),
        (b"POST /items HTTP/1.1\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n[]", 415),
        (b"BREW /items HTTP/1.1\r\n\r\n", 501),
    ],
)
def test_a_malformed_request_is_refused(server: SandboxServer, client: Client, data: bytes, status: int) -> None:
    """What is no proper request is told so, and the server goes on."""
    assert raw(server, data).startswith(f"HTTP/1.1 {status} ".encode())
    assert client.ask("GET", "/items")[0] == 200


def test_a_bug_in_a_sandbox_is_a_500(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    """A sandbox that raises answers 500, shows where, and goes on."""
    assert client.ask("GET", "/broken")[0] == 500
    assert "RuntimeError: a bug" in capfd.readouterr().err
    assert client.ask("GET", "/items")[0] == 200


def test_closing_ends_open_connections(shelf: Shelf) -> None:
    """A connection that is left open gets no answer from a server that was closed."""
    with SandboxServer(shelf) as server:
        client = Client(server)
        client.ask("GET", "/items")
        connection = client.connection.sock
    assert connection.recv(1) == b""
    client.connection.close()


def test_a_server_that_was_started_twice_ends(shelf: Shelf) -> None:
    """One thread serves, and none is left when it is closed."""
    before = threading.active_count()
    with SandboxServer(shelf).start():
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


def test_closing_another_thread_s_server_ends_it(shelf: Shelf) -> None:
    """A server that serves in a thread of the caller's ends when it is closed."""
    server = SandboxServer(shelf)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with talking(server) as client:
        assert client.ask("GET", "/_sandbox/ids")[0] == 200
    server.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


# -- the addresses under /_sandbox -------------------------------------------------------------------------------------


def test_ids_and_records_are_shown(client: Client) -> None:
    """What the sandbox holds can be read."""
    assert client.ask("GET", "/_sandbox/ids") == (200, {"A1": "A1"})
    assert client.ask("GET", "/_sandbox/records") == (200, {"Item": [{"Id": "A1", "Name": "seeded"}]})


def test_the_journal_holds_each_request_in_order(client: Client) -> None:
    """Requests stand in the journal with their cost, without query, those of the control plane left out."""
    client.ask("POST", "/items", ["x"])
    client.ask("GET", "/_sandbox/ids")
    client.ask("GET", "/echo?a=1")
    assert client.ask("GET", "/_sandbox/journal")[1] == [
        {"method": "POST", "path": "/items", "status": 201, "api_calls": 1},
        {"method": "GET", "path": "/echo", "status": 200, "api_calls": 0},
    ]


def test_the_journal_is_appended_to_a_file(shelf: Shelf, tmp_path: Path) -> None:
    """Each entry is on disk once its request is answered, after what was there."""
    path = tmp_path / "requests.jsonl"
    path.write_text("{}\n")
    with SandboxServer(shelf, journal=path) as server, talking(server) as client:
        client.ask("GET", "/items")
        lines = path.read_text().splitlines()
    assert [json.loads(line).get("path") for line in lines] == [None, "/items"]


def test_an_unknown_address_is_refused(client: Client) -> None:
    """An address that the control plane does not have names those that it has."""
    status, answer = client.ask("GET", "/_sandbox/id")
    assert status == 404
    assert "ids, records, journal, faults, org" in answer["message"]


def test_a_wrong_method_is_refused(client: Client) -> None:
    """Reading addresses take GET, changing ones POST."""
    assert client.ask("POST", "/_sandbox/ids")[0] == 405
    assert client.ask("GET", "/_sandbox/faults")[0] == 405


def test_the_organization_is_changed(client: Client, shelf: Shelf) -> None:
    """A change of the organization reaches the sandbox."""
    assert client.ask("POST", "/_sandbox/org", {"hidden": ["Name"]})[0] == 200
    assert shelf.hidden == ["Name"]


@pytest.mark.parametrize("value", [{"hid": []}, [], b"{", b"", b"\xff", b"[" * 200_000])
def test_a_wrong_change_of_the_organization_is_refused(client: Client, value: object) -> None:
    """What the sandbox cannot change is told with a message."""
    status, answer = client.ask("POST", "/_sandbox/org", value)
    assert status == 400
    assert answer["message"]


# -- faults ------------------------------------------------------------------------------------------------------------


def test_an_injected_answer_does_nothing_and_costs_nothing(client: Client, shelf: Shelf) -> None:
    """An injected status is answered as scripted, stands in the journal with cost 0, and nothing is stored."""
    client.faults({"do": {"status": 429, "headers": {"Retry-After": 3}, "body": {"message": "slow down"}}})
    client.connection.request("POST", "/items", b'["x"]')
    answer = client.connection.getresponse()
    assert (answer.status, answer.headers["Retry-After"]) == (429, "3")
    assert json.loads(answer.read()) == {"message": "slow down"}
    assert list(shelf.items) == ["A1"]
    assert client.ask("GET", "/_sandbox/journal")[1] == [
        {"method": "POST", "path": "/items", "status": 429, "api_calls": 0}
    ]


def test_a_text_body_is_sent_as_it_stands(client: Client) -> None:
    """A service that answers HTML can be played."""
    client.faults({"do": {"status": 503, "body": "<html>down</html>"}})
    client.connection.request("GET", "/items")
    answer = client.connection.getresponse()
    assert (answer.headers["Content-Type"], answer.read()) == ("text/html", b"<html>down</html>")


def test_times_counts_requests(client: Client) -> None:
    """A rule acts so many times, and no more."""
    client.faults({"times": 2, "do": {"status": 500}})
    assert [client.ask("GET", "/items")[0] for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({"method": "POST"}, False),
        ({"method": "g*"}, True),
        ({"path": "/ec*"}, True),
        ({"path": "/echo[?]q=SELECT*"}, True),
        ({"path": "*SELECT Id FROM*"}, True),
        ({"path": "*select*"}, False),
        ({"body": "*two words*"}, True),
        ({"body": "*two+words*"}, True),
        ({"body": "*three*"}, False),
        ({"path": "/echo", "body": "*three*"}, False),
        ({"method": None}, True),
    ],
)
def test_a_rule_matches_by_wildcards(client: Client, match: object, hit: bool) -> None:
    """Method, path (with or without query) and body (also percent-decoded) are compared, all that are given."""
    client.faults({"match": match, "do": {"status": 418}})
    assert (client.ask("GET", "/echo?q=SELECT%20Id+FROM+X", b"a=two+words")[0] == 418) is hit


def test_the_first_rule_decides_and_delays_add_up(client: Client, server: SandboxServer) -> None:
    """A delay lets a later rule decide; of two that decide only the first is used up."""
    client.faults(
        {"do": {"delay_seconds": 0.01}},
        {"times": 1, "do": {"status": 500}},
        {"times": 1, "do": {"status": 502}},
        {"do": {"delay_seconds": 0.01}},
    )
    assert [client.ask("GET", "/items")[0] for _ in range(3)] == [500, 502, 200]


def test_a_delayed_request_keeps_no_other_from_being_served(client: Client, server: SandboxServer) -> None:
    """While a request waits, others are answered."""
    client.faults({"match": {"path": "/echo"}, "do": {"delay_seconds": 3600}})
    waiting = Client(server)
    waiting.connection.request("GET", "/echo")
    assert client.ask("GET", "/items")[0] == 200
    waiting.connection.close()


def test_a_dropped_answer_was_committed(client: Client, shelf: Shelf) -> None:
    """The work is done and costs as usual, and the connection closes without an answer."""
    client.faults({"match": {"method": "POST"}, "do": {"drop_after_commit": True}})
    with pytest.raises(http.client.RemoteDisconnected):
        client.ask("POST", "/items", ["x"])
    assert sorted(shelf.items.values()) == ["seeded", "x"]
    assert client.ask("GET", "/_sandbox/journal")[1][0]["api_calls"] == 1


def test_a_late_commit_happens_after_the_client_left(client: Client, server: SandboxServer) -> None:
    """The work is done although nobody waits for its answer any more."""
    client.faults({"times": 1, "do": {"commit_late_seconds": 0.3}})
    leaving = Client(server)
    leaving.connection.request("POST", "/items", b'["late"]')
    leaving.connection.close()
    while client.ask("GET", "/_sandbox/records")[1]["Item"][-1]["Name"] != "late":
        time.sleep(0.02)


def test_a_late_commit_gives_no_answer(client: Client) -> None:
    """A client that is patient gets a closed connection, and no answer."""
    client.faults({"times": 1, "do": {"commit_late_seconds": 0.05}})
    with pytest.raises(http.client.RemoteDisconnected):
        client.ask("POST", "/items", ["x"])
    assert client.ask("GET", "/items")[1] == ["seeded", "x"]


def test_rows_fail_by_share(client: Client) -> None:
    """A share of the rows of a batch fails with the code, the same ones each time that the rules are set."""

    def store() -> list[str]:
        client.faults({"share": 0.5, "do": {"row_error": "UNABLE_TO_LOCK_ROW"}})
        rows: list[str] = client.ask("POST", "/items", [str(number) for number in range(40)])[1]
        return rows

    first = store()
    assert set(first) == {"UNABLE_TO_LOCK_ROW", "stored"}
    assert store() == first


def test_all_rows_fail_without_share(client: Client) -> None:
    """A row error without a share fails every row."""
    client.faults({"do": {"row_error": "LOCKED"}})
    assert client.ask("POST", "/items", ["x", "y"])[1] == ["LOCKED", "LOCKED"]


def test_a_share_of_requests_is_repeatable(client: Client) -> None:
    """A share of the requests is met, the same ones each time that the rules are set."""

    def ask() -> list[int]:
        client.faults({"share": 0.5, "do": {"status": 500}})
        return [client.ask("GET", "/items")[0] for _ in range(40)]

    first = ask()
    assert set(first) == {200, 500}
    assert ask() == first


def test_sessions_expire_and_the_request_is_served(client: Client, shelf: Shelf) -> None:
    """The tokens expire before the request, which the sandbox then answers itself."""
    client.faults({"times": 1, "do": {"expire_session": True}})
    assert client.ask("GET", "/items")[0] == 200
    assert shelf.expired == 1


def test_index_lag_lasts_until_the_rules_are_replaced(client: Client, shelf: Shelf) -> None:
    """The lag holds from the request that matched, and ends with the rules."""
    client.faults({"match": {"method": "POST"}, "do": {"index_lag_seconds": 5}})
    lags = [shelf.index_lag_seconds]
    client.ask("POST", "/items", ["x"])
    lags.append(shelf.index_lag_seconds)
    client.faults()
    assert [*lags, shelf.index_lag_seconds] == [0.0, 5.0, 0.0]


def test_a_record_is_patched_before_the_request(client: Client) -> None:
    """The request that matches sees the changed record."""
    change = {"object": "Item", "id": "A1", "fields": {"Name": "behind your back"}, "delete": False, "merge_into": None}
    client.faults({"do": {"patch": change}})
    assert client.ask("GET", "/items")[1] == ["behind your back"]


def test_a_deleting_patch_may_match_again(client: Client) -> None:
    """A patch without times that deletes leaves later requests alone."""
    client.faults({"do": {"patch": {"object": "Item", "id": "A1", "delete": True}}})
    assert [client.ask("GET", "/items") for _ in range(2)] == [(200, []), (200, [])]


def test_a_patch_of_nothing_is_told(client: Client) -> None:
    """A patch whose record was never there answers 500 and names it."""
    client.faults({"do": {"patch": {"object": "Item", "id": "Z9"}}})
    status, answer = client.ask("GET", "/items")
    assert status == 500
    assert "Item Z9" in answer["message"]


def test_a_merge_into_nothing_names_both_records(client: Client) -> None:
    """Whichever of the two is not there, the message has it."""
    client.faults({"do": {"patch": {"object": "Item", "id": "Z9", "merge_into": "A1"}}})
    assert "Item Z9 or A1" in client.ask("GET", "/items")[1]["message"]


def test_a_patch_that_cannot_be_done_is_told(client: Client) -> None:
    """What the CRM could not hold answers 500 with its reason: the rule is wrong, and not the sandbox."""
    client.faults({"do": {"patch": {"object": "Item", "id": "A1", "fields": {"Nmae": "x"}}}})
    assert client.ask("GET", "/items") == (
        500,
        {"message": "the fault's patch of Item A1 cannot be done: an Item has only a Name"},
    )


def test_faults_never_touch_the_control_plane(client: Client) -> None:
    """A rule for everything leaves the addresses under /_sandbox alone."""
    client.faults({"do": {"status": 500}})
    assert client.ask("GET", "/_sandbox/ids")[0] == 200


def test_faults_may_be_given_at_the_start(shelf: Shelf) -> None:
    """Rules handed to the server hold from the first request."""
    with SandboxServer(shelf, faults=[{"do": {"status": 503}}]) as server, talking(server) as client:
        assert client.ask("GET", "/items")[0] == 503


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({}, "faults: a list of rules is wanted"),
        ([3], "faults[0]: should be an object"),
        ([{}], "faults[0].do: "),
        ([{"do": {}}], "exactly one of status, delay_seconds, drop_after_commit"),
        ([{"do": {"status": 500}}, {"do": {"statuss": 1}}], "faults[1].do: exactly one of"),
        ([{"do": {"status": 500, "delay_seconds": 1}}], "got status, delay_seconds"),
        ([{"do": {"status": 500, "bodyy": 1}}], "faults[0].do.bodyy: unknown key; possible are status, headers, body"),
        ([{"do": {"status": "500"}}], "faults[0].do.status: "),
        ([{"do": {"status": 99}}], "faults[0].do.status: "),
        ([{"do": {"status": 200, "headers": {"X": "a\r\nb"}}}], "faults[0].do.headers.X"),
        ([{"do": {"delay_seconds": -1}}], "faults[0].do.delay_seconds: "),
        ([{"do": {"drop_after_commit": False}}], "faults[0].do.drop_after_commit: "),
        ([{"do": {"patch": {"id": "1"}}}], "faults[0].do.patch.object: "),
        ([{"do": {"patch": {"object": "X", "id": "1", "field": {}}}}], "possible are object, id, fields"),
        (
            [{"do": {"patch": {"object": "X", "id": "1", "merge_into": "1"}}}],
            "patch.merge_into: should be another record",
        ),
        ([{"when": {}, "do": {"status": 500}}], "faults[0].when: unknown key; possible are match, times, share, do"),
        ([{"match": {"url": "*"}, "do": {"status": 500}}], "faults[0].match.url: unknown key; possible are method"),
        ([{"times": -1, "do": {"status": 500}}], "faults[0].times: "),
        ([{"share": 1.5, "do": {"status": 500}}], "faults[0].share: "),
    ],
)
def test_a_wrong_rule_is_refused(rules: object, message: str) -> None:
    """The message names the place, what is wrong, and what is possible."""
    with pytest.raises(InputError) as caught:
        parse_faults(rules)
    assert message in str(caught.value)


def test_wrong_rules_replace_nothing(client: Client) -> None:
    """A list with a wrong rule is answered 400 with its message, and the rules before it stay."""
    client.faults({"do": {"status": 418}})
    status, answer = client.ask("POST", "/_sandbox/faults", [{"do": {"stat": 1}}])
    assert status == 400
    assert answer["message"].startswith("faults[0].do: ")
    assert client.ask("GET", "/items")[0] == 418
