"""What a query says, before it is known whether there are such objects and fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

LiteralKind: TypeAlias = Literal["string", "number", "boolean", "null", "date", "datetime", "day_word"]


@dataclass(frozen=True, slots=True)
class Path:
    """A field, perhaps of a parent; ``at`` is its place in the query."""

    names: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Value:
    """A literal. ``text`` is unescaped, but for ``\\%`` and ``\\_``, which only LIKE tells from ``%`` and ``_``."""

    kind: LiteralKind
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    """``field operator value``; the values of IN are a tuple, or a query."""

    path: Path
    operator: str
    values: tuple[Value, ...] | Query


@dataclass(frozen=True, slots=True)
class Combine:
    """Conditions joined by AND or OR."""

    operator: Literal["AND", "OR"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negate:
    """NOT."""

    part: Condition


Condition: TypeAlias = Compare | Combine | Negate


@dataclass(frozen=True, slots=True)
class TypeOf:
    """``TYPEOF relationship WHEN object THEN fields … ELSE fields END``."""

    path: Path
    branches: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Count:
    """``COUNT()``, or ``COUNT(field)``."""

    path: Path | None


@dataclass(frozen=True, slots=True)
class Standard:
    """``FIELDS(STANDARD)``."""

    at: int


@dataclass(frozen=True, slots=True)
class Order:
    """One field of ORDER BY."""

    path: Path
    descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query, or one inside another; ``source`` is the object, or the relationship of a child query."""

    text: str
    select: tuple[Path | Query | TypeOf | Count | Standard, ...]
    source: str
    source_at: int
    where: Condition | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0
