"""Days, and days with their time, as fields of the CRM take them.

A time is one of the connection's time zone, if it names no other, and given in UTC. A time that does not exist there,
because the clock was put forward, or that comes twice, is refused. A day alone, where a time is wanted, is its beginning.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

from connector_core.errors import ConfigurationError
from connector_core.filling.coercion.clock import take_time
from connector_core.filling.coercion.context import Coerced, Context, refused
from connector_core.filling.coercion.day import read_day
from connector_core.filling.coercion.plain import words

_LONGEST = 80
_AROUND = ' !?;:()[]"«»“”„'
_ISO = re.compile(r"\d{4}-\d\d-\d\d[t ]\d\d:?\d\d(:?\d\d([.,]\d{1,9})?)?( ?(z|[+-]\d\d(:?\d\d)?))?")


def as_day(text: str, context: Context) -> Coerced:
    """Read a day; of a time, the day that it is where the connection is."""
    read = _read(text, context, timed=False)
    if isinstance(read, dt.datetime):
        try:
            read = read.astimezone(_zone(context)).date() if read.tzinfo else read.date()
        except OverflowError:
            read = None
    return read.isoformat() if isinstance(read, dt.date) else refused(text, read or "is no day")


def as_moment(text: str, context: Context) -> Coerced:
    """Read a day and its time."""
    read = _read(text, context, timed=True)
    if isinstance(read, dt.date):
        try:
            read = _in_utc(read, _zone(context))
        except OverflowError:
            read = None
    if not isinstance(read, dt.datetime):
        return refused(text, read or "is no day with a time")
    return in_iso(read)


def in_iso(time: dt.datetime) -> str:
    """Write a time of UTC, in seconds."""
    return f"{time.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def _read(text: str, context: Context, *, timed: bool) -> dt.datetime | dt.date | str | None:
    """Read what was said: a naive time is one of the connection's time zone.

    :param timed: Whether it matters which time of the day it is.
    """
    line = words(text).strip(_AROUND) if len(text) <= _LONGEST else ""
    if _ISO.fullmatch(line):
        try:
            return dt.datetime.fromisoformat(f"{line[:10]}T{line[11:].replace(' ', '').upper()}")
        except ValueError:
            return None
    rest, time = take_time(line, context.regions)
    if timed and isinstance(time, str):
        return time
    day = read_day(rest, context.said_at.astimezone(_zone(context)).date(), context.regions)
    if not isinstance(time, dt.time) or not isinstance(day, dt.date):
        return "says no day" if time and day is None and not rest.strip() else day
    return dt.datetime.combine(day, time)


def _in_utc(read: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime | str:
    if not isinstance(read, dt.datetime):
        return dt.datetime.combine(read, dt.time(), zone).astimezone(dt.UTC)
    if read.tzinfo:
        return read.astimezone(dt.UTC)
    before, after = (read.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if before == after:
        return before
    if before.astimezone(zone).replace(tzinfo=None) == read:
        return f"comes twice in {zone.key}: the clock is put back over it"
    return f"does not exist in {zone.key}: the clock is put forward over it"


def _zone(context: Context) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(context.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(f"time_zone: {context.time_zone!r} is no time zone, like Europe/Paris") from error
