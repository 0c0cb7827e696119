"""Periods of whole days: a calendar's week, month, quarter or year, or any two days; and what came before them.

The days are those of the connection's zone, so a period is as many dates, whatever a clock does in between.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from connector_core.errors import InputError

Unit: TypeAlias = Literal["week", "month", "quarter", "year"]

_MONTHS: Mapping[Unit, int] = {"month": 1, "quarter": 3, "year": 12}
_UNITS: tuple[Unit, ...] = ("week", *_MONTHS)
PRESETS = tuple(f"{which}-{unit}" for unit in _UNITS for which in ("this", "last"))
MOST_DAYS = 3_660
_EARLIEST = dt.date(1970, 1, 1)
_LATEST = dt.date(2999, 12, 31)
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from the first to the last, both among them."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """How many there are."""
        return (self.last - self.first).days + 1

    def __contains__(self, day: dt.date) -> bool:
        """Tell whether a day is one of them."""
        return self.first <= day <= self.last

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat()}


@dataclass(frozen=True, slots=True)
class Period:
    """What a report is about.

    ``name``: as it was asked for. ``unit``: of the calendar; None between any two days. ``whole``: all of its days, also
    those to come. ``until``: the last one of which something can be known, as the data was refreshed on it or later.
    """

    name: str
    unit: Unit | None
    whole: Span
    until: dt.date

    @property
    def elapsed(self) -> Span:
        """The days that the report counts."""
        return Span(self.whole.first, self.until)

    @property
    def previous(self) -> Span:
        """The whole week, month, quarter or year before; between two days: as many days before them."""
        last = self.whole.first - _DAY
        if self.unit is None:
            return Span(last - (self.whole.last - self.whole.first), last)
        return Span(_start(self.unit, last), last)

    @property
    def same_part(self) -> Span:
        """The part of what came before that had elapsed at the same day of it; all of it, once the period is over.

        A day that the earlier month lacks is its last one: until 30 March compares with until 28 February.
        """
        before = self.previous
        if self.until == self.whole.last:
            return before
        if self.unit is None or self.unit == "week":
            return Span(before.first, before.first + (self.until - self.whole.first))
        return Span(before.first, _months_before(self.until, _MONTHS[self.unit]))

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"name": self.name, **self.whole.to_json(), "until": self.until.isoformat()}


def read_period(text: str, today: dt.date, refreshed: dt.date) -> Period:
    """Read a period: one of :data:`PRESETS`, or two days, ``FROM..TO``.

    :param today: In the connection's zone, by which a preset is found.
    :param refreshed: The day of the last refresh, in that zone: nothing later is known.
    :raises InputError: It is neither, ends before it begins, or is too long.
    """
    which, _, unit = text.partition("-")
    if text in PRESETS:
        (known,) = (it for it in _UNITS if it == unit)
        first = _start(known, today)
        span = Span(first, _end(known, first))
        if which == "last":
            span = Span(_start(known, first - _DAY), first - _DAY)
        return Period(text, known, span, _until(span, refreshed))
    span = _between(text)
    return Period(text, None, span, _until(span, refreshed))


def _between(text: str) -> Span:
    first, dots, last = text.partition("..")
    try:
        span = Span(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) if dots else None
    except ValueError:
        span = None
    if span is None:
        raise InputError(
            f"period: {text!r} is none of {', '.join(PRESETS)}, and not two days like 2026-03-01..2026-03-14"
        )
    if span.last < span.first:
        raise InputError(f"period: {text} ends before it begins")
    if span.days > MOST_DAYS or span.first < _EARLIEST or span.last > _LATEST:
        raise InputError(f"period: {text} is too long; wanted at most {MOST_DAYS:,} days between 1970 and 2999")
    return span


def _until(span: Span, refreshed: dt.date) -> dt.date:
    return min(span.last, max(span.first, refreshed))


def _start(unit: Unit, day: dt.date) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    months = _MONTHS[unit]
    return dt.date(day.year, (day.month - 1) // months * months + 1, 1)


def _end(unit: Unit, start: dt.date) -> dt.date:
    if unit == "week":
        return start + 6 * _DAY
    month = start.month + _MONTHS[unit] - 1
    return dt.date(start.year, month, calendar.monthrange(start.year, month)[1])


def _months_before(day: dt.date, months: int) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
