"""Calls that no notification told of: the records of the last 30 days are still listed at Graph.

Documented at learn.microsoft.com/graph/api/callrecords-cloudcommunications-list-callrecords: by when a call began.
"""

from __future__ import annotations

import datetime as dt

from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Announced, Missed
from connector_microsoft_teams.client import GraphClient, Refusal
from connector_microsoft_teams.notifications import announced
from connector_microsoft_teams.records import Listed
from connector_microsoft_teams.settings import TeamsSettings

KEPT = dt.timedelta(days=30)
WINDOW = dt.timedelta(hours=1)
"""What is listed at once: a page of ours is all of Graph's pages of so long."""


def list_records(client: GraphClient, settings: TeamsSettings, since: dt.datetime, page: str | None) -> Missed:
    """Give what can be read of the calls that began since then, an hour at a time; what is older than 30 days is gone.

    :raises InputError: There is no such page, or Graph answers something else than it documents.
    :raises CredentialsError: Microsoft refuses the app, or it lacks a permission.
    :raises TryAgainError: Graph does not answer now.
    """
    now = dt.datetime.now(dt.UTC)
    start = max(since if page is None else _time(page), now - KEPT)
    if start >= now:
        return Missed(())
    end = start + WINDOW
    heard: dict[Announced, None] = {}
    for record_id in _listed(client, start, end):
        heard |= dict.fromkeys(announced(record_id, settings))
    return Missed(tuple(heard), _utc(end) if end < now else None)


def _listed(client: GraphClient, start: dt.datetime, end: dt.datetime) -> list[str]:
    wanted = f"startDateTime ge {_utc(start)} and startDateTime lt {_utc(end)}"
    rows = client.get_list("/communications/callRecords", {"$filter": wanted})
    if isinstance(rows, Refusal):
        if rows.status == 403:
            raise CredentialsError("the app lacks the permission CallRecords.Read.All, or an administrator's consent")
        raise InputError(f"the call records cannot be listed at Graph (status {rows.status})")
    return [checked(Listed, row).id.lower() for row in rows]


def _time(page: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(page)
    except ValueError as error:
        raise InputError("page: is none of this list") from error
    if moment.tzinfo is None:
        raise InputError("page: is none of this list")
    return moment


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
