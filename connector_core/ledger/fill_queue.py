"""Whose fields are to be filled: calls that settled, and those that something was decided about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from connector_core.ledger.database import Database
from connector_core.ledger.schema import INTERACTIVE, calls
from connector_core.ledger.schema_filling import fill_dirty, fills, templates

AT_ONCE = 500
AHEAD = dt.timedelta(days=1)
"""How much sooner than now what somebody waits for is due: it is taken before a backlog, of a backfill for one."""


def make_fills_due(
    database: Database, step: sa.Connection, connection: str, call_ids: Sequence[str], now: dt.datetime
) -> None:
    """Make the fields of calls due to be filled, or filled anew, where a published template may be for them."""
    if not call_ids:
        return
    of = (templates.c.connection == connection, templates.c.published.is_not(None))
    since = step.execute(sa.select(sa.func.min(templates.c.since)).where(*of)).scalar()
    if since is None:
        return
    for start in range(0, len(call_ids), AT_ONCE):
        these = (calls.c.connection == connection, calls.c.call_id.in_(call_ids[start : start + AT_ONCE]))
        wanted = sa.select(calls.c.call_id, calls.c.priority).where(*these, calls.c.started_at >= since)
        found = step.execute(wanted).all()
        put_fills_due(database, step, connection, [it.call_id for it in found if it.priority == INTERACTIVE], now)
        backlog = [it.call_id for it in found if it.priority != INTERACTIVE]
        put_fills_due(database, step, connection, backlog, now, ahead=dt.timedelta())


def put_fills_due(
    database: Database,
    step: sa.Connection,
    connection: str,
    call_ids: Sequence[str],
    now: dt.datetime,
    *,
    ahead: dt.timedelta = AHEAD,
) -> None:
    """Make the fields of calls due, whatever is published."""
    new = {"connection": connection, "mark": 1, "due_at": now - ahead, "tries": 0, "since": now}
    again = {"mark": fills.c.mark + 1, "due_at": now - ahead, "tries": 0, "since": now}
    put(database, step, fills, [{**new, "call_id": call_id} for call_id in call_ids], again)


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
    insert = _insert(database, table)
    key = [column.name for column in table.primary_key]
    if again is None:
        step.execute(insert.on_conflict_do_nothing(index_elements=key), rows)
    else:
        step.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(again)), rows)


def replace_rows(database: Database, step: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in place of those that are there already; each names the same columns."""
    if rows:
        new = _insert(database, table).excluded
        put(database, step, table, rows, {name: new[name] for name in rows[0] if name not in table.primary_key})


def _insert(database: Database, table: sa.Table) -> Any:
    """Give an insert that can say what becomes of rows that are there: each database has one of its own."""
    return (sqlite_insert if database.is_sqlite else pg_insert)(table)
