"""Rows of the filling, as the ledger keeps them: two templates, and what came of their fields for calls."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from connector_core.filling.templates import Template
from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import mark_dirty, replace_rows
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.schema_filling import fillings

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
TARGETS = {
    ("deal", "budget"): ("opportunity.Amount", "opportunity.Budget__c"),
    ("deal", "step"): ("opportunity.NextStep",),
    ("deal", "project"): ("opportunity.Project__c.Project__c.Status__c",),
    ("people", "role"): ("contact.Title",),
}
BUDGET = {"key": "budget", "object": "opportunity", "field": "Amount"}
STEP = {"key": "step", "object": "opportunity", "field": "NextStep", "mode": "manual"}
PROJECT = {"key": "project", "object": "Project__c", "field": "Status__c", "through": "opportunity.Project__c"}
ROLE = {"key": "role", "object": "contact", "field": "Title"}
DEAL: Mapping[str, Any] = {
    "id": "deal",
    "name": "Deals",
    "address": "https://templates.example/deal",
    "fields": [BUDGET, STEP, PROJECT],
}
PEOPLE: Mapping[str, Any] = {"id": "people", "name": "People", "fields": [ROLE]}


def row(call: int, day: int = 2, field: tuple[str, str] = ("deal", "budget"), **more: Any) -> dict[str, Any]:
    """What came of a field of a call in March."""
    template, key = field
    return {
        "call_id": f"x:{call}",
        "template": template,
        "field": key,
        "target": TARGETS[field][0],
        "version": 1,
        "day": f"2026-03-{day:02}",
        "who": None,
        "value": '"said"',
        "outcome": "sent",
        "reason": None,
        "detail": None,
        "approval": False,
        "approved_at": None,
        "since": NOON,
        "changed_at": NOON,
        **more,
    }


def change(database: Database, connection: str, *rows: Mapping[str, Any]) -> None:
    """Change rows as the ledger does: the day that each had, and the one that it has now, are marked."""
    with database.writing() as step:
        lock_connection(database, step, connection)
        ids = [it["call_id"] for it in rows]
        before = sa.select(fillings.c.day).where(fillings.c.connection == connection, fillings.c.call_id.in_(ids))
        mark_dirty(database, step, connection, {*step.execute(before).scalars(), *(it["day"] for it in rows)})
        for one in rows:
            replace_rows(database, step, fillings, [{"connection": connection, **one}])


def publish(ledger: Ledger, connection: str, *templates: Mapping[str, Any], since: dt.datetime | None = None) -> None:
    """Publish templates, for calls from March on."""
    actor = Actor("ada", "admin")
    for it in templates:
        template = Template.model_validate(it)
        ledger.templates.save(connection, actor, template)
        types = {field.key: "number" if field.key == "budget" else "text" for field in template.fields}
        begin = since or dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
        ledger.templates.publish(connection, actor, template.id, types=types, since=begin)  # type: ignore[arg-type]  # types of fields
