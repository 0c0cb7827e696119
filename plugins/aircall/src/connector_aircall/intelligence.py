"""What Aircall's conversation intelligence makes of a call: announced by a webhook, and read from the API.

Documented at developer.aircall.io/docs/ai-assist and /docs/ai-call-summaries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from connector_core.errors import InputError
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.parts import Part

SUMMARY, TOPICS, TRANSCRIPTION = "summary", "topics", "transcription"
ANNOUNCED: Mapping[str, str] = {f"{what}.created": what for what in (SUMMARY, TOPICS, TRANSCRIPTION)}
"""What can be read, by the event that announces it."""


def _number(value: object) -> object:
    """Read an id that is text: the documentation calls it so, and writes a number."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 20:
        return int(value)
    return value


CallNumber = Annotated[int, BeforeValidator(_number), Field(gt=0, lt=2**63)]
Grown = Annotated[int, Field(ge=0, lt=2**63)]
"""An id of Aircall's: what comes later has a greater one."""
Seconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class AnnouncedCall(Sent):
    """What an event says besides: of which call."""

    call_id: CallNumber


class Announcement(Sent):
    """The event of something that can be read."""

    data: AnnouncedCall


class Summary(Sent):
    """A call in some sentences."""

    id: Grown = 0
    call_id: CallNumber
    content: str | None = None


class SummaryAnswer(Sent):
    """What ``GET /v1/calls/:id/summary`` answers."""

    summary: Summary


class Topics(Sent):
    """What a call was about, in some words each."""

    id: Grown = 0
    call_id: CallNumber
    content: list[str] | None = None


class TopicsAnswer(Sent):
    """What ``GET /v1/calls/:id/topics`` answers."""

    topic: Topics


class Turn(Sent):
    """A turn; who speaks is a user by id, or somebody outside by number."""

    text: str
    start_time: Seconds | None = None
    participant_type: str | None = None
    user_id: int | None = None
    phone_number: str | None = None


class Turns(Sent):
    """What was said, turn by turn."""

    utterances: list[Turn] | None = None


class Transcription(Sent):
    """The transcript of a call, or of a voicemail."""

    id: Grown = 0
    call_id: CallNumber
    content: Turns | None = None


class TranscriptionAnswer(Sent):
    """What ``GET /v1/calls/:id/transcription`` answers."""

    transcription: Transcription


def read_part(number: int, what: str, answer: object) -> Part:
    """Make a part of what was read of a call.

    What was made anew has a greater id, which orders the parts: not all of them say when they were made.

    :raises InputError: It is no answer about that call.
    """
    found, said = _READERS[what](answer)
    if found.call_id != number:
        raise InputError("call_id: is another call's than the one asked for")
    head = {"call_id": f"aircall:{number}", "provider": "aircall", "kind": "phone", "event": what}
    return checked(Part, {**head, "revision": float(found.id), **said})


def _summary(answer: object) -> tuple[Summary, dict[str, Any]]:
    found = checked(SummaryAnswer, answer).summary
    return found, {"summary": (found.content or "").strip() or None}


def _topics(answer: object) -> tuple[Topics, dict[str, Any]]:
    found = checked(TopicsAnswer, answer).topic
    return found, {"topics": tuple(topic.strip() for topic in found.content or () if topic.strip()) or None}


def _transcription(answer: object) -> tuple[Transcription, dict[str, Any]]:
    found = checked(TranscriptionAnswer, answer).transcription
    return found, {"transcript": tuple(_turns(found.content or Turns())) or None}


_READERS: Mapping[str, Callable[[object], tuple[Summary | Topics | Transcription, dict[str, Any]]]] = {
    SUMMARY: _summary,
    TOPICS: _topics,
    TRANSCRIPTION: _transcription,
}


def _turns(content: Turns) -> Iterator[dict[str, Any]]:
    for turn in content.utterances or ():
        if text := turn.text.strip():
            yield {"text": text, "speaker": _speaker(turn), "at_seconds": turn.start_time}


def _speaker(turn: Turn) -> str | None:
    """Say who speaks, as far as Aircall does here: it names nobody."""
    if turn.participant_type == "external":
        return (turn.phone_number or "").strip() or "External"
    if turn.participant_type == "internal":
        return "Internal" if turn.user_id is None else f"User {turn.user_id}"
    return None
