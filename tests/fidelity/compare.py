"""Whether two answers say the same, but for what no two answers share: ids, instants, and the numbers of an organization."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Difference = tuple[str, str, str]
"""``lacks``, ``adds``, ``lacks row``, ``adds row`` or ``has``; where; what."""

_CHANCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+0000)|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ADDRESSES = frozenset({"url", "link", "location", "describe", "sobject", "rowTemplate"})
_OWN = frozenset({"total", "totalSize", "count", "expr0", "after", "hs_object_source_id"})
"""What is the recorded organization's own: how much it holds, where its pages end, which app it is asked by."""
_IDS = frozenset({"id", "Id", "hs_object_id", "hs_all_contact_vids", "toObjectId", "fromObjectId"})
_LATER = frozenset({"url"})
"""What answers have that are younger than the recorded exchanges: the recorded bodies show it."""
_NAMES = ("name", "childSObject", "field", "value")
_FEW = 3


@dataclass
class Comparison:
    """Compares recorded values with ours. ``ids`` maps recorded ids to ours, and grows with what answers tell."""

    ids: dict[str, str]
    values: bool = True
    """False: the values are the recorded organization's own, and only names and types are compared."""

    def translate(self, value: Any) -> Any:
        """Put our ids in the place of the recorded ones."""
        if isinstance(value, dict):
            return {key: self.translate(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.translate(item) for item in value]
        if isinstance(value, str) and self.ids:
            known = "|".join(map(re.escape, self.ids))
            return re.sub(rf"(?<!\w)(?:{known})(?!\w)", lambda match: self.ids[match[0]], value)
        if type(value) is int and str(value) in self.ids:
            return int(self.ids[str(value)])
        return value

    def differences(self, recorded: Any, ours: Any, where: str = "", name: str = "") -> Iterator[Difference]:
        """Tell how ours differs from what was recorded.

        The rows of a list are paired by their names, else each with the one most like it: their order is not compared.
        """
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for key in sorted(recorded.keys() - ours.keys()):
                yield "lacks", where, key
            for key in sorted(ours.keys() - recorded.keys() - _LATER):
                yield "adds", where, key
            for key in [key for key in recorded if key in ours]:
                yield from self.differences(recorded[key], ours[key], f"{where}.{key}".lstrip("."), key)
        elif isinstance(recorded, list) and isinstance(ours, list):
            yield from self._rows(recorded, ours, f"{where}[]", name)
        elif not self.values and (recorded is None or ours is None):
            return
        elif type(recorded) is not type(ours):
            yield "has", where, f"{_type(ours)} for {_type(recorded)}"
        elif self.values and recorded != ours and not self._alike(name, recorded, ours):
            yield "has", where, "another value"

    def _rows(self, recorded: list[Any], ours: list[Any], where: str, name: str) -> Iterator[Difference]:
        rest = list(ours)
        for item in recorded:
            found = self._like(item, rest, name)
            if found is not None:
                rest.remove(found)
                yield from self.differences(item, found, where, name)
            elif self.values:
                yield "lacks row", where, _row(item)
        for item in rest if self.values else ():
            yield "adds row", where, _row(item)

    def _like(self, item: Any, rest: Sequence[Any], name: str) -> Any:
        if not isinstance(item, dict):
            return next((other for other in rest if other == self.translate(item)), None)
        if _named(item):
            return next((other for other in rest if _named(other) == _named(item)), None)
        best: tuple[int, Any] | None = None
        for other in rest:
            trial = Comparison(dict(self.ids), self.values)
            number = sum(1 for _ in trial.differences(item, other, "", name))
            if best is None or number < best[0]:
                best = (number, other)
            if number == 0:
                break
        return best[1] if best else None

    def _alike(self, name: str, recorded: Any, ours: Any) -> bool:
        if name in _OWN or name in _ADDRESSES or self.translate(recorded) == ours:
            return True
        if name in _IDS and str(recorded) not in self.ids:
            self.ids[str(recorded)] = str(ours)
            return True
        both = isinstance(recorded, str) and isinstance(ours, str)
        return both and bool(_CHANCE.fullmatch(recorded) and _CHANCE.fullmatch(ours))


def told(differences: Sequence[Difference]) -> list[str]:
    """Put differences into words, those of a kind and place together."""
    groups: Mapping[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for kind, where, what in differences:
        if kind == "has":
            groups[kind, what][where] = None
        else:
            groups[kind, where][what] = None
    lines = []
    for (kind, where), names in groups.items():
        few = ", ".join(list(names)[:_FEW]) + (f" and {len(names) - _FEW} more" if len(names) > _FEW else "")
        lines.append(f"{where} in {few}" if kind == "has" else f"{kind} {few}" + (f" in {where}" if where else ""))
    return lines


def _row(item: Any) -> str:
    name = _named(item) if isinstance(item, dict) else (item,)
    return ".".join(map(str, name)) if name else "of no name"


def _named(item: Any) -> tuple[Any, ...] | None:
    return tuple(item[name] for name in _NAMES if name in item) if isinstance(item, dict) else None


def _type(value: Any) -> str:
    return {"NoneType": "null", "str": "text", "dict": "object", "int": "number"}.get(
        type(value).__name__, type(value).__name__
    )
