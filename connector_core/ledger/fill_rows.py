"""Rows of the filling's tables as values."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, TypeAlias

import sqlalchemy as sa

from connector_core.filling.outcomes import Outcome, Reason
from connector_core.filling.values import RawValue
from connector_core.ledger.schema_filling import filled
from connector_core.model import FieldValue

FieldKey: TypeAlias = tuple[str, str]
"""A template's id, and the key of one of its fields."""
Place: TypeAlias = tuple[str, str, str]
"""An object by the CRM's own name, a record's id, and a field's name."""

_JSON = ("value", "wanted", "previous")


@dataclass(frozen=True, slots=True)
class Filling:
    """What came of one field for one call: the columns of the table, values as they are.

    ``changed_at``: when the ledger kept it so; two that say the same are equal.
    """

    call_id: str
    template: str
    field: str
    target: str
    version: int
    day: str
    outcome: Outcome
    reason: Reason | None = None
    detail: str | None = None
    who: str | None = None
    value: RawValue | None = None
    passage: str | None = None
    confidence: float | None = None
    source: str | None = None
    content_hash: str | None = None
    wanted: FieldValue | None = None
    previous: FieldValue | None = None
    replaced: str | None = None
    object: str | None = None
    record_id: str | None = None
    approval: bool = False
    approved_by: str | None = None
    approved_at: dt.datetime | None = None
    run: str | None = None
    undo_by: str | None = None
    since: dt.datetime | None = None
    changed_at: dt.datetime | None = dataclasses.field(default=None, compare=False)

    @property
    def key(self) -> FieldKey:
        """The template and its field."""
        return self.template, self.field

    @property
    def in_doubt(self) -> bool:
        """Tell whether it was sent, and not answered."""
        return self.reason == "unknown_outcome" and self.run is not None

    @property
    def name(self) -> str:
        """The CRM's name of the field, as the template has it: in any case."""
        return self.target.rpartition(".")[2]

    def is_at(self, place: Place) -> bool:
        """Tell whether it goes to a place."""
        return self.record_id == place[1] and self.name.casefold() == place[2].casefold()

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            name: value.isoformat() if isinstance(value, dt.datetime) else value
            for name, value in asdict(self).items()
            if name not in ("content_hash", "replaced", "changed_at")
        }


@dataclass(frozen=True, slots=True)
class Filled:
    """What the connector wrote last into a field, from which call and in which run, and what stood there before."""

    place: Place
    value: FieldValue | None
    previous: FieldValue | None
    call_id: str
    call_started_at: dt.datetime
    run: str
    digest: str | None = None

    def wrote(self, value: FieldValue | None) -> bool:
        """Tell whether this is the value, of which only a digest is kept after a time."""
        return digest_of_value(value) == self.digest if self.digest else value == self.value

    def bare(self) -> Filled:
        """Give what is kept once the call is forgotten."""
        return self if self.digest else replace(self, value=None, previous=None, digest=digest_of_value(self.value))


def at_place(place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    """Say which row of ``filled`` is meant, of a connection."""
    return tuple(filled.c[name] == value for name, value in zip(("object", "record_id", "name"), place, strict=True))


def digest_of_value(value: FieldValue | None) -> str:
    """Give what tells two values apart, and says nothing of them."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


_NAMES = tuple(it.name for it in fields(Filling))


def read_filling(row: sa.Row[Any]) -> Filling:
    """Read a row of ``fillings``."""
    values = {name: getattr(row, name) for name in _NAMES}
    return Filling(**values | {name: json.loads(values[name]) if values[name] else None for name in _JSON})


def row_of_filling(connection: str, it: Filling, now: dt.datetime) -> dict[str, Any]:
    """Give the row of ``fillings``."""
    values = {name: getattr(it, name) for name in _NAMES}
    values |= {name: None if values[name] is None else json.dumps(values[name], ensure_ascii=False) for name in _JSON}
    return {"connection": connection, **values, "since": it.since or now, "changed_at": now}


def read_filled(row: sa.Row[Any]) -> Filled:
    """Read a row of ``filled``."""
    value, previous = (json.loads(text) if text else None for text in (row.value, row.previous))
    place = (row.object, row.record_id, row.name)
    return Filled(place, value, previous, row.call_id, row.call_started_at, row.run, row.digest)


def row_of_filled(connection: str, it: Filled, now: dt.datetime) -> dict[str, Any]:
    """Give the row of ``filled``."""
    value, previous = (None if it is None else json.dumps(it, ensure_ascii=False) for it in (it.value, it.previous))
    return {
        "connection": connection,
        **dict(zip(("object", "record_id", "name"), it.place, strict=True)),
        "value": value,
        "previous": previous,
        "digest": it.digest,
        "call_id": it.call_id,
        "call_started_at": it.call_started_at,
        "run": it.run,
        "at": now,
    }
