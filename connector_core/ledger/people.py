"""What people decide about calls, and the record of it: who, when, what was before and what after."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import sqlalchemy as sa

from connector_core.association import Choice
from connector_core.errors import InputError
from connector_core.ledger.database import Database
from connector_core.ledger.inbox import AT_ONCE, Wake, is_call, of_calls
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.places import moved
from connector_core.ledger.schema import INTERACTIVE, audit, calls, choices, connections, decisions, writes
from connector_core.model import Call

Role: TypeAlias = Literal["admin", "manager", "user"]
NOBODY = -1
"""The place in ``choices`` of what is no guest's."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the host says.

    :raises InputError: No name, or a role that there is not.
    """

    name: str
    role: Role = "user"

    def __post_init__(self) -> None:
        """Refuse what is nobody."""
        if not self.name.strip():
            raise InputError("actor: the name is empty; wanted who acts")
        if self.role not in get_args(Role):
            raise InputError(f"actor: the role {self.role!r} is none of {', '.join(get_args(Role))}")


class Decided:
    """Keeps what people decided."""

    def __init__(self, database: Database) -> None:
        """Keep nothing yet."""
        self._database = database

    def choose(
        self,
        connection: str,
        actor: Actor,
        chosen: Mapping[str, Choice],
        *,
        seen: Mapping[str, Call] = MappingProxyType({}),
        wake: Wake | None = None,
    ) -> None:
        """Keep a choice for each of these calls, in place of an earlier one of the same; the calls become due.

        :param seen: The calls as they were when a guest was chosen for: a richer version may have come since, in which that
            one stands elsewhere.
        :raises InputError: A call that was never accepted, that was deleted at its provider before it was written, or of
            which nothing is kept any more; then none is changed.
        """
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            rows = self._require(step, connection, list(chosen))
            for call_id, before_it_moved in chosen.items():
                choice = _where_it_stands(before_it_moved, seen.get(call_id), rows[call_id].content)
                place = NOBODY if choice.participant is None else choice.participant
                key = {"connection": connection, "call_id": call_id, "what": choice.what, "participant": place}
                same = [choices.c[name] == value for name, value in key.items()]
                before = step.execute(sa.select(choices).where(*same)).one_or_none()
                step.execute(sa.delete(choices).where(*same))
                step.execute(sa.insert(choices).values(**key, record_id=choice.id, by=choice.by, at=choice.at))
                said = {"what": choice.what, **({} if choice.participant is None else {"participant": place})}
                action = "assign" if choice.id else "clear"
                old = _found(step, connection, call_id, choice) if before is None else (before.record_id, before.by)
                noted = None if old is None else {**said, "id": old[0], "by": old[1]}
                note(step, connection, call_id, now, actor, action, noted, {**said, "id": choice.id})
            _make_due(step, connection, list(chosen), now, "decide")
            if wake is not None:
                wake(connection, step)

    def refresh(self, connection: str, actor: Actor, call_ids: Sequence[str], *, wake: Wake | None = None) -> None:
        """Let calls be refreshed: the CRM changed after them.

        :raises InputError: As :meth:`choose`.
        """
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            self._require(step, connection, call_ids)
            for call_id in call_ids:
                note(step, connection, call_id, now, actor, "refresh", None, None)
            make_due_for_refresh(step, connection, call_ids, now)
            if wake is not None:
                wake(connection, step)

    def paused(self, connection: str) -> str | None:
        """Tell why a connection stands still until somebody resumes it, if it does."""
        with self._database.reading() as step:
            reason: str | None = step.execute(_paused(connection)).scalar()
            return reason

    def resume(self, connection: str, actor: Actor, *, wake: Wake | None = None) -> str | None:
        """Let a connection go on that was paused; one that was not stays as it is.

        :returns: Why it was paused.
        """
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            reason: str | None = step.execute(_paused(connection)).scalar()
            if reason is not None:
                values = {"paused_at": None, "paused_reason": None}
                step.execute(sa.update(connections).where(connections.c.name == connection).values(values))
                note(step, connection, None, self._database.now(step), actor, "resume", {"paused": reason}, None)
            if wake is not None:
                wake(connection, step)
            return reason

    def audit_of(self, connection: str, call_id: str | None) -> list[dict[str, Any]]:
        """List who did what to a call, or with None to the connection itself, the oldest first."""
        wanted = sa.select(audit).where(audit.c.connection == connection, audit.c.call_id == call_id)
        with self._database.reading() as step:
            return [
                {
                    "at": row.at.isoformat(),
                    "by": row.actor,
                    "role": row.role,
                    "action": row.action,
                    "before": json.loads(row.before) if row.before else None,
                    "after": json.loads(row.after) if row.after else None,
                }
                for row in step.execute(wanted.order_by(audit.c.id))
            ]

    def writes_of(self, connection: str, call_id: str) -> list[dict[str, Any]]:
        """List what was sent for a call, the oldest first, and what came of it."""
        wanted = sa.select(writes).where(writes.c.connection == connection, writes.c.call_id == call_id)
        with self._database.reading() as step:
            return [
                {
                    "number": row.number,
                    "at": row.made_at.isoformat(),
                    "activity_id": row.activity_id,
                    "outcome": row.outcome,
                    "reason": row.reason,
                    "code": row.code,
                    "field": row.field,
                    "kept": row.kept.split() if row.kept else [],
                }
                for row in step.execute(wanted.order_by(writes.c.number))
            ]

    def _require(self, step: sa.Connection, connection: str, call_ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
        rows = {
            row.call_id: row
            for start in range(0, len(call_ids), AT_ONCE)
            for row in step.execute(of_calls(connection, call_ids[start : start + AT_ONCE]))
        }
        for call_id in call_ids:
            if call_id not in rows:
                raise InputError(f"connection {connection}: has accepted no call {call_id}")
            if rows[call_id].content is None:
                raise InputError(f"connection {connection}: what call {call_id} said is not kept any more")
            if rows[call_id].deleted_at is not None and rows[call_id].state == "rejected":
                raise InputError(
                    f"connection {connection}: call {call_id} was deleted at its provider; it is not written"
                )
        return rows


def _where_it_stands(choice: Choice, seen: Call | None, content: str) -> Choice:
    """Let a choice for a guest be for whoever that is by now."""
    if choice.participant is None or seen is None:
        return choice
    now = Call.model_validate_json(content)
    return replace(choice, participant=moved(seen, now, {choice.participant})[choice.participant])


def make_due_for_refresh(step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime) -> None:
    """Make calls due to be refreshed; what is to be decided anew in any case keeps nothing, and stays so."""
    _make_due(step, connection, call_ids, now, sa.case((calls.c.state == "due", calls.c.how), else_="refresh"))


def _make_due(
    step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime, how: str | sa.Case[str]
) -> None:
    sent = sa.exists().where(writes.c.connection == connection, writes.c.call_id == calls.c.call_id, writes.c.open)
    values: dict[str, Any] = {
        "state": "due",
        "how": how,
        "priority": INTERACTIVE,
        "version": calls.c.version + 1,
        "tries": 0,
        "changed_at": now,
        # What may still be under way is waited for first.
        "due_at": sa.case((sent, calls.c.due_at), else_=sa.bindparam("now", now, type_=calls.c.due_at.type)),
        "outcome": sa.case((sent, calls.c.outcome), else_=None),
        "reason": sa.case((sent, calls.c.reason), else_=None),
    }
    for call_id in call_ids:
        step.execute(sa.update(calls).where(*is_call(connection, call_id)).values(values))


def _found(step: sa.Connection, connection: str, call_id: str, choice: Choice) -> tuple[str, None] | None:
    """Give the id that the rules had found of what somebody chooses for the first time, and that nobody had chosen it."""
    same = (decisions.c.connection == connection, decisions.c.call_id == call_id)
    decision = json.loads(step.execute(sa.select(decisions.c.decision).where(*same)).scalar() or "{}")
    record = decision.get(choice.what)
    if choice.participant is not None:
        people = decision.get("people") or ()
        record = people[choice.participant] if choice.participant < len(people) else None
    return (record["id"], None) if record else None


def _paused(connection: str) -> sa.Select[Any]:
    return sa.select(connections.c.paused_reason).where(connections.c.name == connection)


def note(
    step: sa.Connection,
    connection: str,
    call_id: str | None,
    now: dt.datetime,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    """Keep in the audit what somebody did."""
    step.execute(sa.insert(audit), [_noted(connection, call_id, now, actor, action, before, after)])


def note_each(
    step: sa.Connection,
    connection: str,
    now: dt.datetime,
    actor: Actor,
    action: str,
    after: Mapping[str, Mapping[str, Any]],
) -> None:
    """Keep in the audit what somebody did of several calls, by their ids."""
    rows = [_noted(connection, call_id, now, actor, action, None, it) for call_id, it in after.items()]
    if rows:
        step.execute(sa.insert(audit), rows)


def _noted(
    connection: str,
    call_id: str | None,
    now: dt.datetime,
    actor: Actor,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> dict[str, Any]:
    return {
        "connection": connection,
        "call_id": call_id,
        "at": now,
        "actor": actor.name,
        "role": actor.role,
        "action": action,
        "before": None if before is None else json.dumps(before, ensure_ascii=False),
        "after": None if after is None else json.dumps(after, ensure_ascii=False),
    }
