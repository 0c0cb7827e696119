"""The sandbox against what the real service answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Bodies = Callable[[str], Any]
PROPERTIES = (
    "type",
    "length",
    "label",
    "createable",
    "updateable",
    "nillable",
    "filterable",
    "sortable",
    "defaultedOnCreate",
    "defaultValue",
    "restrictedPicklist",
    "nameField",
    "idLookup",
    "soapType",
    "byteLength",
)


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Event"])
def test_fields_have_the_properties_of_a_real_describe(client: Any, exchanges: list[dict[str, Any]], name: str) -> None:
    """Every field that the sandbox has and a real describe tells of has the same properties."""
    real = next(
        {field["name"]: field for field in item["resp"]["fields"]}
        for item in exchanges
        if item["path"].endswith(f"/sobjects/{name}/describe") and isinstance(item["resp"], dict)
    )
    ours = {field["name"]: field for field in client.send("GET", f"sobjects/{name}/describe").json()["fields"]}
    differing = {
        (field, key): (ours[field][key], real[field][key])
        for field in ours.keys() & real.keys()
        for key in PROPERTIES
        if ours[field][key] != real[field][key]
    }
    assert differing == {}


@pytest.mark.parametrize("name", ["Opportunity", "Event"])
def test_choices_have_the_labels_of_a_real_describe(client: Any, exchanges: list[dict[str, Any]], name: str) -> None:
    """The label of a choice is not its value, and the default is marked where a create has one."""
    real = next(
        {(field["name"], it["value"]): it for field in item["resp"]["fields"] for it in field["picklistValues"]}
        for item in exchanges
        if item["path"].endswith(f"/sobjects/{name}/describe") and isinstance(item["resp"], dict)
    )
    fields = client.send("GET", f"sobjects/{name}/describe").json()["fields"]
    ours = {(field["name"], it["value"]): it for field in fields for it in field["picklistValues"]}
    differing = {
        key
        for key in ours.keys() & real.keys()
        for part in ("label", "defaultValue")
        if ours[key][part] != real[key][part]
    }
    assert differing == set()


@pytest.mark.parametrize("name", ["Account", "Contact", "Lead", "Opportunity", "OpportunityContactRole", "Event"])
def test_references_lead_where_the_real_ones_do(client: Any, exchanges: list[dict[str, Any]], name: str) -> None:
    """Every relationship has the name of the real one."""
    real = next(
        {field["name"]: field["relationshipName"] for field in item["resp"]["fields"]}
        for item in exchanges
        if item["path"].endswith(f"/sobjects/{name}/describe") and isinstance(item["resp"], dict)
    )
    fields = client.send("GET", f"sobjects/{name}/describe").json()["fields"]
    ours = {field["name"]: field["relationshipName"] for field in fields if field["name"] in real}
    assert ours == {field: real[field] for field in ours}


def test_a_query_is_answered_with_the_keys_of_a_real_one(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """The keys of an answer and of its records stand in the recorded order."""
    real = next(item["resp"] for item in exchanges if item["query"] == "q=SELECT Id,Name FROM Account")
    ours = client.query("SELECT Id,Name FROM Account")
    assert [list(ours), list(ours["records"][0])] == [list(real), list(real["records"][0])]


def test_a_composite_is_answered_with_the_keys_of_a_real_one(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """The keys of the answer to a subrequest stand in the recorded order."""
    real = next(item["resp"] for item in exchanges if item["path"].endswith("/composite"))
    ours = client.composite({"url": "query?q=SELECT Id FROM Account LIMIT 1"})
    assert list(ours[0]) == list(real["compositeResponse"][0])


def test_a_missing_resource_in_a_composite_is_refused_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """An object that is not there is 404 with the recorded body."""
    real = next(item["resp"] for item in exchanges if "sobjects/Foo" in str(item["req"]))["compositeResponse"][0]
    ours = client.composite({"url": "sobjects/Foo"})[0]
    assert (ours["httpStatusCode"], ours["body"]) == (real["httpStatusCode"], real["body"])


def test_a_count_of_an_unknown_object_is_refused_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """The words around the place, the caret, and the sentence are those of the service."""
    real = next(item["resp"] for item in exchanges if "refXYZZY" in str(item["req"]))["compositeResponse"][1]["body"]
    assert client.composite({"url": "query/?q=select count() from XYZZY"})[0]["body"] == real


def test_a_count_of_a_field_is_answered_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """It is one aggregate, named expr0."""
    real = next(item["resp"] for item in exchanges if item["query"] == "q=select count(Id) from Account")
    real["records"][0]["expr0"] = 2
    assert client.query("select count(Id) from Account") == real


def test_an_unknown_object_shows_the_words_around_it(client: Any, bodies: Bodies) -> None:
    """A window that begins within the query is cut as the service cuts it."""
    soql = "SELECT Id,Name,BillingCity,IsDeleted FROM Accout"
    assert client.query(soql) == bodies("unknown-object")


def test_an_unknown_field_of_a_new_record_is_refused_as_recorded(client: Any, bodies: Bodies) -> None:
    """A plain create answers a list without ``fields``."""
    answer = client.send("POST", "sobjects/Account", {"Name": "x", "AccountNumer": "1"})
    assert (answer.status_code, answer.json()) == (400, bodies("unknown-field"))


def test_deleting_what_was_deleted_is_refused_as_recorded(client: Any, bodies: Bodies) -> None:
    """The second delete is 404, ENTITY_IS_DELETED."""
    address = f"sobjects/Contact/{client.ids['C2']}"
    client.send("DELETE", address)
    answer = client.send("DELETE", address)
    assert (answer.status_code, answer.json()) == (404, bodies("delete-not-found"))


def test_a_read_only_field_is_refused_as_recorded(client: Any, bodies: Bodies) -> None:
    """The message names the field."""
    answer = client.send("PATCH", f"sobjects/Account/{client.ids['A1']}", {"MasterRecordId": client.ids["A2"]})
    assert (answer.status_code, answer.json()) == (400, bodies("invalid-field-upsert"))


def test_a_collection_of_nothing_is_refused_as_recorded(client: Any, bodies: Bodies) -> None:
    """At least one record is required."""
    answer = client.send("POST", "composite/sobjects", {"records": []})
    assert (answer.status_code, answer.json()) == (400, bodies("collections-create-err-bad-request"))


def test_all_or_none_of_a_create_is_answered_as_recorded(client: Any, bodies: Bodies) -> None:
    """The good row is rolled back, and says so."""
    records = [{"attributes": {"type": "Contact"}}, {"attributes": {"type": "Contact"}, "LastName": "Good"}]
    answer = client.send("POST", "composite/sobjects", {"allOrNone": True, "records": records})
    assert answer.json() == bodies("collections-create-partial-but-allOrNone")


def test_all_or_none_of_an_update_is_answered_as_recorded(client: Any, bodies: Bodies) -> None:
    """An unknown field fails its row and rolls the other one back."""
    records = [
        {"attributes": {"type": "Contact"}, "id": client.ids["C1"], "LastName": "Good"},
        {"attributes": {"type": "Contact"}, "id": client.ids["C2"], "unknownField_LastName": "Bad"},
    ]
    answer = client.send("PATCH", "composite/sobjects", {"allOrNone": True, "records": records})
    assert answer.json() == bodies("collections-update-partial-but-allOrNone")


def test_an_update_without_ids_is_answered_as_recorded(client: Any, bodies: Bodies) -> None:
    """Each row says that its id is missing."""
    records = [{"attributes": {"type": "Contact"}, "LastName": name} for name in ("One", "Two")]
    answer = client.send("PATCH", "composite/sobjects", {"records": records})
    assert answer.json() == bodies("collections-update-err-each-no-ids")


@pytest.mark.parametrize("path", ["payload", "success"])
def test_a_recorded_create_succeeds(client: Any, bodies: Bodies, path: str) -> None:
    """The rows that the service took are taken, and answered with the same keys."""
    results = client.send("POST", "composite/sobjects", bodies("collections-create-payload")).json()
    real = bodies("collections-create-success")
    shape = [(list(row), row["success"], row["errors"]) for row in results]
    assert shape == [(list(row), row["success"], row["errors"]) for row in real], path


def test_upserts_by_email_are_answered_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """Rows that the service upserted by Contact.Email are created, each with the recorded keys."""
    real = next(item for item in exchanges if item["path"].endswith("/composite/sobjects/Contact/Email"))
    results = client.send("PATCH", "composite/sobjects/Contact/Email", real["req"]).json()
    assert [(list(row), row["created"]) for row in results] == [(list(row), row["created"]) for row in real["resp"]]


def test_addresses_are_answered_in_lower_case_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """What was created in mixed case is read in lower case."""
    real = next(item for item in exchanges if item["path"].endswith("/composite/sobjects/Contact/Email"))
    client.send("PATCH", "composite/sobjects/Contact/Email", real["req"])
    mixed = {row["Email"] for row in real["req"]["records"] if row["Email"] != row["Email"].lower()}
    held = {row["Email"] for row in client.rows("SELECT Email FROM Contact")}
    assert {address.lower() for address in mixed} <= held


def test_a_child_query_without_records_is_null_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """``Opportunities`` of a contact that has none is null."""
    soql = "select FirstName,(select Name from Opportunities) from Contact"
    real = next(item["resp"] for item in exchanges if item["query"] == f"q={soql}")
    ours = client.query(soql)
    assert [list(row.items())[2] for row in ours["records"]] == [list(real["records"][0].items())[2]] * 2


def test_an_event_by_activity_date_time_is_taken_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """ActivityDateTime and a duration written as text are enough for an event."""
    real = next(
        item["req"]["records"][0]
        for item in exchanges
        if item["method"] == "POST" and "ActivityDateTime" in str(item["req"]) and isinstance(item["req"], dict)
    )
    links = {"WhoId": client.ids["C1"], "WhatId": client.ids["A1"]}
    fields = {key: value for key, value in real.items() if key not in ("attributes", "OwnerId")}
    assert client.create("Event", **{**fields, **links})["success"]


def test_typeof_is_answered_as_recorded(client: Any, exchanges: list[dict[str, Any]]) -> None:
    """The record behind a polymorphic reference has the type and the fields of its branch."""
    real = next(item for item in exchanges if "TYPEOF Who" in str(item["query"]))
    soql = str(real["query"]).removeprefix("q=")
    who = client.query(f"{soql} WHERE Id = '{client.ids['E1']}'")["records"][0]["Who"]
    recorded = real["resp"]["records"][0]["Who"]
    assert (list(who), who["attributes"]["type"]) == (list(recorded), recorded["attributes"]["type"])
