"""How the organization of the sandbox is changed."""

from __future__ import annotations

from typing import Any

import pytest

TASK = "Task"


def test_a_hidden_field_is_none_in_queries(client: Any) -> None:
    """As if it were not there."""
    client.org(hidden_fields=["Contact.MobilePhone"])
    body = client.query("SELECT Id, MobilePhone FROM Contact")
    assert body[0]["message"].splitlines()[-1].startswith("No such column 'MobilePhone' on entity 'Contact'.")


def test_an_object_has_a_record_type_once_there_are_some(client: Any) -> None:
    """One of those that the user may choose; another one is no reference."""
    before = client.send("GET", "sobjects/Task/describe").json()["fields"]
    client.org(record_types={"Task": ["012000000000001"]})
    after = client.send("GET", "sobjects/Task/describe").json()["fields"]
    right, wrong = (client.create(TASK, RecordTypeId=f"01200000000000{number}") for number in (1, 2))

    assert [it["name"] for it in after if it not in before] == ["RecordTypeId"]
    assert (right["success"], wrong["errors"][0]["statusCode"]) == (True, "INVALID_CROSS_REFERENCE_KEY")


def test_a_hidden_field_is_not_described(client: Any) -> None:
    """A describe is the user's."""
    client.org(hidden_fields=["Task.CallObject"])
    names = [field["name"] for field in client.send("GET", "sobjects/Task/describe").json()["fields"]]
    assert "CallObject" not in names


def test_a_hidden_field_cannot_be_written(client: Any) -> None:
    """No such column."""
    client.org(hidden_fields=["Task.CallObject"])
    assert (
        client.create(TASK, CallObject="x")["errors"][0]["message"]
        == "No such column 'CallObject' on sobject of type Task"
    )


def test_a_read_only_field_cannot_be_written(client: Any) -> None:
    """It can be read."""
    client.org(read_only_fields=["Task.CallObject"])
    codes = [
        client.create(TASK, CallObject="x")["errors"][0]["statusCode"],
        len(client.rows("SELECT CallObject FROM Task")),
    ]
    assert codes == ["INVALID_FIELD_FOR_INSERT_UPDATE", 1]


def test_other_values_of_a_picklist_replace_the_former(client: Any) -> None:
    """TaskStatus tells them, and which is closed."""
    client.org(picklist_values={"Task.Status": ["Open", {"value": "Done", "closed": True}]})
    assert client.rows("SELECT ApiName, IsClosed, IsDefault FROM TaskStatus ORDER BY SortOrder") == [
        {"ApiName": "Open", "IsClosed": False, "IsDefault": True},
        {"ApiName": "Done", "IsClosed": True, "IsDefault": False},
    ]


def test_the_label_of_a_choice_is_another_text_than_its_value(client: Any) -> None:
    """TaskStatus and the description tell both; a record takes the value alone, as the service does."""
    client.org(picklist_values={"Task.Status": [{"value": "Open", "label": "Offen"}]})
    (told,) = client.rows("SELECT ApiName, MasterLabel FROM TaskStatus")
    described = client.send("GET", "sobjects/Task/describe").json()["fields"]
    (choice,) = next(field["picklistValues"] for field in described if field["name"] == "Status")
    taken = [client.create(TASK, Status=text)["success"] for text in ("Open", "Offen")]
    assert (told, choice["value"], choice["label"], taken) == (
        {"ApiName": "Open", "MasterLabel": "Offen"},
        "Open",
        "Offen",
        [True, False],
    )


def test_a_status_that_is_no_more_is_refused(client: Any) -> None:
    """The picklist is restricted."""
    client.org(picklist_values={"Task.Status": ["Open", "Done"]})
    assert (
        client.create(TASK, Status="Completed")["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    )


def test_a_validation_rule_refuses_with_its_message(client: Any) -> None:
    """The message is the administrator's."""
    when = {"field": "Subject", "equals": ""}
    client.org(
        validation_rules=[{"object": "Task", "name": "Subject", "when": when, "message": "Say what it is about."}]
    )
    result = client.create(TASK, Status="Completed")["errors"][0]
    assert result == {
        "statusCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "message": "Say what it is about.",
        "fields": [],
    }


def test_a_validation_rule_lets_others_pass(client: Any) -> None:
    """All of its conditions have to hold."""
    when = [{"field": "Status", "in": ["Completed"]}, {"field": "CallDisposition", "blank": True}]
    client.org(validation_rules=[{"object": "Task", "name": "Result", "when": when, "message": "How did it go?"}])
    assert client.create(TASK, Status="In Progress")["success"]


RULE = {"object": "Contact", "name": "One_per_address", "fields": ["Email"]}


def test_a_duplicate_rule_refuses_with_what_it_found(client: Any) -> None:
    """In a collection, and alone, where the service spells the key in another way."""
    client.org(duplicate_rules=[{**RULE, "message": "There is one."}])
    twin = {"LastName": "Twin", "Email": "CARL@buyer.example"}
    row = client.create("Contact", **twin)["errors"][0]
    alone = client.send("POST", "sobjects/Contact", twin)
    (found,) = row["duplicateResult"]["matchResults"]

    assert (row["statusCode"], row["message"]) == ("DUPLICATES_DETECTED", "There is one.")
    assert row["duplicateResult"]["duplicateRule"] == "One_per_address"
    assert [it["record"]["Id"] for it in found["matchRecords"]] == [client.ids["C1"]]
    assert (alone.status_code, alone.json()[0]["duplicateResut"]) == (400, row["duplicateResult"])
    assert len(client.records("Contact")) == 2


@pytest.mark.parametrize("changes", [{"Title": "CEO"}, {"Email": "new@buyer.example"}, {"Email": None}])
def test_a_duplicate_rule_lets_others_pass(client: Any, changes: dict[str, Any]) -> None:
    """A change of what the rule does not look at, and a value that nobody has, or that is none."""
    client.change("Contact", client.ids["C2"], Email="carl@buyer.example")
    client.org(duplicate_rules=[RULE])

    assert client.change("Contact", client.ids["C2"], **changes)["success"]


def test_to_save_a_duplicate_all_the_same_is_not_spoken(client: Any) -> None:
    """The header that does so is refused, of requests and of subrequests."""
    header = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    part = {
        "method": "GET",
        "referenceId": "a",
        "url": "/services/data/v66.0/sobjects/Task/describe",
        "httpHeaders": header,
    }
    alone = client.send("GET", "limits", headers=header)
    inside = client.send("POST", "composite", {"compositeRequest": [part]})

    assert (alone.status_code, inside.status_code) == (501, 501)


def test_a_field_that_the_organization_requires_is_missed(client: Any) -> None:
    """Besides those that the service does."""
    client.org(required_fields=["Task.CallDisposition"])
    assert client.create(TASK, Subject="x")["errors"][0]["fields"] == ["CallDisposition"]


def test_a_describe_tells_what_the_organization_requires(client: Any) -> None:
    """Such a field takes no null."""
    client.org(required_fields=["Task.CallDisposition"])
    fields = client.send("GET", "sobjects/Task/describe").json()["fields"]
    assert [field["nillable"] for field in fields if field["name"] == "CallDisposition"] == [False]


def test_the_status_that_new_tasks_have_is_told(client: Any) -> None:
    """Of other values the first is the default, unless one is marked."""
    client.org(picklist_values={"Task.Status": ["Open", {"value": "Done", "closed": True}]})
    default = client.rows("SELECT MasterLabel FROM TaskStatus WHERE IsDefault = true")
    created = client.read(TASK, client.create(TASK)["id"], "Status")
    assert (default, created) == ([{"MasterLabel": "Open"}], {"Status": "Open"})


def test_an_object_that_may_not_be_read_is_not_there(client: Any) -> None:
    """INVALID_TYPE in a query."""
    client.org(missing_rights={"Lead": ["read"]})
    assert client.query("SELECT Id FROM Lead")[0]["errorCode"] == "INVALID_TYPE"


@pytest.mark.parametrize(("right", "method"), [("create", "POST"), ("edit", "PATCH")])
def test_a_missing_right_refuses_a_write(client: Any, right: str, method: str) -> None:
    """The code is the service's."""
    client.org(missing_rights={"Task": [right]})
    result = client.create(TASK) if method == "POST" else client.change(TASK, client.ids["T1"], Subject="x")
    assert result["errors"][0]["statusCode"] == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_a_unique_field_refuses_a_second_record(client: Any) -> None:
    """The message names the first."""
    client.org(custom_fields=[{"object": "Task", "name": "Key__c", "unique": True, "external_id": True}])
    first = client.create(TASK, Key__c="k")["id"]
    error = client.create(TASK, Key__c="K")["errors"][0]
    assert (error["statusCode"], first[:15] in error["message"]) == ("DUPLICATE_VALUE", True)


def test_several_currencies_give_each_record_one(client: Any) -> None:
    """What is there gets the organization's own, and so does what is created without one; another one is refused."""
    client.org(currencies=["EUR", "USD"])
    client.create("Account", Name="One")
    client.create("Account", Name="Two", CurrencyIsoCode="USD")
    refused = client.create("Account", Name="Three", CurrencyIsoCode="BRL")
    rows = client.rows("SELECT Name, CurrencyIsoCode FROM Account")
    assert {row["Name"]: row["CurrencyIsoCode"] for row in rows if row["Name"] in ("One", "Two")} == {
        "One": "EUR",
        "Two": "USD",
    }
    assert None not in {row["CurrencyIsoCode"] for row in rows}
    assert refused["errors"][0]["statusCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"


def test_one_currency_is_told_and_is_no_field(client: Any) -> None:
    """By the organization's features; with several, these say no more than that."""
    told = [client.send("GET", "connect/organization").json()["features"]]
    columns = client.query("SELECT CurrencyIsoCode FROM Account")
    client.org(currencies=["EUR", "USD"])
    told.append(client.send("GET", "connect/organization").json()["features"])
    assert told == [
        {"multiCurrency": False, "defaultCurrencyIsoCode": "EUR"},
        {"multiCurrency": True, "defaultCurrencyIsoCode": None},
    ]
    assert columns[0]["errorCode"] == "INVALID_FIELD"


@pytest.mark.parametrize("resource", ["connect", "connect/communities", "connect/organization/x"])
def test_no_more_of_connect_is_spoken(resource: str, client: Any) -> None:
    """Its other resources are answered 501."""
    assert client.send("GET", resource).status_code == 501


def test_the_time_zone_decides_the_day_of_an_event(client: Any) -> None:
    """Half past eleven in the evening UTC is tomorrow in Paris."""
    client.org(time_zone="Europe/Paris")
    event = client.create("Event", StartDateTime="2026-03-02T23:30:00Z", DurationInMinutes=10)
    assert client.read("Event", event["id"], "ActivityDate") == {"ActivityDate": "2026-03-03"}


def test_a_change_is_undone_by_an_empty_one(client: Any) -> None:
    """A key replaces what it said before."""
    client.org(hidden_fields=["Contact.MobilePhone"])
    client.org(hidden_fields=[])
    assert len(client.rows("SELECT MobilePhone FROM Contact")) == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"hidden_field": []}, "unknown change of the organization 'hidden_field'; possible are app_certificate"),
        (
            {"hidden_fields": ["Contact.Mobile"]},
            "no field 'Contact.Mobile' in the sandbox; did you mean Contact.MobilePhone?",
        ),
        ({"missing_rights": {"Task": ["write"]}}, "missing_rights: Task: no such right 'write'; possible are read"),
        ({"hidden_fields": "Contact.MobilePhone"}, "hidden_fields: has not the form"),
        ({"picklist_values": {"Task.Status": [{"value": ["Open"]}]}}, "picklist_values: has not the form"),
        ({"time_zone": "Mars"}, "time_zone: no such time zone 'Mars'"),
        ({"currencies": []}, "currencies: a list of codes like EUR is wanted, the organization's own first"),
        ({"currencies": ["euro"]}, "currencies: a list of codes like EUR is wanted, the organization's own first"),
        ({"daily_requests": 0}, "daily_requests: a whole number above 0 is wanted, got 0"),
        ({"daily_requests": "many"}, "daily_requests: a whole number above 0 is wanted, got many"),
        (
            {"duplicate_rules": [{**RULE, "object": "Task"}]},
            "duplicate_rules: Task has none; possible are those of Acc",
        ),
        ({"duplicate_rules": [{**RULE, "fields": ["Mail"]}]}, "no field 'Contact.Mail' in the sandbox; did you mean"),
        ({"duplicate_rules": [{**RULE, "when": 7}]}, "duplicate_rules: has not the form"),
        ({"validation_rules": [{"object": "Task"}]}, "validation_rules: has not the form"),
        (
            {"custom_fields": [{"object": "Task", "name": "Key"}]},
            "custom_fields: the name of a custom field ends in __c",
        ),
        ({"record_types": {"Task": ["003000000000001"]}}, "record_types: ids that begin with 012 are wanted, got 003"),
    ],
)
def test_a_change_that_cannot_be_made_says_what_can(client: Any, change: dict[str, Any], says: str) -> None:
    """400, and nothing is changed."""
    answer = client.org(**change)
    assert (answer.status_code, answer.json()["message"][: len(says)]) == (400, says)


def test_a_limit_of_requests_that_was_set_is_kept(client: Any) -> None:
    """After the day's requests every further one is refused, in Salesforce's words, and costs nothing."""
    client.org(daily_requests=2)
    answers = [client.send("GET", "limits") for _ in range(4)]

    assert [it.status_code for it in answers] == [200, 200, 403, 403]
    assert answers[0].json()["DailyApiRequests"] == {"Max": 2, "Remaining": 2}
    assert answers[3].json() == [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
    assert {it.headers["Sforce-Limit-Info"] for it in answers[2:]} == {"api-usage=2/2"}
