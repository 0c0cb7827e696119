"""``connector worker``: works on what the ledger holds, until it is stopped."""

from __future__ import annotations

import functools
import logging
import os
import signal
import threading
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from typing import TypeVar

from connector_core.cli import inputs
from connector_core.cli.collector import rare_collections
from connector_core.cli.output import DONE, INCOMPLETE, OutputClosedError, flush, say, say_json, tell
from connector_core.config import Config
from connector_core.engines import Engine, Limits, engine_for
from connector_core.errors import ConfigurationError, ConnectorError, TryAgainError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.opening import open_ledger
from connector_core.ledger.overview import read_overview
from connector_core.pump import Ran

LOOK_SECONDS = 1.0
"""How often it looks whether who started it and its own engine are still there, and at first whether the ledger is."""
TALKATIVE = ("psycopg.pool", "procrastinate")
"""Loggers that say over and over, with tracebacks, that the database is away, which the engine says once."""
ORPHANED = "the process that started it is gone"

T = TypeVar("T")


def run(arguments: Namespace) -> int:
    """Work until SIGTERM, SIGINT, or the end of the process that started this one."""
    parent = None if arguments.detached else os.getppid()  # before anything that takes time: it may end meanwhile
    config = inputs.file(arguments.config)
    names = _names(config, arguments.connection)
    # A queue may be put to while it is being put to: signals come in pairs, one to the process and one to its group.
    stop: SimpleQueue[str] = SimpleQueue()

    def report(name: str, ran: Ran | ConnectorError) -> None:
        try:
            _show(name, ran, as_json=arguments.json)
        except OutputClosedError as closed:
            stop.put(str(closed) or "nobody reads what it prints")

    def engine_on(ledger: Ledger) -> Engine:
        limits = Limits(names=names, pumps=arguments.pumps, batch=arguments.batch, keep_days=config.keep_days)
        return engine_for(ledger, lambda name: config.connection(name).open(), limits=limits, report=report)

    if os.environ.get("CONNECTOR_DEBUG") != "1":
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(rare_collections())
        ledger = stack.enter_context(_patiently(lambda: open_ledger(config, arguments.ledger), parent))
        engine = _patiently(lambda: engine_on(ledger), parent)
        known = _patiently(lambda: read_overview(ledger.database), parent)
        for number in (signal.SIGINT, signal.SIGTERM):
            before = signal.signal(number, lambda number, _: stop.put(signal.Signals(number).name))
            stack.callback(signal.signal, number, before)
        for name in names:
            if config.connections[name].providers:
                _patiently(functools.partial(engine.wake, name), parent)  # to see to what was configured since
        working = threading.Thread(target=engine.run, name="engine", daemon=True)
        working.start()
        tell(f"working on {', '.join(names)} with the ledger {ledger.database.name}")
        for it in known.values():
            if it.connection in names and it.paused_at is not None:
                tell(f"connection {it.connection}: {_paused(it.connection, it.paused_reason)}")
        if not arguments.connection:
            inputs.tell_abandoned(config, known)
        tell(f"{_wait(stop, working, parent)}: ending what is under way")
        return _end(engine, working, arguments.grace)


def _names(config: Config, wanted: list[str] | None) -> list[str]:
    names = [config.connection(name).name for name in wanted or config.connections]
    if not names:
        raise ConfigurationError(f"{config.path}: has no connection to work on")
    return names


def _patiently(begin: Callable[[], T], parent: int | None) -> T:
    """Begin, as soon as the ledger can be reached."""
    told = False
    while True:
        try:
            return begin()
        except TryAgainError as error:
            if not told:
                tell(f"waiting for the ledger: {error}")
            told = True
        time.sleep(LOOK_SECONDS)
        if _orphaned(parent):
            raise ConnectorError(ORPHANED)


def _orphaned(parent: int | None) -> bool:
    return parent is not None and os.getppid() != parent


def _wait(stop: SimpleQueue[str], working: threading.Thread, parent: int | None) -> str:
    """Wait for a reason to end: with a ``parent``, its end is one."""
    while working.is_alive():
        try:
            return stop.get(timeout=LOOK_SECONDS)
        except Empty:
            if _orphaned(parent):
                return ORPHANED
    return "the engine failed, a defect"


def _end(engine: Engine, working: threading.Thread, grace_seconds: float) -> int:
    failed = not working.is_alive()
    if engine.stop(grace_seconds):
        working.join()
        return INCOMPLETE if failed else DONE
    tell(f"not over after {grace_seconds:g} s: ended all the same. The next worker looks for what was sent unanswered")
    flush()
    os._exit(INCOMPLETE)  # threads that wait for a CRM cannot be ended otherwise


def _paused(name: str, reason: str | None) -> str:
    return f"stands still until somebody resumes it: {reason}. {inputs.resuming(name)}"


def _show(name: str, ran: Ran | ConnectorError, *, as_json: bool) -> None:
    if isinstance(ran, ConnectorError):
        problem: str | None = str(ran)
        calls, held_back = 0, None
    else:
        calls, held_back = ran.calls, ran.held_back
        problem = ran.paused and _paused(name, ran.paused)
    if problem or held_back:
        tell(f"connection {name}: {problem or held_back}")
    if as_json and (calls or problem or held_back):
        say_json({"connection": name, "calls": calls, "problem": problem, "held_back": held_back})
    elif calls:
        say(f"{name}: {calls} calls")
