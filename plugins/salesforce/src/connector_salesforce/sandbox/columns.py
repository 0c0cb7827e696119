"""The conditions of a query over the organization: fields that are there, values that fit them, rows that they hold for."""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, column_fault, query_fault
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.schema import NAME, Field, ObjectType
from connector_salesforce.sandbox.store import Row, Store, fold, time_text
from connector_salesforce.sandbox.syntax import Combine, Compare, Condition, Negate, Path, Query, Value
from connector_salesforce.sandbox.values import read_instant

Getter: TypeAlias = Callable[[Row], Any]
Test: TypeAlias = Callable[[Row], bool]
SemiJoin: TypeAlias = Callable[[Query], Iterable[Any]]

_MAX_LEVELS = 5
_NUMBERS = ("int", "double", "currency", "percent")
_ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A field that a query names: how to read it from a row; ``own`` names it where it is one of the row's own."""

    field: Field
    get: Getter
    own: str | None


def resolve(store: Store, org: Org, obj: ObjectType, path: Path, text: str) -> Column:
    """Find the field that a path leads to.

    :raises ServiceError: There is none, or the user may not see it.
    """
    names = path.names[1:] if len(path.names) > 1 and path.names[0].lower() == obj.name.lower() else path.names
    if len(names) > _MAX_LEVELS + 1:
        raise query_fault("MALFORMED_QUERY", text, path.at, f"only {_MAX_LEVELS} levels of relationships are supported")
    keys: list[str] = []
    entity = obj
    for name in names[:-1]:
        reference = parent_field(org, entity, name, path, text)
        keys.append(reference.name)
        entity = parent_type(org, reference)
    field = entity.fields.get(names[-1].lower())
    if names[-1].lower() in entity.not_modelled:
        raise NotSpokenError(f"the field {entity.name}.{names[-1]}")
    if field is None or field.type == "junctionIdList":
        raise column_fault(text, path.at, names[-1], entity.name)
    own = None if keys else field.name
    return Column(field, _getter(store, keys, field, named=entity is NAME), own)


def parent_field(org: Org, obj: ObjectType, name: str, path: Path, text: str) -> Field:
    """Find the reference behind the name of a relationship.

    :raises ServiceError: There is none, or the user may not see it.
    """
    reference = obj.parents.get(name.lower())
    if reference is None or (not reference.polymorphic and org.visible(reference.targets[0]) is None):
        message = (
            f"Didn't understand relationship '{name}' in field path. If you are attempting to use a custom relationship, "
            "be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
            "call for the appropriate names."
        )
        raise query_fault("INVALID_FIELD", text, path.at, message)
    return reference


def parent_type(org: Org, reference: Field) -> ObjectType:
    """Give the object behind a reference: ``Name`` where it may be of several."""
    if reference.polymorphic:
        return NAME
    return org.visible(reference.targets[0]) or org.full(reference.targets[0])


def name_value(store: Store, row: Row, name: str) -> Any:
    """Read what a ``Name`` has from the record that it stands for."""
    return store.object_of(row["Id"]) if name == "Type" else row.get(name)


def _getter(store: Store, keys: Sequence[str], field: Field, *, named: bool) -> Getter:
    name = field.name
    if not keys:
        return lambda row: row.get(name)

    def get(row: Row) -> Any:
        parent: Row | None = row
        for key in keys:
            parent = store.live(parent[key]) if parent is not None else None
        if parent is None:
            return None
        return name_value(store, parent, name) if named else parent.get(name)

    return get


class Conditions:
    """The conditions of one query: tests for a row, and rows to test, by an index where there is one."""

    def __init__(self, store: Store, org: Org, obj: ObjectType, text: str, semi_join: SemiJoin) -> None:
        self._store, self._org, self._obj, self._text = store, org, obj, text
        self._semi_join = semi_join
        self._values: dict[int, frozenset[Any]] = {}

    def test(self, condition: Condition) -> Test:
        """Make the test of a condition.

        :raises ServiceError: The service would refuse it.
        """
        if isinstance(condition, Combine):
            if condition.operator == "OR":
                self._refuse_semi_joins(condition.parts, "Semi join sub-selects are not allowed with the 'OR' operator")
            tests = [self.test(part) for part in condition.parts]
            if condition.operator == "AND":
                return lambda row: all(test(row) for test in tests)
            return lambda row: any(test(row) for test in tests)
        if isinstance(condition, Negate):
            self._refuse_semi_joins([condition.part], "Semi join sub-selects are not allowed with the 'NOT' operator")
            negated = self.test(condition.part)
            return lambda row: not negated(row)
        return self._compare(condition)

    def candidates(self, condition: Condition) -> Iterable[Row] | None:
        """Give rows of which those that the condition holds for are some; None for all. Ask after :meth:`test`."""
        if isinstance(condition, Combine):
            found = [self.candidates(part) for part in condition.parts]
            if condition.operator == "AND":
                return next((rows for rows in found if rows is not None), None)
            if any(rows is None for rows in found):
                return None
            return {row["Id"]: row for rows in found for row in rows or ()}.values()
        values = self._values.get(id(condition))
        if values is None or not isinstance(condition, Compare):
            return None
        name = self._column(condition.path).field.name
        return [row for value in values for row in self._store.having(self._obj.name, name, value)]

    def _refuse_semi_joins(self, parts: Sequence[Condition], message: str) -> None:
        inner = next((query for part in parts for query in semi_joins(part)), None)
        if inner is not None:
            raise query_fault("MALFORMED_QUERY", self._text, inner.source_at, message)

    def _column(self, path: Path) -> Column:
        return resolve(self._store, self._org, self._obj, path, self._text)

    def _compare(self, condition: Compare) -> Test:
        column = self._column(condition.path)
        field, get, sign = column.field, column.get, condition.operator
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise query_fault("INVALID_FIELD", self._text, condition.path.at, message)
        if isinstance(condition.values, Query):
            inner = frozenset(fold(value) for value in self._semi_join(condition.values) if value is not None)
            return self._membership(condition, column, inner)
        if sign == "LIKE":
            return self._like(column, condition.values[0])
        word = next((value for value in condition.values if value.kind == "day_word"), None)
        if word is not None:
            return self._day(column, sign, word)
        values = [self._literal(field, value) for value in condition.values]
        if sign in ("=", "!=", "IN", "NOT IN"):
            return self._membership(condition, column, frozenset(fold(value) for value in values))
        if field.type == "boolean":
            message = "invalid operator on boolean field"
            raise query_fault("INVALID_QUERY_FILTER_OPERATOR", self._text, condition.path.at, message)
        compare, bound = _ORDERED[sign], fold(values[0])
        return lambda row: bound is not None and (value := fold(get(row))) is not None and compare(value, bound)

    def _membership(self, condition: Compare, column: Column, values: frozenset[Any]) -> Test:
        get = column.get
        if condition.operator in ("!=", "NOT IN"):
            return lambda row: fold(get(row)) not in values
        if column.own is not None:
            self._values[id(condition)] = values
        return lambda row: fold(get(row)) in values

    def _like(self, column: Column, value: Value) -> Test:
        if column.field.type in ("id", "reference", "boolean", "date", "datetime", *_NUMBERS):
            message = f"invalid operator on {column.field.type} field"
            raise query_fault("INVALID_QUERY_FILTER_OPERATOR", self._text, value.at, message)
        if value.kind != "string":
            raise self._mistyped(column.field, value)
        pattern = _pattern(value.text)
        get = column.get
        return lambda row: bool((text := get(row)) is not None and pattern.fullmatch(str(text)))

    def _day(self, column: Column, sign: str, word: Value) -> Test:
        if column.field.type not in ("date", "datetime") or sign in ("IN", "NOT IN"):
            raise self._mistyped(column.field, word)
        zone = self._org.time_zone
        day = dt.datetime.now(zone).date() + dt.timedelta(days={"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}[word.text])
        start, end = day.isoformat(), (day + dt.timedelta(days=1)).isoformat()
        if column.field.type == "datetime":
            start, end = (
                time_text(dt.datetime.combine(item, dt.time(), zone)) for item in (day, day + dt.timedelta(days=1))
            )
        tests: Mapping[str, Callable[[str], bool]] = {
            "=": lambda value: start <= value < end,
            "!=": lambda value: not start <= value < end,
            "<": lambda value: value < start,
            "<=": lambda value: value < end,
            ">": lambda value: value >= end,
            ">=": lambda value: value >= start,
        }
        get, test = column.get, tests[sign]
        return lambda row: (value := get(row)) is not None and test(value)

    def _literal(self, field: Field, value: Value) -> Any:
        """Read a literal for a field; text that is empty compares as null."""
        if value.kind == "null" and field.type != "boolean":
            return None
        if field.type in ("id", "reference"):
            if value.kind != "string":
                raise self._mistyped(field, value)
            return self._id(value)
        wanted = "number" if field.type in _NUMBERS else field.type
        if wanted not in ("number", "boolean", "date", "datetime"):
            wanted = "string"
        if value.kind != wanted:
            raise self._mistyped(field, value)
        if wanted == "number":
            return float(value.text)
        if wanted == "boolean":
            return value.text == "true"
        if wanted == "datetime":
            return time_text(self._instant(value))
        if wanted == "date":
            return value.text
        return re.sub(r"\\([%_])", r"\1", value.text) or None

    def _instant(self, value: Value) -> dt.datetime:
        moment = read_instant(value.text)
        if moment is None:
            raise query_fault("MALFORMED_QUERY", self._text, value.at, f"Invalid dateTime: {value.text}")
        return moment

    def _id(self, value: Value) -> str | None:
        record_id = full_id(value.text)
        if record_id is None and value.text:
            raise query_fault("INVALID_QUERY_FILTER_OPERATOR", self._text, value.at, f"invalid ID field: {value.text}")
        return record_id

    def _mistyped(self, field: Field, value: Value) -> ServiceError:
        kinds = {"datetime": "dateTime", "id": "ID", "reference": "ID", "boolean": "boolean", "date": "date"}
        kind = kinds.get(field.type) or (field.type if field.type in _NUMBERS else "string")
        quoted = "should be enclosed in quotes" if kind in ("string", "ID") else "should not be enclosed in quotes"
        message = f"value of filter criterion for field '{field.name}' must be of type {kind} and {quoted}"
        return query_fault("INVALID_FIELD", self._text, value.at, message)


def semi_joins(condition: Condition | None) -> Iterator[Query]:
    """Give the queries that conditions compare with."""
    if isinstance(condition, Combine):
        for part in condition.parts:
            yield from semi_joins(part)
    elif isinstance(condition, Negate):
        yield from semi_joins(condition.part)
    elif isinstance(condition, Compare) and isinstance(condition.values, Query):
        yield condition.values


def _pattern(text: str) -> re.Pattern[str]:
    """Read the pattern of LIKE: ``%`` stands for any text, ``_`` for one character, and neither behind a backslash."""
    wild = {"%": ".*", "_": ".", "\\%": "%", "\\_": "_"}
    parts = (wild.get(part) or re.escape(part) for part in re.split(r"(\\[%_]|[%_])", text))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)
