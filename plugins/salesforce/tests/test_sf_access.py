"""The rights of a sandbox's user, as the doctor tells them."""

from __future__ import annotations

from typing import Any

import pytest
from connector_salesforce import access, writing


def missing(desk: Any) -> dict[str, bool]:
    """Give the rights that are missing, and whether each is a must."""
    return {it.name: it.must for it in desk.adapter.check_access().rights if it.granted is False}


def test_all_rights_are_told_in_one_call(connect: Any) -> None:
    """A user who has all lacks none; versions come from the org."""
    desk = connect({})

    assert missing(desk) == {}
    assert desk.api_calls == 1
    told = desk.adapter.check_access()
    assert (told.api_version, told.newest_version) == ("66.0", "68.0")


def test_a_right_on_an_object_is_missing(connect: Any) -> None:
    """An object that the user may not see cannot be changed either; of people only reading is a must."""
    desk = connect({})
    desk.post("org", {"missing_rights": {"Lead": ["read"], "Contact": ["edit"], "Task": ["create"]}})

    assert missing(desk) == {
        "Read on Lead": True,
        "Edit on Lead": False,
        "Edit on Contact": False,
        "Create on Task": True,
    }


def test_where_notes_are_off_all_rights_on_them_are_missing(connect: Any) -> None:
    """Then the org has no such object; what does not work without it is told."""
    desk = connect({})
    desk.post("org", {"missing_rights": {"ContentNote": ["read"]}})
    rights = [it for it in desk.adapter.check_access().rights if it.granted is False]

    assert {it.name for it in rights} == {"Read on ContentNote", "Edit on ContentNote", "Create on ContentNote"}
    assert "writing notes" in {it.disables for it in rights}


def test_a_right_on_a_field_is_missing(connect: Any) -> None:
    """What a question needs is a must, what it goes on without is none; a read-only field can still be read."""
    desk = connect({})
    desk.post(
        "org",
        {
            "hidden_fields": ["Contact.Email", "Contact.MobilePhone", "Task.CallType"],
            "read_only_fields": ["Task.CallObject"],
        },
    )

    assert missing(desk) == {
        "Read on Contact.Email": True,
        "Read on Contact.MobilePhone": False,
        "Edit on Task.CallType": False,
        "Edit on Task.CallObject": True,
    }


def test_the_field_of_a_key_is_held_too(connect: Any) -> None:
    """With a field of the org's own, that one has to be there on both kinds of activity, and not Salesforce's."""
    desk = connect({}, key_field="Call_Id__c")
    desk.post("org", {"read_only_fields": ["Task.CallObject"]})

    assert missing(desk) == {"Edit on Task.Call_Id__c": True, "Edit on Event.Call_Id__c": True}


@pytest.mark.parametrize(
    ("kept", "lacking"),
    [({"external_id": True, "unique": True}, False), ({"external_id": True}, True)],
)
def test_a_key_field_that_cannot_keep_duplicates_out_is_told(
    connect: Any, kept: dict[str, bool], lacking: bool
) -> None:
    """One that is not unique keeps nothing out; calls are written all the same. Its name has no case."""
    desk = connect({}, key_field="call_id__c")
    desk.post("org", {"custom_fields": [{"object": "Activity", "name": "Call_Id__c", **kept}]})
    names = [f"Unique on {it}.call_id__c (settings.key_field)" for it in ("Task", "Event")]

    assert missing(desk) == (dict.fromkeys(names, False) if lacking else {})


def test_what_is_spare_is_what_the_writer_leaves_out() -> None:
    """The two lists are one."""
    assert set(access.SPARE) == writing._DISPENSABLE
