"""A unit of calls whose fields are filled together: each step asks the CRM once for all of them."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from connector_core.config import OpenConnection
from connector_core.errors import (
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.filler import items as stages
from connector_core.filler.choosing import Plan, choose, to_read
from connector_core.filler.items import Current, Item
from connector_core.filler.names import look_up_names
from connector_core.filler.undoing import Undo, undos
from connector_core.filling.coercion import Context
from connector_core.filling.outcomes import Reason
from connector_core.ledger.fill_rows import Filling, Place
from connector_core.ledger.fillings import FillJob, Turn
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.templates import Published
from connector_core.model import FieldReceipt, ObjectDescription, RecordFields, RecordUpdate, Unknown

EXTRACTING = 4
"""Calls that an extractor is asked about at once."""
PATIENCE = dt.timedelta(days=7)
"""How long an extractor, or the CRM, is asked again."""

THERE = ("sent", "unchanged")
"""Outcomes of a receipt with which the CRM has the value."""
NO_RIGHT = "the connection's user lacks the right"

_log = logging.getLogger(__name__)


class Unit:
    """Works on some calls. ``trouble``: the first error that kept an extractor from being asked."""

    def __init__(
        self,
        ledger: Ledger,
        opened: OpenConnection,
        published: Sequence[Published],
        reached: Callable[[str], None],
    ) -> None:
        """Do nothing yet."""
        self._reached = reached
        self._ledger = ledger
        self._opened = opened
        self._connection = opened.connection
        self._published = published
        self._again: dict[str, float] = {}
        self._now = dt.datetime.now(dt.UTC)
        self.trouble: ConnectorError | None = None

    def fill(self, lease: Lease, jobs: Sequence[FillJob]) -> None:
        """Bring the fields of calls to their outcomes, or leave them due for later.

        :raises CredentialsError: The CRM refuses the credentials.
        :raises TryAgainError: The CRM, or the ledger, cannot be asked.
        """
        self._again, self._now = {}, self._ledger.now()
        ready = [job for job in jobs if job.settled]
        items = stages.eligible(ready, self._published, self._opened.association.time_zone)
        self._described(items)
        self._extracted(items)
        open_items = [item for item in items if not item.done]
        contexts = self._contexts(open_items)
        for item in open_items:
            stages.read_value(item, contexts[item.job.call_id])
        self._linked(open_items)
        for item in open_items:
            if not item.done:
                stages.approve(item)
        self._settle(lease, jobs, items, [item for item in items if not item.done], contexts)

    # -- what is to be sent --------------------------------------------------------------------------------------------

    def _described(self, items: Sequence[Item]) -> None:
        for item in items:
            if item.job.deleted:
                if item.old is not None and item.old.outcome == "sent":
                    item.stay()
                else:
                    item.end("other", "call_deleted")
        wanted = {item.field.object for item in items if not item.done}
        names = {role: self._connection.manifest.names.get(role, role) for role in wanted}
        found = self._connection.describe_objects(set(names.values())) if names else {}
        objects: dict[str, tuple[ObjectDescription, ...]] = {}
        for role, name in names.items():
            described = found[name]
            if isinstance(described, Unknown):
                raise TryAgainError(f"connection {self._connection.name}: {name} was not described: {described.reason}")
            objects[role] = described
        stages.describe([item for item in items if not item.done], objects)

    def _extracted(self, items: Sequence[Item]) -> None:
        """Find values, some calls at once; a call that could not be asked about is due again."""
        of: dict[str, list[Item]] = {}
        for item in stages.to_extract(items):
            of.setdefault(item.job.call_id, []).append(item)
        if not of:
            return
        try:
            extractor = self._opened.extractor()
        except ConnectorError as error:
            self._not_extracted([item for chosen in of.values() for item in chosen], error)
            return
        with ThreadPoolExecutor(min(EXTRACTING, len(of)), thread_name_prefix="extract") as pool:
            asked = {
                call_id: pool.submit(extractor.extract, chosen[0].call, [stages.asked(item) for item in chosen])
                for call_id, chosen in of.items()
            }
        for call_id, future in asked.items():
            try:
                answers = future.result()
            except ConnectorError as error:
                self._not_extracted(of[call_id], error)
                continue
            for item in of[call_id]:
                answer = answers[item.key]
                if isinstance(answer, Unknown):
                    self._not_extracted([item], TryAgainError(answer.reason))
                else:
                    stages.found(item, answer, extractor.name)

    def _not_extracted(self, items: Sequence[Item], error: ConnectorError) -> None:
        """Ask again later; after a long time, say that nothing could be asked."""
        self.trouble = self.trouble or error
        after = error.after_seconds if isinstance(error, TryAgainError) else None
        for item in items:
            job = item.job
            if self._now - job.since > PATIENCE:
                item.end("other", "not_extracted", str(error))
                continue
            item.put_off = True
            self._again[job.call_id] = after or _pause(job)

    def _contexts(self, items: Sequence[Item]) -> dict[str, Context]:
        names = look_up_names(self._connection, items)
        return {item.job.call_id: self._context(item.call.started_at, names) for item in items}

    def _context(self, said_at: dt.datetime, names: Mapping[str, tuple[str, ...]]) -> Context:
        settings = self._opened.association
        return Context(said_at, settings.time_zone, tuple(settings.regions), names)

    def _linked(self, items: Sequence[Item]) -> None:
        """Find the records that values go to, some of them through a field of another record."""
        names = self._connection.manifest.names
        wanted: dict[tuple[str, str], set[str]] = {}
        for role, record_id, name in stages.lookups(items):
            wanted.setdefault((names.get(role, role), record_id), set()).add(name)
        found = self._read([RecordFields(*record, tuple(sorted(it))) for record, it in sorted(wanted.items())])
        for item in items:
            if not item.done and not stages.link(item, names, found):
                self._put_off(item, "a record was not read")

    def _put_off(self, item: Item, why: str) -> None:
        _log.info("connection %s: a field is put off: %s", self._connection.name, why)
        item.put_off = True
        self._again[item.job.call_id] = _pause(item.job)

    def _chosen(self, items: Sequence[Item], jobs: Sequence[FillJob], contexts: Mapping[str, Context]) -> _Chosen:
        """Read what stands where values are to go, and choose what is sent."""
        names = self._connection.manifest.names
        asked = [row for job in jobs for row in job.fillings.values() if row.undo_by and row.record_id]
        records = {(names.get(row.object or "", row.object or ""), row.record_id or "") for row in asked}
        written = self._ledger.fillings.written(self._connection.name, {item.place[:2] for item in items} | records)
        taking_back = undos(self._connection, jobs, written, self._context(self._now, {}))
        current = self._read(to_read(items, [undo.place for undo in taking_back]))
        for item in items:
            if isinstance(answer := current[item.place[:2]], Unknown):
                self._put_off(item, answer.reason)
        plan = choose([item for item in items if not item.put_off], current, written, contexts)
        for undo in taking_back:
            answer = current[undo.place[:2]]
            if isinstance(answer, Unknown) or undo.place in plan.sending:
                self._again[undo.job.call_id] = _pause(undo.job)
            else:
                undo.decide(plan, answer)
        return _Chosen(plan, taking_back)

    def _read(self, records: Sequence[RecordFields]) -> Current:
        """Read what stands there; a plugin that cannot fills what is to be overwritten in any case."""
        if "read_fields" not in self._connection.operations:
            return {(it.object, it.id): (dict.fromkeys(it.fields),) for it in records}
        return self._connection.read_fields(records) if records else {}

    # -- sending -------------------------------------------------------------------------------------------------------

    def _settle(
        self,
        lease: Lease,
        jobs: Sequence[FillJob],
        items: Sequence[Item],
        open_items: Sequence[Item],
        contexts: Mapping[str, Context],
    ) -> None:
        """Note what is about to be sent, send it, and keep what came of it."""
        chosen = self._chosen(open_items, jobs, contexts)
        plan, run = chosen.plan, uuid.uuid4().hex[:12]
        for group in plan.sending.values():
            for number, item in enumerate(group):
                item.end("other", "unknown_outcome")
                item.row = replace(item.row, run=None if number else run)
        sending = {item.job.call_id for group in plan.sending.values() for item in group}
        sending |= {undo.job.call_id for undo in chosen.taking_back if undo.place in plan.put_back}
        turns = self._turns(jobs, items, [undo for undo in chosen.taking_back if undo.done])
        doubt_seconds = self._connection.settle_seconds + self._connection.timeout_seconds
        kept = self._ledger.fillings.begin(lease, turns, sending, doubt_seconds=doubt_seconds)
        self._reached("noted")
        plan.leave_out(sending - kept)
        taking_back = [it for it in chosen.taking_back if it.place in plan.put_back and it.job.call_id in kept]
        if not (plan.sending or taking_back or plan.confirmed):
            return
        receipts = self._sent(plan.updates())
        self._reached("sent")
        wrote = list(plan.confirmed)
        for place, group in plan.sending.items():
            receipt = receipts[place]
            for item in group:
                self._received(item, receipt)
            if receipt.outcome in THERE:
                wrote.append(group[0].wrote(group[0].row.wanted, group[0].row.previous, run))
        for undo in taking_back:
            self._taken_back(undo, receipts[undo.place])
        gone = [undo.place for undo in taking_back if undo.row.reason == "taken_back"]
        left = [item for group in plan.sending.values() for item in group]
        done = [job for job in jobs if job.call_id in kept & sending]
        self._ledger.fillings.finish(lease, self._turns(done, left, taking_back), wrote, gone)

    def _turns(self, jobs: Sequence[FillJob], items: Sequence[Item], undos: Sequence[Undo]) -> list[Turn]:
        rows: dict[str, list[Filling]] = {}
        for row in (*(item.row for item in items if item.ended), *(undo.row for undo in undos)):
            rows.setdefault(row.call_id, []).append(row)
        return [Turn(job, rows.get(job.call_id, ()), self._again.get(job.call_id)) for job in jobs]

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

    def _received(self, item: Item, receipt: FieldReceipt) -> None:
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

    def _once_more(self, job: FillJob, receipt: FieldReceipt) -> None:
        if self._now - job.since < PATIENCE:
            unknown = receipt.outcome == "unknown"
            self._again[job.call_id] = max(_pause(job), self._connection.settle_seconds if unknown else 0.0)

    def _why(self, receipt: FieldReceipt) -> Reason:
        if receipt.code == NO_RIGHT:
            return "no_permission"
        return self._connection.manifest.refusals.get(receipt.code or "", "refused_value")


@dataclass(frozen=True, slots=True)
class _Chosen:
    plan: Plan
    taking_back: Sequence[Undo]


def _pause(job: FillJob) -> float:
    """Give the seconds until a call is tried again: longer each time, up to an hour."""
    return float(min(3600.0, 15.0 * 2 ** min(job.tries, 10)))
