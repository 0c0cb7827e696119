"""What came of each field of a published template for each call; and what the connector wrote in the CRM's fields."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import AT_ONCE, make_fills_due, mark_dirty, put_fills_due, replace_rows
from connector_core.ledger.fill_rows import (
    FieldKey,
    Filled,
    Filling,
    Place,
    digest_of_value,
    read_filled,
    read_filling,
    row_of_filled,
    row_of_filling,
)
from connector_core.ledger.inbox import BACKFILL, Wake
from connector_core.ledger.leases import Lease, Leases, lock_connection
from connector_core.ledger.people import Actor, note
from connector_core.ledger.schema import calls, decisions
from connector_core.ledger.schema_filling import fill_pending, filled, fillings, fills
from connector_core.model import Call


@dataclass(frozen=True, slots=True)
class FillJob:
    """A call whose fields are to be filled, and all that is known of it.

    ``call``: None where it was forgotten. ``settled``: its activity is there, or is not to be. ``mark``: tells whether it
    became due once more meanwhile.
    """

    call_id: str
    call: Call | None
    content_hash: str
    mark: int
    tries: int
    since: dt.datetime
    deleted: bool
    settled: bool
    decision: Mapping[str, Any] | None
    fillings: Mapping[FieldKey, Filling] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of a call that was due: its fields, and in how many seconds it is due again; None for not by itself."""

    job: FillJob
    fillings: Sequence[Filling] = ()
    again_seconds: float | None = None


class Fillings:
    """Keeps them. Every step of a pump's makes sure that the lease is still held."""

    def __init__(self, database: Database, leases: Leases) -> None:
        """Keep nothing yet."""
        self._database = database
        self._leases = leases

    # -- for who works on them -----------------------------------------------------------------------------------------

    def due(self, connection: str, most: int, *, backfill: bool = True) -> list[FillJob]:
        """Give calls whose fields are due, those that waited longest first."""
        with self._database.reading() as step:
            now = self._database.now(step)
            waits = (fills.c.due_at <= now,) if backfill else (fills.c.due_at <= now, calls.c.priority < BACKFILL)
            return self._jobs(step, connection, now, *waits, most=most)

    def jobs(self, connection: str, call_ids: Sequence[str]) -> dict[str, FillJob]:
        """Give what is known of calls, due or not, by id."""
        with self._database.reading() as step:
            now = self._database.now(step)
            return {it.call_id: it for it in self._jobs(step, connection, now, calls.c.call_id.in_(call_ids))}

    def _jobs(
        self,
        step: sa.Connection,
        connection: str,
        now: dt.datetime,
        *which: sa.ColumnElement[bool],
        most: int | None = None,
    ) -> list[FillJob]:
        there, decided = (
            (table.c.connection == calls.c.connection) & (table.c.call_id == calls.c.call_id)
            for table in (fills, decisions)
        )
        wanted = (
            sa.select(*calls.c, fills.c.mark, fills.c.tries.label("fill_tries"), fills.c.since, decisions.c.decision)
            .select_from(calls.outerjoin(fills, there).outerjoin(decisions, decided))
            .where(calls.c.connection == connection, *which)
            .order_by(fills.c.due_at, calls.c.call_id)
            .limit(most)
        )
        rows = step.execute(wanted).all()
        of: dict[str, dict[FieldKey, Filling]] = {}
        for it in self._read(step, connection, fillings.c.call_id.in_([row.call_id for row in rows])):
            of.setdefault(it.call_id, {})[it.key] = it
        return [_job(row, now, of.get(row.call_id, {})) for row in rows]

    def written(self, connection: str, records: Iterable[tuple[str, str]]) -> dict[Place, Filled]:
        """Give what the connector wrote last into the fields of records, each an object and an id."""
        chosen = sorted(set(records))
        found: dict[Place, Filled] = {}
        key = sa.tuple_(filled.c.object, filled.c.record_id)
        with self._database.reading() as step:
            for start in range(0, len(chosen), AT_ONCE):
                these = (filled.c.connection == connection, key.in_(chosen[start : start + AT_ONCE]))
                for row in step.execute(sa.select(filled).where(*these)):
                    it = read_filled(row)
                    found[it.place] = it
        return found

    def begin(self, lease: Lease, turns: Sequence[Turn], sending: Collection[str], *, doubt_seconds: float) -> set[str]:
        """Keep what became of calls, before anything is sent for some of them.

        :param sending: Of these calls more is to come; the others are done with, or due again.
        :param doubt_seconds: How long what is sent and not answered may still take effect.
        :returns: The calls whose turns were kept: those that did not become due once more meanwhile.
        """
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            marks = self._marks(step, lease.connection, [turn.job.call_id for turn in turns])
            current = [turn for turn in turns if marks.get(turn.job.call_id) == turn.job.mark]
            rows = [row_of_filling(lease.connection, it, now) for turn in current for it in turn.fillings]
            before = {it.day for turn in current for it in turn.job.fillings.values()}
            if rows:
                mark_dirty(self._database, step, lease.connection, before | {row["day"] for row in rows})
            replace_rows(self._database, step, fillings, rows)
            self._leave(step, lease.connection, [turn for turn in current if turn.job.call_id not in sending], now)
            # Should the process die now, nobody asks before it is sure what came of it.
            doubtful = [replace(it, again_seconds=doubt_seconds) for it in current if it.job.call_id in sending]
            self._leave(step, lease.connection, doubtful, now)
            return {turn.job.call_id for turn in current}

    def finish(self, lease: Lease, turns: Sequence[Turn], wrote: Sequence[Filled], taken_back: Sequence[Place]) -> None:
        """Keep what came of what was sent. What people decided meanwhile stays."""
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            days = set()
            for it in (it for turn in turns for it in turn.fillings):
                days.add(it.day)
                row = row_of_filling(lease.connection, it, now)
                this = [fillings.c[name] == row[name] for name in ("connection", "call_id", "template", "field")]
                values = {name: row[name] for name in ("outcome", "reason", "detail", "since", "undo_by", "changed_at")}
                step.execute(sa.update(fillings).where(*this).values(values))
            mark_dirty(self._database, step, lease.connection, days)
            replace_rows(self._database, step, filled, [row_of_filled(lease.connection, it, now) for it in wrote])
            for place in taken_back:
                step.execute(sa.delete(filled).where(filled.c.connection == lease.connection, *_at(place)))
            self._leave(step, lease.connection, turns, now)

    def _leave(self, step: sa.Connection, connection: str, turns: Sequence[Turn], now: dt.datetime) -> None:
        for turn in turns:
            mine = (
                fills.c.connection == connection,
                fills.c.call_id == turn.job.call_id,
                fills.c.mark == turn.job.mark,
            )
            if turn.again_seconds is None:
                step.execute(sa.delete(fills).where(*mine))
            else:
                due_at = now + dt.timedelta(seconds=turn.again_seconds)
                step.execute(sa.update(fills).where(*mine).values(due_at=due_at, tries=turn.job.tries + 1))

    def _marks(self, step: sa.Connection, connection: str, call_ids: Sequence[str]) -> dict[str, int]:
        wanted = sa.select(fills.c.call_id, fills.c.mark)
        these = (fills.c.connection == connection, fills.c.call_id.in_(call_ids))
        return {row.call_id: row.mark for row in step.execute(wanted.where(*these))}

    # -- for people ----------------------------------------------------------------------------------------------------

    def of(self, connection: str, call_ids: Sequence[str]) -> list[Filling]:
        """Give the fields of calls, by call, template and field."""
        with self._database.reading() as step:
            found: list[Filling] = []
            for start in range(0, len(call_ids), AT_ONCE):
                found += self._read(step, connection, fillings.c.call_id.in_(call_ids[start : start + AT_ONCE]))
            return found

    def pending(self, connection: str, most: int) -> list[Filling]:
        """Give the fields that wait for a person's approval, those that have waited longest first."""
        waits = (fillings.c.outcome == "pending", fillings.c.approved_at.is_(None))
        with self._database.reading() as step:
            return self._read(step, connection, *waits, order=(fillings.c.since, fillings.c.call_id), most=most)

    def of_run(self, connection: str, run: str) -> list[Filling]:
        """Give the fields that were sent in a run."""
        with self._database.reading() as step:
            return self._read(step, connection, fillings.c.run == run)

    def due_of(self, connection: str, call_ids: Sequence[str]) -> dict[str, dt.datetime]:
        """Tell when the fields of calls are due, of those that are."""
        wanted = sa.select(fills.c.call_id, fills.c.due_at)
        with self._database.reading() as step:
            found = step.execute(wanted.where(fills.c.connection == connection, fills.c.call_id.in_(call_ids)))
            return {row.call_id: row.due_at for row in found}

    def again(self, connection: str, actor: Actor, call_ids: Sequence[str], *, wake: Wake | None = None) -> None:
        """Let the fields of calls be filled anew."""
        self._decide(connection, actor, "fill", dict.fromkeys(call_ids, ()), wake=wake)

    def approve(self, connection: str, actor: Actor, chosen: Iterable[Filling], *, wake: Wake | None = None) -> None:
        """Let values be sent that a person approves."""
        self._decide(connection, actor, "send", _by_call(chosen), wake=wake, approved_by=actor.name)

    def take_back(self, connection: str, actor: Actor, chosen: Iterable[Filling], *, wake: Wake | None = None) -> None:
        """Let values be taken back that were sent."""
        self._decide(connection, actor, "undo", _by_call(chosen), wake=wake, undo_by=actor.name)

    def _decide(
        self,
        connection: str,
        actor: Actor,
        action: str,
        chosen: Mapping[str, Sequence[Filling]],
        *,
        wake: Wake | None,
        **values: str,
    ) -> None:
        """Note what a person decided of fields, by call, and in the audit; and make those calls due."""
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            at = {"approved_at": now} if "approved_by" in values else {}
            for call_id, rows in chosen.items():
                for it in rows:
                    waits = (
                        {"outcome": "pending", "reason": None, "since": now} if at and it.reason == "taken_back" else {}
                    )
                    this = (fillings.c.connection == connection, fillings.c.call_id == call_id)
                    which = (*this, fillings.c.template == it.template, fillings.c.field == it.field)
                    step.execute(sa.update(fillings).where(*which).values(**values, **at, **waits, changed_at=now))
                fields = {"fields": [".".join(it.key) for it in rows]}
                note(step, connection, call_id, now, actor, action, None, fields)
            mark_dirty(self._database, step, connection, {it.day for rows in chosen.values() for it in rows})
            put_fills_due(self._database, step, connection, list(chosen), now)
            if wake is not None:
                wake(connection, step)

    def give(self, connection: str, actor: Actor, given: Sequence[Filling], *, wake: Wake | None = None) -> None:
        """Keep values that somebody gave, in place of what was found, and let them be sent."""
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            replace_rows(self._database, step, fillings, [row_of_filling(connection, it, now) for it in given])
            mark_dirty(self._database, step, connection, {it.day for it in given})
            for call_id in dict.fromkeys(it.call_id for it in given):
                keys = [".".join(it.key) for it in given if it.call_id == call_id]
                note(step, connection, call_id, now, actor, "give", None, {"fields": keys})
            make_fills_due(self._database, step, connection, list(dict.fromkeys(it.call_id for it in given)), now)
            if wake is not None:
                wake(connection, step)

    def _read(
        self,
        step: sa.Connection,
        connection: str,
        *which: sa.ColumnElement[bool],
        order: Sequence[Any] = (fillings.c.call_id, fillings.c.template, fillings.c.field),
        most: int | None = None,
    ) -> list[Filling]:
        wanted = sa.select(fillings).where(fillings.c.connection == connection, *which).order_by(*order).limit(most)
        return [read_filling(row) for row in step.execute(wanted)]


def _by_call(chosen: Iterable[Filling]) -> dict[str, list[Filling]]:
    of: dict[str, list[Filling]] = {}
    for it in chosen:
        of.setdefault(it.call_id, []).append(it)
    return of


def forget_fillings(database: Database, step: sa.Connection, connection: str, call_ids: Sequence[str]) -> None:
    """Remove what was said in calls from their fields: the outcomes stay, and digests of what was written."""
    of = (fillings.c.connection == connection, fillings.c.call_id.in_(call_ids))
    days = set(step.execute(sa.select(fillings.c.day).where(*of).distinct()).scalars())
    bare = dict.fromkeys(("value", "passage", "wanted", "previous", "detail", "who"))
    step.execute(sa.update(fillings).where(*of).values(**bare))
    mark_dirty(database, step, connection, days)
    # Whose approvals waited is counted anew; until then it is not known either.
    step.execute(sa.delete(fill_pending).where(fill_pending.c.connection == connection, fill_pending.c.day.in_(days)))
    step.execute(sa.delete(fills).where(fills.c.connection == connection, fills.c.call_id.in_(call_ids)))
    these = (filled.c.connection == connection, filled.c.call_id.in_(call_ids), filled.c.digest.is_(None))
    for row in step.execute(sa.select(filled).where(*these)).all():
        it = read_filled(row)
        values = {"value": None, "previous": None, "digest": digest_of_value(it.value)}
        step.execute(sa.update(filled).where(filled.c.connection == connection, *_at(it.place)).values(values))


def _at(place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    return tuple(filled.c[name] == value for name, value in zip(("object", "record_id", "name"), place, strict=True))


def _job(row: Any, now: dt.datetime, known: Mapping[FieldKey, Filling]) -> FillJob:
    return FillJob(
        row.call_id,
        Call.model_validate_json(row.content) if row.content else None,
        row.content_hash.split()[0],
        row.mark or 0,
        row.fill_tries or 0,
        row.since or now,
        row.deleted_at is not None,
        row.state in ("written", "rejected"),
        json.loads(row.decision) if row.decision else None,
        known,
    )
