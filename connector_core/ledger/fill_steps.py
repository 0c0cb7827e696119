"""What a pump keeps of the fields that it fills: what was found, what is about to be sent, and what came of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import mark_dirty, replace_rows
from connector_core.ledger.fill_rows import Filled, Filling, Place, at_place, row_of_filled, row_of_filling
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.leases import Lease, Leases
from connector_core.ledger.schema import calls
from connector_core.ledger.schema_filling import filled, fillings, fills


@dataclass(frozen=True, slots=True)
class Turn:
    """What becomes of a call that was due: its fields, and in how many seconds it is due again; None for not by itself."""

    job: FillJob
    fillings: Sequence[Filling] = ()
    again_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wrote:
    """What the connector has ``written`` in the CRM, and from which places it has ``taken_back`` what it wrote of a call.

    What it had written there before that, of another call, stands there again then.
    """

    written: Sequence[Filled] = ()
    taken_back: Mapping[Place, tuple[str, Filled | None]] = field(default_factory=dict)

    def of(self, call_ids: Collection[str]) -> Wrote:
        """Give it without what was taken back of other calls."""
        return Wrote(self.written, {place: it for place, it in self.taken_back.items() if it[0] in call_ids})


class FillSteps:
    """Keeps it. Every step makes sure that the lease is still held."""

    def __init__(self, database: Database, leases: Leases) -> None:
        """Keep nothing yet."""
        self._database = database
        self._leases = leases

    def keep(self, lease: Lease, turns: Sequence[Turn]) -> None:
        """Keep what was found in calls, of which more is to come: they stay due."""
        with self._leases.step(lease) as step:
            self._keep(step, lease.connection, turns, self._database.now(step))

    def drop(self, lease: Lease, rows: Sequence[Filling]) -> None:
        """Forget the fields of calls that no template is for any more; what was written of them is still known as ours."""
        with self._leases.step(lease) as step:
            of = tuple(fillings.c[name] == sa.bindparam(f"of_{name}") for name in ("call_id", "template", "field"))
            keys = [{"of_call_id": it.call_id, "of_template": it.template, "of_field": it.field} for it in rows]
            step.execute(sa.delete(fillings).where(fillings.c.connection == lease.connection, *of), keys)
            mark_dirty(self._database, step, lease.connection, {it.day for it in rows})

    def begin(
        self,
        lease: Lease,
        turns: Sequence[Turn],
        sending: Collection[str],
        found_out: Wrote,
        *,
        doubt_seconds: float,
    ) -> set[str]:
        """Keep what became of calls, before anything is sent for some of them.

        :param sending: Of these calls more is to come; the others are done with, or due again.
        :param doubt_seconds: How long what is sent and not answered may still take effect.
        :param found_out: What was not answered, and was done.
        :returns: The calls whose turns were kept: those that did not become due once more meanwhile.
        """
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            current = self._keep(step, lease.connection, turns, now)
            self._wrote(step, lease.connection, found_out.of({turn.job.call_id for turn in current}), now)
            # Should the process die now, nobody asks before it is sure what came of it.
            doubtful = [replace(it, again_seconds=doubt_seconds) for it in current if it.job.call_id in sending]
            done = [it for it in current if it.job.call_id not in sending]
            self._leave(step, lease.connection, [*done, *doubtful], now)
            return {turn.job.call_id for turn in current}

    def finish(self, lease: Lease, turns: Sequence[Turn], wrote: Wrote) -> None:
        """Keep what came of what was sent. What people decided meanwhile stays, and what was forgotten stays so."""
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            forgotten = self._wrote(step, lease.connection, wrote, now, [turn.job.call_id for turn in turns])
            rows = [(turn, it) for turn in turns for it in turn.fillings]
            for undone in (False, True):
                these = [it for turn, it in rows if (it.key in turn.job.undone) is undone]
                _update(step, lease.connection, these, now, ("undo_by",) if undone else (), forgotten)
            mark_dirty(self._database, step, lease.connection, {it.day for _, it in rows})
            self._leave(step, lease.connection, turns, now)

    def _keep(self, step: sa.Connection, connection: str, turns: Sequence[Turn], now: dt.datetime) -> list[Turn]:
        """Keep the fields of the calls that did not become due once more meanwhile; give the turns of these."""
        marks = self._marks(step, connection, [turn.job.call_id for turn in turns])
        current = [turn for turn in turns if marks.get(turn.job.call_id) == turn.job.mark]
        pairs = [(turn.job.fillings.get(it.key), it) for turn in current for it in turn.fillings]
        changed = [(before, it) for before, it in pairs if before != it]
        mark_dirty(self._database, step, connection, {it.day for pair in changed for it in pair if it is not None})
        replace_rows(self._database, step, fillings, [row_of_filling(connection, it, now) for _, it in changed])
        return current

    def _wrote(
        self,
        step: sa.Connection,
        connection: str,
        wrote: Wrote,
        now: dt.datetime,
        call_ids: Collection[str] = (),
    ) -> set[str]:
        """Keep what was written; give which of its calls, and of these, were forgotten meanwhile."""
        for place in wrote.taken_back:
            step.execute(sa.delete(filled).where(filled.c.connection == connection, *at_place(place)))
        written = [*wrote.written, *(earlier for _, earlier in wrote.taken_back.values() if earlier is not None)]
        these = sorted({*call_ids, *(it.call_id for it in written)})
        known = sa.select(calls.c.call_id).where(calls.c.connection == connection, calls.c.content.is_(None))
        gone: set[str] = set(step.execute(known.where(calls.c.call_id.in_(these))).scalars()) if these else set()
        for it in written:
            if it.call_id in gone:
                step.execute(sa.delete(filled).where(filled.c.connection == connection, *at_place(it.place)))
        kept = [it for it in written if it.call_id not in gone]
        replace_rows(self._database, step, filled, [row_of_filled(connection, it, now) for it in kept])
        return gone

    def _leave(self, step: sa.Connection, connection: str, turns: Sequence[Turn], now: dt.datetime) -> None:
        """Make calls due again, or not: those that did not become due once more meanwhile."""
        mine = (
            fills.c.connection == connection,
            fills.c.call_id == sa.bindparam("of"),
            fills.c.mark == sa.bindparam("seen"),
        )
        done, later = [], []
        for turn in turns:
            key, seconds = {"of": turn.job.call_id, "seen": turn.job.mark}, turn.again_seconds
            if seconds is None:
                done.append(key)
            else:  # at once is for what nobody tried yet
                tries = turn.job.tries + (seconds > 0)
                later.append({**key, "due_at": now + dt.timedelta(seconds=seconds), "tries": tries})
        if done:
            step.execute(sa.delete(fills).where(*mine), done)
        if later:
            step.execute(sa.update(fills).where(*mine), later)

    def _marks(self, step: sa.Connection, connection: str, call_ids: Sequence[str]) -> dict[str, int]:
        wanted = sa.select(fills.c.call_id, fills.c.mark)
        these = (fills.c.connection == connection, fills.c.call_id.in_(call_ids))
        return {row.call_id: row.mark for row in step.execute(wanted.where(*these))}


_CAME = ("outcome", "reason", "detail", "since", "changed_at")


def _update(
    step: sa.Connection,
    connection: str,
    rows: Sequence[Filling],
    now: dt.datetime,
    also: Sequence[str],
    forgotten: Collection[str],
) -> None:
    """Change what came of fields, all in one go; of calls that were forgotten nothing is told that was said.

    :param also: Further columns to change.
    """
    of = tuple(fillings.c[name] == sa.bindparam(f"of_{name}") for name in ("call_id", "template", "field"))
    values = []
    for it in rows:
        row = row_of_filling(connection, it, now)
        row |= {"detail": None} if it.call_id in forgotten else {}
        key = {f"of_{name}": row[name] for name in ("call_id", "template", "field")}
        values.append({**key, **{name: row[name] for name in (*_CAME, *also)}})
    if values:
        step.execute(sa.update(fillings).where(fillings.c.connection == connection, *of), values)
