"""What became different between two recordings of one clause: of form, not of values that differ each time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

from connector_core.testing.cassettes.exchange import Answer, Asked, Cassette
from connector_core.testing.cassettes.form import read

Change: TypeAlias = Literal["request", "status", "field gone", "type changed", "value lost", "header changed"]
_COUNTING = re.compile(r".*ratelimit.*|sforce-limit-info|etag|retry-after")
"""Headers whose values differ each time; that they are there is what counts."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what changed, in which request, where, and how."""

    change: Change
    request: str
    place: str
    old: str = ""
    new: str = ""

    def __str__(self) -> str:
        """Tell it on a line."""
        how = f": {self.old or 'nothing'} became {self.new or 'nothing'}" if self.old or self.new else ""
        return f"{self.request}: {self.change}: {self.place}{how}"


@dataclass(slots=True)
class _Seen:
    """What stands at one place, in all items of a list together."""

    types: set[str] = field(default_factory=set)
    filled: bool = False


def drift(old: Path, new: Path) -> list[Difference]:
    """Compare two recordings: what the new one lacks or has otherwise; what was added is no drift.

    Requests are paired by method and path, records by their ids in the world, other items of lists of one length by their
    place, and of others all together.

    :raises CassetteError: One cannot be read.
    """
    before, after = read(old), read(new)
    names_before, names_after = _names(before), _names(after)
    requests = [_request(each.asked, names_before) for each in before.exchanges]
    now = [_request(each.asked, names_after) for each in after.exchanges]
    found: list[Difference] = []
    for step, start, end, there, till in difflib.SequenceMatcher(None, requests, now, autojunk=False).get_opcodes():
        if step == "equal":
            for one, other in zip(range(start, end), range(there, till), strict=True):
                answers = before.exchanges[one].answer, after.exchanges[other].answer
                found += _compared(requests[one], *answers, names_before, names_after)
            continue
        gone, come = ", ".join(requests[start:end]), ", ".join(now[there:till])
        found.append(Difference("request", requests[start] if start < end else come, "requests", gone, come))
    return found


def _names(cassette: Cassette) -> Mapping[str, str]:
    return {there: here for here, there in cassette.provenance.ids.items()}


def _request(asked: Asked, names: Mapping[str, str]) -> str:
    path = "/".join(names.get(unquote(part), part) for part in urlsplit(asked.url).path.split("/"))
    return f"{asked.method} {path}"


def _compared(
    request: str, old: Answer, new: Answer, names_old: Mapping[str, str], names_new: Mapping[str, str]
) -> Iterator[Difference]:
    if old.status != new.status:
        yield Difference("status", request, "status", str(old.status), str(new.status))
        return
    for name in sorted(old.headers):
        one, other = old.headers[name], new.headers.get(name, "")
        if not other or (one != other and not _COUNTING.fullmatch(name)):
            yield Difference("header changed", request, name, one, other)
    if old.body.kind != new.body.kind:
        yield Difference("type changed", request, "body", old.body.kind, new.body.kind)
    elif old.body.kind == "json":
        yield from _in_value(request, "", _Value(old.body.value, names_old), _Value(new.body.value, names_new))


@dataclass(frozen=True, slots=True)
class _Value:
    value: Any
    names: Mapping[str, str]

    def inner(self, value: Any) -> _Value:
        return _Value(value, self.names)

    def label(self) -> str | None:
        """Give the world id of a record."""
        if not isinstance(self.value, dict):
            return None
        return self.names.get(str(self.value.get("id", self.value.get("Id", ""))))


def _in_value(request: str, place: str, old: _Value, new: _Value) -> Iterator[Difference]:
    match old.value, new.value:
        case dict() as one, dict() as other:
            for name, value in one.items():
                where = f"{place}.{name}" if place else str(name)
                if name in other:
                    yield from _in_value(request, where, old.inner(value), new.inner(other[name]))
                elif not _names_a_record(old.names, name):
                    yield Difference("field gone", request, where)
        case list(), list():
            yield from _in_lists(request, place, old, new)
        case False, other if not isinstance(other, bool):
            return  # Odoo's way to say empty
        case one, other if _filled(one) and (not _filled(other) or (other is False and not isinstance(one, bool))):
            yield Difference("value lost", request, place, _type(one), _type(other))
        case one, other if _filled(one) and _type(one) != _type(other):
            yield Difference("type changed", request, place, _type(one), _type(other))


def _names_a_record(names: Mapping[str, str], name: str) -> bool:
    """Tell whether the name of a field is an id, as where answers are keyed by them; such keys differ each time."""
    return name in names


def _in_lists(request: str, place: str, old: _Value, new: _Value) -> Iterator[Difference]:
    one, other = [old.inner(it) for it in old.value], [new.inner(it) for it in new.value]
    if one and not other:
        yield Difference("value lost", request, place or "body", f"list of {len(one)}", "empty list")
        return
    labelled = {label: it for it in other if (label := it.label())}
    pairs = [(label, it, labelled[label]) for it in one if (label := it.label()) in labelled and label]
    for label, left, right in pairs:
        yield from _in_value(request, f"{place}[{label}]", left, right)
    paired = {label for label, _, _ in pairs}
    one, other = ([it for it in items if it.label() not in paired] for items in (one, other))
    if len(one) == len(other):
        for index, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from _in_value(request, f"{place}[{index}]", left, right)
    else:
        yield from _together(request, f"{place}[]", one, other)


def _together(request: str, place: str, one: list[_Value], other: list[_Value]) -> Iterator[Difference]:
    """Compare lists of different lengths: what stands in any item of one, and in none of the other."""
    if not other:
        yield Difference("value lost", request, place, f"{len(one)} more", "none")
        return
    old, new = _shape(one), _shape(other)
    for where, seen in old.items():
        there = new.get(where)
        if there is None:
            if (where.rpartition(".")[0] or "") in new or "." not in where:
                yield Difference("field gone", request, f"{place}{where}")
        elif seen.filled and not there.filled:
            yield Difference("value lost", request, f"{place}{where}", ", ".join(sorted(seen.types)), "empty")
        elif seen.filled and not seen.types & there.types:
            types = ", ".join(sorted(seen.types)), ", ".join(sorted(there.types))
            yield Difference("type changed", request, f"{place}{where}", *types)


def _shape(items: list[_Value]) -> dict[str, _Seen]:
    shape: dict[str, _Seen] = {}
    todo = [("", it.value) for it in items]
    while todo:
        place, value = todo.pop(0)
        seen = shape.setdefault(place, _Seen())
        seen.filled |= _filled(value)
        if _filled(value):
            seen.types.add(_type(value))
        if isinstance(value, dict):
            todo += [(f"{place}.{name}", item) for name, item in value.items()]
        elif isinstance(value, list):
            todo += [(f"{place}[]", item) for item in value]
    return shape


def _filled(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
        case _:
            return "object"
