"""Fields that somebody chose are held against the CRM's description, by the core, before anything is sent."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office import Office, office

from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.discovery import crm as manifest_of
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, FieldReceipt, Receipt, RecordUpdate, Replaced

START = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
END = START + dt.timedelta(minutes=30)
OVER_HTTP = ("salesforce", "hubspot")
FIELDS = ("Source__c", "Score__c")
CREATED = {"salesforce": "CreatedDate", "hubspot": "hs_createdate"}
OBJECTS = {"salesforce": ("Task", "Event"), "hubspot": ("calls", "meetings")}
DESCRIPTIONS = {"salesforce": {"body": "*describe*"}, "hubspot": {"path": "/crm/properties/*"}}
AGE = 900.0


class Asked:
    """Counts operations, as an observer."""

    def __init__(self) -> None:
        """Count none yet."""
        self.operations: Counter[str] = Counter()

    @hookimpl
    def operation_finished(self, operation: str) -> None:
        """Count one."""
        self.operations[operation] += 1


class Bound:
    """A connection to the CRM of an office, whose clock stands still, and what was asked of it."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.crm = office.config.crm
        observer = Asked()
        self.asked = observer.operations
        self.now = 0.0
        self.connection: Connection = bind(
            manifest_of(self.crm),
            office.config.settings,
            ConnectionInfo("acme", ("FR",)),
            observers=[observer],
            descriptions_age_seconds=AGE,
            clock=lambda: self.now,
        )

    def named(self, name: str) -> str:
        """Give a field's name in the CRM: HubSpot's have no capitals."""
        return name.lower() if self.crm == "hubspot" else name

    def draft(self, key: str, kind: Any = "call", **fields: Any) -> ActivityDraft:
        """Make one of a new activity."""
        given = {self.named(name): value for name, value in fields.items()}
        return ActivityDraft(key, kind, START, END, subject="Talk", body=f"ref: {key}", fields=given)

    def meeting(self, key: str, **fields: Any) -> ActivityDraft:
        """Make one of a new meeting."""
        return self.draft(key, self.connection.manifest.meetings_as[0], **fields)

    def write(self, *drafts: ActivityDraft) -> list[Receipt]:
        """Write drafts."""
        receipts = self.connection.write_activity(drafts)
        return [receipts[draft.key] for draft in drafts]

    def fill(self, obj: str, seed: str, **fields: Any) -> dict[str, FieldReceipt]:
        """Fill fields of a record of the seed."""
        record = self.office.id(seed)
        return dict(self.connection.fill_fields([RecordUpdate(obj, record, fields)])[obj, record])

    def define(self, *names: str) -> None:
        """Let calls and meetings have these fields besides, and no others."""
        assert self.office.sandbox is not None
        if self.crm == "salesforce":
            fields = [{"object": "Activity", "name": name, "type": "string"} for name in names]
            self.office.sandbox.org({"custom_fields": fields})
        else:
            fields = [{"name": name.lower()} for name in names]
            self.office.sandbox.org({"properties": dict.fromkeys(OBJECTS[self.crm], fields)})

    def restrict(self, what: str, obj: str, name: str) -> None:
        """Make a field ``hidden`` or ``read_only``."""
        assert self.office.sandbox is not None
        if self.crm == "salesforce":
            self.office.sandbox.org({f"{what}_fields": [f"{obj}.{self.named(name)}"]})
        else:
            self.office.sandbox.org({what: {obj: [self.named(name)]}})

    def fault(self, match: dict[str, str], do: dict[str, Any]) -> None:
        """Let requests fail."""
        assert self.office.server is not None
        self.office.server._set_faults([{"match": match, "do": do}])

    def sources(self) -> list[Any]:
        """Give what calls have as their source."""
        held = self.office.records()
        if self.crm == "salesforce":
            return [row["Source__c"] for row in held["Task"]]
        return [row["properties"].get("source__c") for row in held["calls"]]


@pytest.fixture
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bound]:
    with office(request.param, tmp_path) as it:
        bound = Bound(it)
        if it.sandbox is not None:
            bound.define(*FIELDS)
        yield bound
        bound.connection.close()


def on(*names: str) -> Any:
    return pytest.mark.parametrize("crm", names, indirect=True)


@pytest.mark.parametrize("what", ["missing", "hidden", "read_only", "ours"])
@on(*OVER_HTTP)
def test_what_the_crm_would_refuse_is_named_and_not_sent(crm: Bound, what: str) -> None:
    """A field that is not there, is not shown, or may not be set; the other drafts are written."""
    name = {"missing": "nowhere__c", "ours": CREATED[crm.crm]}.get(what, "Score__c")
    if what in ("hidden", "read_only"):
        crm.restrict(what, OBJECTS[crm.crm][0], name)
    refused, made = crm.write(crm.draft("x:1", Source__c="a", **{name: "b"}), crm.draft("x:2", Source__c="a"))

    assert (refused.outcome, refused.field, made.outcome) == ("refused", crm.named(name), "created")
    assert f" {crm.named(name)} of {OBJECTS[crm.crm][0]}" in str(refused.reason)
    assert crm.sources() == ["a"]


@pytest.mark.parametrize("what", ["missing", "read_only"])
@on(*OVER_HTTP)
def test_the_code_is_what_the_crm_itself_answers(crm: Bound, what: str) -> None:
    """Whoever reads receipts need not know who refused."""
    name = "nowhere__c" if what == "missing" else "Score__c"
    if what == "read_only":
        crm.restrict(what, OBJECTS[crm.crm][0], name)
    (mine,) = crm.write(crm.draft("x:1", **{name: "b"}))
    hook = crm.connection._manager.hook.write_activity
    theirs = hook(drafts=[crm.draft("x:1", **{name: "b"})])["x:1"]

    assert (mine.outcome, mine.code, mine.field) == (theirs.outcome, theirs.code, theirs.field)


@on(*OVER_HTTP)
def test_all_that_are_wrong_cost_no_write(crm: Bound) -> None:
    """However many drafts there are, and each is told."""
    receipts = crm.write(*(crm.draft(f"x:{number}", nowhere__c="a") for number in range(30)))

    assert {it.field for it in receipts} == {"nowhere__c"}
    assert crm.asked == {"describe_objects": 1}


@on(*OVER_HTTP)
def test_what_may_be_written_is_remembered(crm: Bound) -> None:
    """A description serves many writes, also of other fields, until one comes that it does not have."""
    for key, name in (("x:1", "Source__c"), ("x:2", "Score__c")):
        crm.write(crm.draft(key, **{name: "1"}))
    remembered = crm.asked["describe_objects"]
    crm.write(crm.draft("x:3", nowhere__c="b"))

    assert (remembered, crm.asked["describe_objects"]) == (1, 2)


@on(*OVER_HTTP)
def test_a_description_is_asked_for_again_after_a_while(crm: Bound) -> None:
    """It may be another by then."""
    for key, crm.now in (("x:1", 0.0), ("x:2", AGE - 1), ("x:3", AGE + 1)):
        crm.write(crm.draft(key, Source__c="a"))

    assert crm.asked["describe_objects"] == 2


@on(*OVER_HTTP)
def test_a_field_that_was_made_meanwhile_is_written(crm: Bound) -> None:
    """What a remembered description lacks is asked for anew before it is refused."""
    crm.write(crm.draft("x:1", Source__c="a"))
    crm.define(*FIELDS, "Late__c")

    assert [it.outcome for it in crm.write(crm.draft("x:2", Late__c="a"))] == ["created"]


@on(*OVER_HTTP)
def test_drafts_without_further_fields_cost_no_more(crm: Bound) -> None:
    """Nothing is described for what the connector writes itself."""
    crm.write(crm.draft("x:1"), crm.meeting("x:2"))

    assert crm.asked == {"write_activity": 1}


@on("hubspot")
def test_each_object_has_its_own(crm: Bound) -> None:
    """A field of calls is none of meetings; in Salesforce those of activities are one."""
    assert crm.office.sandbox is not None
    crm.office.sandbox.org({"properties": {"calls": [{"name": "of_calls"}]}})
    receipts = crm.write(crm.draft("x:1", of_calls="1"), crm.meeting("x:2", of_calls="1"))

    assert [(it.outcome, it.field) for it in receipts] == [("created", None), ("refused", "of_calls")]


@on(*OVER_HTTP)
def test_a_change_is_checked_too(crm: Bound) -> None:
    """What became read-only is named; of what is not to be changed nothing is said."""
    made = crm.write(crm.draft("x:1", Source__c="a"), crm.draft("x:2", Source__c="a"))
    crm.restrict("read_only", OBJECTS[crm.crm][0], "Source__c")
    name = crm.named("Source__c")
    changes = [
        ActivityDraft(key, "call", START, END, activity_id=before.id, fields={name: value}, subject="New",
                      replaces=Replaced("Talk", before.body, fields={name: "a"}))
        for key, before, value in zip(("x:1", "x:2"), made, ("b", "a"), strict=True)
    ]  # fmt: skip
    crm.now = AGE + 1
    refused, changed = crm.write(*changes)

    assert (refused.outcome, refused.field, refused.id) == ("refused", name, made[0].id)
    assert changed.outcome == "updated"


@pytest.mark.parametrize("status", [403, 503])
@on(*OVER_HTTP)
def test_without_a_description_the_crm_answers_itself(crm: Bound, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be checked is sent, and refused in the CRM's own words."""
    monkeypatch.setattr("connector_core.policy.wait", lambda _: None)
    crm.fault(DESCRIPTIONS[crm.crm], {"status": status})
    receipts = crm.write(crm.draft("x:1", Source__c="a"), crm.draft("x:2", nowhere__c="b"))

    assert [(it.outcome, it.field) for it in receipts] == [("created", None), ("refused", "nowhere__c")]
    assert "or hides it" not in str(receipts[1].reason)


@on(*OVER_HTTP)
def test_fields_of_a_record_are_refused_alone(crm: Bound) -> None:
    """Those that are there are set."""
    obj, there = {"salesforce": ("Account", "Website"), "hubspot": ("companies", "city")}[crm.crm]
    receipts = crm.fill(obj, "A1", nowhere__c="x", **{CREATED[crm.crm]: "x", there: "Paris"})

    assert {name: it.outcome for name, it in receipts.items()} == {
        "nowhere__c": "refused",
        CREATED[crm.crm]: "refused",
        there: "sent",
    }


@on(*OVER_HTTP)
def test_a_record_of_which_nothing_may_be_set_is_not_sent(crm: Bound) -> None:
    """Each of its fields is answered all the same."""
    obj = {"salesforce": "Account", "hubspot": "companies"}[crm.crm]
    receipts = crm.fill(obj, "A1", nowhere__c="x", neither__c=None)

    assert {(name, it.outcome) for name, it in receipts.items()} == {
        ("nowhere__c", "refused"),
        ("neither__c", "refused"),
    }
    assert crm.asked == {"describe_objects": 1}


@on(*OVER_HTTP)
def test_an_object_that_is_not_there_is_for_the_crm_to_refuse(crm: Bound) -> None:
    """No field of it is to blame."""
    receipts = crm.fill("nowhere__c", "A1", city="x")

    assert [it.outcome for it in receipts.values()] == ["refused"]
    assert "or hides it" not in str(receipts["city"].reason)


@on("salesforce")
def test_where_nothing_may_be_created_no_field_is_to_blame(crm: Bound) -> None:
    """Each field of such an object is described as one that cannot be set."""
    assert crm.office.sandbox is not None
    crm.office.sandbox.org({"missing_rights": {"Task": ["create"]}})
    (it,) = crm.write(crm.draft("x:1", Source__c="a"))

    assert (it.code, it.field) == ("INSUFFICIENT_ACCESS_OR_READONLY", None)


@on("salesforce")
def test_names_have_no_case(crm: Bound) -> None:
    """Salesforce's own have none."""
    assert [it.outcome for it in crm.write(crm.draft("x:1", sOURCE__C="a"))] == ["created"]


@on("hubspot")
@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": {"hubId": 1, "scopes": ["crm.objects.contacts.highly_sensitive.write"]}},
        {"status": 404, "body": {"message": "no"}},
    ],
)
def test_what_may_be_sensitive_data_is_sent(crm: Bound, answer: dict[str, Any]) -> None:
    """Properties of it are listed apart, so that what is not listed may be there."""
    crm.fault({"path": "/oauth/v2/*"}, answer)
    (it,) = crm.write(crm.draft("x:1", diagnosis="a"))

    assert (it.outcome, "or hides it" in str(it.reason)) == ("refused", False)


@on("file")
def test_a_file_takes_any_further_field(crm: Bound) -> None:
    """A file lists the fields of its format, and has room for others."""
    (it,) = crm.write(crm.draft("x:1", nowhere__c="a"))

    assert it.outcome == "created"
