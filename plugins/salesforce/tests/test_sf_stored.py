"""Fields of records, read from a sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from connector_core.errors import CredentialsError
from connector_core.model import RecordFields, RecordUpdate, Unknown

WORLD: dict[str, Any] = {
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "title": "CTO", "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Carla"},
        {"kind": "lead", "id": "L1", "name": "Lea", "title": "COO"},
        {"kind": "lead", "id": "L2", "name": "Leo", "converted_contact_id": "C1"},
    ],
    "accounts": [{"id": "A1", "name": "Buyer"}],
    "opportunities": [{"id": "O1", "name": "Deal", "account_id": "A1", "created_at": "2026-03-02T09:00:00Z"}],
}


@pytest.fixture
def desk(connect: Any) -> Any:
    return connect(WORLD)


def read(desk: Any, *asked: tuple[str, str, tuple[str, ...]]) -> list[Any]:
    """Read fields of records of the seed, in the order in which they are asked for."""
    records = [RecordFields(obj, desk.ids.get(seed, seed), fields) for obj, seed, fields in asked]
    found = desk.adapter.read_fields(records)
    return [found[it.object, it.id] for it in records]


def test_several_objects_are_one_call(desk: Any) -> None:
    """Each record is told what was asked of it, with empty fields as None, whatever else is read beside."""
    found = read(
        desk,
        ("Contact", "C1", ("Title", "Department")),
        ("Contact", "C2", ("Title",)),
        ("Lead", "L1", ("Title", "IsConverted")),
        ("Account", "A1", ("Name",)),
        ("Opportunity", "O1", ("Amount", "CloseDate", "AccountId")),
    )

    assert found[:4] == [
        ({"Title": "CTO", "Department": None},),
        ({"Title": None},),
        ({"Title": "COO", "IsConverted": False},),
        ({"Name": "Buyer"},),
    ]
    assert (found[4][0]["Amount"], found[4][0]["AccountId"]) == (None, desk.ids["A1"])
    assert desk.api_calls == 1


def test_two_hundred_records_are_one_call(connect: Any) -> None:
    """One query reads them all."""
    desk = connect({"people": [{"kind": "contact", "id": f"C{n}", "name": "x", "title": f"{n}"} for n in range(200)]})
    found = read(desk, *(("Contact", f"C{n}", ("Title",)) for n in range(200)))

    assert ([it[0]["Title"] for it in found], desk.api_calls) == ([str(n) for n in range(200)], 1)


def test_what_is_not_there_or_hidden_is_left_out(desk: Any) -> None:
    """However many such fields there are, three calls do; names that no field can have are never sent."""
    desk.post("org", {"hidden_fields": ["Contact.Department", "Contact.Phone"]})
    fields = ("Department", "Nope__c", "Other__c", "Phone", "Title", "Account.Name", "FIELDS(ALL)")

    assert read(desk, ("Contact", "C1", fields)) == [({"Title": "CTO"},)]
    assert desk.api_calls == 3


def test_a_field_that_is_shown_again_is_read_again(desk: Any) -> None:
    """Nothing of what was hidden is remembered."""
    desk.post("org", {"hidden_fields": ["Contact.Title"]})
    before = read(desk, ("Contact", "C1", ("Title",)))
    desk.post("org", {"hidden_fields": []})

    assert (before, read(desk, ("Contact", "C1", ("Title",)))) == ([({},)], [({"Title": "CTO"},)])


def test_an_object_that_cannot_be_seen_is_not_known_and_fails_no_other(desk: Any) -> None:
    """Whether it is gone or hidden nobody can tell; the message names it."""
    desk.post("org", {"missing_rights": {"Lead": ["read"]}})
    lead, unicorn, contact = read(
        desk, ("Lead", "L1", ("Title",)), ("Unicorn__c", "C2", ("Title",)), ("Contact", "C1", ("Title",))
    )

    assert [isinstance(it, Unknown) and it.reason.partition(",")[0] for it in (lead, unicorn)] == [
        "Salesforce has no object Lead",
        "Salesforce has no object Unicorn__c",
    ]
    assert contact == ({"Title": "CTO"},)


def test_names_are_told_as_they_were_asked_for(desk: Any) -> None:
    """Salesforce's names have no case, and neither have its ids of 15 characters a second record."""
    short = desk.ids["C1"][:15]

    assert read(desk, ("Contact", "C1", ("TITLE",)), ("Contact", short, ("title", "Id"))) == [
        ({"TITLE": "CTO"},),
        ({"title": "CTO", "Id": desk.ids["C1"]},),
    ]


@pytest.mark.parametrize("record", ["003000000000000AAA", "nonsense", "' OR Id != '"])
def test_a_record_that_is_not_there_is_empty(desk: Any, record: str) -> None:
    """By an id that nobody has, and by what is no id."""
    assert read(desk, ("Contact", record, ("Title",))) == [()]


def test_a_converted_lead_is_gone(desk: Any) -> None:
    """Nobody may change it, so nothing stands in its fields that could be written over."""
    assert read(desk, ("Lead", "L2", ("Title",)), ("Lead", "L1", ("Title",))) == [(), ({"Title": "COO"},)]


def test_a_converted_lead_tells_whom_it_became(desk: Any) -> None:
    """That leads a template to the records that it became."""
    ((told,),) = read(desk, ("Lead", "L2", ("ConvertedContactId",)))

    assert told == {"ConvertedContactId": desk.ids["C1"]}


def test_values_come_as_they_were_filled(desk: Any) -> None:
    """A number, a day and a text are read as they were sent."""
    given = {"Amount": 1234.5, "CloseDate": "2026-03-31", "NextStep": "Call again"}
    desk.adapter.fill_fields([RecordUpdate("Opportunity", desk.ids["O1"], given)])

    assert read(desk, ("Opportunity", "O1", tuple(given))) == [(given,)]


def test_credentials_that_are_refused_are_told(connect: Any) -> None:
    """That is no matter of one object."""
    desk = connect(WORLD, access_token="not-a-token", client_id=None, client_secret=None)

    with pytest.raises(CredentialsError):
        read(desk, ("Contact", "C1", ("Title",)))
