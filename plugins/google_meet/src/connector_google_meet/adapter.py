"""Proves the pushes of Pub/Sub, reads what they announce, and reads that from Google's APIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Announced, Answer, Delivery, Heard, Kept, Later, Missed, hookimpl
from connector_google_meet import conferences, files
from connector_google_meet.client import GoogleClient
from connector_google_meet.events import CONFERENCE, NOTES, RECORDINGS, TRANSCRIPTS, Push, heard
from connector_google_meet.listing import list_conferences
from connector_google_meet.proof import Prover
from connector_google_meet.readers import Readers
from connector_google_meet.settings import MeetSettings
from connector_google_meet.subscriptions import renew

Read: TypeAlias = Callable[[GoogleClient, MeetSettings, str, str], conferences.Found]

READINGS: Mapping[str, Read] = {
    CONFERENCE: conferences.read_conference,
    RECORDINGS: files.read_recordings,
    TRANSCRIPTS: files.read_transcripts,
    NOTES: files.read_notes,
}
"""What can be announced, and what reads it."""
_AGAIN_SECONDS = 300.0
_RENEW_SECONDS = 86_400.0
"""How often subscriptions are renewed, which last for seven days."""
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
        """Read what was announced, conferences first.

        What Google cannot answer keeps nothing else back; it does so once a limit is reached, or several fail.

        :raises TryAgainError: Nothing could be asked; what could not after something was, is put off.
        :raises CredentialsError: Likewise, Google refuses the service account.
        """
        answers: dict[Announced, Answer] = {}
        troubles: list[TryAgainError | CredentialsError] = []
        for announced in sorted(asked, key=lambda each: not each.what.startswith(CONFERENCE)):
            try:
                answers[announced] = self._read(announced)
            except InputError as error:
                again = conferences.AGAIN_SECONDS
                answers[announced] = Later(again, f"Google answered what it does not document: {error}")
            except (TryAgainError, CredentialsError) as error:
                troubles.append(error)
                if _asked_seconds(error) is not None or len(troubles) == _MOST_TROUBLES:
                    break
        if not troubles:
            return answers
        if not answers:
            raise troubles[-1]
        later = Later(_asked_seconds(troubles[-1]) or _AGAIN_SECONDS, str(troubles[-1]))
        return {announced: answers.get(announced, later) for announced in asked}

    def _read(self, announced: Announced) -> Answer:
        what, _, subscription = announced.what.partition("@")
        read = READINGS.get(what)
        if read is None:
            return ()
        return self._readers.read(
            subscription or announced.call_id, lambda user: read(self._client, self._settings, user, announced.call_id)
        )

    @hookimpl
    def keep_subscribed(self) -> Kept:
        """Make the subscription of each of ``users``, or renew it; one that fails keeps no other back."""
        topic = self._settings.topic
        if topic is None:
            return Kept(_RENEW_SECONDS)
        renewed = [renew(self._client, user, topic) for user in self._settings.users]
        gap = any(it.outcome in ("made", "reactivated") for it in renewed)
        failed = tuple(f"users[{number}]: {it.reason}" for number, it in enumerate(renewed) if it.reason)
        return Kept(_RENEW_SECONDS, gap, failed)

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        """List the conferences that ended since; Google keeps them for 30 days."""
        return list_conferences(self._client, self._settings, self._readers, since, page)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _asked_seconds(error: TryAgainError | CredentialsError) -> float | None:
    return error.after_seconds if isinstance(error, TryAgainError) else None
