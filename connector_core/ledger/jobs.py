"""What a pump takes to work on: calls that are due, with all that is known of them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector_core.association import NO_HISTORY, Choice, Choices, Earlier, History
from connector_core.ledger.database import Database
from connector_core.ledger.inbox import is_call
from connector_core.ledger.leases import Lease, Leases
from connector_core.ledger.schema import BACKFILL, activities, calls, choices, decisions, writes
from connector_core.ledger.texts import read_draft, read_written
from connector_core.model import ActivityDraft, Call, Receipt, Written

FEW_CLAIMS = 3
"""How often a process may die over a call before its batches are halved."""
MOST_CLAIMS = 25
"""How often a call may be claimed and the process die before anything came of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A call that is claimed, and all that is known of it.

    ``doubt``: a draft that may have been sent, and was not answered; ``settled``: by now it would be there to be found;
    ``answer``: what was found to have come of it, once it was looked for. ``since``: when something new was learned of
    it last. ``deleted``: its provider deleted it.
    """

    call: Call
    version: int
    tries: int
    since: dt.datetime
    history: History = NO_HISTORY
    written: Written | None = None
    doubt: ActivityDraft | None = None
    doubt_until: dt.datetime | None = None
    settled: bool = True
    answer: Receipt | None = None
    deleted: bool = False


class Jobs:
    """Gives jobs to pumps."""

    def __init__(self, database: Database, leases: Leases) -> None:
        """Give none yet."""
        self._database = database
        self._leases = leases

    def claim(self, lease: Lease, most: int, *, backfill: bool = True) -> list[Job]:
        """Take calls that are due, interactive ones first; none is given twice under one lease before it is let go.

        Where processes died over calls, fewer and fewer of them are given at once; one that is alone then is set aside.
        """
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            jobs: list[Job] = []
            while not jobs and (rows := step.execute(self._due(lease, now, most, backfill)).all()):
                rows = rows[: max(1, most >> max(0, max(row.claims for row in rows) - FEW_CLAIMS))]
                mine = (calls.c.connection == lease.connection, calls.c.call_id.in_([row.call_id for row in rows]))
                step.execute(sa.update(calls).where(*mine).values(claimed=lease.fence, claims=calls.c.claims + 1))
                jobs = self._jobs(step, lease, rows, now)
            return jobs

    def _due(self, lease: Lease, now: dt.datetime, most: int, backfill: bool) -> sa.Select[Any]:
        free = sa.or_(calls.c.claimed.is_(None), calls.c.claimed != lease.fence)
        wanted = [calls.c.connection == lease.connection, calls.c.state == "due", calls.c.due_at <= now, free]
        if not backfill:
            wanted.append(calls.c.priority < BACKFILL)
        return sa.select(calls).where(*wanted).order_by(calls.c.priority, calls.c.due_at, calls.c.call_id).limit(most)

    def _jobs(self, step: sa.Connection, lease: Lease, rows: Sequence[sa.Row[Any]], now: dt.datetime) -> list[Job]:
        of = {table.name: self._of(step, table, lease.connection, rows) for table in (activities, choices, decisions)}
        doubts = self._of(step, writes, lease.connection, rows, writes.c.open)
        jobs = []
        for row in rows:
            if row.claims >= MOST_CLAIMS:
                self._set_aside(step, row, now, f"{row.claims} times nothing came of it: the process died")
                continue
            activity, decision, doubt = (
                next(iter(found.get(row.call_id, ())), None) for found in (of["activities"], of["decisions"], doubts)
            )
            try:
                jobs.append(_job(row, now, of["choices"].get(row.call_id, ()), activity, decision, doubt))
            except (ValueError, TypeError, KeyError):
                self._set_aside(step, row, now, "it was kept by another version and cannot be read")
        return jobs

    def _of(
        self,
        step: sa.Connection,
        table: sa.Table,
        connection: str,
        rows: Sequence[sa.Row[Any]],
        *further: sa.ColumnElement[bool],
    ) -> dict[str, list[sa.Row[Any]]]:
        """Give a table's rows of these calls, by call."""
        ids = [row.call_id for row in rows]
        found: dict[str, list[sa.Row[Any]]] = {}
        wanted = sa.select(table).where(table.c.connection == connection, table.c.call_id.in_(ids), *further)
        for row in step.execute(wanted):
            found.setdefault(row.call_id, []).append(row)
        return found

    def _set_aside(self, step: sa.Connection, row: sa.Row[Any], now: dt.datetime, reason: str) -> None:
        values = {"state": "waiting", "outcome": "waiting", "reason": reason, "claimed": None, "claims": 0}
        this = is_call(row.connection, row.call_id)
        step.execute(sa.update(calls).where(*this).values(**values, changed_at=now))


def _job(
    row: sa.Row[Any],
    now: dt.datetime,
    chosen: Iterable[sa.Row[Any]],
    activity: sa.Row[Any] | None,
    decision: sa.Row[Any] | None,
    doubt: sa.Row[Any] | None,
) -> Job:
    """Read all that is known of a call.

    :raises ValueError: It cannot be read; so do TypeError and KeyError say.
    """
    written = activity and read_written(activity)
    return Job(
        Call.model_validate_json(row.content),
        row.version,
        row.tries,
        row.changed_at,
        history(row.how, chosen, written, decision),
        written,
        doubt and read_draft(doubt),
        doubt and doubt.doubt_until,
        doubt is None or doubt.doubt_until <= now,
        deleted=row.deleted_at is not None,
    )


def history(how: str, chosen: Iterable[sa.Row[Any]], written: Written | None, decided: sa.Row[Any] | None) -> History:
    """Give what is known of a call from before, as its decision wants it."""
    choices = Choices.of(
        Choice(row.what, row.record_id, row.by, row.at, None if row.participant < 0 else row.participant)
        for row in chosen
    )
    earlier = None
    if how == "refresh" and decided is not None and decided.decision:
        earlier = Earlier.from_json(json.loads(decided.decision))
    return History(choices, written, earlier)
