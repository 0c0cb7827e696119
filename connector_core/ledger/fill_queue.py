"""Whose fields are to be filled: calls that settled, and those that something was decided about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.schema import BACKFILL, INTERACTIVE, SETTLED, calls
from connector_core.ledger.schema_filling import fill_dirty, fills, templates

AT_ONCE = 500
_QUEUED = ("connection", "call_id", "priority", "mark", "due_at", "tries", "since")


def make_fills_due(
    database: Database, step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime
) -> None:
    """Make the fields of calls that settled due, where a published template may be for them."""
    if not call_ids:
        return
    of = (templates.c.connection == connection, templates.c.published.is_not(None))
    since = step.execute(sa.select(sa.func.min(templates.c.since)).where(*of)).scalar()
    if since is not None:
        _queue(database, step, connection, now, calls.c.priority, call_ids, calls.c.started_at >= since)


def hurry_fills(
    database: Database, step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime
) -> None:
    """Make the fields of calls due that somebody decided about, and waits for: whatever is published."""
    _queue(database, step, connection, now, sa.literal(INTERACTIVE), call_ids)


def make_settled_due(
    database: Database, step: sa.Connection, connection: str, since: dt.datetime, now: dt.datetime
) -> None:
    """Make the fields of all settled calls due that started at a time or later; nobody waits for them."""
    settled = (calls.c.state.in_(SETTLED), calls.c.started_at >= since)
    _queue(database, step, connection, now, sa.literal(BACKFILL), None, *settled)


def _queue(
    database: Database,
    step: sa.Connection,
    connection: str,
    now: dt.datetime,
    priority: sa.ColumnElement[int],
    call_ids: Sequence[str] | None,
    *which: sa.ColumnElement[bool],
) -> None:
    """Make the fields of calls due now; those that are due already, anew, and no later than others of their priority.

    :param call_ids: None for all.
    """
    at = sa.literal(now, fills.c.due_at.type)
    row = (calls.c.connection, calls.c.call_id, priority.label("priority"), sa.literal(1), at, sa.literal(0))
    chosen = sa.select(*row, at.label("since")).where(calls.c.connection == connection, *which)
    for start in range(0, 1 if call_ids is None else len(call_ids), AT_ONCE):
        some = () if call_ids is None else (calls.c.call_id.in_(call_ids[start : start + AT_ONCE]),)
        statement = database.insert(fills).from_select(_QUEUED, chosen.where(*some))
        new = statement.excluded
        sooner = sa.case((fills.c.priority < new.priority, fills.c.priority), else_=new.priority)
        again = {"mark": fills.c.mark + 1, "priority": sooner, "due_at": new.due_at, "tries": 0, "since": new.since}
        step.execute(statement.on_conflict_do_update(index_elements=["connection", "call_id"], set_=again))


def mark_dirty(database: Database, step: sa.Connection, connection: str, days: set[str]) -> None:
    """Note that something changed of the outcomes of these days."""
    put(database, step, fill_dirty, [{"connection": connection, "day": day} for day in sorted(days)], None)


def put(
    database: Database,
    step: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    again: Mapping[str, Any] | None,
) -> None:
    """Insert rows; of those that are there already, change what ``again`` says, or nothing without one."""
    if not rows:
        return
    insert = database.insert(table)
    key = [column.name for column in table.primary_key]
    if again is None:
        step.execute(insert.on_conflict_do_nothing(index_elements=key), rows)
    else:
        step.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(again)), rows)


def replace_rows(database: Database, step: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in place of those that are there already; each names the same columns."""
    if rows:
        new = database.insert(table).excluded
        put(database, step, table, rows, {name: new[name] for name in rows[0] if name not in table.primary_key})
