"""Conferences that no event told of: those of the last 30 days are still listed at Google.

Documented at developers.google.com/workspace/meet/api/reference/rest/v2/conferenceRecords/list.
"""

from __future__ import annotations

import datetime as dt
import re

from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Announced, Missed
from connector_google_meet.client import MEET, GoogleClient, Refusal
from connector_google_meet.events import (
    CONFERENCE,
    ENDED_TO_READ_SECONDS,
    NOTES,
    RECORDINGS,
    TRANSCRIPTS,
    Named,
    call_id_of,
)
from connector_google_meet.readers import Readers
from connector_google_meet.settings import MeetSettings

KEPT = dt.timedelta(days=30)
_MOST_TOKEN = 2_000
_PAGE = re.compile(rf"(?P<user>[0-9]{{1,6}}):(?P<token>[\x21-\x7e]{{0,{_MOST_TOKEN}}})")


def list_conferences(
    client: GoogleClient, settings: MeetSettings, readers: Readers, since: dt.datetime, page: str | None
) -> Missed:
    """List the conferences that ended since then: those of one user after the other. What came of each is read later.

    :raises InputError: There is no such page.
    :raises TryAgainError: Google does not answer now.
    """
    number, token = _place(page, len(settings.users))
    user = settings.users[number]
    query = {"filter": f'end_time>="{_written(max(since, dt.datetime.now(dt.UTC) - KEPT))}"', "pageSize": "100"}
    following: str | None = f"{number + 1}:" if number + 1 < len(settings.users) else None
    try:
        found = client.page(user, f"{MEET}conferenceRecords", "conferenceRecords", query, token)
        if isinstance(found, Refusal):
            raise InputError(f"the conferences cannot be listed at Google ({found})")
        rows, token = found
        if token is not None and not _PAGE.fullmatch(f"{number}:{token}"):
            raise InputError("nextPageToken: is none")
        call_ids = [call_id_of(checked(Named, row).name) for row in rows]
    except (CredentialsError, InputError) as error:  # the others' are listed all the same
        return Missed((), following, f"users[{number}]: {error}")
    for call_id in call_ids:
        readers.remember(call_id, user)
    heard = (announced for call_id in call_ids for announced in _announced(call_id))
    return Missed(tuple(heard), following if token is None else f"{number}:{token}")


def _place(page: str | None, users: int) -> tuple[int, str | None]:
    """Read whose conferences come next, and which page of them."""
    if page is None:
        return 0, None
    found = _PAGE.fullmatch(page)
    if found is None or int(found["user"]) >= users:
        raise InputError("page: is none of this list")
    return int(found["user"]), found["token"] or None


def _announced(call_id: str) -> tuple[Announced, ...]:
    conference = Announced(call_id, CONFERENCE, ENDED_TO_READ_SECONDS)
    return conference, *(Announced(call_id, what) for what in (RECORDINGS, TRANSCRIPTS, NOTES))


def _written(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
