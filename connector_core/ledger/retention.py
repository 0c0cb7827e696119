"""What calls said is kept for a time after they settled; which calls there were, and what each wrote where, stays.

Ids and hashes stay: content that comes once more is known, and nothing is written twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.fillings import forget_fillings
from connector_core.ledger.heard import forget_heard, forget_stubs
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.schema import SETTLED, activities, awaited, calls, decisions, writes
from connector_core.ledger.texts import bare_draft, bare_written

AT_ONCE = 500
"""Calls that are pruned in one step."""


class Retention:
    """Forgets what settled calls said."""

    def __init__(self, database: Database) -> None:
        """Forget nothing yet."""
        self._database = database

    def prune(self, keep_days: float, *, most: int | None = None) -> int:
        """Forget what was said in calls that settled longer ago than that, the oldest first; give how many there were.

        :param most: No more than so many, so that nobody waits long.
        :raises TryAgainError: The database cannot be reached. What was forgotten stays so.
        """
        pruned = 0
        while most is None or pruned < most:
            number = self._prune(dt.timedelta(days=keep_days), AT_ONCE if most is None else min(AT_ONCE, most - pruned))
            if not number:
                break
            pruned += number
        with self._database.writing() as step:
            forget_stubs(step, self._database.now(step) - dt.timedelta(days=keep_days))
        return pruned

    def _prune(self, keep: dt.timedelta, most: int) -> int:
        with self._database.writing() as step:
            now = self._database.now(step)
            old = (
                calls.c.pruned_at.is_(None),
                calls.c.settled_at < now - keep,
                calls.c.state.in_(SETTLED),
            )
            oldest = sa.select(calls.c.connection).where(*old).order_by(calls.c.settled_at).limit(1)
            connection = step.execute(oldest).scalar()
            if connection is None:
                return 0
            lock_connection(self._database, step, connection)
            these = sa.select(calls.c.call_id).where(calls.c.connection == connection, *old)
            ids = step.execute(these.order_by(calls.c.settled_at).limit(most)).scalars().all()
            forget(self._database, step, connection, ids, now)
            return len(ids)


def forget(database: Database, step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime) -> None:
    """Remove all that these calls said: content, decision, what it waits for, texts and reasons of what was written."""

    def of(table: sa.Table, ids: Sequence[str] = call_ids) -> tuple[sa.ColumnElement[bool], ...]:
        return table.c.connection == connection, table.c.call_id.in_(ids)

    step.execute(sa.update(calls).where(*of(calls)).values(content=None, pruned_at=now))
    step.execute(sa.delete(awaited).where(*of(awaited)))
    forget_heard(step, connection, call_ids)
    forget_fillings(database, step, connection, call_ids)
    step.execute(sa.update(decisions).where(*of(decisions)).values(decision=None))
    step.execute(sa.update(writes).where(*of(writes)).values(reason=None))
    for row in step.execute(sa.select(writes).where(*of(writes), writes.c.draft.is_not(None))).all():
        this = (*of(writes, [row.call_id]), writes.c.number == row.number)
        step.execute(sa.update(writes).where(*this).values(draft=bare_draft(row.draft)))
    for row in step.execute(sa.select(activities).where(*of(activities), activities.c.wrote.is_not(None))).all():
        step.execute(sa.update(activities).where(*of(activities, [row.call_id])).values(wrote=bare_written(row.wrote)))
