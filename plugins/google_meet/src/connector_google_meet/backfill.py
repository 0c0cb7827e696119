"""Conferences that no event told of: those of the last 30 days are still listed at Google."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from connector_core.errors import ConnectorError, CredentialsError, InputError
from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Part
from connector_google_meet import conferences, files
from connector_google_meet.client import MEET, GoogleClient, Refusal
from connector_google_meet.events import Named, call_id_of
from connector_google_meet.settings import MeetSettings

KEPT = dt.timedelta(days=30)
_READINGS = (
    conferences.read_conference,
    files.read_recordings,
    files.read_transcripts,
    files.read_notes,
)


def backfill(
    client: GoogleClient, settings: MeetSettings, since: dt.datetime, until: dt.datetime
) -> Iterator[tuple[Part, ...]]:
    """Read the conferences that ended in a time, each once and whole, as the first user who may.

    :raises TryAgainError: Google does not answer now; what was given before is read.
    :raises ConnectorError: A user, or a conference, could not be read; everything else was, and was given before.
    """
    failure: ConnectorError | None = None
    seen: set[str] = set()
    for user in settings.users:
        try:
            names = _listed(client, user, since, until)
        except (CredentialsError, InputError) as error:
            failure = failure or error
            continue
        for name in names:
            if name in seen:
                continue
            try:
                parts = _read(client, settings, user, call_id_of(name))
            except (CredentialsError, InputError) as error:
                failure = failure or error
                continue
            if parts:
                seen.add(name)
                yield parts
    if failure is not None:
        raise failure


def _listed(client: GoogleClient, user: str, since: dt.datetime, until: dt.datetime) -> list[str]:
    wanted = f'end_time>="{_written(since)}" AND end_time<="{_written(until)}"'
    rows = client.pages(user, f"{MEET}conferenceRecords", "conferenceRecords", {"filter": wanted, "pageSize": "100"})
    if isinstance(rows, Refusal):
        raise InputError(f"the conferences of one of users cannot be listed at Google ({rows})")
    return [checked(Named, row).name for row in rows]


def _read(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> tuple[Part, ...]:
    """Read all there is of a conference; what is not ready is announced by an event, later."""
    parts: tuple[Part, ...] = ()
    for read in _READINGS:
        found = read(client, settings, user, call_id)
        if isinstance(found, tuple):
            parts += found
        elif read is conferences.read_conference:
            return ()
    return parts


def _written(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
