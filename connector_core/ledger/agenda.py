"""What there is to do: whose calls are due now, who is to be asked for what, and when the next ones will be."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.schema import (
    BACKFILL,
    INTERACTIVE,
    announcements,
    calls,
    changed,
    chores,
    connections,
    feeds,
)
from connector_core.ledger.schema_filling import fills


@dataclass(frozen=True, slots=True)
class Agenda:
    """The connections with calls to work on, or something to read or to see to, those that have waited longest first.

    ``leased``: those of them that a pump has the lease of; ``next_in_seconds``: until the first that is not due yet.
    Of a connection that is paused only its call providers are seen to; a backfill that waits for its quota is left out.
    """

    due: tuple[str, ...]
    leased: frozenset[str]
    next_in_seconds: float | None


def read_agenda(database: Database) -> Agenda:
    """Read it, at the cost of eight seeks in an index for each connection, however many calls are due.

    :raises TryAgainError: The database cannot be reached.
    """
    due: dict[str, dt.datetime] = {}
    leased: set[str] = set()
    later: list[dt.datetime] = []
    with database.reading() as step:
        now = database.now(step)
        for row in step.execute(_FIRST):
            at = _first(row)
            if at is None:
                continue
            if at > now:
                later.append(at)
                continue
            due[row.name] = at
            if row.lease_until is not None and row.lease_until > now:
                leased.add(row.name)
    next_in = (min(later) - now).total_seconds() if later else None
    return Agenda(tuple(sorted(due, key=lambda name: due[name])), frozenset(leased), next_in)


def _first(row: sa.Row[tuple[object, ...]]) -> dt.datetime | None:
    """Give the moment at which there is something to do for a connection, past or to come."""
    if row.paused_at is not None:  # its webhooks are received all the while
        return row.chore  # type: ignore[no-any-return]  # a Moment
    backlogs = (max(at, row.backfill_until or at) for at in (row.backfill, row.later_fill) if at is not None)
    moments = (row.interactive, row.fill, *backlogs, row.feed, row.announced, row.changed, row.chore)
    return min((at for at in moments if at is not None), default=None)


def _of(table: sa.Table, *which: sa.ColumnElement[bool]) -> sa.ScalarSelect[dt.datetime]:
    of_it = (table.c.connection == connections.c.name, *which)
    return sa.select(sa.func.min(table.c.due_at)).where(*of_it).correlate(connections).scalar_subquery()


def _calls(priority: int) -> sa.ScalarSelect[dt.datetime]:
    return _of(calls, calls.c.state == "due", calls.c.priority == priority)


_FIRST = sa.select(
    connections.c.name,
    connections.c.lease_until,
    connections.c.paused_at,
    connections.c.backfill_until,
    feeds.c.due_at.label("feed"),
    _calls(INTERACTIVE).label("interactive"),
    _calls(BACKFILL).label("backfill"),
    _of(announcements).label("announced"),
    _of(changed).label("changed"),
    _of(fills, fills.c.priority == INTERACTIVE).label("fill"),
    _of(fills, fills.c.priority == BACKFILL).label("later_fill"),
    _of(chores).label("chore"),
).outerjoin_from(connections, feeds, feeds.c.connection == connections.c.name)
