"""A call, as it comes from outside: validated, unknown keys refused."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, StrictBool, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connector_core.outside import CallTime, Id, Outside, Seconds, Time

CallKind: TypeAlias = Literal["phone", "meeting"]
CallStatus: TypeAlias = Literal["completed", "missed", "voicemail", "cancelled", "failed"]
Direction: TypeAlias = Literal["inbound", "outbound", "internal"]


class Participant(Outside):
    """Somebody in a call. ``is_user``: a user of the call platform, never looked up in the CRM."""

    is_user: StrictBool
    name: str | None = None
    emails: tuple[str, ...] | None = None
    phones: tuple[str, ...] | None = None
    attended: StrictBool | None = None


class Organizer(Outside):
    """The user of the call platform who held the call."""

    name: str | None = None
    email: str | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Organizer:
        if not (self.name or "").strip() and not (self.email or "").strip():
            raise PydanticCustomError("organizer", "Input should have a name or an email")
        return self


class Note(Outside):
    """A note on a call, or a comment on it."""

    text: str
    author: str | None = None
    at: Time | None = None


class Utterance(Outside):
    """One turn of a transcript; ``at_seconds`` counts from the start of the call."""

    text: str
    speaker: str | None = None
    at_seconds: Seconds | None = None


MOST_CHARACTERS = 500
"""Of an id: what is longer fits no index of PostgreSQL, so one such call would keep back all that come with it."""


def _one_line(value: str) -> str:
    """Refuse what cannot stand in an activity's last line ``ref: ID`` and be read back exactly, nor in a ledger."""
    if len(value) > MOST_CHARACTERS:
        raise PydanticCustomError("long_id", f"Input should have {MOST_CHARACTERS} characters at most")
    if value != value.strip() or not value.isprintable():
        raise PydanticCustomError("one_line", "Input should be one line without blanks around it")
    return value


CallId: TypeAlias = Annotated[Id, AfterValidator(_one_line)]


class Call(Outside):
    """A call or meeting that has ended, as the call platform tells it."""

    id: CallId
    provider: Id
    kind: CallKind
    started_at: CallTime
    participants: tuple[Participant, ...]
    direction: Direction | None = None
    status: CallStatus = "completed"
    title: str | None = None
    ended_at: CallTime | None = None
    duration_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None
    from_number: str | None = None
    to_number: str | None = None
    outcome: str | None = None
    organizer: Organizer | None = None
    link: str | None = None
    recording_url: str | None = None
    topics: tuple[str, ...] | None = None
    summary: str | None = None
    highlights: tuple[str, ...] | None = None
    notes: tuple[Note, ...] | None = None
    comments: tuple[Note, ...] | None = None
    tags: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    transcript: tuple[Utterance, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _default_status(cls, value: object) -> object:
        """Read ``"status": null`` as absent: optional keys may be null."""
        if isinstance(value, dict) and value.get("status", ...) is None:
            return {key: item for key, item in value.items() if key != "status"}
        return value

    @field_validator("ended_at")
    @classmethod
    def _in_order(cls, value: dt.datetime | None, info: ValidationInfo) -> dt.datetime | None:
        started_at = info.data.get("started_at")
        if value is not None and started_at is not None and value < started_at:
            raise PydanticCustomError("call_order", "Input should not be before started_at")
        return value

    @property
    def end(self) -> dt.datetime:
        """The end of the conversation: ``ended_at``, else start + duration, else the start."""
        if self.ended_at is not None:
            return self.ended_at
        if self.duration_seconds is not None:
            return self.started_at + dt.timedelta(seconds=self.duration_seconds)
        return self.started_at

    @property
    def length_seconds(self) -> float | None:
        """``duration_seconds``, else end − start, else None."""
        if self.duration_seconds is not None:
            return self.duration_seconds
        if self.ended_at is not None:
            return (self.ended_at - self.started_at).total_seconds()
        return None
