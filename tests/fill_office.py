"""An office whose calls fill fields of the CRM, by templates that are published."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from office import Office, call, office

from connector_core.config import OpenConnection
from connector_core.discovery import crm
from connector_core.fill_desk import FillDesk
from connector_core.filler import Filler, FillRun
from connector_core.filling.templates import Template
from connector_core.ledger.fill_rows import Filling
from connector_core.ledger.people import Actor
from connector_core.model import Call
from connector_core.settling import sync_settled

MANAGER = Actor("Mia Manager", "manager")
USER = Actor("Ada Agent")
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NEXT_STEP = {"key": "next_step", "object": "opportunity", "field": "opportunity.next_step", "patterns": ["next: (.+)"]}
TITLE = {"key": "title", "object": "contact", "field": "contact.title", "patterns": ["title: (.+)"]}


@dataclass(slots=True)
class FillOffice:
    """An office, and the filling at work in it."""

    at: Office
    opened: OpenConnection
    filler: Filler
    desk: FillDesk

    def publish(self, *fields: Mapping[str, Any], template_id: str = "t", **more: Any) -> None:
        """Publish a template with these fields, named as a manifest names them, for all calls ever."""
        named = [{**it, "field": self.name(it["field"])} for it in fields]
        template = Template.model_validate({"id": template_id, "name": "A template", "fields": named, **more})
        templates = self.at.ledger.templates
        templates.save("acme", MANAGER, template)
        templates.publish("acme", MANAGER, template_id, types={}, since=LONG_AGO)

    def name(self, field: str) -> str:
        """Give the CRM's own name of a field."""
        return crm(self.at.config.crm).names.get(field, field)

    def hear(self, *calls: Call) -> FillRun:
        """Sync calls, and fill from them."""
        list(sync_settled(self.at.ledger, self.opened, calls, sleep=lambda _: None))
        return self.filler.run()

    def rows(self, call_id: str = "x:1") -> list[Filling]:
        """Give what came of a call's fields."""
        return self.at.ledger.fillings.of("acme", [call_id])

    def outcome(self, call_id: str = "x:1", key: str = "next_step") -> tuple[str, str | None]:
        """Give what came of one field, and the reason."""
        (row,) = [row for row in self.rows(call_id) if row.field == key]
        return row.outcome, row.reason

    def value(self, field: str = "opportunity.next_step", seed: str = "O1") -> Any:
        """Give what the CRM has in a field of a record of the seed."""
        name, record_id = self.name(field), self.at.id(seed)
        for record in (it for records in self.at.records().values() for it in records):
            if record_id in (record.get("Id"), record.get("id")):
                return record.get("properties", record).get(name)
        raise LookupError(seed)

    def edit(self, value: Any, field: str = "opportunity.next_step", seed: str = "O1") -> None:
        """Set a field as a person would, behind everybody's back."""
        objects = {"O": "opportunities", "C": "people", "A": "accounts"}[seed[0]]
        self.at.change(objects, seed, **{self.name(field): value})


def said(text: str, number: int = 1, **more: Any) -> Call:
    """Make a call in which something was noted."""
    return call(number, notes=[{"text": text}], **more)


@contextmanager
def fill_office(name: str, folder: Path, **world: Any) -> Iterator[FillOffice]:
    """Open an office without templates and calls."""
    with office(name, folder, **world) as at, at.config.open() as opened:
        yield FillOffice(at, opened, Filler(at.ledger, opened), FillDesk(at.ledger, opened))
