"""Proves the pushes of Pub/Sub, reads what they announce, and reads that from Google's APIs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Announced, Answer, Delivery, Heard, Later, hookimpl
from connector_google_meet import conferences
from connector_google_meet.client import GoogleClient
from connector_google_meet.events import CONFERENCE, NOTES, RECORDINGS, TRANSCRIPTS, Push, heard
from connector_google_meet.proof import Prover
from connector_google_meet.readers import Readers
from connector_google_meet.settings import MeetSettings

Read: TypeAlias = Callable[[GoogleClient, MeetSettings, str, str], conferences.Found]

READINGS: Mapping[str, Read] = {
    CONFERENCE: conferences.read_conference,
    RECORDINGS: conferences.read_recordings,
    TRANSCRIPTS: conferences.read_transcripts,
    NOTES: conferences.read_notes,
}
"""What can be announced, and what reads it."""
_AGAIN_SECONDS = 60.0
_MOST_TROUBLES = 3


class MeetAdapter:
    """Google Meet, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: MeetSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._settings = settings
        self._client = GoogleClient(settings)
        self._prover = Prover(settings, self._client.certificates)
        self._readers = Readers(settings.users)

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes:
        """Prove the token first; then hold the push to our subscription."""
        self._prover.prove(delivery.headers.get("authorization", ""))
        if checked(Push, read_object(delivery.body)).subscription != self._settings.subscription:
            raise CredentialsError("the push is of another subscription than the one that is set")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read what a push announces; it carries names alone."""
        return list(heard(event))

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced, one by one.

        What Google cannot answer keeps nothing else back; it does so once a limit is reached, or several in turn fail.
        """
        answers: dict[Announced, Answer] = {}
        troubles: list[TryAgainError] = []
        for announced in asked:
            try:
                answers[announced] = self._read(announced)
            except InputError as error:
                again = conferences.AGAIN_SECONDS
                answers[announced] = Later(again, f"Google answered what it does not document: {error}")
            except TryAgainError as error:
                troubles.append(error)
                if error.after_seconds is not None or len(troubles) == _MOST_TROUBLES:
                    break
        if not troubles:
            return answers
        if not answers:
            raise troubles[-1]
        later = Later(troubles[-1].after_seconds or _AGAIN_SECONDS, str(troubles[-1]))
        return {announced: answers.get(announced, later) for announced in asked}

    def _read(self, announced: Announced) -> Answer:
        what, _, subscription = announced.what.partition("@")
        read = READINGS.get(what)
        if read is None:
            return ()
        return self._readers.read(
            subscription, lambda user: read(self._client, self._settings, user, announced.call_id)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
