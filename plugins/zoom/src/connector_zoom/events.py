"""The bodies of webhooks, as Zoom sends them: missing texts are absent or empty, times are ISO 8601 with a Z.

Documented at developers.zoom.us/docs/api/meetings/events and /docs/api/phone/events; the types of zoom/rivet-javascript say
which keys are optional.
"""

from __future__ import annotations

from typing import Annotated, Generic, TypeAlias, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connector_core.providers.bodies import Sent

T = TypeVar("T")
_YEAR_3000_MS = 32_503_680_000_000


def _time_or_none(value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str) or "T" not in value:
        raise PydanticCustomError("zoom_time", "should be a time like 2024-06-13T12:00:03Z")
    return value


def _text_or_none(value: object) -> object:
    return value.strip() or None if isinstance(value, str) else value


ZoomTime: TypeAlias = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_time_or_none)]
OptionalTime: TypeAlias = Annotated[AwareDatetime | None, Field(strict=False), BeforeValidator(_time_or_none)]
Text: TypeAlias = Annotated[str | None, BeforeValidator(_text_or_none)]
"""A text that may be missing, which Zoom also writes as an empty one."""
Uuid: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/=_-]{1,64}$")]
"""One instance of a meeting, in Base64. The number that people dial (``id``) is the room's, which may be met in daily."""
CallNumber: TypeAlias = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")]


class Account(Sent):
    """What every payload begins with."""

    account_id: Text = None


class Event(Sent):
    """Any event. ``event_ts``: milliseconds since 1970; bodies of 2020 have none."""

    event: Annotated[str, Field(min_length=1)]
    event_ts: Annotated[int, Field(ge=0, lt=_YEAR_3000_MS)] = 0
    payload: Account


class _Payload(Sent, Generic[T]):
    object: T


class Told(Sent, Generic[T]):
    """An event that holds a ``T``: a meeting, a leg of a call, lines of history."""

    payload: _Payload[T]


# -- meetings ----------------------------------------------------------------------------------------------------------


class Joiner(Sent):
    """Somebody who joins or leaves.

    ``id`` is a user of the account, and empty for everybody else; ``email`` is empty for most of them too. ``user_id``
    numbers the joins of one meeting.
    """

    id: Text = None
    user_id: Text = None
    user_name: Text = None
    email: Text = None
    phone_number: Text = None


class EndedMeeting(Sent):
    """A meeting that has ended. Its ``duration`` is left alone: it is the one that was scheduled, in minutes."""

    uuid: Uuid
    topic: Text = None
    start_time: ZoomTime
    end_time: ZoomTime


class JoinedMeeting(Sent):
    """A meeting that somebody joined or left."""

    uuid: Uuid
    host_id: Text = None
    participant: Joiner


class RecordedMeeting(Sent):
    """A meeting of which a recording, or its transcript, can be read."""

    uuid: Uuid
    share_url: Text = None


class Detail(Sent):
    """A paragraph of a summary."""

    label: Text = None


class SummarizedMeeting(Sent):
    """A meeting with its summary: in one text (``summary_content``, since April 2025), and in parts."""

    meeting_uuid: Uuid
    summary_content: Text = None
    summary_overview: Text = None
    summary_details: list[Detail] | None = None
    next_steps: list[str] | None = None


# -- Zoom Phone --------------------------------------------------------------------------------------------------------


class Party(Sent):
    """A side of a call. Outside parties are ``pstn`` and have no ids; extensions are numbers here, and text elsewhere."""

    extension_id: Text = None
    extension_type: Text = None
    extension_number: int | Text = None
    user_id: Text = None
    name: Text = None
    user_email: Text = None
    phone_number: Text = None


class LiveCall(Sent):
    """A leg of a call, told to one side when it ends.

    ``handup_result`` is Zoom's spelling. The time of the answer is documented as ``answer_start_time``, and was seen as
    ``connected_start_time``.
    """

    call_id: CallNumber
    caller: Party
    callee: Party
    ringing_start_time: OptionalTime = None
    answer_start_time: OptionalTime = None
    connected_start_time: OptionalTime = None
    call_end_time: OptionalTime = None
    handup_result: Text = None


class Log(Sent):
    """A line of a user's call history (``call_logs``), or an element of a call's path (``call_elements``)."""

    call_id: CallNumber
    connect_type: Text = None
    direction: Text = None
    caller_ext_id: Text = None
    caller_ext_type: Text = None
    caller_ext_number: int | Text = None
    caller_name: Text = None
    caller_email: Text = None
    caller_did_number: Text = None
    callee_ext_id: Text = None
    callee_ext_type: Text = None
    callee_ext_number: int | Text = None
    callee_name: Text = None
    callee_email: Text = None
    callee_did_number: Text = None
    start_time: OptionalTime = None
    answer_time: OptionalTime = None
    end_time: OptionalTime = None
    result: Text = None
    result_reason: Text = None
    talk_time: Annotated[int, Field(ge=0, le=10**9)] | None = None


class Voicemail(Sent):
    """A message that was left; ``download_url`` needs a token, and is left alone."""

    call_id: Text = None


class Logs(Sent):
    """Lines of history, under the name of their version."""

    call_logs: list[Log] | None = None
    call_elements: list[Log] | None = None
