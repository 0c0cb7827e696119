"""Filling fields of records, each field with an outcome of its own.

Salesforce takes a row or refuses it whole. So the fields that a refusal names are taken out and the others sent again; where
it names none, each is sent alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector_core.model import FieldReceipt, RecordUpdate
from connector_salesforce import rows
from connector_salesforce.client import Client

_OF_THE_RECORD = frozenset(
    {
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "ENTITY_IS_DELETED",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE",
        "MALFORMED_ID",
        "NOT_FOUND",
    }
)
"""Refusals that no other choice of fields would avoid."""


@dataclass(slots=True)
class _Work:
    """One record: the groups of fields that are still to be sent, one after the other, and what is known."""

    update: RecordUpdate
    groups: list[list[str]]
    receipts: dict[str, FieldReceipt] = field(default_factory=dict)

    def record(self) -> rows.Record:
        fields = {name: self.update.fields[name] for name in self.groups[0]}
        return {"attributes": {"type": self.update.object}, "id": self.update.id, **fields}

    def take(self, outcome: rows.Outcome) -> None:
        group = self.groups.pop(0)
        match outcome:
            case rows.Done():
                self._tell(group, FieldReceipt("sent"))
            case rows.Later(reason):
                self._tell(group, FieldReceipt("deferred", reason))
            case rows.Unsure(reason):
                self._tell(group, FieldReceipt("unknown", reason))
            case rows.Refused(code, sentence, named):
                blamed = _blamed(outcome, group) or (group if len(group) == 1 else [])
                if code in _OF_THE_RECORD and not named:
                    blamed = group
                    self._tell([it for rest in self.groups for it in rest], FieldReceipt("refused", sentence, code))
                    self.groups.clear()
                self._tell(blamed, FieldReceipt("refused", sentence, code or None))
                rest = [it for it in group if it not in blamed]
                self.groups += ([rest] if rest else []) if blamed else [[it] for it in group]

    def _tell(self, names: Sequence[str], receipt: FieldReceipt) -> None:
        self.receipts |= dict.fromkeys(names, receipt)


def fill(client: Client, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], dict[str, FieldReceipt]]:
    """Set fields: one API call for 200 records, and one more for each round of refusals."""
    work = [_Work(update, [sorted(update.fields)] if update.fields else []) for update in updates]
    sent = False
    while waiting := [it for it in work if it.groups]:
        outcomes = rows.write(client, "PATCH", [it.record() for it in waiting], sent=sent)
        sent = True
        for it, outcome in zip(waiting, outcomes, strict=True):
            it.take(outcome)
    return {(it.update.object, it.update.id): it.receipts for it in work}


def _blamed(outcome: rows.Refused, group: Sequence[str]) -> list[str]:
    named = {it.lower() for it in outcome.fields}
    return [it for it in group if it.lower() in named]
