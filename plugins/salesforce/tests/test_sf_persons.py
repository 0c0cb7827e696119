"""Person accounts: found, written to and filled in a sandbox that has them."""

from __future__ import annotations

from typing import Any

import pytest
from connector_salesforce import SALESFORCE

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call, FieldReceipt, RecordUpdate
from connector_core.sync import sync

WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Paula"}, {"id": "A2", "name": "Paula Double"}, {"id": "A3", "name": "Buyer SA"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Paula Person", "emails": ["paula@home.example"],
         "phones": ["06 12 34 56 78", "06 99 88 77 66"], "title": "Baker", "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Paula Double", "account_id": "A2"},
        {"kind": "contact", "id": "C3", "name": "Carl Customer", "account_id": "A3"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Oven", "account_id": "A1", "owner_id": "U1", "created_at": "2026-02-01T00:00:00Z",
         "contact_ids": ["C3"]},
    ],
}  # fmt: skip
EMAIL, MOBILE = "paula@home.example", "+33699887766"
SHOE = {"object": "Contact", "name": "Shoe__c", "type": "string", "length": 3}


@pytest.fixture
def desk(connect: Any) -> Any:
    """Give an org where two accounts are persons, and one a company."""
    desk = connect(WORLD)
    desk.post("org", {"custom_fields": [SHOE], "person_accounts": [desk.ids["A1"], desk.ids["A2"]]})
    return desk


def fill(desk: Any, seed: str, **fields: Any) -> dict[str, FieldReceipt]:
    record = desk.ids[seed]
    return dict(desk.adapter.fill_fields([RecordUpdate("Contact", record, fields)])["Contact", record])


def outcomes(receipts: dict[str, FieldReceipt]) -> dict[str, str]:
    return {name: it.outcome for name, it in receipts.items()}


def behind(desk: Any, **patch: Any) -> None:
    """Change a record as a person does."""
    desk.post("faults", [{"times": 1, "do": {"patch": {"fields": {}, "delete": False, "merge_into": None, **patch}}}])
    desk.adapter.read_accounts([desk.ids["A3"]])


@pytest.mark.parametrize(("find", "key"), [("email", EMAIL), ("phone", MOBILE)])
def test_a_person_is_found_once_as_the_contact_with_its_account(desk: Any, find: str, key: str) -> None:
    """By address and by number."""
    (person,) = getattr(desk.adapter, f"find_contacts_by_{find}")([key])[key]

    assert (person.kind, person.id, person.account.id) == ("contact", desk.ids["C1"], desk.ids["A1"])
    assert (person.name, person.account.name) == ("Paula Person", "Paula Person")


@pytest.mark.parametrize("text", ["Paula Person", EMAIL, "06 99 88 77 66"])
def test_a_search_for_people_shows_a_person_once(desk: Any, text: str) -> None:
    """As the contact alone."""
    assert [it.id for it in desk.adapter.search_people([text])[text]] == [desk.ids["C1"]]


def test_a_search_for_accounts_shows_a_person_once(desk: Any) -> None:
    """As the account alone."""
    assert [it.id for it in desk.adapter.search_accounts(["Person"])["Person"]] == [desk.ids["A1"]]


def test_a_call_with_a_person_is_one_task_on_the_contact_and_the_opportunity_of_the_account(desk: Any) -> None:
    """However often it is written, and though the person has no contact role there."""
    call = Call.model_validate(
        {
            "id": "x:1",
            "provider": "x",
            "kind": "phone",
            "title": "A talk",
            "started_at": "2026-03-02T09:00:00Z",
            "duration_seconds": 600,
            "participants": [
                {"is_user": True, "emails": ["ada@seller.example"]},
                {"is_user": False, "emails": [EMAIL], "phones": [MOBILE]},
            ],
        }
    )
    with bind(SALESFORCE, desk.settings, ConnectionInfo("test", ("FR",), "UTC")) as connection:
        results = [list(sync(connection, [call], Settings(regions=("FR",)))) for _ in range(2)]
    (task,) = desk.get("records")["Task"]

    assert [[it.outcome for it in part] for part in results] == [["created"], ["unchanged"]]
    assert (task["WhoId"], task["WhatId"], task["AccountId"]) == (desk.ids["C1"], desk.ids["O1"], desk.ids["A1"])


def opportunities(desk: Any, seed: str) -> list[str]:
    """List the opportunities of a person, by id."""
    found = desk.adapter.list_opportunities([desk.ids[seed]], [], [], None).of_people[desk.ids[seed]]
    return [it.id for it in found]


def test_opportunities_of_a_person_account_are_the_persons(desk: Any) -> None:
    """The first time in two API calls, as it has to be learned that there are such; then in one."""
    costs = []
    for _ in range(2):
        before = desk.api_calls
        assert opportunities(desk, "C1") == [desk.ids["O1"]]
        costs.append(desk.api_calls - before)

    assert costs == [2, 1]


def test_opportunities_of_a_company_are_not_those_of_its_contacts(desk: Any) -> None:
    """A role makes them so, at no further cost."""
    assert (opportunities(desk, "C2"), opportunities(desk, "C3")) == ([], [desk.ids["O1"]])


def test_an_org_without_person_accounts_is_not_asked_for_theirs(connect: Any) -> None:
    """Neither for a field that it has not, nor once more."""
    desk = connect(WORLD)
    for _ in range(2):
        assert opportunities(desk, "C1") == []

    assert desk.api_calls == 2
    assert desk.adapter._persons.there is False


def test_fields_of_a_person_are_set_through_the_account(desk: Any) -> None:
    """Standard, custom and name; the contact has them then."""
    fields = {"MobilePhone": "06 11", "Shoe__c": "44", "FirstName": "Pauline", "Title": None}
    assert set(outcomes(fill(desk, "C1", **fields)).values()) == {"sent"}

    contact, account = desk.record("Contact", desk.ids["C1"]), desk.record("Account", desk.ids["A1"])
    assert {name: contact[name] for name in fields} == fields
    assert (account["PersonMobilePhone"], account["Shoe__pc"], account["Name"]) == ("06 11", "44", "Pauline Person")


def test_a_person_costs_two_requests_more(desk: Any) -> None:
    """One to find the accounts of all, and one to set their fields."""
    records = [RecordUpdate("Contact", desk.ids[seed], {"Department": "x"}) for seed in ("C1", "C2", "C3")]
    desk.adapter.fill_fields(records)

    assert desk.api_calls == 3


def test_without_a_person_there_is_nothing_more_to_ask(desk: Any) -> None:
    """A company's contact costs one request, as ever."""
    assert outcomes(fill(desk, "C3", Title="CTO")) == {"Title": "sent"}
    assert desk.api_calls == 1


def test_a_field_that_the_account_has_not_is_told_in_a_sentence(desk: Any) -> None:
    """The others are set."""
    receipts = fill(desk, "C1", Phone="06 11", Department="IT")

    assert outcomes(receipts) == {"Phone": "refused", "Department": "sent"}
    assert receipts["Phone"].reason == (
        "it is a person account, whose contact may not be changed, and for this field none of the account is known"
    )
    assert desk.record("Account", desk.ids["A1"])["Phone"] is None


def test_a_field_that_the_account_refuses_keeps_no_other_from_being_set(desk: Any) -> None:
    """What Salesforce blames on the account's field is told of the contact's, and the others are sent together."""
    desk.post("org", {"read_only_fields": ["Account.PersonTitle"]})
    receipts = fill(desk, "C1", Title="CTO", Department="IT", AssistantName="Ann")

    assert outcomes(receipts) == {"Title": "refused", "Department": "sent", "AssistantName": "sent"}
    assert (receipts["Title"].code, desk.api_calls) == ("INVALID_FIELD_FOR_INSERT_UPDATE", 4)


def test_a_refusal_that_means_another_person_changes_no_company(desk: Any) -> None:
    """The contact is no person's: its account stays as it is."""
    desk.post("faults", [{"times": 1, "do": {"row_error": "INVALID_PERSON_ACCOUNT_OPERATION"}}])
    receipts = fill(desk, "C3", FirstName="Carlo")

    assert (outcomes(receipts), receipts["FirstName"].code) == (
        {"FirstName": "refused"},
        "INVALID_PERSON_ACCOUNT_OPERATION",
    )
    assert [entry["path"].rpartition("/")[2] for entry in desk.get("journal")] == ["sobjects", "composite"]


def test_where_the_account_cannot_be_looked_up_the_fields_wait(desk: Any) -> None:
    """Nothing was changed, and may be later."""
    desk.post("faults", [{"match": {"path": "*/composite"}, "do": {"status": 503}}])

    assert outcomes(fill(desk, "C1", Department="IT")) == {"Department": "deferred"}


def test_a_merged_person_is_answered_by_the_survivor(desk: Any) -> None:
    """As a contact and as an account."""
    behind(desk, object="Account", id=desk.ids["A2"], merge_into=desk.ids["A1"])
    people, accounts = desk.adapter.read_people([desk.ids["C2"]]), desk.adapter.read_accounts([desk.ids["A2"]])

    assert [it.id for it in people[desk.ids["C2"]]] == [desk.ids["C1"]]
    assert [it.id for it in accounts[desk.ids["A2"]]] == [desk.ids["A1"]]
