"""The use case without a ledger: look up, decide, write, in one go.

What was written is recognised in the CRM alone. A platform that wants every call accounted for, whatever happens, uses the
ledger and its pump; see :mod:`connector_core.pump`.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from connector_core.association import Decision, Settings, decide
from connector_core.connection import Connection
from connector_core.errors import ConnectorError
from connector_core.lookup import look_up
from connector_core.model import ActivityDraft, Call, Receipt, Unknown
from connector_core.work import THERE, UNIT, Outcome, Sent, Settled, Taken, Work
from connector_core.writing import Owner, Writing, result_json

Sleep: TypeAlias = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What became of one call. ``reason`` says why, for a person, where the outcome does not speak for itself.

    ``owner``: whom the activity was created with, and why.
    """

    call_id: str
    outcome: Outcome
    decision: Decision | None = None
    activity_id: str | None = None
    url: str | None = None
    reason: str | None = None
    owner: Owner | None = None

    @property
    def settled(self) -> bool:
        """Tell whether this call needs nobody any more."""
        return self.outcome in {"created", "updated", "unchanged", "skipped"}

    def to_json(self) -> dict[str, Any]:
        """Give the result as plain data."""
        return result_json(
            self.call_id,
            self.decision.to_json() if self.decision else None,
            outcome=self.outcome,
            activity_id=self.activity_id,
            url=self.url,
            reason=self.reason,
        )


def associate(connection: Connection, calls: Sequence[Call], settings: Settings) -> list[Decision]:
    """Decide what calls belong to, and change nothing.

    :returns: A decision for each call, in their order; ``undecided`` where the CRM could not be asked. Of two calls with
        one id, the later one is decided in the earlier one's place.
    :raises CredentialsError: The CRM refuses the connection's credentials.
    :raises ConfigurationError: The connection cannot do what the settings ask for.
    """
    Work(connection, settings)
    decisions: list[Decision] = []
    for unit in units({call.id: call for call in calls}.values()):
        records = look_up(connection, unit, settings)
        decisions.extend(decide(call, records, settings) for call in unit)
    return decisions


def sync(
    connection: Connection,
    calls: Iterable[Call],
    settings: Settings,
    *,
    writing: Writing | None = None,
    sleep: Sleep = time.sleep,
) -> Iterator[SyncResult]:
    """Decide what calls belong to, and write one activity for each.

    A write that was not answered is looked for again after the connection's ``settle_seconds``, before it is sent again.

    :param writing: Which calls are written, and as what; the defaults without it.
    :returns: A result for each call, in their order, as each unit of calls has settled.
    :raises CredentialsError: The CRM refuses the connection's credentials.
    :raises ConfigurationError: The connection cannot do what the settings ask for.
    """
    work = Work(connection, settings, writing)
    for unit in units(calls):
        yield from _sync(work, unit, sleep)


def _sync(work: Work, calls: Sequence[Call], sleep: Sleep) -> Iterator[SyncResult]:
    decisions = work.decide(calls, Taken())
    plan = work.plan(calls, decisions)
    done = _write(work, plan.drafts, sleep)
    results = [_result(call.id, decisions.get(call.id), plan.settled.get(call.id), done.get(call.id)) for call in calls]
    failed = _write_notes(work, results, sleep)
    for result in results:
        receipt = failed.get(result.call_id)
        yield (
            result
            if receipt is None
            else replace(result, outcome=receipt.outcome, reason=f"its note: {receipt.reason}")
        )


def _result(call_id: str, decision: Decision | None, settled: Settled | None, sent: Sent | None) -> SyncResult:
    if sent is not None:
        it = sent.receipt
        return SyncResult(call_id, it.outcome, decision, it.id, it.url, it.reason, _owner(sent))
    assert settled is not None  # noqa: S101 - a call is planned as one or the other
    id_, url = (settled.activity.id, settled.activity.url) if settled.activity else (None, None)
    return SyncResult(call_id, settled.outcome, decision, id_, url, settled.reason)


def _write_notes(work: Work, results: Iterable[SyncResult], sleep: Sleep) -> dict[str, Receipt]:
    """Write the notes that are not there yet of calls that have their activities; give what kept one from being written."""
    there = [it for it in results if it.outcome in THERE and it.activity_id is not None and it.decision is not None]
    drafts = {it.call_id: draft for it in there if (draft := _note(work, it))}
    found = work.look_for(drafts.values()) if drafts else {}
    done = _write(work, {key: drafts[key] for key, it in found.items() if it is None}, sleep)
    unknown = {key: Receipt("deferred", reason=it.reason) for key, it in found.items() if isinstance(it, Unknown)}
    return unknown | {key: it.receipt for key, it in done.items() if it.receipt.outcome not in THERE}


def _note(work: Work, result: SyncResult) -> ActivityDraft | None:
    assert result.decision is not None  # noqa: S101 - the caller left the others out
    return work.note(result.decision, result.owner.id if result.owner else None)


def _owner(sent: Sent) -> Owner | None:
    """Give whom an activity was created with."""
    draft = sent.draft
    if sent.receipt.outcome != "created" or draft.owner_from is None:
        return None
    return Owner(draft.owner_id, draft.owner_from)


def _write(work: Work, drafts: Mapping[str, ActivityDraft], sleep: Sleep) -> dict[str, Sent]:
    """Write; look for what was not answered once it has settled, and send what is not there once more.

    A change is sent again as it is: twice does what once does. What is not there after the second time either is
    put off: a later sync may send it at once.
    """
    done = work.send(drafts.values())
    for once_more in (True, False):
        lost = [it.draft for it in done.values() if it.receipt.outcome == "unknown"]
        if not lost:
            break
        sleep(work.connection.settle_seconds)
        created = [draft for draft in lost if draft.activity_id is None]
        missing = []
        for key, found in work.look_for(created).items():
            if found is None:
                missing.append(done[key].draft)
            elif not isinstance(found, Unknown):
                done[key] = Sent(done[key].draft, Receipt("created", found.id, found.url))
        if once_more:
            done |= _send_again(work, [*missing, *(draft for draft in lost if draft.activity_id is not None)])
        else:
            done |= {draft.key: Sent(draft, _put_off(done[draft.key].receipt)) for draft in missing}
    return {key: _doubted(it) if it.receipt.outcome == "unknown" else it for key, it in done.items()}


def _send_again(work: Work, drafts: Sequence[ActivityDraft]) -> dict[str, Sent]:
    """Send once more; an error raised now must not lose the receipts that are there."""
    try:
        return work.send(drafts)
    except ConnectorError as error:
        return {it.key: Sent(it, Receipt("deferred", it.activity_id, reason=str(error))) for it in drafts}


def _put_off(receipt: Receipt) -> Receipt:
    return replace(receipt, outcome="deferred", reason=f"{receipt.reason}; it may have been sent, and is not there")


def _doubted(sent: Sent) -> Sent:
    reason = f"{sent.receipt.reason}; it may have been written: the next sync looks for it before it is sent again"
    return replace(sent, receipt=replace(sent.receipt, reason=reason))


def units(calls: Iterable[Call]) -> Iterator[list[Call]]:
    """Take calls unit by unit; of two with one id in a unit, the later one in the earlier one's place."""
    iterator = iter(calls)
    while unit := list(itertools.islice(iterator, UNIT)):
        yield list({call.id: call for call in unit}.values())
