"""People and users, looked up in a sandbox."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from connector_salesforce import people as people_module
from connector_salesforce.soql import Query

from connector_core.errors import MissingRightError
from connector_core.model import Unknown

EMAIL = "carl@buyer.example"
NUMBER = "+33612345678"


def contact(record_id: str = "C1", **more: Any) -> dict[str, Any]:
    return {"kind": "contact", "id": record_id, "name": "Carl Customer", **more}


def lead(record_id: str = "L1", **more: Any) -> dict[str, Any]:
    return {"kind": "lead", "id": record_id, "name": "Lea Lead", **more}


def names(answer: Any) -> list[str | None]:
    return sorted(person.name for person in answer)


def test_an_address_compares_without_case(connect: Any) -> None:
    """An address is found however its case was written."""
    desk = connect({"people": [contact(emails=["Carl@BUYER.example"])]})

    assert names(desk.adapter.find_contacts_by_email([EMAIL])[EMAIL]) == ["Carl Customer"]


def test_an_org_whose_contacts_have_one_account_each_lacks_nothing(connect: Any) -> None:
    """Without "Contacts to Multiple Accounts" there is no AccountContactRelation: AccountId says which account it is."""
    desk = connect(
        {"accounts": [{"id": "A1", "name": "Buyer SA"}], "people": [contact(emails=[EMAIL], account_id="A1")]}
    )
    with pytest.raises(MissingRightError, match="AccountContactRelation"):
        desk.adapter._client.ask([Query("AccountContactRelation", ("Id",))])
    (found,) = desk.adapter.find_contacts_by_email([EMAIL])[EMAIL]

    assert found.account.id == desk.ids["A1"]


def test_all_who_have_an_address_are_answered(connect: Any) -> None:
    """An address on two contacts and a lead gives all three."""
    desk = connect({"people": [contact("C1", emails=[EMAIL]), contact("C2", emails=[EMAIL]), lead(emails=[EMAIL])]})

    assert len(desk.adapter.find_contacts_by_email([EMAIL])[EMAIL]) == 3


def test_nobody_is_an_empty_answer(connect: Any) -> None:
    """An address that nobody has is answered, with nobody."""
    assert connect({}).adapter.find_contacts_by_email([EMAIL]) == {EMAIL: ()}


@pytest.mark.parametrize(
    "text", ["x' OR Email != '", "\\", "'", "a\ud800b", "x" * 5_000, "@{q0.records[0].Id}", "%", "_"]
)
def test_an_odd_address_finds_nobody_and_breaks_nothing(connect: Any, text: str) -> None:
    """Whatever stands in an address, the query asks for that address and no other."""
    desk = connect({"people": [contact(emails=[EMAIL])]})
    found = desk.adapter.find_contacts_by_email([EMAIL, text])

    assert (names(found[EMAIL]), found[text]) == (["Carl Customer"], ())


def test_a_person_comes_with_title_and_account(connect: Any) -> None:
    """A contact carries what the decision ranks it by."""
    desk = connect(
        {"accounts": [{"id": "A1", "name": "Buyer"}], "people": [contact(emails=[EMAIL], title="CTO", account_id="A1")]}
    )
    person = desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0]

    assert (person.title, person.account.name, person.account.id) == ("CTO", "Buyer", desk.ids["A1"])


def test_a_deleted_account_is_no_account(connect: Any) -> None:
    """A reference to a record that is gone counts as absent."""
    desk = connect({"accounts": [{"id": "A1"}], "people": [contact(emails=[EMAIL], account_id="A1")]})
    patch = {"object": "Account", "id": desk.ids["A1"], "fields": {}, "delete": True, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0].account is None


def test_a_placeholder_is_no_name(connect: Any) -> None:
    """Where Salesforce requires a name and there is none, it holds a placeholder, which is read as no name."""
    desk = connect({"people": [{"kind": "contact", "id": "C1", "emails": [EMAIL]}]})

    assert desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0].name is None


def test_a_converted_lead_names_whom_it_became(connect: Any) -> None:
    """A converted lead is answered as a lead, with the contact and its account."""
    world = {
        "accounts": [{"id": "A1"}],
        "people": [contact(account_id="A1"), lead(emails=[EMAIL], converted_contact_id="C1")],
    }
    desk = connect(world)
    person = desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0]

    assert (person.kind, person.converted, person.converted_to.id, person.converted_to.account.id) == (
        "lead",
        True,
        desk.ids["C1"],
        desk.ids["A1"],
    )


def test_a_converted_lead_whose_contact_is_gone_stands_for_nobody(connect: Any) -> None:
    """The end of the chain is gone: the lead is converted, into nobody."""
    desk = connect({"people": [lead(emails=[EMAIL], converted_contact_id="gone")]})
    person = desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0]

    assert (person.converted, person.converted_to) == (True, None)


@pytest.mark.parametrize("field", ["Phone", "MobilePhone", "HomePhone", "OtherPhone"])
def test_every_phone_field_of_a_contact_is_asked_for(connect: Any, field: str) -> None:
    """A number is found in each of a contact's own phone fields."""
    desk = connect({"people": [contact(fields={field: "06 12 34 56 78"})]})

    assert names(desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["Carl Customer"]


@pytest.mark.parametrize("field", ["Phone", "MobilePhone"])
def test_every_phone_field_of_a_lead_is_asked_for(connect: Any, field: str) -> None:
    """A number is found in each of a lead's phone fields."""
    desk = connect({"people": [lead(fields={field: "+33612345678"})]})

    assert names(desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["Lea Lead"]


@pytest.mark.parametrize("field", ["AssistantPhone", "Fax"])
def test_a_fax_identifies_nobody(connect: Any, field: str) -> None:
    """The number of an assistant or of a fax is not the person's."""
    desk = connect({"people": [contact(fields={field: "+33612345678"})]})

    assert desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER] == ()


@pytest.mark.parametrize(
    "written", ["+336/12/34/56/78", "0033 (0) 6 12-34-56-78", "06 12 34 56 78 ext. 5", "+336 12 345 678"]
)
def test_odd_ways_of_writing_are_searched_for(connect: Any, written: str) -> None:
    """What no variant matches is found by searching."""
    desk = connect({"people": [contact(phones=[written])]})

    assert names(desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["Carl Customer"]


@pytest.mark.parametrize("written", ["+336123456789", "061234567", "+44 612345678", "612345678 99"])
def test_a_hit_that_is_another_number_is_dropped(connect: Any, written: str) -> None:
    """Every hit is read as a number again, and only the one that was asked for counts."""
    desk = connect({"people": [contact(phones=[written])]})

    assert desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER] == ()


def test_nothing_is_searched_for_when_all_was_found(connect: Any) -> None:
    """A number that a variant finds costs no search."""
    desk = connect({"people": [contact(phones=["06 12 34 56 78"])]})
    desk.adapter.find_contacts_by_phone([NUMBER])

    assert desk.api_calls == 1


def test_a_search_that_is_full_leaves_its_numbers_unknown(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a search gives as many as it may, more may have the number: that one is unknown, others are not."""
    monkeypatch.setattr(people_module, "SEARCH_LIMIT", 2)
    people = [contact(f"C{number}", phones=["+336/12/34/56/78"]) for number in range(2)]
    desk = connect({"people": [*people, contact("C9", phones=["+336/12/34/56/79"])]})
    found = desk.adapter.find_contacts_by_phone([NUMBER, "+33612345679", "+33612345670"])

    assert isinstance(found[NUMBER], Unknown)
    assert (names(found["+33612345679"]), found["+33612345670"]) == (["Carl Customer"], ())


def test_a_search_that_fails_leaves_only_its_numbers_unknown(connect: Any) -> None:
    """What the queries found stays found when the search for the rest is not answered."""
    desk = connect({"people": [contact(phones=["06 12 34 56 78"])]})
    desk.post("faults", [{"match": {"path": "*/search*"}, "do": {"status": 503, "body": ""}}])
    found = desk.adapter.find_contacts_by_phone([NUMBER, "+33612345670"])

    assert names(found[NUMBER]) == ["Carl Customer"]
    assert isinstance(found["+33612345670"], Unknown)


def test_a_thousand_numbers_are_asked_for_in_a_few_calls(connect: Any) -> None:
    """Numbers are asked for together: a thousand strangers cost ten calls at most."""
    desk = connect({})
    numbers = [f"+3361{number:07}" for number in range(1_000)]
    found = desk.adapter.find_contacts_by_phone(numbers)

    assert set(found) == set(numbers)
    assert desk.api_calls <= 10


def test_a_hidden_title_is_done_without(connect: Any) -> None:
    """A column that the user may not see does not keep people from being found."""
    desk = connect({"people": [contact(emails=[EMAIL], title="CTO")]})
    desk.post("org", {"hidden_fields": ["Contact.Title", "Contact.HomePhone"]})

    assert desk.adapter.find_contacts_by_email([EMAIL])[EMAIL][0].title is None


def test_threads_that_meet_a_hidden_column_together_all_do_without(connect: Any) -> None:
    """Eight threads ask before any of them knows that a column is hidden: each gets its answer."""
    desk = connect({"people": [contact(emails=[EMAIL])]})
    desk.post("org", {"hidden_fields": ["Contact.Title"]})
    start = threading.Barrier(8)

    def ask(_: int) -> int:
        start.wait()
        return len(desk.adapter.find_contacts_by_email([EMAIL])[EMAIL])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [1] * 8


def test_a_hidden_phone_field_is_not_asked_for(connect: Any) -> None:
    """A phone field that the user may not see is left out of the condition too, in queries and searches."""
    desk = connect({"people": [contact(phones=["+336/12/34/56/78"])]})
    desk.post("org", {"hidden_fields": ["Contact.HomePhone", "Contact.OtherPhone", "Contact.Title"]})

    assert names(desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["Carl Customer"]


def test_a_hidden_email_is_a_missing_right(connect: Any) -> None:
    """Without the address nobody can be told by it: the right is named."""
    desk = connect({})
    desk.post("org", {"hidden_fields": ["Lead.Email"]})
    with pytest.raises(MissingRightError) as caught:
        desk.adapter.find_contacts_by_email([EMAIL])

    assert caught.value.right == "Lead.Email"


def test_leads_that_may_not_be_read_are_a_missing_right(connect: Any) -> None:
    """Without leads half of the answer is missing: the object is named."""
    desk = connect({})
    desk.post("org", {"missing_rights": {"Lead": ["read"]}})
    with pytest.raises(MissingRightError) as caught:
        desk.adapter.find_contacts_by_email([EMAIL])

    assert caught.value.right == "Lead"


def test_users_are_found_with_their_state(connect: Any) -> None:
    """A user who is no longer active is found, and told as such."""
    desk = connect({"users": [{"id": "U1", "email": "Ada@Seller.example", "fields": {"IsActive": False}}]})
    found = desk.adapter.find_users_by_email(["ada@seller.example", "no@seller.example"])

    assert [(user.id, user.active) for user in found["ada@seller.example"]] == [(desk.ids["U1"], False)]
    assert found["no@seller.example"] == ()
