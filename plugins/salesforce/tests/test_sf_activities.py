"""Candidates for the activity of a call, found in a sandbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector_core.model import CallKey

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
QUARTER = dt.timedelta(minutes=15)
PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Carl", "account_id": "A1", "title": "CTO"},
    {"kind": "contact", "id": "C2", "name": "Carla"},
    {"kind": "lead", "id": "L1", "name": "Lea", "converted_contact_id": "C1"},
    {"kind": "lead", "id": "L2", "name": "Leo"},
]
BASE: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}],
    "people": PEOPLE,
    "opportunities": [{"id": "O1", "account_id": "A1", "created_at": "2026-01-01T00:00:00Z", "contact_ids": ["C2"]}],
}


def world(*activities: dict[str, Any]) -> dict[str, Any]:
    return BASE | {"activities": [{"id": f"T{n}", **it} for n, it in enumerate(activities)]}


def task(**more: Any) -> dict[str, Any]:
    return {"kind": "call", "started_at": START.isoformat(), "duration_seconds": 600, **more}


def event(start: dt.datetime = START, **more: Any) -> dict[str, Any]:
    return {"kind": "event", "started_at": start.isoformat(), "duration_seconds": 600, **more}


def find(desk: Any, key: str = "k", people: Any = (), start: dt.datetime = START, kind: Any = "phone") -> Any:
    ids = tuple(desk.ids.get(it, it) for it in people)
    end = start + dt.timedelta(minutes=10)
    return desk.adapter.find_activity([CallKey(key, kind, start, end, 600.0, ids)])[key]


def test_a_task_is_found_by_its_key(connect: Any) -> None:
    """The key field alone is enough, whoever took part and whenever it was."""
    (found,) = find(connect(world(task(call_id="k"))), start=START + dt.timedelta(days=90))

    assert (found.key, found.kind) == ("k", "call")


@pytest.mark.parametrize("key", ["K", "k ", "ｋ", "kk"])
def test_keys_compare_exactly(connect: Any, key: str) -> None:
    """SOQL does not count case: what it gives is compared again."""
    assert find(connect(world(task(call_id="k"))), key) == ()


@pytest.mark.parametrize("key", ["x' OR CallObject != '", "@{q0.records[0].Id}", "\\", "a\ud800", "k" * 3_000])
def test_an_odd_key_finds_nothing_and_breaks_nothing(connect: Any, key: str) -> None:
    """Whatever a call's id holds, the query asks for that id and no other."""
    assert find(connect(world(task(call_id="k"))), key) == ()


def test_an_event_is_found_by_the_last_line_of_its_body(connect: Any) -> None:
    """An event has no key field: what starts in that second is read for the reference."""
    (found,) = find(connect(world(event(call_id="k", body="Notes\nref: other"))), kind="meeting")

    assert (found.key, found.kind, found.started_at, found.duration_seconds) == ("k", "event", START, 600.0)


def test_an_event_that_starts_with_the_minute_is_found_by_its_body(connect: Any) -> None:
    """Where Salesforce keeps no seconds, or somebody moved the event to the full minute, it is still the call's."""
    desk = connect(world(event(body="ref: k")))

    assert len(find(desk, kind="meeting", start=START + 42 * SECOND)) == 1


@pytest.mark.parametrize("body", ["Notes\r\nref: k", "Notes\r\nref: k\r\n", "ref: k\n\n"])
def test_line_ends_are_none_of_the_key(connect: Any, body: str) -> None:
    """Browsers make two signs of each, in the whole body that somebody saves."""
    (found,) = find(connect(world(event(body=body))), kind="meeting")

    assert found.key == "k"


@pytest.mark.parametrize("body", ["ref: k\nmore", "ref: k2", "xref: k", "Ref: k", None])
def test_another_last_line_is_no_key(connect: Any, body: str | None) -> None:
    """Only the last line counts, in exactly that form."""
    assert find(connect(world(event(body=body))), kind="meeting") == ()


def test_a_key_in_the_body_of_a_task_counts_where_the_field_is_empty(connect: Any) -> None:
    """A task whose key field is empty carries the key of its body's last line."""
    (found,) = find(connect(world(task(body="Notes\nref: k", person_ids=["C1"]))), people=["C1"])

    assert found.key == "k"


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_task_of_a_person_is_found_a_day_around(connect: Any, days: int) -> None:
    """A task knows only its day: the day before, that day and the day after are candidates."""
    desk = connect(world(task(person_ids=["C1"])))

    assert len(find(desk, people=["C1"], start=START + dt.timedelta(days=days))) == 1


def test_a_task_two_days_off_is_no_candidate(connect: Any) -> None:
    """Beyond a day the task is another one."""
    assert find(connect(world(task(person_ids=["C1"]))), people=["C1"], start=START + dt.timedelta(days=2)) == ()


def test_the_day_is_that_of_the_connections_time_zone(connect: Any) -> None:
    """In Auckland the call of that evening is already on the next day, and the day after that is a candidate."""
    desk = connect(world({"kind": "call", "started_at": "2026-03-04", "person_ids": ["C1"]}), zone="Pacific/Auckland")

    assert len(find(desk, people=["C1"], start=START.replace(hour=20))) == 1


@pytest.mark.parametrize(
    ("away", "count"), [(QUARTER, 1), (-QUARTER, 1), (QUARTER + SECOND, 0), (-QUARTER - SECOND, 0), (SECOND, 1)]
)
def test_an_event_of_a_person_is_found_a_quarter_of_an_hour_around(
    connect: Any, away: dt.timedelta, count: int
) -> None:
    """The bounds of 15 minutes are inclusive."""
    desk = connect(world(event(START + away, person_ids=["C1"])))

    assert len(find(desk, people=["C1"], kind="meeting")) == count


def test_an_event_of_whole_days_is_known_by_its_day(connect: Any) -> None:
    """Of an event of whole days only the day is known, and it has no length to compare."""
    desk = connect(world({"kind": "event", "started_at": "2026-03-02", "person_ids": ["C1"]}))
    (found,) = find(desk, people=["C1"], kind="meeting")

    assert (found.started_at, found.duration_seconds) == (dt.date(2026, 3, 2), None)


@pytest.mark.parametrize("one", [task(person_ids=["C1", "C2"]), event(person_ids=["C1", "C2"])])
def test_further_people_of_an_activity_count(connect: Any, one: dict[str, Any]) -> None:
    """Not the first person alone, but each that is related makes it a candidate, and all are told."""
    desk = connect(world(one))
    (found,) = find(desk, people=["C2"])

    assert {person.id for person in found.people} == {desk.ids["C1"], desk.ids["C2"]}


@pytest.mark.parametrize("kind", ["Task", "Event"])
def test_an_activity_that_still_names_a_converted_lead_is_its_contacts(connect: Any, kind: str) -> None:
    """Some rows keep the lead's id after a conversion: they are candidates for the contact."""
    desk = connect(world(task(person_ids=["L2"]), event(person_ids=["L2"])))
    fields = {"IsConverted": True, "ConvertedContactId": desk.ids["C2"]}
    patch = {"object": "Lead", "id": desk.ids["L2"], "fields": fields, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    found = {it.id[:3]: it for it in find(desk, people=["C2"])}[{"Task": "00T", "Event": "00U"}[kind]]

    assert [(it.kind, it.converted_to.id) for it in found.people] == [("lead", desk.ids["C2"])]


def test_people_come_with_account_and_title(connect: Any) -> None:
    """People of an activity are counted for the account, and ranked: they are whole."""
    desk = connect(world(task(call_id="k", person_ids=["C1"])))
    (person,) = find(desk)[0].people

    assert (person.title, person.account.name) == ("CTO", "Buyer")


def test_what_it_is_about_is_told_by_what_somebody_set(connect: Any) -> None:
    """An opportunity is told whole; the account that Salesforce deduces from it is none of the activity's own."""
    desk = connect(world(task(call_id="k", opportunity_id="O1")))
    (found,) = find(desk)

    assert ([it.account.id for it in found.opportunities], found.accounts) == ([desk.ids["A1"]], ())


def test_an_account_is_told_only_where_it_was_set(connect: Any) -> None:
    """The account of a person is deduced by Salesforce, and counts for nothing; one that was set is told."""
    desk = connect(world(task(call_id="k", account_id="A1"), task(call_id="p", person_ids=["C1"])))

    assert [[it.name for it in find(desk, key)[0].accounts] for key in ("k", "p")] == [["Buyer"], []]


@pytest.mark.parametrize(("obj", "seed", "what"), [("Opportunity", "O1", "opportunities"), ("Contact", "C1", "people")])
def test_what_is_gone_is_left_out(connect: Any, obj: str, seed: str, what: str) -> None:
    """A reference to a record that was deleted counts as absent."""
    desk = connect(world(task(call_id="k", person_ids=["C1"], opportunity_id="O1")))
    patch = {"object": obj, "id": desk.ids[seed], "fields": {}, "delete": True, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert getattr(find(desk)[0], what) == ()


def test_a_deleted_activity_is_no_candidate(connect: Any) -> None:
    """What is in the recycle bin is not there."""
    desk = connect(world(task(call_id="k")))
    patch = {"object": "Task", "id": desk.ids["T0"], "fields": {}, "delete": True, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert find(desk) == ()


@pytest.mark.parametrize(("obj", "one"), [("Task", task(call_id="k")), ("Event", event(body="ref: k"))])
def test_an_archived_activity_is_found(connect: Any, obj: str, one: dict[str, Any]) -> None:
    """Salesforce archives what is a year old: it is still there, for those who ask for all of it."""
    desk = connect(world(one))
    patch = {"object": obj, "id": desk.ids["T0"], "fields": {"IsArchived": True}, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert [it.key for it in find(desk)] == ["k"]


@pytest.mark.parametrize(("obj", "one"), [("Task", task(person_ids=["C1"])), ("Event", event(person_ids=["C1"]))])
def test_a_series_is_no_candidate_beside_its_first_occurrence(connect: Any, obj: str, one: dict[str, Any]) -> None:
    """Salesforce keeps a series as a record of its own, at the time of its first occurrence: that one is the activity."""
    desk = connect(world(one, one))
    patch = {"object": obj, "id": desk.ids["T0"], "fields": {"IsRecurrence": True}, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert [it.id for it in find(desk, people=["C1"])] == [desk.ids["T1"]]


def test_an_org_without_series_lacks_nothing(connect: Any) -> None:
    """Where no series can be made, there is no field to tell them by."""
    desk = connect(world(task(person_ids=["C1"])))
    desk.post("org", {"hidden_fields": ["Task.IsRecurrence", "Event.IsRecurrence"]})

    assert len(find(desk, people=["C1"])) == 1


@pytest.mark.parametrize("one", [task(person_ids=["C1", "C2"]), event(person_ids=["C1", "C2"])])
def test_who_was_taken_off_an_activity_is_not_on_it(connect: Any, one: dict[str, Any]) -> None:
    """Archived activities come along with deleted records, relations among them: those count for nothing."""
    desk = connect(world(one))
    obj = "Event" if one["kind"] == "event" else "Task"
    (gone,) = (it for it in desk.get("records")[f"{obj}Relation"] if it["RelationId"] == desk.ids["C2"])
    patch = {"object": f"{obj}Relation", "id": gone["Id"], "fields": {}, "delete": True, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    (found,) = find(desk, people=["C1"])

    assert [person.id for person in found.people] == [desk.ids["C1"]]


@pytest.mark.parametrize("name", ["Call_Id__c", "call_id__c"])
def test_a_key_field_of_the_orgs_own_is_asked_for_on_both_kinds(connect: Any, name: str) -> None:
    """With a unique field for the call's id, tasks and events are found by it whenever they were; names have no case."""
    desk = connect(world(), key_field=name)
    desk.post(
        "org", {"custom_fields": [{"object": "Activity", "name": "Call_Id__c", "external_id": True, "unique": True}]}
    )
    body = {
        "records": [
            {
                "attributes": {"type": "Event"},
                "Call_Id__c": "k",
                "StartDateTime": "2020-01-01T00:00:00Z",
                "DurationInMinutes": 5,
            }
        ]
    }
    desk.adapter._client.call("x", lambda sdk: sdk.restful("composite/sobjects", method="POST", json=body))

    assert [it.key for it in find(desk)] == ["k"]


def test_without_shared_activities_the_first_person_is_asked_for(connect: Any) -> None:
    """Where the org relates one person to an activity, that one is found, and the missing object is no error."""
    desk = connect(world(task(person_ids=["C1"]), event(person_ids=["C1"])))
    desk.post("org", {"missing_rights": {"TaskRelation": ["read"], "TaskWhoRelation": ["read"]}})

    assert len(find(desk, people=["C1"])) == 2


def test_a_batch_that_finds_nothing_is_one_call(connect: Any) -> None:
    """Two hundred calls without candidates cost one API call."""
    desk = connect(world())
    keys = [
        CallKey(f"k{n}", "phone", START + n * QUARTER, START, 60.0, (desk.ids["C1"], desk.ids["L2"]))
        for n in range(200)
    ]
    desk.adapter.find_activity(keys)

    assert desk.api_calls == 1


def test_a_batch_that_finds_something_is_two_calls(connect: Any) -> None:
    """What the candidates name is read for all of them together."""
    desk = connect(world(*[task(call_id=f"k{n}", person_ids=["C1"], opportunity_id="O1") for n in range(20)]))
    keys = [CallKey(f"k{n}", "phone", START, START, 60.0, (desk.ids["C1"],)) for n in range(20)]
    found = desk.adapter.find_activity(keys)

    assert (all(found.values()), desk.api_calls) == (True, 2)
