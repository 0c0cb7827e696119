"""Proves Zoom's webhooks, reads what they say, and completes it by Zoom's API."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Announced, Answer, Delivery, Heard, Ignored, Later, Reply, hookimpl
from connector_zoom import meetings, phone, reading
from connector_zoom.client import ZoomClient
from connector_zoom.events import Event
from connector_zoom.settings import ZoomSettings
from connector_zoom.signatures import SET_UP, Challenge, prove

Reader: TypeAlias = Callable[[Event, dict[str, Any]], Iterator[Heard]]

EVENTS: Mapping[str, Reader] = {
    "meeting.ended": meetings.ended,
    "meeting.participant_joined": meetings.joined,
    "meeting.participant_left": meetings.joined,
    "recording.completed": meetings.recorded,
    "recording.transcript_completed": meetings.transcribed,
    "meeting.summary_completed": meetings.summarized,
    "meeting.summary_updated": meetings.summarized,
    "phone.caller_ended": phone.live,
    "phone.callee_ended": phone.live,
    "phone.callee_missed": phone.live,
    "phone.callee_rejected": phone.live,
    "phone.caller_call_history_completed": phone.logged,
    "phone.callee_call_history_completed": phone.logged,
    "phone.caller_call_element_completed": phone.logged,
    "phone.callee_call_element_completed": phone.logged,
    "phone.voicemail_received": phone.left,
}
"""The events that tell of calls, and what reads them."""

READINGS: Mapping[str, Callable[[ZoomClient, str], Answer]] = {
    meetings.PARTICIPANTS: reading.read_participants,
    meetings.TRANSCRIPT: reading.read_transcript,
}
_AGAIN_SECONDS = 60.0
_MOST_TROUBLES = 3


class ZoomAdapter:
    """Zoom, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: ZoomSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._settings = settings
        self._client = ZoomClient(settings) if settings.reads else None

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes | Reply:
        """Prove the signature first; then answer what sets a webhook up, or hold the event to this account."""
        secret = self._settings.secret_token.get_secret_value()
        prove(delivery, secret, time.time())
        value = read_object(delivery.body)
        if value.get("event") == SET_UP:
            return checked(Challenge, value).reply(secret)
        told = checked(Event, value).payload.account_id
        if self._settings.account_id is not None and told != self._settings.account_id:
            raise CredentialsError("the event is of another Zoom account than account_id")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read an event; what would have to be fetched is left out where nothing may be asked."""
        value = read_object(event)
        head = checked(Event, value)
        reader = EVENTS.get(head.event)
        if reader is None:
            return [Ignored(head.event, "it tells nothing of a call that has ended")]
        heard = list(reader(head, value))
        return heard if self._client is not None else [it for it in heard if not isinstance(it, Announced)]

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced, one by one.

        What Zoom cannot answer keeps nothing else back; it does so once a limit is reached, or several in turn fail.
        """
        answers: dict[Announced, Answer] = {}
        troubles: list[TryAgainError | CredentialsError] = []
        for announced in asked:
            try:
                answers[announced] = self._read(announced)
            except InputError as error:
                answers[announced] = Later(reading.AGAIN_SECONDS, f"Zoom answered what it does not document: {error}")
            except (TryAgainError, CredentialsError) as error:  # a scope may be missing for one reading alone
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
        read = READINGS.get(announced.what)
        return read(self._client, announced.call_id) if read and self._client else ()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


def _asked_seconds(error: TryAgainError | CredentialsError) -> float | None:
    return error.after_seconds if isinstance(error, TryAgainError) else None
