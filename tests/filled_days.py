"""What was counted of the filling, built by hand: a template of deals, another of people, and some days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from connector_core.filling.analytics import analyse
from connector_core.filling.counts import Counts, FieldDay, Missing, Tally, Waiting
from connector_core.filling.periods import read_period
from connector_core.filling.report import FieldInUse, Filters, Query, Report

REFRESHED_AT = dt.datetime(2026, 3, 11, 17, 30, tzinfo=dt.UTC)
WEDNESDAY = REFRESHED_AT.date()


def in_use(name: str, target: str, template: str = "deal", **more: Any) -> FieldInUse:
    """A field of a template."""
    role, _, rest = target.partition(".")
    through, _, field = rest.rpartition(".") if "." in rest else ("", "", rest)
    lookup, _, other = through.partition(".")
    values = {
        "template_id": template,
        "template_name": template.capitalize(),
        "template_address": None,
        "name": name,
        "object": other or role,
        "field": field,
        "through": f"{role}.{lookup}" if other else None,
        "target": target,
        "mode": "automatic",
        "type": "text",
    }
    return FieldInUse(**{**values, **more})


BUDGET = in_use("budget", "opportunity.Amount", type="number", template_address="https://templates.example/deal")
STEP = in_use("next_step", "opportunity.NextStep", mode="manual")
PROJECT = in_use("project", "opportunity.Project__c.Project__c.Status__c", type="choice")
ROLE = in_use("role", "contact.Title", "people")
FIELDS = (BUDGET, STEP, PROJECT, ROLE)


def on(day: int, it: FieldInUse, *numbers: int, reasons: dict[str, int] | None = None, month: int = 3) -> FieldDay:
    """What came of a field: sent, empty, without a record, pending, other."""
    return FieldDay(dt.date(2026, month, day), it.key, Tally(*numbers), reasons or {})


def waits(it: FieldInUse, who: str | None, number: int, day: int) -> Waiting:
    """Approvals that wait since a day of March."""
    return Waiting(it.key, who, number, dt.datetime(2026, 3, day, 9, tzinfo=dt.UTC))


def lacks(what: str, calls: int, *templates: str) -> Missing:
    """Calls without a record."""
    return Missing(what, frozenset(templates or ("deal",)), calls)


def report(
    days: Iterable[FieldDay] = (),
    *,
    waiting: Iterable[Waiting] = (),
    missing: Iterable[Missing] = (),
    period: str = "this-week",
    filters: Filters | None = None,
    fields: tuple[FieldInUse, ...] = FIELDS,
    **query: Any,
) -> Report:
    """Make a report of a Wednesday in March."""
    asked = Query(read_period(period, WEDNESDAY, WEDNESDAY), filters or Filters(), **query)
    counts = Counts(tuple(days), tuple(waiting), tuple(missing), REFRESHED_AT)
    return analyse("acme", "Europe/Paris", fields, counts, asked)
