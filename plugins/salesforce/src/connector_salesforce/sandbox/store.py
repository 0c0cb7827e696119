"""The records: rows by id, never changed in place, with an index of any field on demand."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connector_salesforce.sandbox.ids import make_id
from connector_salesforce.sandbox.schema import OBJECTS

Row: TypeAlias = Mapping[str, Any]
Index: TypeAlias = dict[Any, dict[str, Row]]

_FIRST_NUMBER = 62**4  # four digits in use from the start, as in an organization that is not new


def fold(value: Any) -> Any:
    """Give what compares equal: text without regard to case, as the service compares it."""
    return value.lower() if isinstance(value, str) else value


def now_text() -> str:
    """Give the present as the service writes it."""
    return time_text(dt.datetime.now(dt.UTC))


def time_text(value: dt.datetime) -> str:
    """Write an instant as the service does: UTC, to the second, ``2026-03-02T09:00:00.000+0000``."""
    return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def read_time(text: str) -> dt.datetime:
    """Read an instant that the service wrote."""
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


@dataclass(slots=True)
class _Table:
    rows: dict[str, Row] = field(default_factory=dict)
    indexes: dict[tuple[str, str], Index] = field(default_factory=dict)


class Store:
    """Every record of the organization. The rows that it hands out are read only: a change puts a new row."""

    def __init__(self) -> None:
        self._tables = {name: _Table() for name, obj in OBJECTS.items() if obj.view_of is None}
        self._by_prefix = {obj.prefix: name for name, obj in OBJECTS.items() if obj.view_of is None}
        self._number = _FIRST_NUMBER
        self._written: dict[str, float] = {}

    def names(self) -> Iterable[str]:
        """Name the objects that hold records of their own."""
        return self._tables

    def new_id(self, obj: str) -> str:
        """Give the next id of an object; the numbers grow over all objects."""
        self._number += 1
        return make_id(OBJECTS[obj].prefix, self._number)

    def object_of(self, record_id: str) -> str | None:
        """Name the object that an id is of, whether or not there is such a record."""
        return self._by_prefix.get(record_id[:3])

    def get(self, record_id: str | None) -> Row | None:
        """Find a record, deleted ones too."""
        name = self.object_of(record_id) if record_id else None
        return self._tables[name].rows.get(record_id) if name and record_id else None

    def live(self, record_id: str | None) -> Row | None:
        """Find a record that is not deleted."""
        row = self.get(record_id)
        return None if row is None or row["IsDeleted"] else row

    def put(self, obj: str, row: Row) -> None:
        """Hold a row, in place of the one with its id."""
        table, record_id = self._tables[obj], row["Id"]
        for (seen_as, name), index in table.indexes.items():
            old = table.rows.get(record_id)
            if old is not None:
                index.get(fold(old.get(name)), {}).pop(record_id, None)
            if _in_view(seen_as, row):
                index.setdefault(fold(row.get(name)), {})[record_id] = _view(seen_as, row)
        table.rows[record_id] = row
        self._written[row["Id"]] = time.monotonic()

    def rows(self, obj: str) -> Iterable[Row]:
        """Give the rows of an object in the order in which they came, deleted ones too."""
        view = OBJECTS[obj].view_of
        rows = self._tables[view or obj].rows.values()
        return [_view(obj, row) for row in rows if _in_view(obj, row)] if view else rows

    def live_rows(self, obj: str) -> list[Row]:
        """Give the rows of an object that are not deleted."""
        return [row for row in self.rows(obj) if not row["IsDeleted"]]

    def having(self, obj: str, name: str, value: Any) -> Collection[Row]:
        """Find the rows with a folded value in a field, deleted ones too; by an index, made when it is first asked for."""
        indexes = self._tables[OBJECTS[obj].view_of or obj].indexes
        index = indexes.get((obj, name))
        if index is None:
            index = indexes[obj, name] = {}
            for row in self.rows(obj):
                index.setdefault(fold(row.get(name)), {})[row["Id"]] = row
        return index.get(value, {}).values()

    def where(self, obj: str, name: str, value: Any) -> list[Row]:
        """Find the rows with a value in a field that are not deleted, in the order of their ids."""
        rows = (row for row in self.having(obj, name, fold(value)) if not row["IsDeleted"])
        return sorted(rows, key=lambda row: str(row["Id"]))

    def settled(self, record_id: str, lag_seconds: float) -> bool:
        """Tell whether the search index has caught up with a record."""
        return time.monotonic() - self._written.get(record_id, 0.0) >= lag_seconds

    def settle(self) -> None:
        """Let the search index catch up with all that is held."""
        self._written.clear()

    def checkpoint(self) -> Mapping[str, dict[str, Row]]:
        """Note the present state, for :meth:`rollback`; cheap, because rows never change."""
        return {name: dict(table.rows) for name, table in self._tables.items()}

    def rollback(self, checkpoint: Mapping[str, dict[str, Row]]) -> None:
        """Return to a state noted before. Ids that were given out since are not given again, as in the service."""
        for name, rows in checkpoint.items():
            self._tables[name].rows = dict(rows)
            self._tables[name].indexes.clear()


def _in_view(obj: str, row: Row) -> bool:
    """Tell whether an object shows a row: the relations to people leave out what an activity is about, and users."""
    if OBJECTS[obj].view_of is None or obj == "ContentDocument":
        return True
    return not row["IsWhat"] and row["RelationId"][:3] in ("003", "00Q")


def _view(obj: str, row: Row) -> Row:
    return {**row, "FileType": "SNOTE"} if obj == "ContentDocument" else row
