"""The body of a webhook, as Aircall sends it: absent keys are really absent, and times are seconds since 1970 in UTC.

Documented at developer.aircall.io/docs/webhooks-overview and /docs/calls.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from connector_core.providers.bodies import Sent

_YEAR_3000 = 32_503_680_000
Epoch: TypeAlias = Annotated[int, Field(ge=0, lt=_YEAR_3000)]


class User(Sent):
    """Somebody of the seller's."""

    id: int | None = None
    name: str | None = None
    email: str | None = None


class Labelled(Sent):
    """An address or a number of a contact."""

    value: str | None = None


class Contact(Sent):
    """An entry of Aircall's own address book, found by number."""

    first_name: str | None = None
    last_name: str | None = None
    emails: list[Labelled] | None = None
    phone_numbers: list[Labelled] | None = None


class Number(Sent):
    """The seller's own line."""

    digits: str | None = None


class Party(Sent):
    """A leg of a conference; an external one has a number, never an e-mail, and one of a user's the user's id and name."""

    type: str | None = None
    id: int | str | None = None
    name: str | None = None
    phone_number: str | None = None


class Comment(Sent):
    """A note of a user's."""

    id: int | None = None
    content: str | None = None
    posted_by: User | None = None
    posted_at: Epoch | None = None


class Named(Sent):
    """A tag or a team."""

    id: int | None = None
    name: str | None = None


class CallData(Sent):
    """A call as it stands; one that goes on has no ``ended_at``.

    ``raw_digits`` is the outside party in both directions, or ``anonymous``. ``duration`` includes ringing.
    ``voicemail`` is an address that is valid for ten minutes; ``asset`` a page that lasts, and needs a login.
    """

    id: Annotated[int, Field(gt=0)]
    direction: Literal["inbound", "outbound"]
    started_at: Epoch
    ended_at: Epoch | None = None
    answered_at: Epoch | None = None
    duration: Annotated[int, Field(ge=0, le=10**9)] | None = None
    missed_call_reason: str | None = None
    hangup_cause: str | None = None
    voicemail: str | None = None
    asset: str | None = None
    raw_digits: str | None = None
    user: User | None = None
    transferred_by: User | None = None
    contact: Contact | None = None
    number: Number | None = None
    participants: list[Party] | None = None
    conference_participants: list[Party] | None = None
    teams: list[Named] | None = None
    comments: list[Comment] | None = None
    tags: list[Named] | None = None


class Head(Sent):
    """What every event has."""

    event: Annotated[str, Field(min_length=1)]


class Event(Head):
    """An event about a call; ``timestamp`` is when the body was built. Those of messages count milliseconds."""

    timestamp: Epoch


class CallEvent(Sent):
    """An event that holds the call as it stands."""

    data: CallData


class EndedData(CallData):
    """A call that has ended."""

    ended_at: Epoch


class EndedEvent(Sent):
    """The event of a call that has ended."""

    data: EndedData
