"""Times as HubSpot writes and reads them."""

from __future__ import annotations

import datetime as dt
import re

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MILLISECONDS = re.compile(r"-?\d{1,14}")


def now() -> dt.datetime:
    """The present, to the millisecond: HubSpot knows no shorter time."""
    return to_milliseconds(dt.datetime.now(dt.UTC))


def to_milliseconds(at: dt.datetime) -> dt.datetime:
    """Cut what is shorter than a millisecond."""
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def iso(at: dt.datetime) -> str:
    """Write an instant: in UTC, milliseconds only where there are any."""
    text = at.astimezone(dt.UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return f"{text.removesuffix('.000')}Z"


def read_instant(text: str) -> dt.datetime | None:
    """Read ISO 8601 with an offset, or milliseconds since 1970; None: it is neither."""
    try:
        if _MILLISECONDS.fullmatch(text):
            return _EPOCH + dt.timedelta(milliseconds=int(text))
        if _WITH_OFFSET.fullmatch(text):
            return to_milliseconds(dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC))
    except (ValueError, OverflowError):
        return None
    return None


def read_day(text: str) -> dt.date | None:
    """Read a day; None: it is none, or an instant that is not midnight in UTC."""
    try:
        if _DAY.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        return None
    at = read_instant(text)
    return at.date() if at is not None and at.time() == dt.time(0) else None


def milliseconds(text: str) -> int | None:
    """Read an instant, or a day as its midnight, in milliseconds since 1970; None: it is neither."""
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    at = read_instant(text)
    if at is None:
        day = read_day(text)
        if day is None:
            return None
        at = dt.datetime.combine(day, dt.time(0), dt.UTC)
    return (at - _EPOCH) // dt.timedelta(milliseconds=1)
