"""A unit of calls whose fields are filled together: each step asks the CRM once for all of them."""

from __future__ import annotations

import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait

from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError, MissingRightError, RefusedError, TryAgainError
from connector_core.extractors.binding import Extractor
from connector_core.extractors.hookspecs import Answer
from connector_core.filler import items as stages
from connector_core.filler.choosing import choose, to_read
from connector_core.filler.following import inherit, look_up_heirs, read_lookups
from connector_core.filler.items import Current, Item
from connector_core.filler.later import Later
from connector_core.filler.money import currency_of, is_money
from connector_core.filler.names import look_up_names
from connector_core.filler.sending import Chosen, Sending, turns_of
from connector_core.filler.undoing import undos
from connector_core.filling.coercion import Context
from connector_core.filling.outcomes import Reason
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.templates import Published
from connector_core.model import RecordFields, Unknown

EXTRACTING = 4
"""Calls that an extractor is asked about at once."""
MOST_ANSWERS = 5
"""How often an extractor is asked that answers, and does not know: each answer may cost money."""

_log = logging.getLogger(__name__)


class Unit:
    """Works on some calls. ``trouble``: the first error that kept an extractor from being asked."""

    def __init__(
        self,
        ledger: Ledger,
        opened: OpenConnection,
        published: Sequence[Published],
        reached: Callable[[str], None],
        *,
        until: float = math.inf,
    ) -> None:
        """Do nothing yet.

        :param until: When no further call is to be looked at that an extractor was not asked about, by the monotonic clock.
        """
        self._reached = reached
        self._ledger = ledger
        self._opened = opened
        self._connection = opened.connection
        self._published = published
        self._until = until
        self._later = Later(ledger.now())
        self.trouble: ConnectorError | None = None

    def fill(self, lease: Lease, jobs: Sequence[FillJob]) -> None:
        """Bring the fields of calls to their outcomes, or leave them due for later.

        :raises CredentialsError: The CRM refuses the credentials.
        :raises TryAgainError: The CRM, or the ledger, cannot be asked. What was found is kept.
        """
        self._later = Later(self._ledger.now())
        ready = [job for job in jobs if job.settled]
        if gone := stages.untargeted(ready, self._published):
            self._ledger.fill_steps.drop(lease, gone)
        items = stages.eligible(ready, self._published, self._opened.association.time_zone)
        self._described(items)
        if self._extracted(items):  # it may have cost money: whatever happens now, nobody asks for it again
            self._ledger.fill_steps.keep(lease, turns_of(ready, (item.known() for item in items), self._later))
        contexts = self._contexts(items)
        for item in _open(items):
            stages.read_value(item, contexts[item.job.call_id])
        self._linked(items)
        for item in _open(items):
            stages.approve(item)
        sending = Sending(self._ledger, self._connection, self._later, self._reached)
        sending.send(lease, self._chosen(jobs, items, contexts))

    def _described(self, items: Sequence[Item]) -> None:
        for item in items:
            if item.job.deleted and item.sent:
                item.stay()
            elif item.job.deleted:
                item.end("other", "call_deleted")
        named = self._connection.manifest.names
        names = {item.field.object: named.get(item.field.object, item.field.object) for item in _open(items)}
        found = self._connection.describe_objects(set(names.values())) if names else {}
        for item in stages.describe(_open(items), {role: found[name] for role, name in names.items()}):
            self._wait(item, "unknown_outcome", f"the CRM did not describe {item.field.object}")

    def _wait(
        self, item: Item, reason: Reason, why: str, seconds: float | None = None, most: int | None = None
    ) -> None:
        _log.info("connection %s: a field is filled later: %s", self._connection.name, why)
        item.wait(reason, why)
        self._later.once_more(item.job, seconds, most=most)

    # -- what was said -------------------------------------------------------------------------------------------------

    def _extracted(self, items: Sequence[Item]) -> bool:
        """Find values, some calls at once; a call that could not be asked about is due again. Tell whether any was."""
        of: dict[str, list[Item]] = {}
        for item in stages.to_extract(items):
            of.setdefault(item.job.call_id, []).append(item)
        if not of:
            return False
        try:
            extractor = self._opened.extractor()
        except ConnectorError as error:
            self._not_extracted([item for chosen in of.values() for item in chosen], error)
            return False
        for call_id, future in self._asked(extractor, of).items():
            try:
                answers = future.result()
            except CancelledError:
                for item in of[call_id]:
                    item.wait("unknown_outcome", "nobody has looked for it yet")
                self._later.at_once(of[call_id][0].job)
                continue
            except ConnectorError as error:
                self._not_extracted(of[call_id], error)
                continue
            for item in of[call_id]:
                answer = answers[item.key]
                if isinstance(answer, Unknown):
                    self._not_extracted([item], TryAgainError(answer.reason), most=MOST_ANSWERS)
                else:
                    stages.found(item, answer, extractor.name)
        return True

    def _asked(self, extractor: Extractor, of: Mapping[str, Sequence[Item]]) -> dict[str, Future[Mapping[str, Answer]]]:
        """Ask about the items of each call; when the time is over, only what is under way is waited for."""
        with ThreadPoolExecutor(min(EXTRACTING, len(of)), thread_name_prefix="extract") as pool:
            asked = {
                call_id: pool.submit(extractor.extract, items[0].call, [stages.asked(item) for item in items])
                for call_id, items in of.items()
            }
            left = self._until - time.monotonic()
            wait(asked.values(), None if left == math.inf else max(0.0, left))
            for future in list(asked.values())[EXTRACTING:]:  # the first ones are asked, or nothing would ever be
                future.cancel()
        return asked

    def _not_extracted(self, items: Sequence[Item], error: ConnectorError, *, most: int | None = None) -> None:
        self.trouble = self.trouble or error
        after = error.after_seconds if isinstance(error, TryAgainError) else None
        for item in items:
            self._wait(item, "not_extracted", str(error), after, most)

    def _contexts(self, items: Sequence[Item]) -> dict[str, Context]:
        names = look_up_names(self._connection, _open(items))
        for item in _open(items):
            if names.lack(item):
                self._wait(item, "unknown_outcome", "the record that is named could not be looked up")
        currency = self._currency([item for item in _open(items) if is_money(item)])
        return {item.job.call_id: self._context(item.call.started_at, names.ids, currency) for item in _open(items)}

    def _context(
        self, said_at: dt.datetime, names: Mapping[str, tuple[str, ...]], currency: str | None = None
    ) -> Context:
        settings = self._opened.association
        return Context(said_at, settings.time_zone, tuple(settings.regions), names, currency=currency)

    def _currency(self, items: Sequence[Item]) -> str | None:
        """Ask for the organization's currency, which amounts are held against; where it is not told, they wait."""
        try:
            return currency_of(self._connection) if items else None
        except (MissingRightError, RefusedError) as error:
            for item in items:
                self._wait(item, "unknown_outcome", f"the CRM does not tell its currency: {error}")
            return None

    # -- where it goes -------------------------------------------------------------------------------------------------

    def _linked(self, items: Sequence[Item]) -> None:
        """Find the records that values go to, some of them through a field of another record."""
        names = self._connection.manifest.names
        found = read_lookups(self._connection, stages.lookups(items))
        for item in _open(items):
            if not stages.link(item, names, found):
                self._wait(item, "unknown_outcome", "the record that leads to it could not be read")

    def _chosen(self, jobs: Sequence[FillJob], items: Sequence[Item], contexts: Mapping[str, Context]) -> Chosen:
        """Read what stands where values are to go, and choose what is sent."""
        named = self._connection.manifest.names
        asked = [row for job in jobs for row in job.fillings.values() if row.undo_by and row.record_id]
        undone = {(named.get(row.object or "", row.object or ""), row.record_id or "") for row in asked}
        mine = self._ledger.fillings.written(self._connection.name, undone)
        before = self._ledger.fillings.jobs(
            self._connection.name, sorted({row.replaced for row in asked if row.replaced})
        )
        taking_back = undos(self._connection, jobs, mine, before, self._context(self._later.now, {}))
        undo_places = [undo.place for undo in taking_back if undo.asked]
        current = self._read(to_read(_open(items), undo_places))
        if self._followed(items, current, contexts):
            current = self._read(to_read(_open(items), undo_places))
        records = undone | {place[:2] for item in _open(items) for place in (item.place, item.former) if place}
        written = self._ledger.fillings.written(self._connection.name, records)
        doubts = self._ledger.fillings.in_doubt(self._connection.name, records, {job.call_id for job in jobs})
        for item in _open(items):
            if any(row.is_at(item.place) for row in doubts):
                self._wait(item, "unknown_outcome", "what another call sent there was not answered yet")
            elif isinstance(answer := current[item.place[:2]], Unknown):
                self._wait(item, "unknown_outcome", f"what stands there could not be read: {answer.reason}")
        plan = choose(_open(items), current, written, contexts)
        for item in plan.waiting:
            self._wait(item, "unknown_outcome", "its record is about to get another currency")
        for undo in taking_back:
            there = current[undo.place[:2]] if undo.asked else Unknown("")
            if isinstance(there, Unknown) or undo.place in plan.sending or any(it.is_at(undo.place) for it in doubts):
                self._later.once_more(undo.job)
                continue
            undo.decide(plan, there)
            if undo.done:
                self._later.at_once(undo.job)  # the template may say something else of the field by now
        return Chosen(jobs, items, plan, taking_back)

    def _followed(self, items: Sequence[Item], current: Current, contexts: Mapping[str, Context]) -> bool:
        """Let items whose record was merged or converted go to what it became. Tell whether there is any."""
        lost = [item for item in _open(items) if item.field.through is None and current[item.place[:2]] == ()]
        heirs = look_up_heirs(self._connection, {(item.field.object, item.place[1]) for item in lost})
        named = self._connection.manifest.names
        objects = {
            named.get(role, role) for told in heirs.values() if not isinstance(told, Unknown) for role, _ in told
        }
        described = self._connection.describe_objects(objects) if objects else {}
        for item in lost:
            told = heirs[item.field.object, item.place[1]]
            if isinstance(told, Unknown) or not inherit(item, told, named, described, contexts[item.job.call_id]):
                self._wait(item, "unknown_outcome", "what became of its record could not be looked up")
        return any(item.became and not item.ended for item in lost)

    def _read(self, records: Sequence[RecordFields]) -> Current:
        return self._connection.read_fields(records) if records else {}


def _open(items: Sequence[Item]) -> list[Item]:
    return [item for item in items if not item.ended]
