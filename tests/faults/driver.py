"""A worker: accepts calls and has them pumped until all have settled; it is stopped and killed, from outside or by itself.

Given a JSON object as its only argument; see :class:`Orders`.
"""

from __future__ import annotations

import functools
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel

from connector_core.association import Settings
from connector_core.config import ConnectionConfig
from connector_core.engines import Engine, Limits, engine_for, pumps
from connector_core.errors import TryAgainError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.schema import calls
from connector_core.model import Call
from connector_core.pump import Pump

CHUNK = 50
OF_NEIGHBOUR = 5


class Orders(BaseModel):
    """What a driver is to do.

    ``at``: the point at which it sends itself ``signal``, and which time that it gets there. ``deliveries``: how often the
    calls are accepted, shuffled by ``seed``. ``clock_steps``: seconds by which its clock is off, one after the other.
    ``neighbours``: connections beside the one, whose :data:`OF_NEIGHBOUR` calls each are the last of the file; it is told
    on standard output when theirs had settled.
    """

    ledger: str
    crm: str
    settings: dict[str, Any]
    calls: str
    batch: int = 20
    lease_seconds: float = 5.0
    at: tuple[str, int] | None = None
    signal: str = "SIGKILL"
    deliveries: int = 1
    seed: int = 0
    clock_steps: tuple[float, ...] = ()
    neighbours: int = 0
    give_up_seconds: float = 180.0


def main(orders: Orders) -> None:
    """Work until every call of the file has settled."""
    passed: Counter[str] = Counter()

    def reached(point: str) -> None:
        passed[point] += 1
        if orders.at == (point, passed[point]):
            os.kill(os.getpid(), getattr(signal, orders.signal))

    # An engine makes its pumps itself; here they also tell which points they pass.
    pumps.Pump = functools.partial(Pump, reached=reached)  # type: ignore[misc, assignment]  # a pump all the same
    connection = ConnectionConfig("faulty", orders.crm, orders.settings, Settings(regions=("FR",)))
    given = [Call.model_validate_json(line) for line in Path(orders.calls).read_text().splitlines()]
    deadline = time.monotonic() + orders.give_up_seconds
    opening = lambda name: replace(connection, name=name).open()  # noqa: E731 - it has no other use
    limits = Limits(batch=orders.batch, sweep_seconds=0.5, rest_seconds=0.5, slice_seconds=5.0)
    with _patiently(deadline, lambda: _ledger(orders)) as ledger:
        engine = _patiently(deadline, lambda: engine_for(ledger, opening, limits=limits))
        working = threading.Thread(target=engine.run)
        chance = random.Random(orders.seed)  # noqa: S311 - a repeatable shuffle, not a secret
        accept = functools.partial(_accept, ledger, engine, deadline, reached)
        first = len(given) - OF_NEIGHBOUR * orders.neighbours
        given, small = given[:first], given[first:]
        began = time.monotonic()
        for _ in range(orders.deliveries):
            accept("faulty", given)
            if not working.is_alive():
                working.start()
            chance.shuffle(given)
        for place in range(orders.neighbours):
            accept(f"small-{place}", small[place * OF_NEIGHBOUR : (place + 1) * OF_NEIGHBOUR])
        pending = [*(f"small-{place}" for place in range(orders.neighbours)), "faulty"]
        while pending:
            time.sleep(0.2)
            before = len(pending)
            pending = [it for it in pending if not _patiently(deadline, functools.partial(_settled, ledger, it))]
            if pending in ([], ["faulty"]) and before > 1:
                print(json.dumps({"small": time.monotonic() - began}), flush=True)
            if time.monotonic() > deadline:
                os.write(2, b"gave up: not every call has settled\n")
                os._exit(1)
        engine.stop(30.0)
        working.join()


def _ledger(orders: Orders) -> Ledger:
    return Ledger(orders.ledger, lease_seconds=orders.lease_seconds, clock=_clock(orders.clock_steps))


def _patiently(deadline: float, act: Any) -> Any:
    """Do it, and again while the ledger cannot be reached."""
    while True:
        try:
            return act()
        except TryAgainError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _settled(ledger: Ledger, name: str) -> bool:
    due = sa.select(calls.c.call_id).where(calls.c.connection == name, calls.c.state == "due").limit(1)
    with ledger.database.reading() as step:
        return step.execute(due).first() is None


def _accept(
    ledger: Ledger, engine: Engine, deadline: float, reached: Callable[[str], None], name: str, given: list[Call]
) -> None:
    for start in range(0, len(given), CHUNK):
        chunk = given[start : start + CHUNK]
        _patiently(deadline, functools.partial(ledger.inbox.accept, name, chunk, wake=engine.wake))
        reached("accepted")


def _clock(steps: tuple[float, ...]) -> Any:
    if not steps:
        return time.time
    begun = time.monotonic()
    return lambda: time.time() + steps[int(time.monotonic() - begun) % len(steps)]


if __name__ == "__main__":
    main(Orders.model_validate(json.loads(sys.argv[1])))
