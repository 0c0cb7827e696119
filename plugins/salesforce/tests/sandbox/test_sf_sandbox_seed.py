"""How the sandbox holds a CRM in a file."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from connector_salesforce.sandbox import SalesforceSandbox
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.seed import split_name
from hypothesis import given
from hypothesis import strategies as st

from connector_core.crms.world import parse_world
from connector_core.testing.sandbox import SeedError, seed_ids

CONTACT = {"kind": "contact", "id": "C1", "name": "Ada Bee"}
LEAD = {"kind": "lead", "id": "L1", "name": "Lea Lead"}
START = "2026-03-02T09:00:30Z"


def held(obj: str, **world: Any) -> list[dict[str, Any]]:
    """Give what a sandbox with that seed holds of an object."""
    return SalesforceSandbox(parse_world(world)).records()[obj]


def activity(**fields: Any) -> dict[str, Any]:
    """Make an activity of a seed."""
    return {"id": "T1", "kind": "call", "person_ids": ["C1"], "started_at": START, **fields}


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (
            {"people": [{**CONTACT, "emails": ["a@x.example", "b@x.example"]}]},
            "contact C1: Salesforce holds one e-mail",
        ),
        (
            {"opportunities": [{"id": "O1", "created_at": "0001-01-01T00:00:00+14:00"}]},
            "opportunity O1: one of its times is outside the calendar",
        ),
        (
            {"activities": [{"id": "T1", "kind": "meeting", "started_at": "9999-12-31T23:59:59-12:00"}]},
            "activity T1: one of its times is outside the calendar",
        ),
        ({"people": [{**CONTACT, "phones": ["1", "2", "3", "4", "5"]}]}, "contact C1: Salesforce holds 4 numbers"),
        ({"people": [{**LEAD, "phones": ["1", "2", "3"]}]}, "lead L1: Salesforce holds 2 numbers"),
        (
            {"people": [{**CONTACT, "emails": ["nowhere"]}]},
            "contact C1: Salesforce refuses it with INVALID_EMAIL_ADDRESS",
        ),
        ({"people": [{**CONTACT, "name": "x" * 130}]}, "contact C1: its name does not fit"),
        (
            {"people": [{**CONTACT, "fields": {"Nope__c": 1}}]},
            "contact C1: Salesforce refuses it with INVALID_FIELD: No such column 'Nope__c' on sobject of type Contact",
        ),
        (
            {"people": [{**CONTACT, "fields": {"Id": "003"}}]},
            "contact C1: the field Id: Salesforce gives ids by itself",
        ),
        (
            {"accounts": [{"id": "A1"}], "people": [{**LEAD, "account_id": "A1"}]},
            "lead L1: a lead of Salesforce has no",
        ),
        (
            {"people": [LEAD, {**LEAD, "id": "L2", "converted_contact_id": "L1"}]},
            "lead L2: it was converted into the lead",
        ),
        ({"people": [{**LEAD, "converted_contact_id": "L1"}]}, "lead L1: it was converted into itself"),
        (
            {"people": [LEAD], "opportunities": [{"id": "O1", "created_at": START, "contact_ids": ["L1"]}]},
            "opportunity O1: the lead L1 cannot have a role",
        ),
        (
            {"people": [CONTACT, LEAD], "activities": [activity(person_ids=["C1", "L1"])]},
            "activity T1: Salesforce refuses",
        ),
        (
            {
                "accounts": [{"id": "A1"}],
                "people": [LEAD],
                "activities": [activity(person_ids=["L1"], account_id="A1")],
            },
            "activity T1: Salesforce refuses",
        ),
        (
            {
                "accounts": [{"id": "A1"}, {"id": "A2"}],
                "opportunities": [{"id": "O1", "created_at": START, "account_id": "A1"}],
                "activities": [activity(account_id="A2", opportunity_id="O1")],
            },
            "activity T1: Salesforce relates it to an opportunity or to an account",
        ),
        (
            {"activities": [activity(kind="meeting", duration_seconds=15 * 86_400)]},
            "activity T1: Salesforce refuses",
        ),
        (
            {"activities": [activity(kind="meeting", started_at="2026-03-02", duration_seconds=60)]},
            "activity T1: an Event of Salesforce of which only the day is known",
        ),
        (
            {"activities": [activity(title="x" * 256)]},
            "activity T1: Salesforce refuses it with STRING_TOO_LONG in Subject",
        ),
    ],
)
def test_what_salesforce_could_not_hold_is_refused_by_name(record: dict[str, Any], says: str) -> None:
    """The message names the record and says why."""
    with pytest.raises(SeedError) as refusal:
        SalesforceSandbox(parse_world(record))
    assert str(refusal.value).startswith(says)


@given(st.text(alphabet=st.sampled_from("ab Zé-'"), max_size=90))
def test_a_name_reads_back_as_it_was(name: str) -> None:
    """First and last name, joined by a blank, are the name; a missing one is told from it."""
    parts = split_name(name)
    joined = " ".join(part for part in (parts["FirstName"], parts["LastName"]) if part)
    assert joined == (name or "[not provided]")


def test_every_record_has_an_id_of_its_own(client: Any) -> None:
    """Whole ids, all different."""
    ids = list(client.ids.values())
    assert len(set(ids)) == len(ids) == sum(1 for record in ids if full_id(record) == record)


def test_ids_grow_in_the_order_of_the_seed(serve: Any) -> None:
    """Over all objects, behind the three characters that name the object."""
    world = {
        "accounts": [{"id": "Z"}, {"id": "A"}],
        "people": [CONTACT, LEAD],
        "opportunities": [{"id": "O1", "created_at": START, "contact_ids": ["C1"]}, {"id": "O0", "created_at": START}],
        "activities": [activity(id="T9"), activity(id="T1", kind="event"), activity(id="N", kind="note")],
    }
    client = serve(world)
    numbers = [client.ids[seed_id][3:15] for seed_id in seed_ids(parse_world(world))]
    assert numbers == sorted(set(numbers))


def test_a_contact_is_held_with_its_numbers() -> None:
    """Four fields identify a person."""
    numbers = ["06 12 34 56 78", "+33 1 99 00 41 20", "1", "2"]
    row = held("Contact", people=[{**CONTACT, "phones": numbers}])[0]
    assert [row[name] for name in ("Phone", "MobilePhone", "HomePhone", "OtherPhone")] == numbers


def test_blank_addresses_and_numbers_are_none() -> None:
    """They take no place from those that say something."""
    person = {**CONTACT, "emails": [" ", "ada@x.example"], "phones": ["", " ", "1", "2", "3", "4"]}
    [contact] = held("Contact", people=[person])
    assert [contact[name] for name in ("Email", "Phone", "OtherPhone")] == ["ada@x.example", "1", "4"]


def test_a_blank_reference_converts_no_lead() -> None:
    """It names nobody, so that the lead stands for itself."""
    [lead] = held("Lead", people=[{**LEAD, "converted_contact_id": " "}])
    assert lead["IsConverted"] is False


def test_what_a_lead_lacks_is_filled_in() -> None:
    """Its company is not provided."""
    assert held("Lead", people=[{**LEAD, "name": None}])[0]["Company"] == "[not provided]"


def test_a_converted_lead_names_the_contact_at_the_end_of_its_chain() -> None:
    """Salesforce knows no other lead there."""
    second = {**LEAD, "id": "L2", "converted_contact_id": "L1"}
    rows = held("Lead", people=[second, {**LEAD, "converted_contact_id": "C1"}, CONTACT])
    contact = held("Contact", people=[second, {**LEAD, "converted_contact_id": "C1"}, CONTACT])[0]["Id"]
    assert [(row["IsConverted"], row["ConvertedContactId"]) for row in rows] == [(True, contact)] * 2


def test_a_lead_converted_into_nobody_stays_converted() -> None:
    """Its contact was deleted."""
    row = held("Lead", people=[{**LEAD, "converted_contact_id": "gone"}])[0]
    assert (row["IsConverted"], row["ConvertedContactId"]) == (True, None)


@pytest.mark.parametrize(
    ("closed_at", "expected"),
    [
        (None, (False, "2026-04-01", None)),
        ("2026-03-05T23:00:01+01:00", (True, "2026-03-05", "2026-03-05T22:00:01.000+0000")),
        ("2026-03-05", (True, "2026-03-05", None)),
    ],
)
def test_a_closing_is_held_as_it_is_known(closed_at: str | None, expected: tuple[bool, str, str | None]) -> None:
    """To the second as the change of the stage, to the day as the close date, open with a date to come."""
    row = held("Opportunity", opportunities=[{"id": "O1", "created_at": START, "closed_at": closed_at}])[0]
    assert (row["IsClosed"], row["CloseDate"], row["LastStageChangeDate"]) == expected


def test_an_opportunity_is_as_old_as_the_seed_says() -> None:
    """To the second."""
    assert held("Opportunity", opportunities=[{"id": "O1", "created_at": START}])[0]["CreatedDate"] == (
        "2026-03-02T09:00:30.000+0000"
    )


def test_a_role_of_a_converted_lead_is_held_on_its_contact() -> None:
    """Once, though both are named."""
    people = [CONTACT, {**LEAD, "converted_contact_id": "C1"}]
    deal = {"id": "O1", "created_at": START, "contact_ids": ["L1", "C1", "gone"]}
    assert len(held("OpportunityContactRole", people=people, opportunities=[deal])) == 1


def test_a_call_is_a_task_with_its_key() -> None:
    """Its key is unchanged, its day is known, and its seconds."""
    row = held("Task", activities=[activity(call_id=" Test:1 ", duration_seconds=1830)])[0]
    values = [row[name] for name in ("TaskSubtype", "CallObject", "ActivityDate", "CallDurationInSeconds")]
    assert values == ["Call", " Test:1 ", "2026-03-02", 1830]


def test_a_meeting_is_an_event_to_the_second() -> None:
    """Its key is the last line of its body."""
    row = held("Event", activities=[activity(kind="meeting", call_id="m:1", duration_seconds=1830, body="Hello")])[0]
    values = [row[name] for name in ("StartDateTime", "EndDateTime", "DurationInMinutes", "Description")]
    assert values == ["2026-03-02T09:00:30.000+0000", "2026-03-02T09:31:00.000+0000", 30, "Hello\nref: m:1"]


@pytest.mark.parametrize("body", ["Summary", "Summary\nref: zoom:7"])
def test_a_meeting_ends_with_its_key_once(body: str) -> None:
    """Also where the CRM in a file was written to before, and the line stands there already."""
    (event,) = held("Event", people=[CONTACT], activities=[activity(kind="meeting", call_id="zoom:7", body=body)])
    assert event["Description"] == "Summary\nref: zoom:7"


def test_a_meeting_of_a_day_lasts_that_day() -> None:
    """Salesforce knows events of whole days."""
    row = held("Event", activities=[activity(kind="meeting", started_at="2026-03-02")])[0]
    assert (row["IsAllDayEvent"], row["ActivityDate"]) == (True, "2026-03-02")


def test_a_note_is_linked_to_its_records(serve: Any) -> None:
    """Its content is HTML, with the key as the last paragraph; it is its owner's without being asked."""
    client = serve({"people": [CONTACT], "activities": [activity(id="N1", kind="note", body="a < b", call_id="n:1")]})
    content = client.send("GET", f"sobjects/ContentNote/{client.ids['N1']}/Content").text
    links = [row["LinkedEntityId"] for row in client.records("ContentDocumentLink")]
    owner = client.records("ContentNote")[0]["OwnerId"]
    assert (content, links) == ("<p>a &lt; b</p><p>ref: n:1</p>", [owner, client.ids["C1"]])


def test_an_activity_of_account_and_opportunity_is_held_on_the_opportunity() -> None:
    """Its account is derived."""
    deal = {"id": "O1", "created_at": START, "account_id": "A1"}
    world = {"accounts": [{"id": "A1"}], "opportunities": [deal]}
    row = held("Task", **world, activities=[activity(account_id="A1", opportunity_id="O1")])[0]
    assert (row["WhatId"][:3], row["AccountId"][:3]) == ("006", "001")


def test_an_activity_of_a_converted_lead_is_held_on_its_contact() -> None:
    """Converting a lead moves its activities."""
    people = [CONTACT, {**LEAD, "converted_contact_id": "C1"}]
    assert held("Task", people=people, activities=[activity(person_ids=["L1"])])[0]["WhoId"][:3] == "003"


def test_references_to_what_is_gone_are_left_out() -> None:
    """As after a deletion."""
    gone = activity(person_ids=["gone"], account_id="gone", opportunity_id="gone", owner_id="gone")
    row = held("Task", activities=[gone])[0]
    assert (row["WhoId"], row["WhatId"]) == (None, None)


def test_further_fields_are_set_as_given() -> None:
    """They count more than what was filled in."""
    lead = {**LEAD, "fields": {"Company": "Lead SA", "Industry": "Banking"}}
    row = held("Lead", people=[lead])[0]
    assert (row["Company"], row["Industry"]) == ("Lead SA", "Banking")


@given(st.datetimes(min_value=dt.datetime(1990, 1, 1), max_value=dt.datetime(2040, 1, 1)), st.integers(0, 14 * 86_400))  # noqa: DTZ001 - hypothesis wants bounds without a zone
def test_times_and_durations_survive_to_the_second(start: dt.datetime, seconds: int) -> None:
    """Whatever they are."""
    moment = start.replace(microsecond=0, tzinfo=dt.UTC)
    meeting = activity(kind="meeting", started_at=moment.isoformat(), duration_seconds=seconds)
    row = held("Event", activities=[meeting])[0]
    read = [dt.datetime.fromisoformat(row[name]) for name in ("StartDateTime", "EndDateTime")]
    assert read == [moment, moment + dt.timedelta(seconds=seconds)]
