"""What webhooks told: parts of calls, kept until the call is forgotten, and what is still to be read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from connector_core.ledger.database import Database
from connector_core.ledger.inbox import AT_ONCE, Accepted, Inbox, Wake
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.schema import announcements, calls, parts
from connector_core.model import Call
from connector_core.providers.hookspecs import Announced
from connector_core.providers.merging import merge
from connector_core.providers.parts import Part

TURN = dt.timedelta(minutes=5)
"""How long whoever took announcements has for reading them; after that others may."""
PATIENCE = dt.timedelta(days=3)
"""How long something is asked for that was announced and cannot be read."""
MOST_AT_ONCE = 100
_LONGEST_PAUSE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that was announced and is due to be read."""

    provider: str
    announced: Announced
    tries: int
    heard_at: dt.datetime


class Heard:
    """Keeps what webhooks told, and makes calls of it."""

    def __init__(self, database: Database, inbox: Inbox) -> None:
        """Keep nothing yet."""
        self._database = database
        self._inbox = inbox

    def hear(
        self,
        connection: str,
        provider: str,
        said: Iterable[Part],
        announced: Iterable[Announced] = (),
        *,
        read: Iterable[Waiting] = (),
        delay_seconds: float = 0.0,
        wake: Wake | None = None,
    ) -> Accepted:
        """Keep parts, and accept the calls that they complete or change: once this returns, nothing of it is lost.

        :param announced: What can be read besides.
        :param read: What was announced, and has been read: it need not be any more, unless it was announced anew meanwhile.
        :param delay_seconds: Leave a call alone for so long after its end.
        :raises TryAgainError: The database did not keep it; all of it may be told again.
        """
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            news = self._keep(step, connection, list(said), now)
            for done in read:
                same = announcements.c.heard_at == done.heard_at
                step.execute(sa.delete(announcements).where(*_is(connection, done.announced), same))
            waiting = list(dict.fromkeys(announced))
            for it in waiting:
                self._announce(step, connection, provider, it, now)
            verdicts = self._inbox.keep(
                step, connection, self._merged(step, connection, news), delay_seconds=delay_seconds, latest=True
            )
            due = any(it != "known" for it in verdicts.values()) or any(it.after_seconds <= 0 for it in waiting)
            if due and wake is not None:
                wake(connection, step)
            return Accepted(verdicts)

    def _keep(self, step: sa.Connection, connection: str, said: Sequence[Part], now: dt.datetime) -> list[str]:
        """Keep parts; give the ids of the calls of which something new was said."""
        insert = sqlite_insert if self._database.is_sqlite else pg_insert
        news: dict[str, None] = {}
        for part in said:
            row = {
                "connection": connection,
                "call_id": part.call_id,
                "digest": part.digest(),
                "revision": part.revision,
                "complete": part.complete,
                "part": part.text(),
                "heard_at": now,
            }
            kept = insert(parts).values(row)
            newer = kept.on_conflict_do_update(
                index_elements=["connection", "call_id", "digest"],
                set_={"revision": kept.excluded.revision, "heard_at": kept.excluded.heard_at},
                where=parts.c.revision < kept.excluded.revision,
            )
            if step.execute(newer).rowcount:
                news[part.call_id] = None
        return list(news)

    def _merged(self, step: sa.Connection, connection: str, call_ids: Sequence[str]) -> Mapping[str, Call]:
        """Make the calls that are complete."""
        found: dict[str, Call] = {}
        for call_id in call_ids:
            of = (parts.c.connection == connection, parts.c.call_id == call_id)
            if not step.execute(sa.select(sa.exists().where(*of, parts.c.complete))).scalar():
                continue
            rows = step.execute(sa.select(parts.c.part, parts.c.revision).where(*of)).all()
            call = merge(Part.read(row.part, row.revision) for row in rows)
            if call is not None:
                found[call_id] = call
        return found

    def _announce(self, step: sa.Connection, connection: str, provider: str, it: Announced, now: dt.datetime) -> None:
        due_at = now + dt.timedelta(seconds=max(0.0, it.after_seconds))
        step.execute(sa.delete(announcements).where(*_is(connection, it)))
        row = {"connection": connection, "call_id": it.call_id, "what": it.what, "provider": provider}
        step.execute(sa.insert(announcements).values(**row, heard_at=now, due_at=due_at, tries=0))

    # -- what is to be read --------------------------------------------------------------------------------------------

    def take(self, connection: str) -> list[Waiting]:
        """Take what is due to be read, some at a time: for a while nobody else is given it."""
        of = announcements.c.connection == connection
        with self._database.reading() as step:
            due = announcements.c.due_at <= self._database.now(step)
            if not step.execute(sa.select(sa.exists().where(of, due))).scalar():
                return []
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            wanted = sa.select(announcements).where(of, announcements.c.due_at <= now)
            rows = step.execute(wanted.order_by(announcements.c.due_at).limit(MOST_AT_ONCE)).all()
            taken = [Waiting(row.provider, Announced(row.call_id, row.what), row.tries, row.heard_at) for row in rows]
            for it in taken:
                values = {"due_at": now + TURN, "tries": it.tries + 1}
                step.execute(sa.update(announcements).where(*_is(connection, it.announced)).values(values))
            return taken

    def postpone(self, connection: str, it: Waiting, after_seconds: float | None, reason: str) -> None:
        """Let something be asked for again: in so long, or, not knowing that, later each time; not beyond three days."""
        pause = dt.timedelta(seconds=after_seconds) if after_seconds else min(_LONGEST_PAUSE, _pause(it.tries))
        with self._database.writing() as step:
            now = self._database.now(step)
            due_at = now + pause if now - it.heard_at < PATIENCE else None
            same = (*_is(connection, it.announced), announcements.c.heard_at == it.heard_at)
            step.execute(sa.update(announcements).where(*same).values(due_at=due_at, reason=reason))


def _pause(tries: int) -> dt.timedelta:
    return dt.timedelta(seconds=30 * 2 ** min(tries, 10))


def _is(connection: str, it: Announced) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        announcements.c.connection == connection,
        announcements.c.call_id == it.call_id,
        announcements.c.what == it.what,
    )


def forget_stubs(step: sa.Connection, before: dt.datetime) -> None:
    """Remove what was told before then of calls of which nothing is kept, and announcements that nobody could read."""
    kept = (calls.c.connection == parts.c.connection, calls.c.call_id == parts.c.call_id, calls.c.pruned_at.is_(None))
    step.execute(sa.delete(parts).where(parts.c.heard_at < before, ~sa.exists().where(*kept)))
    step.execute(sa.delete(announcements).where(announcements.c.heard_at < before))


def forget_heard(step: sa.Connection, connection: str, call_ids: Sequence[str]) -> None:
    """Remove what was told of these calls."""
    for table in (parts, announcements):
        for start in range(0, len(call_ids), AT_ONCE):
            ids = call_ids[start : start + AT_ONCE]
            step.execute(sa.delete(table).where(table.c.connection == connection, table.c.call_id.in_(ids)))
