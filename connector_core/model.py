"""What flows through the connector.

What comes from outside (:class:`Call` and its parts) is pydantic: validated, unknown keys refused. What the connector and
its plugins hand to each other is frozen and slotted. All times are aware; all durations are seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, StrictBool, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from connector_core.outside import CallTime, Id, Outside, Seconds, Time

CallKind: TypeAlias = Literal["phone", "meeting"]
CallStatus: TypeAlias = Literal["completed", "missed", "voicemail", "cancelled", "failed"]
Direction: TypeAlias = Literal["inbound", "outbound", "internal"]
PersonKind: TypeAlias = Literal["contact", "lead"]
ActivityKind: TypeAlias = Literal["call", "task", "meeting", "event", "note"]


# -- from outside ------------------------------------------------------------------------------------------------------


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


def _one_line(value: str) -> str:
    """Refuse what cannot stand in an activity's last line ``ref: ID`` and be read back exactly."""
    if value != value.strip() or not value.isprintable():
        raise PydanticCustomError("one_line", "Input should be one line without blanks around it")
    return value


class Call(Outside):
    """A call or meeting that has ended, as the call platform tells it."""

    id: Annotated[Id, AfterValidator(_one_line)]
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


# -- answers of a CRM --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Unknown:
    """The third answer: the CRM was not, or not completely, asked. Never the same as *nothing found*."""

    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """A company. ``name`` is None where the CRM has none."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or a lead.

    References point to records that are there: one to a deleted record is None, one to a merged record is the survivor.
    ``account`` is the primary one; ``other_account_ids`` are shown, and count for nothing.
    A lead with ``converted`` stands for ``converted_to``, which is the end of the chain (a contact, or a lead that is not
    converted); None there: the chain is a circle, or ends at a record that is gone.
    """

    kind: PersonKind
    id: str
    name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    title: str | None = None
    account: Account | None = None
    other_account_ids: tuple[str, ...] = ()
    converted: bool = False
    converted_to: Person | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of the CRM, who may own records."""

    id: str
    email: str
    name: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An opportunity (deal). References as in :class:`Person`.

    ``person_ids``: those whose opportunity it is, converted leads already replaced by whom they became.
    ``closed_at``: the real closing, a date where the CRM knows only the day; None while open. An expected close date is
    no closing.
    """

    id: str
    created_at: dt.datetime
    name: str | None = None
    account: Account | None = None
    owner_id: str | None = None
    owner_email: str | None = None
    closed_at: dt.datetime | dt.date | None = None
    person_ids: tuple[str, ...] = ()
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity that the CRM already has. References as in :class:`Person`.

    ``key`` is the call id that it carries, exactly as stored, or None. ``opportunities`` and ``accounts`` hold only
    associations that somebody made, never what the CRM derives by itself; most CRMs know one of each.
    ``started_at`` is a date where only the day is known.
    """

    id: str
    kind: ActivityKind
    key: str | None = None
    people: tuple[Person, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    accounts: tuple[Account, ...] = ()
    started_at: dt.datetime | dt.date | None = None
    duration_seconds: float | None = None
    subject: str | None = None
    body: str | None = None
    owner_id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class CallKey:
    """What a CRM needs to find the activities that may be a call's.

    ``person_ids``: every record that a guest may be (alternates, absent guests, leads and whom they became).
    """

    call_id: str
    kind: CallKind
    started_at: dt.datetime
    ended_at: dt.datetime
    duration_seconds: float | None = None
    person_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Opportunities:
    """The opportunities of people, of accounts and by id: each key that was asked for has its answer.

    By id: a tuple of one, or an empty one where the record is gone.
    """

    of_people: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)
    of_accounts: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)
    by_id: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)


# -- writing -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActivityDraft:
    """One activity to write: a new one where ``activity_id`` is None, else the changes to that one.

    ``key`` is the call's id: the idempotency key. ``kind`` is the kind of the activity (of the one that exists, in a
    change). In a change, None means *leave it as it is*, ``person_ids`` are to be added to those it has, ``account_id``
    and ``opportunity_id`` are set only where it has none, and ``set_key`` says that it carries no key yet.
    ``subject`` and ``body`` are final: rendered in the CRM's format and within its limits.
    """

    key: str
    kind: ActivityKind
    started_at: dt.datetime
    ended_at: dt.datetime
    activity_id: str | None = None
    set_key: bool = False
    subject: str | None = None
    body: str | None = None
    duration_seconds: float | None = None
    direction: Direction | None = None
    status: CallStatus = "completed"
    outcome: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    recording_url: str | None = None
    owner_id: str | None = None
    person_ids: tuple[str, ...] = ()
    account_id: str | None = None
    opportunity_id: str | None = None


WriteOutcome: TypeAlias = Literal["created", "updated", "unchanged", "refused", "unknown", "deferred"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a draft.

    ``unknown``: sent and not answered, it may have been written. ``deferred``: surely not written, ask again later.
    ``reason`` is for a person; ``code`` and ``field`` are the CRM's own.
    """

    outcome: WriteOutcome
    id: str | None = None
    url: str | None = None
    reason: str | None = None
    code: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class RecordUpdate:
    """Fields to set on one record. ``object`` and the names of ``fields`` are the CRM's own; None clears a field."""

    object: str
    id: str
    fields: Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True)
class FieldReceipt:
    """What became of one field of a :class:`RecordUpdate`."""

    outcome: Literal["sent", "unchanged", "refused", "unknown", "deferred"]
    reason: str | None = None
    code: str | None = None
