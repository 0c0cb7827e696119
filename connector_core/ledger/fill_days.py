"""The outcomes of the filling, counted by days, so that a report costs the same however many calls there were.

Whoever changes a row of ``fillings`` marks its day in the same step, with the connection locked. A refresh counts the days
anew that are marked, and no other: each in a step of its own, which takes the mark away before it counts. So what changes
meanwhile is either counted, or marks the day once more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from connector_core.filling.counts import (
    Asked,
    CallBehind,
    Counts,
    FieldDay,
    Missing,
    Tally,
    Target,
    Waiting,
    missing_object,
)
from connector_core.filling.outcomes import OUTCOMES
from connector_core.filling.periods import Span
from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import replace_rows
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.schema_filling import (
    fill_days,
    fill_dirty,
    fill_missing,
    fill_pending,
    fill_refreshes,
    fillings,
)

REFRESH_SECONDS = 86_400.0
"""How old what was counted may become, before a worker counts anew by itself."""


class FillDays:
    """Counts the outcomes of days, and tells what was counted."""

    def __init__(self, database: Database) -> None:
        """Count nothing yet."""
        self._database = database

    def refresh(self, connection: str, *, most: int | None = None) -> bool:
        """Count the days anew of which something changed, the oldest first; tell whether that was all.

        :param most: No more than so many, so that nobody waits long. What is left is counted the next time; until then the
            time of the last refresh stays what it was.
        :raises TryAgainError: The database cannot be reached. What was counted stays so.
        """
        with self._database.reading() as step:
            began_at = self._database.now(step)
            marked = sa.select(fill_dirty.c.day).where(fill_dirty.c.connection == connection).order_by(fill_dirty.c.day)
            days = step.execute(marked.limit(most)).scalars().all()
        for day in days:
            with self._database.writing() as step:
                lock_connection(self._database, step, connection)
                mark = sa.delete(fill_dirty).where(fill_dirty.c.connection == connection, fill_dirty.c.day == day)
                if step.execute(mark).rowcount:
                    _count(step, connection, day)
        if most is not None and len(days) == most:
            return False
        with self._database.writing() as step:
            row = {"connection": connection, "refreshed_at": began_at}
            replace_rows(self._database, step, fill_refreshes, [row])
        return True

    def due(self) -> list[str]:
        """Name the connections that are to be refreshed: never yet, or too long ago."""
        never = sa.select(fill_dirty.c.connection).where(
            fill_dirty.c.connection.not_in(sa.select(fill_refreshes.c.connection))
        )
        with self._database.reading() as step:
            since = self._database.now(step) - dt.timedelta(seconds=REFRESH_SECONDS)
            old = sa.select(fill_refreshes.c.connection).where(fill_refreshes.c.refreshed_at <= since)
            return sorted(step.execute(sa.union(never, old)).scalars())

    def refreshed_at(self, connection: str) -> dt.datetime | None:
        """Tell when the last refresh began: all that was there then is counted. None: there never was one."""
        with self._database.reading() as step:
            return _refreshed_at(step, connection)

    def read(self, connection: str, since: dt.date, period: Span, begins: Mapping[str, dt.date]) -> Counts:
        """Give what was counted, all of one moment: of the period, and of the days from ``since`` on before it.

        :param begins: For each template that is in use, the first day that it is for.
        """
        first, last = period.first, period.last
        with self._database.reading() as step:
            return Counts(
                tuple(_field_day(*row) for row in step.execute(_of(fill_days, connection, since, last, begins))),
                _waiting(step, _of(fill_pending, connection, first, last, begins)),
                _missing(step, _of(fill_missing, connection, first, last, {})),
                _refreshed_at(step, connection),
            )

    def calls(self, connection: str, target: Target, asked: Asked) -> list[CallBehind]:
        """Give calls of a field, the newest day first: of days of which it is known that they have such."""
        rows = fillings.c
        which = [
            rows.connection == connection,
            rows.day.in_([day.isoformat() for day in asked.days]),
            *(column == value for column, value in zip(_TARGET, target, strict=True)),
        ]
        if asked.outcome is not None:
            which.append(rows.outcome == asked.outcome)
        if asked.reason is not None:
            which.append(rows.reason == asked.reason)
        columns = (rows.call_id, rows.day, *_TARGET[:2], rows.outcome, rows.reason, rows.detail, rows.who)
        # An id as it stands would let a planner go through all calls in their order, rather than find these and sort them.
        order = (rows.day.desc(), *(() if asked.some else (rows.call_id.concat(""),)))
        wanted = sa.select(*columns).where(*which).order_by(*order).limit(asked.most)
        with self._database.reading() as step:
            return [CallBehind(it[0], dt.date.fromisoformat(it[1]), *it[2:]) for it in step.execute(wanted)]


# -- counting ----------------------------------------------------------------------------------------------------------


def _count(step: sa.Connection, connection: str, day: str) -> None:
    key = {"connection": connection, "day": day}
    rows = (fillings.c.connection == connection, fillings.c.day == day)
    counted = {
        fill_days: _outcomes(step, rows),
        fill_pending: _pending(step, rows),
        fill_missing: _missed(step, rows),
    }
    for table, found in counted.items():
        step.execute(sa.delete(table).where(table.c.connection == connection, table.c.day == day))
        if found:
            step.execute(sa.insert(table), [{**key, **row} for row in found])


_TARGET = (fillings.c.template, fillings.c.field, fillings.c.target)
_NAMES = ("template", "field", "target")
_NUMBER = sa.func.count().label("number")

_Rows = Sequence[sa.ColumnElement[bool]]


def _outcomes(step: sa.Connection, rows: _Rows) -> list[dict[str, Any]]:
    numbers: dict[Target, Counter[str]] = defaultdict(Counter)
    reasons: dict[Target, Counter[str]] = defaultdict(Counter)
    what = (*_TARGET, fillings.c.outcome, fillings.c.reason)
    for template, field, target, outcome, reason, number in step.execute(
        sa.select(*what, _NUMBER).where(*rows).group_by(*what)
    ):
        key = (template, field, target)
        numbers[key][outcome] += number
        if outcome == "other" and reason:
            reasons[key][reason] += number
    return [
        {
            **dict(zip(_NAMES, key, strict=True)),
            **{outcome: number[outcome] for outcome in OUTCOMES},
            "reasons": json.dumps(reasons[key], sort_keys=True) if reasons[key] else None,
        }
        for key, number in sorted(numbers.items())
    ]


def _pending(step: sa.Connection, rows: _Rows) -> list[dict[str, Any]]:
    """Count what waits for a person: what is approved already is on its way, and what was forgotten cannot be approved."""
    who = sa.func.coalesce(fillings.c.who, "").label("who")
    wanted = sa.select(
        *_TARGET, who, _NUMBER, sa.func.min(fillings.c.since, type_=fillings.c.since.type).label("since")
    )
    waits = (fillings.c.outcome == "pending", fillings.c.approved_at.is_(None), fillings.c.value.is_not(None))
    found = step.execute(wanted.where(*rows, *waits).group_by(*_TARGET, who))
    return [dict(row) for row in found.mappings()]


def _missed(step: sa.Connection, rows: _Rows) -> list[dict[str, Any]]:
    """Count the calls that lack an object, those apart that would have needed it for other templates."""
    lacks = sa.or_(fillings.c.outcome == "no_crm_link", fillings.c.reason == "object_not_linked")
    columns = (fillings.c.call_id, fillings.c.template, fillings.c.target, fillings.c.outcome)
    needed: dict[tuple[str, str], set[str]] = defaultdict(set)
    for call_id, template, target, outcome in step.execute(sa.select(*columns).where(*rows, lacks)):
        needed[call_id, missing_object(target, outcome)].add(template)
    calls = Counter((name, " ".join(sorted(templates))) for (_, name), templates in needed.items())
    return [
        {"object": name, "digest": _digest(templates), "templates": templates, "calls": number}
        for (name, templates), number in calls.items()
    ]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# -- reading -----------------------------------------------------------------------------------------------------------


def _of(
    table: sa.Table, connection: str, first: dt.date, last: dt.date, begins: Mapping[str, dt.date]
) -> sa.Select[Any]:
    early = [
        sa.and_(table.c.template == template, table.c.day < begin.isoformat())
        for template, begin in begins.items()
        if begin > first
    ]
    days = table.c.day.between(first.isoformat(), last.isoformat())
    return sa.select(*table.c[1:]).where(table.c.connection == connection, days, *map(sa.not_, early))


def _refreshed_at(step: sa.Connection, connection: str) -> dt.datetime | None:
    wanted = sa.select(fill_refreshes.c.refreshed_at).where(fill_refreshes.c.connection == connection)
    moment: dt.datetime | None = step.execute(wanted).scalar()
    return moment


def _field_day(day: str, template: str, field: str, target: str, *counted: Any) -> FieldDay:
    *numbers, reasons = counted
    known: Mapping[str, int] = json.loads(reasons) if reasons else {}
    return FieldDay(dt.date.fromisoformat(day), (template, field, target), Tally(*numbers), known)


def _waiting(step: sa.Connection, wanted: sa.Select[Any]) -> tuple[Waiting, ...]:
    """Add up the days: there are as many rows as people, whose approvals wait, and not as calls."""
    rows = wanted.subquery()
    whose = [rows.c[name] for name in (*_NAMES, "who")]
    since = sa.func.min(rows.c.since, type_=fill_pending.c.since.type)
    number = sa.cast(sa.func.sum(rows.c.number), sa.BigInteger)
    # What tells most rows apart comes first: they are sorted to be added up.
    found = step.execute(sa.select(*whose, number, since).group_by(*reversed(whose)))
    return tuple(Waiting(tuple(target), who or None, number, since) for *target, who, number, since in found)


def _missing(step: sa.Connection, wanted: sa.Select[Any]) -> tuple[Missing, ...]:
    rows = wanted.subquery()
    what = (rows.c.object, rows.c.templates)
    found = step.execute(sa.select(*what, sa.cast(sa.func.sum(rows.c.calls), sa.BigInteger)).group_by(*what))
    return tuple(Missing(name, frozenset(templates.split()), calls) for name, templates, calls in found)
