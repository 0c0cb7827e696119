"""From a CRM in a file to the records of the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.kinds import last_reference
from connector_hubspot.sandbox import HubSpotSandbox
from connector_hubspot.sandbox.seed import split_name
from hypothesis import given
from hypothesis import strategies as st

from connector_core.crms.world import parse_world
from connector_core.testing.sandbox import SeedError


def _held(kind: str, seed_id: str, **world: Any) -> dict[str, Any]:
    sandbox = HubSpotSandbox(parse_world(world))
    found: dict[str, Any] = next(record for record in sandbox.records()[kind] if record["id"] == sandbox.ids()[seed_id])
    return found


def _contact(seed_id: str = "C1", **rest: Any) -> dict[str, Any]:
    return {"kind": "contact", "id": seed_id, **rest}


def _deal(**rest: Any) -> dict[str, Any]:
    return {"id": "O1", "created_at": "2026-02-01T08:09:10Z", **rest}


def _bonds(record: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    return [(item["id"], item["type"]) for item in record["associations"].get(kind, {"results": []})["results"]]


def test_ids_grow_in_the_order_of_the_seed(portal: Any) -> None:
    """Ids are numbers of one length, unique over all objects, in the order of the seed; leads have none."""
    values = list(portal.ids.values())
    assert (values, len(set(values)), list(portal.ids)) == (
        sorted(values),
        len(values),
        ["A1", "A2", "U1", "C1", "C2", "O1", "T1"],
    )


def test_an_id_that_two_kinds_share_is_that_of_the_first() -> None:
    """Ids of a seed are unique over people alone; what comes first in the seed is what they say."""
    sandbox = HubSpotSandbox(
        parse_world({"accounts": [{"id": "1"}], "users": [{"id": "1"}], "people": [_contact("1")]})
    )
    assert sandbox.ids() == {"1": sandbox.records()["companies"][0]["id"]}


def test_a_contact_is_held_whole(portal: Any) -> None:
    """Names, addresses, title, numbers and company of a person are the contact's properties."""
    properties = portal.sandbox.records()["contacts"][0]["properties"]
    wanted = {
        "firstname": "Carl",
        "lastname": "Customer",
        "email": "carl@buyer.example",
        "hs_additional_emails": "carl.private@mail.example",
        "jobtitle": "CTO",
        "phone": "+33 6 39 98 10 11",
        "associatedcompanyid": portal.ids["A1"],
    }
    assert {name: properties.get(name) for name in wanted} == wanted


def test_a_second_number_is_the_mobile_one() -> None:
    """Two numbers have their place, in the order of the seed."""
    record = _held("contacts", "C1", people=[_contact(phones=["1", "", "2"])])
    assert (record["properties"]["phone"], record["properties"]["mobilephone"]) == ("1", "2")


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[ab ]{0,8}", fullmatch=True)))
def test_a_name_reads_back_exactly(name: str) -> None:
    """First and last name, joined by a blank, are the name; the parts are not empty, and begin and end as words do."""
    first, last = split_name(name)
    assert " ".join(part for part in (first, last) if part) == name
    assert last is None or (first is not None and first[-1:].strip() and last[:1].strip())


@pytest.mark.parametrize(
    ("world", "named"),
    [
        ({"people": [_contact(phones=["1", "2", "3"])]}, "contact C1"),
        ({"people": [_contact(emails=["a@b.example"]), _contact("C2", emails=["A@b.example"])]}, "contact C2"),
        ({"people": [_contact(emails=["no address"])]}, "contact C1"),
        ({"people": [_contact(fields={"no_such": 1})]}, "contact C1"),
        ({"accounts": [{"id": "A1", "fields": {"hs_object_id": 1}}]}, "account A1"),
        ({"users": [{"id": "U1", "fields": {"team": 1}}]}, "user U1"),
        ({"opportunities": [_deal(fields={"dealstage": "closedwon"})]}, "opportunity O1"),
        ({"opportunities": [_deal(fields={"dealstage": None})]}, "opportunity O1"),
        ({"activities": [{"id": "T1", "kind": "call", "title": "x" * 70_000}]}, "activity T1"),
        ({"opportunities": [_deal(created_at="0001-01-01T00:00:00+14:00")]}, "opportunity O1: one of its times"),
        (
            {"activities": [{"id": "T1", "kind": "meeting", "started_at": "9999-12-31", "duration_seconds": 90_000}]},
            "activity T1: one of its times",
        ),
    ],
)
def test_what_the_service_could_not_hold_is_refused_by_name(world: dict[str, Any], named: str) -> None:
    """The error names the record of the seed."""
    with pytest.raises(SeedError, match=named):
        HubSpotSandbox(parse_world(world))


def test_the_message_of_a_refused_seed_holds_no_address() -> None:
    """A message about an address does not repeat it."""
    with pytest.raises(SeedError) as caught:
        HubSpotSandbox(
            parse_world({"people": [_contact(emails=["ann@b.example"]), _contact("C2", emails=["ann@b.example"])]})
        )
    assert "ann@" not in str(caught.value)


def test_an_open_deal_is_in_an_open_stage(portal: Any) -> None:
    """An opportunity without closing is in an open stage, entered when it was created, to the second."""
    properties = portal.sandbox.records()["deals"][0]["properties"]
    assert (
        properties["createdate"],
        properties["hs_is_closed"],
        properties["hs_v2_date_entered_appointmentscheduled"],
        properties.get("closedate"),
        properties["hs_next_step"],
        properties["hubspot_owner_id"],
    ) == ("2026-02-01T08:09:10Z", "false", "2026-02-01T08:09:10Z", None, "Send the quote", portal.ids["U1"])


def test_a_closing_with_its_time_is_the_time_of_the_stage() -> None:
    """The instant of the closing is when the closed stage was entered."""
    properties = _held("deals", "O1", opportunities=[_deal(closed_at="2026-03-05T10:11:12+01:00")])["properties"]
    assert (properties["hs_is_closed_won"], properties["hs_v2_date_entered_closedwon"], properties["closedate"]) == (
        "true",
        "2026-03-05T09:11:12Z",
        "2026-03-05T09:11:12Z",
    )


def test_a_closing_of_which_only_the_day_is_known_has_no_time_of_a_stage() -> None:
    """A bare day is the close date, and nothing says when the stage was entered."""
    properties = _held("deals", "O1", opportunities=[_deal(closed_at="2026-03-05")])["properties"]
    entered = [name for name in properties if "date_entered" in name or name == "hs_closed_won_date"]
    assert (properties["closedate"], properties["hs_is_closed"], entered) == ("2026-03-05T00:00:00Z", "true", [])


def test_a_deal_is_bound_to_its_company_and_contacts(portal: Any) -> None:
    """The company is the deal's primary one."""
    deal = portal.sandbox.records()["deals"][0]
    assert (_bonds(deal, "companies"), _bonds(deal, "contacts")) == (
        [(portal.ids["A1"], "deal_to_company"), (portal.ids["A1"], "deal_to_company_unlabeled")],
        [(portal.ids["C1"], "deal_to_contact")],
    )


def test_a_call_carries_its_key_unchanged(portal: Any) -> None:
    """The id of a call is in the field for it, its duration in milliseconds."""
    properties = portal.sandbox.records()["calls"][0]["properties"]
    wanted = ("hs_call_external_id", "hs_call_duration", "hs_timestamp", "hs_call_title")
    assert [properties[name] for name in wanted] == ["Aircall:18", "1800000", "2026-03-02T09:00:00Z", "Hello"]


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (None, "ref: zoom:7"),
        ("Summary", "Summary\nref: zoom:7"),
        ("Summary\nref: zoom:7", "Summary\nref: zoom:7"),
        ("<p>Summary</p>", "<p>Summary</p><p>ref: zoom:7</p>"),
    ],
)
@pytest.mark.parametrize("kind", ["meeting", "event", "note", "task"])
def test_a_kind_without_a_field_for_the_key_ends_with_it(kind: str, body: str | None, held: str) -> None:
    """The last line of the body is the reference, in the form of the body."""
    name = {"note": "hs_note_body", "task": "hs_task_body"}.get(kind, "hs_internal_meeting_notes")
    where = {"note": "notes", "task": "tasks"}.get(kind, "meetings")
    record = _held(where, "T1", activities=[{"id": "T1", "kind": kind, "call_id": "zoom:7", "body": body}])
    assert record["properties"][name] == held


@pytest.mark.parametrize("body", [None, "Summary", "a < b", "<p>Summary</p>"])
def test_a_reference_is_read_back_whatever_it_holds(body: str | None) -> None:
    """Characters that mean something in HTML are the id's own all the same."""
    activity = {"id": "T1", "kind": "meeting", "call_id": "zoom:<7>&amp;8", "body": body}
    held = _held("meetings", "T1", activities=[activity])["properties"]["hs_internal_meeting_notes"]
    assert last_reference(held) == "zoom:<7>&amp;8"


def test_a_meeting_ends_after_its_duration() -> None:
    """Start, end and place on the timeline of a meeting."""
    activity = {"id": "T1", "kind": "event", "started_at": "2026-03-02T10:00:00+01:00", "duration_seconds": 90}
    properties = _held("meetings", "T1", activities=[activity])["properties"]
    wanted = ("hs_timestamp", "hs_meeting_start_time", "hs_meeting_end_time")
    assert [properties[name] for name in wanted] == [
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:00:00Z",
        "2026-03-02T09:01:30Z",
    ]


@pytest.mark.parametrize(("started", "held"), [("2026-03-02", "2026-03-02T00:00:00Z"), (None, "1970-01-01T00:00:00Z")])
def test_an_activity_always_has_an_instant(started: str | None, held: str) -> None:
    """A day is held as its midnight in UTC, nothing as the beginning of time."""
    record = _held("calls", "T1", activities=[{"id": "T1", "kind": "call", "started_at": started}])
    assert record["properties"]["hs_timestamp"] == held


def test_a_lead_counts_as_the_contact_that_it_became() -> None:
    """A link to a converted lead, through a chain, is one to the contact; one to any other lead is none."""
    people = [
        _contact(),
        {"kind": "lead", "id": "L1", "converted_contact_id": "L2"},
        {"kind": "lead", "id": "L2", "converted_contact_id": "C1"},
        {"kind": "lead", "id": "L3"},
        {"kind": "lead", "id": "L4", "converted_contact_id": "L4"},
    ]
    activity = {"id": "T1", "kind": "call", "person_ids": ["L1", "L3", "L4"]}
    sandbox = HubSpotSandbox(parse_world({"people": people, "activities": [activity]}))
    assert _bonds(sandbox.records()["calls"][0], "contacts") == [(sandbox.ids()["C1"], "call_to_contact")]


def test_a_reference_to_a_record_that_is_gone_is_no_link() -> None:
    """What the seed refers to and does not hold stands for a deleted record."""
    activity = {
        "id": "T1",
        "kind": "call",
        "person_ids": ["X"],
        "account_id": "X",
        "opportunity_id": "X",
        "owner_id": "X",
    }
    record = _held("calls", "T1", activities=[activity])
    assert (record["associations"], record["properties"].get("hubspot_owner_id")) == ({}, None)


def test_fields_are_properties() -> None:
    """Further fields of the seed are set, checked like any write."""
    record = _held("contacts", "C1", people=[_contact(fields={"lifecyclestage": "customer", "fax": 12})])
    assert (record["properties"]["lifecyclestage"], record["properties"]["fax"]) == ("customer", "12")


def test_an_archived_user_is_an_archived_owner(serve: Callable[..., Any]) -> None:
    """A user that left still owns its records, and is among the archived owners only."""
    users = [{"id": "U1", "email": "ada@seller.example", "fields": {"archived": True}}]
    portal = serve({"users": users, "opportunities": [_deal(owner_id="U1")]})
    deal = portal.sandbox.records()["deals"][0]["properties"]
    active, archived = (portal.get(f"/crm/v3/owners{query}").body["results"] for query in ("", "?archived=true"))
    assert (active, archived[0]["id"], archived[0]["userId"]) == ([], deal["hubspot_owner_id"], None)


def test_tasks_stand_among_the_records_only_where_there_are_any(portal: Any) -> None:
    """The objects of the records are the documented ones."""
    assert list(portal.sandbox.records()) == ["contacts", "companies", "deals", "calls", "meetings", "notes"]
