"""Days as people write and say them.

A day without its year is the next such day, counted from that of the call; where the last one is less than
:data:`_RECENT_DAYS` ago, it may be meant as well, and the day is refused. So is ``03/04/2026`` where the connection's
regions do not agree which is the month. ``next Monday`` is read where the first Monday to come is that of the next week,
and ``fin mars`` as the last day of March.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Sequence
from typing import TypeAlias

from connector_core.filling.coercion.almanac import (
    BESIDE_TIMES,
    COMING,
    DAYS,
    ENDS,
    FILLERS,
    IDIOMS,
    LATER,
    NEAR,
    NEXT,
    YEARS,
    months,
    weekdays,
)
from connector_core.filling.coercion.regions import day_orders

Read: TypeAlias = dt.date | str | None
"""A day, why it cannot be told which one is meant, or None: it is none."""

_RECENT_DAYS = 90
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})(?:([-/])|\. ?)(\d{1,2})(?:\2|\. ?)(\d{4}|\d{2})")
_NO_YEAR = re.compile(r"(\d{1,2})/(\d{1,2})|(\d{1,2})\. ?(\d{1,2})\.")
_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|re|eme|e|o|a)?|(\d{4})")
_BESIDE_LETTER = re.compile(r"(?<=[^\W\d])-|-(?=[^\W\d])")
_TO_BLANKS = str.maketrans("',", "  ")
_WHICH = "may be one of two days: write it like 2026-03-31"


def read_day(text: str, said: dt.date, regions: tuple[str, ...]) -> Read:
    """Read a day.

    :param text: As :func:`.plain.words` gives it.
    :param said: The day of the call, where the connection is.
    """
    tokens = _BESIDE_LETTER.sub(" ", text.translate(_TO_BLANKS)).split()
    try:
        return _read(tokens, said, regions)
    except (ValueError, OverflowError):  # no such day, or one beyond the calendar
        return None


def _read(tokens: Sequence[str], said: dt.date, regions: tuple[str, ...]) -> Read:
    near = NEAR.get(" ".join(it for it in tokens if it not in BESIDE_TIMES))
    if near is not None:
        return said + dt.timedelta(days=near)
    named = [weekdays().get(it.removesuffix(".")) for it in tokens]
    rest = [it for it, day in zip(tokens, named, strict=True) if day is None]
    on = [day for day in named if day is not None]
    if len(on) > 1:
        return None
    found = _numeric(" ".join(rest), said, regions)
    if found is None:
        found = _later(rest, said) or _next(rest, on, said) or _named(rest, said)
    if isinstance(found, dt.date) and on and found.weekday() != on[0]:
        return f"names another day of the week than {found.isoformat()} is"
    return found


def _numeric(text: str, said: dt.date, regions: tuple[str, ...]) -> Read:
    """Read a day of digits alone."""
    if it := _YEAR_FIRST.fullmatch(text):
        return dt.date(int(it[1]), int(it[3]), int(it[4]))
    if it := _YEAR_LAST.fullmatch(text):
        order = _order(regions, dotted=it[2] is None)
        if len(it[4]) == 2:
            return _of(order, int(it[1]), int(it[3]), _century(int(it[4]), said)) if order else _WHICH
        return _either(order, int(it[1]), int(it[3]), int(it[4]))
    if it := _NO_YEAR.fullmatch(text):
        order = _order(regions, dotted=it[1] is None)
        first, second = (int(part) for part in it.groups() if part)
        if order is None and first != second:
            return _WHICH
        month, day = (first, second) if order == "mdy" else (second, first)
        return _without_year(month, day, said)
    return None


def _order(regions: tuple[str, ...], *, dotted: bool) -> str | None:
    """Give the one order of day and month; with dots nobody writes the month first, but where people always do."""
    orders = day_orders(regions)
    if dotted and "mdy" not in orders:
        return "dmy"
    return next(iter(orders)) if orders in ({"dmy"}, {"mdy"}) else None


def _either(order: str | None, first: int, second: int, year: int) -> Read:
    readings = [_of(it, first, second, year) for it in ("dmy", "mdy")]
    days = {it for it in readings if it}
    if order and (day := _of(order, first, second, year)):
        return day
    return days.pop() if len(days) == 1 else _WHICH if days else None


def _of(order: str, first: int, second: int, year: int) -> dt.date | None:
    month, day = (first, second) if order == "mdy" else (second, first)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _century(year: int, said: dt.date) -> int:
    """Take a year of two digits from fifty years before the call to fifty after it."""
    first = said.year - 50
    return first + (year - first) % 100


def _later(tokens: Sequence[str], said: dt.date) -> Read:
    """Read ``in 3 days``, and weeks."""
    match [it for it in tokens if it in LATER or it in DAYS or it not in FILLERS]:
        case [word, number, unit] if word in LATER and number.isdecimal() and unit in DAYS and len(number) < 4:
            if DAYS[unit] == 1 and int(number) in IDIOMS:
                return "may be one or two weeks, or exactly so many days"
            return said + dt.timedelta(days=int(number) * DAYS[unit])
    return None


def _next(tokens: Sequence[str], on: Sequence[int], said: dt.date) -> Read:
    """Read ``next Monday``; a day of the week alone may be the last one, or the next."""
    beside = [it for it in tokens if it not in FILLERS]
    if len(on) != 1 or (beside and (len(beside) > 1 or beside[0] not in NEXT)):
        return None
    if not beside:
        return "may be the last one, or the next: say which day of the month"
    first = said + dt.timedelta(days=(on[0] - said.weekday() - 1) % 7 + 1)
    return first if on[0] <= said.weekday() else "may be in this week, or the next: say which day of the month"


def _named(tokens: Sequence[str], said: dt.date) -> Read:
    """Read a day with the name of its month, or the end of a month."""
    text, year = _year_said(" ".join(tokens), said)
    end, coming, month, numbers = False, False, None, []
    for token in text.split():
        word = token.removesuffix(".")
        if word in months() and month is None:
            month = months()[word]
        elif word in ENDS and not end:
            end = True
        elif word in COMING:
            coming = True
        elif it := _NUMBER.fullmatch(word):
            numbers.append(it[1] or it[2])
        elif word not in FILLERS:
            return None
    years = [int(it) for it in numbers if len(it) == 4] + ([] if year is None else [year])
    days = [int(it) for it in numbers if len(it) < 4]
    if len(days) == 2 and not years and len(numbers[1]) == 2:
        years = [_century(days.pop(), said)]
    if month is None or len(years) > 1 or len(days) != (0 if end else 1):
        return "says no day of the month" if month is not None and not days and len(years) < 2 else None
    day = None if end else days[0]
    return _day_of(years[0], month, day) if years else _without_year(month, day, said, surely_coming=coming)


def _year_said(text: str, said: dt.date) -> tuple[str, int | None]:
    """Take words for a year out of a text."""
    for words, years in YEARS.items():
        if f" {words} " in f" {text} ":
            return f" {text} ".replace(f" {words} ", " "), said.year + years
    return text, None


def _day_of(year: int, month: int, day: int | None) -> dt.date:
    return dt.date(year, month, calendar.monthrange(year, month)[1] if day is None else day)


def _without_year(month: int, day: int | None, said: dt.date, *, surely_coming: bool = False) -> Read:
    _day_of(2000, month, day)  # a leap year: what is no day of it is none of any
    days = []
    for year in (said.year - 1, said.year, said.year + 1):
        try:
            days.append(_day_of(year, month, day))
        except ValueError:  # 29 February
            continue
    coming = next((it for it in days if it >= said), None)
    if coming is None:
        return "is no day of the coming year: say its year"
    recent = any(0 < (said - it).days <= _RECENT_DAYS for it in days)
    if recent and coming != said and not surely_coming:
        return "may be the last one, or the next: say its year"
    return coming
