"""From what Zoom says of a meeting to parts of ours.

A meeting is complete once it ended; that says nothing of who was there, which the joins tell, and later the reading. Of when
it began and what it is called only its end and the reading speak: elsewhere the same keys hold what was planned.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Announced, Heard
from connector_core.providers.parts import EmailSource, Part
from connector_zoom.events import (
    EndedMeeting,
    Event,
    JoinedMeeting,
    Joiner,
    RecordedMeeting,
    SummarizedMeeting,
    Told,
)

PARTICIPANTS = "participants"
TRANSCRIPT = "transcript"
ENDED_TO_LISTED_SECONDS = 600.0
"""After the end until the participants are read. Zoom does not say how long its list lags; people still leave meanwhile."""


def call_id_of(uuid: str) -> str:
    """Name the call of a meeting."""
    return f"zoom:{uuid}"


def uuid_of(call_id: str) -> str:
    """Give the meeting that :func:`call_id_of` named."""
    return call_id.removeprefix("zoom:")


def part(uuid: str, event: str, revision: float, **said: Any) -> Part:
    """Make a part of a meeting's call.

    :raises InputError: What is said of it cannot be.
    """
    head = {"call_id": call_id_of(uuid), "provider": "zoom", "kind": "meeting", "event": event, "revision": revision}
    return checked(Part, head | said)


def attendant(who: Joiner, source: EmailSource) -> dict[str, Any]:
    """Say who joined, and so was there. Until they are told apart in another way, users are those with an id."""
    return {
        "key": _key(who),
        "is_user": who.id is not None,
        "name": who.user_name,
        "emails": ({"email": who.email, "source": source},) if who.email else (),
        "phones": (_with_plus(who.phone_number),) if who.phone_number else (),
        "attended": True,
    }


def ended(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read ``meeting.ended``."""
    meeting = checked(Told[EndedMeeting], value).payload.object
    yield part(
        meeting.uuid,
        head.event,
        head.event_ts / 1000,
        complete=True,
        status="completed",
        title=meeting.topic,
        started_at=meeting.start_time,
        ended_at=meeting.end_time,
    )
    yield Announced(call_id_of(meeting.uuid), PARTICIPANTS, ENDED_TO_LISTED_SECONDS)


def joined(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read that somebody joined or left: either way they were there."""
    meeting = checked(Told[JoinedMeeting], value).payload.object
    who = meeting.participant
    hosts = who.id is not None and who.id == meeting.host_id and bool(who.user_name or who.email)
    yield part(
        meeting.uuid,
        head.event,
        head.event_ts / 1000,
        organizer={"name": who.user_name, "email": who.email} if hosts else None,
        participants=(attendant(who, "webhook"),),
    )


def recorded(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read ``recording.completed``: where the recording is shown. Addresses of its files need a token, and are not kept."""
    meeting = checked(Told[RecordedMeeting], value).payload.object
    yield part(meeting.uuid, head.event, head.event_ts / 1000, recording_url=_page(meeting.share_url))


def transcribed(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read ``recording.transcript_completed``: the transcript can be read."""
    meeting = checked(Told[RecordedMeeting], value).payload.object
    yield part(meeting.uuid, head.event, head.event_ts / 1000, recording_url=_page(meeting.share_url))
    yield Announced(call_id_of(meeting.uuid), TRANSCRIPT)


def summarized(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read ``meeting.summary_completed``, or that somebody changed the summary."""
    meeting = checked(Told[SummarizedMeeting], value).payload.object
    labels = tuple(detail.label for detail in meeting.summary_details or () if detail.label)
    yield part(
        meeting.meeting_uuid,
        head.event,
        head.event_ts / 1000,
        summary=_summary(meeting),
        topics=labels or None,
    )


def _key(who: Joiner) -> str:
    """Say who somebody is, over all their joins: each join has its own number, and most outsiders have but a name."""
    email = who.email and who.email.casefold()
    told = {"user": who.id, "email": email, "name": who.user_name, "phone": who.phone_number, "join": who.user_id}
    return next((f"{what} {value}" for what, value in told.items() if value), "nobody")


def _with_plus(number: str) -> str:
    """Write the number of somebody who dialled in as one of the world: Zoom leaves the plus out."""
    return f"+{number}" if number.isascii() and number.isdigit() and len(number) >= 8 else number


def _summary(meeting: SummarizedMeeting) -> str | None:
    """Give the one text, or make one of the overview and the next steps."""
    steps = [f"- {step.strip()}" for step in meeting.next_steps or () if step.strip()]
    told = "\n".join(["Next steps:", *steps]) if steps else None
    return meeting.summary_content or "\n\n".join(text for text in (meeting.summary_overview, told) if text) or None


def _page(url: str | None) -> str | None:
    """Keep the page that shows a recording, without a password that its query may hold."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    shown = parts.scheme == "https" and parts.hostname and not parts.username
    return f"https://{parts.netloc}{parts.path}" if shown else None
