"""What stands in the fields that are about to be filled, and what may take its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from connector_core.filler.items import NOT_YET, Current, Item, Record
from connector_core.filler.money import foreign, says_currency
from connector_core.filling.coercion import Context, Refused, coerce, same, shown
from connector_core.filling.overwriting import Found, verdict
from connector_core.ledger.fill_rows import Filled, Place
from connector_core.model import FieldDescription, FieldValue, RecordFields, RecordUpdate, Unknown


@dataclass(slots=True)
class Plan:
    """What is to be sent: for each place the items that share a value; ``put_back``: what is to stand there again.

    ``confirmed``: what was sent before and not answered, and stands there. ``outdone``: items that make room for a later
    call's value in their place. ``waiting``: amounts whose record is about to get another currency.
    """

    sending: dict[Place, list[Item]] = field(default_factory=dict)
    put_back: dict[Place, FieldValue | None] = field(default_factory=dict)
    confirmed: list[Filled] = field(default_factory=list)
    outdone: dict[Place, list[Item]] = field(default_factory=dict)
    waiting: list[Item] = field(default_factory=list)

    def updates(self) -> list[RecordUpdate]:
        """Give one update for each record."""
        values = {place: items[0].row.wanted for place, items in self.sending.items()} | self.put_back
        of: dict[Record, dict[str, FieldValue | None]] = {}
        for (kind, record_id, name), value in values.items():
            of.setdefault((kind, record_id), {})[name] = value
        return [RecordUpdate(kind, record_id, changed) for (kind, record_id), changed in of.items()]

    def leave_out(self, call_ids: Collection[str], still_put_back: Collection[Place]) -> None:
        """Send nothing for these calls, nor what would have been theirs too; put back only in these places."""
        self.sending = {
            place: [item for item in group if item.job.call_id not in call_ids]
            for place, group in self.sending.items()
            if group[0].job.call_id not in call_ids
        }
        self.put_back = {place: value for place, value in self.put_back.items() if place in still_put_back}


@dataclass(slots=True)
class _Stand:
    """What stands in a place, or will once what was chosen is sent; ``before``: what it takes the place of.

    ``replaced``: the call that this is of, if the connector wrote it. ``filled``: what the connector wrote last.
    ``found_out``: the item that was sent and not answered, and stands there.
    """

    current: FieldValue | None
    ours: bool | None
    filled: Filled | None
    before: FieldValue | None
    replaced: str | None = None
    found_out: Item | None = None
    chosen: bool = False

    def is_newer(self, item: Item) -> bool:
        """Tell whether what stands there is of a call that started later, or of another field of the same call."""
        it = self.filled
        if it is None:
            return False
        if it.call_id == item.job.call_id:
            others = (row for row in item.job.fillings.values() if row.key != item.row.key)
            return not self.chosen and any(row.run == it.run and row.is_at(item.place) for row in others)
        return (it.call_started_at, it.call_id) > (item.call.started_at, item.job.call_id)


def to_read(items: Iterable[Item], places: Iterable[Place]) -> list[RecordFields]:
    """Give what has to be known before anything is sent: the fields, what controls them, and what says their currency."""
    of: dict[Record, set[str]] = {}
    for item in items:
        kind, record_id, name = item.place
        names = (name, item.description.controlled_by, says_currency(item))
        of.setdefault((kind, record_id), set()).update(it for it in names if it)
    for kind, record_id, name in places:
        of.setdefault((kind, record_id), set()).add(name)
    return [RecordFields(kind, record_id, tuple(sorted(names))) for (kind, record_id), names in sorted(of.items())]


def choose(
    items: Iterable[Item], current: Current, written: Mapping[Place, Filled], contexts: Mapping[str, Context]
) -> Plan:
    """Say of each item whether its value is sent, is there already, or is kept out; calls in the order of their start.

    What the CRM could not be asked, and what waits, has no outcome then.

    :param written: What the connector wrote last.
    :param contexts: What values are read with, by call.
    """
    plan = Plan()
    stands: dict[Place, _Stand] = {}
    # A field on which another one depends comes first: what it is to say decides what the other one may.
    ordered = sorted(items, key=lambda it: (_depends(it), it.call.started_at, it.job.call_id))
    doubtful = {item.place: item for item in ordered if item.doubtful}
    for item in ordered:
        answer, context = current[item.place[:2]], contexts[item.job.call_id]
        if isinstance(answer, Unknown):
            continue
        if not answer:
            item.end("no_crm_link", None, f"the {item.field.object} {item.place[1]} is gone")
        elif item.place[2] not in answer[0]:
            item.end("other", "no_permission", f"the CRM hides {item.place[2]} from the connection's user")
        elif _gets_currency(item, plan, answer[0], context):
            plan.waiting.append(item)
        elif (why := _mismatch(item, answer[0], stands, context) or foreign(item, answer[0], context)) is not None:
            item.keep_out(why.reason, why.detail)
        else:
            stand = stands.get(item.place)
            if stand is None:
                now = answer[0][item.place[2]]
                filled = written.get(item.place) or _carried(item, now, written, context)
                stand = stands[item.place] = _stand(plan, now, filled, item, doubtful.get(item.place), context)
            _choose(plan, item, stand, context)
    return plan


def _depends(item: Item) -> bool:
    return bool(item.description.controlled_by or item.description.currency_field)


def _gets_currency(item: Item, plan: Plan, values: Mapping[str, FieldValue | None], context: Context) -> bool:
    """Tell whether its record is about to get another currency: an amount waits until the CRM took that, or refused it.

    One that the CRM refused before is not waited for once more.
    """
    coming = plan.sending.get((*item.place[:2], says_currency(item) or ""), ())
    return bool(coming) and not (all(map(_was_refused, coming)) and foreign(item, values, context))


def _was_refused(item: Item) -> bool:
    old = item.old
    return old is not None and (old.outcome, old.wanted) == ("other", item.row.wanted) and old.reason != NOT_YET


def _carried(item: Item, now: FieldValue | None, written: Mapping[Place, Filled], context: Context) -> Filled | None:
    """Give what the connector wrote into the record that was merged into this one, if that is what stands here."""
    filled = written.get(item.former) if item.former else None
    return filled if filled is not None and is_ours(filled, now, item.description, context) else None


def _stand(
    plan: Plan, now: FieldValue | None, filled: Filled | None, item: Item, doubtful: Item | None, context: Context
) -> _Stand:
    """Say whose value stands in a place; what was sent and not answered was done if it stands there."""
    old = doubtful.old if doubtful is not None else None
    if doubtful is not None and old is not None and same(now, old.wanted, item.description, context):
        confirmed = doubtful.wrote(old.wanted, old.previous, old.run or "")
        plan.confirmed.append(confirmed)
        return _Stand(now, True, confirmed, now, confirmed.call_id, doubtful)
    ours = None if filled is None else is_ours(filled, now, item.description, context)
    return _Stand(now, ours, filled, now, filled.call_id if filled is not None and ours else None)


def _mismatch(
    item: Item, values: Mapping[str, FieldValue | None], stands: Mapping[Place, _Stand], context: Context
) -> Refused | None:
    """Say why a value does not go with that of the field which controls it; else the item has the one that does."""
    controller = item.description.controlled_by
    if not controller:
        return None
    stand = stands.get((*item.place[:2], controller))
    controlling = values.get(controller) if stand is None else stand.current
    said = item.row.value if item.row.wanted is None else item.row.wanted
    value = coerce(said, item.description, replace(context, controlling="" if controlling is None else controlling))
    if isinstance(value, Refused):
        return value
    item.row = replace(item.row, wanted=value)
    return None


def _choose(plan: Plan, item: Item, stand: _Stand, context: Context) -> None:
    old = item.old
    empty, there = (same(stand.current, value, item.description, context) for value in (None, item.row.wanted))
    said = verdict(item.field.overwrite, Found(empty, there, stand.ours, stand.is_newer(item)))
    if said == "there" and stand.chosen:
        plan.sending[item.place].append(item)
    elif said == "there":
        item.end("sent")
    elif said == "send":
        for earlier in plan.sending.pop(item.place, ()):
            earlier.end("other", "newer_call")
            plan.outdone.setdefault(item.place, []).append(earlier)
        of = old if old is not None and stand.found_out is item else None
        previous, replaced = (of.previous, of.replaced) if of is not None else (stand.before, stand.replaced)
        item.row = replace(item.row, previous=previous, replaced=replaced)
        plan.sending[item.place] = [item]
        stand.current, stand.chosen, stand.ours = item.row.wanted, True, True
        stand.filled = item.wrote(item.row.wanted, previous, "")
    elif said == "newer_call":
        item.end("other", said)
    else:
        item.keep_out(said)


def is_ours(filled: Filled, current: FieldValue | None, described: FieldDescription, context: Context) -> bool:
    """Tell whether a field still has what the connector wrote."""
    if filled.digest is None:
        return same(current, filled.value, described, context)
    return filled.wrote(shown(current, described, context))
