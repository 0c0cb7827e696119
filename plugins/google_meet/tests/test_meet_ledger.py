"""From a push over the ledger into a CRM: a conference is written once it was read, and completed by what comes later."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_google_meet.events import ENDED
from connector_google_meet.sandbox_signing import push

from connector_core.config import ConnectionConfig
from connector_core.fetching import Fetching
from connector_core.ledger.ledger import Ledger
from connector_core.pump import Pump
from connector_core.receiving import Receiver, Source

RECORD = "conferenceRecords/de0f04e5-04d5-4c57-8cd8-afe589a190aa"
CALL_ID = "google_meet:de0f04e5-04d5-4c57-8cd8-afe589a190aa"
CRM = {"people": [{"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]}]}
RECORDED = "google.workspace.meet.recording.v2.fileGenerated"


class Office:
    """A ledger, Meet that reads at a sandbox, and a CRM in a file."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.now = dt.datetime(2026, 3, 2, 9, 42, tzinfo=dt.UTC).timestamp()
        self.crm = folder / "world.json"
        self.crm.write_text(json.dumps(CRM))
        providers = {"google_meet": settings}
        config = ConnectionConfig("acme", "file", {"path": "world.json"}, directory=folder, providers=providers)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}", clock=lambda: self.now)
        self.opened = config.open()
        source = Source(self.opened.sources.get("google_meet"))
        self.receiver = Receiver(self.ledger, lambda connection, provider: source)

    def receive(self, event: str, key: str, name: str, **more: Any) -> str:
        """Receive a push; give what became of it."""
        received = self.receiver.receive("acme", "google_meet", push(event, {key: {"name": name}}, **more))
        assert received is not None
        return received.verdict

    def work(self, after_seconds: float = 0.0) -> None:
        """Let time pass, read what is due, and write what is due."""
        self.now += after_seconds
        Fetching(self.ledger, self.opened).read()
        Pump(self.ledger, self.opened).run()

    def activities(self) -> list[dict[str, Any]]:
        """Give what the CRM has."""
        found: list[dict[str, Any]] = json.loads(self.crm.read_text()).get("activities", [])
        return found

    def close(self) -> None:
        """Let go of everything."""
        self.opened.close()
        self.ledger.close()


@pytest.fixture
def office(tmp_path: Path, world: Any) -> Iterator[Office]:
    opened = Office(tmp_path, world.settings)
    yield opened
    opened.close()


def test_a_conference_is_written_once_it_was_read(office: Office) -> None:
    """A minute after its end, with the guest who was invited."""
    office.receive(ENDED, "conferenceRecord", RECORD)
    office.work()
    before = office.activities()
    office.work(after_seconds=61)
    (activity,) = office.activities()
    assert (before, activity["call_id"], activity["person_ids"]) == ([], CALL_ID, ["C1"])


def test_a_recording_completes_what_was_written(office: Office) -> None:
    """It comes later, and alone writes nothing."""
    office.receive(RECORDED, "recording", f"{RECORD}/recordings/r1")
    office.work()
    before = office.activities()
    office.receive(ENDED, "conferenceRecord", RECORD)
    office.work(after_seconds=61)
    (activity,) = office.activities()
    assert (before, "https://drive.google.com/file/d/1AbCdEf/view" in activity["body"]) == ([], True)


def test_all_that_comes_twice_is_one_activity(office: Office) -> None:
    """Also by two subscriptions, of a user and of a room."""
    for subscription in ("user-1", "space-1", "user-1"):
        office.receive(ENDED, "conferenceRecord", RECORD, subscription=subscription)
        office.work(after_seconds=61)
    assert [activity["call_id"] for activity in office.activities()] == [CALL_ID]


def test_other_events_are_understood_and_not_kept(office: Office) -> None:
    """Pub/Sub is not to send them again."""
    name = f"{RECORD}/participants/1/participantSessions/389"
    assert office.receive("google.workspace.meet.participant.v2.left", "participantSession", name) == "ignored"
