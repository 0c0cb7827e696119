"""Activities, written to a sandbox."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.errors import ConfigurationError
from connector_core.model import ActivityDraft, CallKey, Replaced

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
END = dt.datetime(2026, 3, 2, 9, 10, 30, tzinfo=dt.UTC)
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1"}, {"id": "A2"}],
    "users": [{"id": "U1", "email": "ada@seller.example"}],
    "people": [
        *({"kind": "contact", "id": f"C{n}", "name": f"Carl {n}", "account_id": "A1"} for n in range(60)),
        {"kind": "lead", "id": "L1", "name": "Lea"},
        {"kind": "lead", "id": "L2", "name": "Leo"},
    ],
    "opportunities": [{"id": f"O{n}", "account_id": "A1", "created_at": "2026-01-01T00:00:00Z"} for n in (1, 2, 3)],
    "activities": [
        {"id": "T1", "kind": "call", "started_at": START.isoformat(), "person_ids": ["C1"], "title": "By hand"},
        {"id": "T2", "kind": "call", "call_id": "theirs", "started_at": START.isoformat(), "account_id": "A2"},
        {"id": "T3", "kind": "call", "started_at": START.isoformat(), "person_ids": ["L1"]},
        {"id": "E1", "kind": "event", "started_at": START.isoformat(), "person_ids": ["C1"], "body": "By hand"},
        {"id": "E2", "kind": "event", "started_at": START.isoformat()},
    ],
}


@pytest.fixture
def desk(connect: Any) -> Any:
    return connect(WORLD, zone="Pacific/Auckland")


def draft(desk: Any, key: str = "k", kind: Any = "call", people: Any = (), **more: Any) -> ActivityDraft:
    ids = {name: desk.ids.get(more[name], more[name]) for name in more if name.endswith("_id")}
    who = tuple(desk.ids.get(it, it) for it in people)
    body = more.pop("body", f"Notes\nref: {key}")
    return ActivityDraft(key, kind, START, END, body=body, person_ids=who, **{**more, **ids})


def write(desk: Any, *drafts: ActivityDraft) -> Any:
    return desk.adapter.write_activity(drafts)


def written(desk: Any, one: ActivityDraft) -> Any:
    receipt = write(desk, one)[one.key]
    return desk.record("Event" if receipt.id.startswith("00U") else "Task", receipt.id)


def related(desk: Any, obj: str, record_id: str) -> set[str]:
    back = {record: seed for seed, record in desk.ids.items()}
    rows = desk.get("records")[f"{obj}Relation"]
    return {back[it["RelationId"]] for it in rows if it[f"{obj}Id"] == record_id and not it["IsWhat"]}


# -- creating ----------------------------------------------------------------------------------------------------------


def test_a_call_becomes_a_closed_task(desk: Any) -> None:
    """What is known of a call stands in the fields that Salesforce has for calls."""
    one = draft(desk, subject="Call", duration_seconds=630.4, direction="outbound", outcome="Connected", owner_id="U1")
    task = written(desk, one)

    assert {name: task[name] for name in ("Subject", "TaskSubtype", "CallType", "CallDurationInSeconds", "CallDisposition",
                                          "CallObject", "Description", "IsClosed", "OwnerId")} == {
        "Subject": "Call", "TaskSubtype": "Call", "CallType": "Outbound", "CallDurationInSeconds": 630,
        "CallDisposition": "Connected", "CallObject": "k", "Description": "Notes\nref: k", "IsClosed": True,
        "OwnerId": desk.ids["U1"],
    }  # fmt: skip


def test_the_day_of_a_task_is_that_of_the_connections_time_zone(connect: Any) -> None:
    """At nine in the evening in London it is already tomorrow in Auckland."""
    desk = connect(WORLD, zone="Pacific/Auckland")
    late = ActivityDraft("k", "call", START.replace(hour=21), END.replace(hour=21))

    assert written(desk, late)["ActivityDate"] == "2026-03-03"


def test_a_meeting_becomes_an_event_with_its_times(desk: Any) -> None:
    """An event starts and ends to the second."""
    event = written(desk, draft(desk, kind="event"))

    assert (event["StartDateTime"][:19], event["EndDateTime"][:19]) == ("2026-03-02T09:00:00", "2026-03-02T09:10:30")


def test_a_meeting_that_nobody_ended_is_written_as_long_as_an_event_may_be(desk: Any) -> None:
    """An event has 14 days at most; what is left out is told."""
    long = replace(draft(desk, kind="event"), ended_at=START + dt.timedelta(days=15))
    receipt = write(desk, long)["k"]

    assert (receipt.outcome, "14 days" in (receipt.reason or "")) == ("created", True)
    assert desk.record("Event", receipt.id)["EndDateTime"] == "2026-03-16T09:00:00.000+0000"


def test_a_meeting_may_become_a_task(desk: Any) -> None:
    """Written as a task, a meeting is no call to Salesforce."""
    assert written(desk, draft(desk, kind="task"))["TaskSubtype"] == "Task"


def test_a_kind_that_salesforce_lacks_is_refused(desk: Any) -> None:
    """Nothing is written as something that it is not."""
    assert write(desk, draft(desk, kind="meeting"))["k"].outcome == "refused"


def test_the_orgs_own_closed_status_is_used(desk: Any) -> None:
    """The status that closes a task is asked for, not assumed."""
    statuses = [{"value": "Offen", "default": True}, {"value": "Erledigt", "closed": True}]
    desk.post("org", {"picklist_values": {"Task.Status": statuses}})

    assert written(desk, draft(desk))["Status"] == "Erledigt"


def test_a_status_that_was_replaced_meanwhile_is_learned_anew(desk: Any) -> None:
    """The org got other statuses while the connection ran: no call is lost for the one that was remembered."""
    write(desk, draft(desk, "before"))
    desk.post("org", {"picklist_values": {"Task.Status": ["Offen", {"value": "Erledigt", "closed": True}]}})
    receipts = write(desk, draft(desk, "k1"), draft(desk, "k2"))

    assert [desk.record("Task", it.id)["Status"] for it in receipts.values()] == ["Erledigt", "Erledigt"]


def test_a_status_is_written_by_its_value_whatever_it_is_called(desk: Any) -> None:
    """In another language only its label is another."""
    statuses = [{"value": "Open", "label": "Offen"}, {"value": "Done", "label": "Erledigt", "closed": True}]
    desk.post("org", {"picklist_values": {"Task.Status": statuses}})

    assert written(desk, draft(desk))["Status"] == "Done"


def test_an_org_in_which_no_status_closes_a_task_is_told_to_add_one(desk: Any) -> None:
    """No word is guessed, and nothing is written."""
    desk.post("org", {"picklist_values": {"Task.Status": ["Offen", "In Arbeit"]}})
    before = desk.get("records")["Task"]
    with pytest.raises(ConfigurationError, match="no task status that counts as closed: add one in Setup"):
        write(desk, draft(desk))

    assert desk.get("records")["Task"] == before


@pytest.mark.parametrize("kind", ["call", "event"])
def test_further_people_are_related(desk: Any, kind: str) -> None:
    """The first contact is the activity's own, the others are related to it."""
    receipt = write(desk, draft(desk, kind=kind, people=["C3", "C1", "C2"]))["k"]
    obj = "Task" if kind == "call" else "Event"

    assert desk.record(obj, receipt.id)["WhoId"] == desk.ids["C3"]
    assert related(desk, obj, receipt.id) == {"C1", "C2", "C3"}


def test_people_that_do_not_fit_are_named(desk: Any) -> None:
    """An activity holds 50 contacts: who is left out is told."""
    receipt = write(desk, draft(desk, people=[f"C{n}" for n in range(52)]))["k"]

    assert len(related(desk, "Task", receipt.id)) == 50
    told = f"{desk.ids['C50']}, {desk.ids['C51']} are left out: an activity has at most 50 contacts"
    assert receipt.reason == told


@pytest.mark.parametrize(
    ("people", "about", "who", "left_out"),
    [
        (["L1"], {}, "L1", []),
        (["L1", "L2"], {}, "L1", ["L2"]),
        (["L1", "C1"], {}, "C1", ["L1"]),
        (["L1"], {"opportunity_id": "O1"}, None, ["L1"]),
        (["L1"], {"account_id": "A1"}, None, ["L1"]),
    ],
)
def test_a_lead_stands_alone_or_is_left_out(desk: Any, people: Any, about: Any, who: Any, left_out: Any) -> None:
    """Contacts, and what the call is about, come before a lead, which Salesforce holds beside neither."""
    receipt = write(desk, draft(desk, people=people, **about))["k"]

    assert desk.record("Task", receipt.id)["WhoId"] == desk.ids.get(who)
    assert [it for it in ("L1", "L2") if desk.ids[it] in (receipt.reason or "")] == left_out


def test_the_opportunity_comes_before_the_account(desk: Any) -> None:
    """An activity is about one record: the opportunity, else the account."""
    both = written(desk, draft(desk, "a", opportunity_id="O1", account_id="A2"))
    account = written(desk, draft(desk, "b", account_id="A2"))

    assert (both["WhatId"], account["WhatId"]) == (desk.ids["O1"], desk.ids["A2"])


@pytest.mark.parametrize("text", ["@{new[0].id}", "@{nothing}", "@{", "a\u2028b", "<b>&amp;'\"\\"])
def test_a_text_arrives_as_it_is(desk: Any, text: str) -> None:
    """What stands in a call's notes is no reference to Salesforce, also where people are related in the same breath."""
    assert written(desk, draft(desk, people=["C1", "C2"], body=text))["Description"] == text


def test_a_long_key_stands_in_the_body_alone(desk: Any) -> None:
    """A key that the field cannot hold would be another key: it is left out of the field."""
    assert written(desk, draft(desk, "k" * 256))["CallObject"] is None


def test_a_row_that_is_refused_keeps_no_other_from_being_written(desk: Any) -> None:
    """Of three drafts one has an owner that is gone: the other two are written, with all their people."""
    bad = draft(desk, "bad", people=["C1", "C2"], owner_id="005000000000000AAA")
    receipts = write(desk, draft(desk, "one", people=["C1", "C2"]), bad, draft(desk, "two", people=["C3", "C4"]))

    assert {key: it.outcome for key, it in receipts.items()} == {"one": "created", "bad": "refused", "two": "created"}
    assert [len(related(desk, "Task", receipts[key].id)) for key in ("one", "two")] == [2, 2]


def test_a_refusal_is_told_in_salesforces_words(desk: Any) -> None:
    """The sentence of a validation rule reaches whoever looks at the record, with its code and field."""
    rule = {
        "object": "Task",
        "name": "r",
        "message": "Say why.",
        "field": "Description",
        "when": {"field": "Subject", "blank": True},
    }
    desk.post("org", {"validation_rules": [rule]})
    receipt = write(desk, draft(desk))["k"]

    assert (receipt.outcome, receipt.reason, receipt.code, receipt.field) == (
        "refused",
        "Say why.",
        "FIELD_CUSTOM_VALIDATION_EXCEPTION",
        "Description",
    )


def test_a_field_that_may_not_be_written_is_done_without(desk: Any) -> None:
    """A field for the outcome that is read-only costs the outcome, not the activity, and is told."""
    desk.post("org", {"read_only_fields": ["Task.CallDisposition"]})
    receipt = write(desk, draft(desk, outcome="Connected"))["k"]

    assert (receipt.outcome, "CallDisposition" in receipt.reason) == ("created", True)


def test_a_field_that_may_not_be_written_is_not_sent_twice(desk: Any) -> None:
    """What was refused once is left out from the start."""
    desk.post("org", {"hidden_fields": ["Task.CallDisposition"]})
    write(desk, draft(desk, "a", outcome="Connected"))
    before = desk.api_calls
    write(desk, draft(desk, "b", outcome="Connected"))

    assert desk.api_calls == before + 1


def test_a_locked_row_is_sent_again(desk: Any) -> None:
    """Rows that another transaction held are sent again, the others are not."""
    desk.post(
        "faults",
        [{"times": 1, "match": {"path": "*/composite*"}, "do": {"row_error": "UNABLE_TO_LOCK_ROW"}, "share": 0.5}],
    )
    receipts = write(desk, *(draft(desk, f"k{n}") for n in range(20)))

    assert {it.outcome for it in receipts.values()} == {"created"}
    assert len(desk.get("records")["Task"]) == 3 + 20


def test_a_row_that_stays_locked_is_deferred(desk: Any) -> None:
    """A row that is held again and again was surely not written, and may be later."""
    desk.post("faults", [{"do": {"row_error": "UNABLE_TO_LOCK_ROW"}}])

    assert write(desk, draft(desk))["k"].outcome == "deferred"


@pytest.mark.parametrize("people", [[], ["C1", "C2"]])
def test_an_answer_that_is_lost_is_unknown_and_not_repeated(desk: Any, people: Any) -> None:
    """A create whose answer did not come is unknown; it was made once, and is found by its key."""
    write(desk, draft(desk, "first"))
    desk.post("faults", [{"times": 1, "match": {"method": "POST"}, "do": {"drop_after_commit": True}}])
    receipt = write(desk, draft(desk, people=people))["k"]
    (found,) = desk.adapter.find_activity([CallKey("k", "phone", START, END, None, ())])["k"]

    assert (receipt.outcome, found.key) == ("unknown", "k")
    assert len(desk.get("records")["Task"]) == 3 + 2


def test_two_hundred_calls_with_their_people_are_one_call(desk: Any) -> None:
    """Activities and relations go together."""
    write(desk, draft(desk, "first"))
    before = desk.api_calls
    kinds = ("call", "event")
    receipts = write(desk, *(draft(desk, f"k{n}", kinds[n % 2], people=["C1", "C2"]) for n in range(200)))

    assert {it.outcome for it in receipts.values()} == {"created"}
    assert desk.api_calls == before + 1


def test_more_than_a_collection_takes_is_split(desk: Any) -> None:
    """Two hundred and fifty drafts are written, each with its receipt and its people."""
    drafts = [draft(desk, f"k{n}", people=["C1", "C2"]) for n in range(250)]
    receipts = write(desk, *drafts)

    assert {it.outcome for it in receipts.values()} == {"created"}
    assert len(desk.get("records")["TaskRelation"]) == 3 + 500


def test_a_unique_key_field_makes_a_duplicate_impossible(connect: Any) -> None:
    """With a unique field of the org's own a second create is refused by Salesforce, and told as one to look up."""
    desk = connect(WORLD, key_field="Call_Id__c")
    desk.post(
        "org", {"custom_fields": [{"object": "Activity", "name": "Call_Id__c", "external_id": True, "unique": True}]}
    )

    assert [write(desk, draft(desk))["k"].outcome for _ in range(2)] == ["created", "unknown"]
    assert len([it for it in desk.get("records")["Task"] if it["CallObject"] == "k"]) == 1


def test_a_key_field_stands_in_for_a_call_object_that_may_not_be_written(connect: Any) -> None:
    """With a field of the org's own the task can do without Salesforce's."""
    desk = connect(WORLD, key_field="Call_Id__c")
    key = {"object": "Activity", "name": "Call_Id__c", "external_id": True, "unique": True}
    desk.post("org", {"custom_fields": [key], "read_only_fields": ["Task.CallObject"]})
    task = written(desk, draft(desk))

    assert (task["Call_Id__c"], task["CallObject"]) == ("k", None)


def test_without_shared_activities_the_first_person_is_written(desk: Any) -> None:
    """Where the org relates one person to an activity, the others are named in the receipt."""
    desk.post("org", {"missing_rights": {name: ["read", "create"] for name in ("TaskRelation", "TaskWhoRelation")}})
    desk.adapter.find_activity([CallKey("x", "phone", START, END, None, (desk.ids["C1"],))])
    receipt = write(desk, draft(desk, people=["C1", "C2"]))["k"]

    assert (receipt.outcome, desk.ids["C2"] in receipt.reason) == ("created", True)


def test_without_shared_activities_an_event_is_changed_by_its_first_person(desk: Any) -> None:
    """There relations of an event are its guests alone, and do not say so: it is not the first thing to be learned."""
    desk.post(
        "org",
        {
            "missing_rights": {name: ["read", "create"] for name in ("TaskRelation", "TaskWhoRelation")},
            "hidden_fields": ["EventRelation.IsInvitee", "EventRelation.IsParent", "EventRelation.IsWhat"],
        },
    )
    receipt = write(desk, change(desk, "E1", people=["C1", "C2"], opportunity_id="O1"))["k"]

    assert (receipt.outcome, desk.ids["C2"] in receipt.reason) == ("updated", True)


# -- changing ----------------------------------------------------------------------------------------------------------


def change(desk: Any, seed: str, kind: Any = "call", **more: Any) -> ActivityDraft:
    return draft(desk, kind=kind, activity_id=seed, **more)


def ours(desk: Any, **links: Any) -> Replaced:
    """Name what the connector wrote, by the ids of the seed."""
    found = {name: tuple(desk.ids[it] for it in value) if name == "person_ids" else desk.ids.get(value, value)
             for name, value in links.items()}  # fmt: skip
    return Replaced(**found)


def test_a_change_sends_what_it_says_and_nothing_else(desk: Any) -> None:
    """A body is changed; subject, day and person stay."""
    before = desk.record("Task", desk.ids["T1"])
    after = written(desk, change(desk, "T1", body="New"))
    changed = {name for name in after if after[name] != before[name]}

    assert changed <= {"Description", "LastModifiedDate", "SystemModstamp", "LastModifiedById"}
    assert after["Description"] == "New"


def test_a_key_is_set_where_there_is_none(desk: Any) -> None:
    """By it the activity is found from then on."""
    assert written(desk, change(desk, "T1", set_key=True))["CallObject"] == "k"


def test_an_activity_that_got_the_key_of_another_call_is_left_alone(desk: Any) -> None:
    """Whatever the change says of it, also where it sets no key."""
    for set_key in (True, False):
        receipt = write(desk, change(desk, "T2", set_key=set_key, subject="New"))["k"]
        assert (receipt.outcome, receipt.code) == ("refused", "other_key")
    task = desk.record("Task", desk.ids["T2"])
    assert (task["CallObject"], task["Subject"]) == ("theirs", None)


def test_what_somebody_linked_stays(desk: Any) -> None:
    """An account that somebody set is not replaced by an opportunity; where there is none it is set."""
    receipt = write(desk, change(desk, "T2", key="theirs", opportunity_id="O1"))["theirs"]
    ours = written(desk, change(desk, "T1", opportunity_id="O1"))

    assert (receipt.kept, desk.record("Task", desk.ids["T2"])["WhatId"]) == (("opportunity_id",), desk.ids["A2"])
    assert ours["WhatId"] == desk.ids["O1"]


@pytest.mark.parametrize(("seed", "kind", "obj"), [("T1", "call", "Task"), ("E1", "event", "Event")])
def test_people_are_added_to_those_there_are(desk: Any, seed: str, kind: str, obj: str) -> None:
    """New people are related; who is there stays, and is not related twice."""
    receipt = write(desk, change(desk, seed, kind, people=["C1", "C2"], body=None))["k"]

    assert (receipt.outcome, related(desk, obj, desk.ids[seed])) == ("updated", {"C1", "C2"})


@pytest.mark.parametrize(
    ("wanted", "was", "now", "about"),
    [
        pytest.param({"opportunity_id": "O2"}, {"opportunity_id": "O1"}, "O1", "O2", id="another opportunity"),
        pytest.param({}, {"opportunity_id": "O1"}, "O1", None, id="none"),
        pytest.param({"account_id": "A1"}, {"opportunity_id": "O1"}, "O1", "A1", id="the account instead"),
        pytest.param({"account_id": "A1", "opportunity_id": "O1"}, {"account_id": "A1"}, "A1", "O1", id="one is found"),
        pytest.param({"account_id": "A2"}, {"account_id": "A1"}, "A1", "A2", id="another account"),
        pytest.param({}, {"account_id": "A1"}, "A1", None, id="no account"),
    ],
)
def test_what_the_connector_wrote_about_an_activity_is_replaced(
    desk: Any, wanted: Any, was: Any, now: str, about: str | None
) -> None:
    """``WhatId`` is one field: an opportunity stands in it, else an account."""
    name = "account_id" if now.startswith("A") else "opportunity_id"
    write(desk, change(desk, "T1", **{name: now}, body=None))
    receipt = write(desk, change(desk, "T1", body=None, **wanted, replaces=ours(desk, **was)))["k"]

    assert (receipt.outcome, receipt.kept) == ("updated", ())
    assert desk.record("Task", desk.ids["T1"])["WhatId"] == (desk.ids[about] if about else None)


@pytest.mark.parametrize(("wanted", "was"), [("O2", "O1"), (None, "O1"), ("O2", None)])
def test_an_opportunity_that_somebody_set_stays(desk: Any, wanted: str | None, was: str | None) -> None:
    """Whatever the change was to replace."""
    write(desk, change(desk, "T1", opportunity_id="O3", body=None))
    named = {"opportunity_id": wanted} if wanted else {}
    receipt = write(desk, change(desk, "T1", body=None, **named, replaces=ours(desk, opportunity_id=was)))["k"]

    assert (receipt.outcome, receipt.kept) == ("unchanged", ("opportunity_id",))
    assert desk.record("Task", desk.ids["T1"])["WhatId"] == desk.ids["O3"]


def test_a_text_that_somebody_wrote_meanwhile_stays(desk: Any) -> None:
    """It is read again just before; the rest of the change is written."""
    write(desk, change(desk, "T1", body="A person's"))
    receipt = write(
        desk, change(desk, "T1", body="New", subject="New", replaces=Replaced(subject="By hand", body="Old"))
    )["k"]
    task = desk.record("Task", desk.ids["T1"])

    assert (receipt.outcome, receipt.kept) == ("updated", ("body",))
    assert (task["Subject"], task["Description"]) == ("New", "A person's")


@pytest.mark.parametrize(("seed", "kind", "obj"), [("T1", "call", "Task"), ("E1", "event", "Event")])
@pytest.mark.parametrize(
    ("off", "on", "first", "everybody"),
    [
        pytest.param(["C1"], [], "C2", {"C2", "C3"}, id="the primary one"),
        pytest.param(["C3"], [], "C1", {"C1", "C2"}, id="a further one"),
        pytest.param(["C1", "C2", "C3"], [], None, set(), id="everybody"),
        pytest.param(["C1", "C2", "C3"], ["C4", "C5"], "C4", {"C4", "C5"}, id="everybody, for others"),
    ],
)
def test_people_are_taken_off(
    desk: Any, seed: str, kind: str, obj: str, off: Any, on: Any, first: str | None, everybody: set[str]
) -> None:
    """Whoever is left becomes the primary one, else the first who is new."""
    write(desk, change(desk, seed, kind, people=["C2", "C3"], body=None))
    receipt = write(desk, change(desk, seed, kind, people=on, body=None, replaces=ours(desk, person_ids=off)))["k"]

    assert (receipt.outcome, receipt.kept, receipt.reason) == ("updated", (), None)
    assert desk.record(obj, desk.ids[seed])["WhoId"] == (desk.ids[first] if first else None)
    assert related(desk, obj, desk.ids[seed]) == everybody


def test_a_contact_makes_room_for_a_lead(desk: Any) -> None:
    """One alone: of several, Salesforce would have a lead among contacts for a moment, which it refuses."""
    alone = write(desk, change(desk, "T1", people=["L1"], body=None, replaces=ours(desk, person_ids=["C1"])))["k"]
    both = ours(desk, person_ids=["C1", "C2"])
    write(desk, change(desk, "E1", "event", people=["C2"], body=None))
    several = write(desk, change(desk, "E1", "event", people=["L1"], body=None, replaces=both))["k"]

    assert (alone.outcome, related(desk, "Task", desk.ids["T1"])) == ("updated", {"L1"})
    assert (several.outcome, related(desk, "Event", desk.ids["E1"])) == ("updated", set())
    assert desk.ids["L1"] in several.reason


def test_a_lead_makes_room_for_contacts(desk: Any) -> None:
    """Where the connector wrote the lead, the contact and the opportunity take its place."""
    replaced = ours(desk, person_ids=["L1"])
    write(desk, change(desk, "T3", people=["C1", "C2"], opportunity_id="O1", body=None, replaces=replaced))
    task = desk.record("Task", desk.ids["T3"])

    assert (task["WhoId"], task["WhatId"]) == (desk.ids["C1"], desk.ids["O1"])
    assert related(desk, "Task", desk.ids["T3"]) == {"C1", "C2"}


def test_a_relation_that_cannot_be_deleted_is_kept(desk: Any) -> None:
    """The person stays on the activity, and the receipt says so."""
    write(desk, change(desk, "T1", people=["C2"], body=None))
    desk.post("org", {"missing_rights": {"TaskRelation": ["delete"]}})
    receipt = write(desk, change(desk, "T1", body=None, replaces=ours(desk, person_ids=["C2"])))["k"]

    assert (receipt.outcome, receipt.kept, bool(receipt.reason)) == ("unchanged", ("person_ids",), True)


def test_200_changes_are_four_requests(desk: Any) -> None:
    """Read together, changed together, people taken off and related together."""
    new = [draft(desk, f"k{n}", people=["C1", "C2"]) for n in range(200)]
    made = write(desk, *new)
    before = desk.api_calls
    replaced = ours(desk, person_ids=["C2"])
    changes = [
        draft(desk, f"k{n}", people=["C3"], subject="New", body=None, activity_id=made[f"k{n}"].id, replaces=replaced)
        for n in range(200)
    ]
    assert {it.outcome for it in write(desk, *changes).values()} == {"updated"}
    assert desk.api_calls - before == 4


def test_beside_a_lead_nothing_is_added(desk: Any) -> None:
    """An activity of a lead takes no contact and no opportunity: both are named, the rest is written."""
    receipt = write(desk, change(desk, "T3", people=["C1"], opportunity_id="O1"))["k"]

    assert (receipt.outcome, desk.record("Task", desk.ids["T3"])["WhatId"]) == ("updated", None)
    assert desk.ids["C1"] in receipt.reason
    assert desk.ids["O1"] in receipt.reason


def invite(desk: Any, event: str, who: str) -> None:
    """Make somebody a guest of an event, as its owner would."""
    guest = {"EventId": desk.ids[event], "RelationId": desk.ids[who], "IsInvitee": True}
    url = f"{desk.adapter._client.root}/sobjects/EventRelation"
    made = {"method": "POST", "referenceId": "r", "url": url, "body": guest}
    ((status, _),) = desk.adapter._client.composite([made], reads=False)
    assert status == 201


def test_a_lead_who_is_a_guest_of_an_event_keeps_nothing_off_it(desk: Any) -> None:
    """Guests may be anybody: it is whom an event is about that a lead would be alone."""
    invite(desk, "E2", "L1")
    event = written(desk, change(desk, "E2", kind="event", people=["C1"], opportunity_id="O1"))

    assert (event["WhoId"], event["WhatId"]) == (desk.ids["C1"], desk.ids["O1"])


def test_a_guest_of_an_event_becomes_whom_it_is_about(desk: Any) -> None:
    """Where it is about nobody, and a guest is the call's."""
    invite(desk, "E2", "C1")

    event = written(desk, change(desk, "E2", kind="event", people=["C1"]))
    relations = [it for it in desk.get("records")["EventRelation"] if it["EventId"] == event["Id"]]

    assert event["WhoId"] == desk.ids["C1"]
    assert [(it["IsInvitee"], it["IsParent"]) for it in relations] == [(True, True)]


def test_a_guest_of_an_event_whom_nobody_asked_for_stays_a_guest(desk: Any) -> None:
    """What the event is about is set, and whom it is about left alone."""
    invite(desk, "E2", "C1")
    event = written(desk, change(desk, "E2", kind="event", opportunity_id="O1"))

    assert (event["WhoId"], event["WhatId"]) == (None, desk.ids["O1"])


def test_a_change_of_nothing_writes_nothing(desk: Any) -> None:
    """Where all that the draft says is there already, nothing is sent."""
    receipt = write(desk, change(desk, "T1", people=["C1"], body=None))["k"]

    assert receipt.outcome == "unchanged"
    assert all(entry["method"] != "PATCH" for entry in desk.get("journal"))


@pytest.mark.parametrize("activity", ["00T000000000000EAA", "00T000000000000AAA", "nonsense"])
def test_a_change_of_what_is_gone_is_refused(desk: Any, activity: str) -> None:
    """An activity that is no longer there is told, and no new one is made."""
    receipt = write(desk, change(desk, activity))["k"]

    assert (receipt.outcome, len(desk.get("records")["Task"])) == ("refused", 3)


@pytest.mark.parametrize(("obj", "seed"), [("Task", "T1"), ("Event", "E1")])
def test_an_archived_activity_is_changed(desk: Any, obj: str, seed: str) -> None:
    """What Salesforce archived after a year is still found, and may still be changed."""
    patch = {"object": obj, "id": desk.ids[seed], "fields": {"IsArchived": True}, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert write(desk, change(desk, seed, people=["C2"]))["k"].outcome == "updated"


def test_changes_and_creates_go_in_one_batch(desk: Any) -> None:
    """A batch of both gives each draft its own receipt."""
    receipts = write(desk, draft(desk, "new"), draft(desk, "old", activity_id="T1"))

    assert {key: it.outcome for key, it in receipts.items()} == {"new": "created", "old": "updated"}
