"""Further fields of a written activity: fixed values, and what the call says, by the CRM's own names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CRMS, FRANCE, Office, call, office

from connector_core.binding import bind
from connector_core.crms import FILE
from connector_core.errors import ConfigurationError, UnsupportedError
from connector_core.ledger.calls import Standing
from connector_core.ledger.texts import read_draft, text_of_draft
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Call, Current, Replaced, remaining
from connector_core.model.changes import same_value
from connector_core.settling import sync_settled
from connector_core.work import Work
from connector_core.writing import SAID, FromCall, Writing, fields_of

OVER_HTTP = ("salesforce", "hubspot")
NAMES = {
    "source": ("Source__c", "string"),
    "seconds": ("Seconds__c", {"salesforce": "double", "hubspot": "number"}),
    "tags": ("Tags__c", "string"),
    "held": ("Held__c", {"salesforce": "boolean", "hubspot": "bool"}),
    "level": ("Level__c", {"salesforce": "picklist", "hubspot": "enumeration"}),
}


@pytest.fixture
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Open an office whose CRM has the fields of :data:`NAMES` on activities."""
    with office(request.param, tmp_path) as it:
        if it.sandbox is not None:
            it.sandbox.org(organization(request.param))
        yield it


def organization(crm: str) -> dict[str, Any]:
    """Define the fields as the sandbox of a CRM wants them."""
    types = {name: of if isinstance(of, str) else of[crm] for name, of in NAMES.values()}
    if crm == "salesforce":
        extras: dict[str, Any] = {"Level__c": {"values": ["low", "high"], "restricted": True}}
        fields = [
            {"object": "Activity", "name": name, "type": of, **extras.get(name, {})} for name, of in types.items()
        ]
        return {"custom_fields": fields}
    options = [{"label": value, "value": value} for value in ("low", "high")]
    form = {"bool": "booleancheckbox", "enumeration": "select", "number": "number", "string": "text"}
    given = [
        {
            "name": name.lower(),
            "type": of,
            "fieldType": form[of],
            **({"options": options} if of == "enumeration" else {}),
        }
        for name, of in types.items()
    ]
    return {"properties": {"calls": given, "meetings": given}}


def on(*names: str) -> Any:
    return pytest.mark.parametrize("crm", names, indirect=True)


def named(crm: Office, key: str) -> str:
    """Give a field's name in the CRM."""
    name = NAMES[key][0]
    return name.lower() if crm.config.crm == "hubspot" else name


def write(crm: Office, settings: Writing, *calls: Call) -> list[Standing]:
    with replace(crm.config, writing=settings).open() as opened:
        return list(sync_settled(crm.ledger, opened, calls or [call()], sleep=lambda _: None))


def held(crm: Office, *keys: str, call_id: str = "x:1") -> dict[str, Any]:
    """Give what the one activity of a call has in these fields."""
    (row,) = [row for rows in crm.records().values() for row in rows if f"ref: {call_id}" in json.dumps(row)]
    fields = {**row, **row.get("fields", {}), **row.get("properties", {})}
    return {key: fields.get(named(crm, key)) for key in keys}


@pytest.mark.parametrize("kind", ["phone", "meeting"])
@on(*CRMS)
def test_fixed_values_and_what_the_call_says_are_written(crm: Office, kind: str) -> None:
    """Text, numbers, yes and no, and a list, each under its own name."""
    wanted = {
        named(crm, "source"): "Connector",
        named(crm, "held"): True,
        named(crm, "seconds"): FromCall("duration_seconds"),
        named(crm, "tags"): FromCall("tags"),
    }
    setting = "call_fields" if kind == "phone" else "meeting_fields"
    write(crm, Writing(**{setting: wanted}), call(kind=kind, tags=["demo", "first"]))
    typed = {"source": "Connector", "held": True, "seconds": 600, "tags": "demo;first"}
    as_text = {"source": "Connector", "held": "true", "seconds": "600", "tags": "demo;first"}

    assert held(crm, *typed) == (as_text if crm.config.crm == "hubspot" else typed)


@on(*CRMS)
def test_calls_and_meetings_have_fields_of_their_own(crm: Office) -> None:
    """What is set for meetings is not written to a call."""
    write(crm, Writing(meeting_fields={named(crm, "source"): "Connector"}))

    assert held(crm, "source") in ({"source": None}, {"source": ""})


@on(*CRMS)
def test_what_the_call_does_not_say_is_left_out(crm: Office) -> None:
    """A call without tags leaves the field as the CRM makes it."""
    (it,) = write(crm, Writing(call_fields={named(crm, "tags"): FromCall("tags")}))

    assert (it.outcome, held(crm, "tags")["tags"]) in (("created", None), ("created", ""))


@on(*CRMS)
def test_a_later_version_changes_what_nobody_changed(crm: Office) -> None:
    """The field says what the call says now, and one that was empty is filled."""
    settings = Writing(
        call_fields={named(crm, "tags"): FromCall("tags"), named(crm, "seconds"): FromCall("talk_seconds")}
    )
    write(crm, settings, call(tags=["first"]))
    (it,) = write(crm, settings, call(tags=["second"], talk_seconds=590))

    assert (it.outcome, held(crm, "tags"), float(held(crm, "seconds")["seconds"])) == (
        "updated",
        {"tags": "second"},
        590,
    )


@on(*CRMS)
def test_what_somebody_changed_in_a_field_stays(crm: Office) -> None:
    """And the ledger says that it was kept."""
    settings = Writing(call_fields={named(crm, "tags"): FromCall("tags")})
    (first,) = write(crm, settings, call(tags=["first"]))
    by_hand(crm, first, named(crm, "tags"), "by hand")
    write(crm, settings, call(tags=["second"]))

    assert held(crm, "tags") == {"tags": "by hand"}
    assert crm.desk.show("x:1")["writes"][-1]["kept"] == [named(crm, "tags")]


@on(*CRMS)
def test_an_activity_that_was_there_is_given_no_field(crm: Office, tmp_path: Path) -> None:
    """What the connector did not create is completed in its texts and links alone."""
    settings = Writing(call_fields={named(crm, "tags"): FromCall("tags")})
    seed = {"id": "T1", "kind": "call", "started_at": "2026-03-02T09:00:00Z", "duration_seconds": 600,
            "person_ids": ["C1"]}  # fmt: skip
    (tmp_path / "other").mkdir()
    with office(crm.config.crm, tmp_path / "other", activities=[seed]) as other:
        if other.sandbox is not None:
            other.sandbox.org(organization(crm.config.crm))
        (it,) = write(other, settings, call(tags=["first"]))

        assert (it.outcome, held(other, "tags")["tags"] or None) == ("updated", None)


def by_hand(crm: Office, standing: Standing, name: str, value: str) -> None:
    """Let a person change a field of an activity."""
    activity_id = str(standing.activity_id)
    if crm.sandbox is not None:
        crm.sandbox.patch("Task" if crm.config.crm == "salesforce" else "calls", activity_id, {name: value},
                          delete=False, merge_into=None)  # fmt: skip
        return
    held: Any = crm.records()
    (row,) = [row for row in held["activities"] if row["id"] == activity_id]
    row["fields"] = {**row.get("fields", {}), name: value}
    Path(crm.config.settings["path"]).write_text(json.dumps(held))


@on(*OVER_HTTP)
def test_an_unknown_field_is_named_with_its_setting(crm: Office) -> None:
    """The refusal waits for a person, and says which field it is, of which setting, in the CRM's words."""
    (it,) = write(crm, Writing(call_fields={"nowhere__c": "x"}))
    (sent,) = crm.desk.show("x:1")["writes"]

    assert (it.outcome, sent["field"]) == ("refused", "nowhere__c")
    assert (it.reason or "").startswith("nowhere__c, of the setting call_fields: ")
    assert "nowhere__c" in (it.reason or "").partition(": ")[2]


@on(*OVER_HTTP)
def test_a_refused_value_is_named_with_its_setting(crm: Office) -> None:
    """A choice that the field does not have."""
    (it,) = write(crm, Writing(call_fields={named(crm, "level"): "middle"}))

    assert it.outcome == "refused"
    assert (it.reason or "").startswith(f"{named(crm, 'level')}, of the setting call_fields: ")


@on(*OVER_HTTP)
def test_one_that_is_refused_keeps_no_other_back(crm: Office) -> None:
    """The calls of a batch whose value fits are written."""
    settings = Writing(call_fields={named(crm, "level"): FromCall("outcome")})
    found = write(crm, settings, call(1, outcome="middle"), call(2, outcome="high"), call(3, outcome="low"))

    assert [it.outcome for it in found] == ["refused", "created", "created"]
    assert held(crm, "level", call_id="x:2") == {"level": "high"}


@on(*OVER_HTTP)
def test_what_the_connector_writes_itself_is_refused(crm: Office) -> None:
    """A setting cannot give an activity away, nor its key."""
    own = "OwnerId" if crm.config.crm == "salesforce" else "hubspot_owner_id"
    (it,) = write(crm, Writing(call_fields={own: "x"}))

    assert (it.outcome, it.reason) == (
        "refused",
        f"{own}, of the setting call_fields: the connector writes {own} itself",
    )


@on(*OVER_HTTP)
def test_a_required_field_can_be_given_a_value(crm: Office) -> None:
    """What the organization asks of every activity is no obstacle."""
    assert crm.sandbox is not None
    name = named(crm, "source")
    required: Any = [f"Task.{name}"] if crm.config.crm == "salesforce" else {"calls": [name]}
    crm.sandbox.org({"required_fields" if crm.config.crm == "salesforce" else "required": required})
    without = write(crm, Writing(), call(1))
    with_it = write(crm, Writing(call_fields={name: "Connector"}), call(2))

    assert [it.outcome for it in (*without, *with_it)] == ["refused", "created"]


def test_a_crm_without_them_refuses_the_setting_at_once(tmp_path: Path) -> None:
    """Before anything is looked up."""
    (tmp_path / "world.json").write_text("{}")
    manifest = replace(FILE, traits=FILE.traits - {"activity_fields"})
    with (
        bind(manifest, {"path": tmp_path / "world.json"}, ConnectionInfo("acme", ("FR",))) as connection,
        pytest.raises(UnsupportedError, match="file has no trait activity_fields"),
    ):
        Work(connection, FRANCE, Writing(call_fields={"a": 1}))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"a b": 1}, "call_fields: 'a b' is no name of a field; wanted letters, digits and _"),
        ({"a": FromCall("nothing")}, "call_fields.a: 'nothing' is none of id, provider"),
        ({"a": float("inf")}, "call_fields.a: should be a finite number"),
    ],
)
def test_a_setting_that_is_not_possible_is_told(fields: dict[str, Any], message: str) -> None:
    """In Python as in a file."""
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        Writing(call_fields=fields)


def test_a_draft_s_fields_read_back_from_the_ledger_as_they_were() -> None:
    """Text stays text, a number a number, true stays true."""

    class Row:
        draft = ""

    start = call().started_at
    fields = {"a": "1", "b": 1, "c": 1.5, "d": True}
    draft = ActivityDraft("x:1", "call", start, start, fields=fields)
    Row.draft = text_of_draft(draft)
    read: Any = read_draft(Row)  # type: ignore[arg-type]  # it has the one column that is read

    assert [(type(it), it) for it in read.fields.values()] == [(type(it), it) for it in fields.values()]


VALUES = st.sampled_from(["", " ", "a", "b", "1", "1.0", 1, 1.0, 2, True, "true", False])


@given(before=st.none() | VALUES, now=st.none() | VALUES, wanted=VALUES, readable=st.booleans())
def test_a_field_is_rewritten_where_it_says_what_we_wrote(before: Any, now: Any, wanted: Any, readable: bool) -> None:
    """Else it stays: as it is already, or kept since somebody changed it, or nobody can tell."""
    start = call().started_at
    draft = ActivityDraft(
        "x:1",
        "call",
        start,
        start,
        "T1",
        fields={"f": wanted},
        replaces=Replaced(fields={} if before is None else {"f": before}),
    )
    left, kept = remaining(draft, Current(fields={"f": now} if readable else {}))
    there = same_value(now if readable else None, wanted)
    ours = readable and same_value(now, before)

    assert (dict(left.fields), kept) == (
        {"f": wanted} if ours and not there else {},
        ("f",) if not ours and not there else (),
    )


def test_what_no_person_sees_goes_into_no_field() -> None:
    """No service can be relied on to store a control."""
    said = fields_of(call(title="Weekly\x00 call", tags=["de\x1bmo"]), {it: FromCall(it) for it in ("title", "tags")})

    assert said == {"title": "Weekly call", "tags": "demo"}


TEXTS = st.text(max_size=8)


@given(tags=st.lists(TEXTS, max_size=3), title=st.none() | TEXTS, seconds=st.none() | st.floats(0, 1e6))
def test_every_word_of_a_call_is_a_plain_value_or_nothing(
    tags: list[str], title: str | None, seconds: float | None
) -> None:
    """Whatever the call says: text that is not empty, or a number."""
    said = fields_of(call(tags=tags, title=title, duration_seconds=seconds), {name: FromCall(name) for name in SAID})

    assert [value for value in said.values() if not isinstance(value, str | int | float) or value == ""] == []
    assert said.get("duration_seconds") == seconds
