"""Which event of a calendar a conference was held for: who was invited, and what it is called.

A meeting code outlives an event: all occurrences of a series share it, and so does whatever is held in the same room in
between. So an event is taken that has the code *and* whose time is that of the conference.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from connector_core.providers.bodies import Sent, checked
from connector_google_meet.client import CALENDAR, GoogleClient, Refusal
from connector_google_meet.events import GoogleTime

SLACK = dt.timedelta(minutes=30)
"""How far from an event's time a conference may lie that only was too early, or too late, for it."""
_PAGE_SIZE = 250

_log = logging.getLogger(__name__)


def _text_or_none(value: object) -> object:
    return value.strip() or None if isinstance(value, str) else value


Text = Annotated[str | None, BeforeValidator(_text_or_none)]


class Invited(Sent):
    """Somebody who is invited, or who invites. ``resource``: it is a room, or a thing."""

    email: Text = None
    displayName: Text = None  # noqa: N815 - Google's name
    resource: bool = False
    responseStatus: Text = None  # noqa: N815 - Google's name


class Moment(Sent):
    """When an event begins or ends; one of whole days has a date alone."""

    dateTime: GoogleTime | None = None  # noqa: N815 - Google's name


class Invitation(Sent):
    """An event, as the Calendar API has it."""

    summary: Text = None
    start: Moment
    end: Moment
    organizer: Invited | None = None
    attendees: list[Invited] | None = None


def find(client: GoogleClient, user: str, code: str, start: dt.datetime, end: dt.datetime) -> Invitation | None:
    """Find the event of a conference in a user's own calendar; None where it was held for none.

    Documented at developers.google.com/workspace/calendar/api/v3/reference/events/list.

    :raises InputError: Google answers something else than it documents.
    :raises ConnectorError: As :meth:`GoogleClient.get`.
    """
    params = {
        "singleEvents": "true",
        "timeMin": _written(start - SLACK),
        "timeMax": _written(end + SLACK),
        "maxResults": str(_PAGE_SIZE),
    }
    rows = client.pages(user, f"{CALENDAR}calendars/primary/events", "items", params)
    if isinstance(rows, Refusal):
        _log.warning("a calendar cannot be read at Google (%s); going on without", rows)
        return None
    held = [checked(Invitation, row) for row in rows if row.get("status") != "cancelled" and code in _codes(row)]
    ranked = sorted((rank, place) for place, it in enumerate(held) if (rank := _rank(it, start, end)) is not None)
    return held[ranked[0][1]] if ranked else None


def _codes(row: Mapping[str, Any]) -> Iterator[str]:
    """Give the meeting codes of an event: of its conference, and of the link that older ones have alone."""
    data, link = row.get("conferenceData"), row.get("hangoutLink")
    if isinstance(data, dict) and isinstance(data.get("conferenceId"), str):
        yield data["conferenceId"]
    if isinstance(link, str):
        try:
            yield urlsplit(link).path.strip("/")
        except ValueError:
            return


def _rank(it: Invitation, start: dt.datetime, end: dt.datetime) -> tuple[float, float] | None:
    """Rank an event: the one that shares most of the conference's time first, then the nearest; none of whole days."""
    first, last = it.start.dateTime, it.end.dateTime
    if first is None or last is None:
        return None
    shared = (min(last, end) - max(first, start)).total_seconds()
    return -shared, abs((first - start).total_seconds())


def _written(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
