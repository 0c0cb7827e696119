"""The properties by which people are looked for, as the settings name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.settings import HubSpotSettings
from pydantic import ValidationError

from connector_core.errors import ConfigurationError

Connect = Callable[..., Any]
NUMBER, EMAIL = "+33612345678", "carl@buyer.example"
DESCRIBE, SEARCH = "/crm/properties/2026-09/contacts", "/crm/objects/2026-09/contacts/search"
READ = "/crm/objects/2026-09/contacts/batch/read"
PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Carl Customer"},
    {"kind": "contact", "id": "C2", "name": "Cara Customer", "phones": ["06 12 34 56 78"], "emails": [EMAIL]},
]
OWN = [
    {"name": "direct", "fieldType": "phonenumber"},
    *({"name": f"direct_{number}", "fieldType": "phonenumber"} for number in range(5)),
    {"name": "private"},
    {"name": "fan", "type": "bool", "fieldType": "booleancheckbox"},
]


@pytest.fixture
def connected(connect: Connect) -> Connect:
    """Connect to an account with properties of its own."""

    def make(**settings: Any) -> Any:
        account = connect(settings=settings, people=PEOPLE)
        account.sandbox.org({"properties": {"contacts": OWN}})
        return account

    return make


def holds(account: Any, seed: str, **properties: Any) -> None:
    """Let a contact hold values."""
    account.sandbox.patch("contacts", account[seed], properties, delete=False, merge_into=None)


def found(account: Any, answer: Any) -> list[str]:
    """Give the people of the seed."""
    seeds = {there: seed for seed, there in account.sandbox.ids().items()}
    return sorted(seeds[person.id] for person in answer)


@pytest.mark.parametrize(
    "written", ["+33612345678", "0612345678", "06 12 34 56 78", "+33 6 12 34 56 78", "06.12.34.56.78"]
)
def test_a_number_is_found_in_a_property_of_the_account(connected: Connect, written: str) -> None:
    """In the ways in which people usually write it: HubSpot calculates nothing of such a property."""
    account = connected(phone_properties=["direct"])
    holds(account, "C1", direct=written)

    assert found(account, account.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["C1"]


def test_a_number_of_a_property_is_verified(connected: Connect) -> None:
    """The same digits may be another country's number."""
    account = connected(phone_properties=["direct"])
    holds(account, "C1", direct="+49 612345678")

    assert account.adapter.find_contacts_by_phone([NUMBER]) == {NUMBER: ()}


def test_the_properties_are_those_of_the_setting_alone(connected: Connect) -> None:
    """One of HubSpot's own that is not named identifies nobody."""
    account = connected(phone_properties=["mobilephone"], email_properties=["private"])
    holds(account, "C2", phone="06 12 34 56 78", mobilephone=None)

    assert account.adapter.find_contacts_by_phone([NUMBER]) == {NUMBER: ()}
    assert account.adapter.find_contacts_by_email([EMAIL]) == {EMAIL: ()}


def test_people_of_several_properties_are_found_together(connected: Connect) -> None:
    """Whoever has the address, or the number, in one of them."""
    account = connected(phone_properties=["phone", "direct"], email_properties=["email", "private"])
    holds(account, "C1", direct="0612345678", private="Carl@Buyer.example")

    assert found(account, account.adapter.find_contacts_by_email([EMAIL])[EMAIL]) == ["C1", "C2"]
    assert found(account, account.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["C1", "C2"]


def test_what_a_look_up_costs(connected: Connect) -> None:
    """Addresses a search for a hundred more; numbers a search for ten in five properties; a description once."""
    own = [f"direct_{number}" for number in range(5)]
    account = connected(phone_properties=["phone", "direct", *own], email_properties=["email", "private"])
    emails = [f"nobody{number}@buyer.example" for number in range(100)]
    numbers = [f"+336123456{number}" for number in range(10, 20)]
    account.adapter.find_contacts_by_email(emails)
    account.adapter.find_contacts_by_phone(numbers)

    assert account.requests() == [DESCRIBE, READ, SEARCH, SEARCH, SEARCH, SEARCH]


def test_what_hubspot_has_of_its_own_is_looked_up_as_before(connected: Connect) -> None:
    """Without the settings nothing is described, and nothing else searched."""
    account = connected()
    account.adapter.find_contacts_by_email([EMAIL])
    account.adapter.find_contacts_by_phone([NUMBER])

    assert account.requests() == [READ, SEARCH]


def test_a_person_tells_what_the_properties_hold(connected: Connect) -> None:
    """The same by id as by look-up."""
    account = connected(phone_properties=["direct"], email_properties=["private"])
    holds(account, "C1", direct="0612345678", private=EMAIL)
    (person,) = account.adapter.find_contacts_by_phone([NUMBER])[NUMBER]

    assert (person.phones, person.emails) == (("0612345678",), (EMAIL,))
    assert account.adapter.read_people([person.id]) == {person.id: (person,)}


@pytest.mark.parametrize("name", ["nowhere", "fan", "createdate"])
@pytest.mark.parametrize(
    ("setting", "look_up", "key"),
    [
        ("phone_properties", "find_contacts_by_phone", NUMBER),
        ("email_properties", "find_contacts_by_email", EMAIL),
    ],
)
def test_a_property_that_people_cannot_be_looked_for_by_is_named(
    connected: Connect, setting: str, look_up: str, key: str, name: str
) -> None:
    """One that is not there, or holds no text."""
    account = connected(**{setting: ["direct", name]})

    with pytest.raises(
        ConfigurationError, match=f"^connection test, settings.{setting}: HubSpot has no property {name} "
    ):
        getattr(account.adapter, look_up)([key])


def test_a_property_that_was_removed_is_named(connected: Connect) -> None:
    """Also after it was looked for before."""
    account = connected(phone_properties=["direct"])
    account.adapter.find_contacts_by_phone([NUMBER])
    account.sandbox.org({"hidden": {"contacts": ["direct"]}})

    with pytest.raises(ConfigurationError, match=r"settings\.phone_properties: HubSpot has no property direct "):
        account.adapter.find_contacts_by_phone([NUMBER])


def test_the_doctor_tells_which_setting_is_wrong(connected: Connect) -> None:
    """A property that is not there is a must, and named with its setting; what is not named is not asked for."""
    account = connected(phone_properties=["nowhere", "direct"], email_properties=["private"])
    account.sandbox.org({"hidden": {"contacts": ["private", "phone", "email"]}})
    rights = account.adapter.check_access().rights

    assert {it.name: it.must for it in rights if it.granted is False} == {
        "view of the property nowhere of contacts (settings.phone_properties)": True,
        "view of the property private of contacts (settings.email_properties)": True,
    }


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["Phone"], "should be a property's internal name"),
        (["contacts.phone"], "should be a property's internal name"),
        (["1phone"], "should be a property's internal name"),
        ([], "at least 1"),
        (["phone", "phone"], "names phone twice"),
        ("phone", "tuple"),
    ],
)
@pytest.mark.parametrize("setting", ["phone_properties", "email_properties"])
def test_names_that_are_none_are_refused(setting: str, names: Any, why: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError, match=why):
        HubSpotSettings.model_validate({"access_token": "x", setting: names})
