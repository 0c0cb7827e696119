"""HubSpot's limits: those of the lowest plan to begin with, and what its answers say of this account's.

Most answers name the burst limit (``Max`` in ``Interval-Milliseconds``, ``Remaining``); those of searches do not, and those
to OAuth apps leave out the daily one (developers.hubspot.com, usage guidelines; so in recorded traffic).
"""

from __future__ import annotations

from collections.abc import Mapping

from connector_core.policy import RequestPolicy

LANES = {"general": 9.0, "search": 4.0, "associations": 10.0}
"""Requests a second, a little below the lowest plan's limits: 100 in 10 s, 5 searches a second, 100 associations in 10 s."""

MARGIN = 0.9
"""How much of a limit that is told is used: the window rolls, and answers overtake each other."""

_HEADER = "x-hubspot-ratelimit"
_LONGEST_WINDOW_SECONDS = 60.0


def hear(policy: RequestPolicy, lane: str, headers: Mapping[str, str]) -> None:
    """Correct the quota and the pace by the headers of an answer, their names in lower case.

    Associations have a limit of their own, and nothing says that the headers beside them speak of it: they slow that lane
    down, and never speed it up.
    """
    daily, left_today = _number(headers, "-daily"), _number(headers, "-daily-remaining")
    if daily and left_today is not None:
        policy.meter.told(limit=daily, used=max(0, daily - left_today))
    most, window_seconds = _number(headers, "-max"), (_number(headers, "-interval-milliseconds") or 0) / 1000
    if most and 0 < window_seconds <= _LONGEST_WINDOW_SECONDS:
        rate = MARGIN * most / window_seconds
        policy.pace.set_rate(lane, rate if lane == "general" else min(rate, LANES[lane]))
        if _number(headers, "-remaining") == 0:
            policy.pace.hold(lane, window_seconds)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(_HEADER + name, "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else None
