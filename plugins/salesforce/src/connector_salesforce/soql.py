"""SOQL and SOSL, built in one place.

Every value passes :func:`literal` or :func:`term`, every name is checked: nothing that users or records contain can change
what a query asks. Conditions and queries are types of their own, so that a text from elsewhere is no query to mypy.

Escapes and limits: developer.salesforce.com, SOQL and SOSL Reference, "Quoted String Escape Sequences", "Reserved
Characters", "SOQL and SOSL Limits" (a query has at most 100,000 characters, a literal 4,000).
"""

from __future__ import annotations

import datetime as dt
import functools
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NewType, TypeAlias

Soql = NewType("Soql", str)
Sosl = NewType("Sosl", str)
Condition = NewType("Condition", str)
Value: TypeAlias = str | bool | dt.datetime | dt.date | None

LONGEST_QUERY = 95_000
LONGEST_SEARCH = 9_000  # beyond 10,000 characters a search gives nothing; beyond 4,000 every operator is read as OR
LONGEST_LITERAL = 4_000
FEWEST = 10
"""A query for as many keys, or fewer, is small already."""

STANDARD = "FIELDS(STANDARD)"
"""In place of columns: all standard ones that the user may see."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z][A-Za-z0-9_]*)*")
_ESCAPES = str.maketrans(
    {"\\": r"\\", "'": r"\'", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\b": r"\b", "\f": r"\f"}
)
_NO_TEXT = re.compile("[\ud800-\udfff]")
_OPERATORS = frozenset({"AND", "OR", "NOT", "NEAR"})
_RESERVED = re.compile(r"([?&|!{}\[\]()^~*:\\\"'+\-])")


def askable(text: str, longest: int = 255) -> bool:
    """Tell whether a text can be asked for at all: what is longer than a field, or no text to UTF-8, is nowhere."""
    return len(text) <= longest and _NO_TEXT.search(text) is None


def literal(value: Value) -> str:
    """Write a value into a query.

    :raises ValueError: A text beyond 4,000 characters, or a time without offset: a bug of the caller.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            raise ValueError("a time without offset")
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return _quoted(value)


@functools.lru_cache(maxsize=8192)  # a number is looked for in each of its spellings, in a dozen fields
def _quoted(text: str) -> str:
    if not askable(text, LONGEST_LITERAL):
        raise ValueError("a text that no literal can hold")
    return f"'{text.translate(_ESCAPES)}'"


def name(text: str) -> str:
    """Check the name of an object, a field or a path of fields."""
    if text != STANDARD and not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name of an object or field")
    return text


def compare(column: str, operator: Literal["=", "<", "<=", ">", ">="], value: Value) -> Condition:
    """``column operator value``."""
    return Condition(f"{name(column)} {operator} {literal(value)}")


def within(column: str, values: Iterable[Value]) -> Condition:
    """``column IN (…)``.

    :raises ValueError: There is no value: SOQL has no empty list.
    """
    return within_any([column], values)[column]


def within_any(columns: Iterable[str], values: Iterable[Value]) -> dict[str, Condition]:
    """:func:`within` for several columns, each of which may hold the values."""
    listed = ",".join(map(literal, values))
    if not listed:
        raise ValueError("nothing to look for")
    return {column: Condition(f"{name(column)} IN ({listed})") for column in columns}


def related(column: str, reference: str, source: str, where: Condition) -> Condition:
    """``column IN (SELECT reference FROM source WHERE …)``: a semi-join, for the top of a query."""
    return Condition(f"{name(column)} IN ({_select([reference], source, [where])})")


def both(first: Condition, second: Condition) -> Condition:
    """Two conditions that must both hold, for use under :func:`any_of`."""
    return Condition(f"({first} AND {second})")


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Conditions of which one must hold."""
    listed = list(conditions)
    return listed[0] if len(listed) == 1 else Condition(f"({' OR '.join(listed)})")


@dataclass(frozen=True, slots=True)
class Child:
    """What to give of related records, and of which."""

    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()

    def text(self, relationship: str) -> str:
        """Write it for one relationship."""
        return f"({_select(self.columns, relationship, self.where)})"


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT.

    ``where``: what must all hold; a semi-join is taken only there, at the top. ``columns`` are needed; ``optional`` ones are
    left out where the user may not see them. ``either``: alternatives by their column, left out with it. ``children``:
    related records, by relationship. ``archived``: ask for old, archived activities too (``queryAll``). ``order``: the
    columns by which the rows come, the smallest first. ``limit``: the most rows to give. ``spare``: carried along for
    later; that it fails is no reason for the others to fail. ``smaller``: gives queries that ask the same in parts, for when
    Salesforce gives up on it whole.
    """

    object: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    optional: tuple[str, ...] = ()
    either: Mapping[str, Condition] = field(default_factory=dict)
    children: Mapping[str, Child] = field(default_factory=dict)
    archived: bool = False
    order: tuple[str, ...] = ()
    limit: int | None = None
    spare: bool = False
    smaller: Callable[[], list[Query]] | None = field(default=None, compare=False, repr=False)

    def seen(self, hidden: Collection[str]) -> list[str]:
        """Give the columns that are needed, and the optional ones that are not hidden."""
        return [name(it) for it in (*self.columns, *(it for it in self.optional if it not in hidden))]

    def text(self, hidden: Collection[str] = ()) -> Soql:
        """Write it, without the optional columns that are hidden."""
        conditions = list(self.where)
        if self.either:
            shown = (it for column, it in self.either.items() if column not in hidden or column in self.columns)
            conditions.append(any_of(shown))
        children = [child.text(relationship) for relationship, child in self.children.items()]
        order = f" ORDER BY {', '.join(map(name, self.order))}" if self.order else ""
        rows = f" LIMIT {self.limit:d}" if self.limit is not None else ""
        return Soql(_select(self.seen(hidden), self.object, conditions, children) + order + rows)


def _select(columns: Iterable[str], source: str, where: Sequence[Condition], children: Iterable[str] = ()) -> str:
    selected = ", ".join([*map(name, columns), *children])
    conditions = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {selected} FROM {name(source)}{conditions}"  # noqa: S608 - all parts are checked


def split(keys: Sequence[str], make: Callable[[Sequence[str]], Query]) -> list[tuple[Sequence[str], Query]]:
    """Make as few queries as the limit of length allows, each with the keys that it asks for."""
    if not keys:
        return []
    query = make(keys)
    parts = math.ceil(len(query.text()) / LONGEST_QUERY)
    if parts == 1 or len(keys) == 1:
        return [
            (keys, replace(query, smaller=functools.partial(_quarters, keys, make) if len(keys) > FEWEST else None))
        ]
    size = min(math.ceil(len(keys) / parts), len(keys) - 1)
    return [found for at in range(0, len(keys), size) for found in split(keys[at : at + size], make)]


def _quarters(keys: Sequence[str], make: Callable[[Sequence[str]], Query]) -> list[Query]:
    size = math.ceil(len(keys) / 4)
    return [query for at in range(0, len(keys), size) for _, query in split(keys[at : at + size], make)]


@dataclass(frozen=True, slots=True)
class Search:
    """A search for terms, joined. ``limit``: how many records of each object at most."""

    terms: Sequence[str]
    limit: int
    fields: Literal["PHONE", "NAME", "ALL"] = "PHONE"
    join: Literal["AND", "OR"] = "OR"


def term(text: str) -> str:
    """Write a text to search for: a word finds what begins with it, like a number with extension; all else is a phrase."""
    if text.isalnum() and text.upper() not in _OPERATORS:
        return f"{text}*"
    return '"' + _RESERVED.sub(r"\\\1", text) + '"'


def find(search: Search, returning: Iterable[tuple[Query, Collection[str]]]) -> Sosl:
    """Write a search.

    :param returning: What to give of each object: its query's columns, without the hidden ones.
    """
    objects = ", ".join(f"{name(it.object)}({', '.join(it.seen(hid))} LIMIT {search.limit:d})" for it, hid in returning)
    terms = f" {search.join} ".join(map(term, search.terms))
    return Sosl(f"FIND {{{terms}}} IN {search.fields} FIELDS RETURNING {objects}")
