"""Sets properties of records, each with its own outcome: one that is refused keeps no other from being sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from connector_core.errors import ConnectorError, OutcomeUnknownError, TryAgainError
from connector_core.model import FieldReceipt, RecordUpdate
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError, Problem, errors_of, problems_of
from connector_hubspot.locks import is_lock, send_past_locks
from connector_hubspot.reading import BATCH, cut, made

_OBJECT = re.compile(r"[a-z0-9_-]+", re.IGNORECASE)


@dataclass(slots=True)
class _Row:
    """One record: the fields that are still to be sent, and what became of the others; ``locked``: why not just now."""

    id: str
    fields: dict[str, str]
    receipts: dict[str, FieldReceipt] = field(default_factory=dict)
    locked: FieldReceipt | None = None

    def end(self, receipt: FieldReceipt, names: Iterable[str] = ()) -> None:
        """Settle these fields, all that are left where none of these is among them."""
        chosen = [name for name in names if name in self.fields] or list(self.fields)
        for name in chosen:
            del self.fields[name]
            self.receipts[name] = receipt

    def refuse(self, problem: Problem) -> None:
        """Settle the fields that a problem names, all where it names none; a lock settles nothing yet."""
        reason = problem.sentence or problem.code
        if is_lock(problem.code):
            self.locked = FieldReceipt("deferred", reason, problem.code)
        else:
            self.end(FieldReceipt("refused", reason, problem.code), problem.fields)


def fill(client: HubSpotClient, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], Mapping[str, FieldReceipt]]:
    """Set fields; a receipt for every field of every record.

    :raises ConnectorError: Nothing could be sent at all: refused credentials, a missing scope.
    """
    return _Filler(client).fill(updates)


class _Filler:
    def __init__(self, client: HubSpotClient) -> None:
        self._client = client
        self._stopped: str | None = None
        self._sent = False

    def fill(self, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], Mapping[str, FieldReceipt]]:
        rows = {
            (it.object, it.id): _Row(it.id, {name: text_of(value) for name, value in it.fields.items()})
            for it in updates
        }
        for obj in sorted({obj for obj, _ in rows}):
            own = [row for (name, _), row in rows.items() if name == obj]
            strange = [row for row in own if not _OBJECT.fullmatch(obj) or not row.id.isdigit()]
            for row in strange:
                row.end(FieldReceipt("refused", f"{obj} {row.id} is no record of HubSpot's", "OBJECT_NOT_FOUND"))
            for chunk in cut([row for row in own if row not in strange], BATCH):
                self._send_past_locks(obj, chunk)
        return {key: row.receipts for key, row in rows.items()}

    def _send_past_locks(self, obj: str, chunk: Sequence[_Row]) -> None:
        def send(rows: Sequence[_Row]) -> None:
            for row in rows:
                row.locked = None
            self._send(obj, rows)

        send_past_locks(self._client.policy, send, chunk, lambda row: row.locked is not None)
        for row in chunk:
            if row.locked is not None:
                row.end(row.locked)

    def _send(self, obj: str, rows: Sequence[_Row]) -> None:
        """Send what is left of these records; what is refused is taken out, and the rest sent again."""
        rows = [row for row in rows if row.fields and row.locked is None]
        if self._stopped:
            self._end(rows, FieldReceipt("deferred", self._stopped))
        if not rows or self._stopped:
            return
        inputs = [{"id": row.id, "objectWriteTraceId": row.id, "properties": dict(row.fields)} for row in rows]
        try:
            answer = self._client.post("/crm/objects/{version}/{object}/batch/update", {"inputs": inputs}, object=obj)
        except BatchRefusedError as error:
            self._sent = True
            if not self._take_out(rows, error.problems):
                if len(rows) > 1:
                    for half in cut(rows, (len(rows) + 1) // 2):
                        self._send(obj, half)
                    return
                for problem in error.problems:
                    rows[0].refuse(problem)
            self._send(obj, rows)
        except OutcomeUnknownError as error:
            self._sent = True
            self._end(rows, FieldReceipt("unknown", str(error)))
        except ConnectorError as error:
            if not isinstance(error, TryAgainError) and not self._sent:
                raise
            self._stopped = str(error)
            self._end(rows, FieldReceipt("deferred", self._stopped))
        else:
            self._sent = True
            self._note(obj, rows, answer)

    def _note(self, obj: str, rows: Sequence[_Row], answer: Mapping[str, Any]) -> None:
        done = {str(result["id"]) for result in made(answer)}
        self._end([row for row in rows if row.id in done], FieldReceipt("sent"))
        problems = [problem for entry in errors_of(answer) for problem in problems_of(entry)]
        self._take_out(rows, problems)
        named = {key for problem in problems for key in (*problem.traces, *problem.ids)}
        unsaid = [row for row in rows if row.id not in named]
        self._end(unsaid, FieldReceipt("unknown", "HubSpot's answer does not say what became of it"))
        self._send(obj, rows)

    @staticmethod
    def _take_out(rows: Sequence[_Row], problems: Iterable[Problem]) -> bool:
        """Refuse what problems name by record; tell whether there was any."""
        found = False
        for problem in problems:
            named = set(problem.traces) or set(problem.ids)
            for row in rows:
                if row.id in named and row.fields:
                    row.refuse(problem)
                    found = True
        return found

    @staticmethod
    def _end(rows: Iterable[_Row], receipt: FieldReceipt) -> None:
        for row in rows:
            row.end(receipt)


def text_of(value: str | float | bool | None) -> str:
    """Write a value as HubSpot takes it: everything is text, and empty text clears."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else format(Decimal(str(value)), "f")
