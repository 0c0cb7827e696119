"""Finding calls and meetings in a real Odoo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from connector_core.model import CallKey

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Carl", "account_id": "A1"},
    {"kind": "contact", "id": "C2", "name": "Fred"},
    {"kind": "lead", "id": "L1", "name": "Lea"},
]
WORLD = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}],
    "people": PEOPLE,
    "opportunities": [{"id": "O1", "name": "Deal", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]}],
}


def event(key: str = "T1", **more: Any) -> dict[str, Any]:
    """Describe an activity."""
    given = {"kind": "call", "started_at": "2026-03-02T09:00:00Z", "duration_seconds": 1800, "title": "Call"}
    return {"id": key, **given, **more}


def call(call_id: str = "test:1", *people: str, start: dt.datetime = START, kind: Any = "phone") -> CallKey:
    """Give the key of a call of half an hour."""
    return CallKey(call_id, kind, start, start + dt.timedelta(minutes=30), 1800.0, people)


def found(account: Any, key: CallKey) -> list[Any]:
    """Find the candidates of a call."""
    return list(account.adapter.find_activity([key])[key.call_id])


def test_a_call_is_read_whole(connect: Connect) -> None:
    """Kind, key, people, opportunity, time, length, subject and owner of an event that stands for a call."""
    users = [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}]
    given = event(call_id="test:1", person_ids=["C1", "C2"], opportunity_id="O1", owner_id="U1", body="Prices.")
    account = connect(**WORLD, users=users, activities=[given])

    (activity,) = found(account, call())

    assert (activity.id, activity.kind, activity.key) == (account["T1"], "call", "test:1")
    assert sorted(person.id for person in activity.people) == sorted([account["C1"], account["C2"]])
    assert [opportunity.id for opportunity in activity.opportunities] == [account["O1"]]
    assert (activity.started_at, activity.duration_seconds) == (START, 1800)
    assert (activity.subject, activity.body, activity.owner_id) == ("Call", "<p>Prices.</p>", account["U1"])
    assert str(activity.url).endswith(f"/odoo/calendar.event/{account.number('T1')}")


def test_a_meeting_is_an_event_without_a_call_s_mark(connect: Connect) -> None:
    """An event that has no activity of the type Call is a meeting, and its company is an account."""
    account = connect(**WORLD, activities=[event(kind="event", person_ids=["C2"], account_id="A1")])

    (activity,) = found(account, call("test:1", account["C2"], kind="meeting"))

    assert activity.kind == "event"
    assert [company.id for company in activity.accounts] == [account["A1"]]
    assert [person.id for person in activity.people] == [account["C2"]]


@pytest.mark.parametrize("call_id", ["test:1", "a b/ü&<'\">%_", "x" * 200])
def test_a_key_is_found_wherever_its_event_was_moved(connect: Connect, call_id: str) -> None:
    """The key finds its event months away from the call, whatever it is made of."""
    account = connect(**WORLD, activities=[event(call_id=call_id, started_at="2026-09-01T09:00:00Z")])

    assert [activity.key for activity in found(account, call(call_id))] == [call_id]


@pytest.mark.parametrize("call_id", ["TEST:1", "test:", "test:11", "test_1"])
def test_keys_compare_exactly(connect: Connect, call_id: str) -> None:
    """Another case, a part, and a longer one are other keys."""
    account = connect(**WORLD, activities=[event(call_id="test:1")])

    assert found(account, call(call_id)) == []


@pytest.mark.parametrize(("moved_days", "key"), [(0, "test:1"), (6, "test:1"), (9, None)])
def test_a_reference_in_the_description_is_found_near_the_call(
    connect: Connect, moved_days: int, key: str | None
) -> None:
    """Where no message carries the key, the last line of the description does, within a week."""
    start = START + dt.timedelta(days=moved_days)
    body = "<p>Text</p><p>ref: test:1</p>"
    account = connect(**WORLD, activities=[event(started_at=start.isoformat())])
    account.odoo.change("calendar.event", "write", ids=[account.number("T1")], vals={"description": body})

    assert [activity.key for activity in found(account, call())] == ([key] if key else [])


@pytest.mark.parametrize(
    ("seconds", "is_candidate"), [(0, True), (900, True), (-900, True), (901, False), (-901, False)]
)
def test_what_shares_a_person_and_the_time_is_a_candidate(connect: Connect, seconds: int, is_candidate: bool) -> None:
    """Fifteen minutes, inclusive, before and after."""
    start = START + dt.timedelta(seconds=seconds)
    account = connect(**WORLD, activities=[event(person_ids=["C1"], started_at=start.isoformat())])

    assert bool(found(account, call("test:1", account["C1"]))) == is_candidate


def test_what_shares_no_person_is_no_candidate(connect: Connect) -> None:
    """The same time alone says nothing."""
    account = connect(**WORLD, activities=[event(person_ids=["C1"])])

    assert found(account, call("test:1", account["C2"])) == []


def test_an_event_with_a_lead_names_it(connect: Connect) -> None:
    """A lead has no partner: it stands where an event has its opportunity, and is a person there."""
    account = connect(**WORLD, activities=[event(person_ids=["L1"])])

    (activity,) = found(account, call("test:1", account["L1"]))

    assert ([person.id for person in activity.people], activity.opportunities) == ([account["L1"]], ())


def test_once_the_lead_is_converted_its_event_is_on_the_opportunity(connect: Connect) -> None:
    """The event stays where it was, and that is the opportunity now."""
    account = connect(**WORLD, activities=[event(person_ids=["L1"], call_id="test:1")])
    account.convert("L1", account.number("C2"))

    (activity,) = found(account, call())

    assert [opportunity.id for opportunity in activity.opportunities] == [account["L1"]]
    assert activity.people == ()


def test_users_and_what_is_archived_are_no_people_of_an_event(connect: Connect) -> None:
    """Colleagues who are invited are no customers, and who is archived is gone."""
    account = connect(**WORLD, activities=[event(person_ids=["C1", "C2"], call_id="test:1")])
    me = account.odoo.read("res.users", "context_get")["uid"]
    (user,) = account.odoo.read("res.users", "read", ids=[me], fields=["partner_id"])
    invite = {"partner_ids": [[4, user["partner_id"][0]]]}
    account.odoo.change("calendar.event", "write", ids=[account.number("T1")], vals=invite)
    account.odoo.change("res.partner", "write", ids=[account.number("C2")], vals={"active": False})

    (activity,) = found(account, call())

    assert [person.id for person in activity.people] == [account["C1"]]


def test_an_event_that_was_archived_is_gone(connect: Connect) -> None:
    """An archived event is in nobody's calendar, whatever it carries."""
    account = connect(**WORLD, activities=[event(person_ids=["C1"], call_id="test:1")])
    account.odoo.change("calendar.event", "write", ids=[account.number("T1")], vals={"active": False})

    assert found(account, call("test:1", account["C1"])) == []


def test_an_event_of_a_whole_day_has_a_day_and_no_length(connect: Connect) -> None:
    """Odoo makes hours up for such an event; neither they nor a length are told."""
    account = connect(**WORLD, activities=[event(kind="event", person_ids=["C1"], started_at="2026-03-02")])

    (activity,) = found(account, call("test:1", account["C1"]))

    assert (activity.started_at, activity.duration_seconds) == (dt.date(2026, 3, 2), None)


def test_two_requests_answer_a_hundred_calls(connect: Connect) -> None:
    """One for the events, by key and by people, and one for the opportunities that they name."""
    account = connect(**WORLD, activities=[event(person_ids=["C1"], call_id="test:7", opportunity_id="O1")])
    calls = [call(f"test:{number}", account["C2"]) for number in range(100)]

    answers = account.adapter.find_activity(calls)

    assert [key for key, activities in answers.items() if activities] == ["test:7"]
    assert account.sent == ["calendar.event/web_search_read", "crm.lead/web_search_read"]
