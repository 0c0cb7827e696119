"""Times as HubSpot writes them: ISO 8601 in UTC, or milliseconds since 1970, which filters want."""

from __future__ import annotations

import datetime as dt

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def instant(text: str | None) -> dt.datetime | None:
    """Read a time; None where there is none."""
    if not text:
        return None
    try:
        if text.isdigit():
            return _EPOCH + dt.timedelta(milliseconds=int(text))
        at = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def written(at: dt.datetime) -> str:
    """Write a time for a property; what is shorter than a millisecond is cut."""
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(at: dt.datetime) -> str:
    """Write a time for a filter."""
    return str((at - _EPOCH) // dt.timedelta(milliseconds=1))
