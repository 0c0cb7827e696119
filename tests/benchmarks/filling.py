"""What a report of the filling costs, from what was counted: of 10 million outcomes beside 100,000; and what a day costs.

The outcomes are rows in SQLite, made by its own statements, and every one of them is counted by a refresh. Both ledgers have
the same 90 days, 20 fields (5 of them manual), 40 organizers and shares of outcomes; one has 56
calls a day, the other 5,556.
"""

from __future__ import annotations

import datetime as dt
import gc
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connector_core.fill_report import FillReport
from connector_core.filling.templates import Template
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.schema_filling import fill_days, fill_missing, fill_pending, fillings
from connector_core.reports.page import page
from connector_core.reports.tables import text

LITTLE, MUCH = 100_000, 10_000_000
DAYS, FIELDS, MANUAL, PEOPLE = 90, 20, 5, 40
MOST_RATIO = 2.0
ROUNDS = 15
FIRST = dt.date(2026, 1, 1)
PERIOD = f"{FIRST}..{FIRST + dt.timedelta(days=DAYS - 1)}"
ADA = Actor("ada", "admin")
ACME = "acme"


def report() -> Iterator[str]:
    """Measure a report, and a day more, in both."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(dir=Path.cwd())))
        little, much = (stack.enter_context(_ledger(folder, number)) for number in (LITTLE, MUCH))
        for what, make in (("report", _text), ("report with the calls behind its numbers, as a page", _page)):
            few, many = _side_by_side(partial(make, little), partial(make, much))
            yield (
                f"filling: a {what} costs {few * 1000:,.0f} ms of {LITTLE:,} outcomes and {many * 1000:,.0f} ms of {MUCH:,};"
                f" ratio {many / few:.2f} (goal: at most {MOST_RATIO:g})"
            )
        few, many = _side_by_side(partial(_add_a_day, little), partial(_add_a_day, much))
        yield (
            f"filling: counting a day more, of {_calls(LITTLE) * FIELDS:,} outcomes, costs {few * 1000:,.0f} ms beside"
            f" {LITTLE:,} of before and {many * 1000:,.0f} ms beside {MUCH:,}; ratio {many / few:.2f} (goal: about 1)"
        )


def _ledger(folder: Path, outcomes: int) -> Ledger:
    ledger = Ledger(f"sqlite:///{folder}/{outcomes}.db")
    names = [f"field_{number}" for number in range(FIELDS)]
    manual = {"mode": "manual"}
    fields = [
        {"key": name, "object": "opportunity", "field": name, **(manual if number < MANUAL else {})}
        for number, name in enumerate(names)
    ]
    template = Template.model_validate({"id": "deal", "name": "Deals", "fields": fields})
    ledger.templates.save(ACME, ADA, template)
    since = dt.datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=dt.UTC)
    ledger.templates.publish(ACME, ADA, "deal", types=dict.fromkeys(names, "text"), since=since)
    with ledger.database.writing() as step:
        for day in range(DAYS):
            _make(step, FIRST + dt.timedelta(days=day), _calls(outcomes))
    ledger.fill_days.refresh(ACME)
    return ledger


def _calls(outcomes: int) -> int:
    """Tell how many calls a day has."""
    return round(outcomes / DAYS / FIELDS + 0.5)


_ROWS = sa.text("""
with recursive
    numbers(call) as (select 0 union all select call + 1 from numbers where call + 1 < :calls),
    keys(field) as (select 0 union all select field + 1 from keys where field + 1 < :fields),
    drawn as (select call, field, abs(random()) % 100 as chance, abs(random()) % :people as who from numbers, keys)
insert into fillings
    (connection, call_id, template, field, target, version, day, who, value, outcome, reason, approval, since, changed_at)
select 'acme', 'x:' || :day || ':' || call, 'deal', 'field_' || field, 'opportunity.field_' || field, 1, :day,
    'Organizer ' || who, '"said"',
    case when field < :manual and chance < 10 then 'pending' when chance < 65 then 'sent' when chance < 85 then 'empty'
        when chance < 92 then 'no_crm_link' else 'other' end,
    case when chance < 92 then null when chance < 95 then 'too_long' when chance < 97 then 'validation_rule'
        when chance < 98 then 'not_empty' when chance < 99 then 'changed_by_person' else 'no_permission' end,
    field < :manual, :day || 'T09:00:00.000000Z', :day || 'T09:00:00.000000Z'
from drawn
""")
_MARK = sa.text("insert into fill_dirty (connection, day) values ('acme', :day)")


def _make(step: sa.Connection, day: dt.date, calls: int) -> None:
    said = {"calls": calls, "fields": FIELDS, "people": PEOPLE, "manual": MANUAL, "day": day.isoformat()}
    step.execute(_ROWS, said)
    step.execute(_MARK, {"day": day.isoformat()})


def _reporting(ledger: Ledger) -> FillReport:
    return FillReport(ledger, ACME, ZoneInfo("UTC"), ADA)


def _text(ledger: Ledger) -> None:
    it = _reporting(ledger)
    list(text(it.report(it.query(PERIOD))))


def _page(ledger: Ledger) -> None:
    it = _reporting(ledger)
    page(*it.with_examples(it.query(PERIOD)))


def _add_a_day(ledger: Ledger) -> float:
    """Make a day's outcomes, which is not measured, count them, which is, and take them away again."""
    day = FIRST + dt.timedelta(days=DAYS)
    with ledger.database.writing() as step:
        _make(step, day, _calls(LITTLE))
    began = time.perf_counter()
    ledger.fill_days.refresh(ACME)
    took = time.perf_counter() - began
    with ledger.database.writing() as step:
        for table in (fillings, fill_days, fill_pending, fill_missing):
            step.execute(sa.delete(table).where(table.c.connection == ACME, table.c.day == day.isoformat()))
    return took


def _side_by_side(one: Callable[[], float | None], other: Callable[[], float | None]) -> tuple[float, float]:
    """Measure both in turn, so that what else the machine does meets both; the median of each, after one for warmth."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS + 1):
        for act, seconds in zip((one, other), took, strict=True):
            gc.collect()
            began = time.perf_counter()
            told = act()
            seconds.append(time.perf_counter() - began if told is None else told)
    few, many = (statistics.median(seconds[1:]) for seconds in took)
    return few, many
