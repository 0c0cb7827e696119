"""What is read at Google once a conference has ended: when it was, who was there, and who was invited.

Documented at developers.google.com/workspace/meet/api/reference/rest/v2; records are kept for 30 days.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from connector_core.errors import InputError
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.hookspecs import Answer, Later
from connector_google_meet import invitations
from connector_google_meet.client import MEET, GoogleClient, Refusal
from connector_google_meet.events import CONFERENCE, GoogleTime, part, record_of
from connector_google_meet.invitations import Invitation, Invited, Text
from connector_google_meet.settings import MeetSettings

AGAIN_SECONDS = 900.0
"""Until something is asked for again that Google has not ready: it does not say how long that takes."""

Found: TypeAlias = Answer | Refusal
"""What a reading gives; a refusal is this user's, and another one may be told more."""

_log = logging.getLogger(__name__)


class Record(Sent):
    """A conference; one that goes on has no end."""

    name: str
    startTime: GoogleTime  # noqa: N815 - Google's name
    endTime: GoogleTime | None = None  # noqa: N815 - Google's name
    space: Annotated[str, Field(pattern=r"^spaces/[A-Za-z0-9_-]{1,128}$")] | None = None


class Space(Sent):
    """A room."""

    meetingCode: Text = None  # noqa: N815 - Google's name


class Shown(Sent):
    """Somebody as others saw them; ``user`` is ``users/ID``, for whoever signed in."""

    user: Text = None
    displayName: Text = None  # noqa: N815 - Google's name


class Participant(Sent):
    """Somebody who was there, once however often they joined; who did not sign in may stand there again."""

    name: str
    signedinUser: Shown | None = None  # noqa: N815 - Google's name
    anonymousUser: Shown | None = None  # noqa: N815 - Google's name
    phoneUser: Shown | None = None  # noqa: N815 - Google's name

    @property
    def shown(self) -> Shown:
        """What they are called; the number of who dialled in is masked."""
        return self.signedinUser or self.anonymousUser or self.phoneUser or Shown()


def read_conference(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> Found:
    """Read when a conference was, who was there, and who was invited.

    :raises InputError: Google answers something else than it documents.
    :raises ConnectorError: As :meth:`GoogleClient.get`.
    """
    record = record_of_call(client, user, call_id)
    if isinstance(record, Refusal):
        return record
    if record.endTime is None:
        return Later(AGAIN_SECONDS, "the conference goes on, as Google has it")
    people = people_of(client, user, call_id)
    if isinstance(people, Refusal):
        return people
    invitation = _invitation(client, user, record, record.endTime)
    own_id = client.user_id(user) if any(it.signedinUser for it in people) else None
    seen = {_plain(it.shown.displayName) for it in people}
    said = part(
        call_id,
        CONFERENCE,
        time.time(),
        complete=True,
        status="completed",
        started_at=record.startTime,
        ended_at=record.endTime,
        title=invitation.summary if invitation else None,
        organizer=_organizer(invitation, settings),
        participants=(
            *(_was_there(it, user, own_id) for it in reversed(people)),  # Google lists the last one first
            *(_was_invited(it, settings, seen) for it in _guests(invitation)),
        ),
    )
    return (said,)


# -- what is asked for -------------------------------------------------------------------------------------------------


def record_of_call(client: GoogleClient, user: str, call_id: str) -> Record | Refusal:
    """Read the record of a conference.

    :raises ConnectorError: As :func:`read_conference`.
    """
    found = client.get(user, f"{MEET}{record_of(call_id)}")
    if isinstance(found, Refusal):
        return found
    record = checked(Record, found)
    if record.name != record_of(call_id):
        raise InputError("name: is of another conference than the one that was asked for")
    return record


def people_of(client: GoogleClient, user: str, call_id: str) -> list[Participant] | Refusal:
    """Read who was there.

    :raises ConnectorError: As :func:`read_conference`.
    """
    url = f"{MEET}{record_of(call_id)}/participants"
    rows = client.pages(user, url, "participants", {"pageSize": "250"})
    return rows if isinstance(rows, Refusal) else [checked(Participant, row) for row in rows]


def _invitation(client: GoogleClient, user: str, record: Record, end: dt.datetime) -> Invitation | None:
    if record.space is None:
        return None
    found = client.get(user, f"{MEET}{record.space}")
    if isinstance(found, Refusal):
        _log.warning("the room of a conference cannot be read at Google (%s); going on without its event", found)
        return None
    code = checked(Space, found).meetingCode
    return invitations.find(client, user, code, record.startTime, end) if code else None


# -- what it says ------------------------------------------------------------------------------------------------------


def _was_there(it: Participant, user: str, own_id: str | None) -> dict[str, Any]:
    """Say who took part. Of the addresses Meet tells none; that of the user whom we ask for is known."""
    shown = it.shown
    own = own_id is not None and shown.user == f"users/{own_id}"
    named = f"name {shown.displayName}" if shown.displayName else f"participant {it.name}"
    return {
        "key": f"user {shown.user}" if shown.user else named,
        "is_user": True if own else None,
        "name": shown.displayName,
        "emails": ({"email": user, "source": "attendance"},) if own else (),
        "attended": True,
    }


def _was_invited(it: Invited, settings: MeetSettings, seen: set[str]) -> dict[str, Any]:
    """Say who was invited, which is not to say that they came; nor that they did not, but for who declined.

    :param seen: The names of those who were there: who declined, and is called like one of them, may have come.
    """
    email = it.email or ""
    stayed_away = it.responseStatus == "declined" and _plain(it.displayName) not in seen - {""}
    return {
        "key": f"email {email.casefold()}",
        "is_user": settings.is_own(email),
        "name": it.displayName,
        "emails": ({"email": email, "source": "calendar"},),
        "attended": False if stayed_away else None,
    }


def _plain(name: str | None) -> str:
    return (name or "").strip().casefold()


def _guests(invitation: Invitation | None) -> Sequence[Invited]:
    return [it for it in (invitation.attendees if invitation else None) or () if it.email and not it.resource]


def _organizer(invitation: Invitation | None, settings: MeetSettings) -> dict[str, str | None] | None:
    """Give who invited, where that is one of us."""
    it = invitation.organizer if invitation else None
    if it is None or it.email is None or not settings.is_own(it.email):
        return None
    return {"name": it.displayName, "email": it.email}
