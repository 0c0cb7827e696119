"""What was said, as a note of its own beside the activity: once a call, whatever happens in between."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from office import FRANCE, Office, call, office, restarted

from connector_core.binding import bind
from connector_core.config import ConnectionConfig
from connector_core.crms import FILE
from connector_core.errors import ConfigurationError, UnsupportedError
from connector_core.ledger.ledger import Ledger
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.pump import Pump
from connector_core.settling import sync_settled
from connector_core.sync import SyncResult, sync
from connector_core.work import Work
from connector_core.writing import Writing

CRMS = ("file", "hubspot", "salesforce")
SERVICES = CRMS[1:]
SUMMARY = Writing(note_parts=("summary",))
POINTS = ("claimed", "decided", "noted", "sent", "kept")


@pytest.fixture(params=CRMS)
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Open an office whose connection writes summaries as notes."""
    with office(request.param, tmp_path) as it, restarted(with_notes(it)) as noting:
        yield noting


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """Open such an office with the sandbox of a service."""
    with office(request.param, tmp_path) as it, restarted(with_notes(it)) as noting:
        yield noting


def with_notes(it: Office, writing: Writing = SUMMARY) -> Office:
    return replace(it, config=replace(it.config, writing=writing))


def said(number: int = 1, summary: str | None = "They buy.", **more: Any) -> Call:
    return call(number, summary=summary, **more)


def notes(crm: Office, call_id: str = "x:1") -> list[dict[str, Any]]:
    """Give the notes of a call."""
    held = crm.records()
    names = {"hubspot": "notes", "salesforce": "ContentNote"}
    name = names.get(crm.config.crm)
    rows = held[name] if name else [it for it in held["activities"] if it["kind"] == "note"]
    return [dict(row) for row in rows if f"ref: {call_id}" in json.dumps(row)]


def activities(crm: Office, call_id: str = "x:1") -> list[dict[str, Any]]:
    """Give what else stands there of a call."""
    found = notes(crm, call_id)
    rows = [dict(row) for rows in crm.records().values() for row in rows]
    return [row for row in rows if f"ref: {call_id}" in json.dumps(row) and row not in found]


def body(note: dict[str, Any]) -> str:
    if "Content" in note:
        return base64.b64decode(note["Content"]).decode()
    text: str = note["properties"]["hs_note_body"] if "properties" in note else note["body"]
    return text


def linked(crm: Office, row: dict[str, Any]) -> set[str]:
    """Give the records of the seed that a row names."""
    names = ("associations", "person_ids", "account_id", "opportunity_id", "WhoId", "WhatId", "AccountId")
    links = crm.records().get("ContentDocumentLink", ())
    related = [it["LinkedEntityId"] for it in links if it["ContentDocumentId"] == row.get("Id")]
    text = json.dumps([*(row.get(name) for name in names), *related])
    return {seed for seed, there in crm.ids.items() if f'"{there}"' in text}


def without_ledger(crm: Office, *calls: Call) -> list[SyncResult]:
    with crm.config.open() as opened:
        return list(sync(opened.connection, calls, FRANCE, writing=SUMMARY, sleep=lambda _: None))


def fault(crm: Office, does: dict[str, Any]) -> None:
    """Let something happen to the next creation of notes."""
    assert crm.server is not None
    path = {"hubspot": "*/notes/batch/create", "salesforce": "*/composite/graph"}[crm.config.crm]
    crm.server._set_faults([{"match": {"method": "POST", "path": path}, "times": 1, "do": does}])


def test_what_was_said_stands_in_a_note(crm: Office) -> None:
    """The summary, between the facts and the line that says of which call it is."""
    crm.sync(said())

    (note,) = notes(crm)
    assert "They buy." in body(note)


def test_a_note_is_linked_as_the_activity_is(crm: Office) -> None:
    """To the person, the account and the opportunity."""
    crm.sync(said())
    (note,), (activity,) = notes(crm), activities(crm)

    assert linked(crm, note) == linked(crm, activity) == {"C1", "A1", "O1"}


def test_the_outcome_is_that_of_the_activity(crm: Office) -> None:
    """The note adds nothing to it."""
    (standing,) = crm.sync(said())

    assert (standing.outcome, standing.reason) == ("created", None)


def test_a_call_that_is_synced_again_keeps_its_one_note(crm: Office) -> None:
    """Also where it says more by then: a note is written once."""
    crm.sync(said())
    crm.sync(said(summary="They buy more."))

    assert ["They buy." in body(note) for note in notes(crm)] == [True]


def test_a_summary_that_comes_later_gets_its_note_then(crm: Office) -> None:
    """Until then there is nothing to write one of."""
    crm.sync(said(summary=None))
    before = len(notes(crm))
    crm.sync(said())

    assert (before, len(notes(crm))) == (0, 1)


def test_a_note_has_no_part_that_was_not_asked_for(crm: Office) -> None:
    """Topics stand in the activity alone."""
    crm.sync(said(topics=["pricing"]))

    assert ("pricing" in body(notes(crm)[0]), "pricing" in json.dumps(activities(crm))) == (False, True)


def test_without_the_setting_there_is_no_note(crm: Office) -> None:
    """It is off by default."""
    with restarted(with_notes(crm, Writing())) as plain:
        plain.sync(said())

    assert (len(notes(crm)), len(activities(crm))) == (0, 1)


def test_a_new_ledger_finds_the_note_that_is_there(crm: Office, tmp_path: Path) -> None:
    """It is recognised in the CRM, by its last line."""
    crm.sync(said())
    with Ledger(f"sqlite:///{tmp_path / 'new.db'}") as ledger, crm.config.open() as opened:
        list(sync_settled(ledger, opened, [said()], sleep=lambda _: None))

    assert (len(notes(crm)), len(activities(crm))) == (1, 1)


def test_a_note_that_outlived_its_activity_is_the_call_s_still(service: Office, tmp_path: Path) -> None:
    """Somebody deleted the activity, and the ledger is gone: the activity is written anew, and no second note."""
    service.sync(said())
    assert service.sandbox is not None
    kind = {"hubspot": "calls", "salesforce": "Task"}[service.config.crm]
    (activity,) = activities(service)
    service.sandbox.patch(kind, activity.get("id") or activity["Id"], {}, delete=True, merge_into=None)
    with Ledger(f"sqlite:///{tmp_path / 'new.db'}") as ledger, service.config.open() as opened:
        list(sync_settled(ledger, opened, [said()], sleep=lambda _: None))

    assert (len(notes(service)), len(activities(service))) == (1, 1)


@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("point", POINTS)
def test_a_pump_that_dies_anywhere_leaves_one_note(crm: Office, point: str, time: int) -> None:
    """The next one knows from the ledger what may have been sent. The second time is that of the note."""
    left = [time]

    def reached(here: str) -> None:
        left[0] -= here == point
        if left[0] == 0:
            raise KeyboardInterrupt

    crm.ledger.inbox.accept("acme", [said()])
    with crm.config.open() as opened:
        pump = Pump(crm.ledger, opened, in_flight=1, reached=reached)
        with suppress(KeyboardInterrupt):
            pump.run()
    for _ in range(3):
        crm.ledger.inbox.hurry("acme", ["x:1"])
        crm.settle()

    assert (len(notes(crm)), len(activities(crm))) == (1, 1)


def test_a_call_whose_note_is_next_is_given_to_nobody_else(crm: Office) -> None:
    """Between its activity and its note it stays claimed, even when somebody hurries it."""
    claimed: list[int] = []

    def reached(here: str) -> None:
        if here == "kept":
            crm.ledger.inbox.hurry("acme", ["x:1"])
            claimed.append(len(pump._ledger.jobs.claim(leases[0], 10)))

    leases: list[Any] = []

    class Seen(Pump):
        def claim(self, lease: Any) -> Any:
            leases.append(lease)
            return super().claim(lease)

    crm.ledger.inbox.accept("acme", [said()])
    with crm.config.open() as opened:
        pump = Seen(crm.ledger, opened, in_flight=1, reached=reached)
        pump.run()

    assert (claimed, len(notes(crm))) == ([0, 0], 1)


def test_a_note_that_was_not_answered_is_looked_for(service: Office) -> None:
    """It was written: that is found out, and it is not sent again."""
    fault(service, {"drop_after_commit": True})
    (standing,) = service.sync(said())

    assert (standing.outcome, len(notes(service))) == ("created", 1)


def test_a_note_that_was_not_answered_and_not_written_is_sent_again(service: Office) -> None:
    """It is looked for, and is not there."""
    fault(service, {"status": 502, "body": "bad gateway"})
    (standing,) = service.sync(said())

    assert (standing.state, len(notes(service))) == ("written", 1)


def test_a_note_that_is_refused_asks_a_person(service: Office) -> None:
    """The activity stays, and the reason says what was refused."""
    assert service.sandbox is not None
    changes: Mapping[str, dict[str, Any]] = {
        "hubspot": {"required": {"notes": ["hubspot_owner_id"]}},
        "salesforce": {"missing_rights": {"ContentNote": ["create"]}},
    }
    service.sandbox.org(changes[service.config.crm])
    (standing,) = service.sync(said(organizer={"email": "nobody@seller.example"}))

    assert (standing.outcome, (standing.reason or "")[:9], len(activities(service))) == ("refused", "its note:", 1)


def test_where_salesforce_has_notes_switched_off_they_wait(tmp_path: Path) -> None:
    """The activity is written, the reason says what to switch on, and once that is done the note is written."""
    with office("salesforce", tmp_path) as it, restarted(with_notes(it)) as crm:
        assert crm.sandbox is not None
        crm.sandbox.org({"missing_rights": {"ContentNote": ["read"]}})
        (standing,) = crm.sync(said())
        before = (standing.outcome, len(notes(crm)), len(activities(crm)))
        crm.sandbox.org({"missing_rights": {}})
        crm.ledger.inbox.hurry("acme", ["x:1"])
        crm.settle()

        assert (before, len(notes(crm)), len(activities(crm))) == (("deferred", 0, 1), 1, 1)
        assert "Setup, Notes Settings" in (standing.reason or "")


def test_notes_of_two_hundred_calls_take_four_requests_more(tmp_path: Path) -> None:
    """One to look for them, and one for 75 of them."""
    spent = []
    for number, writing in enumerate((Writing(), SUMMARY)):
        (tmp_path / str(number)).mkdir()
        with office("salesforce", tmp_path / str(number)) as it, restarted(with_notes(it, writing)) as crm:
            assert crm.server is not None
            crm.sync(*(said(1, id=f"x:{place}.") for place in range(200)))
            spent.append(sum(int(entry["api_calls"]) for entry in crm.server._journal))

    assert spent[1] - spent[0] == 4


def test_who_owns_the_activity_owns_the_note(crm: Office) -> None:
    """The organizer, whom the CRM knows by the e-mail address; on Salesforce the connection's own user, who writes it."""
    crm.sync(said(organizer={"email": "ada@seller.example"}))
    (note,) = notes(crm)
    owners = {"file": note.get("owner_id"), "hubspot": note.get("properties", {}).get("hubspot_owner_id")}
    owner, wanted = owners.get(crm.config.crm, note.get("OwnerId")), crm.id("U1")

    assert owner == (note["CreatedById"] if crm.config.crm == "salesforce" else wanted)


def test_without_a_ledger_a_call_has_one_note_too(crm: Office) -> None:
    """The note is looked for in the CRM, as the activity is."""
    first = [it.outcome for it in without_ledger(crm, said())]
    again = [it.outcome for it in without_ledger(crm, said())]

    assert (first, again, len(notes(crm))) == (["created"], ["unchanged"], 1)


def test_without_a_ledger_a_lost_answer_makes_no_second_note(service: Office) -> None:
    """It is looked for once it has settled."""
    fault(service, {"drop_after_commit": True})
    outcomes = [it.outcome for it in without_ledger(service, said())]

    assert (outcomes, len(notes(service))) == (["created"], 1)


def test_many_calls_have_a_note_each(crm: Office) -> None:
    """More than HubSpot takes in one request; those that say nothing have none."""
    calls = [said(1, summary="Odd." if number % 2 else None, id=f"x:{number}.") for number in range(1, 121)]
    crm.sync(*calls)

    assert [len(notes(crm, it.id)) for it in calls] == [1, 0] * 60


def test_a_crm_without_notes_refuses_the_setting(tmp_path: Path) -> None:
    """Before anything is looked up."""
    (tmp_path / "world.json").write_text("{}")
    manifest = replace(FILE, traits=FILE.traits - {"notes"})
    with (
        bind(manifest, {"path": tmp_path / "world.json"}, ConnectionInfo("acme", ("FR",))) as connection,
        pytest.raises(UnsupportedError, match="file has no trait notes"),
    ):
        Work(connection, FRANCE, SUMMARY)


def test_a_configuration_names_the_crm_that_has_none() -> None:
    """With what to do."""
    config = ConnectionConfig("acme", "odoo", {}, FRANCE, SUMMARY)
    with pytest.raises(ConfigurationError, match="acme, note_parts: Odoo takes no notes; leave it out"):
        config.open()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("link",), "note_parts: 'link' is none of summary, highlights, topics, notes, comments, tags"),
        (("summary", "summary"), "note_parts: 'summary' is there twice; name each part once"),
    ],
)
def test_a_part_that_says_nothing_makes_no_note(parts: tuple[str, ...], message: str) -> None:
    """In Python as in a file."""
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        Writing(note_parts=parts)
