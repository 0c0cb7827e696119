"""Which calls a template is for, said in one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector_core.filling.templates import Targeting
from connector_core.model import CallKind

_KINDS: Mapping[CallKind, str] = {"phone": "Phone calls", "meeting": "Meetings"}
_UNITS = ((3600, "hour"), (60, "minute"), (1, "second"))


def sentence(targeting: Targeting, titles: Mapping[str, str] | None = None) -> str:
    """Say all conditions: ``Phone calls of team Sales, tagged demo, inbound, by Aircall, of 5 minutes or more.``

    :param titles: What people call the call providers, by name; others are named as the targeting names them.
    """
    kinds = _KINDS[targeting.kinds[0]] if len(set(targeting.kinds)) == 1 else "Calls and meetings"
    titles = titles or {}
    teams = "team" if len(set(targeting.teams)) == 1 else "teams"
    conditions = [
        f"of {teams} {_any(targeting.teams)}" if targeting.teams else "",
        f"tagged {_any(targeting.tags)}" if targeting.tags else "",
        _any(targeting.directions),
        f"by {_any(titles.get(name, name) for name in targeting.providers)}" if targeting.providers else "",
        f"of {_length(targeting.shortest_seconds)} or more" if targeting.shortest_seconds else "",
    ]
    said = [it for it in conditions if it]
    if not said:
        return f"{kinds}." if kinds in _KINDS.values() else "All calls and meetings."
    mark = ", " if said[0] == _any(targeting.directions) else " "
    return f"{kinds}{mark}{', '.join(said)}."


def _any(names: Iterable[str]) -> str:
    *others, last = [*dict.fromkeys(names)] or [""]
    return f"{', '.join(others)} or {last}" if others else last


def _length(seconds: float) -> str:
    size, unit = next((it for it in _UNITS if seconds % it[0] == 0), (1, "second"))
    number = f"{seconds / size:,.10g}"
    return f"{number} {unit}" if number == "1" else f"{number} {unit}s"
