"""Calls that no notification told of: the records of the last 30 days are still listed at Graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import closing

from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Announced
from connector_microsoft_teams.client import GraphClient, Refusal
from connector_microsoft_teams.notifications import announced
from connector_microsoft_teams.records import Listed
from connector_microsoft_teams.settings import read_settings

KEPT = dt.timedelta(days=30)
_WINDOW = dt.timedelta(days=1)


def announced_since(settings: Mapping[str, object], since: dt.datetime) -> tuple[Announced, ...]:
    """Give what can be read of the calls that began since then; a ledger that has them already reads them once more.

    :param settings: Those of the connection.
    :param since: What is more than 30 days ago is gone.
    :raises ConfigurationError: The settings are wrong; each is named, and no value shown.
    :raises InputError: ``since`` has no offset, or Graph answers something else than it documents.
    :raises CredentialsError: Microsoft refuses the app, or it lacks a permission.
    :raises TryAgainError: Graph does not answer now.
    """
    if since.tzinfo is None:
        raise InputError("since: wanted a time with an offset")
    read = read_settings(settings)
    now = dt.datetime.now(dt.UTC)
    start = max(since, now - KEPT)
    found: dict[Announced, None] = {}
    with closing(GraphClient(read)) as client:
        while start < now:  # a day at a time: the pages of one answer are bounded
            for record_id in _listed(client, start, start + _WINDOW):
                found |= dict.fromkeys(announced(record_id, read))
            start += _WINDOW
    return tuple(found)


def _listed(client: GraphClient, start: dt.datetime, end: dt.datetime) -> list[str]:
    wanted = f"startDateTime ge {_utc(start)} and startDateTime lt {_utc(end)}"
    rows = client.get_list("/communications/callRecords", {"$filter": wanted})
    if isinstance(rows, Refusal):
        if rows.status == 403:
            raise CredentialsError("the app lacks the permission CallRecords.Read.All, or an administrator's consent")
        raise InputError(f"the call records cannot be listed at Graph (status {rows.status})")
    return [checked(Listed, row).id.lower() for row in rows]


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
