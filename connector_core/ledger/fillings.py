"""What came of each field of a published template for each call; and what the connector wrote in the CRM's fields."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import AT_ONCE, hurry_fills, mark_dirty, replace_rows
from connector_core.ledger.fill_rows import (
    FieldKey,
    Filled,
    Filling,
    Place,
    at_place,
    read_filled,
    read_filling,
    row_of_filling,
)
from connector_core.ledger.inbox import Wake
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.people import Actor, note_each
from connector_core.ledger.schema import BACKFILL, SETTLED, calls, decisions
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

    @property
    def undone(self) -> Collection[FieldKey]:
        """The fields that somebody wants taken back."""
        return {key for key, it in self.fillings.items() if it.undo_by}

    @property
    def doubt_since(self) -> dt.datetime | None:
        """When the last of what was sent, and not answered, was; None where nothing is in doubt."""
        return max((it.changed_at for it in self.fillings.values() if it.in_doubt and it.changed_at), default=None)


_KEY = ("call_id", "template", "field")


class Fillings:
    """Tells what came of fields, and keeps what people decide about them; pumps keep what comes of their own in steps."""

    def __init__(self, database: Database) -> None:
        """Keep nothing yet."""
        self._database = database

    # -- for who works on them -----------------------------------------------------------------------------------------

    def due(self, connection: str, most: int, *, backfill: bool = True) -> list[FillJob]:
        """Give calls whose fields are due: what somebody waits for first, then those that waited longest."""
        with self._database.reading() as step:
            now = self._database.now(step)
            waits = (fills.c.due_at <= now,) if backfill else (fills.c.due_at <= now, fills.c.priority < BACKFILL)
            return self._jobs(step, connection, now, *waits, most=most)

    def jobs(self, connection: str, call_ids: Sequence[str]) -> dict[str, FillJob]:
        """Give what is known of calls, due or not, by id."""
        found: dict[str, FillJob] = {}
        with self._database.reading() as step:
            now = self._database.now(step)
            for start in range(0, len(call_ids), AT_ONCE):
                these = calls.c.call_id.in_(call_ids[start : start + AT_ONCE])
                found |= {it.call_id: it for it in self._jobs(step, connection, now, these)}
        return found

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
            .order_by(fills.c.priority, fills.c.due_at, calls.c.call_id)
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

    def in_doubt(self, connection: str, records: Iterable[tuple[str, str]], aside: Collection[str]) -> list[Filling]:
        """Give what other calls sent to records, each an object and an id, and was not answered.

        :param aside: Calls that it is not asked of. One that is not due any more is left out: nobody will find out.
        """
        due = sa.exists().where(fills.c.connection == fillings.c.connection, fills.c.call_id == fillings.c.call_id)
        # Written out, as the condition of an index says it.
        sent = (fillings.c.reason == sa.literal_column("'unknown_outcome'"), fillings.c.run.is_not(None), due)
        ids = sorted({record_id for _, record_id in records})
        with self._database.reading() as step:
            found: list[Filling] = []
            for start in range(0, len(ids), AT_ONCE):
                these = fillings.c.record_id.in_(ids[start : start + AT_ONCE])
                found += self._read(step, connection, these, *sent, order=(fillings.c.record_id,))
        return [it for it in found if it.call_id not in aside]

    # -- for people ----------------------------------------------------------------------------------------------------

    def of(self, connection: str, call_ids: Sequence[str]) -> list[Filling]:
        """Give the fields of calls, by call, template and field."""
        with self._database.reading() as step:
            found: list[Filling] = []
            for start in range(0, len(call_ids), AT_ONCE):
                found += self._read(step, connection, fillings.c.call_id.in_(call_ids[start : start + AT_ONCE]))
            return found

    def pending(self, connection: str, most: int, targets: Collection[tuple[str, str, str]]) -> list[Filling]:
        """Give the fields that wait for a person's approval, those that have waited longest first.

        :param targets: Of which fields: each a template, a key, and where its values go.
        """
        target = sa.tuple_(fillings.c.template, fillings.c.field, fillings.c.target)
        waits = (
            fillings.c.outcome == sa.literal_column("'pending'"),  # as the condition of an index says it
            fillings.c.approved_at.is_(None),
            fillings.c.value.is_not(None),
            target.in_(sorted(targets)),
        )
        with self._database.reading() as step:
            return self._read(step, connection, *waits, order=(fillings.c.since, fillings.c.call_id), most=most)

    def of_run(self, connection: str, run: str) -> list[Filling]:
        """Give the fields that were sent in a run."""
        with self._database.reading() as step:
            return self._read(step, connection, fillings.c.run == run)

    def due_of(self, connection: str, call_ids: Sequence[str]) -> dict[str, dt.datetime]:
        """Tell when the fields of calls are due, of those that are."""
        wanted = sa.select(fills.c.call_id, fills.c.due_at).where(fills.c.connection == connection)
        found: dict[str, dt.datetime] = {}
        with self._database.reading() as step:
            for start in range(0, len(call_ids), AT_ONCE):
                rows = step.execute(wanted.where(fills.c.call_id.in_(call_ids[start : start + AT_ONCE])))
                found |= {row.call_id: row.due_at for row in rows}
        return found

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
        **values: Any,
    ) -> None:
        """Note what a person decided of fields, by call, and in the audit; and make those calls due."""
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            if "approved_by" in values:
                values["approved_at"] = now
            rows = [it for of_call in chosen.values() for it in of_call]
            for again in (False, True):  # what was taken back waits once more
                these = [it for it in rows if (it.reason == "taken_back") is again]
                waits = (
                    {"outcome": "pending", "reason": None, "since": now} if again and "approved_by" in values else {}
                )
                if these:
                    keys = [{f"of_{name}": getattr(it, name) for name in _KEY} for it in these]
                    which = (fillings.c[name] == sa.bindparam(f"of_{name}") for name in _KEY)
                    change = sa.update(fillings).where(fillings.c.connection == connection, *which)
                    step.execute(change, [{**key, **values, **waits, "changed_at": now} for key in keys])
            told = {call_id: {"fields": [".".join(it.key) for it in of_call]} for call_id, of_call in chosen.items()}
            note_each(step, connection, now, actor, action, told)
            mark_dirty(self._database, step, connection, {it.day for rows in chosen.values() for it in rows})
            hurry_fills(self._database, step, connection, list(chosen), now)
            if wake is not None:
                wake(connection, step)

    def give(self, connection: str, actor: Actor, given: Sequence[Filling], *, wake: Wake | None = None) -> None:
        """Keep values that somebody gave, in place of what was found, and let them be sent."""
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            replace_rows(self._database, step, fillings, [row_of_filling(connection, it, now) for it in given])
            mark_dirty(self._database, step, connection, {it.day for it in given})
            chosen = _by_call(given)
            told = {call_id: {"fields": [".".join(it.key) for it in of_call]} for call_id, of_call in chosen.items()}
            note_each(step, connection, now, actor, "give", told)
            hurry_fills(self._database, step, connection, list(chosen), now)
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
        _make_bare(step, connection, read_filled(row))


def erase_fillings(step: sa.Connection, connection: str, call_ids: Sequence[str]) -> None:
    """Remove what was written of calls that :func:`forget_fillings` forgot, so that the fields count as a person's.

    What others wrote in its place cannot be taken back any more, since that would be put back.
    """
    step.execute(sa.delete(filled).where(filled.c.connection == connection, filled.c.call_id.in_(call_ids)))
    in_its_place = (fillings.c.connection == connection, fillings.c.replaced.in_(call_ids))
    later = [read_filling(row) for row in step.execute(sa.select(fillings).where(*in_its_place))]
    step.execute(sa.update(fillings).where(*in_its_place).values(previous=None))
    wrote = (filled.c.connection == connection, filled.c.call_id.in_({it.call_id for it in later}))
    for row in step.execute(sa.select(filled).where(*wrote, filled.c.digest.is_(None))).all():
        it = read_filled(row)
        if any(other.call_id == it.call_id and other.is_at(it.place) for other in later):
            _make_bare(step, connection, it)


def _make_bare(step: sa.Connection, connection: str, it: Filled) -> None:
    values = {"value": None, "previous": None, "digest": it.bare().digest}
    step.execute(sa.update(filled).where(filled.c.connection == connection, *at_place(it.place)).values(values))


def _job(row: Any, now: dt.datetime, known: Mapping[FieldKey, Filling]) -> FillJob:
    return FillJob(
        row.call_id,
        Call.model_validate_json(row.content) if row.content else None,
        row.content_hash.split()[0],
        row.mark or 0,
        row.fill_tries or 0,
        row.since or now,
        row.deleted_at is not None,
        row.state in SETTLED,
        json.loads(row.decision) if row.decision else None,
        known,
    )
