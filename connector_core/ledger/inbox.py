"""What comes in: calls are accepted once, and again when more is known of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import make_fills_due
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.places import moved
from connector_core.ledger.schema import BACKFILL, INTERACTIVE, activities, calls, choices, writes
from connector_core.model import Call

AT_ONCE = 500
"""Calls that are accepted in one step."""

DELETED = "it was deleted at its provider before it was written"

Verdict: TypeAlias = Literal["new", "changed", "known"]
Wake: TypeAlias = Callable[[str, sa.Connection], object]
"""Wakes the pump of a connection, within the step that made something due."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was accepted, by call id: a ``new`` call, a ``changed`` one, or one that was ``known`` as it is."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many of each."""
        return Counter(self.verdicts.values())


class Inbox:
    """Accepts the calls of all connections."""

    def __init__(self, database: Database) -> None:
        """Accept nothing yet."""
        self._database = database

    def accept(
        self,
        connection: str,
        accepted: Iterable[Call],
        *,
        backfill: bool = False,
        delay_seconds: float = 0.0,
        wake: Wake | None = None,
    ) -> Accepted:
        """Accept calls: once this returns, none of them is lost.

        A call is known by its id. Content that differs replaces what was known and makes the call due anew; content that
        was known before, as it is or in an earlier version, changes nothing.

        :param backfill: Work on them after whatever is interactive.
        :param delay_seconds: Leave a call alone for so long after its end.
        :raises TryAgainError: The database did not keep them; what this did not return may be accepted again.
        """
        verdicts: dict[str, Verdict] = {}
        batch: dict[str, Call] = {}
        for call in accepted:
            if call.id in batch or len(batch) == AT_ONCE:
                verdicts |= self._accept(connection, batch, backfill, delay_seconds, wake)
                batch = {}
            batch[call.id] = call
        verdicts |= self._accept(connection, batch, backfill, delay_seconds, wake)
        return Accepted(verdicts)

    def _accept(
        self, connection: str, batch: dict[str, Call], backfill: bool, delay_seconds: float, wake: Wake | None
    ) -> dict[str, Verdict]:
        if not batch:
            return {}
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            return self.keep(step, connection, batch, backfill=backfill, delay_seconds=delay_seconds, wake=wake)

    def keep(
        self,
        step: sa.Connection,
        connection: str,
        batch: Mapping[str, Call],
        *,
        backfill: bool = False,
        delay_seconds: float = 0.0,
        wake: Wake | None = None,
        latest: bool = False,
    ) -> dict[str, Verdict]:
        """Accept calls by id within a step that holds the connection's row; see :meth:`accept`.

        :param latest: They are the newest that is known of them: content that was once before, and no more, is a change.
        """
        contents = {call_id: content(call) for call_id, call in batch.items()}
        verdicts: dict[str, Verdict] = {}
        rows: list[dict[str, Any]] = []
        sooner: list[str] = []
        now = self._database.now(step)
        there = {row.call_id: row for row in step.execute(of_calls(connection, list(batch)))}
        for call_id, text in contents.items():
            call, old = batch[call_id], there.get(call_id)
            digest = digest_of(text)
            if old is not None and (digest in old.content_hash.split()[: 1 if latest else None] or old.deleted_at):
                verdicts[call_id] = "known"
                if old.priority == BACKFILL and not backfill:
                    sooner.append(call_id)
                continue
            verdicts[call_id] = "changed" if old else "new"
            hashes = " ".join([digest, *(it for it in old.content_hash.split() if it != digest)]) if old else digest
            due_at = now if backfill else now + _wait(now - call.end, dt.timedelta(seconds=delay_seconds))
            rows.append(_row(connection, call, text, hashes, now, due_at, backfill, old))
            if old is not None and old.content is not None:
                _move_choices(step, connection, old, call)
        new = [row for row in rows if verdicts[row["call_id"]] == "new"]
        changed = [row for row in rows if verdicts[row["call_id"]] == "changed"]
        if new:
            step.execute(sa.insert(calls), new)
        for row in changed:
            step.execute(sa.update(calls).where(*is_call(connection, row["call_id"])).values(row))
        if sooner:
            these = (calls.c.connection == connection, calls.c.call_id.in_(sooner))
            step.execute(sa.update(calls).where(*these).values(priority=INTERACTIVE))
        if (rows or sooner) and wake is not None:
            wake(connection, step)
        return verdicts

    def hurry(self, connection: str, call_ids: Sequence[str], *, wake: Wake | None = None) -> None:
        """Make calls due now that wait for a person, or for later; not those whose write may still be under way."""
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            of = (writes.c.connection == connection, writes.c.call_id == calls.c.call_id)
            open_write = sa.exists().where(*of, writes.c.open, writes.c.doubt_until > now)
            for start in range(0, len(call_ids), AT_ONCE):
                these = calls.c.call_id.in_(call_ids[start : start + AT_ONCE])
                which = (calls.c.connection == connection, these, calls.c.state.in_(("due", "waiting")), ~open_write)
                values = {"state": "due", "due_at": now, "version": calls.c.version + 1, "outcome": None, "tries": 0}
                step.execute(sa.update(calls).where(*which).values(values | {"changed_at": now}))
            if call_ids and wake is not None:
                wake(connection, step)

    def deleted(self, connection: str, call_id: str) -> bool:
        """Note that a call was deleted at its provider: what is written stays, what is not will not be.

        :returns: Whether the call was known.
        """
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            row = step.execute(of_calls(connection, [call_id])).one_or_none()
            if row is None:
                return False
            values: dict[str, Any] = {"deleted_at": now, "changed_at": now, "version": row.version + 1}
            open_write = sa.exists().where(
                writes.c.connection == connection, writes.c.call_id == call_id, writes.c.open
            )
            there = sa.exists().where(activities.c.connection == connection, activities.c.call_id == call_id)
            if not step.execute(sa.select(sa.or_(open_write, there))).scalar():
                values |= {"state": "rejected", "outcome": "skipped", "reason": DELETED, "settled_at": now}
                values["claimed"] = None
            step.execute(sa.update(calls).where(*is_call(connection, call_id)).values(values))
            make_fills_due(self._database, step, connection, [call_id], now)
            return True


def content(call: Call) -> str:
    """Give a call as the ledger keeps it: the same text for the same call."""
    return json.dumps(call.model_dump(mode="json", exclude_none=True), sort_keys=True, ensure_ascii=False)


def digest_of(text: str) -> str:
    """Give what tells two contents apart, and says nothing of them."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def of_calls(connection: str, call_ids: Sequence[str]) -> sa.Select[Any]:
    """Select rows of calls."""
    return sa.select(calls).where(calls.c.connection == connection, calls.c.call_id.in_(call_ids))


def is_call(connection: str, call_id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Say which row of ``calls`` is meant."""
    return calls.c.connection == connection, calls.c.call_id == call_id


def _move_choices(step: sa.Connection, connection: str, old: sa.Row[Any], call: Call) -> None:
    """Let what people decided about a participant go along to where that one stands now."""
    of = (choices.c.connection == connection, choices.c.call_id == call.id, choices.c.participant >= 0)
    rows = step.execute(sa.select(choices).where(*of).order_by(choices.c.at)).all()
    if not rows:
        return
    before = Call.model_validate_json(old.content)
    places = moved(before, call, {row.participant for row in rows})
    if all(place == now for place, now in places.items()):
        return
    step.execute(sa.delete(choices).where(*of))
    newest = {(row.what, places[row.participant]): row for row in rows}
    for (_, place), row in newest.items():
        step.execute(sa.insert(choices).values({**row._mapping, "participant": place}))  # noqa: SLF001 - its public name


def _wait(ended: dt.timedelta, delay: dt.timedelta) -> dt.timedelta:
    """Give how long a call is to be left alone that ended so long ago; one that ends in the future has a wrong clock."""
    return max(dt.timedelta(), min(delay, delay - ended))


def _row(
    connection: str,
    call: Call,
    text: str,
    hashes: str,
    now: dt.datetime,
    due_at: dt.datetime,
    backfill: bool,
    old: sa.Row[Any] | None,
) -> dict[str, Any]:
    wanted = BACKFILL if backfill else INTERACTIVE
    row: dict[str, Any] = {
        "connection": connection,
        "call_id": call.id,
        "state": "due",
        "priority": min(old.priority, wanted) if old and old.state == "due" else wanted,
        "due_at": due_at,
        "tries": 0,
        "how": "decide",
        "version": old.version + 1 if old else 1,
        "provider": call.provider,
        "started_at": call.started_at,
        "content": text,
        "content_hash": hashes,
        "changed_at": now,
        "outcome": None,
        "reason": None,
        "settled_at": None,
        "pruned_at": None,
    }
    # Who claimed it stays: it is being worked on, and is due once more when that is over.
    return row if old else row | {"accepted_at": now, "claims": 0, "claimed": None}
