"""Times of day as people write and say them: ``14:30``, ``14h30``, ``14.30 Uhr``, ``2:30 pm``.

``2:30`` is refused where hours are counted to twelve: nothing tells whether it is the night or the afternoon.
``02:30`` and ``12:30`` are taken for what a clock of 24 hours shows.
"""

from __future__ import annotations

import datetime as dt
import re

from connector_core.filling.coercion.almanac import NOON
from connector_core.filling.coercion.regions import clock_of_twelve

_TIME = re.compile(
    r"(?<![\d:.])(?P<hour>\d{1,2})(?!\d)"
    r"(?:(?P<mark>[:.]| ?(?:h|heures?|uhr|uur) ?)(?P<minute>\d\d)(?!\d)(?::(?P<second>\d\d)(?!\d))?)?"
    r"(?: ?(?P<half>[ap])\.?m\b\.?| ?(?P<word>h|hrs|heures?|uhr|uur|horas?)\b)?"
    r"(?: ?(?P<utc>utc|gmt|z)\b(?![+-]))?"
)
_NOON = re.compile(rf"\b(?:{'|'.join(NOON)})\b")


def take_time(text: str, regions: tuple[str, ...]) -> tuple[str, dt.time | str | None]:
    """Take the one time of day out of a text, aware where it is one of UTC.

    :param text: As :func:`.plain.words` gives it.
    :returns: The rest of the text; and the time, why it cannot be told, or None where there is none.
    """
    found = [it for it in _TIME.finditer(text) if it["mark"] not in (None, ".") or it["half"] or it["word"]]
    if not found and (noon := _NOON.search(text)):
        return _without(text, noon), dt.time(12)
    if len(found) != 1:
        return text, None
    rest = _without(text, found[0])
    try:
        return rest, _time(found[0], regions)
    except ValueError:
        return rest, "says no time of day"


def _time(it: re.Match[str], regions: tuple[str, ...]) -> dt.time | str:
    hour, minute, second = (int(it[part] or 0) for part in ("hour", "minute", "second"))
    zone = dt.UTC if it["utc"] else None
    if it["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if it["half"] == "p" else 0)
    elif it["mark"] == ":" and not it["word"] and len(it["hour"]) == 1 and hour and clock_of_twelve(regions):
        return "may be in the night or in the afternoon: write it like 14:30, or with am or pm"
    return dt.time(hour, minute, second, tzinfo=zone)


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
