"""What becomes of a request when the service answers badly, or not at all: over real HTTP, through the real SDK."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import failure
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.transport import judge, parsed, sort_of, unanswered
from hubspot.crm.objects import exceptions as sdk_exceptions
from urllib3 import exceptions as urllib3_exceptions

from connector_core.errors import (
    ConnectorError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.policy import Doubt, NoReplyError, NotSentError, Reply, RequestPolicy, Wait
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

READ = "/crm/objects/{version}/contacts/batch/read"
CREATE = "/crm/objects/{version}/calls/batch/create"
UPDATE = "/crm/objects/{version}/calls/batch/update"
Answers = list[Response | None]


class Service:
    """A service that answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: Answers = []
        self.requests: list[Request] = []
        self.last: Response | None = Response.of({"results": []})
        self._listener = Listener(self._answer, 0)
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"

    def _answer(self, request: Request) -> Response | None:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else self.last

    def close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    yield service
    service.close()


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpotClient]:
    monkeypatch.setattr(RequestPolicy, "_backoff", staticmethod(lambda _: 0.0))
    client = HubSpotClient(HubSpotSettings(access_token="word", base_url=service.url, timeout_seconds=0.5))
    yield client
    client.close()


def of_limit(**body: Any) -> Response:
    """Answer 429 as HubSpot does, without Retry-After."""
    return Response.of({"status": "error", "errorType": "RATE_LIMIT", **body}, 429)


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_a_request_carries_the_token_and_asks_for_gzip(service: Service, client: HubSpotClient) -> None:
    """The SDK's transport sends a bearer token, JSON, and takes compressed answers."""
    client.post(READ, {"inputs": []})
    headers = service.requests[0].headers
    wanted = {"authorization": "Bearer word", "accept-encoding": "gzip", "content-type": "application/json"}
    assert {name: headers[name] for name in wanted} == wanted


def test_the_version_stands_in_every_path(service: Service, client: HubSpotClient) -> None:
    """A template's version is the one constant, and its parts are escaped."""
    client.post("/crm/objects/{version}/{object}/search", {}, object="a/b")
    assert service.requests[0].path == "/crm/objects/2026-09/a/b/search"


def test_a_compressed_answer_is_read(service: Service, client: HubSpotClient) -> None:
    """An answer in gzip is as good as any."""
    body = gzip.compress(json.dumps({"results": [{"id": "1"}]}).encode())
    service.answers = [Response(200, body, {"Content-Type": "application/json", "Content-Encoding": "gzip"})]
    assert client.post(READ, {})["results"] == [{"id": "1"}]


def test_one_connection_serves_many_requests(client: HubSpotClient) -> None:
    """The pool is kept: requests one after the other share a connection."""
    for _ in range(5):
        client.post(READ, {})
    pools = client._pool.pools
    assert [pools[key].num_connections for key in pools.keys()] == [1]  # noqa: SIM118 - it iterates by keys() alone


# -- answers that are none ---------------------------------------------------------------------------------------------

BAD: list[Response | None] = [
    None,
    Response(200, b"<html>maintenance</html>", {"Content-Type": "text/html"}),
    Response(200, b""),
    Response(204, b""),
    Response(200, b'{"results": [', {"Content-Type": "application/json"}),
    Response(200, b"\xff\xfe\x00", {"Content-Type": "application/json;charset=UTF-8"}),
    Response(200, b"[]", {"Content-Type": "application/json"}),
    Response(200, b"no gzip at all", {"Content-Encoding": "gzip"}),
    Response(500, b"\xff\xfe"),
    Response(502, b"<html/>"),
    Response(524, b""),
    Response(530, b""),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_read_is_asked_again(service: Service, client: HubSpotClient, bad: Response | None) -> None:
    """A read that got no whole answer is sent again, and answered."""
    service.answers = [bad, bad]
    assert client.post(READ, {}) == {"results": []}


@pytest.mark.parametrize("bad", BAD)
def test_a_read_that_stays_unanswered_is_for_later(
    service: Service, client: HubSpotClient, bad: Response | None
) -> None:
    """A read that is never answered is to be tried again, after a bounded number of requests."""
    service.last = bad
    with pytest.raises(TryAgainError):
        client.post(READ, {})
    assert len(service.requests) == 4


@pytest.mark.parametrize("bad", BAD)
def test_a_create_is_never_sent_twice(service: Service, client: HubSpotClient, bad: Response | None) -> None:
    """A create that got no whole answer may have been executed: it is unknown, and not sent again."""
    service.last = bad
    with pytest.raises(OutcomeUnknownError):
        client.post(CREATE, {})
    assert len(service.requests) == 1


@pytest.mark.parametrize("bad", BAD)
def test_a_change_that_stays_unanswered_is_unknown(
    service: Service, client: HubSpotClient, bad: Response | None
) -> None:
    """A change by id is sent again, and unknown when it is never answered."""
    service.last = bad
    with pytest.raises(OutcomeUnknownError):
        client.post(UPDATE, {})
    assert len(service.requests) == 4


def test_a_create_that_was_limited_is_sent_again(service: Service, client: HubSpotClient) -> None:
    """A create that was refused for the limit was not executed, and is sent again."""
    service.answers = [Response(429, b"", {"Retry-After": "0"})]
    assert client.post(CREATE, {}) == {"results": []}


def test_a_service_that_is_not_there_was_not_reached(service: Service, client: HubSpotClient) -> None:
    """A refused connection leaves even a create surely unsent."""
    service.close()
    with pytest.raises(TryAgainError, match="cannot be reached"):
        client.post(CREATE, {})


def test_silence_times_out(service: Service, client: HubSpotClient) -> None:
    """Every request has a time-out: a service that takes connections and is silent does not hold us."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        deaf = HubSpotClient(HubSpotSettings(access_token="word", base_url=url, timeout_seconds=0.05))
        with pytest.raises(OutcomeUnknownError, match="ReadTimeoutError"):
            deaf.post(CREATE, {})
        deaf.close()


def test_a_redirect_is_not_followed(service: Service, client: HubSpotClient) -> None:
    """A token is not carried to wherever an answer points."""
    service.answers = [Response(302, b"", {"Location": f"{service.url}/elsewhere"})]
    with pytest.raises(TryAgainError):
        client.post(READ, {})
    assert len(service.requests) == 1


def test_the_daily_limit_ends_at_once(service: Service, client: HubSpotClient) -> None:
    """The limit of a day is not waited for, and says to come back much later."""
    service.last = of_limit(policyName="DAILY")
    with pytest.raises(TryAgainError) as caught:
        client.post(READ, {})
    assert (len(service.requests), caught.value.after_seconds) == (1, 3600)


def test_a_moving_account_says_when(service: Service, client: HubSpotClient) -> None:
    """Status 477 carries the wait of its Retry-After."""
    service.last = Response(477, b"", {"Retry-After": "7200"})
    with pytest.raises(TryAgainError) as caught:
        client.post(READ, {})
    assert (len(service.requests), caught.value.after_seconds) == (1, 7200)


@pytest.mark.parametrize(("base_url", "paced"), [("https://api.hubapi.com", True), ("http://127.0.0.1:1", False)])
def test_requests_to_hubspot_are_paced(base_url: str, paced: bool) -> None:
    """HubSpot's three limits are kept each on its own; a sandbox has none."""
    client = HubSpotClient(HubSpotSettings(access_token="word", base_url=base_url))
    lanes = client._api.rest_client.pool_manager._policy.lanes
    assert set(lanes) == ({"general", "search", "associations"} if paced else set())
    client.close()


# -- judging -----------------------------------------------------------------------------------------------------------


class Shown:
    """What a verdict is about."""

    def __init__(self, body: bytes) -> None:
        self.value = parsed(body)


@pytest.mark.parametrize(
    ("status", "headers", "body", "lane", "seconds"),
    [
        (429, {}, {"policyName": "TEN_SECONDLY_ROLLING"}, "general", 10),
        (429, {}, {"policyName": "SECONDLY"}, "general", 1),
        (429, {}, {}, "search", 1),
        (429, {}, {}, "general", 10),
        (429, {"retry-after": "3"}, {"policyName": "TEN_SECONDLY_ROLLING"}, "general", 3),
        (423, {}, {}, "general", 2),
        (423, {"retry-after": "5"}, {}, "general", 5),
        (477, {}, {}, "general", 3600),
    ],
)
def test_what_was_not_executed_waits(
    status: int, headers: dict[str, str], body: dict[str, str], lane: str, seconds: float
) -> None:
    """A limit is waited for as long as its answer says, else as long as its window is; a lock two seconds."""
    verdict = judge(Reply(status, headers, b"", Shown(json.dumps(body).encode())), lane)
    assert isinstance(verdict, Wait)
    assert verdict.after_seconds == seconds


@pytest.mark.parametrize("status", [500, 502, 503, 504, 521, 523, 524, 530, 408])
def test_a_server_error_is_a_doubt(status: int) -> None:
    """The statuses of an overloaded service, and of what stands before it, leave the outcome open."""
    assert isinstance(judge(Reply(status, {}, b"", Shown(b"")), "general"), Doubt)


@pytest.mark.parametrize(
    ("method", "path", "sort"),
    [
        ("GET", "/crm/owners/2026-09", ("general", True, True)),
        ("POST", "/crm/objects/2026-09/contacts/batch/read", ("general", True, True)),
        ("POST", "/crm/objects/2026-09/contacts/search", ("search", True, True)),
        ("POST", "/crm/associations/2026-09/contacts/deals/batch/read", ("associations", True, True)),
        ("POST", "/crm/objects/2026-09/calls/batch/create", ("general", False, False)),
        ("POST", "/crm/objects/2026-09/calls/batch/update", ("general", False, True)),
        ("POST", "/crm/associations/2026-09/calls/deals/batch/associate/default", ("associations", False, True)),
        ("POST", "/oauth/2026-09/token", ("general", True, True)),
    ],
)
def test_a_path_says_what_a_request_is(method: str, path: str, sort: tuple[str, bool, bool]) -> None:
    """The lane, whether it reads, and whether it may be repeated, follow from the path."""
    found = sort_of(method, f"https://api.hubapi.com{path}")
    assert (found.lane, found.reads, found.repeatable) == sort


# -- errors are mapped, all of them ------------------------------------------------------------------------------------


def subclasses(root: type[BaseException]) -> Iterator[type[BaseException]]:
    """Give a class and all below it."""
    yield root
    for below in root.__subclasses__():
        yield from subclasses(below)


def made(kind: type[BaseException]) -> BaseException:
    """Make an exception without its constructor, which differs from class to class."""
    error = kind.__new__(kind)
    error.args = ("test",)
    return error


@pytest.mark.parametrize("kind", sorted({*subclasses(urllib3_exceptions.HTTPError)}, key=lambda kind: kind.__name__))
def test_every_error_of_urllib3_is_mapped(kind: type[urllib3_exceptions.HTTPError]) -> None:
    """Whatever breaks below the SDK was either not sent or not answered."""
    assert isinstance(unanswered(made(kind)), (NotSentError, NoReplyError))  # type: ignore[arg-type] # made of kind


@pytest.mark.parametrize(
    "kind", sorted({*subclasses(sdk_exceptions.OpenApiException)}, key=lambda kind: f"{kind.__module__}{kind.__name__}")
)
@pytest.mark.parametrize("status", [None, 0, 302, 400, 401, 403, 404, 409, 414, 415, 477, 499])
def test_every_error_of_the_sdk_is_mapped(kind: type[Exception], status: int | None) -> None:
    """Whatever the SDK raises becomes an error of the connector."""
    error = made(kind)
    if status is not None:
        error.status, error.body = status, "<html/>"  # type: ignore[attr-defined] # as the SDK sets them
    assert isinstance(failure(error), ConnectorError)  # type: ignore[arg-type] # made of kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"category": "VALIDATION_ERROR", "message": "no"}, RefusedError),
        (401, {"category": "INVALID_AUTHENTICATION"}, CredentialsError),
        (401, {"category": "EXPIRED_AUTHENTICATION"}, CredentialsError),
        (401, {}, CredentialsError),
        (403, {"category": "MISSING_SCOPES"}, MissingRightError),
        (404, {}, RefusedError),
        (409, {"category": "CONFLICT"}, RefusedError),
    ],
)
def test_a_refusal_is_mapped(
    service: Service, client: HubSpotClient, status: int, body: dict[str, str], kind: type[ConnectorError]
) -> None:
    """A status that refuses becomes its kind of error, and is not tried again."""
    service.last = Response.of(body, status)
    with pytest.raises(kind):
        client.post(CREATE, {})
    assert len(service.requests) == 1


def test_a_page_of_html_is_a_refusal_too(service: Service, client: HubSpotClient) -> None:
    """HubSpot answers some 404 with a page."""
    service.last = Response(404, b"<html>\xff</html>", {"Content-Type": "text/html;charset=iso-8859-1"})
    with pytest.raises(RefusedError, match="status 404"):
        client.post(READ, {})


def test_a_message_carries_nothing_personal(service: Service, client: HubSpotClient) -> None:
    """What HubSpot says stands in an attribute of its own, not in the message."""
    body = {"category": "VALIDATION_ERROR", "message": "Email address carl@buyer.example is invalid"}
    service.last = Response.of(body, 400)
    with pytest.raises(RefusedError) as caught:
        client.post(READ, {})
    assert ("@" in str(caught.value), caught.value.sentence) == (False, body["message"])
