"""The way of a call from due to written, step by step; each step is kept whole, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.feeds import keep_awaited
from connector_core.ledger.fill_queue import make_fills_due
from connector_core.ledger.inbox import digest_of, of_calls
from connector_core.ledger.jobs import Job
from connector_core.ledger.leases import Lease, Leases
from connector_core.ledger.schema import SETTLED, activities, calls, decisions, writes
from connector_core.ledger.texts import text_of_draft, text_of_written
from connector_core.model import ActivityDraft, Receipt, Written

STATE_OF = {
    "created": "written",
    "updated": "written",
    "unchanged": "written",
    "skipped": "rejected",
    "refused": "waiting",
    "waiting": "waiting",
    "deferred": "due",
    "unknown": "due",
}
"""What an outcome makes of a call."""

PATIENCE = dt.timedelta(days=7)
"""How long a call is tried, before a person is asked."""
PATIENT_TRIES = 10
"""How often at least: a connection that stood still for days has not tried."""
LONGEST_PAUSE_SECONDS = 86_400.0
"""How long a call is left alone at most, whatever the CRM asks for: no window of a limit is longer than a day."""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a job now: an outcome, or the draft that is about to be sent.

    ``decision``: its public JSON as text, which takes a fraction of the memory; None to keep the one that is there.
    ``awaits``: the keys of what it waits for in the CRM, beside a decision. ``goes_on``: more is sent of it at once, so it
    stays claimed.
    """

    job: Job
    decision: str | None = None
    draft: ActivityDraft | None = None
    outcome: str | None = None
    reason: str | None = None
    written: Written | None = None
    after_seconds: float | None = None
    awaits: Collection[str] = ()
    goes_on: bool = False


class Progress:
    """Keeps the steps of pumps. Every one of them makes sure that the lease is still held."""

    def __init__(self, database: Database, leases: Leases) -> None:
        """Keep nothing yet."""
        self._database = database
        self._leases = leases

    def holders(self, connection: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Tell whose activities are a call's already, by kind and id, or will be by a write that is not answered yet."""
        pairs = list(wanted)
        if not pairs:
            return {}
        key = sa.tuple_(activities.c.activity_kind, activities.c.activity_id)
        there = sa.select(activities.c.activity_kind, activities.c.activity_id, activities.c.call_id)
        sent = sa.select(writes.c.activity_kind, writes.c.activity_id, writes.c.call_id)
        sent_key = sa.tuple_(writes.c.activity_kind, writes.c.activity_id)
        either = sa.union_all(
            sent.where(writes.c.connection == connection, writes.c.open, sent_key.in_(pairs)),
            there.where(activities.c.connection == connection, key.in_(pairs)),
        )
        with self._database.reading() as step:
            return {(row.activity_kind, row.activity_id): row.call_id for row in step.execute(either)}

    def begin(self, lease: Lease, steps: Sequence[Step], *, doubt_seconds: float) -> list[Step]:
        """Keep decisions, settle what needs no writing, and note each draft before it is sent.

        :param doubt_seconds: How long a write that is not answered may still take effect, or hide from a search.
        :returns: The steps whose drafts may be sent: those of calls that nothing new was learned of meanwhile.
        """
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            ids = [it.job.call.id for it in steps]
            rows = {row.call_id: row for row in step.execute(of_calls(lease.connection, ids))}
            current = [it for it in steps if _current(it, rows)]
            self._let_go(step, lease, [it.job.call.id for it in steps if not _current(it, rows)])
            self._keep_decisions(step, lease.connection, now, current)
            waiting = {it.job.call.id: (it.job.call.started_at, it.awaits) for it in current if it.decision is not None}
            keep_awaited(self._database, step, lease.connection, now, waiting)
            numbers = self._numbers(step, lease.connection, [it for it in current if it.draft])
            doubt_until = now + dt.timedelta(seconds=doubt_seconds)
            drafted = [
                {
                    "connection": lease.connection,
                    "call_id": it.job.call.id,
                    "number": numbers.get(it.job.call.id, 0) + 1,
                    "fence": lease.fence,
                    "draft": text_of_draft(it.draft),
                    "activity_kind": it.draft.kind,
                    "activity_id": it.draft.activity_id,
                    "made_at": now,
                    "open": True,
                    "doubt_until": doubt_until,
                }
                for it in current
                if it.draft is not None
            ]
            answered = {it.job.call.id: it.job.answer for it in current if it.job.answer is not None}
            self._close(step, lease.connection, answered, now)
            # What was found out about an earlier write is known before the next one, which may not be answered either.
            known = [it for it in current if it.draft and it.job.answer is not None and it.written is not None]
            self._keep_activities(step, lease.connection, now, known, rows)
            if drafted:
                step.execute(sa.insert(writes), drafted)
                # Should the process die now, nobody asks before it is sure what came of it.
                sent = (calls.c.connection == lease.connection, calls.c.call_id == sa.bindparam("of"))
                step.execute(
                    sa.update(calls).where(*sent).values(due_at=doubt_until), [{"of": it["call_id"]} for it in drafted]
                )
            self._finish(step, lease, now, [it for it in current if it.draft is None], rows)
            return [it for it in current if it.draft is not None]

    def finish(self, lease: Lease, steps: Sequence[tuple[Step, Receipt]], *, settle_seconds: float) -> None:
        """Keep what came of the drafts that were sent; ``written`` of each step is what its activity holds now.

        :param settle_seconds: How long what was not answered may still take effect, or hide from a search.
        """
        with self._leases.step(lease) as step:
            now = self._database.now(step)
            ids = [it.job.call.id for it, _ in steps]
            rows = {row.call_id: row for row in step.execute(of_calls(lease.connection, ids))}
            # The others are gone meanwhile; and of those that were erased, nothing is kept of what the CRM says of them.
            steps = [
                (it, receipt if rows[it.job.call.id].content is not None else replace(receipt, reason=None))
                for it, receipt in steps
                if it.job.call.id in rows
            ]
            until = now + dt.timedelta(seconds=settle_seconds)
            self._close(step, lease.connection, {it.job.call.id: receipt for it, receipt in steps}, now, until)
            done = [replace(it, job=replace(it.job, doubt_until=until)) for it, _ in steps]
            self._finish(step, lease, now, done, rows)

    def let_go(self, lease: Lease, call_ids: Sequence[str]) -> None:
        """Let go of calls that were claimed and not worked on."""
        with self._leases.step(lease) as step:
            self._let_go(step, lease, call_ids)

    def _let_go(self, step: sa.Connection, lease: Lease, call_ids: Sequence[str]) -> None:
        if call_ids:
            mine = (calls.c.connection == lease.connection, calls.c.call_id.in_(call_ids))
            step.execute(sa.update(calls).where(*mine).values(claimed=None, claims=0))

    def _keep_decisions(self, step: sa.Connection, connection: str, now: dt.datetime, steps: Sequence[Step]) -> None:
        rows = []
        for it in steps:
            if it.decision is not None:
                key = {"connection": connection, "call_id": it.job.call.id, "version": it.job.version}
                rows.append(key | {"made_at": now, "decision": it.decision, "decision_hash": digest_of(it.decision)})
        if rows:
            old = (decisions.c.connection == connection, decisions.c.call_id.in_([row["call_id"] for row in rows]))
            step.execute(sa.delete(decisions).where(*old))
            step.execute(sa.insert(decisions), rows)

    def _numbers(self, step: sa.Connection, connection: str, steps: Sequence[Step]) -> dict[str, int]:
        ids = [it.job.call.id for it in steps]
        wanted = sa.select(writes.c.call_id, sa.func.max(writes.c.number))
        of = wanted.where(writes.c.connection == connection, writes.c.call_id.in_(ids)).group_by(writes.c.call_id)
        return {row[0]: row[1] for row in step.execute(of)}

    def _close(
        self,
        step: sa.Connection,
        connection: str,
        receipts: Mapping[str, Receipt],
        now: dt.datetime,
        doubt_until: dt.datetime | None = None,
    ) -> None:
        """Close what is open of calls; a write that was not answered stays open, since it may still take effect."""
        changes: dict[str, dict[str, Any]] = {}
        for call_id, receipt in receipts.items():
            changes[call_id] = {
                "open": receipt.outcome == "unknown",
                "finished_at": now,
                "outcome": receipt.outcome,
                "reason": receipt.reason,
                "code": receipt.code,
                "field": receipt.field,
                "kept": " ".join(receipt.kept) or None,
                # What was said in the call is kept once, with the call.
                **({"doubt_until": doubt_until} if receipt.outcome == "unknown" else {"draft": None}),
            }
        _update(step, writes, connection, changes, writes.c.open)

    def _finish(
        self,
        step: sa.Connection,
        lease: Lease,
        now: dt.datetime,
        steps: Sequence[Step],
        rows: Mapping[str, sa.Row[Any]],
    ) -> None:
        self._keep_activities(step, lease.connection, now, [it for it in steps if it.written is not None], rows)
        changes: dict[str, dict[str, Any]] = {}
        for it in steps:
            row = rows[it.job.call.id]
            outcome, reason, due_at = it.outcome or "deferred", it.reason, row.due_at
            if STATE_OF[outcome] == "due":
                due_at = now + dt.timedelta(seconds=_pause(it))
                sure_at = it.job.doubt_until
                if outcome == "unknown" and sure_at is not None and (it.draft is not None or sure_at > now):
                    due_at = sure_at
                if now - it.job.since > PATIENCE and it.job.tries >= PATIENT_TRIES:
                    outcome, reason = "waiting", f"for {PATIENCE.days} days nothing came of it: {reason}"
            values: dict[str, Any] = {} if it.goes_on else {"claimed": None, "claims": 0}
            if row.version == it.job.version:
                values |= {"outcome": outcome, "reason": reason, "state": STATE_OF[outcome], "due_at": due_at}
                values["tries"] = it.job.tries + 1 if STATE_OF[outcome] == "due" else 0
                values["settled_at"] = now if STATE_OF[outcome] in SETTLED else None
            elif row.content is None and STATE_OF[outcome] == "written":  # it was erased while it was sent
                values |= {"outcome": outcome, "reason": None, "state": "written", "settled_at": now}
            elif row.state != "due":  # it was erased while it was sent, and nothing came of it
                pass
            elif STATE_OF[outcome] == "due":  # what was learned meanwhile waits for what is not sure
                values |= {"outcome": outcome, "reason": reason, "due_at": due_at}
            else:  # it waited for what came of this write
                values["due_at"] = now
            changes[it.job.call.id] = values
        _update(step, calls, lease.connection, changes)
        settled = [call_id for call_id, values in changes.items() if values.get("state") in SETTLED]
        make_fills_due(self._database, step, lease.connection, settled, now)

    def _keep_activities(
        self,
        step: sa.Connection,
        connection: str,
        now: dt.datetime,
        steps: Sequence[Step],
        calls: Mapping[str, sa.Row[Any]],
    ) -> None:
        rows = [
            {
                "connection": connection,
                "call_id": it.job.call.id,
                "activity_kind": it.written.kind,
                "activity_id": it.written.activity_id,
                "url": it.written.url,
                "wrote": text_of_written(it.written, links_alone=calls[it.job.call.id].content is None),
                "written_at": now,
            }
            for it in steps
            if it.written is not None
        ]
        if rows:
            old = (activities.c.connection == connection, activities.c.call_id.in_([row["call_id"] for row in rows]))
            step.execute(sa.delete(activities).where(*old))
            step.execute(sa.insert(activities), rows)


def _update(
    step: sa.Connection,
    table: sa.Table,
    connection: str,
    changes: Mapping[str, Mapping[str, Any]],
    *further: sa.ColumnElement[bool],
) -> None:
    """Change the rows of calls; those in which the same columns change, in one go."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for call_id, values in changes.items():
        alike.setdefault(tuple(values), []).append({"of": call_id, **values})
    for rows in alike.values():
        which = (table.c.connection == connection, table.c.call_id == sa.bindparam("of"), *further)
        step.execute(sa.update(table).where(*which), rows)


def _current(step: Step, rows: Mapping[str, sa.Row[Any]]) -> bool:
    row = rows.get(step.job.call.id)
    return row is not None and row.version == step.job.version and row.state == "due"


def _pause(step: Step) -> float:
    """Give the seconds until a call is tried again: what the CRM asked for, else longer each time, up to an hour."""
    if step.after_seconds is not None:
        return min(LONGEST_PAUSE_SECONDS, step.after_seconds)
    return float(min(3600.0, 15.0 * 2 ** min(step.job.tries, 10)))
