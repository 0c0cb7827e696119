"""The fields of calls on their way to an outcome: what is eligible, what was found for it, where it goes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from connector_core.filling.coercion import Context, Refused, coerce
from connector_core.filling.linking import linked
from connector_core.filling.outcomes import REASONS, Outcome, Reason
from connector_core.filling.templates import TemplateField
from connector_core.filling.values import Extracted, WantedField
from connector_core.ledger.fill_rows import Filled, Filling, Place
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.templates import Published
from connector_core.model import Call, FieldDescription, FieldValue, ObjectDescription, Unknown

Record: TypeAlias = tuple[str, str]
"""An object by the CRM's own name, and a record's id."""
Answer: TypeAlias = tuple[Mapping[str, FieldValue | None], ...] | Unknown
"""What was read of a record."""
Current: TypeAlias = Mapping[Record, Answer]

BY_HAND = "by "
"""How the source of a value begins that somebody gave: no extractor replaces it."""

NOT_YET: Reason = "unknown_outcome"
"""The reason of what has come to nothing yet."""

_FOUND = ("day", "who", "version", "value", "passage", "confidence", "source", "content_hash")
"""What a row says of the call and of what was found in it; the rest is what became of that."""


@dataclass(slots=True)
class Item:
    """One eligible field of one call. ``row`` is what is known of it so far; ``ended``: nothing more comes of it now.

    ``old``: how the ledger has it. ``record``: the object by the CRM's own name, and the record's id. ``former``:
    its place in the record that the call names, where that is another one by now, as ``became`` says.
    """

    job: FillJob
    published: Published
    field: TemplateField
    row: Filling
    old: Filling | None = None
    described: FieldDescription | None = None
    record: Record | None = None
    former: Place | None = None
    became: str | None = None
    ended: bool = False

    @property
    def key(self) -> str:
        """How an extractor is asked for it."""
        return f"{self.row.template}.{self.row.field}"

    @property
    def call(self) -> Call:
        """The call that it is of."""
        assert self.job.call is not None  # noqa: S101 - a call that was forgotten has no items
        return self.job.call

    @property
    def description(self) -> FieldDescription:
        """The CRM's description of its field."""
        assert self.described is not None  # noqa: S101 - one that is not described has ended
        return self.described

    @property
    def place(self) -> Place:
        """Where its value goes."""
        assert self.record is not None  # noqa: S101 - one that is not linked has ended
        return (*self.record, self.description.name)

    @property
    def doubtful(self) -> bool:
        """Tell whether it was sent to the same record before, and not answered."""
        old = self.old
        return old is not None and old.in_doubt and old.record_id == self.row.record_id

    @property
    def sent(self) -> bool:
        """Tell whether the CRM has a value of it: in the record of ``old``."""
        return self.old is not None and self.old.outcome == "sent"

    @property
    def taken_back(self) -> bool:
        """Tell whether somebody took it back: it stays so until somebody sends it after all."""
        return self.old is not None and self.old.reason == "taken_back"

    def known(self) -> Filling:
        """Give what was found, beside what had become of it before."""
        return self.row if self.old is None else replace(self.old, **{it: getattr(self.row, it) for it in _FOUND})

    def wrote(self, value: FieldValue | None, previous: FieldValue | None, run: str) -> Filled:
        """Give what was written in its place."""
        return Filled(self.place, value, previous, self.job.call_id, self.call.started_at, run)

    def end(self, outcome: Outcome, reason: Reason | None = None, detail: str | None = None) -> None:
        """Give it its outcome; ``since`` stays where nothing changed."""
        same = self.old is not None and (self.old.outcome, self.old.reason) == (outcome, reason)
        since = self.old.since if same and self.old else None
        self.row = replace(self.row, outcome=outcome, reason=reason, detail=detail or self.became, since=since)
        self.ended = True

    def stay(self, detail: str | None = None) -> None:
        """Leave all as it was, but for what was found."""
        assert self.old is not None  # noqa: S101 - only one that had an outcome stays
        self.row = self.known()
        self.end(self.old.outcome, self.old.reason, detail or self.old.detail)

    def keep_out(self, reason: Reason, detail: str | None = None) -> None:
        """Say why its value is not sent; what the record has of it already was sent all the same."""
        if self.taken_back or (self.old is not None and self.sent and self.old.record_id == self.row.record_id):
            self.stay(f"what was found later was kept out: {detail or REASONS[reason]}")
        else:
            self.end("other", reason, detail)

    def wait(self, reason: Reason, why: str) -> None:
        """Leave it for later: with the outcome that it had, or one that says why there is none yet."""
        if self.old is not None:
            self.stay()
        else:
            self.end("other", reason, why)


def eligible(jobs: Iterable[FillJob], published: Sequence[Published], time_zone: str) -> list[Item]:
    """Give the fields of the templates that are for these calls."""
    return [item for job in jobs for item in _of_job(job, published, time_zone)]


def _of_job(job: FillJob, published: Sequence[Published], time_zone: str) -> Iterator[Item]:
    call = job.call
    if call is None:
        return  # what it said was forgotten: nobody can tell which templates are for it
    day = call.started_at.astimezone(ZoneInfo(time_zone)).date().isoformat()
    who = (call.organizer.name or call.organizer.email) if call.organizer else None
    for it in published:
        if call.started_at < it.since or not it.template.targeting.targets(call):
            continue
        for wanted in it.template.fields:
            old = job.fillings.get((it.template.id, wanted.key))
            if old is not None and old.undo_by:
                continue  # it is taken back first
            if old is not None and old.target != wanted.target:
                old = None  # it goes elsewhere now: what came of it there is another's
            new = Filling(job.call_id, it.template.id, wanted.key, wanted.target, it.version, day, "other", NOT_YET)
            yield Item(job, it, wanted, replace(old or new, day=day, who=who), old)


def untargeted(jobs: Iterable[FillJob], published: Sequence[Published]) -> list[Filling]:
    """Give the fields of templates that were for these calls and are not any more; not what is in doubt or taken back."""
    found: list[Filling] = []
    for job in jobs:
        call = job.call
        if call is not None:
            others = {it.template.id for it in published if not it.template.targeting.targets(call)}
            rows = (row for row in job.fillings.values() if row.template in others)
            found += [row for row in rows if not row.undo_by and not row.in_doubt]
    return found


def describe(items: Iterable[Item], objects: Mapping[str, tuple[ObjectDescription, ...] | Unknown]) -> list[Item]:
    """Give each item the CRM's description of its field; one that is not there any more ends.

    :param objects: By the role or name that templates use.
    :returns: Those whose object was not described.
    """
    waiting: list[Item] = []
    for item in items:
        found, name = objects[item.field.object], item.field.field
        if isinstance(found, Unknown):
            waiting.append(item)
            continue
        item.described = field_of(found, name)
        if item.described is None:
            item.end("other", "field_missing", f"the CRM has no field {name} of {item.field.object}")
    return waiting


def field_of(found: tuple[ObjectDescription, ...], name: str) -> FieldDescription | None:
    """Give the description of an object's field, in whatever case it is named; None where there is none."""
    by_name = {key.casefold(): it for key, it in found[0].fields.items()} if found else {}
    described = by_name.get(name.casefold())
    if described is None and found and not found[0].complete:
        return FieldDescription(name, name, "text", "text")  # it may be there; the CRM does not say what it is
    return described


def to_extract(items: Iterable[Item]) -> list[Item]:
    """Give the items whose value is to be looked for: for the first time, or since the call or the template says more."""
    return [item for item in items if not item.ended and _is_stale(item)]


def _is_stale(item: Item) -> bool:
    old = item.old
    if old is None:
        return True
    if (old.source or "").startswith(BY_HAND):
        return old.value is None and not item.sent  # forgotten before the CRM had it
    return old.content_hash != item.job.content_hash or old.version != item.published.version


def asked(item: Item) -> WantedField:
    """Give what an extractor is asked for."""
    return WantedField(item.key, item.field.prompt, item.field.patterns, item.description)


def found(item: Item, value: Extracted | None, source: str) -> None:
    """Keep what an extractor found, or that it found nothing."""
    row = replace(item.row, version=item.published.version, content_hash=item.job.content_hash, source=source)
    if value is None:
        item.row = replace(row, value=None, passage=None, confidence=None)
    else:
        item.row = replace(row, value=value.value, passage=value.passage, confidence=value.confidence)


def read_value(item: Item, context: Context) -> None:
    """Make of what was found the value as it is sent; what is empty or does not fit ends.

    Where the record says its currency, an amount is held against that later.
    """
    if item.description.currency_field:
        context = replace(context, currency=None)
    value = coerce(item.row.value, item.description, context)
    if isinstance(value, Refused) and item.description.controlled_by:
        item.row = replace(item.row, wanted=None)  # it may be plain once it is known what stands in the other field
        return
    if (value is None or isinstance(value, Refused)) and item.doubtful:
        return  # what was begun is brought to its end: the CRM may have the value
    if isinstance(value, Refused):
        item.row = replace(item.row, wanted=None)
        item.keep_out(value.reason, value.detail)
    elif value is None and (item.sent or item.taken_back):
        item.stay()
    elif value is None:
        item.row = replace(item.row, wanted=None)
        item.end("empty")
    else:
        item.row = replace(item.row, wanted=value)
        if item.old is not None and item.old.wanted != value:  # what was approved is another value
            item.row = replace(item.row, approved_by=None, approved_at=None)


def link(item: Item, names: Mapping[str, str], through: Mapping[tuple[str, str], Answer]) -> bool:
    """Find the record that a value goes to; without one, it ends. Tell whether that is known.

    :param names: What the CRM calls a role.
    :param through: What was read of the records that lead to others, by role and id.
    """
    role, _, lookup = (item.field.through or item.field.object).partition(".")
    record_id = linked(item.job.decision).get(role)
    if record_id is None and item.sent:
        item.stay(f"the call has no {role} any more; the value is in the one that it had")
        return True
    if record_id is None:
        item.row = replace(item.row, object=role, record_id=None)
        item.end("no_crm_link", None, f"the call has no {role}")
        return True
    if lookup:
        answer = through[role, record_id]
        if isinstance(answer, Unknown):
            return False
        further = answer[0].get(lookup) if answer else None
        if not further:
            item.row = replace(item.row, object=item.field.object, record_id=None)
            item.end("other", "object_not_linked", f"{lookup} of the {role} {record_id} names no {item.field.object}")
            return True
        record_id, role = str(further), item.field.object
    item.row = replace(item.row, object=role, record_id=record_id)
    item.record = (names.get(role, role), record_id)
    return True


def lookups(items: Iterable[Item]) -> set[tuple[str, str, str]]:
    """Give the fields that lead to other records: each a role, the id of its record, and the field's name."""
    found: set[tuple[str, str, str]] = set()
    for item in items:
        role, _, lookup = (item.field.through or "").partition(".")
        record_id = linked(item.job.decision).get(role)
        if lookup and record_id and not item.ended:
            found.add((role, record_id, lookup))
    return found


def approve(item: Item) -> None:
    """Let what takes a person's approval wait for it; what is written already, or was taken back, stays as it is."""
    old = item.old
    if old is not None and item.taken_back:
        item.row = replace(old, **{it: getattr(item.row, it) for it in (*_FOUND, "wanted")})  # it may be sent after all
        item.end(old.outcome, old.reason, old.detail)
        return
    if old is not None and item.sent and old.record_id == item.row.record_id and old.wanted == item.row.wanted:
        item.stay()
        return
    waits = item.row.approval or item.field.mode == "manual"
    item.row = replace(item.row, approval=waits)
    if waits and item.row.approved_at is None:
        item.end("pending")
