"""What becomes of a request when Odoo answers badly, or not at all: over real HTTP.

The bodies of refusals are those of a server of version 19, tracebacks left out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from connector_odoo.client import OdooClient
from connector_odoo.failures import NoSuchModelError
from connector_odoo.settings import OdooSettings

from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.meter import Meter
from connector_core.policy import RequestPolicy
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

KEY = "sesame" * 6
ACCESS = (
    "You are not allowed to create 'User' (res.users) records.\n\nThis operation is allowed for the following groups:"
)


def told(status: int, name: str, message: str, **headers: str) -> Response:
    """Answer an exception as Odoo does."""
    body = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": "Traceback"}
    return Response.of(body, status, headers=headers)


class Service:
    """A service that answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Response | None] = []
        self.requests: list[Request] = []
        self._listener = Listener(self._answer, 0)
        threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"

    def _answer(self, request: Request) -> Response | None:
        self.requests.append(request)
        return self.answers.pop(0) if self.answers else Response.of([])

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown()
        self._listener.server_close()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Start a service; back-off takes no time."""
    monkeypatch.setattr(RequestPolicy, "_backoff", staticmethod(lambda _: 0.0))
    service = Service()
    yield service
    service.close()


@pytest.fixture
def client(service: Service) -> Iterator[OdooClient]:
    """Connect to the service."""
    client = OdooClient(OdooSettings(base_url=service.url, database="acme", api_key=KEY, timeout_seconds=5))
    yield client
    client.close()


def test_a_call_says_what_odoo_wants_to_know(service: Service, client: OdooClient) -> None:
    """Model and method are in the path, the arguments in the body, key and database in headers."""
    client.read("res.partner", "search", domain=[["id", "=", 1]])

    (request,) = service.requests
    assert (request.method, request.path) == ("POST", "/json/2/res.partner/search")
    assert json.loads(request.body) == {"domain": [["id", "=", 1]]}
    assert (request.headers["authorization"], request.headers["x-odoo-database"]) == (f"bearer {KEY}", "acme")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (told(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey"), CredentialsError),
        (told(403, "odoo.exceptions.AccessDenied", "Access Denied"), CredentialsError),
        (told(403, "odoo.exceptions.AccessError", ACCESS), MissingRightError),
        (Response(403, b"<html>Forbidden</html>"), MissingRightError),
        (told(404, "werkzeug.exceptions.NotFound", "the model 'crm.lead' does not exist"), ConfigurationError),
        (Response(404, b"<!DOCTYPE html>\n<title>404 Not Found</title>"), ConfigurationError),
        (told(404, "odoo.exceptions.MissingError", "Record does not exist or has been deleted."), RefusedError),
        (told(422, "odoo.exceptions.ValidationError", "The operation cannot be completed"), RefusedError),
        (told(422, "odoo.exceptions.UserError", "No."), RefusedError),
        (told(422, "werkzeug.exceptions.UnprocessableEntity", "missing a required argument: 'domain'"), ContractError),
        (told(400, "werkzeug.exceptions.BadRequest", "could not parse the body as json"), ContractError),
        (told(500, "builtins.ValueError", "Invalid field 'nofield' on 'res.partner'"), RefusedError),
        (told(500, "psycopg2.errors.NumericValueOutOfRange", "integer out of range"), RefusedError),
        (Response(413, b"<html>Too large</html>"), RefusedError),
        (Response(302, b"", {"Location": "https://evil.example/json/2/x"}), ConfigurationError),
        (Response(418, b"tea"), ConfigurationError),
    ],
)
def test_a_refusal_is_told_by_what_to_do(
    service: Service, client: OdooClient, answer: Response, error: type[ConnectorError]
) -> None:
    """Each refusal has its kind of error, and nothing is sent again."""
    service.answers = [answer]

    with pytest.raises(error) as caught:
        client.create("crm.lead", [{"name": "x"}], {})

    exact = {ConfigurationError: (ConfigurationError, NoSuchModelError)}.get(error, (error,))
    assert type(caught.value) in exact
    assert len(service.requests) == 1


def test_a_redirect_takes_the_key_nowhere(service: Service, client: OdooClient) -> None:
    """A redirect is not followed, whatever it redirects to."""
    service.answers = [Response(307, b"", {"Location": f"{service.url}/elsewhere"})]

    with pytest.raises(ConfigurationError, match="redirects"):
        client.read("res.partner", "search", domain=[])

    assert [request.path for request in service.requests] == ["/json/2/res.partner/search"]


@pytest.mark.parametrize(
    ("message", "field", "code"),
    [
        ("Invalid field 'nofield' in 'crm.lead'", "nofield", "InvalidField"),
        ("Invalid field 'nofield' on 'res.partner'", "nofield", "InvalidField"),
        ("Invalid field res.partner.nofield in condition ('nofield', '=', 1)", "nofield", "InvalidField"),
        ("Wrong value for crm.lead.type: 'zzz'", "type", "ValueError"),
        ("Missing required value for the field 'Opportunity' (name).\nModel: 'Lead' (crm.lead)", "name", "ValueError"),
        ("time data 'abc' does not match format '%Y-%m-%d'", None, "ValueError"),
    ],
)
def test_a_refusal_names_its_field(
    service: Service, client: OdooClient, message: str, field: str | None, code: str
) -> None:
    """The field is read from what Odoo says, where it says it, and a field that is not there has a code of its own."""
    service.answers = [told(500, "builtins.ValueError", message)]

    with pytest.raises(RefusedError) as caught:
        client.read("crm.lead", "search", domain=[])

    assert (caught.value.field, caught.value.code, caught.value.sentence) == (field, code, message)


def test_what_odoo_says_stays_out_of_messages(service: Service, client: OdooClient) -> None:
    """A sentence of Odoo's may name people: it is no part of the message, and neither is the key."""
    service.answers = [told(422, "odoo.exceptions.ValidationError", "carla.client@example.com is taken")]

    with pytest.raises(RefusedError) as caught:
        client.read("res.partner", "search", domain=[])

    assert "carla" not in str(caught.value)
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        told(500, "psycopg2.errors.SerializationFailure", "could not serialize access"),
        told(409, "odoo.exceptions.LockError", "Cannot grab a lock on records"),
        Response(429, b"", {"Retry-After": "0"}),
    ],
)
def test_what_was_not_executed_is_sent_again(service: Service, client: OdooClient, answer: Response) -> None:
    """A create is sent again where Odoo says that it was not executed."""
    service.answers = [answer, Response.of([7])]

    assert client.create("calendar.event", [{"name": "x"}], {}) == [7]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Response(502, b"<html>Bad Gateway</html>"),
        Response(503),
        Response(200, b"<html>Maintenance</html>"),
        Response(200, b"[7", {"Content-Length": "2"}),
        told(500, "psycopg2.OperationalError", "server closed the connection unexpectedly"),
        Response.of({"id": 7}),
        Response.of([7, 8]),
        Response.of(["7"]),
    ],
)
def test_a_create_without_a_clear_answer_is_unknown(
    service: Service, client: OdooClient, answer: Response | None
) -> None:
    """A create that may have been executed is not sent again."""
    service.answers = [answer]

    with pytest.raises(OutcomeUnknownError):
        client.create("calendar.event", [{"name": "x"}], {})

    assert len(service.requests) == 1


def test_a_read_without_an_answer_is_sent_again(service: Service, client: OdooClient) -> None:
    """A read is repeated after whatever went wrong."""
    service.answers = [None, Response(502, b"<html>"), Response.of([3])]

    assert client.read("res.partner", "search", domain=[]) == [3]


def test_a_read_that_is_never_answered_is_to_be_asked_again(service: Service, client: OdooClient) -> None:
    """A read that fails each time is no answer of nothing."""
    service.answers = [Response(502, b"<html>")] * 10

    with pytest.raises(TryAgainError):
        client.read("res.partner", "search", domain=[])


def test_a_change_that_is_never_answered_is_unknown(service: Service, client: OdooClient) -> None:
    """A change is repeated, and may have been executed where no answer comes."""
    service.answers = [None] * 10

    with pytest.raises(OutcomeUnknownError):
        client.change("crm.lead", "web_save_multi", ids=[1], vals_list=[{}], specification={})


@pytest.mark.parametrize("answer", [{}, [], None, [{"id": 2}], [{"id": 1}, {"id": 2}]])
def test_a_change_whose_answer_names_other_records_is_unknown(
    service: Service, client: OdooClient, answer: object
) -> None:
    """A change counts as done where the answer names the records that it changed, and nowhere else."""
    service.answers = [Response.of(answer)]

    with pytest.raises(OutcomeUnknownError, match=r"crm\.lead"):
        client.save("crm.lead", [1], [{"name": "x"}], {})


def test_a_server_that_cannot_be_reached_was_sent_nothing(service: Service, client: OdooClient) -> None:
    """Nobody listening: nothing was written, whatever was to be."""
    service.close()

    with pytest.raises(TryAgainError):
        client.create("calendar.event", [{"name": "x"}], {})


def test_null_is_an_answer(service: Service, client: OdooClient) -> None:
    """A method that returns nothing has answered."""
    service.answers = [Response(200, b"null")]

    result: Any = client.read("res.partner", "whatever")

    assert result is None


def test_every_request_is_counted(service: Service) -> None:
    """A limit, a broken answer and the answer that follows are three requests; Odoo says nothing of a quota."""
    meter = Meter()
    client = OdooClient(OdooSettings(base_url=service.url, database="acme", api_key=KEY, timeout_seconds=5), meter)
    service.answers = [Response(429, b"", {"Retry-After": "0"}), Response(502, b"<html>")]
    client.read("res.partner", "search", domain=[])
    client.close()

    assert (meter.cost.requests, len(service.requests), meter.quota) == (3, 3, None)
