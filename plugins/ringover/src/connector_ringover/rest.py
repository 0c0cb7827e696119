"""What Ringover's API tells of a call, as parts of it: the call itself, where its webhook was lost, and its transcript.

Documented at developer.ringover.com (version 2 of the API), which says less than what was recorded and reported: a call has
a record for each of its legs, with one ``call_id``; a webhook counts seconds since 1970, the API writes ISO 8601.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connector_core.errors import InputError
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
    full_name,
    lasting,
    organizer,
    phone,
)

_DIRECTIONS = {"in": "inbound", "out": "outbound"}
_STATUSES = {
    "VOICEMAIL": "voicemail",
    "MISSED": "missed",
    "QUEUE_TIMEOUT": "missed",
    "NOANSWER_TRANSFERED": "missed",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
}
"""How legs end in which nobody of ours talked; a message that was left lasts, too."""
_ANSWERED = frozenset({"ANSWERED", "BLIND_TRANSFERED", "PERMANENT_TRANSFERED"})


class Tag(Sent):
    """A tag of a call."""

    name: str | None = None


class Contact(Sent):
    """An entry of Ringover's own address book."""

    firstname: str | None = None
    lastname: str | None = None
    concat_name: str | None = None


class Leg(Sent):
    """A leg of a call. ``incall_duration`` is the talk; ``contact_number`` the outside party, in both directions."""

    call_id: CallNumber
    start_time: Moment
    end_time: Moment | None = None
    incall_duration: Seconds | None = None
    direction: str | None = None
    last_state: str | None = None
    amd: Flag | None = None
    from_number: Text | None = None
    to_number: Text | None = None
    contact_number: Text | None = None
    note: str | None = None
    tags: list[Tag | str] | None = None
    record: str | None = None
    voicemail: str | None = None
    user: User | None = None
    contact: Contact | None = None

    @property
    def talked(self) -> float:
        """How long somebody talked, in seconds."""
        return 0.0 if self.last_state in _STATUSES else self.incall_duration or 0.0

    @property
    def status(self) -> str:
        """How it ended: of the ways that Ringover adds to its list, the time of talk tells."""
        answered = self.talked or self.last_state in _ANSWERED
        return "completed" if answered else _STATUSES.get(self.last_state or "", "missed")

    @property
    def is_outbound(self) -> bool:
        """Whether the seller called."""
        return _DIRECTIONS.get(self.direction or "") == "outbound"

    @property
    def outside(self) -> str | None:
        """The number of the other side."""
        return phone(self.contact_number or (self.to_number if self.is_outbound else self.from_number))

    @property
    def own(self) -> str | None:
        """The number of the line."""
        return phone(self.from_number if self.is_outbound else self.to_number)

    @property
    def is_fax(self) -> bool:
        """Whether it is no call at all."""
        return (self.last_state or "").startswith("FAX")


class Legs(Sent):
    """The answer for one call."""

    list: list[Leg]


class Speech(Sent):
    """A turn. In a real account's answers it was ``speaker_id`` and ``content``, in published types the others."""

    speaker_id: int | None = None
    channelId: int | None = None  # noqa: N815 - the service's own name
    content: str | None = None
    text: str | None = None
    start: Seconds | None = None


class Speeches(Sent):
    """What was said: turn by turn, and in one piece."""

    speeches: list[Speech] | None = None
    text: str | None = None


class Transcription(Sent):
    """The transcript of a leg; it may be cut short until ``transcription_status`` is ``DONE``."""

    call_id: CallNumber
    transcription_status: str | None = None
    creation_date: Moment | None = None
    transcription_data: Speeches | None = None


class Transcriptions(Sent):
    """The answer for one call."""

    list: list[Transcription]


def call_part(number: str, answer: object) -> Part | None:
    """Make one part of all legs of a call; None where there is no call, as of a fax.

    The leg with the longest talk, else the last, says what the call was. The part counts as older than every webhook: it
    fills what these left out.

    :raises InputError: It is no answer about that call.
    """
    legs = [leg for leg in checked(Legs, _listed(answer)).list if not leg.is_fax]
    _same_call(number, legs)
    if not legs:
        return None
    legs.sort(key=lambda leg: leg.start_time)
    main = max(legs, key=lambda leg: (leg.talked, leg.start_time))
    comment = next((note.strip() for leg in legs if (note := leg.note) and note.strip()), None)
    return checked(
        Part,
        {
            **_head(number, "call", legs[0].start_time.timestamp()),
            "complete": True,
            **_times(legs),
            "direction": _DIRECTIONS.get(main.direction or ""),
            "status": main.status,
            "outcome": "Answering machine" if main.amd else None,
            "from_number": main.own if main.is_outbound else main.outside,
            "to_number": main.outside if main.is_outbound else main.own,
            "organizer": organizer(main.user),
            "recording_url": lasting(*(leg.record for leg in legs), *(leg.voicemail for leg in legs)),
            "participants": tuple(_participants(legs, main)),
            "comments": {"comment": {"text": comment}} if comment else {},
            "tags": {name: name for leg in legs for name in _tags(leg)},
        },
    )


def transcript_part(number: str, answer: object) -> Part | None:
    """Make a part of a call's transcript; None while Ringover is still at it.

    :raises InputError: It is no answer about that call.
    """
    found = checked(Transcriptions, _listed(answer)).list
    _same_call(number, found)
    if not found or any(each.transcription_status not in (None, "DONE") for each in found):
        return None
    at = max((each.creation_date.timestamp() for each in found if each.creation_date), default=0.0)
    said = tuple(turn for each in found for turn in _turns(each, timed=len(found) == 1))
    return checked(Part, {**_head(number, "transcription", at), "transcript": said or None})


def _head(number: str, event: str, revision: float) -> dict[str, Any]:
    return {
        "call_id": f"ringover:{number}",
        "provider": "ringover",
        "kind": "phone",
        "event": event,
        "revision": revision,
    }


def _times(legs: Sequence[Leg]) -> dict[str, Any]:
    """Measure a call from the start of its first leg to the end of the last."""
    started_at = legs[0].start_time
    ended_at = max((leg.end_time for leg in legs if leg.end_time and leg.end_time >= started_at), default=None)
    return {
        "started_at": started_at,
        "ended_at": ended_at,
        "duration_seconds": (ended_at - started_at).total_seconds() if ended_at else None,
        "talk_seconds": sum(leg.talked for leg in legs),
    }


def _listed(answer: object) -> dict[str, object]:
    """Bring answers to one form: a list, an object that holds one, and the one record were all seen."""
    if isinstance(answer, dict) and isinstance(answer.get("list"), list):
        return {"list": answer["list"]}
    return {"list": answer if isinstance(answer, list) else [answer]}


def _same_call(number: str, found: Sequence[Leg | Transcription]) -> None:
    if any(each.call_id != number for each in found):
        raise InputError("call_id: is another call's than the one asked for")


def _participants(legs: Sequence[Leg], main: Leg) -> Iterator[dict[str, Any]]:
    users = [user for leg in legs if leg.user and (user := attendant(leg.user))]
    yield from {user["key"]: user for user in users}.values()
    contact = main.contact
    name = (full_name(contact.firstname, contact.lastname) or contact.concat_name) if contact else None
    yield {"key": "other side", "is_user": False, "name": name, "phones": (main.outside,) if main.outside else ()}


def _tags(leg: Leg) -> Iterator[str]:
    names = (tag if isinstance(tag, str) else tag.name for tag in leg.tags or ())
    return (name.strip() for name in names if name and name.strip())


def _turns(transcription: Transcription, *, timed: bool) -> Iterator[dict[str, Any]]:
    """Give what was said, turn by turn; in a call of several legs nothing says when each began.

    Who speaks is told apart and not named: what is published contradicts itself on which side has which number.
    """
    data = transcription.transcription_data or Speeches()
    turns = [(speech, (speech.content or speech.text or "").strip()) for speech in data.speeches or ()]
    for speech, text in turns:
        number = speech.speaker_id if speech.speaker_id is not None else speech.channelId
        if text:
            speaker = None if number is None else f"Speaker {number}"
            yield {"text": text, "speaker": speaker, "at_seconds": speech.start if timed else None}
    if not any(text for _, text in turns) and (data.text or "").strip():
        yield {"text": data.text}
