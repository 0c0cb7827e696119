"""What the tests of this plugin share: conferences, a sandbox that serves them, and a provider that reads there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import requests
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.adapter import MeetAdapter
from connector_google_meet.sandbox import Conference, GoogleSandbox
from connector_google_meet.settings import MeetSettings

from connector_core import policy
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Announced, Later, Part
from connector_core.testing.server import SandboxServer

ID = "de0f04e5-04d5-4c57-8cd8-afe589a190aa"
RECORD = f"conferenceRecords/{ID}"
PEOPLE = (
    {"name": f"{RECORD}/participants/c4d2", "phoneUser": {"displayName": "+33 6 •• •• •• 78"}},
    {"name": f"{RECORD}/participants/b3f1", "anonymousUser": {"displayName": "Carl"}},
    {
        "name": f"{RECORD}/participants/100000000000000000001",
        "signedinUser": {"user": "users/100000000000000000001", "displayName": "Ada Agent"},
        "earliestStartTime": "2026-03-02T09:00:03.120Z",
        "latestEndTime": "2026-03-02T09:41:31.482913Z",
    },
)
CONFERENCE = Conference(
    id=ID,
    start_time="2026-03-02T09:00:03.120Z",
    end_time="2026-03-02T09:41:31.482913Z",
    participants=PEOPLE,
    recordings=(
        {
            "name": f"{RECORD}/recordings/r1",
            "state": "FILE_GENERATED",
            "startTime": "2026-03-02T09:00:30Z",
            "driveDestination": {"file": "1AbCdEf", "exportUri": "https://drive.google.com/file/d/1AbCdEf/view"},
        },
    ),
    transcripts=({"name": f"{RECORD}/transcripts/t1", "state": "FILE_GENERATED", "startTime": "2026-03-02T09:00:30Z"},),
    entries={
        "t1": (
            {
                "name": f"{RECORD}/transcripts/t1/entries/e1",
                "participant": f"{RECORD}/participants/b3f1",
                "text": "Hello",
                "startTime": "2026-03-02T09:01:03.620Z",
            },
        )
    },
    smart_notes=(
        {
            "name": f"{RECORD}/smartNotes/n1",
            "state": "FILE_GENERATED",
            "docsDestination": {"document": "1XyZ_0123456789", "exportUri": "https://docs.google.com/document/d/1XyZ"},
        },
    ),
)
EVENT: dict[str, Any] = {
    "id": "event1",
    "status": "confirmed",
    "summary": "Discovery call Buyer SA",
    "start": {"dateTime": "2026-03-02T09:00:00Z"},
    "end": {"dateTime": "2026-03-02T10:00:00Z"},
    "organizer": {"email": "ada@seller.example", "displayName": "Ada Agent", "self": True},
    "attendees": [
        {"email": "ada@seller.example", "organizer": True, "self": True, "responseStatus": "accepted"},
        {"email": "carl@buyer.example", "displayName": "Carl Customer", "responseStatus": "needsAction"},
        {"email": "room1@resource.calendar.google.com", "resource": True, "responseStatus": "accepted"},
    ],
    "conferenceData": {"conferenceId": "abc-mnop-xyz"},
    "hangoutLink": "https://meet.google.com/abc-mnop-xyz",
}
NOTES = {"1XyZ_0123456789": "Notes\r\nCarl wants a quote.\r\n"}


class World:
    """A served sandbox, and a provider that reads there."""

    def __init__(self, conferences: tuple[Conference, ...], calendars: Mapping[str, Any]) -> None:
        self.server = SandboxServer(GoogleSandbox(conferences, calendars=calendars, documents=NOTES)).start()
        self.settings = self.server.settings
        self.meet = bind_provider(GOOGLE_MEET, self.settings)
        self.adapter = MeetAdapter(MeetSettings.model_validate(self.settings))

    def read(self, what: str = "conference@s1", call_id: str = f"google_meet:{ID}") -> tuple[Part, ...] | Later:
        """Read one thing."""
        announced = Announced(call_id, what)
        return self.meet.fetch([announced])[announced]

    def control(self, name: str, value: object) -> None:
        """Change the sandbox."""
        assert requests.post(f"{self.server.url}/_sandbox/{name}", json=value, timeout=60).status_code == 200

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Let things go wrong."""
        self.control("faults", list(rules))

    def asked(self) -> list[tuple[str, int]]:
        """Give what was asked for, and the status of the answers."""
        journal = requests.get(f"{self.server.url}/_sandbox/journal", timeout=60).json()
        return [(entry["path"], entry["status"]) for entry in journal]

    def subscriptions(self) -> list[dict[str, Any]]:
        """Give the subscriptions that Google holds."""
        records = requests.get(f"{self.server.url}/_sandbox/records", timeout=60).json()
        found: list[dict[str, Any]] = records["subscriptions"]
        return found

    def close(self) -> None:
        """Let go of all."""
        self.adapter.close()
        self.meet.close()
        self.server.close()


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Make worlds of conferences and of Ada's calendar; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    made: list[World] = []

    def of(*conferences: Conference, events: tuple[Mapping[str, Any], ...] = (EVENT,)) -> World:
        made.append(World(conferences or (CONFERENCE,), {"ada@seller.example": events}))
        return made[-1]

    yield of
    for world in made:
        world.close()


@pytest.fixture
def world(make: Callable[..., World]) -> World:
    """The world of the one conference."""
    return make()


@pytest.fixture
def conference() -> Callable[..., Conference]:
    """Make a conference that differs in some things."""
    return lambda **changes: replace(CONFERENCE, **changes)


@pytest.fixture
def event() -> Callable[..., dict[str, Any]]:
    """Make an event of the calendar that differs in some things."""
    return lambda **changes: {**EVENT, **changes}
