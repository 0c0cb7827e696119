"""What the sandbox takes and refuses when records are written."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest


def error(result: dict[str, Any]) -> tuple[str, str]:
    """Give code and field of the row that was refused."""
    assert result["success"] is False, result
    first = result["errors"][0]
    return first["statusCode"], ",".join(first["fields"])


@pytest.mark.parametrize(
    ("obj", "fields", "refusal"),
    [
        ("Contact", {"FirstName": "x"}, ("REQUIRED_FIELD_MISSING", "LastName")),
        ("Lead", {"FirstName": "x"}, ("REQUIRED_FIELD_MISSING", "LastName,Company")),
        ("Opportunity", {}, ("REQUIRED_FIELD_MISSING", "Name,StageName,CloseDate")),
        ("Event", {"Subject": "x"}, ("REQUIRED_FIELD_MISSING", "StartDateTime")),
        ("Event", {"StartDateTime": "2026-03-02T09:00:00Z"}, ("REQUIRED_FIELD_MISSING", "EndDateTime")),
        ("Task", {"Subject": "x" * 256}, ("STRING_TOO_LONG", "Subject")),
        ("Task", {"CallType": "Sideways"}, ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "CallType")),
        ("Task", {"Status": "Done"}, ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Status")),
        ("Task", {"TaskSubtype": "Fax"}, ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "TaskSubtype")),
        ("Task", {"IsClosed": True}, ("INVALID_FIELD_FOR_INSERT_UPDATE", "IsClosed")),
        ("Task", {"Nope": 1}, ("INVALID_FIELD", "")),
        ("Task", {"OwnerId": "x"}, ("MALFORMED_ID", "OwnerId")),
        ("Task", {"WhoId": "003000000000000AAA"}, ("INVALID_CROSS_REFERENCE_KEY", "WhoId")),
        ("Task", {"CallDurationInSeconds": 100_000_000}, ("NUMBER_OUTSIDE_VALID_RANGE", "CallDurationInSeconds")),
        ("Contact", {"LastName": "x", "Email": "nowhere"}, ("INVALID_EMAIL_ADDRESS", "Email")),
        ("Contact", {"LastName": "x", "Name": "y"}, ("INVALID_FIELD_FOR_INSERT_UPDATE", "Name")),
    ],
)
def test_a_record_that_breaks_a_rule_is_refused(
    client: Any, obj: str, fields: dict[str, Any], refusal: tuple[str, str]
) -> None:
    """Required fields, lengths, picklists, types and references are those of the service."""
    assert error(client.create(obj, **fields)) == refusal


def test_a_text_that_is_too_long_is_told_in_the_words_of_the_service(client: Any) -> None:
    """The message has the field's label, the text and the most."""
    message = client.create("Account", Name="x", BillingCity="y" * 41)["errors"][0]["message"]
    assert message == f"Billing City: data value too large: {'y' * 41} (max length=40)"


@pytest.mark.parametrize(("name", "value"), [("TaskSubtype", "Call"), ("EventSubtype", "Event")])
def test_a_subtype_cannot_be_changed(client: Any, name: str, value: str) -> None:
    """It is given on create or never."""
    obj = name.removesuffix("Subtype")
    result = client.change(obj, client.ids["T1" if obj == "Task" else "E1"], **{name: value})
    assert error(result) == ("INVALID_FIELD_FOR_INSERT_UPDATE", name)


def test_text_is_trimmed(client: Any) -> None:
    """Blanks around a text are not held."""
    client.create("Task", Subject="  padded  ")
    assert len(client.rows("SELECT Id FROM Task WHERE Subject = 'padded'")) == 1


def test_times_are_answered_in_utc(client: Any) -> None:
    """An offset is converted, the form is the service's."""
    times = {"StartDateTime": "2026-03-02T10:00:00+01:00", "EndDateTime": "2026-03-02T10:30:00+01:00"}
    event = client.create("Event", **times)
    row = client.read("Event", event["id"], "StartDateTime, DurationInMinutes")
    assert row == {"StartDateTime": "2026-03-02T09:00:00.000+0000", "DurationInMinutes": 30}


# -- who and what -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obj", ["Task", "Event"])
@pytest.mark.parametrize(
    ("who", "what", "refusal"),
    [
        ("L1", "O1", ("FIELD_INTEGRITY_EXCEPTION", "WhatId")),
        ("A1", None, ("FIELD_INTEGRITY_EXCEPTION", "WhoId")),
        (None, "C1", ("FIELD_INTEGRITY_EXCEPTION", "WhatId")),
        ("L2", None, ("CANNOT_UPDATE_CONVERTED_LEAD", "WhoId")),
    ],
)
def test_who_and_what_have_to_fit(
    client: Any, obj: str, who: str | None, what: str | None, refusal: tuple[str, str]
) -> None:
    """A lead has nothing besides it, and each reference is of the right object."""
    times = {} if obj == "Task" else {"StartDateTime": "2026-03-02T09:00:00Z", "DurationInMinutes": 30}
    result = client.create(obj, WhoId=client.ids.get(who), WhatId=client.ids.get(what), **times)
    assert error(result) == refusal


def test_the_account_of_a_task_is_that_of_what_it_is_about(client: Any) -> None:
    """Opportunity before person: Dora belongs to another account."""
    task = client.create("Task", WhoId=client.ids["C2"], WhatId=client.ids["O1"])
    row = client.read("Task", task["id"], "AccountId")
    assert row == {"AccountId": client.ids["A1"]}


def test_several_people_are_related_to_a_task(client: Any) -> None:
    """The first of TaskWhoIds is the primary one."""
    ids = [client.ids["C2"], client.ids["C1"]]
    task = client.create("Task", TaskWhoIds=ids)
    row = client.read("Task", task["id"], "WhoId, WhoCount, (SELECT RelationId FROM TaskWhoRelations)")
    related = [item["RelationId"] for item in row["TaskWhoRelations"]["records"]]
    assert (row["WhoId"], row["WhoCount"], sorted(related)) == (ids[0], 2, sorted(ids))


def test_a_relation_adds_a_person(client: Any) -> None:
    """Creating a TaskRelation counts the person."""
    client.create("TaskRelation", TaskId=client.ids["T1"], RelationId=client.ids["C2"])
    row = client.read("Task", client.ids["T1"], "WhoId, WhoCount")
    assert row == {"WhoId": client.ids["C1"], "WhoCount": 2}


def test_a_relation_cannot_mix_leads_and_contacts(client: Any) -> None:
    """One lead or contacts."""
    result = client.create("TaskRelation", TaskId=client.ids["T1"], RelationId=client.ids["L1"])
    assert error(result)[0] == "FIELD_INTEGRITY_EXCEPTION"


def test_taking_the_primary_person_away_lets_the_next_one_follow(client: Any) -> None:
    """WhoId null promotes another."""
    client.change("Event", client.ids["E1"], WhoId=None)
    row = client.read("Event", client.ids["E1"], "WhoId, WhoCount")
    assert row == {"WhoId": client.ids["C2"], "WhoCount": 1}


@pytest.mark.parametrize(("gone", "left"), [("C1", "C2"), ("C2", "C1")])
def test_deleting_a_relation_takes_its_person_off(client: Any, gone: str, left: str) -> None:
    """Deleted together in a collection; the next person becomes the primary one."""
    rows = client.rows("SELECT Id, RelationId FROM EventRelation")
    found = next(row["Id"] for row in rows if row["RelationId"] == client.ids[gone])
    answer = client.send("DELETE", "composite/sobjects", params={"ids": found, "allOrNone": "false"})
    assert [row["success"] for row in answer.json()] == [True]
    assert client.read("Event", client.ids["E1"], "WhoId, WhoCount") == {"WhoId": client.ids[left], "WhoCount": 1}


def test_deleting_a_relation_twice_is_refused(client: Any) -> None:
    """The second time it is gone."""
    row = client.rows("SELECT Id FROM EventRelation WHERE IsWhat = false")[0]
    asked = {"ids": f"{row['Id']},{row['Id']}"}
    answer = client.send("DELETE", "composite/sobjects", params=asked).json()
    assert [error(it)[0] if it["errors"] else "" for it in answer] == ["", "ENTITY_IS_DELETED"]


def test_what_deleting_the_relation_to_an_opportunity_does_is_not_known(client: Any) -> None:
    """So it is not served."""
    client.change("Event", client.ids["E1"], WhatId=client.ids["O1"])
    row = client.rows("SELECT Id FROM EventRelation WHERE IsWhat = true")[0]
    assert client.send("DELETE", f"sobjects/EventRelation/{row['Id']}").status_code == 501


def test_51_contacts_are_too_many(serve: Any) -> None:
    """Shared activities hold 50."""
    client = serve({"people": [{"kind": "contact", "id": f"C{i}", "name": f"N {i}"} for i in range(51)]})
    assert error(client.create("Task", TaskWhoIds=list(client.ids.values())))[0] == "FIELD_INTEGRITY_EXCEPTION"


# -- events and opportunities -----------------------------------------------------------------------------------------


def test_a_duration_that_contradicts_the_end_is_refused(client: Any) -> None:
    """Both may be given if they agree."""
    start = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    times = {"StartDateTime": start.isoformat(), "EndDateTime": (start + dt.timedelta(minutes=30)).isoformat()}
    assert error(client.create("Event", DurationInMinutes=31, **times))[0] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_event_of_more_than_14_days_is_refused(client: Any) -> None:
    """14 days is the most."""
    times = {"StartDateTime": "2026-03-01T00:00:00Z", "EndDateTime": "2026-03-15T00:00:01Z"}
    assert error(client.create("Event", **times))[0] == "FIELD_INTEGRITY_EXCEPTION"


def test_an_event_that_is_moved_keeps_its_length(client: Any) -> None:
    """A new start moves the end."""
    client.change("Event", client.ids["E1"], StartDateTime="2026-03-04T09:00:00Z")
    row = client.read("Event", client.ids["E1"], "EndDateTime")
    assert row == {"EndDateTime": "2026-03-04T09:30:00.000+0000"}


def test_a_stage_that_never_moved_has_no_change_date(client: Any) -> None:
    """LastStageChangeDate is null until then."""
    created = client.create("Opportunity", Name="x", StageName="Closed Won", CloseDate="2026-03-01")
    row = client.read("Opportunity", created["id"], "IsClosed, LastStageChangeDate")
    assert row == {"IsClosed": True, "LastStageChangeDate": None}


def test_closing_an_opportunity_is_noted(client: Any) -> None:
    """The stage moves, and the history has a row of it."""
    client.change("Opportunity", client.ids["O1"], StageName="Closed Lost")
    fields = "IsClosed, IsWon, (SELECT StageName FROM OpportunityHistories)"
    row = client.read("Opportunity", client.ids["O1"], fields)
    history = row.pop("OpportunityHistories")["records"][0]
    assert (row["IsClosed"], row["IsWon"], history["StageName"]) == (True, False, "Closed Lost")


# -- deleting and merging ---------------------------------------------------------------------------------------------


def patch(client: Any, **change: Any) -> None:
    """Change a record behind the client's back."""
    client.faults({"do": {"patch": change}, "times": 1})
    client.send("GET", "limits")


def test_a_deleted_contact_leaves_the_activity_to_the_others(client: Any) -> None:
    """Its relation goes, and the next person is the primary one."""
    patch(client, object="Contact", id=client.ids["C1"], delete=True)
    row = client.read("Event", client.ids["E1"], "WhoId, WhoCount")
    assert row == {"WhoId": client.ids["C2"], "WhoCount": 1}


def test_a_deleted_contact_loses_its_roles(client: Any) -> None:
    """A role without contact is none."""
    patch(client, object="Contact", id=client.ids["C1"], delete=True)
    assert [row["ContactId"] for row in client.rows("SELECT ContactId FROM OpportunityContactRole")] == [
        client.ids["C2"]
    ]


def test_a_deleted_account_leaves_no_reference(client: Any) -> None:
    """What belonged to it belongs to none."""
    patch(client, object="Account", id=client.ids["A1"], delete=True)
    assert client.read("Contact", client.ids["C1"], "AccountId") == {"AccountId": None}


def test_writing_to_a_deleted_contact_is_refused(client: Any) -> None:
    """Its id leads nowhere."""
    patch(client, object="Contact", id=client.ids["C1"], delete=True)
    assert error(client.create("Task", WhoId=client.ids["C1"])) == ("INVALID_CROSS_REFERENCE_KEY", "WhoId")


def test_changing_a_deleted_record_is_refused(client: Any) -> None:
    """ENTITY_IS_DELETED, in a row too."""
    client.send("DELETE", f"sobjects/Task/{client.ids['T1']}")
    assert error(client.change("Task", client.ids["T1"], Subject="x")) == ("ENTITY_IS_DELETED", "")


def test_a_merged_contact_names_the_one_that_it_became(client: Any) -> None:
    """The loser is deleted, with MasterRecordId."""
    patch(client, object="Contact", id=client.ids["C2"], merge_into=client.ids["C1"])
    soql = "SELECT IsDeleted, MasterRecordId FROM Contact WHERE IsDeleted = true"
    row = client.send("GET", "queryAll", params={"q": soql}).json()["records"][0]
    assert (row["IsDeleted"], row["MasterRecordId"]) == (True, client.ids["C1"])


def test_no_contact_is_merged_into_itself(client: Any) -> None:
    """Whichever form of its id is given: it stays, and the fault is told."""
    contact = client.ids["C1"]
    client.faults({"times": 1, "do": {"patch": {"object": "Contact", "id": contact, "merge_into": contact[:15]}}})
    answer = client.send("GET", "limits")
    assert (answer.status_code, "into itself" in answer.json()["message"]) == (500, True)


def test_what_referred_to_a_merged_contact_refers_to_the_other(client: Any) -> None:
    """The event of both is of one."""
    patch(client, object="Contact", id=client.ids["C1"], merge_into=client.ids["C2"])
    rows = client.rows("SELECT RelationId FROM EventWhoRelation")
    assert [row["RelationId"] for row in rows] == [client.ids["C2"]]


@pytest.mark.parametrize("primary", ["C1", "C2"])
def test_a_task_of_both_names_the_one_that_they_became_once(client: Any, primary: str) -> None:
    """Whichever of them was its first person."""
    other = {"C1": "C2", "C2": "C1"}[primary]
    fields = {"WhoId": client.ids[primary], "TaskWhoIds": [client.ids[primary], client.ids[other]]}
    task = client.create("Task", Subject="x", **fields)["id"]
    patch(client, object="Contact", id=client.ids["C2"], merge_into=client.ids["C1"])

    rows = client.rows("SELECT TaskId, RelationId FROM TaskRelation")
    assert [row["RelationId"] for row in rows if row["TaskId"] == task] == [client.ids["C1"]]
    assert client.read("Task", task, "WhoId, WhoCount") == {"WhoId": client.ids["C1"], "WhoCount": 1}


def test_a_note_of_both_is_linked_once_with_the_one_that_they_became(client: Any) -> None:
    """Besides its owner."""
    note = client.send("POST", "sobjects/ContentNote", {"Title": "x", "Content": "eA=="}).json()["id"]
    for contact in ("C1", "C2"):
        link = {"ContentDocumentId": note, "LinkedEntityId": client.ids[contact], "ShareType": "V"}
        assert client.send("POST", "sobjects/ContentDocumentLink", link).status_code == 201
    patch(client, object="Contact", id=client.ids["C2"], merge_into=client.ids["C1"])

    soql = f"SELECT LinkedEntityId FROM ContentDocumentLink WHERE ContentDocumentId = '{note}'"  # noqa: S608 - a test's own
    rows = client.rows(soql)
    assert [row["LinkedEntityId"] for row in rows if row["LinkedEntityId"].startswith("003")] == [client.ids["C1"]]


def test_no_id_is_changed_behind_the_back(client: Any) -> None:
    """It is refused, and told."""
    client.faults({"times": 1, "do": {"patch": {"object": "Contact", "id": client.ids["C1"], "fields": {"Id": "x"}}}})
    answer = client.send("GET", "limits")
    assert (answer.status_code, "the field Id" in answer.json()["message"]) == (500, True)


def test_a_change_behind_the_back_is_derived_too(client: Any) -> None:
    """A stage set so closes the opportunity."""
    patch(client, object="Opportunity", id=client.ids["O1"], fields={"StageName": "Closed Won"})
    assert client.rows("SELECT IsWon FROM Opportunity") == [{"IsWon": True}]


# -- single records ---------------------------------------------------------------------------------------------------


def test_a_record_is_created_alone(client: Any) -> None:
    """201, with its address."""
    answer = client.send("POST", "sobjects/Task", {"Subject": "x"})
    assert (answer.status_code, answer.headers["Location"].endswith(answer.json()["id"])) == (201, True)


def test_a_record_is_changed_alone(client: Any) -> None:
    """204, without a body."""
    answer = client.send("PATCH", f"sobjects/Task/{client.ids['T1']}", {"Subject": "y"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_record_is_read_alone(client: Any) -> None:
    """Only the fields that were asked for, and the id."""
    row = client.send("GET", f"sobjects/Task/{client.ids['T1']}", params={"fields": "Subject"}).json()
    assert list(row) == ["attributes", "Subject", "Id"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_record_that_is_not_there_is_404(client: Any, method: str) -> None:
    """Whatever is to be done with it."""
    answer = client.send(method, "sobjects/Task/00T000000000000AAA", {} if method == "PATCH" else None)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


def test_json_that_cannot_be_read_is_refused(client: Any) -> None:
    """400, JSON_PARSER_ERROR."""
    answer = client.send("POST", "sobjects/Task", data=b"{")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")


def test_a_value_of_the_wrong_type_refuses_the_whole_collection(client: Any) -> None:
    """Nothing of it is done: the parser does not get that far."""
    records = [
        {"attributes": {"type": "Task"}, "Subject": "x"},
        {"attributes": {"type": "Task"}, "ActivityDate": "soon"},
    ]
    answer = client.send("POST", "composite/sobjects", {"records": records})
    assert (answer.status_code, len(client.records("Task"))) == (400, 1)


def test_a_field_that_only_the_service_has_is_not_written(client: Any) -> None:
    """501, where a field that does not exist is refused as the service does."""
    known, unknown = ({"LastName": "x", name: "y"} for name in ("CleanStatus", "CleanStatuz"))
    answers = [client.send("POST", "sobjects/Contact", body) for body in (known, unknown)]
    assert [(it.status_code, it.json()[0]["errorCode"]) for it in answers] == [
        (501, "NOT_IMPLEMENTED"),
        (400, "INVALID_FIELD"),
    ]


def test_a_series_of_activities_is_not_spoken(client: Any) -> None:
    """501: the service would make the occurrences too."""
    answer = client.send("POST", "sobjects/Task", {"Subject": "Every week", "IsRecurrence": True})
    assert answer.status_code == 501


def test_an_amount_is_ignored_where_there_are_products(client: Any) -> None:
    """The other fields are changed, and nothing is said."""
    change = {
        "object": "Opportunity",
        "id": client.ids["O1"],
        "fields": {"HasOpportunityLineItem": True, "Amount": 7.0},
    }
    client.faults({"times": 1, "do": {"patch": {**change, "delete": False, "merge_into": None}}})
    result = client.change("Opportunity", client.ids["O1"], Amount=5, NextStep="Call")
    row = client.read("Opportunity", client.ids["O1"], "Amount, NextStep")
    assert (result["success"], row) == (True, {"Amount": 7.0, "NextStep": "Call"})
