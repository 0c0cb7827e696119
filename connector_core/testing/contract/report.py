"""What was proved of whom, on what evidence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from connector_core.testing.contract.base import AdapterContract
from connector_core.testing.contract.clauses import Clause
from connector_core.testing.contract.crm import Crm

ORIGINS = ("live", "self-hosted", "sandbox", "local")
"""The kinds of evidence, the strongest first; only the first two are the service itself."""


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one clause. ``status``: proved, refused, deviation, not applicable, skipped, failed."""

    plugin: str
    contract: str
    clause: str
    status: str
    origin: str
    reason: str = ""


def became(
    contract: type[AdapterContract],
    clause: Clause,
    fixtures: Mapping[str, Any],
    outcome: pytest.TestReport,
    error: BaseException | None,
) -> dict[str, str] | None:
    """Give what became of a clause as JSON, after one phase of its test and what was raised: None if nothing is to say."""
    if outcome.when != "call" and outcome.passed:
        return None
    crm: Crm | None = fixtures.get("crm")
    status, reason = "failed", str(error) if error else outcome.longreprtext
    if hasattr(outcome, "wasxfail") and outcome.skipped:
        status, reason = "deviation", contract.deviations[clause.id].reason
    elif crm is not None and crm.standing is not None and not outcome.failed:
        status, reason = crm.standing, crm.why
    elif outcome.skipped:
        status = "skipped"
    origin = crm.origin if crm is not None else ""
    return asdict(Line(contract.manifest.name, contract.__name__, clause.id, status, origin, reason))


class Report:
    """Clause by clause, for all contracts of a run; a failure in any phase of a test, told last, is what counts."""

    def __init__(self, lines: Iterable[Mapping[str, str]]) -> None:
        """Take what became of each clause, in the order of telling."""
        told = [Line(**line) for line in lines]
        self._lines = {(line.contract, line.clause): line for line in sorted(told, key=lambda line: line.contract)}

    def lines(self) -> list[str]:
        """Give a line for each contract, and one for each clause of it that was not simply proved."""
        shown: list[str] = []
        for name in dict.fromkeys(contract for contract, _ in self._lines):
            lines = [line for (contract, _), line in self._lines.items() if contract == name]
            counts = Counter(f"{it.status} on {it.origin}" if it.status == "proved" else it.status for it in lines)
            told = ", ".join(f"{count} {what}" for what, count in counts.items())
            shown.append(f"{lines[0].plugin} ({name}): {told}")
            for it in lines:
                if it.status != "proved":
                    reason, *_ = it.reason.splitlines() or [""]
                    shown.append(f"  {it.clause} {it.status}: {reason}".rstrip(": "))
        return shown

    def dumped(self) -> str:
        """Give it all as JSON: a list of lines."""
        return json.dumps([asdict(line) for line in self._lines.values()], indent=1, ensure_ascii=False) + "\n"
