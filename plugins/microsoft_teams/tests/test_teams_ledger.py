"""From notifications over the ledger into a CRM: a call is written once its record can be read, and completed later."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_microsoft_teams.sandbox import CLIENT_STATE, TENANT_ID, GraphSandbox, Tenant

from connector_core.config import ConnectionConfig
from connector_core.fetching import Fetching
from connector_core.ledger.ledger import Ledger
from connector_core.providers.hookspecs import Delivery
from connector_core.pump import Pump
from connector_core.receiving import Receiver, Source
from connector_core.testing.server import SandboxServer

Item = Callable[..., dict[str, Any]]

RECORD_ID = "e523d2ed-2966-4b6b-925b-754a88034cc5"
ADA_ID = "42559007-03c6-42c8-971f-cb79fd381a5a"
JOIN = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MGU5%40thread.v2/0"
PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]},
    {"kind": "contact", "id": "C2", "name": "Paula Purchase", "emails": ["paula@buyer.example"]},
]


def party(user_id: str, login: str, tenant_id: str) -> dict[str, Any]:
    who = {"id": user_id, "displayName": login.partition("@")[0], "tenantId": tenant_id, "userPrincipalName": login}
    return {"id": user_id, "identity": {"user": who}}


ADA = party(ADA_ID, "ada@seller.example", TENANT_ID)
CARL = party("c", "carl@buyer.example", "11111111-2222-3333-4444-555555555555")
EVENT = {
    "id": "e",
    "subject": "Discovery call",
    "start": {"dateTime": "2025-08-15T12:30:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2025-08-15T13:00:00.0000000", "timeZone": "UTC"},
    "lastModifiedDateTime": "2025-08-14T09:00:00Z",
    "attendees": [{"type": "required", "emailAddress": {"name": "Paula", "address": "paula@buyer.example"}}],
    "onlineMeeting": {"joinUrl": JOIN},
}


def record(version: int, *people: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": RECORD_ID,
        "version": version,
        "type": "groupCall",
        "startDateTime": "2025-08-15T12:23:32.922748Z",
        "endDateTime": "2025-08-15T12:58:26.0904416Z",
        "joinWebUrl": JOIN,
        "organizer_v2": ADA,
        "participants_v2": list(people),
    }


class Office:
    """A ledger, a provider that reads at a sandbox, and a CRM in a file."""

    def __init__(self, folder: Path, server: SandboxServer, tenant: Tenant) -> None:
        self.tenant = tenant
        self.now = dt.datetime(2025, 8, 15, 13, 30, tzinfo=dt.UTC).timestamp()
        self.world = folder / "world.json"
        self.world.write_text(json.dumps({"people": PEOPLE}))
        providers = {"microsoft_teams": server.settings}
        config = ConnectionConfig("acme", "file", {"path": "world.json"}, directory=folder, providers=providers)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}", clock=lambda: self.now)
        self.opened = config.open()
        source = Source(self.opened.sources.get("microsoft_teams"))
        self.receiver = Receiver(self.ledger, lambda _connection, _provider: source)

    def receive(self, *items: dict[str, Any]) -> None:
        """Receive one delivery."""
        own = [it | {"tenantId": TENANT_ID, "clientState": CLIENT_STATE} for it in items]
        delivery = Delivery(json.dumps({"value": own}).encode())
        assert self.receiver.receive("acme", "microsoft_teams", delivery) is not None

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
def office(tmp_path: Path) -> Iterator[Office]:
    tenant = Tenant()
    with SandboxServer(GraphSandbox(tenant)) as server:
        opened = Office(tmp_path, server, tenant)
        yield opened
        opened.close()


def test_a_call_is_written_once_its_record_can_be_read(office: Office, item: Item) -> None:
    """The notification may be ahead of it."""
    office.receive(item(RECORD_ID))
    office.work()
    before = office.activities()
    office.tenant.records.append(record(1, ADA, CARL))
    office.work(after_seconds=1000)
    assert (before, [it["person_ids"] for it in office.activities()]) == ([], [["C1"]])


def test_a_later_version_completes_the_one_activity(office: Office, item: Item) -> None:
    """Version 1 may lack people."""
    office.tenant.records.append(record(1, ADA))
    office.receive(item(RECORD_ID))
    office.work()
    office.tenant.records[0] = record(2, ADA, CARL)
    office.receive(item(RECORD_ID, changeType="updated"))
    office.work(after_seconds=60)
    assert [it["person_ids"] for it in office.activities()] == [["C1"]]


def test_a_notification_that_comes_again_changes_nothing(office: Office, item: Item) -> None:
    """Graph delivers for hours until it is answered."""
    office.tenant.records.append(record(1, ADA, CARL))
    office.receive(item(RECORD_ID))
    office.work()
    before = office.activities()
    office.receive(item(RECORD_ID), item(RECORD_ID))
    office.work(after_seconds=60)
    assert office.activities() == before


def test_a_forged_id_is_no_call(office: Office, item: Item) -> None:
    """What an id stands for is read from Graph, which has none."""
    office.receive(item("00000000-0000-0000-0000-000000000000"))
    for _ in range(3):
        office.work(after_seconds=1000)
    assert office.activities() == []


def test_the_subject_comes_from_the_calendar(office: Office, item: Item) -> None:
    """A record has none."""
    office.tenant.records.append(record(1, ADA, CARL))
    office.tenant.events[ADA_ID] = [EVENT]
    office.receive(item(RECORD_ID))
    office.work()
    (activity,) = office.activities()
    assert activity["title"] == "Discovery call"
