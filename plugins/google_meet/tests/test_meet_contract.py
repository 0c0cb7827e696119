"""Google Meet keeps the contract with call providers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.events import ENDED
from connector_google_meet.sandbox import GoogleSandbox
from connector_google_meet.sandbox_signing import push

from connector_core.testing.providers import ProviderContract, Sample
from connector_core.testing.server import SandboxServer

RECORD = "conferenceRecords/de0f04e5-04d5-4c57-8cd8-afe589a190aa"
EVENTS = {
    ENDED: {"conferenceRecord": {"name": RECORD}},
    "google.workspace.meet.recording.v2.fileGenerated": {"recording": {"name": f"{RECORD}/recordings/r1"}},
    "google.workspace.meet.transcript.v2.fileGenerated": {"transcript": {"name": f"{RECORD}/transcripts/t1"}},
    "google.workspace.meet.smartNote.v2.fileGenerated": {"smartNote": {"name": f"{RECORD}/smartNotes/n1"}},
    "google.workspace.meet.participant.v2.joined": {
        "participantSession": {"name": f"{RECORD}/participants/1/participantSessions/389"}
    },
}


class TestGoogleMeet(ProviderContract, manifest=GOOGLE_MEET, settings={}, others={}):
    """Google Meet keeps the connector's contract; events carry names alone, so that none tells a call by itself."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _served(cls) -> Iterator[None]:
        """Serve Google's certificates."""
        with SandboxServer(GoogleSandbox()) as server:
            cls.settings = server.settings
            cls.others = {**server.settings, "push_account": "push@another.iam.gserviceaccount.com"}
            cls.samples = tuple(Sample(push(event, data)) for event, data in EVENTS.items())
            yield
