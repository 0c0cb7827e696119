"""What webhooks told: parts of calls, kept until the call is forgotten, and what is still to be read."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from connector_core.errors import TryAgainError
from connector_core.ledger.database import Database
from connector_core.ledger.inbox import AT_ONCE, Accepted, Inbox, Verdict, Wake
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
MOST_READ = 20
"""Announcements that are read at once: providers answer a few a second."""
MOST_TOLD = 100
"""Events that are kept in one step."""
_LONGEST_PAUSE = dt.timedelta(hours=1)
_FURTHEST = dt.timedelta(days=30)
_FORGOTTEN = ""
"""Stands for a part of which only the digest is kept: told again, it is known, and its text is not kept again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that was announced and is due to be read."""

    provider: str
    announced: Announced
    tries: int
    heard_at: dt.datetime


@dataclass(slots=True, eq=False)
class _Told:
    """What is to be kept of one event, and what came of it."""

    connection: str
    provider: str
    said: Sequence[Part]
    announced: Sequence[Announced]
    read: Sequence[Waiting]
    delay_seconds: float
    wake: Wake | None
    accepted: Accepted | None = None
    error: Exception | None = None


class Heard:
    """Keeps what webhooks told, and makes calls of it. Events that come side by side are kept in one step."""

    def __init__(self, database: Database, inbox: Inbox) -> None:
        """Keep nothing yet."""
        self._database = database
        self._inbox = inbox
        self._told: dict[int, _Told] = {}
        self._adding = threading.Lock()
        self._turn = threading.Lock()

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
        once = tuple(dict.fromkeys(announced))
        mine = _Told(connection, provider, tuple(said), once, tuple(read), delay_seconds, wake)
        with self._adding:
            self._told[id(mine)] = mine
        with self._turn:
            if mine.accepted is None and mine.error is None:  # else whoever had the turn before kept it, too
                with self._adding:
                    others = [it for it in self._told.values() if it is not mine]
                self._keep([mine, *others[: MOST_TOLD - 1]])
        if mine.error is not None:
            raise mine.error
        return mine.accepted or Accepted()

    def _keep(self, told: Sequence[_Told]) -> None:
        """Keep several events in one step; where that fails for one of them, each in its own."""
        try:
            with self._database.writing() as step:
                groups = sorted({(it.connection, it.delay_seconds) for it in told})
                found = {group: self._hear(step, group, [it for it in told if _group(it) == group]) for group in groups}
        except TryAgainError as error:
            # It is away for all of them: were each to wait for it in turn, the last would wait longest.
            for it in told:
                it.error = TryAgainError(str(error))
        except Exception as error:  # noqa: BLE001 - whoever told it raises it
            if len(told) > 1:
                for it in told:
                    self._keep([it])
                return
            told[0].error = error
        else:
            for it in told:
                verdicts = found[_group(it)]
                it.accepted = Accepted(
                    {part.call_id: verdicts[part.call_id] for part in it.said if part.call_id in verdicts}
                )
        with self._adding:
            for it in told:
                self._told.pop(id(it), None)

    def _hear(self, step: sa.Connection, group: tuple[str, float], told: Sequence[_Told]) -> dict[str, Verdict]:
        """Keep events of one connection."""
        connection, delay_seconds = group
        lock_connection(self._database, step, connection)
        now = self._database.now(step)
        for it in told:
            for done in it.read:
                same = announcements.c.heard_at == done.heard_at
                step.execute(sa.delete(announcements).where(*_is(connection, done.announced), same))
            for each in it.announced:
                self._announce(step, connection, it.provider, each, now)
        made = self._merged(step, connection, [part for it in told for part in it.said], now)
        verdicts = self._inbox.keep(step, connection, made, delay_seconds=delay_seconds, latest=True)
        for wake in {id(it.wake): it.wake for it in told if _is_due(it, verdicts)}.values():
            if wake is not None:
                wake(connection, step)
        return verdicts

    def _merged(
        self, step: sa.Connection, connection: str, said: Sequence[Part], now: dt.datetime
    ) -> Mapping[str, Call]:
        """Keep parts; make the calls that are complete, or known anyhow, and of which something new was said."""
        ids = list(dict.fromkeys(part.call_id for part in said))
        if not ids:
            return {}
        there: dict[str, dict[str, Part]] = {call_id: {} for call_id in ids}
        forgotten: set[tuple[str, str]] = set()
        for row in step.execute(sa.select(parts).where(parts.c.connection == connection, parts.c.call_id.in_(ids))):
            if row.part == _FORGOTTEN:
                forgotten.add((row.call_id, row.digest))
            else:
                there[row.call_id][row.digest] = Part.read(row.part, row.revision)
        new: dict[tuple[str, str], Part] = {}
        news: dict[str, None] = {}
        for part in said:
            digest = part.digest()
            known = there[part.call_id].get(digest)
            if (part.call_id, digest) in forgotten or (known is not None and known.revision >= part.revision):
                continue
            there[part.call_id][digest] = part
            news[part.call_id] = None
            if known is None or (part.call_id, digest) in new:
                new[part.call_id, digest] = part
            else:
                values = {"revision": part.revision, "heard_at": now}
                this = (parts.c.connection == connection, parts.c.call_id == part.call_id, parts.c.digest == digest)
                step.execute(sa.update(parts).where(*this).values(values))
        if new:
            step.execute(sa.insert(parts), [_row(connection, digest, part, now) for (_, digest), part in new.items()])
        of = (calls.c.connection == connection, calls.c.call_id.in_(list(news)), calls.c.content.is_not(None))
        before = {
            row.call_id: Call.model_validate_json(row.content)
            for row in step.execute(sa.select(calls.c.call_id, calls.c.content).where(*of))
        }
        made = {call_id: merge(there[call_id].values(), before.get(call_id)) for call_id in news}
        return {call_id: call for call_id, call in made.items() if call is not None}

    def _announce(self, step: sa.Connection, connection: str, provider: str, it: Announced, now: dt.datetime) -> None:
        due_at = now + _span(it.after_seconds)
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
            rows = step.execute(wanted.order_by(announcements.c.due_at).limit(MOST_READ)).all()
            taken = [Waiting(row.provider, Announced(row.call_id, row.what), row.tries, row.heard_at) for row in rows]
            for it in taken:
                values = {"due_at": now + TURN, "tries": it.tries + 1}
                step.execute(sa.update(announcements).where(*_is(connection, it.announced)).values(values))
            return taken

    def postpone(self, connection: str, it: Waiting, after_seconds: float | None, reason: str) -> None:
        """Let something be asked for again: in so long, or, not knowing that, later each time; not beyond three days."""
        known = after_seconds is not None and after_seconds > 0
        pause = _span(after_seconds or 0.0) if known else min(_LONGEST_PAUSE, _pause(it.tries))
        with self._database.writing() as step:
            now = self._database.now(step)
            due_at = now + pause if now - it.heard_at < PATIENCE else None
            same = (*_is(connection, it.announced), announcements.c.heard_at == it.heard_at)
            step.execute(sa.update(announcements).where(*same).values(due_at=due_at, reason=reason))


def _group(told: _Told) -> tuple[str, float]:
    return told.connection, told.delay_seconds


def _is_due(told: _Told, verdicts: Mapping[str, Verdict]) -> bool:
    news = any(verdicts.get(part.call_id, "known") != "known" for part in told.said)
    return news or any(each.after_seconds <= 0 for each in told.announced)


def _row(connection: str, digest: str, part: Part, now: dt.datetime) -> dict[str, object]:
    return {
        "connection": connection,
        "call_id": part.call_id,
        "digest": digest,
        "revision": part.revision,
        "complete": part.complete,
        "part": part.text,
        "heard_at": now,
    }


def _span(seconds: float) -> dt.timedelta:
    """Read how long something is to wait: what a provider says may be before now, or beyond the calendar."""
    return dt.timedelta(seconds=min(max(0.0, seconds), _FURTHEST.total_seconds()))


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
    call = (calls.c.connection == parts.c.connection, calls.c.call_id == parts.c.call_id)
    kept = (*call, sa.or_(calls.c.pruned_at.is_(None), parts.c.part == _FORGOTTEN))
    step.execute(sa.delete(parts).where(parts.c.heard_at < before, ~sa.exists().where(*kept)))
    step.execute(sa.delete(announcements).where(announcements.c.heard_at < before))


def forget_heard(step: sa.Connection, connection: str, call_ids: Sequence[str]) -> None:
    """Remove what was told of these calls; digests stay, as do the hashes of calls: what is told again is known."""
    for start in range(0, len(call_ids), AT_ONCE):
        ids = call_ids[start : start + AT_ONCE]
        of_calls = (parts.c.connection == connection, parts.c.call_id.in_(ids))
        step.execute(sa.update(parts).where(*of_calls).values(part=_FORGOTTEN))
        of_them = (announcements.c.connection == connection, announcements.c.call_id.in_(ids))
        step.execute(sa.delete(announcements).where(*of_them))
