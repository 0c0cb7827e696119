"""The fault matrix: ``python -m tests.faults``. One line a fault; what is not zero in the middle is a defect."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.databases import Databases
from tests.faults.matrix import CRMS, DATABASES, FAULTS, NAIVE, TIMES, Fault
from tests.faults.stage import Outcome, Stage, elapsed, judge, links, sandbox, scene

HEADER = f"{'fault':<58} {'lost':>5} {'twice':>5} {'wrong':>5} {'overwr':>6} {'told':>5} {'extra':>6} {'s':>6}"


def main() -> int:
    """Run the chosen faults; the exit status tells whether any of them did harm."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(FAULTS)}; default all")
    parser.add_argument("--crm", action="append", choices=("salesforce", "hubspot"))
    parser.add_argument("--database", action="append", choices=("sqlite", "postgres"))
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    harm = 0
    databases = arguments.database or ("sqlite", "postgres")
    for database, crm in itertools.product(databases, arguments.crm or ("salesforce", "hubspot")):
        with Databases(database) as made:
            print(f"\n{crm}, {database}, {arguments.calls} calls\n{HEADER}", flush=True)
            for line, outcome in run(crm, made, arguments.calls, arguments.faults or list(FAULTS)):
                harm += outcome.harm
                print(line, flush=True)
            for name in NAIVE if database == "sqlite" and not arguments.faults else ():
                what, outcome, _ = once(crm, made, arguments.calls, NAIVE[name], {})
                print(_line(f"naive script: {what}", outcome, outcome.requests), flush=True)
    return 1 if harm else 0


def run(crm: str, databases: Databases, calls: int, faults: list[str]) -> Iterator[tuple[str, Outcome]]:
    """Run faults against one CRM, for each number of calls the run without any first."""
    usual: dict[int, tuple[Outcome, dict[str, Any]]] = {}
    for name in ["none", *(fault for fault in faults if fault != "none")]:
        if databases.kind not in DATABASES.get(name, (databases.kind,)) or crm not in CRMS.get(name, (crm,)):
            continue
        number = calls * TIMES.get(name, 1)
        try:
            if number not in usual:
                what, outcome, held = once(crm, databases, number, FAULTS["none"], {})
                usual[number] = outcome, {call_id: links(crm, rows[0]) for call_id, rows in held.items()}
                yield _line(f"{what}, {number:,} calls", outcome, outcome.requests), outcome
            if name != "none":
                without, expected = usual[number]
                what, outcome, _ = once(crm, databases, number, FAULTS[name], expected)
                yield _line(what, outcome, without.requests), outcome
        except RuntimeError as error:
            yield f"{name}: {str(error).strip().splitlines()[-1]}", Outcome(lost=number)


def once(
    crm: str, databases: Databases, calls: int, fault: Fault, expected: dict[str, Any]
) -> tuple[str, Outcome, dict[str, Any]]:
    """Inject one fault on a stage of its own."""
    world, made = scene(calls)
    with tempfile.TemporaryDirectory() as folder, sandbox(crm, world, Path(folder)) as served:
        settings = {**served["settings"], "settle_seconds": 4.0, "timeout_seconds": 2.0}
        stage = Stage(crm, served["url"], settings, databases.new(Path(folder)), Path(folder), made, databases)
        typed = stage.typed()
        began = time.monotonic()
        try:
            injected = fault(stage)
            seconds = elapsed(began)
            return injected.what, judge(stage, injected, expected, typed, seconds), stage.held()
        finally:
            for driver in stage.drivers:
                driver.kill()
                driver.wait()


def _line(what: str, it: Outcome, usual: int) -> str:
    harm = f"{it.lost:>5} {it.duplicated:>5} {it.wrong:>5} {it.overwritten:>6} {it.told:>5}"
    return f"{what:<58} {harm} {it.requests - usual:>+6} {it.seconds:>6.1f}"


if __name__ == "__main__":
    sys.exit(main())
