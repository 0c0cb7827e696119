"""What the real service answered, as recorded beside the project: understood without a change."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import of_status, problems_of
from connector_hubspot.kinds import MEETING
from connector_hubspot.linking import Pair, link
from connector_hubspot.reading import read_links, search
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.times import instant
from connector_hubspot.transport import judge, parsed

from connector_core.errors import ConnectorError, CredentialsError, MissingRightError, RefusedError
from connector_core.policy import Reply, Wait
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

RECORDED = Path(__file__).parents[4] / "shared" / "recorded"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded traffic is not beside this checkout")


def exchanges() -> list[dict[str, Any]]:
    """Give every exchange of an object, an association or a search."""
    lines = (RECORDED / "hubspot.jsonl").read_text(encoding="utf-8").splitlines()
    return [exchange for line in lines if (exchange := json.loads(line))["path"].startswith("/crm/")]


def body(name: str) -> dict[str, Any]:
    """Give one of the bodies that stand alone."""
    found: dict[str, Any] = json.loads((RECORDED / "bodies" / "hubspot" / name).read_text(encoding="utf-8"))
    return found


def quoted(status: int) -> list[dict[str, Any]]:
    """Give the bodies of a status that are quoted in public threads."""
    found = json.loads((RECORDED / "bodies" / "quoted-in-issues.json").read_text(encoding="utf-8"))
    return [item["body"] for item in found if item["crm"] == "hubspot" and item["status"] == status]


@pytest.fixture
def replay() -> Iterator[Any]:
    """Serve one answer to every POST, no single record, and give a client of it."""
    opened: list[tuple[Listener, HubSpotClient]] = []

    def serve(value: object, status: int = 200) -> HubSpotClient:
        def answer(request: Request) -> Response:
            return Response.of(value, status) if request.method == "POST" else Response(404)

        listener = Listener(answer, 0)
        threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.server_address[1]}"
        opened.append((listener, HubSpotClient(HubSpotSettings(access_token="word", base_url=url))))
        return opened[-1][1]

    yield serve
    for listener, client in opened:
        client.close()
        listener.shutdown()
        listener.server_close()


def test_every_recorded_refusal_is_mapped() -> None:
    """Each status that refused becomes its kind of error."""
    kinds: dict[int, type[ConnectorError]] = {400: RefusedError, 403: MissingRightError, 404: RefusedError}
    refused = [exchange for exchange in exchanges() if exchange["status"] >= 400]
    mapped = [
        isinstance(of_status(it["status"], it["resp"] if isinstance(it["resp"], dict) else {}), kinds[it["status"]])
        for it in refused
    ]
    assert (len(mapped) >= 8, all(mapped)) == (True, True)


def test_each_form_of_a_missing_scope_is_read() -> None:
    """A right is named, whichever of the forms says so."""
    bodies = [exchange["resp"] for exchange in exchanges() if exchange["status"] == 403]
    errors = [of_status(403, each) for each in [*bodies, body("err-missing-scope.json")]]
    assert all(isinstance(error, MissingRightError) and error.right for error in errors)


def test_a_wrong_value_names_its_property() -> None:
    """The JSON inside a message is read, where there is no list of errors."""
    (refused,) = [exchange["resp"] for exchange in exchanges() if exchange["status"] == 400]
    error = of_status(400, refused)
    assert isinstance(error, RefusedError)
    assert (error.field, error.code, error.request_id) == (
        "hs_meeting_start_time",
        "INVALID_LONG",
        "8e61f948-f5f6-46b5-8c94-f17c4644fe52",
    )


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("batch-create-err-many-invalid-properties.json", {"first000name", "last000name"}),
        ("batch-update-err-many-invalid-properties.json", {"first000name", "last000name"}),
    ],
)
def test_every_wrong_property_is_named_once(name: str, fields: set[str]) -> None:
    """Problems that stand in both forms, and several times, are each told once."""
    problems = list(problems_of(body(name)))
    assert (len(problems), {field for problem in problems for field in problem.fields}) == (2, fields)


def test_a_row_that_failed_is_told_by_its_trace() -> None:
    """An entry of a batch that was created in part carries the trace id of its input."""
    (entry,) = body("batch-create-err-partial-success.json")["errors"]
    (problem,) = problems_of(entry)
    assert (problem.traces, problem.code) == (("0",), "CONFLICT")


def test_a_row_that_is_gone_is_told_by_its_id() -> None:
    """An entry of a batch that was changed in part carries the ids that are not there."""
    (entry,) = body("batch-update-err-partial-success.json")["errors"]
    (problem,) = problems_of(entry)
    assert (problem.ids, problem.code) == (("unknownIdentifier888",), "OBJECT_NOT_FOUND")


def test_associations_are_read_as_recorded(replay: Any) -> None:
    """Numbers and text become ids; "none" is no error, although it is said to be one 36 times."""
    client = replay(body("search-contacts-to-companies.json"), 207)
    links = read_links(client, "contacts", "companies", ["501", "103107104018"])
    assert (links.ids("501"), links.ids("103107104018")) == (["29022297485"], [])
    assert links.of["501"][0].types == {1, 279}


def test_a_refused_association_is_read_as_recorded(replay: Any) -> None:
    """An association to a record that is not there is no failure; any other refusal is one."""
    recorded = [it for it in exchanges() if it["path"].endswith("/batch/create") and it["status"] == 207]
    gone = [link(replay(it["resp"], 207), "deals", "contacts", [Pair("1", "1234")]) for it in recorded]
    other = link(replay(body("err-contact-to-contact.json"), 207), "contacts", "contacts", [Pair("1", "1")])
    assert (len(gone) >= 4, any(gone), len(other)) == (True, False, 1)


def test_every_recorded_search_is_read(replay: Any) -> None:
    """A page of a search gives its records, and a last one ends it."""
    last = [it["resp"] for it in exchanges() if it["path"].endswith("/search") and "paging" not in it["resp"]]
    found = [len(search(replay(each), "contacts", [], [])) for each in last]
    assert found == [len(each["results"]) for each in last]


def test_recorded_meetings_are_read() -> None:
    """Start, end and owner of real meetings, with and without milliseconds."""
    answers = [it["resp"] for it in exchanges() if "/objects/meetings" in it["path"] and it["status"] in (200, 201)]
    meetings = [each for answer in answers for each in answer.get("results", [answer])]
    held = [each for each in meetings if each["properties"].get("hs_meeting_start_time")]
    assert held
    for each in held:
        start = instant(each["properties"]["hs_meeting_start_time"])
        duration = MEETING.duration_of(each)
        assert (start is not None and start.tzinfo == dt.UTC, duration is not None) == (True, True)


def test_a_quoted_limit_is_a_short_wait() -> None:
    """The limit of a second, as quoted, is waited for a second."""
    limits = quoted(429)
    verdicts = [
        judge(Reply(429, {}, b"", type("Raw", (), {"value": parsed(json.dumps(each))})()), "general") for each in limits
    ]
    assert verdicts
    assert all(isinstance(verdict, Wait) and verdict.after_seconds == 1 for verdict in verdicts)


@pytest.mark.parametrize(("status", "kind"), [(401, CredentialsError), (409, RefusedError)])
def test_a_quoted_refusal_is_mapped(status: int, kind: type[ConnectorError]) -> None:
    """What users quoted is understood too."""
    bodies = quoted(status)
    assert bodies
    assert all(isinstance(of_status(status, each), kind) for each in bodies)
