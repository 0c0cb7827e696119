"""Creates and changes events: 100 in one request, and an outcome for each.

A request is one transaction: one event that is refused takes the others with it, and Odoo does not say which it was. So
what is refused is sent again in halves. Nobody is invited to a call that is over: see :data:`QUIET`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from connector_core.errors import (
    ConnectorError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.model import ActivityDraft, Receipt, WriteOutcome
from connector_odoo.client import OdooClient
from connector_odoo.events import EVENT, MODEL, key_of, read_events, url_of
from connector_odoo.opportunities import USER
from connector_odoo.people import LEAD, PARTNER
from connector_odoo.reading import Record, cut, id_of, number_of
from connector_odoo.values import CallMark, Values, changed, created, named

QUIET = {
    "skip_contact_description": True,  # or Odoo adds names and numbers below the last line
    "skip_attendee_notification": True,  # or whoever is added gets an invitation by e-mail, though it is over
    "dont_notify": True,
    "mail_activity_quick_update": True,  # no message to the owner that a call was assigned
    "mail_create_nosubscribe": True,
    "no_calendar_sync": True,  # Google's and Microsoft's calendars would invite too
}
"""The context of every write: as calendar_event.py, mail_activity.py and google_sync.py of Odoo 19 read it."""

_BATCH = 100
_DENIED = 3
_PREFIXES = {"res.partner": PARTNER, "crm.lead": LEAD, "res.users": USER}


def write(client: OdooClient, mark: CallMark, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
    """Write drafts; a receipt for each key.

    :raises ConnectorError: Nothing could be written at all: a refused key, a missing right.
    """
    return _Writer(client, mark).write(drafts)


@dataclass(slots=True)
class _Row:
    """A draft on its way, with what is to be sent for it, and the event that it changes."""

    draft: ActivityDraft
    values: Values
    number: int = 0
    kept: tuple[str, ...] = ()


class _Writer:
    def __init__(self, client: OdooClient, mark: CallMark) -> None:
        self._client = client
        self._mark = mark
        self._receipts: dict[str, Receipt] = {}
        self._stopped: str | None = None
        self._denied = 0
        self._sent = False

    def write(self, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
        known = []
        for draft in drafts:
            if draft.kind not in ("call", "event", "meeting"):
                reason = f"the Odoo plugin writes calls and events, and no {draft.kind}"
                self._receipts[draft.key] = Receipt("refused", draft.activity_id, reason=reason)
            elif draft.owner_id is not None and number_of(USER, draft.owner_id) is None:
                self._receipts[draft.key] = _of_nobody(draft)
            else:
                known.append(draft)
        self._change([draft for draft in known if draft.activity_id is not None])
        for chunk in cut([draft for draft in known if draft.activity_id is None], _BATCH):
            self._create(chunk)
        return self._receipts

    # -- creating ------------------------------------------------------------------------------------------------------

    def _create(self, drafts: Sequence[ActivityDraft]) -> None:
        def prepared(draft: ActivityDraft) -> _Row:
            return _Row(draft, created(draft, self._mark))

        def send(rows: Sequence[_Row]) -> None:
            ids = self._client.create(MODEL, [row.values for row in rows], QUIET)
            for row, number in zip(rows, ids, strict=True):
                self._note(row.draft, "created", number)

        self._send(drafts, prepared, send)

    # -- changing ------------------------------------------------------------------------------------------------------

    def _change(self, drafts: Sequence[ActivityDraft]) -> None:
        numbers = {draft.key: number_of(EVENT, draft.activity_id) for draft in drafts}
        records: dict[int, Record] = {}
        for ids in cut(sorted(filter(None, numbers.values())), _BATCH):
            records.update((record["id"], record) for record in read_events(self._client, [["id", "in", list(ids)]]))

        def prepared(draft: ActivityDraft) -> _Row:
            number = numbers[draft.key] or 0
            values, kept = changed(draft, records[number])
            return _Row(draft, values, number, kept)

        def send(rows: Sequence[_Row]) -> None:
            sent = [row for row in rows if row.values]
            if sent:
                self._client.save(MODEL, [row.number for row in sent], [row.values for row in sent], QUIET)
            for row in rows:
                self._note(row.draft, "updated" if row.values else "unchanged", row.number, row.kept)

        rest = []
        for draft in drafts:
            record = records.get(numbers[draft.key] or 0)
            if refused := _unwritable(draft, record):
                self._receipts[draft.key] = refused
            elif record is not None and not (row := prepared(draft)).values:
                self._note(draft, "unchanged", record["id"], row.kept)
            else:
                rest.append(draft)
        for chunk in cut(rest, _BATCH):
            self._send(chunk, prepared, send)

    # -- sending -------------------------------------------------------------------------------------------------------

    def _send(
        self,
        drafts: Sequence[ActivityDraft],
        prepared: Callable[[ActivityDraft], _Row],
        send: Callable[[Sequence[_Row]], None],
        *,
        checked: bool = False,
    ) -> None:
        """Send drafts together; where they are refused, without what they name and is gone, else each half of them."""
        if not drafts or self._stopped:
            self._end(drafts, Receipt("deferred", reason=self._stopped))
            return
        try:
            send([prepared(draft) for draft in drafts])
        except (RefusedError, MissingRightError) as error:
            if not checked and isinstance(error, RefusedError):
                self._send(self._without_gone(drafts), prepared, send, checked=True)
            elif len(drafts) == 1:
                self._refuse(drafts[0], error)
            else:
                for half in cut(drafts, (len(drafts) + 1) // 2):
                    self._send(half, prepared, send, checked=checked)
        except OutcomeUnknownError as error:
            self._sent = True
            self._end(drafts, Receipt("unknown", reason=str(error)))
        except ConnectorError as error:
            if not isinstance(error, TryAgainError) and not self._sent:
                raise
            self._stopped = str(error)
            self._end(drafts, Receipt("deferred", reason=self._stopped))

    def _without_gone(self, drafts: Sequence[ActivityDraft]) -> list[ActivityDraft]:
        """Leave out what drafts name and is not there any more: a record that is gone counts as absent."""
        gone: set[str | None] = set()
        for model, prefix in _PREFIXES.items():
            wanted = sorted({number for draft in drafts for number in named(draft)[model]})
            if wanted:
                there = set(
                    self._client.read(model, "search", domain=[["id", "in", wanted], ["active", "in", [True, False]]])
                )
                gone |= {id_of(prefix, number) for number in wanted if number not in there}
        for draft in drafts:
            if draft.owner_id in gone:
                self._receipts[draft.key] = _of_nobody(draft)
        return [_without(draft, gone) for draft in drafts if draft.owner_id not in gone]

    def _refuse(self, draft: ActivityDraft, error: RefusedError | MissingRightError) -> None:
        """Keep what one draft was refused for. What is refused to the user always is told as such, and soon."""
        if isinstance(error, MissingRightError):
            self._denied += 1
            if self._denied >= _DENIED and not self._sent:
                raise error
            self._receipts[draft.key] = Receipt("refused", draft.activity_id, reason=str(error), code="AccessError")
            return
        reason = error.sentence or str(error)
        self._receipts[draft.key] = Receipt("refused", draft.activity_id, None, reason, error.code, error.field)

    def _end(self, drafts: Sequence[ActivityDraft], receipt: Receipt) -> None:
        self._receipts |= {draft.key: replace(receipt, id=draft.activity_id) for draft in drafts}

    def _note(self, draft: ActivityDraft, outcome: WriteOutcome, number: int, kept: tuple[str, ...] = ()) -> None:
        self._sent = True
        url = url_of(self._client.base_url, number)
        self._receipts[draft.key] = Receipt(outcome, id_of(EVENT, number), url, kept=kept)


def _of_nobody(draft: ActivityDraft) -> Receipt:
    reason = f"user {draft.owner_id} is not there (any more)"
    return Receipt("refused", draft.activity_id, reason=reason, code="MissingError", owner_refused=True)


def _unwritable(draft: ActivityDraft, record: Record | None) -> Receipt | None:
    """Say why an event cannot be changed for a call, if it cannot."""
    if record is None:
        return Receipt("refused", draft.activity_id, reason="the event is not there (any more)", code="MissingError")
    if key_of(record) not in (None, draft.key):
        return Receipt(
            "refused", draft.activity_id, reason="the event carries the id of another call by now", code="other_key"
        )
    return None


def _without(draft: ActivityDraft, gone: set[str | None]) -> ActivityDraft:
    return replace(
        draft,
        person_ids=tuple(person for person in draft.person_ids if person not in gone),
        account_id=None if draft.account_id in gone else draft.account_id,
        opportunity_id=None if draft.opportunity_id in gone else draft.opportunity_id,
    )
