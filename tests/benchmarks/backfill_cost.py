"""What a backfill costs: requests a call, calls a second beside a script that goes call by call, and memory.

The command itself runs, in a process of its own, against a sandbox in another, whose journal counts the requests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector_core.references import is_secret
from tests.benchmarks import naive
from tests.benchmarks.request_cost import cold_start
from tests.faults.stage import sandbox

CALLS, NAIVE_CALLS = 24_000, 24
GOALS = {"salesforce": 0.04, "hubspot": 0.2}
DELAY_SECONDS = 0.15
FASTER = 300
SMALL, LARGE = 10_000, 40_000

COMMAND = """
import pathlib, sys
from connector_core.cli import main
status = main()
pathlib.Path("status").write_bytes(pathlib.Path("/proc/self/status").read_bytes())
sys.exit(status)
"""
"""Leaves what the kernel says of its memory. What ``wait4`` tells counts the process that started it, too."""


def report() -> Iterator[str]:
    """Measure requests and speed on each CRM, and the memory of a small and a large backfill."""
    for crm, goal in GOALS.items():
        with stage(crm, CALLS) as held:
            ran = backfill(held)
            requests = held.requests
        yield (
            f"{crm}: {requests} requests for a backfill of {CALLS:,} calls, {requests / CALLS:.4f} a call"
            f" (goal: at most {goal}); {CALLS / ran.seconds:,.0f} calls/s without latency,"
            f" {ran.cpu_seconds / CALLS * 1000:.2f} ms CPU a call"
        )
        yield speed(crm)
    yield memory(SMALL, LARGE)


def speed(crm: str) -> str:
    """Compare with the other script, both behind the same latency."""
    delay = {"do": {"delay_seconds": DELAY_SECONDS}}
    with stage(crm, CALLS) as held:
        held.fail(delay)
        started = time.monotonic()
        naive.SCRIPTS[crm](held.url, held.settings, held.calls[-NAIVE_CALLS:])
        theirs = NAIVE_CALLS / (time.monotonic() - started)
        ran = backfill(held)
    ours = CALLS / ran.seconds
    return (
        f"{crm}, {DELAY_SECONDS * 1000:.0f} ms latency: {ours:,.0f} calls/s ({CALLS:,} calls in {ran.seconds:.1f} s,"
        f" {ran.cpu_seconds:.1f} s of them our CPU); call by call on the same SDK {theirs:.2f} calls/s;"
        f" ratio {ours / theirs:,.0f} (goal: {FASTER})"
    )


def memory(small: int, large: int) -> str:
    """Compare the most memory of two backfills, of which one is larger."""
    peaks = []
    for number in (small, large):
        with stage("hubspot", number) as held:
            peaks.append(backfill(held).peak_mb)
    return (
        f"memory: at most {peaks[0]:.0f} MB for {small:,} calls, {peaks[1]:.0f} MB for {large:,};"
        f" {large / small:.0f} times the calls, {peaks[1] / peaks[0]:.2f} times the memory"
    )


@dataclass(frozen=True, slots=True)
class Run:
    """What a process cost: seconds, those of its CPU, and megabytes at most."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A sandbox that runs, and a folder with a configuration and calls."""

    url: str
    settings: dict[str, Any]
    folder: Path
    calls: list[dict[str, Any]]

    @property
    def requests(self) -> int:
        """What was spent of the CRM's quota."""
        return sum(entry["api_calls"] for entry in self._ask("journal"))

    def fail(self, rule: Mapping[str, Any]) -> None:
        """Set the sandbox's one fault rule."""
        self._ask("faults", json.dumps([rule]).encode())

    def _ask(self, what: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(f"{self.url}/_sandbox/{what}", body)  # noqa: S310 - the sandbox on loopback
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - likewise
            return json.load(answer)


@contextmanager
def stage(crm: str, number: int) -> Iterator[Stage]:
    """Set up a sandbox, a configuration and a file of calls."""
    world, calls = cold_start(calls=number)
    with TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "calls.jsonl").open("w") as file:
            file.writelines(json.dumps(call) + "\n" for call in calls)
        with sandbox(crm, world, folder) as told:
            settings = {
                key: f"env:BENCH_{key.upper()}" if is_secret(key) else it for key, it in told["settings"].items()
            }
            lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
            (folder / "connector.toml").write_text(
                f'[connections.bench]\ncrm = "{crm}"\nregions = ["FR"]\nquota_reserve = 0.0\n'
                + "\n".join(["[connections.bench.settings]", *lines, ""])
            )
            yield Stage(told["url"], told["settings"], folder, calls)


def backfill(held: Stage) -> Run:
    """Run the command to its end.

    :raises RuntimeError: It did not write every call.
    """
    secrets = {f"BENCH_{key.upper()}": str(it) for key, it in held.settings.items() if is_secret(key)}
    command = [sys.executable, "-c", COMMAND, "backfill", "calls.jsonl", "--connection", "bench", "--json"]
    started = time.monotonic()
    with (held.folder / "out").open("wb") as out, (held.folder / "err").open("wb") as err:
        process = subprocess.Popen(command, cwd=held.folder, env={**os.environ, **secrets}, stdout=out, stderr=err)  # noqa: S603 - ours
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    summary = _summary(held.folder)
    if status or sum(summary.get("outcomes", {}).values()) < len(held.calls):
        raise RuntimeError(f"{summary} {(held.folder / 'err').read_text()[-2000:]}")
    most = next(line for line in (held.folder / "status").read_text().splitlines() if line.startswith("VmHWM:"))
    return Run(seconds, usage.ru_utime + usage.ru_stime, int(most.split()[1]) / 1024)


def _summary(folder: Path) -> Mapping[str, Any]:
    lines = (folder / "out").read_text().splitlines()
    found: Mapping[str, Any] = json.loads(lines[-1]) if lines else {}
    return found
