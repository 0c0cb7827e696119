"""A stage for one fault: a sandbox in a process of its own, a ledger, calls, and the drivers that work on them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bad_day import BODIES
from tests.benchmarks.request_cost import cold_start
from tests.faults.databases import Databases

_REF = re.compile(r"ref: (bench:\d+)")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

TYPED = "typed by a person"
MANY = 1_000
"""More calls than this are a backlog, which is worked on in larger batches."""


@dataclass(slots=True)
class Stage:
    """A sandbox with calls to write to it."""

    crm: str
    url: str
    settings: dict[str, Any]
    ledger: str
    folder: Path
    calls: list[dict[str, Any]]
    databases: Databases
    drivers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def fail(self, *rules: Mapping[str, Any]) -> None:
        """Replace the sandbox's fault rules."""
        self.ask("faults", list(rules))

    def ask(self, what: str, body: Any = None) -> Any:
        """Ask the sandbox itself."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/_sandbox/{what}", data, headers)  # noqa: S310 - on loopback
        with _DIRECT.open(request) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def create(self, sobject: str, fields: Mapping[str, Any]) -> str:
        """Create a record in Salesforce, and give its id."""
        url = f"{self.url}/services/data/v66.0/sobjects/{sobject}"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.settings['access_token']}"}
        request = urllib.request.Request(url, json.dumps(fields).encode(), headers)  # noqa: S310 - on loopback
        with _DIRECT.open(request) as answer:
            return str(json.load(answer)["id"])

    def start(self, **orders: Any) -> subprocess.Popen[bytes]:
        """Start a driver."""
        file = self.folder / "calls.jsonl"
        file.write_text("".join(json.dumps(call) + "\n" for call in self.calls))
        said = {"ledger": self.ledger, "crm": self.crm, "settings": self.settings, "calls": str(file)}
        said |= {"batch": 20 if len(self.calls) <= MANY else 200, "give_up_seconds": self.patience, **orders}
        command = [sys.executable, "-m", "tests.faults.driver", json.dumps(said)]
        with (self.folder / "driver.out").open("ab") as out, (self.folder / "driver.err").open("ab") as err:
            driver = subprocess.Popen(command, stdout=out, stderr=err)  # noqa: S603 - our own program
        self.drivers.append(driver)
        return driver

    def naive(self) -> subprocess.Popen[bytes]:
        """Start the naive script."""
        file = self.folder / "calls.jsonl"
        file.write_text("".join(json.dumps(call) + "\n" for call in self.calls))
        said = {"url": self.url, "crm": self.crm, "settings": self.settings, "calls": str(file)}
        command = [sys.executable, "-m", "tests.faults.naive", json.dumps(said)]
        driver = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603 - our own program
        self.drivers.append(driver)
        return driver

    @property
    def patience(self) -> float:
        """How many seconds all may take."""
        return 180.0 + len(self.calls) / 50

    def finish(self, driver: subprocess.Popen[bytes] | None = None, **orders: Any) -> None:
        """Let a driver, or a new one, work until everything has settled."""
        driver = driver or self.start(**orders)
        if driver.wait(self.patience + 60.0) != 0:
            raise RuntimeError((self.folder / "driver.err").read_text()[-2000:])

    @property
    def requests(self) -> int:
        """What was spent of the CRM's quota."""
        return sum(entry["api_calls"] for entry in self.ask("journal"))

    def held(self) -> dict[str, list[dict[str, Any]]]:
        """Give the activities that carry a call's reference, by call."""
        found: dict[str, list[dict[str, Any]]] = {}
        for name, rows in self.ask("records").items():
            for row in rows if name in BODIES else ():
                said = row.get("properties") or row
                key = said.get("CallObject") or said.get("hs_call_external_id")
                for call_id in {*_REF.findall(said.get(BODIES[name]) or ""), *([key] if key else [])}:
                    found.setdefault(call_id, []).append(row)
        return found

    def leaks(self) -> int:
        """Count what was told of people in the logs of the drivers, and in the tables of the engine."""
        told = (self.folder / "driver.err").read_text() if (self.folder / "driver.err").exists() else ""
        told += self.databases.engine_tables(self.ledger)
        secrets = [str(self.settings[name]) for name in self.settings if name.endswith(("token", "secret"))]
        return len(re.findall(r"@company\d|@seller\.example|3363998\d{4}", told)) + sum(
            told.count(it) for it in secrets
        )

    @property
    def sign_ins(self) -> int:
        """How many tokens were asked for."""
        return sum(entry["path"].partition("?")[0].endswith("/token") for entry in self.ask("journal"))

    def typed(self) -> int:
        """Count the activities that still say what a person typed."""
        return sum(
            TYPED in ((row.get("properties") or row).get(BODIES[name]) or "")
            for name, rows in self.ask("records").items()
            if name in BODIES
            for row in rows
        )


@dataclass(frozen=True, slots=True)
class Injected:
    """What was injected. ``concerned``: calls that the fault itself associates otherwise; ``overwritten``: what it saw lost.

    ``gone``: records that nothing may be linked to. ``wrong``: what else it saw go wrong.
    """

    what: str
    concerned: frozenset[str] = frozenset()
    overwritten: int = 0
    gone: frozenset[str] = frozenset()
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault did: counted in the sandbox and in the ledger after everything has settled."""

    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    overwritten: int = 0
    told: int = 0
    requests: int = 0
    seconds: float = 0.0

    @property
    def harm(self) -> int:
        """Everything that must be zero."""
        return self.lost + self.duplicated + self.wrong + self.overwritten + self.told


def links(crm: str, row: Mapping[str, Any]) -> Any:
    """Give what an activity is linked to, comparably."""
    if crm == "hubspot":
        return {
            name: sorted(str(it) for it in ids) for name, ids in sorted((row.get("associations") or {}).items()) if ids
        }
    return row.get("WhatId"), row.get("WhoId")


def judge(stage: Stage, injected: Injected, expected: Mapping[str, Any], typed: int, seconds: float) -> Outcome:
    """Compare what the CRM holds with what it would hold without the fault."""
    held = stage.held()
    ids = [call["id"] for call in stage.calls]
    wrong = [
        it
        for it in ids
        if it in held
        and it in expected
        and it not in injected.concerned
        and links(stage.crm, held[it][0]) != expected[it]
    ]
    dead = [it for it, rows in held.items() if injected.gone & set(json.dumps(links(stage.crm, rows[0])).split('"'))]
    return Outcome(
        lost=sum(call_id not in held for call_id in ids),
        duplicated=sum(len(rows) - 1 for rows in held.values()),
        wrong=len(wrong) + len(dead) + injected.wrong,
        told=stage.leaks(),
        overwritten=typed - stage.typed() + injected.overwritten,
        requests=stage.requests,
        seconds=seconds,
    )


def scene(number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make a world and so many calls; of every tenth the CRM has the dialler's own record already, with a person's words."""
    world, calls = cold_start(calls=number)
    activities = []
    for place, call in enumerate(calls):
        guest = next((it for it in call["participants"][1:] if _known(it)), None)
        if place % 10 == 0 and guest is not None and call["kind"] == "phone":
            activities.append(
                {
                    "id": f"T{place}",
                    "kind": "call",
                    "call_id": call["id"],
                    "person_ids": [_known(guest)],
                    "started_at": call["started_at"],
                    "duration_seconds": 300,
                    "title": "Dialled",
                    "body": f"{TYPED} {place}",
                }
            )
    return {**world, "activities": activities}, calls


def _known(guest: Mapping[str, Any]) -> str | None:
    for email in guest["emails"]:
        if found := re.match(r"person(\d+)@", email):
            return f"C{found[1]}"
    return None


@contextmanager
def sandbox(crm: str, world: Mapping[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    """Run a sandbox in a process of its own."""
    seed = folder / "seed.json"
    seed.write_text(json.dumps(world))
    run = "import sys; from connector_core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", run, "sandbox", crm, "--seed", str(seed)]
    with (
        (folder / "sandbox.err").open("ab") as told,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told) as process,  # noqa: S603 - our own program
    ):
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise RuntimeError((folder / "sandbox.err").read_text())
            yield json.loads(line)
        finally:
            process.terminate()


def elapsed(since: float) -> float:
    """Give the seconds since a moment of the monotonic clock."""
    return time.monotonic() - since
