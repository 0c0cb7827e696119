"""A platform that has connections to CRMs in files, and hands their calls to an engine."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from connector_core import (
    Call,
    ConfigurationError,
    ConnectionConfig,
    ConnectorError,
    OpenConnection,
    Settings,
    hookimpl,
)
from connector_core.engines import Engine
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.schema import calls as call_rows
from connector_core.pump import Ran

PATIENCE_SECONDS = 90.0
WORLD = {"people": [{"kind": "contact", "id": "C1", "name": "Carl", "phones": ["+33639980012"]}]}


def calls(number: int, *, first: int = 0, start: dt.datetime = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)) -> list[Call]:
    """Give calls with one person, hours apart."""
    return [
        Call.model_validate(
            {
                "id": f"test:{i}",
                "provider": "test",
                "kind": "phone",
                "started_at": start + dt.timedelta(hours=i),
                "duration_seconds": 60,
                "participants": [{"is_user": False, "name": "Carl", "phones": ["+33639980012"]}],
            }
        )
        for i in range(first, first + number)
    ]


class Host:
    """Opens connections, and remembers what it heard of them.

    ``gate``: where it is closed, a connection stands still after each operation. ``broken``: connections that cannot be
    opened; ``defective``: whose opening fails by a defect.
    """

    def __init__(self, folder: Path) -> None:
        """Have no connection yet."""
        self.folder = folder
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.broken: set[str] = set()
        self.defective: set[str] = set()
        self.open: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.reports: list[tuple[str, Ran | ConnectorError]] = []

    @hookimpl
    def operation_finished(
        self, connection: str, operation: str, keys: int, error: BaseException | None, seconds: float
    ) -> None:
        """Stand still while the gate is closed."""
        self.reached.set()
        assert self.gate.wait(PATIENCE_SECONDS)

    def opening(self, name: str) -> OpenConnection:
        """Open a connection to the world of its name."""
        if name in self.broken:
            raise ConfigurationError(f"connection {name}: cannot be opened")
        if name in self.defective:
            raise KeyError(name)
        path = self.folder / f"{name}.json"
        if not path.exists():
            path.write_text(json.dumps(WORLD), encoding="utf-8")
        config = ConnectionConfig(name, "file", {"path": str(path)}, Settings(regions=("FR",)))
        self.open[name] += 1
        return replace(config.open(observers=[self]), release=lambda: self.closed.update([name]))

    def report(self, name: str, ran: Ran | ConnectorError) -> None:
        """Hear of a run."""
        self.reports.append((name, ran))

    def written(self, name: str) -> list[str]:
        """Give the keys of the activities in a connection's CRM, sorted."""
        path = self.folder / f"{name}.json"
        world: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return sorted(activity["call_id"] for activity in world.get("activities", ()))


def states(ledger: Ledger, name: str) -> Counter[str]:
    """Count a connection's calls by state."""
    with ledger.database.reading() as step:
        rows = step.execute(sa.select(call_rows.c.state).where(call_rows.c.connection == name))
        return Counter(row.state for row in rows)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


@contextmanager
def running(engine: Engine) -> Iterator[None]:
    """Let an engine run, and end it."""
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield
    finally:
        ended = engine.stop(PATIENCE_SECONDS)
        thread.join()
    assert ended
