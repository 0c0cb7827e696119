"""Describing objects of a sandbox, as the connection's user sees them."""

from __future__ import annotations

from typing import Any

import pytest

from connector_core.errors import CredentialsError
from connector_core.model import Choice, ObjectDescription, Unknown

REGION = {"object": "Contact", "name": "Region__c", "type": "picklist", "restricted": True}
COUNTRY = {**REGION, "name": "Country__c", "values": ["France", "Spain", "Chile"]}
VALUES = ["Alsace", "Biobío", "Europe"]
ONLY_WITH = {"Alsace": ["France"], "Biobío": ["Chile"], "Europe": ["France", "Spain"]}


def described(desk: Any, name: str) -> ObjectDescription:
    """Describe one object."""
    (found,) = desk.adapter.describe_objects([name])[name]
    assert isinstance(found, ObjectDescription)
    return found


def test_objects_are_described_in_one_call(connect: Any) -> None:
    """Several objects cost one API call; one that is not there, and what is no name, are answered as such."""
    desk = connect({})

    found = desk.adapter.describe_objects(["Contact", "Task", "Unicorn__c", "no/name"])

    assert {name: [it.label for it in each] for name, each in found.items()} == {
        "Contact": ["Contact"],
        "Task": ["Task"],
        "Unicorn__c": [],
        "no/name": [],
    }
    assert desk.api_calls == 1


def test_a_field_is_described(connect: Any) -> None:
    """A text has its length and its right, a reference no length of a text, and an id is nobody's to write."""
    fields = described(connect({}), "Contact").fields

    title, record = fields["Title"], fields["Id"]
    assert (title.type, title.crm_type, title.length, title.required) == ("text", "string", 128, False)
    assert (fields["LastName"].required, fields["AccountId"].type) == (True, "reference")
    assert (record.creatable, record.updatable) == (False, False)
    assert (fields["OwnerId"].refers_to, fields["AccountId"].refers_to, title.refers_to) == (
        ("User",),
        ("Account",),
        (),
    )


def test_rights_of_the_user_are_told(connect: Any) -> None:
    """A hidden field is left out, a read-only one may not be written, and the object says what the user may do."""
    desk = connect({})
    desk.post(
        "org",
        {
            "hidden_fields": ["Contact.Title"],
            "read_only_fields": ["Contact.Email"],
            "missing_rights": {"Contact": ["create", "edit"], "Lead": ["read"]},
        },
    )

    contact = described(desk, "Contact")
    assert "Title" not in contact.fields
    assert (contact.fields["Email"].creatable, contact.fields["Email"].updatable) == (False, False)
    assert (contact.readable, contact.creatable, contact.updatable) == (True, False, False)
    assert desk.adapter.describe_objects(["Lead"]) == {"Lead": ()}


def test_values_are_told_with_those_that_they_depend_on(connect: Any) -> None:
    """A dependent picklist names its controlling field, and each value those with which it may be chosen."""
    desk = connect({})
    region = {**REGION, "values": VALUES, "controller": "Country__c", "only_with": ONLY_WITH}
    desk.post("org", {"custom_fields": [COUNTRY, region]})

    field = described(desk, "Contact").fields["Region__c"]
    assert (field.type, field.restricted, field.controlled_by) == ("choice", True, "Country__c")
    assert field.values == tuple(Choice(it, it, only_with=tuple(ONLY_WITH[it])) for it in VALUES)


def test_more_objects_than_a_composite_takes_are_described(connect: Any) -> None:
    """Beyond 25 objects a second API call is spent."""
    desk = connect({})
    names = ["Contact", *(f"Unicorn{number}__c" for number in range(30))]

    assert len(desk.adapter.describe_objects(names)) == 31
    assert desk.api_calls == 2


def test_a_session_that_is_over_fails_the_batch(connect: Any) -> None:
    """Credentials that are refused are no object that is not there."""
    desk = connect({}, access_token="not-a-token", client_id=None, client_secret=None)

    with pytest.raises(CredentialsError):
        desk.adapter.describe_objects(["Contact"])


def test_a_describe_that_cannot_be_read_is_not_known(connect: Any) -> None:
    """What a composite holds in place of a describe is neither an object nor its absence."""
    desk = connect({})
    answers = iter([[(200, {"name": "Contact"})], [(503, "")]])
    desk.adapter._client.composite = lambda subrequests, *, reads: next(answers)

    for _ in range(2):
        assert isinstance(desk.adapter.describe_objects(["Contact"])["Contact"], Unknown)
