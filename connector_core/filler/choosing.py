"""What stands in the fields that are about to be filled, and what may take its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from connector_core.filler.items import Current, Item, Record
from connector_core.filling.coercion import Context, Refused, coerce, same, shown
from connector_core.filling.overwriting import Found, verdict
from connector_core.ledger.fill_rows import Filled, Place
from connector_core.model import FieldDescription, FieldValue, RecordFields, RecordUpdate, Unknown


@dataclass(slots=True)
class Plan:
    """What is to be sent: for each place the items that share a value; ``put_back``: what is to stand there again.

    ``confirmed``: what was sent before and not answered, and stands there.
    """

    sending: dict[Place, list[Item]] = field(default_factory=dict)
    put_back: dict[Place, FieldValue | None] = field(default_factory=dict)
    confirmed: list[Filled] = field(default_factory=list)

    def updates(self) -> list[RecordUpdate]:
        """Give one update for each record."""
        values = {place: items[0].row.wanted for place, items in self.sending.items()} | self.put_back
        of: dict[Record, dict[str, FieldValue | None]] = {}
        for (kind, record_id, name), value in values.items():
            of.setdefault((kind, record_id), {})[name] = value
        return [RecordUpdate(kind, record_id, changed) for (kind, record_id), changed in of.items()]

    def leave_out(self, call_ids: Collection[str]) -> None:
        """Send nothing for these calls, nor what would have been theirs too."""
        self.sending = {
            place: [item for item in group if item.job.call_id not in call_ids]
            for place, group in self.sending.items()
            if group[0].job.call_id not in call_ids
        }


@dataclass(slots=True)
class _Stand:
    """What stands in a place, or will once what was chosen is sent; ``before``: what it takes the place of."""

    current: FieldValue | None
    ours: bool | None
    ours_from: dt.datetime | None
    before: FieldValue | None
    chosen: bool = False


def to_read(items: Iterable[Item], places: Iterable[Place]) -> list[RecordFields]:
    """Give what has to be known before anything is sent: the fields themselves, and those that control them."""
    of: dict[Record, set[str]] = {}
    for item in items:
        kind, record_id, name = item.place
        controller = item.description.controlled_by
        of.setdefault((kind, record_id), set()).update({name} | ({controller} if controller else set()))
    for kind, record_id, name in places:
        of.setdefault((kind, record_id), set()).add(name)
    return [RecordFields(kind, record_id, tuple(sorted(names))) for (kind, record_id), names in sorted(of.items())]


def choose(
    items: Iterable[Item], current: Current, written: Mapping[Place, Filled], contexts: Mapping[str, Context]
) -> Plan:
    """Say of each item whether its value is sent, is there already, or is kept out; calls in the order of their start.

    What the CRM could not be asked has no outcome then.

    :param written: What the connector wrote last.
    :param contexts: What values are read with, by call.
    """
    plan = Plan()
    stands: dict[Place, _Stand] = {}
    # A field that controls another one comes first: what it is to say decides what the other one may.
    ordered = sorted(items, key=lambda it: (bool(it.description.controlled_by), it.call.started_at, it.job.call_id))
    for item in ordered:
        answer, context = current[item.place[:2]], contexts[item.job.call_id]
        if isinstance(answer, Unknown):
            continue
        if not answer:
            item.end("no_crm_link", None, f"the {item.field.object} {item.place[1]} is gone")
        elif item.place[2] not in answer[0]:
            item.end("other", "no_permission", f"the CRM hides {item.place[2]} from the connection's user")
        elif (why := _mismatch(item, answer[0], stands, context)) is not None:
            item.end("other", why.reason, why.detail)
        else:
            stand = stands.get(item.place)
            if stand is None:
                filled, now = written.get(item.place), answer[0][item.place[2]]
                ours = None if filled is None else is_ours(filled, now, item.description, context)
                stand = stands[item.place] = _Stand(now, ours, None if filled is None else filled.call_started_at, now)
            _choose(plan, item, stand, context)
    return plan


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
    if (
        not stand.chosen
        and old is not None
        and item.doubtful
        and same(stand.current, old.wanted, item.description, context)
    ):
        stand.ours, stand.ours_from, stand.before = True, None, old.previous  # what was not answered was done
        plan.confirmed.append(item.wrote(old.wanted, old.previous, old.run or ""))
    empty, there = (same(stand.current, value, item.description, context) for value in (None, item.row.wanted))
    said = verdict(item.field.overwrite, Found(empty, there, stand.ours, stand.ours_from), item.call.started_at)
    if said == "there" and stand.chosen:
        plan.sending[item.place].append(item)
    elif said == "there":
        item.end("sent")
    elif said == "send":
        for earlier in plan.sending.pop(item.place, ()):
            earlier.end("other", "newer_call")
        item.row = replace(item.row, previous=stand.before)
        plan.sending[item.place] = [item]
        stand.current, stand.chosen, stand.ours, stand.ours_from = item.row.wanted, True, True, item.call.started_at
    elif old is not None and old.outcome == "sent" and said != "newer_call":
        item.row = replace(item.row, wanted=old.wanted)
        item.end(
            "sent", None, "what was found later was kept out: the field is not to be written twice, or was changed"
        )
    else:
        item.end("other", said)


def is_ours(filled: Filled, current: FieldValue | None, described: FieldDescription, context: Context) -> bool:
    """Tell whether a field still has what the connector wrote."""
    if filled.digest is None:
        return same(current, filled.value, described, context)
    return filled.wrote(shown(current, described, context))
