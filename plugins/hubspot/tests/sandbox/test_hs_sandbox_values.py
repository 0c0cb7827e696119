"""The values of properties: what the sandbox takes, and what it says to the rest."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from connector_hubspot.sandbox.instants import iso, milliseconds, read_instant
from hypothesis import given
from hypothesis import strategies as st

CONTACTS = "/crm/v3/objects/contacts"
CALLS = "/crm/v3/objects/calls"
DEALS = "/crm/v3/objects/deals"
TIME = {"hs_timestamp": "2026-11-20T10:00:00Z"}


def _problem(answer: Any) -> str:
    code: str = answer.body["errors"][0]["code"]
    return code


@pytest.mark.parametrize(
    ("path", "properties", "code"),
    [
        (CONTACTS, {"firstname": "x", "no_such": "1"}, "PROPERTY_DOESNT_EXIST"),
        (CONTACTS, {"firstname": "x", "hs_searchable_calculated_phone_number": "1"}, "READ_ONLY_VALUE"),
        (CONTACTS, {"firstname": "x", "createdate": "1700000000000"}, "READ_ONLY_VALUE"),
        (CONTACTS, {"firstname": "x", "lifecyclestage": "Lead"}, "INVALID_OPTION"),
        (CONTACTS, {"firstname": "x", "hubspot_owner_id": "12"}, "INVALID_OWNER_ID"),
        (CONTACTS, {"email": "no address"}, "INVALID_EMAIL"),
        (CALLS, {"hs_timestamp": "2026-11-20"}, "INVALID_LONG"),
        (CALLS, {"hs_timestamp": "2026-11-20T10:00:00"}, "INVALID_LONG"),
        (CALLS, {**TIME, "hs_call_duration": "1,000"}, "INVALID_NUMBER"),
        (CALLS, {**TIME, "hs_call_source": "MINE"}, "INVALID_OPTION"),
        (CALLS, {**TIME, "hs_call_recording_url": "http://calls.example/1.mp3"}, "INVALID_URL"),
        (CALLS, {**TIME, "hs_call_body": "x" * 65_537}, "VALUE_TOO_LONG"),
        (DEALS, {"pipeline": "no_such"}, "INVALID_OPTION"),
        (DEALS, {"pipeline": "727240411", "dealstage": "closedwon"}, "INVALID_OPTION"),
    ],
)
def test_a_value_that_the_service_does_not_take_is_refused(
    portal: Any, path: str, properties: dict[str, str], code: str
) -> None:
    """The answer is 400, and names what is wrong."""
    answer = portal.post(path, {"properties": properties})
    assert (answer.status, _problem(answer)) == (400, code)


def test_the_message_holds_the_problems_as_json(portal: Any) -> None:
    """Every problem of a record stands as JSON inside the message."""
    answer = portal.post(CONTACTS, {"properties": {"no_such": "1", "nor_this": "2"}})
    inside = json.loads(answer.body["message"].removeprefix("Property values were not valid: "))
    assert [problem["name"] for problem in inside] == ["no_such", "nor_this"]


def test_a_wrong_choice_is_told_what_is_possible(portal: Any) -> None:
    """The message about a wrong choice lists the choices."""
    answer = portal.post(CALLS, {"properties": {**TIME, "hs_call_direction": "outbound"}})
    assert answer.body["errors"][0]["message"] == "outbound was not one of the allowed options: [INBOUND, OUTBOUND]"


def test_numbers_and_flags_are_taken_and_come_back_as_text(portal: Any) -> None:
    """A JSON number is taken, and every value comes back as text."""
    created = portal.post(CALLS, {"properties": {**TIME, "hs_call_duration": 1800000}}).body
    assert created["properties"]["hs_call_duration"] == "1800000"


def test_an_address_is_kept_in_lower_case(portal: Any) -> None:
    """Addresses are trimmed, and lower-cased."""
    created = portal.post(CONTACTS, {"properties": {"email": " New@Other.Example "}}).body
    assert created["properties"]["email"] == "new@other.example"


def test_milliseconds_come_back_as_iso(portal: Any) -> None:
    """A time that is written in milliseconds is answered in ISO 8601."""
    created = portal.post(CALLS, {"properties": {"hs_timestamp": "1651568400000"}}).body
    assert created["properties"]["hs_timestamp"] == "2022-05-03T09:00:00Z"


def test_a_date_is_a_day_or_its_midnight(portal: Any) -> None:
    """A property of type date takes midnight in UTC, and refuses any other instant."""
    portal.org(properties={"contacts": [{"name": "renewal_day", "type": "date", "fieldType": "date"}]})
    path = f"{CONTACTS}/{portal.ids['C1']}"
    taken = portal.send("PATCH", path, {"properties": {"renewal_day": "1651536000000"}})
    refused = portal.send("PATCH", path, {"properties": {"renewal_day": "1651568400000"}})
    assert (taken.body["properties"]["renewal_day"], _problem(refused)) == ("2022-05-03", "INVALID_DATE")


def test_a_leading_semicolon_adds_to_the_choices(portal: Any) -> None:
    """A multiple choice is replaced, or added to where the value begins with a semicolon."""
    options = {"name": "topics", "type": "enumeration", "fieldType": "checkbox", "options": ["price", "legal"]}
    portal.org(properties={"contacts": [options]})
    path = f"{CONTACTS}/{portal.ids['C1']}"
    portal.send("PATCH", path, {"properties": {"topics": "price"}})
    answer = portal.send("PATCH", path, {"properties": {"topics": ";legal"}})
    assert answer.body["properties"]["topics"] == "price;legal"


def test_a_stage_that_is_entered_is_dated(portal: Any) -> None:
    """A deal that is closed by a client has the flags and the time of its stage."""
    path = f"{DEALS}/{portal.ids['O1']}"
    portal.send("PATCH", path, {"properties": {"dealstage": "closedlost"}})
    names = "hs_is_closed,hs_is_closed_won,hs_v2_date_entered_closedlost,hs_closed_won_date"
    properties = portal.get(f"{path}?properties={names}").body["properties"]
    assert (
        properties["hs_is_closed"],
        properties["hs_is_closed_won"],
        properties["hs_v2_date_entered_closedlost"],
        properties["hs_closed_won_date"],
    ) == ("true", "false", properties["hs_lastmodifieddate"], None)


def test_the_primary_company_is_an_association(portal: Any) -> None:
    """Writing the id of the primary company associates the contact with it."""
    path = f"{CONTACTS}/{portal.ids['C1']}"
    portal.send("PATCH", path, {"properties": {"associatedcompanyid": portal.ids["A2"]}})
    types = portal.get(f"{path}?associations=companies").body["associations"]["companies"]["results"]
    assert [item["id"] for item in types if item["type"] == "contact_to_company"] == [portal.ids["A2"]]


_FIRST, _LAST = (dt.datetime(year, 1, 1) for year in (1980, 2100))  # noqa: DTZ001 - the bounds take no zone
_TIMES = st.datetimes(_FIRST, _LAST, timezones=st.just(dt.UTC))


@given(_TIMES)
def test_every_written_time_reads_as_itself(at: dt.datetime) -> None:
    """What is written is read again, to the millisecond, as text and as milliseconds."""
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    text = iso(at)
    assert (read_instant(text), read_instant(str(milliseconds(text)))) == (at, at)


@given(st.text(max_size=20))
def test_no_text_breaks_the_reader_of_times(text: str) -> None:
    """Any text is a time or none."""
    found = read_instant(text)
    assert found is None or found.tzinfo is not None
