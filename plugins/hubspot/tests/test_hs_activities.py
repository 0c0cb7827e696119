"""Finding the activities that may be a call's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot import activities
from connector_hubspot.kinds import CALL, last_reference
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import TryAgainError
from connector_core.model import CallKey, Unknown

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
CONTACT = {"kind": "contact", "id": "C", "name": "C"}


def call(name: str, minutes: int = 0, **rest: Any) -> dict[str, Any]:
    started = (START + dt.timedelta(minutes=minutes)).isoformat()
    return {"id": name, "kind": "call", "person_ids": ["C"], "started_at": started, **rest}


def key(name: str = "x:1", *people: str, kind: Any = "phone") -> CallKey:
    return CallKey(name, kind, START, START + dt.timedelta(minutes=30), 1800, people)


def test_an_activity_tells_everything(connect: Connect) -> None:
    """Key, people, deal, company, start, duration, texts and address of a call are answered."""
    account = connect(
        accounts=[{"id": "A", "name": "Buyer"}],
        users=[{"id": "U", "email": "ada@seller.example"}],
        people=[{**CONTACT, "account_id": "A"}],
        opportunities=[{"id": "O", "created_at": "2026-02-01T00:00:00Z", "account_id": "A"}],
        activities=[
            call(
                "T",
                call_id="x:1",
                duration_seconds=90.5,
                account_id="A",
                opportunity_id="O",
                title="Hi",
                body="Ho",
                owner_id="U",
            )
        ],
    )
    (found,) = account.adapter.find_activity([key()])["x:1"]
    assert (found.id, found.kind, found.key, found.started_at, found.duration_seconds) == (
        account["T"],
        "call",
        "x:1",
        START,
        90.5,
    )
    assert (found.subject, found.body, found.owner_id) == ("Hi", "Ho", account["U"])
    assert [each.id for each in (*found.people, *found.opportunities, *found.accounts)] == [
        account["C"],
        account["O"],
        account["A"],
    ]
    assert found.people[0].account == found.opportunities[0].account == found.accounts[0]
    assert found.url.endswith(account["T"])


def test_a_meeting_is_found_by_its_last_line(connect: Connect) -> None:
    """A meeting of nobody that is known is found by its start and the reference in its body."""
    meeting = {
        **call("T", call_id="x:1", body="<p>Notes</p>", duration_seconds=600),
        "kind": "meeting",
        "person_ids": [],
    }
    account = connect(activities=[meeting])
    (found,) = account.adapter.find_activity([key(kind="meeting")])["x:1"]
    assert (found.id, found.kind, found.key, found.duration_seconds) == (account["T"], "meeting", "x:1", 600)


@pytest.mark.parametrize("call_id", ["X:1", "x:1 ", "x:11"])
def test_a_key_is_compared_exactly(connect: Connect, call_id: str) -> None:
    """A key in another case, or a longer one, is not this call's, though the search ignores case."""
    account = connect(people=[CONTACT], activities=[call("T", minutes=60, call_id=call_id)])
    assert account.adapter.find_activity([key()])["x:1"] == ()


def test_a_key_in_capitals_is_found(connect: Connect) -> None:
    """A search wants lower case; an id with capitals is found all the same."""
    account = connect(people=[CONTACT], activities=[call("T", minutes=60, call_id="Zoom:AbC")])
    (found,) = account.adapter.find_activity([key("Zoom:AbC")])["Zoom:AbC"]
    assert found.key == "Zoom:AbC"


@pytest.mark.parametrize(("minutes", "found"), [(-16, 0), (-15, 1), (0, 1), (15, 1), (16, 0)])
def test_a_look_alike_starts_within_a_quarter(connect: Connect, minutes: int, found: int) -> None:
    """An activity of a person of the call is a candidate up to 15 minutes from its start, inclusive."""
    account = connect(people=[CONTACT], activities=[call("T", minutes)])
    assert len(account.adapter.find_activity([key("x:1", account["C"])])["x:1"]) == found


def test_a_stranger_s_call_is_no_candidate(connect: Connect) -> None:
    """At the same time, but with nobody of the call: no candidate."""
    account = connect(people=[CONTACT, {**CONTACT, "id": "D"}], activities=[call("T")])
    assert account.adapter.find_activity([key("x:1", account["D"])])["x:1"] == ()


def test_each_call_has_its_own_candidates(connect: Connect) -> None:
    """Calls of one batch do not get each other's candidates."""
    people = [{**CONTACT, "id": name} for name in ("C", "D")]
    account = connect(people=people, activities=[call("T"), call("V", person_ids=["D"])])
    found = account.adapter.find_activity([key("x:1", account["C"]), key("x:2", account["D"]), key("x:3")])
    assert {name: [each.id for each in own] for name, own in found.items()} == {
        "x:1": [account["T"]],
        "x:2": [account["V"]],
        "x:3": [],
    }


def test_what_was_written_a_moment_ago_is_found_through_its_people(connect: Connect) -> None:
    """An activity that searches do not show yet is found through the associations of its people."""
    account = connect(people=[CONTACT])
    account.faults({"do": {"index_lag_seconds": 60}})
    properties = {"hs_timestamp": START.isoformat(), "hs_call_external_id": "x:1"}
    link = {"to": {"id": account["C"]}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}]}
    body = {"inputs": [{"properties": properties, "associations": [link]}]}
    account.adapter._client.post("/crm/objects/{version}/calls/batch/create", body)
    assert len(account.adapter.find_activity([key("x:1", account["C"])])["x:1"]) == 1


def test_a_long_history_is_searched_by_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a contact with more activities than are read, the older ones are found by contact and time."""
    monkeypatch.setattr(activities, "_NEWEST", 3)
    later = [call(f"L{n}", minutes=1000 + n) for n in range(10)]
    account = connect(people=[CONTACT], activities=[call("T"), *later])
    (found,) = account.adapter.find_activity([key("x:1", account["C"])])["x:1"]
    assert found.id == account["T"]


def test_references_that_are_gone_are_left_out(connect: Connect) -> None:
    """A deal or contact that was deleted is no association any more."""
    account = connect(
        people=[CONTACT],
        opportunities=[{"id": "O", "created_at": "2026-02-01T00:00:00Z"}],
        activities=[call("T", call_id="x:1", opportunity_id="O")],
    )
    account.sandbox.patch("deals", account["O"], {}, delete=True, merge_into=None)
    account.sandbox.patch("contacts", account["C"], {}, delete=True, merge_into=None)
    (found,) = account.adapter.find_activity([key()])["x:1"]
    assert (found.people, found.opportunities) == ((), ())


def test_a_search_that_is_cut_short_is_unknown(connect: Connect) -> None:
    """More calls with a key than HubSpot hands out: not known, and not none."""
    account = connect()
    body = {"total": 10_001, "results": []}
    account.faults({"match": {"path": "*/calls/search"}, "do": {"status": 200, "body": body}})
    assert isinstance(account.adapter.find_activity([key()])["x:1"], Unknown)


def test_a_service_that_stays_away_is_told(connect: Connect) -> None:
    """A failed look-up raises; nobody takes it for "there is no activity"."""
    account = connect()
    account.faults({"do": {"status": 503}})
    with pytest.raises(TryAgainError):
        account.adapter.find_activity([key()])


def test_two_hundred_calls_take_four_requests(connect: Connect) -> None:
    """Where nothing is there yet, a batch of any size up to 500 calls and 1,000 people costs four requests."""
    people = [{**CONTACT, "id": f"C{n}"} for n in range(200)]
    account = connect(people=people)
    found = account.adapter.find_activity([key(f"x:{n}", account[f"C{n}"]) for n in range(200)])
    assert (len(found), len(account.requests())) == (200, 4)


# -- the last line -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>Notes</p><p>ref: x:1</p>", "x:1"),
        ("<div><p>Notes</p><p>ref: x:1</p></div>\n", "x:1"),
        ("Notes<br>ref: x:1", "x:1"),
        ("Notes\nref: x:1", "x:1"),
        ("ref: x:1", "x:1"),
        ("<p><b>ref: a&amp;b&lt;c</b></p>", "a&b<c"),
        ("<p>ref: x:1</p><p>P.S.</p>", None),
        ("<p>see ref: x:1</p>", None),
        ("Ref: x:1", None),
        ("ref: ", None),
        ("", None),
    ],
)
def test_the_last_line_is_the_reference(body: str, found: str | None) -> None:
    """Only a last line that is the reference and nothing else is one, in HTML and in text."""
    assert last_reference(body) == found


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1))
def test_a_call_without_a_key_field_keeps_it_in_the_body(call_id: str) -> None:
    """What is written as the last line of plain text is read back as it was, but for what looks like a tag."""
    if "<" not in call_id and "&" not in call_id:
        assert CALL.key_of({"properties": {"hs_call_body": f"Notes\nref: {call_id}"}}) == call_id
