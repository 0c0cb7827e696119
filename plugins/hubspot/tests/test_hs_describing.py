"""Describing objects of a sandbox, as the connection's app may use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.model import Choice, FieldDescription, ObjectDescription, Unknown

Connect = Callable[..., Any]
WRITE = "crm.objects.contacts.write"


def described(account: Any, name: str) -> ObjectDescription:
    """Describe one object."""
    (found,) = account.adapter.describe_objects([name])[name]
    assert isinstance(found, ObjectDescription)
    return found


def field(account: Any, obj: str, name: str) -> FieldDescription:
    """Describe one property."""
    return described(account, obj).fields[name]


def test_an_object_is_a_request(connect: Connect) -> None:
    """Each costs one, and all of them those for the scopes; what is no name is not asked for."""
    account = connect()

    found = account.adapter.describe_objects(["contacts", "calls", "butterflies", "no/name"])

    assert {name: [it.label for it in each] for name, each in found.items()} == {
        "contacts": ["Contacts"],
        "calls": ["Calls"],
        "butterflies": [],
        "no/name": [],
    }
    assert account.requests() == [f"/crm/properties/2026-09/{name}" for name in ("contacts", "calls", "butterflies")]


@pytest.mark.parametrize("name", ["contacts", "contact", "0-1"])
def test_an_object_has_the_name_that_it_was_asked_for_by(connect: Connect, name: str) -> None:
    """Each name that HubSpot takes leads to the same label."""
    found = described(connect(), name)

    assert (found.name, found.label) == (name, "Contacts")


@pytest.mark.parametrize(
    ("obj", "name", "wanted"),
    [
        ("contacts", "jobtitle", ("text", "string", 65_536)),
        ("contacts", "email", ("text", "email", 65_536)),
        ("contacts", "phone", ("text", "phonenumber", 65_536)),
        ("contacts", "message", ("text", "textarea", 65_536)),
        ("contacts", "hs_searchable_calculated_phone_number", ("text", "phone_number", None)),
        ("contacts", "associatedcompanyid", ("reference", "number", None)),
        ("contacts", "hs_merged_object_ids", ("choices", "enumeration", None)),
        ("contacts", "hs_is_contact", ("boolean", "bool", None)),
        ("calls", "hs_call_duration", ("number", "number", None)),
        ("calls", "hs_call_direction", ("choice", "enumeration", None)),
        ("deals", "closedate", ("time", "datetime", None)),
        ("deals", "hubspot_owner_id", ("reference", "enumeration", None)),
    ],
)
def test_what_a_property_holds_is_told(connect: Connect, obj: str, name: str, wanted: tuple[Any, ...]) -> None:
    """Its type, HubSpot's word for it, and how much of it there may be."""
    found = field(connect(), obj, name)

    assert (found.type, found.crm_type, found.length) == wanted


@pytest.mark.parametrize(
    ("obj", "name", "wanted"),
    [
        ("deals", "hubspot_owner_id", ("owners",)),
        ("contacts", "associatedcompanyid", ("companies",)),
        ("contacts", "jobtitle", ()),
    ],
)
def test_a_reference_names_its_object(connect: Connect, obj: str, name: str, wanted: tuple[str, ...]) -> None:
    """By the name that paths have for it."""
    assert field(connect(), obj, name).refers_to == wanted


@pytest.mark.parametrize(
    ("hints", "word"),
    [
        ({"type": "number", "fieldType": "number", "numberDisplayHint": "percentage"}, "percentage"),
        ({"type": "number", "fieldType": "number", "numberDisplayHint": "currency"}, "number"),
        ({"type": "string", "fieldType": "text", "textDisplayHint": "email"}, "email"),
        ({"type": "string", "fieldType": "text", "textDisplayHint": "multi_line"}, "multi_line"),
        ({"type": "string", "fieldType": "text", "textDisplayHint": None}, "string"),
        ({"type": "date", "fieldType": "date"}, "date"),
    ],
)
def test_what_is_shown_of_a_property_says_what_it_holds(connect: Connect, hints: dict[str, Any], word: str) -> None:
    """Where its type alone does not: a percentage, an address, or text of several lines."""
    account = connect()
    body = {"results": [{"name": "x", "label": "X", **hints}]}
    account.faults({"match": {"path": "/crm/properties/*"}, "do": {"status": 200, "body": body}})

    assert field(account, "contacts", "x").crm_type == word


def test_a_type_that_nobody_knows_is_another_one(connect: Connect) -> None:
    """HubSpot has types of its own, which no value is made for."""
    account = connect()
    body = {"results": [{"name": "place", "label": "Place", "type": "object_coordinates", "fieldType": "text"}]}
    account.faults({"match": {"path": "/crm/properties/*"}, "do": {"status": 200, "body": body}})

    assert field(account, "contacts", "place").type == "other"


def test_what_the_portal_alone_may_write_is_told(connect: Connect) -> None:
    """Read-only and calculated properties may not be written, whoever asks."""
    account = connect()
    account.sandbox.org({"read_only": {"contacts": ["jobtitle"]}})

    fields = described(account, "contacts").fields
    names = ("email", "jobtitle", "createdate", "hs_email_domain")
    assert [(fields[name].creatable, fields[name].updatable) for name in names] == [(True, True), *[(False, False)] * 3]


@pytest.mark.parametrize(("own", "may"), [(True, True), (False, False)])
def test_of_what_is_not_said_the_portals_own_may_be_written(connect: Connect, own: bool, may: bool) -> None:
    """Not every answer tells what may be changed."""
    account = connect()
    prop = {"name": "x", "label": "X", "type": "string", "fieldType": "text", "hubspotDefined": not own}
    account.faults({"match": {"path": "/crm/properties/*"}, "do": {"status": 200, "body": {"results": [prop]}}})

    assert field(account, "contacts", "x").updatable is may


def test_a_property_off_the_pages_is_described(connect: Connect) -> None:
    """What HubSpot hides from its own pages, the API reads and writes; what it does not show the app is left out."""
    account = connect()
    account.sandbox.org({"hidden": {"contacts": ["jobtitle"]}})

    fields = described(account, "contacts").fields
    assert (fields["associatedcompanyid"].updatable, "jobtitle" in fields) == (True, False)


def test_choices_are_told(connect: Connect) -> None:
    """Value and label of each, and that nothing else is taken; owners are chosen elsewhere."""
    account = connect()
    account.sandbox.org({"options": {"calls": {"hs_activity_type": ["Demo", {"value": "qbr", "label": "Review"}]}}})

    found = field(account, "calls", "hs_activity_type")
    assert (found.values, found.restricted) == ((Choice("Demo", "Demo"), Choice("qbr", "Review")), True)
    owner = field(account, "calls", "hubspot_owner_id")
    assert (owner.values, owner.restricted) == ((), False)


def test_a_choice_that_is_hidden_is_not_set_anew(connect: Connect) -> None:
    """It is told, as records may have it."""
    account = connect()
    option = {"value": "old", "label": "", "displayOrder": 0, "hidden": True}
    prop = {"name": "x", "label": "", "type": "enumeration", "fieldType": "radio", "options": [option]}
    account.faults({"match": {"path": "/crm/properties/*"}, "do": {"status": 200, "body": {"results": [prop]}}})

    found = field(account, "contacts", "x")
    assert (found.label, found.values) == ("x", (Choice("old", "old", active=False),))


def test_what_was_archived_is_no_choice(connect: Connect) -> None:
    """A stage, and a pipeline with all of its stages."""
    account = connect()
    stages = [{"id": "a", "label": "A"}, {"id": "b", "label": "B", "archived": True}]
    old = {"id": "old", "label": "Old", "archived": True, "stages": [{"id": "c", "label": "C"}]}
    body = {"results": [{"id": "default", "label": "Sales", "stages": stages}, old]}
    account.faults({"match": {"path": "*/pipelines/*"}, "do": {"status": 200, "body": body}})
    fields = described(account, "deals").fields

    assert [[it.value for it in fields[name].values if it.active] for name in ("pipeline", "dealstage")] == [
        ["default"],
        ["a"],
    ]


def test_stages_are_told_with_their_pipeline(connect: Connect) -> None:
    """A stage of a deal depends on its pipeline."""
    fields = described(connect(), "deals").fields

    stages = {it.value: (it.label, it.only_with) for it in fields["dealstage"].values}
    assert (fields["dealstage"].controlled_by, fields["dealstage"].restricted) == ("pipeline", True)
    assert stages["closedwon"] == ("Closed Won", ("default",))
    assert {it for _, of in stages.values() for it in of or ()} == {it.value for it in fields["pipeline"].values}


def test_what_a_create_must_give_is_told_of_activities(connect: Connect) -> None:
    """HubSpot's guides require when it was."""
    account = connect()

    required = {
        obj: [it.name for it in described(account, obj).fields.values() if it.required] for obj in ("calls", "contacts")
    }
    assert required == {"calls": ["hs_timestamp"], "contacts": []}


# -- rights ------------------------------------------------------------------------------------------------------------


def test_an_app_that_may_only_read_changes_nothing(connect: Connect) -> None:
    """Without the scope neither object nor property may be written; calls are under the scopes of contacts."""
    account = connect()
    account.sandbox.org({"missing_scopes": [WRITE]})

    for obj, name in (("contacts", "jobtitle"), ("calls", "hs_call_title")):
        found = described(account, obj)
        rights = (found.readable, found.creatable, found.updatable, found.fields[name].updatable)
        assert rights == (True, False, False, False)
    assert described(account, "deals").updatable


def test_what_the_app_may_not_see_is_not_there(connect: Connect) -> None:
    """HubSpot refuses to describe an object without its scope, as it was recorded; that fails no other."""
    account = connect()
    account.sandbox.org({"missing_scopes": ["crm.objects.companies.read"]})

    found = account.adapter.describe_objects(["companies", "deals"])
    assert (found["companies"], len(found["deals"])) == ((), 1)


def test_where_scopes_are_not_told_properties_say_what_may_be_written(connect: Connect) -> None:
    """Nothing is claimed to be missing."""
    account = connect()
    account.faults({"match": {"path": "/oauth/*"}, "do": {"status": 404, "body": {"message": "no"}}})

    fields = described(account, "contacts").fields
    assert (fields["jobtitle"].updatable, fields["createdate"].updatable) == (True, False)


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_token_that_is_refused_fails_the_batch(connect: Connect) -> None:
    """Credentials that are refused are no object that is not there."""
    account = connect()
    body = {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "…"}
    account.faults({"match": {"path": "/crm/*"}, "do": {"status": 401, "body": body}})

    with pytest.raises(CredentialsError):
        account.adapter.describe_objects(["contacts"])


def test_a_service_that_stays_away_fails_the_batch(connect: Connect) -> None:
    """It is asked again later."""
    account = connect()
    account.faults({"do": {"status": 503}})

    with pytest.raises(TryAgainError):
        account.adapter.describe_objects(["contacts"])


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "body": {"status": "error", "message": "no", "category": "VALIDATION_ERROR"}},
        {"status": 200, "body": {"results": [{"label": "without a name"}]}},
    ],
)
def test_what_cannot_be_read_is_not_known(connect: Connect, answer: dict[str, Any]) -> None:
    """A refusal, and another form of answer, are neither an object nor its absence, and fail no other."""
    account = connect()
    account.faults({"match": {"path": "/crm/properties/*/contacts"}, "do": answer})

    found = account.adapter.describe_objects(["contacts", "calls"])
    assert (type(found["contacts"]), len(found["calls"])) == (Unknown, 1)
