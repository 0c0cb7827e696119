"""What an administrator made up for the organization's records: validation rules and duplicate rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DEDUPLICATED = ("Account", "Contact", "Lead")
"""The objects of the sandbox that may have duplicate rules (help.salesforce.com, "Duplicate Rules")."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A validation rule: a record for which every condition holds is refused with the message."""

    object: str
    name: str
    message: str
    conditions: tuple[Mapping[str, Any], ...]
    field: str | None = None

    def broken_by(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a record is refused."""
        return all(_holds(condition, row) for condition in self.conditions)


def _holds(condition: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    value = row.get(condition["field"])
    if "blank" in condition:
        return (value is None) is condition["blank"]
    if "in" in condition:
        return value in condition["in"]
    return bool(value == (None if condition["equals"] == "" else condition["equals"]))  # empty text is held as null


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """A duplicate rule that blocks: a record that has the same in all these fields as another one is refused."""

    object: str
    name: str
    fields: tuple[str, ...]
    message: str = "Use one of these records?"

    def matches(
        self, old: Mapping[str, Any] | None, new: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]
    ) -> list[str]:
        """Give the ids of what a record is a duplicate of; none where nothing changed that the rule looks at."""
        sought = [_key(new.get(field)) for field in self.fields]
        if None in sought or (old is not None and sought == [_key(old.get(field)) for field in self.fields]):
            return []
        return [
            row["Id"]
            for row in rows
            if row["Id"] != new["Id"] and [_key(row.get(field)) for field in self.fields] == sought
        ]

    def result(self, ids: Iterable[str]) -> dict[str, Any]:
        """Give what is told of a refusal (SOAP API Developer Guide, "DuplicateResult")."""
        records = [
            {
                "additionalInformation": [],
                "fieldDiffs": [],
                "matchConfidence": 100.0,
                "record": {"attributes": {"type": self.object}, "Id": found},
            }
            for found in ids
        ]
        matches = {
            "entityType": self.object,
            "errors": [],
            "matchEngine": "ExactMatchEngine",
            "matchRecords": records,
            "rule": self.name,
            "size": len(records),
            "success": True,
        }
        return {
            "allowSave": False,
            "duplicateRule": self.name,
            "duplicateRuleEntityType": self.object,
            "errorMessage": self.message,
            "matchResults": [matches],
        }


def _key(value: Any) -> Any:
    """Compare as an exact matching does: without regard to case."""
    return value.casefold() if isinstance(value, str) else value
