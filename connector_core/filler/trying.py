"""What a template finds in calls, before anybody publishes it: found and read as a filler does, and sent nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector_core.config import OpenConnection
from connector_core.filler import items as stages
from connector_core.filler.items import Item
from connector_core.filler.money import currency_of, is_money
from connector_core.filler.names import look_up_names
from connector_core.filling.coercion import Context
from connector_core.filling.templates import Template
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.templates import Published
from connector_core.model import Call, ObjectDescription, Unknown

_ALWAYS = dt.datetime.min.replace(tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a template finds in a call; ``items`` is empty where it is not for it."""

    call_id: str
    targeted: bool
    items: tuple[Item, ...]

    @property
    def complete(self) -> bool:
        """Tell whether every field could be asked for."""
        return not any(item.row.reason == "not_extracted" for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"call_id": self.call_id, "targeted": self.targeted, "fields": [_plain(item) for item in self.items]}


def try_out(
    opened: OpenConnection, template: Template, objects: Mapping[str, tuple[ObjectDescription, ...]], call: Call
) -> Tried:
    """Look for a template's values in a call; nothing is kept, and nothing sent.

    :param objects: As the CRM describes them, by the role or name that the template uses.
    :raises ConnectorError: Nothing could be asked.
    """
    job = FillJob(call.id, call, "", 0, 0, call.started_at, deleted=False, settled=True, decision=None)
    draft = Published(template, 0, _ALWAYS, {})
    settings = opened.association
    items = stages.eligible([job], [draft], settings.time_zone)
    stages.describe(items, objects)
    extractor = opened.extractor()
    answers = extractor.extract(call, [stages.asked(item) for item in _open(items)])
    for item in _open(items):
        answer = answers[item.key]
        if isinstance(answer, Unknown):
            item.end("other", "not_extracted", answer.reason)
        else:
            stages.found(item, answer, extractor.name)
    names = look_up_names(opened.connection, list(_open(items))).ids
    currency = currency_of(opened.connection) if any(map(is_money, _open(items))) else None
    context = Context(call.started_at, settings.time_zone, tuple(settings.regions), names, currency=currency)
    for item in _open(items):
        stages.read_value(item, context)
    return Tried(call.id, template.targeting.targets(call), tuple(items))


def _open(items: list[Item]) -> Iterator[Item]:
    return (item for item in items if not item.ended)


def _plain(item: Item) -> dict[str, Any]:
    row, described = item.row, item.described
    return {
        "key": row.field,
        "object": item.field.object,
        "field": described.name if described else item.field.field,
        "type": described.type if described else None,
        "value": row.value,
        "passage": row.passage,
        "confidence": row.confidence,
        "wanted": row.wanted,
        "outcome": row.outcome if item.ended else None,
        "reason": row.reason if item.ended else None,
        "detail": row.detail if item.ended else None,
    }
