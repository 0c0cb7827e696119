"""Google Meet keeps the contract with call providers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.events import ENDED
from connector_google_meet.sandbox import GoogleSandbox
from connector_google_meet.sandbox_signing import push

from connector_core.errors import CredentialsError
from connector_core.providers.binding import Provider
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

    def test_p_proof_3_an_event_that_was_changed_is_refused(self, provider: Provider) -> None:
        """P-PROOF-3 cannot hold: Google's token says nothing of the body, only for whom and as whom it was signed.

        So what is changed is that; what a body names is read from Google, and is believed for nothing else.
        """
        for it in self.samples:
            head, claims, signature = it.delivery.headers["authorization"].split(".")
            for token in (f"{head}.{claims[:-1]}.{signature}", f"{head}.{claims}.{signature[:-8]}AAAAAAAA"):
                with pytest.raises(CredentialsError):
                    provider.verify(replace(it.delivery, headers={"authorization": token}))

    def test_p_proof_3b_a_push_of_another_subscription_is_refused(self, provider: Provider) -> None:
        """Whoever may have Google sign for our audience still has to send what our subscription does."""
        for it in self.samples:
            body = json.loads(it.delivery.body) | {"subscription": "projects/other/subscriptions/meet-push"}
            with pytest.raises(CredentialsError):
                provider.verify(replace(it.delivery, body=json.dumps(body).encode()))
