"""From webhooks over the ledger into a CRM: a meeting is written once it ended, and completed by what is read later."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_zoom.sandbox import ACCOUNT_ID, SECRET_TOKEN, PastMeeting, ZoomSandbox

from connector_core.cli import main
from connector_core.config import ConnectionConfig
from connector_core.fetching import Fetching
from connector_core.ledger.ledger import Ledger
from connector_core.providers.hookspecs import Delivery
from connector_core.pump import Pump
from connector_core.receiving import Receiver, Source
from connector_core.testing.server import SandboxServer

Sign = Callable[..., Delivery]

UUID = "hwkAADUySwyG3GyUkqc0vA=="
ROOM = {"uuid": UUID, "host_id": "ada", "topic": "Discovery call", "start_time": "2024-06-13T12:00:03Z", "duration": 60}
CARL = {"id": "", "user_id": "2", "name": "Carl Customer", "user_email": "carl@buyer.example"}
MEETING = PastMeeting(
    uuid=UUID,
    id=86431910364,
    host_id="ada",
    topic="Discovery call",
    start_time="2024-06-13T12:00:03Z",
    end_time="2024-06-13T12:41:31Z",
    user_name="Ada Agent",
    user_email="ada@seller.example",
    participants=({"id": "ada", "user_id": "1", "name": "Ada Agent", "user_email": "ada@seller.example"}, CARL),
    transcripts={"2024-06-13T12:00:13Z": "WEBVTT\n\n00:01.000 --> 00:02.000\nCarl: Hello\n"},
)
WORLD = {"people": [{"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]}]}


def event(name: str, **more: Any) -> bytes:
    payload = {"account_id": ACCOUNT_ID, "object": {**ROOM, **more}}
    return json.dumps({"event": name, "event_ts": 1718282491482, "payload": payload}).encode()


ENDED = event("meeting.ended", end_time="2024-06-13T12:41:31Z")
RECORDED = event("recording.transcript_completed", share_url="https://zoom.us/rec/share/invented")


class Office:
    """A ledger, a provider that reads at a sandbox, and a CRM in a file."""

    def __init__(self, folder: Path, server: SandboxServer, sign: Sign) -> None:
        self.now = dt.datetime(2024, 6, 13, 12, 42, tzinfo=dt.UTC).timestamp()
        self.world = folder / "world.json"
        self.world.write_text(json.dumps(WORLD))
        self.sign = sign
        settings = {"path": "world.json"}
        config = ConnectionConfig("acme", "file", settings, directory=folder, providers={"zoom": server.settings})
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}", clock=lambda: self.now)
        self.opened = config.open()
        source = Source(self.opened.sources.get("zoom"))
        self.receiver = Receiver(self.ledger, lambda connection, provider: source)

    def receive(self, *bodies: bytes) -> None:
        """Receive webhooks."""
        for body in bodies:
            assert self.receiver.receive("acme", "zoom", self.sign(body, secret=SECRET_TOKEN)) is not None

    def work(self, after_seconds: float = 0.0) -> None:
        """Let time pass, read what is due, and write what is due."""
        self.now += after_seconds
        Fetching(self.ledger, self.opened).read()
        Pump(self.ledger, self.opened).run()

    def activities(self) -> list[dict[str, Any]]:
        """Give what the CRM has."""
        found: list[dict[str, Any]] = json.loads(self.world.read_text()).get("activities", [])
        return found

    def close(self) -> None:
        """Let go of everything."""
        self.opened.close()
        self.ledger.close()


@pytest.fixture
def office(tmp_path: Path, sign: Sign) -> Iterator[Office]:
    with SandboxServer(ZoomSandbox([MEETING])) as server:
        opened = Office(tmp_path, server, sign)
        yield opened
        opened.close()


def test_a_meeting_is_written_once_it_ended(office: Office) -> None:
    """A recording that was told before is no end."""
    office.receive(RECORDED)
    office.work()
    before = office.activities()
    office.receive(ENDED)
    office.work()
    assert (before, [it["call_id"] for it in office.activities()]) == ([], [f"zoom:{UUID}"])


def test_who_was_there_completes_what_was_written(office: Office) -> None:
    """Ten minutes later they are read, and stand in the same activity."""
    office.receive(ENDED)
    office.work()
    before = [it.get("person_ids", []) for it in office.activities()]
    office.work(after_seconds=601)
    assert (before, [it["person_ids"] for it in office.activities()]) == ([[]], [["C1"]])


def test_all_that_comes_twice_is_one_activity(office: Office) -> None:
    """Whatever the order."""
    for bodies in ((RECORDED, ENDED), (ENDED, ENDED), (ENDED, RECORDED)):
        office.receive(*bodies)
        office.work(after_seconds=700)
    (activity,) = office.activities()
    assert activity["person_ids"] == ["C1"]
    assert "https://zoom.us/rec/share/invented" in activity["body"]


def test_bodies_in_a_file_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They need no signature there, and nothing is read for them."""
    who = {"id": "", "user_id": "2", "user_name": "Carl Customer", "email": "carl@buyer.example"}
    bodies = [event("meeting.started"), event("meeting.participant_joined", participant=who), ENDED]
    (tmp_path / "bodies.jsonl").write_bytes(b"\n".join(bodies))
    (tmp_path / "world.json").write_text(json.dumps(WORLD))
    (tmp_path / "connector.toml").write_text(
        '[connections.acme]\ncrm = "file"\n[connections.acme.settings]\npath = "world.json"\n'
        '[providers.zoom]\nsecret_token = "env:ZOOM_SECRET_TOKEN"\n'
    )
    monkeypatch.setenv("ZOOM_SECRET_TOKEN", "invented")
    monkeypatch.chdir(tmp_path)
    assert main(["sync", "bodies.jsonl", "--provider", "zoom", "--connection", "acme", "--json"]) == 0
    capsys.readouterr()
    (activity,) = json.loads((tmp_path / "world.json").read_text())["activities"]
    assert (activity["call_id"], activity["person_ids"]) == (f"zoom:{UUID}", ["C1"])
