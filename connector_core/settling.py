"""Calls that somebody waits for: accepted by the ledger, pumped at once, and answered when they have settled."""

from __future__ import annotations

import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from connector_core.config import OpenConnection
from connector_core.filler import Filler, FillRun
from connector_core.ledger.calls import Standing
from connector_core.ledger.ledger import Ledger
from connector_core.model import Call
from connector_core.pump import Pump, Ran

MOST_ROUNDS = 3
"""How often what was not answered is waited for."""
BUSY_SECONDS = 0.5
"""How long another process that works on the connection is waited for, before looking again."""
TELL_AFTER = 20
"""After how many looks it is told that there is one: it may have been stopped, and is waited for all the same."""

_log = logging.getLogger(__name__)


def sync_settled(
    ledger: Ledger,
    opened: OpenConnection,
    calls: Sequence[Call],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Standing]:
    """Accept calls, work on them now, and give how each stands once it has settled, in their order.

    A call that is written already, and of which nothing new is known, is ``unchanged``: nothing is asked of the CRM. One
    that waits is tried again. What the CRM could not be asked stays ``deferred``, and all calls of a connection that is
    paused do: the ledger keeps them for the next pump.

    :raises CredentialsError: The CRM refuses the credentials; the connection is paused.
    :raises ConfigurationError: The connection cannot serve its settings; likewise.
    :raises TryAgainError: The ledger cannot be reached.
    """
    name = opened.connection.name
    pump = Pump(ledger, opened)
    known = {call_id for call_id, it in ledger.inbox.accept(name, calls).verdicts.items() if it == "known"}
    ids = list(dict.fromkeys(call.id for call in calls))
    standings = ledger.calls.of(name, sorted(known))
    written = {
        call_id: replace(it, outcome="unchanged", reason=None)
        for call_id, it in standings.items()
        if it.state == "written"
    }
    ledger.inbox.hurry(name, sorted(known - written.keys()))
    found = written | settle(ledger, pump, [call_id for call_id in ids if call_id not in written], sleep=sleep)
    for call_id in ids:
        if call_id in found:
            yield found[call_id]


def settle(
    ledger: Ledger, pump: Pump, call_ids: Sequence[str], *, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Standing]:
    """Work on calls that are due, wait for what is in doubt, and give how each stands then, in their order.

    Another process that works on the connection is waited for. What nothing came of is ``deferred``.

    :raises CredentialsError: None of them settled, since the CRM refuses the credentials; the connection is paused.
    :raises ConfigurationError: None of them settled, since the connection cannot serve its settings; likewise.
    :raises TryAgainError: The ledger cannot be reached.
    """
    ran = _pump(ledger, pump, call_ids, sleep)
    standings = ledger.calls.of(pump.connection.name, call_ids)
    if ran.failure is not None and not any(it.outcome and it.settled for it in standings.values()):
        raise ran.failure
    if ran.failure is not None:
        why = f"not reached: {ran.failure}"
    elif ran.paused is not None:
        why = f"the connection is paused, until somebody resumes it: {ran.paused}"
    else:
        why = "another process works on it"
    return {
        call_id: it if it.outcome else replace(it, outcome="deferred", reason=why)
        for call_id in call_ids
        if (it := standings.get(call_id)) is not None  # or it was erased meanwhile
    }


def fill_now(
    ledger: Ledger, opened: OpenConnection, call_ids: Sequence[str], *, sleep: Callable[[float], None] = time.sleep
) -> FillRun:
    """Fill the CRM's fields from these calls, as far as they are due now; other calls that are due go along.

    Another process that works on the connection is waited for. What was not answered is due again later.

    :raises CredentialsError: The CRM refuses the credentials; the connection is paused.
    :raises ConfigurationError: The plugin cannot fill fields, for example; likewise.
    :raises TryAgainError: The CRM or the ledger cannot be reached.
    """
    filler = Filler(ledger, opened)
    name = opened.connection.name
    looks = 0
    while True:
        ran = filler.run()
        due = ledger.fillings.due_of(name, call_ids)
        if not ran.busy or not any(at <= ledger.now() for at in due.values()):
            return ran
        looks += 1
        _wait_for_another(name, looks, sleep)


def _pump(ledger: Ledger, pump: Pump, call_ids: Sequence[str], sleep: Callable[[float], None]) -> Ran:
    """Pump until nothing is in doubt; give the last run."""
    rounds = looks = 0
    while True:
        ran = pump.run()
        if ran.paused is not None:
            return ran
        if ran.busy:
            looks += 1
            _wait_for_another(pump.connection.name, looks, sleep)
            if not ledger.calls.doubtful(pump.connection.name, call_ids, unworked=True):
                return ran
            continue
        doubtful = ledger.calls.doubtful(pump.connection.name, call_ids)
        rounds += 1
        if not doubtful or rounds >= MOST_ROUNDS:
            return ran
        left = (max(doubtful) - ledger.now()) / dt.timedelta(seconds=1)
        sleep(max(0.0, math.ceil(left * 10) / 10))


def _wait_for_another(connection: str, looks: int, sleep: Callable[[float], None]) -> None:
    if looks == TELL_AFTER:
        _log.warning("connection %s: waiting for another process that works on it", connection)
    sleep(BUSY_SECONDS)
