"""Finding people and users in a real Odoo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Connect = Callable[..., Any]


def contact(key: str, email: str | None = None, phone: str | None = None, **more: Any) -> dict[str, Any]:
    """Describe a contact."""
    return {"kind": "contact", "id": key, "name": key, "emails": email and [email], "phones": phone and [phone], **more}


def lead(key: str, email: str | None = None, phone: str | None = None) -> dict[str, Any]:
    """Describe a lead."""
    return {**contact(key, email, phone), "kind": "lead"}


def by_email(account: Any, email: str) -> list[str]:
    """Give the ids of who has an address."""
    return sorted(person.id for person in account.adapter.find_contacts_by_email([email])[email])


def by_phone(account: Any, number: str) -> list[str]:
    """Give the ids of who has a number."""
    return sorted(person.id for person in account.adapter.find_contacts_by_phone([number])[number])


@pytest.mark.parametrize(
    "stored",
    [
        "carl@buyer.example",
        " Carl@Buyer.example ",
        "Carl Customer <carl@buyer.example>",
        "other@buyer.example, Carl@Buyer.example",
        "other@buyer.example;carl@buyer.example",
    ],
)
def test_an_address_finds_its_contact_however_it_is_written(connect: Connect, stored: str) -> None:
    """Names around an address, capitals, and others before it do not hide it."""
    account = connect(people=[contact("C1", stored), contact("C2", "other.carl@buyer.example")])

    assert by_email(account, "carl@buyer.example") == [account["C1"]]


@pytest.mark.parametrize("email", ["a_b+c%d@x.example", "o'hara@x.example", "ünal@x.example"])
def test_an_address_is_no_pattern(connect: Connect, email: str) -> None:
    """Signs of patterns stand for themselves, and letters beyond ASCII are found in either case."""
    decoy = email.replace("_", "x").replace("%", "yy").replace("'", "z").replace("ü", "u")
    account = connect(people=[contact("C1", email.upper()), contact("C2", decoy)])

    assert by_email(account, email) == [account["C1"]]


def test_a_contact_has_its_company(connect: Connect) -> None:
    """Name, title and account are answered; the account of somebody in a department is the company above it."""
    account = connect(
        accounts=[{"id": "A1", "name": "Buyer SA"}], people=[contact("C1", "c@x.example", title="CTO", account_id="A1")]
    )
    department = account.odoo.create("res.partner", [{"name": "Department", "parent_id": account.number("A1")}], {})[0]
    account.odoo.change("res.partner", "write", ids=[account.number("C1")], vals={"parent_id": department})

    (person,) = account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"]

    assert (person.kind, person.name, person.title) == ("contact", "C1", "CTO")
    assert (person.account.id, person.account.name) == (account["A1"], "Buyer SA")


def test_an_archived_company_is_no_account(connect: Connect) -> None:
    """What is archived is gone for everybody who works in Odoo, and so it is for a call."""
    account = connect(accounts=[{"id": "A1"}], people=[contact("C1", "c@x.example", account_id="A1")])
    account.odoo.change("res.partner", "write", ids=[account.number("A1")], vals={"active": False})

    (person,) = account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"]

    assert person.account is None


@pytest.mark.parametrize(
    "changes",
    [{"active": False}, {"is_company": True}, {"type": "invoice"}, {"email": False}],
    ids=["archived", "company", "address", "other"],
)
def test_only_people_who_are_there_are_found(connect: Connect, changes: dict[str, Any]) -> None:
    """Archived contacts, companies and mere addresses are nobody whom a call could be with."""
    account = connect(people=[contact("C1", "c@x.example")])
    account.odoo.change("res.partner", "write", ids=[account.number("C1")], vals=changes)

    assert by_email(account, "c@x.example") == []


def test_a_user_is_no_contact(connect: Connect) -> None:
    """Every user of Odoo has a partner: a colleague in a call is no customer for that."""
    account = connect(users=[{"id": "U1", "email": "ada@seller.example", "name": "Ada"}])

    assert by_email(account, "ada@seller.example") == []


@pytest.mark.parametrize(
    "stored",
    [
        "+33639980012",
        "06 39 98 00 12",
        "0639980012",
        "06.39.98.00.12",
        "06-39-98-00-12",
        "0033639980012",
        "+33 (0)6 39 98 00 12",
        "33639980012",
        "+33 6 39 98 00 12 ext. 5",
        "06 39 98 00 12 poste 5",
        "06 12 34 56 78",
    ],
)
def test_a_number_finds_its_contact_however_it_is_written(connect: Connect, stored: str) -> None:
    """Each form of a number finds its contact, whether Odoo could read it or not."""
    number = "+33612345678" if stored == "06 12 34 56 78" else "+33639980012"
    account = connect(people=[contact("C1", phone=stored), contact("C2", phone="06 39 98 00 13")])

    assert by_phone(account, number) == [account["C1"]]


def test_a_number_is_read_under_the_country_of_its_record_too(connect: Connect) -> None:
    """What Odoo knows to be a Belgian number is found as one, though the connection's region is France."""
    account = connect(people=[contact("C1")])
    (belgium,) = account.odoo.read("res.country", "search", domain=[["code", "=", "BE"]])
    values = {"country_id": belgium, "phone": "0470 12 34 56"}
    account.odoo.change("res.partner", "write", ids=[account.number("C1")], vals=values)

    assert by_phone(account, "+32470123456") == [account["C1"]]


def test_a_number_of_two_finds_both(connect: Connect) -> None:
    """A number that a contact and a lead share finds both."""
    account = connect(people=[contact("C1", phone="06 39 98 00 12"), lead("L1", phone="+33639980012")])

    assert by_phone(account, "+33639980012") == sorted([account["C1"], account["L1"]])


def test_a_lead_is_found(connect: Connect) -> None:
    """A lead is found by its address, as a lead, with its own name."""
    account = connect(people=[lead("L1", "Lea@x.example")])

    (person,) = account.adapter.find_contacts_by_email(["lea@x.example"])["lea@x.example"]

    assert (person.kind, person.id, person.name, person.converted) == ("lead", account["L1"], "L1", False)


def test_a_lead_that_was_given_up_is_gone(connect: Connect) -> None:
    """Lost leads are archived."""
    account = connect(people=[lead("L1", "lea@x.example")])
    account.odoo.change("crm.lead", "action_set_lost", ids=[account.number("L1")])

    assert by_email(account, "lea@x.example") == []


def test_a_lead_that_was_converted_is_its_contact(connect: Connect) -> None:
    """After a conversion in Odoo, the address finds the contact that was made, and nobody else."""
    account = connect(people=[lead("L1", "lea@x.example")])
    (partner,) = account.odoo.create("res.partner", [{"name": "Lea", "email": "lea@x.example"}], {})
    account.convert("L1", partner)

    found = by_email(account, "lea@x.example")
    account.odoo.change("res.partner", "unlink", ids=[partner])

    assert found == [f"partner:{partner}"]


def test_an_opportunity_without_a_contact_is_found_as_a_lead(connect: Connect) -> None:
    """What a web form made, with an address and no contact, knows its person, and is that person's opportunity."""
    fields = {"email_from": "web@x.example", "contact_name": "Wim Web"}
    account = connect(opportunities=[{"id": "O1", "created_at": "2026-02-01T00:00:00Z", "fields": fields}])

    (person,) = account.adapter.find_contacts_by_email(["web@x.example"])["web@x.example"]
    answer = account.adapter.list_opportunities([person.id], [], [], None)

    assert (person.kind, person.name) == ("lead", "Wim Web")
    assert [found.id for found in answer.of_people[person.id]] == [account["O1"]]


def test_two_requests_find_two_hundred(connect: Connect) -> None:
    """A batch costs one request for contacts and one for leads."""
    account = connect(people=[contact("C7", "p7@x.example")])

    found = account.adapter.find_contacts_by_email(sorted(f"p{number}@x.example" for number in range(200)))

    assert [email for email, people in found.items() if people] == ["p7@x.example"]
    assert account.sent == ["res.partner/web_search_read", "crm.lead/web_search_read"]


@pytest.mark.parametrize("email", ["ada@seller.example", "ada.agent@seller.example"])
def test_a_user_is_found_by_address_and_by_login(connect: Connect, email: str) -> None:
    """Users sign in with an address, and may have another; both find them."""
    account = connect(users=[{"id": "U1", "email": "ada@seller.example", "name": "Ada"}])
    values = {"email": "Ada.Agent@seller.example"}
    account.odoo.change("res.users", "write", ids=[account.number("U1")], vals=values)

    found = account.adapter.find_users_by_email([email])[email]
    account.odoo.change("res.users", "write", ids=[account.number("U1")], vals={"email": "ada@seller.example"})

    assert [(user.id, user.name, user.active) for user in found] == [(account["U1"], "Ada", True)]


def test_a_user_who_left_is_found_as_such(connect: Connect) -> None:
    """Archived users are answered, as inactive."""
    account = connect(users=[{"id": "U1", "email": "left@seller.example", "name": "Lou"}])
    account.odoo.change("res.users", "write", ids=[account.number("U1")], vals={"active": False})

    (user,) = account.adapter.find_users_by_email(["left@seller.example"])["left@seller.example"]

    assert not user.active
