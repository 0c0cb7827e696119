"""The fields by which people are looked for, as the settings name them."""

from __future__ import annotations

from typing import Any

import pytest
from connector_salesforce import SALESFORCE
from connector_salesforce.settings import SalesforceSettings
from pydantic import ValidationError

from connector_core.binding import read_settings
from connector_core.errors import ConfigurationError

NUMBER = "+33612345678"
EMAIL = "carl@buyer.example"
WORLD: dict[str, Any] = {
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl Customer"},
        {"kind": "contact", "id": "C2", "name": "Cara Customer", "phones": ["06 12 34 56 78"], "emails": [EMAIL]},
        {"kind": "lead", "id": "L1", "name": "Lea Lead"},
    ]
}
OWN = [
    {"object": "Contact", "name": "Direct__c", "type": "phone"},
    {"object": "Contact", "name": "Dialled__c", "type": "string"},
    {"object": "Contact", "name": "Private__c", "type": "email"},
    {"object": "Contact", "name": "Fan__c", "type": "boolean"},
    {"object": "Lead", "name": "Direct__c", "type": "phone"},
    {"object": "Lead", "name": "Private__c", "type": "email"},
]


@pytest.fixture
def connected(connect: Any) -> Any:
    """Connect to an org with fields of its own."""

    def make(**settings: Any) -> Any:
        desk = connect(WORLD, **settings)
        desk.post("org", {"custom_fields": OWN})
        return desk

    return make


def holds(desk: Any, seed: str, **fields: Any) -> None:
    """Let a record hold values, as an administrator sets them."""
    obj = "Lead" if seed.startswith("L") else "Contact"
    patch = {"object": obj, "id": desk.ids[seed], "fields": fields, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    desk.adapter.find_contacts_by_email(["nobody@buyer.example"])  # a patch is made before a request is served
    desk.post("faults", [])


def found(desk: Any, answer: Any) -> list[str]:
    """Give the people of the seed."""
    seeds = {there: seed for seed, there in desk.ids.items()}
    return sorted(seeds[person.id] for person in answer)


@pytest.mark.parametrize("written", ["+33612345678", "06.12.34.56.78", "(0)612345678"])
@pytest.mark.parametrize("seed", ["C1", "L1"])
def test_a_number_is_found_in_a_field_of_the_org(connected: Any, seed: str, written: str) -> None:
    """However it is written: a field of the type phone is among those that are searched."""
    desk = connected(phone_fields=["Contact.Direct__c", "Lead.Direct__c"])
    holds(desk, seed, Direct__c=written)

    assert found(desk, desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == [seed]


def test_a_number_is_found_in_a_field_of_text(connected: Any) -> None:
    """As people usually write it: searches look in fields of the type phone alone."""
    desk = connected(phone_fields=["Contact.Dialled__c"])
    holds(desk, "C1", Dialled__c="+33 6 12 34 56 78")

    assert found(desk, desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["C1"]


def test_the_fields_are_those_of_the_setting_alone(connected: Any) -> None:
    """A standard field that is not named identifies nobody."""
    desk = connected(phone_fields=["Contact.Direct__c"], email_fields=["Contact.Private__c"])

    assert desk.adapter.find_contacts_by_phone([NUMBER]) == {NUMBER: ()}
    assert desk.adapter.find_contacts_by_email([EMAIL]) == {EMAIL: ()}


def test_people_of_several_fields_are_found_together(connected: Any) -> None:
    """Whoever has the address in one of them."""
    desk = connected(email_fields=["Contact.Email", "Contact.Private__c", "Lead.Email", "Lead.Private__c"])
    holds(desk, "C1", Private__c="Carl@Buyer.example")
    holds(desk, "L1", Private__c=EMAIL)
    before = desk.api_calls

    assert found(desk, desk.adapter.find_contacts_by_email([EMAIL])[EMAIL]) == ["C1", "C2", "L1"]
    assert desk.api_calls - before == 1


def test_a_person_tells_what_the_fields_hold(connected: Any) -> None:
    """The same by id as by look-up, and a converted lead's contact too."""
    desk = connected(phone_fields=["Contact.Direct__c"], email_fields=["Contact.Private__c"])
    holds(desk, "C1", Direct__c="0612345678", Private__c=EMAIL)
    (person,) = desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]

    assert (person.phones, person.emails) == (("0612345678",), (EMAIL,))
    assert desk.adapter.read_people([person.id]) == {person.id: (person,)}


def test_names_have_no_case(connected: Any) -> None:
    """As in Salesforce itself."""
    desk = connected(phone_fields=["Contact.DIRECT__C"], email_fields=["Contact.email"])
    holds(desk, "C1", Direct__c="0612345678")

    assert found(desk, desk.adapter.find_contacts_by_phone([NUMBER])[NUMBER]) == ["C1"]
    assert found(desk, desk.adapter.find_contacts_by_email([EMAIL])[EMAIL]) == ["C2"]


@pytest.mark.parametrize("name", ["Contact.Nowhere__c", "Lead.Nowhere__c", "Contact.Fan__c", "Contact.Description"])
@pytest.mark.parametrize("setting", ["phone_fields", "email_fields"])
def test_a_field_that_people_cannot_be_looked_for_by_is_named(connected: Any, setting: str, name: str) -> None:
    """One that is not there, or whose type is no text, or too long a one."""
    desk = connected(**{setting: ["Contact.Phone", name]})
    look_up, key = {
        "phone_fields": (desk.adapter.find_contacts_by_phone, NUMBER),
        "email_fields": (desk.adapter.find_contacts_by_email, EMAIL),
    }[setting]

    with pytest.raises(
        ConfigurationError, match=f"^connection test, settings.{setting}: Salesforce has no field {name} "
    ):
        look_up([key])


def test_a_hidden_field_is_named(connected: Any) -> None:
    """A standard one too, once a setting names it."""
    desk = connected(phone_fields=["Contact.Phone", "Contact.HomePhone"])
    desk.post("org", {"hidden_fields": ["Contact.HomePhone"]})

    with pytest.raises(ConfigurationError, match=r"settings\.phone_fields: Salesforce has no field Contact\.HomePhone"):
        desk.adapter.find_contacts_by_phone([NUMBER])


def test_a_field_that_is_wrong_is_named_after_others_were_read(connected: Any) -> None:
    """Reading people goes on without what is hidden; looking for them does not."""
    desk = connected(phone_fields=["Contact.Nowhere__c"])
    assert found(desk, desk.adapter.read_people([desk.ids["C1"]])[desk.ids["C1"]]) == ["C1"]

    with pytest.raises(ConfigurationError, match=r"Contact\.Nowhere__c"):
        desk.adapter.find_contacts_by_phone([NUMBER])


def test_the_doctor_tells_which_setting_is_wrong(connected: Any) -> None:
    """A field that is not there is a must, and named with its setting; what is not named is not asked for."""
    desk = connected(phone_fields=["Contact.Nowhere__c", "Contact.DIRECT__c"], email_fields=["Lead.Private__c"])
    desk.post("org", {"custom_fields": OWN, "hidden_fields": ["Lead.Private__c", "Contact.Phone", "Contact.Email"]})
    rights = desk.adapter.check_access().rights

    assert {it.name: it.must for it in rights if it.granted is False} == {
        "Read on Contact.Nowhere__c (settings.phone_fields)": True,
        "Read on Lead.Private__c (settings.email_fields)": True,
    }


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (["Phone"], "should be a field of contacts or leads"),
        (["Account.Phone"], "should be a field of contacts or leads"),
        (["Contact.Account.Phone"], "should be a field of contacts or leads"),
        (["Contact.Phone'"], "should be a field of contacts or leads"),
        ([], "at least 1"),
        (["Contact.Phone", "Contact.phone"], "names Contact.phone twice"),
        ("Contact.Phone", "tuple"),
    ],
)
@pytest.mark.parametrize("setting", ["phone_fields", "email_fields"])
def test_names_that_are_none_are_refused(setting: str, names: Any, why: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ValidationError, match=why):
        SalesforceSettings.model_validate(
            {"instance_url": "https://acme.my.salesforce.com", "access_token": "x", setting: names}
        )


def test_a_wrong_name_is_told_by_its_place() -> None:
    """Whoever reads it finds the one of the list that is wrong."""
    settings = {
        "instance_url": "https://acme.my.salesforce.com",
        "access_token": "x",
        "phone_fields": ["Lead.Phone", "Direct"],
    }
    told = (
        r"settings\.phone_fields\.1 should be a field of contacts or leads, like Contact\.Direct_Phone__c\. Settings of"
    )

    with pytest.raises(ConfigurationError, match=told):
        read_settings(SALESFORCE, settings, "acme")
