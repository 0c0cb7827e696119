"""Person accounts in the sandbox: an account and a contact that are one person."""

from __future__ import annotations

from typing import Any

import pytest

TWINS = "PersonEmail, PersonTitle, FirstName, LastName, Name, IsPersonAccount, PersonContactId"
REFUSED = {
    "statusCode": "INVALID_PERSON_ACCOUNT_OPERATION",
    "message": "cannot reference person contact",
    "fields": [],
}


@pytest.fixture
def persons(client: Any) -> Any:
    """Make Carl's account his own; Dora's is a company's."""
    client.org(person_accounts=[client.ids["A1"]]).raise_for_status()
    return client


def test_without_person_accounts_their_fields_are_not_there(client: Any) -> None:
    """An organization that never switched them on knows none of them."""
    codes = [client.query(f"SELECT {name} FROM {obj}")[0]["errorCode"] for obj, name in FIELDS]  # noqa: S608 - a test's own
    assert codes == ["INVALID_FIELD"] * 4


FIELDS = [
    ("Account", "IsPersonAccount"),
    ("Account", "PersonContactId"),
    ("Account", "PersonMobilePhone"),
    ("Contact", "IsPersonAccount"),
]


def test_a_person_account_has_the_values_of_its_contact(persons: Any) -> None:
    """Under their own names or with Person before them."""
    assert persons.read("Account", persons.ids["A1"], TWINS) == {
        "PersonEmail": "carl@buyer.example",
        "PersonTitle": "CTO",
        "FirstName": "Carl",
        "LastName": "Customer",
        "Name": "Carl Customer",
        "IsPersonAccount": True,
        "PersonContactId": persons.ids["C1"],
    }


def test_other_accounts_and_contacts_are_no_persons(persons: Any) -> None:
    """They have the fields, and nothing in them."""
    assert persons.read("Account", persons.ids["A2"], "IsPersonAccount, PersonContactId, PersonEmail") == {
        "IsPersonAccount": False,
        "PersonContactId": None,
        "PersonEmail": None,
    }
    assert persons.read("Contact", persons.ids["C2"], "IsPersonAccount") == {"IsPersonAccount": False}


def test_a_change_of_the_account_is_one_of_its_contact(persons: Any) -> None:
    """Name and values stand on both."""
    done = persons.change("Account", persons.ids["A1"], PersonMobilePhone="06 99", FirstName="Karl")
    contact = persons.read("Contact", persons.ids["C1"], "MobilePhone, Name, LastModifiedDate")

    assert done["success"]
    assert (contact["MobilePhone"], contact["Name"]) == ("06 99", "Karl Customer")
    assert persons.read("Account", persons.ids["A1"], "Name, LastModifiedDate") == {
        "Name": "Karl Customer",
        "LastModifiedDate": contact["LastModifiedDate"],
    }


def test_a_custom_field_of_contacts_is_one_of_person_accounts(persons: Any) -> None:
    """It ends in __pc there."""
    persons.org(custom_fields=[{"object": "Contact", "name": "Shoe__c", "type": "double"}])
    persons.change("Account", persons.ids["A1"], Shoe__pc=44)

    assert persons.read("Contact", persons.ids["C1"], "Shoe__c") == {"Shoe__c": 44.0}


def test_a_person_is_not_changed_through_the_contact(persons: Any) -> None:
    """As reported; nothing changes."""
    answer = persons.change("Contact", persons.ids["C1"], Title="CEO")

    assert answer["errors"] == [REFUSED]
    assert persons.read("Contact", persons.ids["C1"], "Title") == {"Title": "CTO"}


def test_the_contact_of_a_person_is_not_deleted_by_itself(persons: Any) -> None:
    """The account is, and takes it along."""
    answer = persons.send("DELETE", f"composite/sobjects?ids={persons.ids['C1']}").json()[0]
    persons.send("DELETE", f"sobjects/Account/{persons.ids['A1']}")

    assert answer["errors"] == [REFUSED]
    assert persons.rows(f"SELECT Id FROM Contact WHERE Id = '{persons.ids['C1']}'") == []  # noqa: S608 - a test's own


@pytest.mark.parametrize(("account", "field"), [("A1", "Name"), ("A2", "PersonEmail"), ("A2", "LastName")])
def test_a_value_of_the_other_kind_of_account_is_refused(persons: Any, account: str, field: str) -> None:
    """A person's name is put together, and a company has no first name."""
    (error,) = persons.change("Account", persons.ids[account], **{field: "x@y.example"})["errors"]

    assert (error["statusCode"], error["fields"]) == ("INVALID_FIELD_FOR_INSERT_UPDATE", [field])


def test_other_contacts_are_changed_as_ever(persons: Any) -> None:
    """Only persons are special."""
    assert persons.change("Contact", persons.ids["C2"], Title="CEO")["success"]


def test_what_nobody_documents_is_not_spoken(persons: Any) -> None:
    """A person account created, and a second contact of one."""
    records = [
        {"attributes": {"type": "Account"}, "LastName": "New"},
        {"attributes": {"type": "Contact"}, "LastName": "New", "AccountId": persons.ids["A1"]},
    ]
    statuses = [persons.send("POST", "composite/sobjects", {"records": [it]}).status_code for it in records]

    assert statuses == [501, 501]


@pytest.mark.parametrize("wrong", [["001000000000000AAA"], ["x"], "A1"])
def test_what_is_no_account_with_a_contact_is_refused(client: Any, wrong: Any) -> None:
    """And the organization stays what it was."""
    assert client.org(person_accounts=wrong).status_code == 400
    assert client.query("SELECT IsPersonAccount FROM Contact")[0]["errorCode"] == "INVALID_FIELD"


def test_an_empty_list_takes_person_accounts_away(persons: Any) -> None:
    """The contact may be changed again."""
    persons.org(person_accounts=[])

    assert persons.change("Contact", persons.ids["C1"], Title="CEO")["success"]


@pytest.mark.parametrize("there", [False, True])
def test_all_standard_fields_are_those_that_are_there(client: Any, there: bool) -> None:
    """FIELDS(STANDARD) names none, and custom ones are not among them."""
    client.org(person_accounts=[client.ids["A1"]] if there else [])
    client.org(custom_fields=[{"object": "Account", "name": "Own__c", "type": "string"}])
    (row,) = client.rows("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")

    assert ("Name" in row, "PersonEmail" in row, "Own__c" in row) == (True, there, False)
