"""What goes wrong at an endpoint: what is tried again, what is told, and that nothing of a call or a key is."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_model import answer, asking
from wanted import field, said

from connector_core import policy
from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError, TryAgainError
from connector_core.extractors.hookspecs import Extracted
from connector_core.model import Unknown
from connector_core.testing.completions import Answer, Asked, CompletionsServer, completed, failed
from connector_core.testing.sandbox import Response

CANARY = "canary7f3a"
CALL = said(f"{CANARY}: our budget is 20 k.")
FIELD = field("t.f")
GOOD = completed({"field_1": answer("20 k")})
PROXY = Response(503, b"<html>maintenance")


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for nothing, and remember how long it would have been."""
    waited: list[float] = []
    monkeypatch.setattr(policy, "wait", waited.append)
    return waited


def extracted(*answers: Answer, **settings: Any) -> tuple[object, int]:
    """Ask for one field, and give its answer and how many requests it took."""
    with CompletionsServer() as server, asking(server, **settings) as bound:
        server.script(*answers)
        return bound.extract(CALL, [FIELD])["t.f"], len(server.asked)


def refused(*answers: Answer, **settings: Any) -> tuple[ConnectorError, int]:
    """Ask for one field, and give the error that is raised and how many requests it took."""
    with CompletionsServer() as server, asking(server, **settings) as bound:
        server.script(*answers)
        with pytest.raises(ConnectorError) as caught:
            bound.extract(CALL, [FIELD])
        return caught.value, len(server.asked)


def silent(asked: Asked) -> None:
    """Close the connection without an answer."""


@pytest.mark.parametrize("first", [failed(429), failed(500), failed(408), PROXY, silent])
def test_what_passes_is_tried_again(first: Answer) -> None:
    """A limit, a fault of the endpoint, a lost connection."""
    assert extracted(first, GOOD) == (Extracted("20 k"), 2)


def test_the_endpoint_says_how_long_to_wait(waits: list[float]) -> None:
    """``Retry-After`` is kept to."""
    assert extracted(failed(429, retry_after="7"), GOOD) == (Extracted("20 k"), 2)
    assert waits == [7.0]


def test_a_long_wait_is_left_to_the_caller() -> None:
    """No thread sleeps for an hour; the error says when to come back."""
    error, requests = refused(failed(429, retry_after="3600"))

    assert isinstance(error, TryAgainError)
    assert (error.after_seconds, requests) == (3600.0, 1)


@pytest.mark.parametrize("last", [failed(429), failed(500), PROXY, silent])
def test_what_does_not_pass_is_for_later(last: Answer) -> None:
    """As many further tries as the settings say."""
    error, requests = refused(*[last] * 9, retries=2)

    assert isinstance(error, TryAgainError)
    assert requests == 3


def test_an_endpoint_that_does_not_answer_in_time_is_for_later() -> None:
    """It is not waited for longer than the settings say."""
    done = threading.Event()

    def hang(asked: Asked) -> None:
        done.wait(30)

    with CompletionsServer() as server, asking(server, retries=0, timeout_seconds=0.2) as bound:
        server.script(hang)
        with pytest.raises(TryAgainError, match="the model's endpoint did not answer"):
            bound.extract(CALL, [FIELD])
        done.set()


def test_an_endpoint_that_is_not_there_is_for_later() -> None:
    """Nothing listens at the address."""
    with CompletionsServer() as server, asking(server, retries=1) as bound:
        bound.extract(CALL, [FIELD])
    with asking(server, retries=1) as bound, pytest.raises(TryAgainError, match="cannot be reached"):
        bound.extract(CALL, [FIELD])


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_told(status: int) -> None:
    """Asking again changes nothing."""
    error, requests = refused(failed(status, "invalid_api_key"))

    assert isinstance(error, CredentialsError)
    assert requests == 1


def test_the_endpoint_checks_the_key() -> None:
    """The key is sent as a bearer token."""
    with CompletionsServer(api_key="invented") as server:
        with asking(server, api_key="invented") as bound:
            assert bound.extract(CALL, [FIELD]) == {"t.f": None}
        with asking(server, api_key="another") as bound, pytest.raises(CredentialsError):
            bound.extract(CALL, [FIELD])


@pytest.mark.parametrize(
    ("answered", "message"),
    [
        (failed(404, "model_not_found"), "it has no such model"),
        (failed(400, "invalid_json_schema"), "takes no structured output of this schema"),
        (failed(400, "unsupported_parameter"), "perhaps it wants another answer_limit"),
        (failed(400, "something_new"), r"refuses the request \(status 400\): check url and model"),
        (Response(404, b"<html>no such page"), r"refuses the request \(status 404\): check url and model"),
        (Response(501), "status 501"),
        (Response(307, b"", {"Location": "http://127.0.0.1:9/v1"}), "sends elsewhere"),
    ],
)
def test_a_request_that_is_refused_whatever_the_call_is_a_matter_of_settings(answered: Answer, message: str) -> None:
    """It is told what to look at, once."""
    error, requests = refused(answered)

    assert isinstance(error, ConfigurationError)
    assert requests == 1
    with pytest.raises(ConfigurationError, match=message):
        raise error


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (failed(400, "context_length_exceeded"), "longer than the model takes: lower most_characters"),
        (failed(400, "content_filter"), "content filter refused the call"),
        (failed(413), "lower most_characters"),
    ],
)
def test_a_request_that_is_refused_for_this_call_is_not_known(answered: Answer, reason: str) -> None:
    """Other calls may well be taken."""
    found, requests = extracted(answered)

    assert isinstance(found, Unknown)
    assert reason in found.reason
    assert requests == 1


def test_an_account_without_credit_is_not_asked_again_and_again() -> None:
    """A person has to pay first: documented as ``insufficient_quota``, with the status of a limit."""
    error, requests = refused(failed(429, "insufficient_quota"))

    assert isinstance(error, TryAgainError)
    assert (error.after_seconds, requests) == (3600.0, 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_redirect_is_followed(host: str) -> None:
    """Neither the call nor the key goes anywhere but to the address in the settings."""
    with CompletionsServer() as elsewhere, CompletionsServer() as server, asking(server) as bound:
        target = elsewhere.url.replace("127.0.0.1", host)
        server.script(Response(307, b"", {"Location": f"{target}/chat/completions"}))
        with pytest.raises(ConfigurationError, match="sends elsewhere"):
            bound.extract(CALL, [FIELD])

    assert elsewhere.asked == []


def test_what_was_paid_for_is_kept_where_a_later_request_fails() -> None:
    """The fields of requests that were not answered are not known; no further one is sent."""
    with CompletionsServer() as server, asking(server, retries=0, fields_at_once=1) as bound:
        server.script(GOOD, failed(500))
        found = bound.extract(CALL, [FIELD, field("t.g"), field("t.h")])

        assert found["t.f"] == Extracted("20 k")
        assert isinstance(found["t.g"], Unknown)
        assert isinstance(found["t.h"], Unknown)
        assert len(server.asked) == 2


def told_by(error: BaseException) -> Iterator[str]:
    """Give all that an error says, and what it and those that caused it carry."""
    yield "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        yield repr((link, link.args, vars(link)))
        link = link.__cause__ or link.__context__


ECHOES: dict[str, Answer] = {
    "refused": failed(400, CANARY, f"cannot take {CANARY}"),
    "key refused": failed(401, None, f"incorrect key {CANARY}"),
    "limited": failed(429, CANARY, CANARY),
    "broken": Response(500, CANARY.encode()),
    "elsewhere": Response(302, b"", {"Location": f"https://{CANARY}.example"}),
    "silent": silent,
}


@pytest.mark.parametrize("name", ECHOES)
def test_no_error_and_no_log_tells_of_the_call_or_the_key(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the endpoint repeats, at the lowest level of logs."""
    caplog.set_level(logging.DEBUG)

    error, _ = refused(*[ECHOES[name]] * 3, api_key=f"sk-{CANARY}")

    assert [text for text in told_by(error) if CANARY in text] == []
    assert CANARY not in caplog.text


def test_no_reason_tells_of_the_call(caplog: pytest.LogCaptureFixture) -> None:
    """What is not known says why, in words of ours."""
    caplog.set_level(logging.DEBUG)
    for answered in (
        completed(CANARY),
        completed(None, refusal=CANARY),
        completed("", reason=CANARY),
        completed({"field_1": {CANARY: 1}}),
        completed({"field_1": answer([CANARY])}),
        failed(413, CANARY, CANARY),
    ):
        found, _ = extracted(answered)
        assert isinstance(found, Unknown)
        assert CANARY not in found.reason
    assert CANARY not in caplog.text
