"""Periods of a report: which days they are, and what they are compared with."""

from __future__ import annotations

import calendar
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import InputError
from connector_core.filling.periods import PRESETS, Period, Span, read_period

DAYS = st.dates(dt.date(1971, 1, 1), dt.date(2998, 12, 31))
DAY = dt.timedelta(days=1)
SATURDAY = dt.date(2026, 3, 14)


def span(text: str) -> Span:
    first, last = text.split("..")
    return Span(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def read(text: str, today: dt.date = SATURDAY, refreshed: dt.date | None = None) -> Period:
    return read_period(text, today, refreshed or today)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """Any preset, or any two days, on any day, refreshed on it or up to a month before."""
    today = draw(DAYS)
    refreshed = today - draw(st.integers(0, 30)) * DAY
    if draw(st.booleans()):
        return read_period(draw(st.sampled_from(PRESETS)), today, refreshed)
    length = draw(st.integers(0, 800)) * DAY
    return read_period(f"{max(today - length, dt.date(1970, 1, 1))}..{today}", today, refreshed)


@pytest.mark.parametrize(
    ("name", "whole", "until"),
    [
        ("this-week", "2026-03-09..2026-03-15", "2026-03-14"),
        ("last-week", "2026-03-02..2026-03-08", "2026-03-08"),
        ("this-month", "2026-03-01..2026-03-31", "2026-03-14"),
        ("last-month", "2026-02-01..2026-02-28", "2026-02-28"),
        ("this-quarter", "2026-01-01..2026-03-31", "2026-03-14"),
        ("last-quarter", "2025-10-01..2025-12-31", "2025-12-31"),
        ("this-year", "2026-01-01..2026-12-31", "2026-03-14"),
        ("last-year", "2025-01-01..2025-12-31", "2025-12-31"),
        ("2026-03-05..2026-03-20", "2026-03-05..2026-03-20", "2026-03-14"),
    ],
)
def test_a_period_has_these_days(name: str, whole: str, until: str) -> None:
    """On a Saturday in March: weeks begin on Monday, and what is not over ends at the last refresh."""
    period = read(name)

    assert (period.whole, period.until) == (span(whole), dt.date.fromisoformat(until))


@pytest.mark.parametrize(
    ("name", "today", "previous", "same_part"),
    [
        ("this-week", "2026-03-11", "2026-03-02..2026-03-08", "2026-03-02..2026-03-04"),
        ("this-month", "2026-03-30", "2026-02-01..2026-02-28", "2026-02-01..2026-02-28"),
        ("this-month", "2024-02-29", "2024-01-01..2024-01-31", "2024-01-01..2024-01-31"),
        ("this-month", "2026-01-15", "2025-12-01..2025-12-31", "2025-12-01..2025-12-15"),
        ("this-quarter", "2026-05-30", "2026-01-01..2026-03-31", "2026-01-01..2026-02-28"),
        ("this-year", "2024-02-29", "2023-01-01..2023-12-31", "2023-01-01..2023-02-28"),
        ("last-month", "2026-03-14", "2026-01-01..2026-01-31", "2026-01-01..2026-01-31"),
        ("2026-03-05..2026-03-20", "2026-03-07", "2026-02-17..2026-03-04", "2026-02-17..2026-02-19"),
    ],
)
def test_a_period_is_compared_with_these_days(name: str, today: str, previous: str, same_part: str) -> None:
    """Months of different length, leap days and the ends of years."""
    period = read(name, dt.date.fromisoformat(today))

    assert (period.previous, period.same_part) == (span(previous), span(same_part))


def test_a_period_that_began_after_the_refresh_counts_its_first_day() -> None:
    """Refreshed on Sunday, and asked on Monday: nothing is known of this week, and none of the last one counts."""
    period = read("this-week", dt.date(2026, 3, 9), dt.date(2026, 3, 8))

    assert period.elapsed == span("2026-03-09..2026-03-09")


@given(periods())
def test_what_is_compared_ends_just_before(period: Period) -> None:
    """The previous period ends the day before; the same part begins with it, and is a part of it."""
    assert period.previous.last + DAY == period.whole.first
    assert period.same_part.first == period.previous.first
    assert period.same_part.last in period.previous
    assert period.until in period.whole


@given(periods())
def test_a_period_that_is_over_is_compared_as_a_whole(period: Period) -> None:
    """Then both comparisons are the same."""
    over = Period(period.name, period.unit, period.whole, period.whole.last)

    assert over.same_part == over.previous


@given(periods(), st.data())
def test_the_same_part_grows_with_the_period(period: Period, data: st.DataObject) -> None:
    """A later refresh never compares with less."""
    later = data.draw(st.dates(period.until, period.whole.last))
    grown = Period(period.name, period.unit, period.whole, later)

    assert grown.same_part.last >= period.same_part.last


@given(DAYS, st.sampled_from(PRESETS))
def test_a_unit_of_the_calendar_follows_the_one_before(today: dt.date, name: str) -> None:
    """What this one has as the previous is what the last one is, and has a calendar's length."""
    unit = name.partition("-")[2]
    this, last = (read(f"{which}-{unit}", today) for which in ("this", "last"))

    assert this.previous == last.whole
    assert today in this.whole
    year, month = this.whole.first.year, this.whole.first.month
    lengths = {
        "week": {7},
        "month": {calendar.monthrange(year, month)[1]},
        "quarter": {90, 91, 92},
        "year": {366 if calendar.isleap(year) else 365},
    }
    assert this.whole.days in lengths[unit]


@given(DAYS, st.integers(0, 3_000))
def test_two_days_are_compared_with_as_many_before(first: dt.date, more: int) -> None:
    """Whatever months they touch."""
    last = min(first + more * DAY, dt.date(2999, 12, 31))
    period = read(f"{first}..{last}", last)

    assert period.previous.days == period.whole.days


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("yesterday", "is none of this-week"),
        ("this-", "is none of this-week"),
        ("2026-03-01", "not two days like"),
        ("2026-03-01..2026-02-30", "not two days like"),
        ("2026-03-02..2026-03-01", "ends before it begins"),
        ("1970-01-01..2026-03-01", "too long"),
        ("0001-01-01..0001-01-02", "too long"),
    ],
)
def test_what_is_no_period_is_refused(text: str, told: str) -> None:
    """With what was wanted."""
    with pytest.raises(InputError, match=told):
        read(text)
