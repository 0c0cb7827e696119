"""Signing in, time-outs, retries and broken answers, against a server that says what a test tells it to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
import requests
import simple_salesforce.exceptions
from connector_salesforce import reading, rows
from connector_salesforce.client import Client
from connector_salesforce.failures import error_of_sdk, transport_error
from connector_salesforce.settings import SalesforceSettings
from connector_salesforce.soql import Query, split, within

from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    TryAgainError,
)
from connector_core.model import Unknown
from connector_core.policy import NoReplyError, NotSentError, RequestPolicy
from connector_core.tokens import Grant, MemoryTokens

EXPIRED = (401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
CONTACTS = Query("Contact", ("Id", "Name"), optional=("Title",))
TASK = {"attributes": {"type": "Task"}, "Subject": "Call"}
APP = {"client_id": "app", "client_secret": "hush"}


def records(*found: dict[str, Any], **more: Any) -> tuple[int, Any]:
    """Answer a composite of one query."""
    body = {"totalSize": len(found), "done": True, "records": list(found), **more}
    return 200, {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": 200, "httpHeaders": {}, "body": body}]}


def refusal(status: int, code: str, message: str = "") -> tuple[int, Any]:
    """Answer a composite whose one query is refused."""
    body = [{"errorCode": code, "message": message}]
    return 200, {"compositeResponse": [{"referenceId": "q0", "httpStatusCode": status, "body": body}]}


def more(number: int) -> str:
    """Name the page after one."""
    return f"/services/data/v66.0/query/01gAB-{number}"


@dataclass
class Org:
    """A server that answers what it is told, in order, and keeps what it was asked."""

    answers: list[Any] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, policy: RequestPolicy | None = None, **settings: Any) -> Client:
        given = {"instance_url": self.url, **(settings or {"access_token": "first"})}
        return Client(SalesforceSettings.model_validate(given), policy or RequestPolicy(sleep=self.sleeps.append))

    @property
    def tokens(self) -> list[str]:
        """The tokens that requests carried, in order."""
        return [
            headers["authorization"].removeprefix("Bearer ")
            for _, _, headers, _ in self.asked
            if "authorization" in headers
        ]


class Handler(BaseHTTPRequestHandler):
    """Answers from the script: a pair of status and body (text as it is, else JSON), or a callable, or None to hang up."""

    org: Org
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.org.lock:
            self.org.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            answer = self.org.answers.pop(0)
            answer = answer(self.path, self.headers, body) if callable(answer) else answer
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, content, *headers = answer
        data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        with contextlib.suppress(OSError):  # whoever asked may have stopped waiting
            self.end_headers()
            self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - http.server wants these names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Ends the connections that clients leave open when it is closed, and with them their threads."""

    daemon_threads = True

    def __init__(self, org: Org) -> None:
        self._taken: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), type("Bound", (Handler,), {"org": org}))

    def get_request(self) -> tuple[socket.socket, Any]:
        taken, address = super().get_request()
        self._taken.append(taken)
        return taken, address

    def server_close(self) -> None:
        super().server_close()
        for taken in self._taken:
            with contextlib.suppress(OSError):
                taken.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def org() -> Iterator[Org]:
    """Serve an org that is scripted by the test."""
    script = Org()
    server = Server(script)
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield script
    server.shutdown()
    server.server_close()
    thread.join()


def token(name: str, org: Org, **more: Any) -> tuple[int, Any]:
    return 200, {"access_token": name, "instance_url": org.url, "token_type": "Bearer", **more}


# -- signing in --------------------------------------------------------------------------------------------------------


def test_client_credentials_are_asked_for_at_the_orgs_own_address(org: Org) -> None:
    """The first request of an app is for a token, in a form body, at the org's token endpoint."""
    org.answers = [token("fresh", org), records()]
    org.client(**APP).ask([CONTACTS])

    method, path, _, body = org.asked[0]
    assert (method, path, body) == (
        "POST",
        "/services/oauth2/token",
        b"grant_type=client_credentials&client_id=app&client_secret=hush",
    )


def test_a_session_that_is_over_is_signed_in_again_and_the_request_repeated(org: Org) -> None:
    """A 401 costs one sign-in, and the answer is that of the repeated request."""
    org.answers = [token("one", org), EXPIRED, token("two", org), records({"Id": "003"})]

    assert org.client(**APP).ask([CONTACTS]) == [[{"Id": "003"}]]
    assert org.tokens == ["one", "two"]


def test_threads_whose_session_ended_together_sign_in_once(org: Org) -> None:
    """Eight threads on one expired token make one token request, not eight."""

    def serve(path: str, headers: Any, _: bytes) -> tuple[int, Any]:
        if path.endswith("/token"):
            return token("new" if issued else "old", org) if not issued.append(1) else token("new", org)
        return EXPIRED if headers["Authorization"].endswith("old") else records()

    issued: list[int] = []
    org.answers = [lambda path, headers, body: token("old", org)]
    client = org.client(**APP)
    client._sign_in.current()
    org.answers = [serve] * 64
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: client.ask([CONTACTS]), range(8)))

    assert len(issued) == 1


def test_a_second_401_ends_it(org: Org) -> None:
    """A session that is refused right after it was granted is a matter of credentials, and no third try is made."""
    org.answers = [token("one", org), EXPIRED, token("two", org), EXPIRED]
    with pytest.raises(CredentialsError):
        org.client(**APP).ask([CONTACTS])


@pytest.mark.parametrize("body", [EXPIRED[1], "<html>401</html>", "", {"error": "x"}])
def test_a_token_that_was_handed_in_is_not_renewed(org: Org, body: Any) -> None:
    """A refused access token is told at once, whatever the body of the 401."""
    org.answers = [(401, body)]
    with pytest.raises(CredentialsError, match="hand in a new one"):
        org.client().ask([CONTACTS])


def test_an_expired_session_may_come_as_403(org: Org) -> None:
    """The code decides, not the status: INVALID_SESSION_ID in a 403 is an ended session too."""
    org.answers = [token("one", org), (403, EXPIRED[1]), token("two", org), records()]

    assert org.client(**APP).ask([CONTACTS]) == [[]]


def test_a_refused_sign_in_is_not_repeated_at_once(org: Org) -> None:
    """Repeated failures would lock the user: the second attempt sends nothing."""
    org.answers = [(400, {"error": "invalid_client", "error_description": "invalid client credentials"})]
    client = org.client(**APP)
    for _ in range(2):
        with pytest.raises(CredentialsError, match="invalid_client"):
            client.ask([CONTACTS])

    assert len(org.asked) == 1


CONSENTED = {"client_id": "app", "refresh_token": "consented"}


def test_a_refresh_token_is_used_instead_of_the_apps_own_credentials(org: Org) -> None:
    """What a person consented to acts as that person; the secret goes along where there is one."""
    org.answers = [token("fresh", org), records(), token("fresh", org), records()]
    org.client(**CONSENTED).ask([CONTACTS])
    org.client(**CONSENTED, client_secret="hush").ask([CONTACTS])

    assert [parse_qs(org.asked[place][3].decode()) for place in (0, 2)] == [
        {"grant_type": ["refresh_token"], "client_id": ["app"], "refresh_token": ["consented"], **secret}
        for secret in ({}, {"client_secret": ["hush"]})
    ]


SIGNED = {"client_id": "app", "username": "integration@acme.example"}


def test_an_assertion_says_who_where_and_until_when(org: Org, keys: Any) -> None:
    """And nothing else; the form that carries it has neither the app nor a secret beside it."""
    org.answers = [token("fresh", org), records()]
    org.client(**SIGNED, private_key=keys.private).ask([CONTACTS])
    form = {name: value for name, (value,) in parse_qs(org.asked[0][3].decode()).items()}
    claims = jwt.decode(form.pop("assertion"), options={"verify_signature": False})
    left = claims.pop("exp") - time.time()

    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    assert claims == {"iss": "app", "sub": "integration@acme.example", "aud": "https://test.salesforce.com"}
    assert 0 < left <= 180


def test_a_refusal_of_an_assertion_in_words_that_are_not_known_names_the_settings(org: Org, keys: Any) -> None:
    """No secret is among them, and no run-as user."""
    org.answers = [(400, {"error": "invalid_grant", "error_description": "something new"})]
    with pytest.raises(CredentialsError, match=r"check client_id, username, private_key, and what the app allows$"):
        org.client(**SIGNED, private_key=keys.private).ask([CONTACTS])


def test_a_stored_refresh_token_does_not_stand_in_for_a_key(org: Org, keys: Any) -> None:
    """A store that a former sign-in left keeps its access token in use; then the key signs."""
    org.answers = [EXPIRED, token("fresh", org), records()]
    store = MemoryTokens(Grant("stored", "consented"))
    given = {"instance_url": org.url, **SIGNED, "private_key": keys.private}
    Client(SalesforceSettings.model_validate(given), tokens=store).ask([CONTACTS])

    assert b"grant_type=urn" in org.asked[1][3]
    assert org.tokens == ["stored", "fresh"]


def test_two_refreshes_at_once_are_no_refusal(org: Org) -> None:
    """Salesforce refuses the second one while it is at the first: it may be asked again."""
    busy = {"error": "invalid_request", "error_description": "Token request is already being processed"}
    org.answers = [(400, busy), token("fresh", org), records()]
    client = org.client(**CONSENTED)
    with pytest.raises(TryAgainError):
        client.ask([CONTACTS])

    assert client.ask([CONTACTS]) == [[]]


@pytest.mark.parametrize(
    ("settings", "code", "advice"),
    [
        (CONSENTED, "invalid_grant", "the refresh token ended, was used twice, or was revoked; sign in anew"),
        (CONSENTED, "invalid_client_id", "check client_id, client_secret"),
        (APP, "invalid_grant", "client credentials need a run-as user"),
    ],
)
def test_a_refusal_says_what_to_do(org: Org, settings: dict[str, str], code: str, advice: str) -> None:
    """By the way in which the connection signs in."""
    org.answers = [(400, {"error": code, "error_description": "expired access/refresh token"})]
    with pytest.raises(CredentialsError, match=advice):
        org.client(**settings).ask([CONTACTS])


@pytest.mark.parametrize(
    ("sentence", "advice"),
    [
        ("ip restricted", "check their IP ranges"),
        ("inactive user", "inactive or frozen"),
        ("invalid login hours", "hours alone"),
    ],
)
@pytest.mark.parametrize("flow", ["app", "consent", "key"])
def test_a_refusal_of_the_user_sends_nobody_to_sign_in_anew(
    org: Org, keys: Any, flow: str, sentence: str, advice: str
) -> None:
    """Another token, secret or key would be refused as well."""
    settings = {"app": APP, "consent": CONSENTED, "key": {**SIGNED, "private_key": keys.private}}[flow]
    org.answers = [(400, {"error": "invalid_grant", "error_description": sentence})]
    with pytest.raises(CredentialsError, match=advice):
        org.client(**settings).ask([CONTACTS])


def test_a_stored_address_is_checked_before_a_token_goes_there(org: Org) -> None:
    """Who can write to a store cannot send the token elsewhere."""
    store = MemoryTokens(Grant("stored", "consented", origin="https://evil.example"))
    settings = SalesforceSettings.model_validate({"instance_url": org.url, **CONSENTED})
    with pytest.raises(ConfigurationError, match="none of its own"):
        Client(settings, tokens=store).ask([CONTACTS])

    assert org.asked == []


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("unknown_error", "retry your request"),
        ("invalid_grant", "login rate exceeded"),
        ("LOGIN_RATE_EXCEEDED", "Login Rate Exceeded"),
        ("rate_limit_exceeded", "number of login attempts has been exceeded"),
    ],
)
def test_what_passes_at_the_token_endpoint_is_no_refusal(org: Org, code: str, sentence: str) -> None:
    """A connection is not stopped for good by what Salesforce itself says to try again."""
    org.answers = [(400, {"error": code, "error_description": sentence})]
    with pytest.raises(TryAgainError):
        org.client(**APP).ask([CONTACTS])


def test_a_token_endpoint_in_maintenance_is_no_refusal(org: Org) -> None:
    """A 503 with a page of HTML says nothing about the credentials."""
    org.answers = [(503, "<html>")] * 4
    with pytest.raises(TryAgainError):
        org.client(**APP).ask([CONTACTS])


@pytest.mark.parametrize(
    "address", ["https://evil.example", "http://evil.example", 7, "https://x.salesforce.com@evil.example"]
)
def test_a_token_for_another_address_is_not_used(org: Org, address: object) -> None:
    """The address that comes with a token is held to the same rule as the one in the settings."""
    org.answers = [(200, {"access_token": "t", "instance_url": address})]
    with pytest.raises(ConfigurationError):
        org.client(**APP).ask([CONTACTS])


def test_a_netrc_file_does_not_replace_the_token(org: Org, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """requests would take a password for the host from a .netrc file: the token stays."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    org.answers = [records()]
    org.client().ask([CONTACTS])

    assert org.tokens == ["first"]


# -- answers that are none ---------------------------------------------------------------------------------------------

BROKEN = [(200, "<html>login</html>"), (200, ""), (200, "7"), (502, "<html>"), (500, ""), (420, ""), None]


@pytest.mark.parametrize("answer", BROKEN)
def test_a_read_without_answer_is_repeated_then_told(org: Org, answer: Any) -> None:
    """A read that gets HTML, nothing or garbage is asked again, four times in all, and then to be tried later."""
    org.answers = [answer] * 4
    with pytest.raises(TryAgainError):
        org.client().ask([CONTACTS])

    assert len(org.asked) == 4


@pytest.mark.parametrize("answer", BROKEN)
def test_a_create_without_answer_is_not_repeated(org: Org, answer: Any) -> None:
    """A create that gets HTML, nothing or garbage is unknown, and sent once."""
    org.answers = [answer]

    assert isinstance(rows.write(org.client(), "POST", [TASK])[0], rows.Unsure)
    assert len(org.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"compositeResponse": []}, {"compositeResponse": [{"referenceId": "q0"}]}, {"compositeResponse": 7}],
)
def test_json_that_is_no_composite_is_no_answer(org: Org, answer: Any) -> None:
    """JSON of another shape is told as an answer that makes no sense, not as a crash."""
    org.answers = [(200, answer)]
    with pytest.raises(TryAgainError):
        org.client().ask([CONTACTS])


@pytest.mark.parametrize(
    "answer", [[], {}, [{}], [7], [{"success": True}], [{"success": False, "errors": []}], [{}, {}]]
)
def test_rows_that_say_nothing_are_unknown(org: Org, answer: Any) -> None:
    """A collection that answers another number of rows, or rows without sense, leaves them unknown."""
    org.answers = [(200, answer)]

    assert isinstance(rows.write(org.client(), "POST", [TASK])[0], rows.Unsure)


def test_nobody_there_is_told_as_not_sent(org: Org) -> None:
    """A port where nobody listens: nothing was sent, even a create may be tried again."""
    client = Client(
        SalesforceSettings.model_validate({"instance_url": "http://127.0.0.1:1", "access_token": "x"}),
        RequestPolicy(sleep=org.sleeps.append),
    )
    with pytest.raises(TryAgainError):
        rows.write(client, "POST", [TASK])


def test_a_service_that_does_not_answer_in_time_leaves_a_create_unknown(org: Org) -> None:
    """After the time-out a create is unknown."""
    release = threading.Event()

    def late(*_: Any) -> tuple[int, Any]:
        release.wait(5)
        return 200, []

    org.answers = [late]
    outcome = rows.write(org.client(access_token="x", timeout_seconds=0.2), "POST", [TASK])
    release.set()

    assert isinstance(outcome[0], rows.Unsure)


def test_a_redirect_is_not_followed(org: Org) -> None:
    """The token goes to no other place than the one that was checked."""
    org.answers = [(302, "", {"Location": f"{org.url}/elsewhere"})]
    with pytest.raises(ConfigurationError):
        org.client().ask([CONTACTS])

    assert len(org.asked) == 1


@pytest.mark.parametrize(
    "address", ["@evil.example/services/data/v66.0/query/01g-2000", "https://evil.example/", "", None, 7]
)
def test_a_next_page_elsewhere_is_not_read(org: Org, address: object) -> None:
    """The address of a next page is an address of queries, or the answer counts as cut short."""
    org.answers = [records({"Id": "003"}, done=False, nextRecordsUrl=address)]

    assert "no next one" in str(org.client().ask([CONTACTS])[0])


def test_pages_are_followed(org: Org) -> None:
    """A result of two pages costs two requests and is whole."""
    page = {"totalSize": 2, "done": True, "records": [{"Id": "2"}]}
    org.answers = [
        records({"Id": "1"}, done=False, nextRecordsUrl="/services/data/v66.0/query/01gAB-2000"),
        (200, page),
    ]

    assert org.client().ask([CONTACTS]) == [[{"Id": "1"}, {"Id": "2"}]]


def test_a_result_is_read_to_its_last_page_however_many_there_are(org: Org) -> None:
    """Rows of related records fill pages too, and wide ones make them small: a large account takes a hundred."""
    first, *others = [{"records": [{"Id": str(n)}], "done": n == 120, "nextRecordsUrl": more(n)} for n in range(121)]
    org.answers = [records(**first), *((200, page) for page in others)]
    (answer,) = org.client().ask([CONTACTS])

    assert isinstance(answer, list)
    assert len(answer) == 121


def test_a_page_that_leads_back_ends(org: Org) -> None:
    """Pages that go round in a circle are no whole answer."""
    page = {"records": [{"Id": "1"}], "done": False, "nextRecordsUrl": more(1)}
    org.answers = [records(**page), (200, page), (200, page)]

    assert "no next one" in str(org.client().ask([CONTACTS])[0])


def test_a_session_that_ends_within_a_request_or_between_pages_is_renewed(org: Org) -> None:
    """Neither is a refusal of the credentials, after which a connection would wait for a person."""
    first = records({"Id": "1"}, done=False, nextRecordsUrl=more(1))
    last = (200, {"totalSize": 2, "done": True, "records": [{"Id": "2"}]})
    over = refusal(401, "INVALID_SESSION_ID")
    org.answers = [token("a", org), over, token("b", org), first, EXPIRED, token("c", org), last]

    assert org.client(**APP).ask([CONTACTS]) == [[{"Id": "1"}, {"Id": "2"}]]


def test_a_cut_off_page_makes_the_query_unknown(org: Org) -> None:
    """A cursor that Salesforce forgot leaves the query unknown, not short."""
    gone = (400, [{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}])
    org.answers = [records({"Id": "1"}, done=False, nextRecordsUrl="/services/data/v66.0/query/01gAB-2000"), gone]

    assert "INVALID_QUERY_LOCATOR" in str(org.client().ask([CONTACTS])[0])


# -- limits and rights -------------------------------------------------------------------------------------------------


def test_a_create_is_sent_again_after_a_limit(org: Org) -> None:
    """A limit says that nothing was executed: the create is sent again, and the wait is the one that was asked for."""
    created = [{"id": "00T1", "success": True, "errors": []}]
    org.answers = [(429, "", {"Retry-After": "3"}), (200, created)]

    assert rows.write(org.client(), "POST", [TASK]) == [rows.Done("00T1")]
    assert org.sleeps == [3.0]


def test_the_daily_limit_is_not_waited_for(org: Org) -> None:
    """When the day's requests are used up, that is told at once with the time to come back."""
    org.answers = [(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}])]
    with pytest.raises(TryAgainError) as caught:
        org.client().ask([CONTACTS])

    assert (caught.value.after_seconds, len(org.asked)) == (3600.0, 1)


@pytest.mark.parametrize(
    "message",
    [
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        "ConcurrentPerOrgLongTxn Limit exceeded",
    ],
)
def test_too_many_long_requests_are_waited_for(org: Org, message: str) -> None:
    """The same code as the day's limit, with another sentence: the request is sent again when a long one can be over."""
    org.answers = [(403, [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": message}]), records()]

    assert org.client().ask([CONTACTS]) == [[]]
    assert org.sleeps == [20.0]


@pytest.mark.parametrize(("status", "code"), [(503, "SERVER_UNAVAILABLE"), (400, "UNKNOWN_EXCEPTION")])
@pytest.mark.parametrize("create", [False, True])
def test_an_overloaded_server_is_a_doubt(org: Org, create: bool, status: int, code: str) -> None:
    """It does not say that nothing was done: a read is sent again, a create is unknown."""
    org.answers = [(status, [{"errorCode": code, "message": "busy"}]), records()]
    client = org.client()
    if create:
        assert isinstance(rows.write(client, "POST", [TASK])[0], rows.Unsure)
    else:
        assert client.ask([CONTACTS]) == [[]]

    assert len(org.asked) == (1 if create else 2)


def test_a_locked_row_in_a_refusal_of_its_own_is_sent_again(org: Org) -> None:
    """UNABLE_TO_LOCK_ROW says that nothing was done, whatever the status: even a create is sent again."""
    locked = (400, [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "unable to obtain exclusive access"}])
    org.answers = [locked, (200, [{"id": "00T1", "success": True, "errors": []}])]

    assert rows.write(org.client(), "POST", [TASK]) == [rows.Done("00T1")]


def test_only_the_rows_that_were_locked_are_sent_again(org: Org) -> None:
    """Of three rows the one that was held is sent again, alone, after a spread wait."""

    def row(number: int, error: str | None = None) -> dict[str, Any]:
        errors = [{"statusCode": error, "message": error, "fields": []}] if error else []
        return {"id": None if error else f"00T{number}", "success": not error, "errors": errors}

    org.answers = [(200, [row(0), row(1, "UNABLE_TO_LOCK_ROW"), row(2)]), (200, [row(1)])]
    outcomes = rows.write(org.client(), "POST", [{**TASK, "Subject": f"Call {n}"} for n in range(3)])
    again = json.loads(org.asked[1][3])["records"]

    assert outcomes == [rows.Done(f"00T{n}") for n in range(3)]
    assert [it["Subject"] for it in again] == ["Call 1"]
    assert 1.0 <= org.sleeps[0] <= 1.5


def test_rows_that_are_too_many_for_a_trigger_are_sent_again_by_fewer(org: Org) -> None:
    """Apex has limits for a whole collection: 60 rows go again as 50 and 10, and are written then."""

    def rows_of(_: str, __: Any, body: bytes) -> tuple[int, Any]:
        sizes.append(len(json.loads(body)["records"]))
        error = {"statusCode": "CANNOT_EXECUTE_FLOW_TRIGGER", "message": "Too many SOQL queries: 101", "fields": []}
        bad = {"success": False, "errors": [error]}
        return 200, [bad if sizes[-1] > 50 else {"id": "00T1", "success": True, "errors": []}] * sizes[-1]

    sizes: list[int] = []
    org.answers = [rows_of] * 3
    outcomes = rows.write(org.client(), "POST", [TASK] * 60)

    assert (sizes, set(outcomes)) == ([60, 50, 10], {rows.Done("00T1")})


@pytest.mark.parametrize(
    ("header", "quota"),
    [
        ("api-usage=18/5000", (5000, 18)),
        ("api-usage=18/5000; per-app-api-usage=17/250(appName=sample-app)", (250, 17)),
        ("api-usage=4990/5000;per-app-api-usage=17/250(appName=x)", (5000, 4990)),
        ("api-usage=5100/5000", (5000, 5100)),
        ("api-usage=", None),
        ("api-usage=1.5/x", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [200, 403])
def test_the_days_requests_are_read_from_every_answer(
    org: Org, header: str, quota: tuple[int, int] | None, status: int
) -> None:
    """Sforce-Limit-Info stands on refusals too; of the org's allowance and the app's the scarcer one counts."""
    body = (
        records()[1] if status == 200 else [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit"}]
    )
    org.answers = [(status, body, {"Sforce-Limit-Info": header})]
    client = org.client()
    with contextlib.suppress(TryAgainError):
        client.ask([CONTACTS])
    found = client.policy.meter.quota

    assert (found and (found.limit, found.used)) == quota


def test_no_more_than_five_requests_are_in_flight(org: Org) -> None:
    """An org counts long requests at the same time: the sixth thread waits until one is answered."""
    together = threading.Barrier(5)
    flying, most, lock = [0], [0], threading.Lock()

    def serve(*_: Any) -> tuple[int, Any]:
        with lock:
            flying[0] += 1
            most[0] = max(most[0], flying[0])
        org.lock.release()  # the script is served one at a time otherwise
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(5)
        org.lock.acquire()
        with lock:
            flying[0] -= 1
        return records()

    org.answers = [serve] * 10
    client = Client(SalesforceSettings.model_validate({"instance_url": org.url, "access_token": "x"}))
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: client.ask([CONTACTS]), range(10)))

    assert (len(found), most[0]) == (10, 5)


def test_a_hidden_optional_column_is_left_out_and_remembered(org: Org, caplog: pytest.LogCaptureFixture) -> None:
    """A column that the user may not see is dropped with a warning, and not asked for a second time."""
    org.answers = [
        refusal(
            400, "INVALID_FIELD", "\nName, Title FROM\n ^\nERROR at Row:1\nNo such column 'Title' on entity 'Contact'."
        ),
        records({"Id": "003"}),
        records(),
    ]
    client = org.client()
    client.ask([CONTACTS])
    client.ask([CONTACTS])

    assert [b"Title" in body for _, _, _, body in org.asked] == [True, False, False]
    assert "cannot see Title" in caplog.text


def test_a_hidden_needed_column_is_a_missing_right(org: Org) -> None:
    """A column without which nothing can be decided names the right that is missing."""
    org.answers = [refusal(400, "INVALID_FIELD", "No such column 'Name' on entity 'Contact'.")]
    with pytest.raises(MissingRightError) as caught:
        org.client().ask([CONTACTS])

    assert caught.value.right == "Contact.Name"


def test_a_missing_object_is_a_missing_right(org: Org) -> None:
    """An object that the user may not read is named."""
    org.answers = [refusal(400, "INVALID_TYPE", "sObject type 'Contact' is not supported.")]
    with pytest.raises(MissingRightError) as caught:
        org.client().ask([CONTACTS])

    assert caught.value.right == "Contact"


def test_a_query_that_ran_too_long_is_unknown(org: Org) -> None:
    """A query that Salesforce gave up on is unknown; others of the same request are answered."""
    org.answers = [refusal(400, "QUERY_TIMEOUT", "Your query request was running for too long.")]

    assert "QUERY_TIMEOUT" in str(org.client().ask([CONTACTS])[0])


@pytest.mark.parametrize("code", ["QUERY_TIMEOUT", "OPERATION_TOO_LARGE", "QUERY_TOO_COMPLICATED"])
def test_a_query_that_is_too_much_is_asked_in_parts(org: Org, code: str) -> None:
    """A quarter of the keys at a time; what two of them give is one row."""
    keys = [f"a{number}@x.example" for number in range(40)]
    ((_, query),) = split(keys, lambda part: Query("Contact", ("Id",), (within("Email", part),)))
    rows = [[{"Id": "1"}], [{"Id": "1"}, {"Id": "2"}], [], [{"Id": "3"}]]
    answered = [
        {"referenceId": f"q{at}", "httpStatusCode": 200, "body": {"done": True, "records": it}}
        for at, it in enumerate(rows)
    ]
    org.answers = [refusal(400, code), (200, {"compositeResponse": answered})]

    assert org.client().ask([query]) == [[{"Id": "1"}, {"Id": "2"}, {"Id": "3"}]]
    assert [body.count(b"%40x.example") for _, _, _, body in org.asked] == [40, 40]


def test_a_query_for_a_few_is_not_parted_further(org: Org) -> None:
    """An org that gives up on them too is not asked a hundred times."""
    keys = [f"a{number}@x.example" for number in range(10)]
    ((_, query),) = split(keys, lambda part: Query("Contact", ("Id",), (within("Email", part),)))
    org.answers = [refusal(400, "QUERY_TIMEOUT")]

    assert isinstance(org.client().ask([query])[0], Unknown)


def test_a_record_whose_query_ran_too_long_is_unknown(org: Org) -> None:
    """A record that was not asked for to the end is not told as gone."""
    too_long = {"httpStatusCode": 400, "body": [{"errorCode": "QUERY_TIMEOUT", "message": ""}]}
    org.answers = [(200, {"compositeResponse": [{"referenceId": f"q{number}", **too_long} for number in range(2)]})]
    (found,) = reading.read_accounts(org.client(), ["001000000000001AAA"]).values()

    assert isinstance(found, Unknown)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_no_write_runs_assignment_rules(org: Org, method: Any) -> None:
    """They run unless they are switched off, and would change the owner of a lead whose field is filled."""
    org.answers = [(200, [{"id": "00Q000000000001AAA", "success": True, "errors": []}])]
    lead = {"attributes": {"type": "Lead"}, "id": "00Q000000000001AAA", "Title": "CTO"}
    rows.write(org.client(), method, [lead])

    assert [headers.get("sforce-auto-assign") for _, _, headers, _ in org.asked] == ["FALSE"]


def test_a_retired_version_is_a_matter_of_configuration(org: Org) -> None:
    """410 says that the version is gone: nothing that waiting would mend."""
    org.answers = [(410, [{"errorCode": "UNSUPPORTED_API_VERSION", "message": "GONE"}])]
    with pytest.raises(ConfigurationError, match="api_version"):
        org.client().ask([CONTACTS])


# -- completeness ------------------------------------------------------------------------------------------------------


def _all_below(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _all_below(below)


@pytest.mark.parametrize("kind", sorted(set(_all_below(simple_salesforce.exceptions.SalesforceError)), key=str))
@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 409, 429, 500, 503])
def test_every_exception_of_the_sdk_is_one_of_ours(kind: Any, status: int) -> None:
    """Each exception of the SDK, with each status, becomes an error of the core that quotes nothing of the body."""
    if kind is simple_salesforce.exceptions.SalesforceAuthenticationFailed:
        error = kind(status, "someone@customer.example")
    else:
        error = kind("https://x/?q=someone@customer.example", status, "query", b"someone@customer.example")
    mapped = error_of_sdk(error, "Contact")

    assert isinstance(mapped, ConnectorError)
    assert "customer" not in str(mapped)


RAISED_BY_SENDING = set(_all_below(requests.RequestException)) - {requests.exceptions.JSONDecodeError}


@pytest.mark.parametrize("kind", sorted(RAISED_BY_SENDING, key=str))
def test_every_exception_of_requests_is_known_to_the_policy(kind: Any) -> None:
    """Each exception of requests says whether the request was sent, or that it cannot be."""
    mapped = transport_error(kind("someone@customer.example"))

    assert isinstance(mapped, NotSentError | NoReplyError | ConfigurationError)
    assert "customer" not in str(mapped)


def test_an_unknown_outcome_is_told_by_row_and_never_raised(org: Org) -> None:
    """Of two collections the second is not answered: what the first wrote is not lost."""
    created = [{"id": f"00T{number}", "success": True, "errors": []} for number in range(rows.AT_ONCE)]
    org.answers = [(200, created), None]
    outcomes = rows.write(org.client(), "POST", [TASK] * (rows.AT_ONCE + 1))

    assert outcomes[0] == rows.Done("00T0")
    assert isinstance(outcomes[-1], rows.Unsure)


def test_a_policy_error_keeps_its_kind(org: Org) -> None:
    """What the policy raises passes through the SDK as it is."""
    org.answers = [None]
    client = org.client()
    with pytest.raises(OutcomeUnknownError):
        client.call("x", lambda sdk: sdk.restful("x", method="POST", json={}))
