"""The report of the filling, from what was counted: pure, and so the same for whoever asks."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connector_core.errors import InputError
from connector_core.filling.counts import NONE, Counts, FieldDay, Tally, Target, missing_object
from connector_core.filling.levers import Evidence, levers
from connector_core.filling.outcomes import OUTCOMES, Outcome
from connector_core.filling.periods import Period, Span
from connector_core.filling.report import Before, FieldInUse, Filters, Nothing, Point, Query, Report, Row

MOST_DAYS_BY_DAY = 62
"""Of a longer period, weeks are shown and not days."""


def _text(of: Callable[[FieldInUse], str | None]) -> Callable[[Row], str | None]:
    return lambda row: None if (value := of(row.field)) is None else value.casefold()


def _share(outcome: Outcome) -> Callable[[Row], float | None]:
    return lambda row: row.tally.share(outcome)


COLUMNS: Mapping[str, Callable[[Row], str | float | None]] = {
    "name": _text(lambda it: it.name),
    "type": _text(lambda it: it.type),
    "object": _text(lambda it: it.object),
    "field": _text(lambda it: it.field),
    "template": _text(lambda it: it.template_name),
    "mode": _text(lambda it: it.mode),
    "eligible": lambda row: row.tally.eligible,
    **{str(outcome): _share(outcome) for outcome in OUTCOMES},
}
"""What rows can be sorted by: outcomes by their share of the eligible, so ``sent`` is the sending rate."""


def analyse(
    connection: str,
    zone: str,
    fields: Sequence[FieldInUse],
    counts: Counts,
    query: Query,
) -> Report:
    """Make the report.

    :param fields: All that are in use, in the order of their templates: what was counted of others is left out.
    :param counts: From the first day of the previous period to the last elapsed one.
    :raises InputError: There is no such column to sort by.
    """
    chosen = [it for it in fields if _meets(it, query.filters)]
    added = _added(chosen, counts.days, query.period)
    evidence = Evidence(counts.waiting, counts.missing, _lacking(counts.days, query.period.elapsed))
    rows = [_row(it, added[it.key], evidence) for it in chosen]
    total = sum((row.tally for row in rows), NONE)
    reasons = sum((Counter(row.reasons) for row in rows), Counter[str]())
    return Report(
        connection,
        zone,
        counts.refreshed_at,
        query.period,
        query.filters,
        total,
        sum((row.before for row in rows), Before()),
        tuple(_sorted(rows, query.sort, descending=query.descending)),
        levers(total, reasons, frozenset(added), evidence),
        tuple(_over_time(query.period.elapsed, added.values())),
        None if rows else _nothing(connection, fields, query.filters),
    )


# -- adding up ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Added:
    """What was counted of one field."""

    tally: Tally = NONE
    before: Before = field(default_factory=Before)
    reasons: Counter[str] = field(default_factory=Counter)
    by_day: dict[dt.date, Tally] = field(default_factory=dict)


def _added(chosen: Iterable[FieldInUse], days: Iterable[FieldDay], period: Period) -> dict[Target, _Added]:
    added = {it.key: _Added() for it in chosen}
    elapsed, previous, same_part = period.elapsed, period.previous, period.same_part
    for it in days:
        sums = added.get(it.target)
        if sums is None:
            continue
        if it.day in elapsed:
            sums.tally += it.tally
            sums.reasons.update(it.reasons)
            sums.by_day[it.day] = it.tally
        elif it.day in previous:
            sums.before += Before(it.tally, it.tally if it.day in same_part else NONE)
    return added


def _lacking(days: Iterable[FieldDay], elapsed: Span) -> dict[str, Counter[Target]]:
    """Count for each object how many calls lack it for which field, also for fields that are in use no more."""
    lacking: defaultdict[str, Counter[Target]] = defaultdict(Counter)
    for it in days:
        if it.day in elapsed:
            numbers = {"no_crm_link": it.tally.no_crm_link, "other": it.reasons.get("object_not_linked", 0)}
            for outcome, number in numbers.items():
                if number:
                    lacking[missing_object(it.target[2], outcome)][it.target] += number
    return lacking


def _row(it: FieldInUse, added: _Added, evidence: Evidence) -> Row:
    reasons = dict(sorted(added.reasons.items(), key=lambda reason: (-reason[1], reason[0])))
    return Row(it, added.tally, reasons, levers(added.tally, reasons, frozenset([it.key]), evidence), added.before)


def _over_time(elapsed: Span, added: Iterable[_Added]) -> Iterator[Point]:
    by_day: defaultdict[dt.date, Tally] = defaultdict(Tally)
    for sums in added:
        for day, tally in sums.by_day.items():
            by_day[day] += tally
    first = elapsed.first
    while first <= elapsed.last:
        week = first + dt.timedelta(days=6 - first.weekday())
        span = Span(first, first if elapsed.days <= MOST_DAYS_BY_DAY else min(elapsed.last, week))
        days = (first + dt.timedelta(days=number) for number in range(span.days))
        yield Point(span, sum((by_day[day] for day in days), NONE))
        first = span.last + dt.timedelta(days=1)


def _sorted(rows: list[Row], column: str | None, *, descending: bool) -> list[Row]:
    """Sort by a column, both ways: what is equal keeps its order, and what is not known comes last."""
    if column is None:
        return rows[::-1] if descending else rows
    if column not in COLUMNS:
        raise InputError(f"sort: there is no column {column!r}; wanted one of {', '.join(COLUMNS)}")
    value = COLUMNS[column]
    known = [(it, row) for row in rows if (it := value(row)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in known] + [row for row in rows if value(row) is None]


# -- filters -----------------------------------------------------------------------------------------------------------


def _meets(it: FieldInUse, filters: Filters) -> bool:
    return (
        (not filters.templates or it.template_id in filters.templates)
        and (not filters.fields or not {it.name, it.field, f"{it.template_id}.{it.name}"}.isdisjoint(filters.fields))
        and (not filters.types or it.type in filters.types)
        and filters.mode in (None, it.mode)
    )


_NO_FILTERS = Filters()
_VALUES: Mapping[str, tuple[str, Callable[[FieldInUse], str | None]]] = {
    "template": ("templates", lambda it: it.template_id),
    "field": ("fields", lambda it: it.name),
    "type": ("types", lambda it: it.type),
    "mode": ("mode", lambda it: it.mode),
}
"""Each filter: where its values stand, and which a field has."""
_NONE_IS = {
    "template": "no published template is",
    "field": "no field of a published template is",
    "type": "no field of a published template is of type",
    "mode": "no field of a published template is",
}


def _nothing(connection: str, fields: Sequence[FieldInUse], filters: Filters) -> Nothing:
    """Say why no field meets the filters: one that none meets by itself, or several that exclude each other."""
    if not fields:
        return Nothing(f"connection {connection} has no published template")
    asked = filters.to_json()
    for name, wanted in asked.items():
        setting, value = _VALUES[name]
        alone = replace(_NO_FILTERS, **{setting: getattr(filters, setting)})
        if not any(_meets(it, alone) for it in fields):
            what = wanted if isinstance(wanted, str) else ", ".join(wanted)
            there = ", ".join(sorted({of for it in fields if (of := value(it))}))
            return Nothing(f"{_NONE_IS[name]} {what}; there is {there}", (name,))
    freeing = []
    for name in asked:
        setting, _ = _VALUES[name]
        without = replace(filters, **{setting: getattr(_NO_FILTERS, setting)})
        if any(_meets(it, without) for it in fields):
            freeing.append(name)
    what = f"reset {' or '.join(freeing)}" if freeing else "reset all of them"
    return Nothing(f"the filters {', '.join(asked)} exclude each other: {what}", tuple(freeing or asked))
