"""Does a cassette agree with itself? One that was made up by hand, or pieced together, seldom does."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connector_core.testing.cassettes.exchange import Answer, Asked, Exchange
from connector_core.testing.cassettes.form import read

_ID = re.compile(r"\d{4,20}|(?=(?:[A-Za-z]*\d){3})[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_NAME = re.compile(r"(?i:ids?)|.*(_ids?|[a-z]Ids?)")
_NO_RECORD = re.compile(r"(?i).*(type|trace|reference|correlation|external|session|client)_?ids?")
_QUOTED = re.compile(r"'([0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?)'")
_PLACES = re.compile(r"[/,?&=]")
_COMMANDS = frozenset("0123456")
"""Odoo's commands for a list of records stand where ids stand (documented at odoo.com, "ORM API", ``Command``)."""

_SALESFORCE = 15
"""An id of 18 characters is one of 15 with three that check it."""


def inconsistencies(path: Path, *, known: Collection[str] = ()) -> list[str]:
    """List what contradicts itself: ids that come from nowhere, sums and lists that do not agree.

    An id that a request names must stand in an earlier answer, or among the ids of the provenance.

    :param known: Further ids: those that a clause asks for because nothing has them.
    :raises CassetteError: The file cannot be read.
    """
    cassette = read(path)
    # An id may have a prefix of the connector's, as where the CRM counts each kind of record apart.
    seen = {
        _short(it) for name in (*cassette.provenance.ids.values(), *known) for it in (name, name.rpartition(":")[2])
    }
    found: list[str] = []
    for number, each in enumerate(cassette.exchanges, start=1):
        where = f"{path}: request {number}, {each.asked}"
        foreign = sorted({it for it in _used(each.asked) if _short(it) not in seen and it not in _COMMANDS})
        found += [f"{where}: id {it} stands in no earlier answer, and is not of the seed" for it in foreign]
        found += [f"{where}: {wrong}" for wrong in _miscounted(each)]
        seen |= {_short(it) for it in _told(each.answer)}
    return found


def _short(text: str) -> str:
    return text[:_SALESFORCE] if len(text) == _SALESFORCE + 3 and not text.isdigit() else text


# -- ids ---------------------------------------------------------------------------------------------------------------


def _used(asked: Asked) -> Iterator[str]:
    yield from _in_text(urlsplit(asked.url).path)
    for name, text in asked.query:
        yield from _named(name, text)
    match asked.body.kind:
        case "json":
            yield from _in_value("", asked.body.value)
        case "form":
            for name, text in asked.body.value:
                yield from _named(name, text)


def _in_value(name: str, value: Any) -> Iterator[str]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _in_value(key, item)
        case [str() as field, str(), str() | int() | list() as operand] if _NAME.fullmatch(field):
            yield from _in_value(field, operand)
        case list():
            for item in value:
                yield from _in_value(name, item)
        case bool():
            return
        case str() | int():
            yield from _named(name, value)


def _named(name: str, value: str | int) -> Iterator[str]:
    named = _NAME.fullmatch(name) is not None and not _NO_RECORD.fullmatch(name)
    if isinstance(value, int):
        if named:
            yield str(value)
        return
    if named and _ID.fullmatch(value):
        yield value
    yield from (it[1] for it in _QUOTED.finditer(value) if _ID.fullmatch(it[1]))
    if value.startswith("/"):
        yield from _in_text(value)


def _in_text(path: str) -> Iterator[str]:
    yield from (part for part in _PLACES.split(path) if _ID.fullmatch(part))


def _told(answer: Answer) -> Iterator[str]:
    """Give every value of an answer, and the parts of those that are paths."""
    values = [answer.body.value] if answer.body.kind == "json" else []
    while values:
        match values.pop():
            case dict() as mapping:
                values += [*mapping.keys(), *mapping.values()]
            case list() as items:
                values += items
            case str() as text:
                yield text
                yield from _PLACES.split(text)
                yield from re.split(r"[;\s'\"]+", text)
            case int() as number:
                yield str(number)


# -- sums --------------------------------------------------------------------------------------------------------------


def _miscounted(each: Exchange) -> Iterator[str]:
    asked, answered = each.asked.body.value, each.answer.body.value
    if isinstance(asked, dict):
        for wanted, got in (
            (asked.get("compositeRequest"), answered.get("compositeResponse") if isinstance(answered, dict) else None),
            (asked.get("records"), answered),
        ):
            if (
                isinstance(wanted, list)
                and isinstance(got, list)
                and each.answer.status < 300
                and len(wanted) != len(got)
            ):
                yield f"asked for {len(wanted)}, and {len(got)} are answered"
    later = "after" in (asked if isinstance(asked, dict) else {}) or any(
        name == "after" for name, _ in each.asked.query
    )
    followed = "/query/" in each.asked.url and not each.asked.query
    yield from _sums(answered, whole=not later and not followed)


def _sums(value: Any, *, whole: bool) -> Iterator[str]:
    match value:
        case dict():
            for total, items, cut in (
                ("totalSize", "records", value.get("done") is not True),
                ("total", "results", "paging" in value),
                ("numErrors", "errors", False),
            ):
                counted = value.get(items)
                if whole and total in value and isinstance(counted, list) and not cut and value[total] != len(counted):
                    yield f"{total} says {value[total]}, and there are {len(counted)} {items}"
            for item in value.values():
                yield from _sums(item, whole=whole)
        case list():
            for item in value:
                yield from _sums(item, whole=whole)
