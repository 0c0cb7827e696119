"""What surrounds a call record: the report of who attended a meeting, and the calendar's word of who was invited.

Documented at learn.microsoft.com/graph/api/resources/meetingattendancereport and …/event. Both are the organizer's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, NaiveDatetime

from connector_core.providers.bodies import Sent, checked
from connector_core.providers.parts import Part
from connector_microsoft_teams.notifications import ATTENDANCE, CALENDAR
from connector_microsoft_teams.records import GraphTime, Identity, Record, Text, mail_of, own_user, part

_MARGIN = dt.timedelta(hours=1)
"""How far from its time in the calendar a meeting may be held, to be found there."""


class Meeting(Sent):
    """An online meeting. It stays the same for all occurrences of a series."""

    id: str = Field(min_length=1)
    subject: Text = None


class Report(Sent):
    """One session of a meeting, from the first who joined to the last who left."""

    id: str = Field(min_length=1)
    meetingStartDateTime: GraphTime  # noqa: N815 - as Graph writes it
    meetingEndDateTime: GraphTime  # noqa: N815 - as Graph writes it


class Row(Sent):
    """Somebody who attended. ``emailAddress`` is empty for most who are of no tenant."""

    emailAddress: Text = None  # noqa: N815 - as Graph writes it
    identity: Identity | None = None


class Mailbox(Sent):
    """A name and an address, as a calendar has them."""

    name: Text = None
    address: Text = None


class Invited(Sent):
    """Somebody who is invited; ``type`` is ``resource`` for a room."""

    type: Text = None
    emailAddress: Mailbox | None = None  # noqa: N815 - as Graph writes it


class Moment(Sent):
    """A time of a calendar, which has no offset: UTC was asked for."""

    dateTime: NaiveDatetime = Field(strict=False)  # noqa: N815 - as Graph writes it
    timeZone: Literal["UTC"]  # noqa: N815 - as Graph writes it

    @property
    def aware(self) -> dt.datetime:
        """The time, with its offset."""
        return self.dateTime.replace(tzinfo=dt.UTC)


class Room(Sent):
    """Where an event is held online."""

    joinUrl: Text = None  # noqa: N815 - as Graph writes it


class Located(Sent):
    """An event of a calendar, as far as it is read of those that are not looked for."""

    onlineMeeting: Room | None = None  # noqa: N815 - as Graph writes it


class Event(Located):
    """An event of a calendar; each occurrence of a series is one."""

    subject: Text = None
    start: Moment
    end: Moment
    lastModifiedDateTime: GraphTime | None = None  # noqa: N815 - as Graph writes it
    organizer: Invited | None = None
    attendees: list[Invited] = Field(default_factory=list)


# -- who attended ------------------------------------------------------------------------------------------------------


def overlapping(reports: Iterable[Report], record: Record) -> Report | None:
    """Find the session that a record is of: the one with the most time in common; None where none has any.

    A meeting has a report for each time that its room emptied and filled again, minutes apart.
    """
    best = max(reports, key=lambda it: _common(it.meetingStartDateTime, it.meetingEndDateTime, record), default=None)
    if best is None or _common(best.meetingStartDateTime, best.meetingEndDateTime, record) <= dt.timedelta():
        return None
    return best


def attended(record: Record, meeting: Meeting, report: Report, rows: Iterable[Row], tenant_id: str) -> Part:
    """Say who attended.

    :raises InputError: The report says what cannot be.
    """
    own = own_domains(record, tenant_id)
    people = (_attended(row, own, tenant_id) for row in rows)
    return part(
        record.id.lower(),
        ATTENDANCE,
        report.meetingEndDateTime.timestamp(),
        kind="meeting",
        title=meeting.subject,
        participants=tuple(who for who in people if who is not None),
    )


def _attended(row: Row, own: frozenset[str], tenant_id: str) -> dict[str, Any] | None:
    who = row.identity or Identity()
    mail = row.emailAddress if "@" in (row.emailAddress or "") else None
    user = f"user {who.id}" if who.id and who.tenantId else None
    key = user or (mail and f"email {mail.casefold()}") or (who.displayName and f"guest {who.displayName}")
    if key is None:
        return None
    ours = (who.tenantId or "").lower() == tenant_id and _domain(mail) in own
    return {
        "key": key,
        "is_user": True if ours else None,
        "name": who.displayName,
        "emails": ({"email": mail, "source": "attendance"},) if mail else (),
        "attended": True,
    }


# -- who was invited ---------------------------------------------------------------------------------------------------


def calendar_owner(record: Record, tenant_id: str) -> str | None:
    """Say whose calendar has the meeting: the organizer's, else that of anybody of the tenant who took part."""
    organizer = record.organizer_v2.identity if record.organizer_v2 else None
    identities = (organizer, *(who.identity for who in record.participants_v2))
    users = (own_user(identity, tenant_id) for identity in identities)
    return next((user.id for user in users if user is not None and user.id), None)


def window(record: Record) -> dict[str, str]:
    """Give the time in which to look for a meeting in a calendar, as parameters."""
    start, end = record.startDateTime - _MARGIN, record.endDateTime + _MARGIN
    return {"startDateTime": _utc(start), "endDateTime": _utc(end)}


def event_of(rows: Iterable[object], record: Record) -> Event | None:
    """Find the event that a record is of: of those in its room, the one with the most time in common.

    :raises InputError: One of those in its room has another form than Graph documents.
    """
    room = room_of(record.joinWebUrl)
    located = ((row, checked(Located, row).onlineMeeting) for row in rows)
    same = [checked(Event, row) for row, place in located if place and room and room_of(place.joinUrl) == room]
    return max(same, key=lambda it: _common(it.start.aware, it.end.aware, record), default=None)


def invited(record: Record, event: Event, tenant_id: str) -> Part:
    """Say who was invited, which is not to say that they came.

    :raises InputError: The event says what cannot be.
    """
    own = own_domains(record, tenant_id)
    people = (_invited(it.emailAddress, own) for it in event.attendees if it.type != "resource" and it.emailAddress)
    changed_at = event.lastModifiedDateTime or event.start.aware
    return part(
        record.id.lower(),
        CALENDAR,
        changed_at.timestamp(),
        kind="meeting",
        title=event.subject,
        organizer=_organizer(event.organizer, own),
        participants=tuple(who for who in people if who is not None),
    )


def _organizer(host: Invited | None, own: frozenset[str]) -> dict[str, str | None] | None:
    """Give the organizer by their mailbox, which their login need not be."""
    box = host.emailAddress if host is not None else None
    return {"name": box.name, "email": box.address} if box is not None and _domain(box.address) in own else None


def _invited(box: Mailbox, own: frozenset[str]) -> dict[str, Any] | None:
    if box.address is None or "@" not in box.address:
        return None
    return {
        "key": f"email {box.address.casefold()}",
        "is_user": True if _domain(box.address) in own else None,
        "name": None if "@" in (box.name or "") else box.name,  # calendars write the address for want of a name
        "emails": ({"email": box.address, "source": "calendar"},),
    }


def room_of(url: str | None) -> str | None:
    """Give the room that an address leads to, alike however it is escaped; None for no address.

    The query is left out: of the older addresses it names the organizer, of the newer ones it holds the passcode.
    """
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return None
    room = unquote(parts.path).casefold().rstrip("/")
    return room or None


# -- what both need ----------------------------------------------------------------------------------------------------


def own_domains(record: Record, tenant_id: str) -> frozenset[str]:
    """Give the domains of the tenant's users in a record: who has an address there is no outsider."""
    parties = (record.organizer_v2, *record.participants_v2)
    users = (own_user(it.identity, tenant_id) for it in parties if it is not None)
    return frozenset(_domain(mail_of(user)) for user in users if user is not None) - {""}


def _domain(mail: str | None) -> str:
    return (mail or "").rpartition("@")[2].casefold()


def _common(start: dt.datetime, end: dt.datetime, record: Record) -> dt.timedelta:
    """Give the time that something has in common with a record; below zero, the time between them."""
    return min(end, record.endDateTime) - max(start, record.startDateTime)


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
