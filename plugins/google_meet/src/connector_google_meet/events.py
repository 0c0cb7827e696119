"""The events of Google Workspace about meetings, as Pub/Sub pushes them.

They carry names and nothing else: who met, and when, is read from Meet's API once a conference has ended. Documented at
developers.google.com/workspace/events/guides/events-meet; the form of a push at cloud.google.com/pubsub/docs/push.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connector_core.errors import InputError
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import Announced, Heard, Ignored
from connector_core.providers.parts import Part

PROVIDER = "google_meet"
CONFERENCE, RECORDINGS, TRANSCRIPTS, NOTES = "conference", "recordings", "transcripts", "notes"
ENDED = "google.workspace.meet.conference.v2.ended"
ENDED_TO_READ_SECONDS = 60.0
"""After the end until it is read: the last have left by then, and the record says so."""
GENERATED: Mapping[str, tuple[str, str]] = {
    "google.workspace.meet.recording.v2.fileGenerated": ("recording", RECORDINGS),
    "google.workspace.meet.transcript.v2.fileGenerated": ("transcript", TRANSCRIPTS),
    "google.workspace.meet.smartNote.v2.fileGenerated": ("smartNote", NOTES),
}
"""Events that a file is there, the name that they have in their data, and what is then read."""
EVENT_TYPES = (ENDED, *GENERATED)
"""What is subscribed to."""

_Model = TypeVar("_Model", bound=Sent)
_LIFECYCLE = "google.workspace.events.subscription.v1."
_SUBSCRIPTION = re.compile(r"//workspaceevents\.googleapis\.com/subscriptions/([A-Za-z0-9_.~%+-]{1,255})")


def _time(value: object) -> object:
    if not isinstance(value, str) or "T" not in value:
        raise PydanticCustomError("google_time", "should be a time like 2024-06-13T12:41:35.210Z")
    return value


GoogleTime: TypeAlias = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_time)]
"""RFC 3339 in UTC, with up to nine digits after the second, of which six are kept."""


class Message(Sent):
    """A message of Pub/Sub; ``attributes`` are those of the CloudEvent, ``data`` its JSON in Base64."""

    attributes: dict[str, str]
    data: str = ""


class Push(Sent):
    """The body of a push."""

    message: Message
    subscription: str


class Attributes(Sent):
    """The attributes of an event that are read."""

    type: Annotated[str, Field(alias="ce-type", min_length=1)]
    source: Annotated[str, Field(alias="ce-source")] = ""


class Named(Sent):
    """What an event is about."""

    name: Annotated[str, Field(pattern=r"^conferenceRecords/[A-Za-z0-9_-]{1,128}(/[A-Za-z]+/[A-Za-z0-9_.-]{1,128})?$")]


def call_id_of(name: str) -> str:
    """Name the call of a conference record, or of what belongs to one."""
    return f"{PROVIDER}:{name.split('/')[1]}"


def record_of(call_id: str) -> str:
    """Give the conference record that :func:`call_id_of` named."""
    return f"conferenceRecords/{call_id.removeprefix(f'{PROVIDER}:')}"


def part(call_id: str, event: str, revision: float, **said: Any) -> Part:
    """Make a part of a meeting's call.

    :raises InputError: What is said of it cannot be.
    """
    head = {"call_id": call_id, "provider": PROVIDER, "kind": "meeting", "event": event, "revision": revision}
    return checked(Part, head | said)


def heard(event: bytes) -> Iterator[Heard]:
    """Read a push.

    :raises InputError: It is none of an event of Google Workspace.
    """
    message = checked(Push, read_object(event)).message
    attributes = _checked(Attributes, message.attributes)
    if attributes.type.startswith(_LIFECYCLE):
        yield Ignored(attributes.type, "it tells of the subscription, which has to be renewed every few days")
    elif attributes.type == ENDED:
        call_id = call_id_of(_named(message, "conferenceRecord"))
        yield Announced(call_id, _asked(CONFERENCE, attributes), ENDED_TO_READ_SECONDS)
    elif attributes.type in GENERATED:
        key, what = GENERATED[attributes.type]
        yield Announced(call_id_of(_named(message, key)), _asked(what, attributes))
    else:
        yield Ignored(attributes.type, "it tells nothing of a conference that has ended")


def _asked(what: str, attributes: Attributes) -> str:
    """Say what to read, and by whose subscription it was told: whoever has that may read it."""
    found = _SUBSCRIPTION.fullmatch(attributes.source)
    return f"{what}@{found[1]}" if found else what


def _named(message: Message, key: str) -> str:
    try:
        data = base64.b64decode(message.data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError("message.data: should be Base64") from error
    try:
        value = read_object(data).get(key)
    except InputError as error:
        raise InputError(f"message.data: {error}") from error
    if value is None:
        raise InputError(f"message.data.{key}: is required")
    try:
        return checked(Named, value).name
    except InputError as error:
        raise InputError(f"message.data.{key}.{error}") from error


def _checked(model: type[_Model], attributes: Mapping[str, str]) -> _Model:
    try:
        return checked(model, attributes)
    except InputError as error:
        raise InputError(f"message.attributes.{error}") from error
