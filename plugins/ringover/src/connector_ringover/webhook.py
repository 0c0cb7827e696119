"""What Ringover's webhooks say, as parts of calls.

Documented by the vendor's own SDKs and samples (ringover/ringover-webhooks and ringover-webhooks-php on GitHub), which
disagree with each other: both sets are read.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

from pydantic import Field

from connector_core.providers.bodies import Sent, checked
from connector_core.providers.parts import Part
from connector_ringover.values import (
    CallNumber,
    Flag,
    Moment,
    Seconds,
    Text,
    User,
    attendant,
    lasting,
    organizer,
    phone,
)

FINISHED = frozenset({"hangup", "missed", "voicemail"})
"""Events of the resource ``call`` that end one: a call ends with one of them, never mind who hung up."""
TRANSCRIBED = "transcription_available"
AFTER = frozenset({"aftercall", "comments_updated", "tags_updated"}) | {
    f"{what}_available" for what in ("record", "voicemail", "transcription", "summary")
}
"""Events of the resource ``aftercall``; they name a call, and say nothing of who was in it."""
_COMMENT = "comment"
Side: TypeAlias = str | None


class Head(Sent):
    """What every event has; requests for a contact or a route misspell ``resource`` in places."""

    event: str = Field(min_length=1)
    resource: str | None = None


class FinishedCall(Sent):
    """A call that has ended. ``duration_in_seconds`` reads like the time of talk; nobody documents it."""

    call_id: CallNumber
    start_time: Moment | None = None
    start_date_time_atom: Moment | None = None
    hangup_time: Moment | None = None
    hangup_date_time_atom: Moment | None = None
    duration_in_seconds: Seconds | None = None
    direction: str | None = None
    from_number: Text | None = None
    to_number: Text | None = None
    is_internal: Flag | None = None
    is_anonymous: Flag | None = None
    user: User | None = None
    reason: str | None = None
    answering_machine_detection: str | None = None
    record: str | None = None
    private_record: str | None = None
    message: str | None = None
    private_message: str | None = None


class AfterCall(Sent):
    """What became known after a call: texts and lists as they stand, each replacing what was said before."""

    call_id: CallNumber
    comments: str | None = None
    tags: list[str] | None = None
    summary: str | None = None
    record_link: str | None = None
    private_record_link: str | None = None
    voicemail_link: str | None = None
    private_voicemail_link: str | None = None


class FinishedEvent(Sent):
    """The event of a call that has ended."""

    event: str
    timestamp: Moment
    data: FinishedCall


class AfterEvent(Sent):
    """The event of what became known after a call."""

    event: str
    timestamp: Moment
    data: AfterCall


def finished(value: object) -> Part:
    """Map the event of a call that has ended.

    :raises InputError: It is none.
    """
    event = checked(FinishedEvent, value)
    data = event.data
    started_at = data.start_time or data.start_date_time_atom
    ended_at = data.hangup_time or data.hangup_date_time_atom
    if ended_at is not None and started_at is not None and ended_at < started_at:
        ended_at = None  # one of the vendor's own samples: of when it began something must be believed
    outside, own = _sides(data)
    outbound = data.direction == "outbound"
    return checked(
        Part,
        {
            **_head(data.call_id, event.event, event.timestamp),
            "complete": True,
            "started_at": started_at,
            "ended_at": ended_at,
            **_lengths(data, event.event, started_at, ended_at),
            "direction": _direction(data),
            "status": _status(data, event.event),
            "outcome": _outcome(data),
            "from_number": own if outbound else outside,
            "to_number": outside if outbound else own,
            "organizer": organizer(data.user),
            "recording_url": lasting(data.private_record, data.private_message, data.record, data.message),
            "participants": _participants(data, outside),
        },
    )


def after(value: object) -> Part:
    """Map the event of what became known after a call.

    :raises InputError: It is none.
    """
    event = checked(AfterEvent, value)
    data, said = event.data, event.data.model_fields_set
    texts = (data.private_record_link, data.private_voicemail_link, data.record_link, data.voicemail_link)
    comment = (data.comments or "").strip()
    tags = [tag.strip() for tag in data.tags or () if tag.strip()]
    return checked(
        Part,
        {
            **_head(data.call_id, event.event, event.timestamp),
            "replaces": tuple(name for name in ("comments", "tags") if name in said),
            "comments": {_COMMENT: {"text": comment}} if comment else {},
            "tags": {tag: tag for tag in tags},
            "summary": (data.summary or "").strip() or None,
            "recording_url": lasting(*texts),
        },
    )


def _head(call_id: str, event: str, at: dt.datetime) -> dict[str, Any]:
    return {
        "call_id": f"ringover:{call_id}",
        "provider": "ringover",
        "kind": "phone",
        "event": event,
        "revision": at.timestamp(),
    }


def _sides(data: FinishedCall) -> tuple[Side, Side]:
    """Tell the outside party's number from the line's. Who calls and hides the number has none, whatever stands there."""
    caller, called = phone(data.from_number), phone(data.to_number)
    if data.direction == "outbound":
        return called, caller
    return None if data.is_anonymous else caller, called


def _lengths(
    data: FinishedCall, event: str, started_at: dt.datetime | None, ended_at: dt.datetime | None
) -> dict[str, float | None]:
    """Measure the call from its times; what Ringover counts is the talk, and the call's length only for want of times."""
    wall = (ended_at - started_at).total_seconds() if started_at and ended_at else data.duration_in_seconds
    return {"duration_seconds": wall, "talk_seconds": data.duration_in_seconds if event == "hangup" else 0.0}


def _direction(data: FinishedCall) -> str | None:
    if data.is_internal:
        return "internal"
    return data.direction if data.direction in ("inbound", "outbound") else None


def _status(data: FinishedCall, event: str) -> str:
    """Tell how it ended: ``hangup`` is for calls that connected, and one of no seconds did not."""
    if event == "hangup":
        return "missed" if data.duration_in_seconds == 0 else "completed"
    return event


def _outcome(data: FinishedCall) -> str | None:
    if (data.answering_machine_detection or "").upper() == "MACHINE":
        return "Answering machine"
    return (data.reason or "").replace("_", " ").strip().capitalize() or None


def _participants(data: FinishedCall, outside: Side) -> tuple[dict[str, Any], ...]:
    """Give the user, and the other side: a colleague in an internal call."""
    user = attendant(data.user) if data.user else None
    other = {"key": "other side", "is_user": bool(data.is_internal), "phones": (outside,) if outside else ()}
    return (user, other) if user else (other,)
