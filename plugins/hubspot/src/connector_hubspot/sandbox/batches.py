"""Batches of records: one hundred at most, with an outcome for each where every input has a trace id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from connector_core.testing.sandbox import RowError
from connector_hubspot.sandbox.instants import iso, now
from connector_hubspot.sandbox.kinds import CONTACTS, Kind
from connector_hubspot.sandbox.objects import Objects
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError, invalid, invalid_values, not_found
from connector_hubspot.sandbox.store import Record

LARGEST_BATCH = 100
Row: TypeAlias = Mapping[str, Any]
Commit: TypeAlias = Callable[[], dict[str, Any]]
"""Executes a row that was checked, and gives its result."""


@dataclass(slots=True)
class Outcome:
    """What became of a batch. ``missing`` are ids that named no record."""

    results: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    missing: dict[str, str | None] = field(default_factory=dict)

    def answer(self, kind: Kind, started: str) -> dict[str, Any]:
        """Give the body: results in another order than the inputs, as HubSpot promises none."""
        errors = list(self.errors)
        if self.missing:
            traces = [trace for trace in self.missing.values() if trace]
            refusal = not_found(kind.singular, list(self.missing))
            errors.append(refusal.entry(**({"objectWriteTraceId": traces} if traces else {})))
        return envelope(list(reversed(self.results)), errors, started)


def envelope(results: Sequence[Mapping[str, Any]], errors: Sequence[Mapping[str, Any]], started: str) -> dict[str, Any]:
    """Give the body of a batch."""
    return {
        "completedAt": iso(now()),
        "status": "COMPLETE",
        "startedAt": started,
        "results": list(results),
        **({"errors": list(errors), "numErrors": len(errors)} if errors else {}),
    }


def inputs_of(body: Any, largest: int) -> list[Row]:
    """Read the inputs of a batch.

    :raises RefusalError: There are none, or too many.
    """
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not all(isinstance(row, dict) for row in inputs):
        raise invalid("Invalid input JSON: inputs is required, a list of objects")
    if len(inputs) > largest:
        raise invalid(f"The maximum number of inputs is {largest}, got {len(inputs)}")
    return inputs


def row_failure(rows: RowError, row: Row) -> dict[str, Any]:
    """The error of a row that a fault failed; its code is the category."""
    context = {
        **({"objectWriteTraceId": [row["objectWriteTraceId"]]} if row.get("objectWriteTraceId") else {}),
        **({"ids": [str(row["id"])]} if row.get("id") else {}),
    }
    return RefusalError(423, f"{rows.code}: this row was not executed", rows.code).entry(**context)


class Batches:
    """The batch part of the objects API."""

    def __init__(self, portal: Portal, objects: Objects) -> None:
        """Serve a portal."""
        self._portal = portal
        self._objects = objects

    def read(self, kind: Kind, body: Any) -> dict[str, Any]:
        """Read records by id or by a unique property; one that was merged away is answered by the one that is left.

        The latter was told of contacts in community.hubspot.com, message 1101616.
        """
        started, rows, outcome = iso(now()), inputs_of(body, LARGEST_BATCH), Outcome()
        if body.get("propertiesWithHistory"):
            raise NotSpokenError("propertiesWithHistory")
        name = body.get("idProperty")
        ids = _distinct(rows, name)
        found: dict[str, Record] = {}
        for record_id in ids:
            record = self._objects.locate(kind, record_id, name)
            if record is None:
                outcome.missing[record_id] = None
            else:
                found[record.id] = record
        outcome.results = [self._portal.present(record, body.get("properties")) for record in found.values()]
        return outcome.answer(kind, started)

    def create(self, kind: Kind, body: Any, version: str, fault: RowError | None) -> dict[str, Any]:
        """Create records, with their associations."""

        def prepare(row: Row) -> Commit:
            return self._creation(kind, row, version)

        rows = inputs_of(body, LARGEST_BATCH)
        return self._write(kind, rows, fault, prepare)

    def update(self, kind: Kind, body: Any, fault: RowError | None) -> dict[str, Any]:
        """Change records; an id that was merged away is not found."""

        def prepare(row: Row) -> Commit:
            record = self._changeable(kind, str(row.get("id")), row.get("idProperty"))
            if record is None:
                raise _RowMissingError(str(row.get("id")))
            return self._change(record, row)

        rows = inputs_of(body, LARGEST_BATCH)
        _distinct(rows, None)
        return self._write(kind, rows, fault, prepare)

    def upsert(self, kind: Kind, body: Any, version: str, fault: RowError | None) -> dict[str, Any]:
        """Create or change records by a unique property."""

        def prepare(row: Row) -> Commit:
            name = row.get("idProperty")
            if not isinstance(name, str):
                raise invalid("idProperty is required in every input of an upsert")
            self._objects.refuse_not_unique(kind, name)
            record = self._objects.locate(kind, str(row.get("id")), name)
            if record is not None:
                commit, new = self._change(record, row), False
            else:
                whole = {"properties": {name: row.get("id"), **(row.get("properties") or {})}}
                commit, new = self._creation(kind, whole, version), True
            return lambda: {**commit(), "new": new}

        rows = inputs_of(body, LARGEST_BATCH)
        _distinct(rows, str(rows[0].get("idProperty")) if rows else None)
        return self._write(kind, rows, fault, prepare)

    def archive(self, kind: Kind, body: Any, fault: RowError | None) -> dict[str, Any] | None:
        """Archive records; None: all of them, which is answered without a body."""
        started, outcome = iso(now()), Outcome()
        for row in inputs_of(body, LARGEST_BATCH):
            if fault is not None and fault.picks():
                outcome.errors.append(row_failure(fault, row))
            else:
                self._objects.archive(kind, str(row.get("id")))
        return outcome.answer(kind, started) if outcome.errors else None

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _changeable(self, kind: Kind, record_id: str, name: str | None) -> Record | None:
        if name is None or name == "hs_object_id":
            return self._portal.store.get(kind, record_id)
        return self._objects.locate(kind, record_id, name)

    def _creation(self, kind: Kind, row: Row, version: str) -> Commit:
        plan = self._objects.plan(kind, row, version)
        self._objects.refuse_taken(kind, plan.properties, None)
        return lambda: self._portal.written(self._objects.execute(plan), (), new=True)

    def _change(self, record: Record, row: Row) -> Commit:
        changes = self._objects.changes(record, row)

        def commit() -> dict[str, Any]:
            self._portal.write(record, changes, now())
            return self._portal.written(record, changes, new=False)

        return commit

    def _write(
        self, kind: Kind, rows: Sequence[Row], fault: RowError | None, prepare: Callable[[Row], Commit]
    ) -> dict[str, Any]:
        """Execute the rows one by one; without trace ids, one that is refused rejects them all."""
        started, outcome, traced = iso(now()), Outcome(), _traced(rows)
        failed = [fault is not None and fault.picks() for _ in rows]
        if not traced:
            kept = [row for row, fails in zip(rows, failed, strict=True) if not fails]
            _refuse_all(prepare, kept)
            self._refuse_repeated(kind, kept)
        for row, fails in zip(rows, failed, strict=True):
            trace = row.get("objectWriteTraceId")
            try:
                if fault is not None and fails:
                    outcome.errors.append(row_failure(fault, row))
                else:
                    outcome.results.append(prepare(row)())
            except _RowMissingError as error:
                outcome.missing[error.record_id] = trace
            except RefusalError as error:
                outcome.errors.append(error.entry(objectWriteTraceId=[str(trace)]))
        return outcome.answer(kind, started)

    def _refuse_repeated(self, kind: Kind, rows: Iterable[Row]) -> None:
        """Refuse rows that would give one unique value to several records."""
        names = [*self._portal.schema.unique(kind), *(["email"] if kind is CONTACTS else [])]
        given = [row.get("properties") or {} for row in rows]
        for name in names:
            values = [str(properties[name]).strip().lower() for properties in given if properties.get(name)]
            if len(set(values)) < len(values):
                raise _conflict()


class _RowMissingError(Exception):
    def __init__(self, record_id: str) -> None:
        super().__init__(record_id)
        self.record_id = record_id


def _traced(rows: Sequence[Row]) -> bool:
    traces = [row.get("objectWriteTraceId") for row in rows]
    return all(traces) and len(set(traces)) == len(traces)


def _distinct(rows: Iterable[Row], name: str | None) -> list[str]:
    ids = [str(row.get("id")) for row in rows]
    keys = [key.strip().lower() for key in ids] if name == "email" else ids
    twice = [key for place, key in enumerate(keys) if key in keys[:place]]
    if twice:
        repeated = list(dict.fromkeys(twice))
        raise invalid(f"Duplicate IDs found in batch input: [{', '.join(repeated)}]. IDs must be unique", ids=repeated)
    return ids


def _refuse_all(prepare: Callable[[Row], Commit], rows: Iterable[Row]) -> None:
    """Reject a whole batch for one row; what is wrong with values is told of all rows at once."""
    refusals: list[RefusalError] = []
    for row in rows:
        try:
            prepare(row)
        except _RowMissingError:
            continue
        except RefusalError as error:
            refusals.append(error)
    if not refusals:
        return
    problems = [problem for refusal in refusals for problem in refusal.problems]
    if problems:
        raise invalid_values(problems)
    raise _conflict() if refusals[0].category == "CONFLICT" else refusals[0]


def _conflict() -> RefusalError:
    """Reject a whole batch for a contact that is there: without its id, as recorded."""
    return RefusalError(409, "Contact already exists", "CONFLICT")
