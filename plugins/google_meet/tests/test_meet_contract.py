"""Google Meet keeps the contract with call providers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.events import ENDED
from connector_google_meet.sandbox import Conference, GoogleSandbox
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
        """Serve Google's certificates, subscriptions, and a conference."""
        at = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(days=1)
        times = {"start_time": at - dt.timedelta(hours=1), "end_time": at}
        conference = Conference(RECORD.partition("/")[2], **{key: _written(time) for key, time in times.items()})
        with SandboxServer(GoogleSandbox([conference])) as server:
            cls.settings = server.settings
            cls.listed, cls.listed_since = [f"google_meet:{conference.id}"], at - dt.timedelta(days=7)
            cls.others = {**server.settings, "push_account": "push@another.iam.gserviceaccount.com"}
            cls.samples = tuple(Sample(push(event, data)) for event, data in EVENTS.items())
            yield


def _written(at: dt.datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
