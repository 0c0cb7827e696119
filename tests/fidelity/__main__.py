"""The fidelity report: ``python -m tests.fidelity``. Recorded traffic of the services, replayed against the sandboxes.

With ``--write`` its tables also replace those of ``docs/fidelity.md``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.fidelity.hubspot import HubSpot
from tests.fidelity.replay import RECORDED, Service, Verdict, replay
from tests.fidelity.salesforce import Salesforce

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
_ORDER = ("same", "same in form", "differs", "not covered")
SERVICES: tuple[Service, ...] = (HubSpot(), Salesforce())


def table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Give a line an operation: the operation, how often it was recorded, and what came of it."""
    by_operation: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by_operation[verdict.operation].append(verdict)
    yield "| operation | recorded | verdict |"
    yield "| --- | --- | --- |"
    for operation, all_of_it in sorted(by_operation.items(), key=lambda item: item[0].split()[::-1]):
        yield f"| `{operation}` | {len(all_of_it)} | {_told(all_of_it)} |"


def _told(verdicts: list[Verdict]) -> str:
    numbers = Counter(it.what for it in verdicts)
    how = "; ".join(dict.fromkeys(line for it in verdicts for line in it.how))
    words = {name: f"{name} ({how})" if name == "differs" else name for name in _ORDER if numbers[name]}
    return ", ".join(f"{numbers[name]} {text}" if len(words) > 1 else text for name, text in words.items())


def main() -> int:
    """Print the tables."""
    if not RECORDED.is_dir():
        print("the recorded traffic is not beside this checkout", file=sys.stderr)
        return 2
    for service in SERVICES:
        lines = "\n".join(table(replay(service)))
        print(f"\n{service.name}\n\n{lines}")
        if "--write" in sys.argv[1:]:
            heading = re.escape(f"## {service.title}\n\n")
            page = PAGE.read_text(encoding="utf-8")
            page = re.sub(rf"({heading})(?:\|.*\n)*", lambda it, new=lines: f"{it[1]}{new}\n", page)
            PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
