"""Creating and changing activities."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector_core.errors import CredentialsError, MissingRightError
from connector_core.model import ActivityDraft, Receipt, Replaced

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 10, tzinfo=dt.timezone(dt.timedelta(hours=1)))
END = START + dt.timedelta(minutes=30)
CONTACT = {"kind": "contact", "id": "C", "name": "C"}
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A"}],
    "users": [{"id": "U", "email": "ada@seller.example"}],
    "people": [CONTACT, {**CONTACT, "id": "D"}],
    "opportunities": [{"id": "O", "created_at": "2026-02-01T00:00:00Z"}],
}


def draft(key: str = "x:1", kind: Any = "call", **rest: Any) -> ActivityDraft:
    body = f"<p>Said.</p><p>ref: {key}</p>"
    return ActivityDraft(key, kind, START, END, **{"subject": "Talk", "body": body, "duration_seconds": 1800, **rest})


def change(activity_id: str, key: str = "x:1", kind: Any = "call", **rest: Any) -> ActivityDraft:
    return ActivityDraft(key, kind, START, END, activity_id=activity_id, **rest)


# -- creating ----------------------------------------------------------------------------------------------------------


def test_a_call_is_created_with_everything(connect: Connect) -> None:
    """One request creates a call with its properties and its associations."""
    account = connect(**WORLD)
    given = draft(
        direction="outbound",
        outcome="connected",
        from_number="+33176360695",
        to_number="+33612345678",
        recording_url="https://calls.example/1.mp3",
        owner_id=account["U"],
        person_ids=(account["C"], account["D"]),
        account_id=account["A"],
        opportunity_id=account["O"],
    )
    receipt = account.adapter.write_activity([given])["x:1"]
    properties = account.record("calls", receipt.id)["properties"]
    wanted = {
        "hs_timestamp": "2026-03-02T09:00:00Z",
        "hs_call_title": "Talk",
        "hs_call_body": "<p>Said.</p><p>ref: x:1</p>",
        "hs_call_duration": "1800000",
        "hs_call_direction": "OUTBOUND",
        "hs_call_status": "COMPLETED",
        "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
        "hs_call_from_number": "+33176360695",
        "hs_call_to_number": "+33612345678",
        "hs_call_recording_url": "https://calls.example/1.mp3",
        "hs_call_external_id": "x:1",
        "hubspot_owner_id": account["U"],
    }
    assert {name: properties.get(name) for name in wanted} == wanted
    assert account.linked("calls", receipt.id) == {
        "contacts": [account["C"], account["D"]],
        "companies": [account["A"]],
        "deals": [account["O"]],
    }
    assert receipt.outcome == "created"
    assert account.requests("/objects/") == ["/crm/objects/2026-09/calls/batch/create"]


def test_a_meeting_is_created_with_everything(connect: Connect) -> None:
    """A meeting has start and end, an outcome and its associations; its key is the last line of its body."""
    account = connect(**WORLD)
    given = draft(kind="meeting", person_ids=(account["C"],), account_id=account["A"], opportunity_id=account["O"])
    receipt = account.adapter.write_activity([given])["x:1"]
    properties = account.record("meetings", receipt.id)["properties"]
    wanted = {
        "hs_timestamp": "2026-03-02T09:00:00Z",
        "hs_meeting_start_time": "2026-03-02T09:00:00Z",
        "hs_meeting_end_time": "2026-03-02T09:30:00Z",
        "hs_meeting_title": "Talk",
        "hs_internal_meeting_notes": "<p>Said.</p><p>ref: x:1</p>",
        "hs_meeting_outcome": "COMPLETED",
    }
    assert {name: properties.get(name) for name in wanted} == wanted
    assert account.linked("meetings", receipt.id) == {
        "contacts": [account["C"]],
        "companies": [account["A"]],
        "deals": [account["O"]],
    }


@pytest.mark.parametrize(
    ("status", "call", "meeting"),
    [
        ("completed", "COMPLETED", "COMPLETED"),
        ("missed", "NO_ANSWER", "NO_SHOW"),
        ("voicemail", "NO_ANSWER", "NO_SHOW"),
        ("cancelled", "CANCELED", "CANCELED"),
        ("failed", "FAILED", "CANCELED"),
    ],
)
def test_every_status_has_a_value_that_hubspot_takes(connect: Connect, status: Any, call: str, meeting: str) -> None:
    """What became of the conversation is written in HubSpot's words."""
    account = connect()
    receipts = account.adapter.write_activity([draft("c", status=status), draft("m", "meeting", status=status)])
    found = (account.record("calls", receipts["c"].id), account.record("meetings", receipts["m"].id))
    assert found[0]["properties"]["hs_call_status"] == call
    assert found[1]["properties"]["hs_meeting_outcome"] == meeting


@pytest.mark.parametrize(
    "rest", [{"recording_url": "http://calls.example/1"}, {"outcome": "Great!"}, {"direction": "internal"}]
)
def test_what_hubspot_would_refuse_is_left_out(connect: Connect, rest: dict[str, Any]) -> None:
    """A recording without https, an outcome or a direction that HubSpot has not, do not lose the call."""
    account = connect()
    assert account.adapter.write_activity([draft(**rest)])["x:1"].outcome == "created"


OWN = {"value": "11111111-2222-4333-8444-555555555555", "label": "Demo booked"}


def test_an_outcome_of_the_portal_s_own_is_found_by_its_label(connect: Connect) -> None:
    """One request more, for all calls of a while."""
    account = connect()
    account.sandbox.org({"options": {"calls": {"hs_call_disposition": [OWN]}}})
    written = account.adapter.write_activity([draft("a", outcome=" demo BOOKED"), draft("b", outcome="Demo booked")])
    account.adapter.write_activity([draft("c", outcome="Demo booked")])
    found = {account.record("calls", it.id)["properties"].get("hs_call_disposition") for it in written.values()}

    assert found == {OWN["value"]}
    assert account.requests("/properties/") == ["/crm/properties/2026-09/calls/hs_call_disposition"]


def test_the_portal_says_what_a_label_stands_for(connect: Connect) -> None:
    """One that renamed a standard outcome, and made another of that name, has a call under the one of that name."""
    account = connect()
    renamed = {"value": "f240bbac-87c9-4f6e-bf70-924b57d47db7", "label": "Gatekeeper"}
    account.sandbox.org({"options": {"calls": {"hs_call_disposition": [renamed, {**OWN, "label": "Connected"}]}}})
    receipt = account.adapter.write_activity([draft(outcome="Connected")])["x:1"]

    assert account.record("calls", receipt.id)["properties"]["hs_call_disposition"] == OWN["value"]


def test_an_outcome_that_is_none_is_told(connect: Connect) -> None:
    """The call is written without it."""
    account = connect()
    receipt = account.adapter.write_activity([draft(outcome="Great!")])["x:1"]

    assert (receipt.outcome, receipt.reason) == (
        "created",
        "its outcome is none of HubSpot's, and stands in the body alone",
    )


def test_a_portal_that_does_not_tell_its_outcomes_loses_no_call(connect: Connect) -> None:
    """The standard ones are written all the same."""
    account = connect()
    account.faults({"match": {"path": "*/properties/*"}, "do": {"status": 403, "body": {"category": "MISSING_SCOPES"}}})
    written = account.adapter.write_activity([draft("a", outcome="Great!"), draft("b", outcome="Busy")])

    assert [it.outcome for it in written.values()] == ["created", "created"]
    assert account.record("calls", written["b"].id)["properties"]["hs_call_disposition"].startswith("9d9162e7")


@pytest.mark.parametrize(
    ("rest", "field"),
    [({"direction": "outbound"}, "hs_call_direction"), ({"from_number": "1" * 65_537}, "hs_call_from_number")],
)
def test_what_a_call_can_do_without_does_not_lose_it(connect: Connect, rest: dict[str, Any], field: str) -> None:
    """A direction that the portal does not know, a number that is none: HubSpot's own sentence is told."""
    account = connect()
    account.sandbox.org({"options": {"calls": {"hs_call_direction": ["INBOUND"]}}})
    written = account.adapter.write_activity([draft("a", **rest), draft("b")])

    assert [it.outcome for it in written.values()] == ["created", "created"]
    assert str(written["a"].reason).startswith(f"without {field}: ")
    assert written["b"].reason is None


def test_a_meeting_is_not_lost_for_its_outcome(connect: Connect) -> None:
    """Which outcomes a meeting may have, the portal says."""
    account = connect()
    account.sandbox.org({"options": {"meetings": {"hs_meeting_outcome": ["SCHEDULED", "COMPLETED"]}}})
    receipt = account.adapter.write_activity([draft(kind="meeting", status="missed")])["x:1"]

    assert (receipt.outcome, str(receipt.reason)[:27]) == ("created", "without hs_meeting_outcome:")


def test_one_call_may_be_refused_for_several_things(connect: Connect) -> None:
    """An outcome first, then a contact that was merged away: both are mended, and the call is written."""
    account = connect(**WORLD)
    account.sandbox.org({"options": {"calls": {"hs_call_direction": ["INBOUND"]}}})
    account.sandbox.patch("contacts", account["C"], {}, delete=False, merge_into=account["D"])
    receipt = account.adapter.write_activity([draft(direction="outbound", person_ids=(account["C"],))])["x:1"]

    assert (receipt.outcome, str(receipt.reason)[:26]) == ("created", "without hs_call_direction:")
    assert account.linked("calls", receipt.id) == {"contacts": [account["D"]]}


def test_records_that_are_gone_may_be_named_one_at_a_time(connect: Connect) -> None:
    """The contact in the first answer, the deal in the second."""
    account = connect(**WORLD)
    for obj, name in (("contacts", "C"), ("deals", "O")):
        account.sandbox.patch(obj, account[name], {}, delete=True, merge_into=None)
    context = {"objectWriteTraceId": ["x:1"], "INVALID_OBJECT_IDS": [f"CONTACT={account['C']} is not valid"]}
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "not valid", "context": context}
    body = {"status": "COMPLETE", "results": [], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/batch/create"}, "times": 1, "do": {"status": 207, "body": body}})
    given = draft(person_ids=(account["C"],), opportunity_id=account["O"], account_id=account["A"])
    receipt = account.adapter.write_activity([given])["x:1"]

    assert receipt.outcome == "created"
    assert account.linked("calls", receipt.id) == {"companies": [account["A"]]}


@pytest.mark.parametrize("form", ["CONTACT={} is not valid", "0-1={} is not valid"])
@pytest.mark.parametrize("where", ["context", "message"])
def test_a_record_that_is_gone_is_known_however_it_is_named(connect: Connect, form: str, where: str) -> None:
    """By its object's name or type id, in the context as creates name it, or in the sentence as associations do."""
    account = connect(**WORLD)
    account.sandbox.patch("contacts", account["C"], {}, delete=True, merge_into=None)
    said = form.format(account["C"])
    told = (
        {"message": "not valid", "context": {"INVALID_OBJECT_IDS": [said]}} if where == "context" else {"message": said}
    )
    body = {"status": "error", "category": "VALIDATION_ERROR", **told}
    account.faults({"match": {"path": "*/batch/create"}, "times": 1, "do": {"status": 400, "body": body}})
    receipt = account.adapter.write_activity([draft(person_ids=(account["C"], account["D"]))])["x:1"]

    assert (receipt.outcome, account.linked("calls", receipt.id)) == ("created", {"contacts": [account["D"]]})


def test_what_an_answer_says_was_created_is_not_created_again(connect: Connect) -> None:
    """Also where the same answer finds fault with one of its associations: that is told."""
    account = connect(**WORLD)
    made = {"id": "7", "objectWriteTraceId": "x:1", "properties": {}}
    context = {"objectWriteTraceId": ["x:1"], "INVALID_OBJECT_IDS": [f"CONTACT={account['C']} is not valid"]}
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "no such contact", "context": context}
    body = {"status": "COMPLETE", "results": [made], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/batch/create"}, "times": 1, "do": {"status": 207, "body": body}})
    receipt = account.adapter.write_activity([draft(person_ids=(account["C"],))])["x:1"]

    assert (receipt.outcome, receipt.id, receipt.reason) == ("created", "7", "no such contact")
    assert account.requests() == ["/crm/objects/2026-09/calls/batch/create"]


def test_many_drafts_take_a_request_for_each_hundred(connect: Connect) -> None:
    """A hundred and fifty calls and fifty meetings are three requests."""
    account = connect()
    drafts = [draft(f"x:{n}", "call" if n < 150 else "meeting") for n in range(200)]
    receipts = account.adapter.write_activity(drafts)
    assert ({receipt.outcome for receipt in receipts.values()}, len(account.requests())) == ({"created"}, 3)


def test_results_are_told_by_key(connect: Connect) -> None:
    """HubSpot answers in another order than it was asked; each draft has its own record all the same."""
    account = connect()
    receipts = account.adapter.write_activity([draft(f"x:{n}", kind) for kind in ("call", "meeting") for n in range(9)])
    found = [
        account.record("meetings", receipt.id)["properties"]["hs_internal_meeting_notes"]
        for receipt in receipts.values()
    ]
    assert [body.endswith(f"<p>ref: {key}</p>") for key, body in zip(receipts, found, strict=True)] == [True] * 9


def test_one_refused_draft_keeps_no_other_from_being_written(connect: Connect) -> None:
    """A value that HubSpot refuses refuses its draft alone, with field, code and HubSpot's sentence."""
    account = connect()
    drafts = [draft(f"x:{n}", owner_id="7" if n == 2 else None) for n in range(5)]
    receipts = account.adapter.write_activity(drafts)
    refused = receipts.pop("x:2")
    assert (refused.outcome, refused.field, refused.code) == ("refused", "hubspot_owner_id", "INVALID_OWNER_ID")
    assert refused.reason
    assert {receipt.outcome for receipt in receipts.values()} == {"created"}


def test_a_batch_that_is_refused_whole_is_cut_in_half(connect: Connect) -> None:
    """Where HubSpot does not say which draft is to blame, the others are written all the same."""
    account = connect()
    refusal = {"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}}
    account.faults({"match": {"path": "*/calls/batch/create", "body": "*x:3*"}, "do": refusal})
    receipts = account.adapter.write_activity([draft(f"x:{n}") for n in range(8)])
    assert {key for key, receipt in receipts.items() if receipt.outcome != "created"} == {"x:3"}
    assert len(account.sandbox.records()["calls"]) == 7


def test_a_required_property_is_named(connect: Connect) -> None:
    """What an administrator requires and the draft lacks is told by name."""
    account = connect()
    account.sandbox.org({"required": {"calls": ["hs_activity_type"]}})
    receipt = account.adapter.write_activity([draft()])["x:1"]
    assert (receipt.outcome, receipt.field) == ("refused", "hs_activity_type")


def test_a_record_that_is_gone_is_left_out(connect: Connect) -> None:
    """A contact that was deleted since the decision keeps the call from nothing but that association."""
    account = connect(**WORLD)
    account.sandbox.patch("contacts", account["C"], {}, delete=True, merge_into=None)
    given = draft(person_ids=(account["C"], account["D"]), account_id=account["A"])
    receipt = account.adapter.write_activity([given])["x:1"]
    assert receipt.outcome == "created"
    assert account.linked("calls", receipt.id) == {"contacts": [account["D"]], "companies": [account["A"]]}


def test_a_kind_that_hubspot_has_not_is_refused(connect: Connect) -> None:
    """An event is told to be none of HubSpot's, without a request."""
    account = connect()
    assert (account.adapter.write_activity([draft(kind="event")])["x:1"].outcome, account.requests()) == ("refused", [])


# -- answers that are lost ---------------------------------------------------------------------------------------------


def test_a_lost_answer_is_unknown(connect: Connect) -> None:
    """A create that was executed and not answered is unknown, and not sent again."""
    account = connect()
    account.faults({"match": {"path": "*/batch/create"}, "do": {"drop_after_commit": True}})
    receipt = account.adapter.write_activity([draft()])["x:1"]
    assert (receipt.outcome, len(account.sandbox.records()["calls"])) == ("unknown", 1)


def test_a_create_that_was_limited_is_written_once(connect: Connect) -> None:
    """A create that was not executed is sent again."""
    account = connect()
    account.faults(
        {"match": {"path": "*/batch/create"}, "times": 1, "do": {"status": 429, "headers": {"Retry-After": "0"}}}
    )
    receipt = account.adapter.write_activity([draft()])["x:1"]
    assert (receipt.outcome, len(account.sandbox.records()["calls"])) == ("created", 1)


def test_a_locked_row_is_deferred(connect: Connect) -> None:
    """A row that was not executed for a lock is for later, and not refused for good."""
    account = connect()
    account.faults({"match": {"path": "*/batch/create"}, "do": {"row_error": "LOCKED"}})
    assert account.adapter.write_activity([draft()])["x:1"].outcome == "deferred"


def test_what_the_answer_does_not_mention_is_unknown(connect: Connect) -> None:
    """A draft that is neither among the results nor among the errors may have been written."""
    account = connect()
    body = {"status": "COMPLETE", "results": []}
    account.faults({"match": {"path": "*/batch/create"}, "do": {"status": 201, "body": body}})
    assert account.adapter.write_activity([draft()])["x:1"].outcome == "unknown"


def test_what_was_written_before_a_failure_is_not_forgotten(connect: Connect) -> None:
    """After the first batch the limit of the day is reached: its receipts stay, the rest is deferred."""
    account = connect()
    limit = {"status": 429, "body": {"policyName": "DAILY"}}
    account.faults({"match": {"path": "*/batch/create", "body": "*x:150*"}, "do": limit})
    receipts = account.adapter.write_activity([draft(f"x:{n}") for n in range(250)])
    outcomes = [receipt.outcome for receipt in receipts.values()]
    assert (outcomes.count("created"), outcomes.count("deferred"), len(account.requests())) == (100, 150, 2)


def test_a_missing_scope_raises(connect: Connect) -> None:
    """Where nothing can be written at all, that is told as what it is."""
    account = connect()
    account.sandbox.org({"missing_scopes": ["crm.objects.contacts.write"]})
    with pytest.raises(MissingRightError, match=r"crm\.objects\.contacts\.write"):
        account.adapter.write_activity([draft()])


def test_a_refused_token_raises(connect: Connect) -> None:
    """Refused credentials are told before anything is written."""
    account = connect()
    body = {"status": "error", "category": "INVALID_AUTHENTICATION"}
    account.faults({"match": {"path": "/crm/*"}, "do": {"status": 401, "body": body}})
    with pytest.raises(CredentialsError):
        account.adapter.write_activity([draft()])


# -- changing ----------------------------------------------------------------------------------------------------------


def test_only_what_is_given_is_changed(connect: Connect) -> None:
    """A change sets its body and key, adds its associations, and leaves everything else as people left it."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call", "title": "Mine", "person_ids": ["C"]}])
    before = account.record("calls", account["T"])["properties"]
    given = change(
        account["T"], body="<p>New</p>", set_key=True, person_ids=(account["D"],), opportunity_id=account["O"]
    )
    receipt = account.adapter.write_activity([given])["x:1"]
    after = account.record("calls", account["T"])["properties"]
    changed = {name: after[name] for name in after if after[name] != before.get(name)}
    del changed["hs_lastmodifieddate"], changed["hs_body_preview"]
    assert changed == {"hs_call_body": "<p>New</p>", "hs_call_external_id": "x:1"}
    assert account.linked("calls", account["T"]) == {
        "contacts": sorted([account["C"], account["D"]]),
        "deals": [account["O"]],
    }
    assert (receipt.outcome, receipt.id) == ("updated", account["T"])


@pytest.mark.parametrize("set_key", [True, False])
def test_an_activity_that_got_the_key_of_another_call_is_left_alone(connect: Connect, set_key: bool) -> None:
    """Whatever the change says of it, also where it sets no key."""
    account = connect(activities=[{"id": "T", "kind": "call", "call_id": "other"}])
    receipt = account.adapter.write_activity([change(account["T"], body="New", set_key=set_key)])["x:1"]
    properties = account.record("calls", account["T"])["properties"]
    assert (receipt.outcome, receipt.code) == ("refused", "other_key")
    assert (properties["hs_call_external_id"], properties.get("hs_call_body")) == ("other", None)


def test_a_text_that_somebody_wrote_meanwhile_stays(connect: Connect) -> None:
    """It is read again just before; the rest of the change is written, and the answer tells the body that is there."""
    account = connect(activities=[{"id": "T", "kind": "call", "title": "By hand", "body": "A person's"}])
    ours = Replaced(subject="Ours", body="A person's")
    given = change(account["T"], subject="New", body="<p>New</p>", replaces=ours)
    receipt = account.adapter.write_activity([given])["x:1"]
    properties = account.record("calls", account["T"])["properties"]
    assert (receipt.outcome, receipt.kept, receipt.body) == ("updated", ("subject",), "<p>New</p>")
    assert (properties["hs_call_title"], properties["hs_call_body"]) == ("By hand", "<p>New</p>")


def test_a_created_activity_tells_the_body_that_it_holds(connect: Connect) -> None:
    """HubSpot's answer has it."""
    assert connect().adapter.write_activity([draft()])["x:1"].body == "<p>Said.</p><p>ref: x:1</p>"


@pytest.mark.parametrize("kind", ["call", "meeting"])
def test_what_the_connector_associated_is_replaced(connect: Connect, kind: Any) -> None:
    """Another deal and account are set in place of its own, a person is taken off, and nobody else's is touched."""
    account = connect(
        **{**WORLD, "accounts": [{"id": "A"}, {"id": "B"}]},
        activities=[{"id": "T", "kind": kind, "person_ids": ["C", "D"], "account_id": "A", "opportunity_id": "O"}],
    )
    ours = Replaced(account_id=account["A"], opportunity_id=account["O"], person_ids=(account["C"],))
    receipt = account.adapter.write_activity([change(account["T"], kind=kind, account_id=account["B"], replaces=ours)])
    assert (receipt["x:1"].outcome, receipt["x:1"].kept) == ("updated", ())
    assert account.linked(kind + "s", account["T"]) == {"contacts": [account["D"]], "companies": [account["B"]]}


def test_a_deal_that_somebody_set_stays(connect: Connect) -> None:
    """Whatever the change was to replace; then nothing is left to write."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call", "opportunity_id": "O"}])
    for given in (
        change(account["T"], opportunity_id="123456", replaces=Replaced(opportunity_id="654321")),
        change(account["T"], replaces=Replaced(opportunity_id="654321")),
        change(account["T"], opportunity_id="123456"),
    ):
        receipt = account.adapter.write_activity([given])["x:1"]
        assert (receipt.outcome, receipt.kept) == ("unchanged", ("opportunity_id",))
    assert account.linked("calls", account["T"]) == {"deals": [account["O"]]}


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 204, "body": ""},
        {"status": 207, "body": {"status": "COMPLETE", "results": []}},
        {"status": 200, "body": {"status": "COMPLETE", "results": []}},
    ],
)
def test_an_association_is_off_whatever_the_answer_looks_like(connect: Connect, answer: Any) -> None:
    """Versions differ: no content, or a batch without results."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call", "opportunity_id": "O"}])
    account.faults({"match": {"path": "*/batch/archive"}, "do": answer})
    given = change(account["T"], replaces=Replaced(opportunity_id=account["O"]))
    assert account.adapter.write_activity([given])["x:1"].outcome == "updated"


def test_an_association_that_cannot_be_taken_off_is_told(connect: Connect) -> None:
    """In HubSpot's own words."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call", "opportunity_id": "O"}])
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "this association is required"}
    body = {"status": "COMPLETE", "results": [], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/batch/archive"}, "do": {"status": 207, "body": body}})
    given = change(account["T"], replaces=Replaced(opportunity_id=account["O"]))
    receipt = account.adapter.write_activity([given])["x:1"]
    assert (receipt.outcome, "this association is required" in str(receipt.reason)) == ("refused", True)


def test_a_change_that_changes_nothing_sends_nothing(connect: Connect) -> None:
    """An empty change is unchanged, without a request."""
    account = connect(activities=[{"id": "T", "kind": "call"}])
    receipt = account.adapter.write_activity([change(account["T"])])["x:1"]
    assert (receipt, account.requests()) == (Receipt("unchanged", account["T"]), [])


def test_associations_alone_are_a_change(connect: Connect) -> None:
    """A change that only adds associations is one, and sets no property."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "meeting"}])
    given = change(account["T"], kind="meeting", account_id=account["A"])
    receipt = account.adapter.write_activity([given])["x:1"]
    assert (receipt.outcome, account.linked("meetings", account["T"])) == ("updated", {"companies": [account["A"]]})


def test_a_meeting_without_an_end_gets_one(connect: Connect) -> None:
    """A duration that a meeting lacks becomes its end."""
    account = connect(activities=[{"id": "T", "kind": "meeting", "started_at": START.isoformat()}])
    account.adapter.write_activity([change(account["T"], kind="meeting", duration_seconds=1800)])
    end = account.record("meetings", account["T"])["properties"]["hs_meeting_end_time"]
    assert end == "2026-03-02T09:30:00Z"


def test_an_activity_that_is_gone_is_refused(connect: Connect) -> None:
    """A change of a deleted activity is refused, and the other one made."""
    account = connect(activities=[{"id": "T", "kind": "call"}, {"id": "V", "kind": "call"}])
    account.sandbox.patch("calls", account["T"], {}, delete=True, merge_into=None)
    receipts = account.adapter.write_activity(
        [change(account["T"], "x:1", body="a"), change(account["V"], "x:2", body="b")]
    )
    assert (receipts["x:1"].outcome, receipts["x:1"].code, receipts["x:2"].outcome) == (
        "refused",
        "OBJECT_NOT_FOUND",
        "updated",
    )


def test_a_contact_that_is_gone_keeps_a_change_from_nothing(connect: Connect) -> None:
    """What was deleted counts as absent: the other associations are made."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call"}])
    account.sandbox.patch("contacts", account["C"], {}, delete=True, merge_into=None)
    given = change(account["T"], person_ids=(account["C"], account["D"]))
    receipt = account.adapter.write_activity([given])["x:1"]
    assert (receipt.outcome, receipt.reason, account.linked("calls", account["T"])) == (
        "updated",
        None,
        {"contacts": [account["D"]]},
    )


@pytest.mark.parametrize("form", ["CONTACT={} is not valid", "0-1={} is not valid"])
def test_an_association_with_a_record_that_is_gone_is_no_refusal(connect: Connect, form: str) -> None:
    """Whichever name its object has in the sentence."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call"}])
    account.sandbox.patch("contacts", account["C"], {}, delete=True, merge_into=None)
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": form.format(account["C"])}
    body = {"status": "COMPLETE", "results": [], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/associate/default"}, "times": 1, "do": {"status": 207, "body": body}})
    receipt = account.adapter.write_activity([change(account["T"], body="a", person_ids=(account["C"],))])["x:1"]
    assert (receipt.outcome, receipt.reason) == ("updated", None)


def test_an_association_that_is_refused_is_told(connect: Connect) -> None:
    """Where a record cannot be associated, the change that was made says so."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call"}])
    error = {"status": "error", "category": "VALIDATION_ERROR", "message": "limit of associations exceeded"}
    body = {"status": "COMPLETE", "results": [], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/associate/default"}, "do": {"status": 207, "body": body}})
    receipt = account.adapter.write_activity([change(account["T"], body="a", person_ids=(account["C"],))])["x:1"]
    assert (receipt.outcome, "limit of associations exceeded" in str(receipt.reason)) == ("updated", True)


def test_associating_that_fails_is_for_later(connect: Connect) -> None:
    """Associations that could not be made are made later; doing it twice is harmless."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call"}])
    account.faults({"match": {"path": "*/associate/default"}, "do": {"status": 503}})
    receipt = account.adapter.write_activity([change(account["T"], body="a", person_ids=(account["C"],))])["x:1"]
    assert receipt.outcome == "deferred"


def test_many_changes_take_few_requests(connect: Connect) -> None:
    """Sixty changes with three kinds of associations are four requests to read, and four to write."""
    account = connect(**WORLD, activities=[{"id": f"T{n}", "kind": "call"} for n in range(60)])
    links = {"person_ids": (account["C"],), "account_id": account["A"], "opportunity_id": account["O"]}
    drafts = [change(account[f"T{n}"], f"x:{n}", body="a", **links) for n in range(60)]
    receipts = account.adapter.write_activity(drafts)
    assert ({receipt.outcome for receipt in receipts.values()}, len(account.requests())) == ({"updated"}, 8)


def test_writing_again_changes_nothing_more(connect: Connect) -> None:
    """The same change twice leaves what once leaves."""
    account = connect(**WORLD, activities=[{"id": "T", "kind": "call"}])
    given = change(account["T"], body="a", person_ids=(account["C"],))
    account.adapter.write_activity([given])
    once = account.record("calls", account["T"])["associations"]
    account.adapter.write_activity([replace(given)])
    assert account.record("calls", account["T"])["associations"] == once
