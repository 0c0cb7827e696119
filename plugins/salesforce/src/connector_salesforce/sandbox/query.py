"""Queries over the organization: which rows, in which order, and how they are answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_salesforce.sandbox.columns import (
    Conditions,
    name_value,
    parent_field,
    parent_type,
    resolve,
    semi_joins,
)
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, query_fault, type_fault
from connector_salesforce.sandbox.files import check_links, shown
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.schema import NAME, NOT_MODELLED, ObjectType, child_relationships
from connector_salesforce.sandbox.soql import parse
from connector_salesforce.sandbox.store import Row, Store, fold
from connector_salesforce.sandbox.syntax import Count, Order, Path, Query, Standard, TypeOf

_MAX_OFFSET = 2_000
_MAX_CHILDREN = 2_000
_MAX_SEMI_JOINS = 2


@dataclass(slots=True)
class Plan:
    """What of a record is answered, in order: fields, parents, children, and parents by their type."""

    obj: ObjectType
    fields: list[str] = field(default_factory=list)
    parents: dict[str, tuple[str, Plan]] = field(default_factory=dict)
    children: dict[str, tuple[Query, ObjectType, str, Plan]] = field(default_factory=dict)
    typed: dict[str, tuple[str, Mapping[str, Plan], Plan | None]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    all_rows: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """The answer of a query; ``total`` is its size, which a count has without records."""

    total: int
    records: Sequence[dict[str, Any]]


class Queries:
    """Answers queries as the connection's user sees the organization."""

    def __init__(self, store: Store, org: Org, version: str, user_id: str) -> None:
        self._store, self._org, self._version, self._user_id = store, org, version, user_id

    def run(self, soql: str, *, all_rows: bool = False) -> Result:
        """Answer a query; ``all_rows`` with deleted ones and archived activities, in child queries too.

        :raises ServiceError: The service would refuse it.
        :raises NotSpokenError: The service may know it.
        """
        query = parse(soql)
        obj = self.object(query)
        counts = [item for item in query.select if isinstance(item, Count)]
        if counts:
            return self._count(query, obj, counts, all_rows=all_rows)
        plan = self._plan(query, obj)
        plan.all_rows = all_rows
        rows = self.rows(query, obj, all_rows=all_rows)
        return Result(len(rows), [self.render(plan, row) for row in rows])

    def object(self, query: Query) -> ObjectType:
        """Find the object that a query is of.

        :raises ServiceError: There is none, or the user may not read it.
        """
        obj = self._org.visible(query.source)
        if obj is None:
            if query.source.lower() in NOT_MODELLED:
                raise NotSpokenError(f"the object {query.source}")
            raise type_fault(query.text, query.source_at, query.source)
        return obj

    def rows(
        self, query: Query, obj: ObjectType, *, among: Iterable[Row] | None = None, all_rows: bool = False
    ) -> list[Row]:
        """Find the rows of a query, in its order, else in that of their ids; ``among`` some rows, else all.

        Rows that are equal in the query's order come in one that nobody would expect, as the service promises none.
        """
        found = self._matching(query, obj, among)
        if obj.name in ("ContentNote", "ContentDocument") and among is None:
            found = shown(self._store, self._user_id, found, query.where)
        rows = sorted(found, key=lambda row: str(row["Id"]), reverse=bool(query.order))
        if not all_rows:
            rows = [row for row in rows if not row["IsDeleted"] and not row.get("IsArchived")]
        for order in reversed(query.order):
            self._sort(rows, order, obj, query.text)
        if query.offset > _MAX_OFFSET:
            raise ServiceError("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {_MAX_OFFSET}")
        end = None if query.limit is None else query.offset + query.limit
        return rows[query.offset : end]

    def render(self, plan: Plan, row: Row) -> dict[str, Any]:
        """Answer one record."""
        record: dict[str, Any] = {"attributes": self.attributes(plan.obj, row)}
        named = plan.obj is NAME
        for name in plan.order:
            if name in plan.parents:
                key, parent_plan = plan.parents[name]
                parent = self._store.live(row[key])
                record[name] = None if parent is None else self.render(parent_plan, parent)
            elif name in plan.children:
                record[name] = self._children(plan, name, row)
            elif name in plan.typed:
                record[name] = self._typed(plan, name, row)
            else:
                value = name_value(self._store, row, name) if named else row.get(name)
                record[name] = self._content_address(row) if name == "Content" and value else value
        return record

    def plan(self, obj: ObjectType, fields: Iterable[str], text: str) -> Plan:
        """Plan the answer of some fields of an object, by name or path.

        :raises ServiceError: One is not there, or the user may not see it.
        """
        plan = Plan(obj)
        for name in fields:
            self._select(plan, Path(tuple(name.split(".")), max(0, text.find(name))), text)
        return plan

    def attributes(self, obj: ObjectType, row: Row) -> dict[str, str]:
        """Give the type and address of a record; a ``Name`` has the address of the record that it stands for."""
        name = obj.name if obj is not NAME else self._store.object_of(row["Id"])
        return {"type": obj.name, "url": f"/services/data/{self._version}/sobjects/{name}/{row['Id']}"}

    def _content_address(self, row: Row) -> str:
        """Give the address of a note's content: REST answers that in place of the content, as documented for blobs."""
        return f"/services/data/{self._version}/sobjects/ContentNote/{row['Id']}/Content"

    # -- rows ---------------------------------------------------------------------------------------------------------

    def _matching(self, query: Query, obj: ObjectType, among: Iterable[Row] | None) -> Iterable[Row]:
        if obj.name == "ContentDocumentLink" and among is None:
            check_links(query.where)
        if query.where is None:
            return self._store.rows(obj.name) if among is None else among
        joins = list(semi_joins(query.where))
        if len(joins) > _MAX_SEMI_JOINS:
            message = f"Maximum {_MAX_SEMI_JOINS} semi join sub-selects are allowed"
            raise query_fault("MALFORMED_QUERY", query.text, joins[-1].source_at, message)
        conditions = Conditions(self._store, self._org, obj, query.text, lambda inner: self._semi_join(inner, obj))
        test = conditions.test(query.where)
        if among is None:
            among = conditions.candidates(query.where)
        return [row for row in (self._store.rows(obj.name) if among is None else among) if test(row)]

    def _semi_join(self, query: Query, outer: ObjectType) -> Iterable[Any]:
        """Give the ids that a query within a condition selects; its texts of refusal are unverified."""
        if len(query.select) != 1 or not isinstance(query.select[0], Path):
            raise query_fault(
                "MALFORMED_QUERY", query.text, query.source_at, "semi join sub-selects can only select one field"
            )
        obj = self.object(query)
        column = resolve(self._store, self._org, obj, query.select[0], query.text)
        if obj.name == outer.name or column.field.type not in ("id", "reference"):
            message = "semi join sub-selects select an id, of another object than the outer query"
            raise query_fault("MALFORMED_QUERY", query.text, query.source_at, message)
        if any(semi_joins(query.where)):
            message = "Nesting of semi join sub-selects is not supported"
            raise query_fault("MALFORMED_QUERY", query.text, query.source_at, message)
        return [column.get(row) for row in self.rows(query, obj)]

    def _sort(self, rows: list[Row], order: Order, obj: ObjectType, text: str) -> None:
        column = resolve(self._store, self._org, obj, order.path, text)
        if not column.field.sortable:
            message = f"field '{column.field.name}' can not be sorted in a query call"
            raise query_fault("INVALID_FIELD", text, order.path.at, message)
        known = [(fold(value), row) for row in rows if (value := column.get(row)) is not None]
        unknown = [row for row in rows if column.get(row) is None]
        known.sort(key=lambda pair: pair[0], reverse=order.descending)  # stable, also when reversed
        ordered = [row for _, row in known]
        rows[:] = ordered + unknown if order.nulls_last else unknown + ordered

    def _count(self, query: Query, obj: ObjectType, counts: Sequence[Count], *, all_rows: bool) -> Result:
        if len(query.select) != 1:
            raise NotSpokenError("COUNT() beside other fields in SOQL")
        rows = self.rows(query, obj, all_rows=all_rows)
        if counts[0].path is None:
            return Result(len(rows), [])
        column = resolve(self._store, self._org, obj, counts[0].path, query.text)
        number = sum(1 for row in rows if column.get(row) is not None)
        return Result(1, [{"attributes": {"type": "AggregateResult"}, "expr0": number}])

    # -- what is answered ---------------------------------------------------------------------------------------------

    def _plan(self, query: Query, obj: ObjectType) -> Plan:
        plan = Plan(obj)
        for item in query.select:
            if isinstance(item, Path):
                self._select(plan, item, query.text)
            elif isinstance(item, Query):
                self._select_children(plan, item)
            elif isinstance(item, TypeOf):
                self._select_typed(plan, item, query.text)
            elif isinstance(item, Standard):
                for field in obj.fields.values():
                    if field.type != "junctionIdList" and not field.name.endswith(("__c", "__pc")):
                        self._select(plan, Path((field.name,), item.at), query.text)
        return plan

    def _select(self, plan: Plan, path: Path, text: str) -> None:
        own = len(path.names) > 1 and path.names[0].lower() == plan.obj.name.lower()
        names = path.names[1:] if own else path.names
        resolve(self._store, self._org, plan.obj, Path(names, path.at), text)
        for name in names[:-1]:
            reference = parent_field(self._org, plan.obj, name, path, text)
            key = str(reference.relationship)
            if key not in plan.parents:
                plan.parents[key] = (reference.name, Plan(parent_type(self._org, reference)))
                plan.order.append(key)
            plan = plan.parents[key][1]
        name = plan.obj.fields[names[-1].lower()].name
        if name in plan.fields:
            raise query_fault("INVALID_FIELD", text, path.at, f"duplicate field selected: {'.'.join(path.names)}")
        plan.fields.append(name)
        plan.order.append(name)

    def _select_children(self, plan: Plan, query: Query) -> None:
        found = child_relationships(self._org.visible_objects()).get((plan.obj.name, query.source.lower()))
        if found is None:
            message = (
                f"Didn't understand relationship '{query.source}' in FROM part of query call. If you are attempting to use "
                "a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference "
                "your WSDL or the describe call for the appropriate names."
            )
            raise query_fault("INVALID_TYPE", query.text, query.source_at, message)
        child, reference = found
        if any(not isinstance(item, Path) for item in query.select):
            raise NotSpokenError("a query two levels below another in SOQL")
        name = str(reference.children)
        plan.children[name] = (query, child, reference.name, self._plan(query, child))
        plan.order.append(name)

    def _select_typed(self, plan: Plan, item: TypeOf, text: str) -> None:
        reference = parent_field(self._org, plan.obj, item.path.names[0], item.path, text)
        branches = {}
        for name, paths in item.branches:
            target = self._org.visible(name)
            if target is None or target.name not in reference.targets:
                raise type_fault(text, item.path.at, name)
            branches[target.name] = self._paths_plan(target, paths, text)
        otherwise = self._paths_plan(NAME, item.otherwise, text) if item.otherwise else None
        plan.typed[str(reference.relationship)] = (reference.name, branches, otherwise)
        plan.order.append(str(reference.relationship))

    def _paths_plan(self, obj: ObjectType, paths: Sequence[Path], text: str) -> Plan:
        plan = Plan(obj)
        for path in paths:
            self._select(plan, path, text)
        return plan

    def _children(self, plan: Plan, name: str, row: Row) -> dict[str, Any] | None:
        query, child, key, child_plan = plan.children[name]
        among = self._store.having(child.name, key, fold(row["Id"]))
        rows = self.rows(query, child, among=among, all_rows=plan.all_rows)
        if len(rows) > _MAX_CHILDREN:
            raise NotSpokenError(f"more than {_MAX_CHILDREN} records of a child query")
        if not rows:
            return None
        return {"totalSize": len(rows), "done": True, "records": [self.render(child_plan, item) for item in rows]}

    def _typed(self, plan: Plan, name: str, row: Row) -> dict[str, Any] | None:
        key, branches, otherwise = plan.typed[name]
        target = self._store.live(row[key])
        if target is None:
            return None
        chosen = branches.get(str(self._store.object_of(target["Id"])), otherwise)
        return None if chosen is None else self.render(chosen, target)
