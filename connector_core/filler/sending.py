"""What was chosen is noted, then sent, and what comes of it is kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from connector_core.connection import Connection
from connector_core.errors import (
    ContractError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.filler.choosing import Plan
from connector_core.filler.items import Item
from connector_core.filler.later import Later
from connector_core.filler.undoing import Undo
from connector_core.filling.outcomes import Reason
from connector_core.ledger.fill_rows import Filled, Filling, Place
from connector_core.ledger.fill_steps import Turn, Wrote
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.model import FieldReceipt, RecordUpdate

THERE = ("sent", "unchanged")
"""Outcomes of a receipt with which the CRM has the value."""
NO_RIGHT = "the connection's user lacks the right"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What becomes of the calls of a unit: ``items`` are all their fields, most of which have come to their end."""

    jobs: Sequence[FillJob]
    items: Sequence[Item]
    plan: Plan
    undos: Sequence[Undo]

    def open_calls(self) -> set[str]:
        """Give the calls of which more is to come: what they send, take back, or send after all if another is refused."""
        plan = self.plan
        items = (item for groups in (plan.sending, plan.outdone) for group in groups.values() for item in group)
        return {item.job.call_id for item in items} | {it.job.call_id for it in self.undos if it.place in plan.put_back}


class Sending:
    """Sends what was chosen for some calls."""

    def __init__(self, ledger: Ledger, connection: Connection, later: Later, reached: Callable[[str], None]) -> None:
        """Send nothing yet."""
        self._steps = ledger.fill_steps
        self._connection = connection
        self._later = later
        self._reached = reached

    def send(self, lease: Lease, chosen: Chosen) -> None:
        """Note what is about to be sent, send it, and keep what came of it."""
        plan, run = chosen.plan, uuid.uuid4().hex[:12]
        kept = self._note(lease, chosen, run)
        self._reached("noted")
        if not kept:
            return
        if (why_not := lease.why_not_write(self._connection.timeout_seconds)) is not None:
            raise TryAgainError(why_not)
        noted = [item for group in plan.sending.values() for item in group]
        undos = [it for it in chosen.undos if it.place in plan.put_back and it.job.call_id in kept]
        plan.leave_out(chosen.open_calls() - kept, [it.place for it in undos])
        receipts = self._sent(plan.updates())
        self._reached("sent")
        done = self._received(plan, undos, receipts)
        for item in noted:
            if item.place not in receipts:  # the one that was to send it for both was decided anew
                self._later.at_once(item.job)
        wrote = Wrote([it.wrote(it.row.wanted, it.row.previous, run) for it in done], _taken_back(undos))
        rows = [*(item.row for group in plan.sending.values() for item in group), *(undo.row for undo in undos)]
        jobs = [job for job in chosen.jobs if job.call_id in kept]
        self._steps.finish(lease, turns_of(jobs, rows, self._later), wrote)

    def _note(self, lease: Lease, chosen: Chosen, run: str) -> set[str]:
        """Note what became of calls so far; give those of which more is to come, if nobody decided anew about them."""
        plan, open_calls = chosen.plan, chosen.open_calls()
        for group in plan.sending.values():
            for number, item in enumerate(group):
                item.end("other", "unknown_outcome")
                item.row = replace(item.row, run=None if number else run)
        rows = [*(item.row for item in chosen.items), *(undo.row for undo in chosen.undos if undo.done)]
        found_out = Wrote(plan.confirmed, _taken_back(chosen.undos))
        doubt_seconds = self._connection.settle_seconds + self._connection.timeout_seconds
        turns = turns_of(chosen.jobs, rows, self._later)
        return open_calls & self._steps.begin(lease, turns, open_calls, found_out, doubt_seconds=doubt_seconds)

    def _received(self, plan: Plan, undos: Sequence[Undo], receipts: Mapping[Place, FieldReceipt]) -> list[Item]:
        """Say what came of each; give the items whose values were written."""
        wrote: list[Item] = []
        for place, group in plan.sending.items():
            for item in group:
                self._ended(item, receipts[place])
            if receipts[place].outcome in THERE:
                wrote.append(group[0])
        for undo in undos:
            self._taken_back(undo, receipts[undo.place])
        for place, outdone in plan.outdone.items():
            receipt = receipts.get(place)
            for item in outdone:
                if receipt is None or receipt.outcome == "refused":
                    self._later.at_once(item.job)
                elif receipt.outcome not in THERE:
                    self._once_more(item.job, receipt)
        return wrote

    def _sent(self, updates: Sequence[RecordUpdate]) -> dict[Place, FieldReceipt]:
        """Send; whatever comes of it is in the receipts."""
        try:
            receipts = self._connection.fill_fields(updates) if updates else {}
        except (TryAgainError, CredentialsError) as error:
            receipt = FieldReceipt("deferred", str(error))
        except MissingRightError as error:
            receipt = FieldReceipt("refused", str(error), NO_RIGHT)
        except RefusedError as error:
            receipt = FieldReceipt("refused", error.sentence or str(error), error.code)
        except (OutcomeUnknownError, ContractError) as error:
            receipt = FieldReceipt("unknown", str(error))
        else:
            return {(*record, name): it for record, of in receipts.items() for name, it in of.items()}
        return {(it.object, it.id, name): receipt for it in updates for name in it.fields}

    def _ended(self, item: Item, receipt: FieldReceipt) -> None:
        if receipt.outcome in THERE:
            item.end("sent")
        elif receipt.outcome == "refused":
            item.end("other", self._why(receipt), receipt.reason)
        else:
            item.end("other", "unknown_outcome", receipt.reason)
            self._once_more(item.job, receipt)

    def _taken_back(self, undo: Undo, receipt: FieldReceipt) -> None:
        if receipt.outcome in THERE:
            undo.took_back()
        elif receipt.outcome == "refused":
            undo.keep(receipt.reason or "the CRM refused it")
        else:
            self._once_more(undo.job, receipt)
            return
        self._later.at_once(undo.job)  # the template may say something else of the field by now

    def _once_more(self, job: FillJob, receipt: FieldReceipt) -> None:
        self._later.once_more(job, self._connection.settle_seconds if receipt.outcome == "unknown" else None)

    def _why(self, receipt: FieldReceipt) -> Reason:
        if receipt.code == NO_RIGHT:
            return "no_permission"
        return self._connection.manifest.refusals.get(receipt.code or "", "refused_value")


def _taken_back(undos: Iterable[Undo]) -> dict[Place, tuple[str, Filled | None]]:
    return {undo.place: (undo.job.call_id, undo.restored()) for undo in undos if undo.is_taken_back}


def turns_of(jobs: Sequence[FillJob], rows: Iterable[Filling], later: Later) -> list[Turn]:
    """Give what is to be kept of calls."""
    of: dict[str, list[Filling]] = {}
    for row in rows:
        of.setdefault(row.call_id, []).append(row)
    return [Turn(job, of.get(job.call_id, ()), later.seconds(job)) for job in jobs]
