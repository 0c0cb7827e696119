"""What calls wait for in the CRM, and how far its changes were read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.inbox import AT_ONCE, Wake, digest_of
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.people import make_due_for_refresh
from connector_core.ledger.schema import awaited, calls, changed, connections, feeds
from connector_core.model import Changed

PATIENCE = dt.timedelta(days=30)
"""How long after its start a call waits for records."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of changes that is being read: those since ``since``, begun at ``began_at``, and its next page."""

    since: dt.datetime
    began_at: dt.datetime
    page: str | None


class Feeds:
    """Keeps what calls wait for, and how far changes were read."""

    def __init__(self, database: Database) -> None:
        """Keep nothing yet."""
        self._database = database

    def turn(self, connection: str, *, every_seconds: float, at_once: bool = False) -> Listing | None:
        """Take the turn to read changes, if it is time to and a call waits for any; the next turn is so long from now.

        :param at_once: It is time.
        :returns: Where to go on; None where nothing is to be read.
        """
        with self._database.reading() as step:
            if not self._is_due(step, connection, at_once=at_once):
                return None
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            if not self._is_due(step, connection, at_once=at_once):
                return None
            now = self._database.now(step)
            mine = awaited.c.connection == connection
            step.execute(sa.delete(awaited).where(mine, awaited.c.started_at < now - PATIENCE))
            if not step.execute(sa.select(sa.exists().where(mine))).scalar():
                step.execute(sa.delete(feeds).where(feeds.c.connection == connection))
                return None
            row = step.execute(sa.select(feeds).where(feeds.c.connection == connection)).one()
            listing = Listing(row.since, row.began_at if row.page else now, row.page)
            values = {"began_at": listing.began_at, "due_at": now + dt.timedelta(seconds=every_seconds)}
            step.execute(sa.update(feeds).where(feeds.c.connection == connection).values(values))
            return listing

    def _is_due(self, step: sa.Connection, connection: str, *, at_once: bool) -> bool:
        """Tell whether changes are to be read; not of a connection that is paused."""
        at_work = (connections.c.name == connection, connections.c.paused_at.is_(None))
        wanted = sa.select(feeds.c.due_at).join(connections, connections.c.name == feeds.c.connection).where(*at_work)
        due_at = step.execute(wanted).scalar()
        return due_at is not None and (at_once or due_at <= self._database.now(step))

    def went_on(self, connection: str, listing: Listing, page: str | None) -> Listing | None:
        """Keep that a page was read, and with None that it was the last: the next list begins where this one began.

        :returns: The list as it goes on; None at its end, or where another process goes on with it.
        """
        this = (feeds.c.connection == connection, feeds.c.began_at == listing.began_at)
        same = feeds.c.page.is_(None) if listing.page is None else feeds.c.page == listing.page
        ended = {"since": listing.began_at, "began_at": None, "page": None}
        with self._database.writing() as step:
            values = {"page": page} if page else ended
            mine = step.execute(sa.update(feeds).where(*this, same).values(values)).rowcount == 1
        return Listing(listing.since, listing.began_at, page) if mine and page else None

    def tell(self, connection: str, records: Iterable[Changed], *, wake: Wake | None = None) -> bool:
        """Keep that records changed, for whoever reads changes; not where no call waits for any: tell which."""
        with self._database.reading() as step:
            if not step.execute(sa.select(sa.exists().where(feeds.c.connection == connection))).scalar():
                return False
        rows = [{"connection": connection, "kind": it.kind, "record_id": it.id} for it in records]
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            due = {"due_at": self._database.now(step)}
            step.execute(self._database.insert(changed).on_conflict_do_nothing(), [row | due for row in rows])
            if wake is not None:
                wake(connection, step)
        return True

    def told(self, connection: str) -> list[Changed]:
        """Take what was told, some at a time, unless the connection is paused.

        Whatever becomes of it, a list of what changed has it too.
        """
        mine = changed.c.connection == connection
        at_work = (connections.c.name == changed.c.connection, connections.c.paused_at.is_(None))
        with self._database.reading() as step:
            if not step.execute(sa.select(sa.exists().where(mine, *at_work))).scalar():
                return []
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            rows = step.execute(sa.select(changed).where(mine).limit(AT_ONCE)).all()
            for row in rows:
                this = (changed.c.kind == row.kind, changed.c.record_id == row.record_id)
                step.execute(sa.delete(changed).where(mine, *this))
        return [Changed(row.kind, row.record_id, row.due_at) for row in rows]

    def begin_anew(self, connection: str) -> None:
        """Let the list that is being read begin at its first page once more."""
        with self._database.writing() as step:
            values = {"began_at": None, "page": None}
            step.execute(sa.update(feeds).where(feeds.c.connection == connection).values(values))

    def hurry(self, connection: str) -> None:
        """Let the next turn be now: there is more to read."""
        with self._database.writing() as step:
            values = {"due_at": self._database.now(step)}
            step.execute(sa.update(feeds).where(feeds.c.connection == connection).values(values))

    def stop(self, connection: str) -> None:
        """Forget what the calls of a connection wait for: its changes are not read any more."""
        with self._database.reading() as step:
            if not step.execute(sa.select(sa.exists().where(feeds.c.connection == connection))).scalar():
                return
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            for table in (awaited, feeds, changed):
                step.execute(sa.delete(table).where(table.c.connection == connection))

    def appeared(self, connection: str, keys: Iterable[str], *, wake: Wake | None = None) -> list[str]:
        """Let the calls be refreshed that wait for what has one of these keys; give their ids, sorted."""
        digests = sorted(map(digest_of, keys))
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            found: set[str] = set()
            for start in range(0, len(digests), AT_ONCE):
                wanted = (
                    sa.select(awaited.c.call_id)
                    .join(calls, (calls.c.connection == awaited.c.connection) & (calls.c.call_id == awaited.c.call_id))
                    .where(
                        awaited.c.connection == connection,
                        awaited.c.digest.in_(digests[start : start + AT_ONCE]),
                        awaited.c.started_at >= now - PATIENCE,
                        calls.c.content.is_not(None),
                        sa.or_(calls.c.deleted_at.is_(None), calls.c.state != "rejected"),
                    )
                )
                found.update(step.execute(wanted).scalars())
            make_due_for_refresh(step, connection, sorted(found), now)
            if found and wake is not None:
                wake(connection, step)
        return sorted(found)


def keep_awaited(
    database: Database,
    step: sa.Connection,
    connection: str,
    now: dt.datetime,
    waiting: Mapping[str, tuple[dt.datetime, Iterable[str]]],
) -> None:
    """Keep what calls wait for, in place of what they waited for before: of each its start and its keys."""
    if waiting:
        step.execute(sa.delete(awaited).where(awaited.c.connection == connection, awaited.c.call_id.in_(list(waiting))))
    rows = [
        {"connection": connection, "digest": digest_of(key), "call_id": call_id, "started_at": started_at}
        for call_id, (started_at, keys) in waiting.items()
        if started_at >= now - PATIENCE
        for key in keys
    ]
    if rows:
        step.execute(sa.insert(awaited), rows)
        # Changes are read from now on, unless they are already.
        step.execute(
            database.insert(feeds).values(connection=connection, due_at=now, since=now).on_conflict_do_nothing()
        )
