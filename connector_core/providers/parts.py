"""Parts of a call: what one event, or one reading, says of it.

A part says what it knows and leaves out the rest. However many there are, in whatever order they came, and however often,
:func:`connector_core.providers.merging.merge` makes the same call of them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StrictBool, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from connector_core.model import Call, CallId, CallKind, CallStatus, Direction, Note, Organizer, Utterance
from connector_core.outside import CallTime, Id, Outside, Seconds

EmailSource: TypeAlias = Literal["attendance", "calendar", "report", "webhook", "directory", "contact", "upn"]
EMAIL_SOURCES: tuple[EmailSource, ...] = ("attendance", "calendar", "report", "webhook", "directory", "contact", "upn")
"""Where a participant's address comes from, the surest first: from who took part down to a login that may be no mailbox."""

Listed: TypeAlias = Literal["comments", "notes", "tags"]
LISTS: tuple[Listed, ...] = ("comments", "notes", "tags")
Revision: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Rank: TypeAlias = Annotated[int, Field(strict=True)]


class Address(Outside):
    """An e-mail address, and where the provider has it from."""

    email: str
    source: EmailSource = "webhook"


class Attendant(Outside):
    """Somebody in a call, as a part tells of them. All that is said with one ``key``, or with one address, is of one person.

    ``key``: what the provider tells people of a call apart by: a user's id, a number, an address. ``attended``: whether
    they were there; who was only invited is left at None, or said not to have been where the provider lists who was.
    """

    key: Id
    is_user: StrictBool | None = None
    name: str | None = None
    emails: tuple[Address, ...] = ()
    phones: tuple[str, ...] = ()
    attended: StrictBool | None = None


class Part(Outside):
    """What one event says of one call.

    ``event``: its name, for people. ``revision``: of two parts the one with the greater is the newer; any number that grows.
    ``rank``: a part of a greater rank goes before all newer ones of a lesser. ``complete``: with this, the call can be
    written. Texts, times and lists without ids (topics, highlights, transcript, teams) are those of the newest part that has
    them; comments, notes and tags are gathered by id, and those that a part named in ``replaces`` are all that there are.
    """

    call_id: CallId
    provider: Id
    kind: CallKind
    event: Id
    revision: Revision
    rank: Rank = 0
    complete: StrictBool = False
    replaces: tuple[Listed, ...] = ()
    started_at: CallTime | None = None
    ended_at: CallTime | None = None
    duration_seconds: Seconds | None = None
    talk_seconds: Seconds | None = None
    direction: Direction | None = None
    status: CallStatus | None = None
    title: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    outcome: str | None = None
    organizer: Organizer | None = None
    link: str | None = None
    recording_url: str | None = None
    summary: str | None = None
    topics: tuple[str, ...] | None = None
    highlights: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    transcript: tuple[Utterance, ...] | None = None
    participants: tuple[Attendant, ...] = ()
    comments: dict[str, Note] = Field(default_factory=dict)
    notes: dict[str, Note] = Field(default_factory=dict)
    tags: dict[str, str] = Field(default_factory=dict)

    @field_validator("ended_at")
    @classmethod
    def _in_order(cls, value: dt.datetime | None, info: ValidationInfo) -> dt.datetime | None:
        started_at = info.data.get("started_at")
        if value is not None and started_at is not None and value < started_at:
            raise PydanticCustomError("call_order", "Input should not be before started_at")
        return value

    @cached_property
    def text(self) -> str:
        """It as JSON, as the ledger keeps it: without what it does not say, and without its revision."""
        said = self.model_dump(mode="json", exclude_defaults=True, exclude={"revision"})
        return json.dumps(said, ensure_ascii=True, sort_keys=True, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, revision: float) -> Part:
        """Read what :attr:`text` gave.

        :raises ValueError: It cannot be read.
        """
        return cls.model_validate({**json.loads(text), "revision": revision})

    @property
    def order(self) -> tuple[int, float]:
        """By which of two parts the one goes before the other: the greater does."""
        return self.rank, self.revision

    def digest(self) -> str:
        """Give what tells what it says from what others say; its revision aside."""
        return hashlib.sha256(self.text.encode()).hexdigest()


SAID = tuple(name for name in Part.model_fields if name in Call.model_fields and name not in ("participants", *LISTS))
"""What a part says as the newest that says it."""
