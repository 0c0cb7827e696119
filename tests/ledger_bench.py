"""A ledger, a CRM in a file, and pumps; the time passes when a test says so, and the CRM fails when a test says so."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.config import OpenConnection
from connector_core.crms import FILE
from connector_core.errors import OutcomeUnknownError
from connector_core.hookspecs import hookimpl
from connector_core.ledger.calls import Standing
from connector_core.ledger.jobs import Job
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.progress import Step
from connector_core.ledger.schema import calls, connections, metadata, writes
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Call, Receipt
from connector_core.pump import Pump, Ran

ACME = "acme"
SETTLE_SECONDS = 60.0
MEMORY = Path("/dev/shm")  # noqa: S108 - no disk is waited for: whether a disk keeps what it was told is not asked here
FRANCE = Settings(regions=("FR",))
WORLD: Mapping[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}, {"id": "A2", "name": "Other"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "emails": ["carl@buyer.example"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Dora", "emails": ["dora@other.example"], "account_id": "A2"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Renewal", "account_id": "A1", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]}
    ],
}
USER = {"is_user": True, "emails": ["ada@seller.example"]}
CARL = {"is_user": False, "name": "Carl", "emails": ["carl@buyer.example"]}


class Killed(BaseException):
    """The process dies here: nothing that catches errors may catch this."""


class Clock:
    """The time of day, and what a test adds to it."""

    def __init__(self) -> None:
        """Go right."""
        self.off_seconds = 0.0

    def __call__(self) -> float:
        """Tell the seconds since 1970."""
        return time.time() + self.off_seconds


@dataclass(slots=True)
class Faults:
    """Stands before the CRM: what a write or a look-up meets there."""

    write: Callable[[Sequence[ActivityDraft]], None] = lambda drafts: None
    answer: Callable[[Mapping[str, Receipt]], Mapping[str, Receipt]] = lambda receipts: receipts
    look_up: Callable[[], None] = lambda: None
    batches: list[list[str]] = field(default_factory=list)

    @hookimpl(wrapper=True)
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Any:
        """Meet a write, and its answer."""
        self.batches.append([draft.key for draft in drafts])
        self.write(drafts)
        return self.answer((yield))

    @hookimpl(wrapper=True)
    def find_activity(self) -> Any:
        """Meet a look-up."""
        self.look_up()
        return (yield)

    def lose_the_answer(self, receipts: Mapping[str, Receipt]) -> Mapping[str, Receipt]:
        """Lose the answer to what was done."""
        raise OutcomeUnknownError("the answer was lost")


@dataclass(slots=True)
class Bench:
    """A ledger and a CRM in a file; ``again`` opens them as a process would that is started anew."""

    url: str
    folder: Path
    clock: Clock
    ledger: Ledger
    opened: OpenConnection
    faults: Faults

    def again(self, **options: Any) -> Pump:
        """Give the pump of a process that was started anew, on the same ledger."""
        self.ledger.close()
        self.ledger = Ledger(self.url, clock=self.clock)
        return self.pump(**options)

    def pump(self, **options: Any) -> Pump:
        """Give another pump."""
        return Pump(self.ledger, self.opened, **options)

    def run(self, *some: Call, **options: Any) -> Ran:
        """Accept calls, and pump."""
        self.accept(*some)
        return self.pump(**options).run()

    def accept(self, *some: Call, **how: Any) -> dict[str, str]:
        """Accept calls; give what was said of each."""
        return dict(self.ledger.inbox.accept(ACME, some, **how).verdicts)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        if self.ledger.database.is_sqlite:
            self.clock.off_seconds += seconds
            return
        with self.ledger.database.writing() as step:  # PostgreSQL tells the time itself: all that was, is longer ago
            for table in metadata.sorted_tables:
                moved = [it for it in table.c if type(it.type).__name__ == "Moment" and it.name != "started_at"]
                if moved:
                    values = {it: it - sa.text(f"interval '{seconds} seconds'") for it in moved}
                    step.execute(sa.update(table).values(values))

    def standing(self, call_id: str = "x:1") -> Standing:
        """Tell how a call stands."""
        return self.ledger.calls.of(ACME, [call_id])[call_id]

    def states(self) -> dict[str, tuple[str, str | None]]:
        """Tell the state and the outcome of every call."""
        rows = self.rows(sa.select(calls))
        return {row.call_id: (row.state, row.outcome) for row in rows}

    def rows(self, wanted: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Read the ledger's rows."""
        with self.ledger.database.reading() as step:
            return step.execute(wanted).all()

    def row(self, call_id: str = "x:1") -> sa.Row[Any]:
        """Read a call's row."""
        (row,) = self.rows(sa.select(calls).where(calls.c.call_id == call_id))
        return row

    def open_writes(self) -> list[str]:
        """Name the calls of which something was noted to be sent, and nothing is known to have come of it."""
        return [row.call_id for row in self.rows(sa.select(writes).where(writes.c.open))]

    @contextmanager
    def leased(self, owner: str = "me") -> Iterator[Lease]:
        """Hold the lease."""
        with self.ledger.leases.take(ACME, owner) as lease:
            assert lease is not None
            yield lease

    def stolen(self) -> None:
        """Let another owner take over, whatever the lease says."""
        with self.ledger.database.writing() as step:
            step.execute(sa.update(connections).values(fence=connections.c.fence + 1, owner="another"))

    # -- the CRM

    @property
    def path(self) -> Path:
        """The file that is the CRM."""
        return self.folder / "world.json"

    def world(self) -> dict[str, Any]:
        """Read the CRM."""
        held: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        return held

    @contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """Change the CRM as a person does."""
        held = self.world()
        yield held
        self.path.write_text(json.dumps(held), encoding="utf-8")

    @property
    def written(self) -> Counter[str]:
        """Count the activities of each call."""
        return Counter(row["call_id"] for row in self.world().get("activities") or () if row.get("call_id"))


def call(number: int = 1, *guests: Mapping[str, Any], **more: Any) -> Call:
    """Make a call with Carl unless others are said."""
    raw = {
        "id": f"x:{number}",
        "provider": "x",
        "kind": "phone",
        "title": f"Talk {number}",
        "started_at": f"2026-03-{1 + number % 28:02}T{number // 28 % 24:02}:00:00Z",
        "duration_seconds": 600,
        "participants": [USER, *(guests or (CARL,))],
    }
    return Call.model_validate({**raw, **more})


def several(count: int) -> list[Call]:
    """Make calls."""
    return [call(number) for number in range(1, count + 1)]


def ids(jobs: Sequence[Job]) -> list[str]:
    """Name the calls of jobs."""
    return [job.call.id for job in jobs]


def draft(job: Job) -> Step:
    """Make a step that is about to create an activity."""
    it = job.call
    return Step(job, '{"status": "decided"}', ActivityDraft(it.id, "call", it.started_at, it.end, subject="A talk"))


@contextmanager
def bench(url: str | None = None, **world: Any) -> Iterator[Bench]:
    """Open a ledger at ``url``, else in a new SQLite file, and a CRM that holds a world."""
    folder = Path(tempfile.mkdtemp(prefix="connector-ledger-", dir=MEMORY if MEMORY.is_dir() else None))
    url = url or f"sqlite:///{folder / 'ledger.db'}"
    (folder / "world.json").write_text(json.dumps({**WORLD, **world}), encoding="utf-8")
    clock, faults = Clock(), Faults()
    try:
        manifest = replace(FILE, settle_seconds=SETTLE_SECONDS)
        with bind(manifest, {"path": folder / "world.json"}, ConnectionInfo(ACME, ("FR",))) as connection:
            connection._manager.register(faults, "faults")
            made = Bench(url, folder, clock, Ledger(url, clock=clock), OpenConnection(connection, FRANCE), faults)
            try:
                yield made
            finally:
                made.ledger.close()
    finally:
        shutil.rmtree(folder)
