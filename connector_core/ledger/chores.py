"""What is done at call providers from time to time, whose turn it is, and how far a list of calls was read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.schema import chores

TURN = dt.timedelta(minutes=5)
"""How long whoever took a chore has for it; after that others may."""
LONGEST_PAUSE = dt.timedelta(hours=6)
"""How long a chore that fails rests at most."""
_FIRST_PAUSE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Chore:
    """A hook of a provider that is due, and nobody else's until ``due_at``.

    ``tries``: how often it failed in turn. Of a list of calls: those since ``since``, begun at ``began_at``, and its page.
    """

    provider: str
    hook: str
    due_at: dt.datetime
    tries: int
    since: dt.datetime
    began_at: dt.datetime
    page: str | None


class Chores:
    """Keeps the chores of connections."""

    def __init__(self, database: Database) -> None:
        """Keep nothing yet."""
        self._database = database

    def set(self, connection: str, wanted: Collection[tuple[str, str]]) -> None:
        """Make these hooks, each with its provider, the chores of a connection: new ones are due now, others go.

        What is listed of a provider is what came since it was first among them.
        """
        there = sa.select(chores.c.provider, chores.c.hook).where(chores.c.connection == connection)
        with self._database.reading() as step:
            if {(row.provider, row.hook) for row in step.execute(there)} == set(wanted):
                return
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            known = {(row.provider, row.hook) for row in step.execute(there)}
            for provider, hook in known - set(wanted):
                step.execute(sa.delete(chores).where(*_is(connection, provider, hook)))
            for provider, hook in set(wanted) - known:
                row = {"connection": connection, "provider": provider, "hook": hook, "due_at": now, "since": now}
                step.execute(sa.insert(chores).values(**row, tries=0))

    def take(self, connection: str) -> Chore | None:
        """Take a chore that is due, subscriptions before lists: for a while nobody else is given it."""
        mine = chores.c.connection == connection
        with self._database.reading() as step:
            due = chores.c.due_at <= self._database.now(step)
            if not step.execute(sa.select(sa.exists().where(mine, due))).scalar():
                return None
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            wanted = sa.select(chores).where(mine, chores.c.due_at <= now).order_by(chores.c.hook, chores.c.provider)
            row = step.execute(wanted.limit(1)).first()
            if row is None:
                return None
            this = _is(connection, row.provider, row.hook)
            step.execute(sa.update(chores).where(*this).values(due_at=now + TURN))
            began_at = row.began_at or now
            return Chore(row.provider, row.hook, now + TURN, row.tries, row.since, began_at, row.page)

    def done(self, connection: str, chore: Chore, *, again_in_seconds: float, since: dt.datetime | None = None) -> None:
        """Keep that a chore is done, and when it is due again.

        :param since: Of a list that was read to its end: from where the next one begins.
        """
        ended: dict[str, Any] = {} if since is None else {"since": since, "began_at": None, "page": None}
        with self._database.writing() as step:
            due_at = self._database.now(step) + dt.timedelta(seconds=again_in_seconds)
            self._change(step, connection, chore, due_at=due_at, tries=0, reason=None, **ended)

    def failed(
        self,
        connection: str,
        chore: Chore,
        reason: str,
        *,
        after_seconds: float | None = None,
        within_seconds: float | None = None,
        longest: dt.timedelta = LONGEST_PAUSE,
        since: dt.datetime | None = None,
        anew: bool = False,
    ) -> bool:
        """Keep that a chore failed: it is due again in so long, or, not knowing that, later each time.

        :param within_seconds: It is due again no later than that.
        :param since: Of a list: from where it begins the next time.
        :param anew: Let a list begin at its first page once more.
        :returns: Whether that is news: a failure that differs from the last in its numbers alone is none.
        """
        pause = min(longest, _FIRST_PAUSE * 2 ** min(chore.tries, 20))
        if after_seconds is not None and after_seconds > 0:
            pause = dt.timedelta(seconds=min(after_seconds, longest.total_seconds()))
        if within_seconds is not None:
            pause = min(pause, dt.timedelta(seconds=within_seconds))
        begun: dict[str, Any] = {"began_at": None, "page": None} if anew else {}
        begun |= {} if since is None else {"since": since}
        with self._database.writing() as step:
            of = sa.select(chores.c.reason).where(*_is(connection, chore.provider, chore.hook))
            before = step.execute(of).scalar()
            due_at = self._database.now(step) + pause
            self._change(step, connection, chore, due_at=due_at, tries=chore.tries + 1, reason=reason, **begun)
        return before is None or _plain(before) != _plain(reason)

    def went_on(self, connection: str, chore: Chore, page: str, *, began_at: dt.datetime) -> Chore | None:
        """Keep how far a list was read; None where another process goes on with it."""
        with self._database.writing() as step:
            until = self._database.now(step) + TURN
            mine = self._change(step, connection, chore, due_at=until, began_at=began_at, page=page)
        return replace(chore, due_at=until, began_at=began_at, page=page) if mine else None

    def hurry(self, connection: str, provider: str, hook: str) -> None:
        """Let a chore be due now, unless somebody is at it or it rests."""
        with self._database.writing() as step:
            this = (*_is(connection, provider, hook), chores.c.tries == 0, chores.c.began_at.is_(None))
            step.execute(sa.update(chores).where(*this).values(due_at=self._database.now(step)))

    def let_go(self, connection: str, chore: Chore) -> None:
        """Let a chore that is not over be due now, for whoever takes it next."""
        with self._database.writing() as step:
            self._change(step, connection, chore, due_at=self._database.now(step))

    def _change(self, step: sa.Connection, connection: str, chore: Chore, **values: Any) -> bool:
        """Change a chore that is still this process's own."""
        mine = (*_is(connection, chore.provider, chore.hook), chores.c.due_at == chore.due_at)
        return step.execute(sa.update(chores).where(*mine).values(**values)).rowcount == 1


def _is(connection: str, provider: str, hook: str) -> tuple[sa.ColumnElement[bool], ...]:
    return chores.c.connection == connection, chores.c.provider == provider, chores.c.hook == hook


def _plain(reason: str) -> str:
    """Give a reason without its numbers: how long to wait differs each time."""
    return re.sub(r"\d+", "", reason)
