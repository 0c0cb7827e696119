"""Who may see the report of the filling, how fresh it is, and the calls behind its numbers."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from filled_rows import DEAL, PEOPLE, change, publish, row
from ledger_bench import MEMORY

from connector_core.config import OpenConnection
from connector_core.engines.pumps import Limits, Pumps
from connector_core.errors import InputError
from connector_core.fill_report import EXAMPLES, FillReport
from connector_core.filling.counts import Tally
from connector_core.filling.report import Filters
from connector_core.ledger.fill_days import REFRESH_SECONDS
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons
from connector_core.model import Call

ACME = "acme"
PARIS = ZoneInfo("Europe/Paris")
MARCH = "2026-03-01..2026-03-31"
LATE = dt.datetime(2026, 3, 14, 23, 30, tzinfo=dt.UTC)
"""In Paris it is the 15th."""


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        """Begin in March."""
        self.now = LATE

    def __call__(self) -> float:
        """Tell the time."""
        return self.now.timestamp()


@pytest.fixture
def clock() -> Clock:
    """The ledger's clock."""
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[Ledger]:
    """A ledger with two templates that are in use."""
    folder = tempfile.mkdtemp(prefix="connector-report-", dir=MEMORY if MEMORY.is_dir() else None)
    with Ledger(f"sqlite:///{folder}/ledger.db", clock=clock) as opened:
        publish(opened, ACME, DEAL, PEOPLE)
        yield opened
    shutil.rmtree(folder)


def reporting(ledger: Ledger, role: Any = "manager") -> FillReport:
    return FillReport(ledger, ACME, PARIS, Actor("ada", role))


def total(ledger: Ledger, period: str = MARCH, **filters: Any) -> Tally:
    it = reporting(ledger)
    return it.report(it.query(period, Filters(**filters))).total


def test_a_user_may_not_see_the_report(ledger: Ledger) -> None:
    """It is for admins and managers."""
    with pytest.raises(InputError, match="it takes an admin or a manager"):
        reporting(ledger, "user")


def test_the_first_report_counts_by_itself_and_later_ones_on_demand(ledger: Ledger) -> None:
    """Between the two, it tells until when it counts."""
    change(ledger.database, ACME, row(1))
    assert total(ledger) == Tally(1)
    change(ledger.database, ACME, row(2))
    assert total(ledger) == Tally(1)
    it = reporting(ledger)
    it.refresh()
    assert total(ledger) == Tally(2)
    assert it.report(it.query(MARCH)).refreshed_at == LATE


def test_days_are_those_of_the_connection(ledger: Ledger) -> None:
    """Late in the evening in London it is tomorrow in Paris, and there a week ends."""
    it = reporting(ledger)

    assert it.query("this-week").period.until == dt.date(2026, 3, 15)
    assert it.query("this-week").period.whole.first == dt.date(2026, 3, 9)


def test_a_period_ends_at_the_last_refresh(ledger: Ledger, clock: Clock) -> None:
    """What was not counted yet is no part of it."""
    reporting(ledger).refresh()
    clock.now += dt.timedelta(days=5)

    assert reporting(ledger).query("this-month").period.until == dt.date(2026, 3, 15)


def test_only_published_templates_are_reported_on(ledger: Ledger) -> None:
    """One that was unpublished is gone with its data, and back with it; the fields of a draft are not there."""
    change(ledger.database, ACME, row(1), row(1, 2, ("people", "role")))
    ada = Actor("ada", "admin")
    assert total(ledger) == Tally(2)
    ledger.templates.unpublish(ACME, ada, "people")
    assert total(ledger) == Tally(1)
    ledger.templates.publish(ACME, ada, "people", types={"role": "text"})
    assert total(ledger) == Tally(2)


def test_data_from_before_a_template_was_published_does_not_count(ledger: Ledger) -> None:
    """Nor does that of a connection of another name."""
    change(ledger.database, ACME, row(1), row(2, 3))
    change(ledger.database, "other", row(3, 3))
    publish(ledger, "other", DEAL, since=dt.datetime(2026, 3, 3, tzinfo=PARIS))
    change(ledger.database, "other", row(4, 2))

    it = FillReport(ledger, "other", PARIS, Actor("ada", "admin"))
    assert it.report(it.query(MARCH)).total == Tally(1)


def test_a_switch_of_the_mode_changes_the_label_alone(ledger: Ledger) -> None:
    """What was counted before is there under today's mode, and what is pending stays so."""
    change(ledger.database, ACME, row(1, 2, ("deal", "step"), outcome="pending"), row(2, 2, ("deal", "step")))
    assert total(ledger, mode="manual") == Tally(1, pending=1)
    fields = [{**it, "mode": "automatic"} for it in DEAL["fields"]]
    publish(ledger, ACME, {**DEAL, "fields": fields})

    assert total(ledger, mode="manual") == Tally()
    assert total(ledger, mode="automatic") == Tally(1, pending=1)


# -- drill-down


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """Some days with calls of which budgets are empty, too long, or refused."""
    rows = [row(number, 2 + number % 3, outcome="empty") for number in range(9)]
    rows += [row(20 + number, 4, outcome="other", reason="too_long", detail=f"by {number}") for number in range(7)]
    rows += [row(40, 5, outcome="other", reason="no_permission"), row(41, 5, ("people", "role"), outcome="empty")]
    change(ledger.database, ACME, *rows)
    return ledger


def test_the_calls_behind_a_number_are_its_calls(busy: Ledger) -> None:
    """The newest day first, with what was said; and how many there are."""
    it = reporting(busy)
    asked = it.query(MARCH, Filters(fields=("budget",)))
    empty, too_long = it.calls(asked, "empty", None, 100), it.calls(asked, "other", "too_long", 100)

    assert [call.day.day for call in empty.calls] == [4, 4, 4, 3, 3, 3, 2, 2, 2]
    assert (empty.total, too_long.total) == (9, 7)
    assert {call.detail for call in too_long.calls} == {f"by {number}" for number in range(7)}
    assert it.calls(asked, None, None, 100).total == 17
    assert it.calls(asked, None, "no_permission", 100).calls[0].call_id == "x:40"
    assert {call.field for call in it.calls(it.query(MARCH), "empty", None, 100).calls} == {"budget", "role"}


def test_no_more_calls_are_listed_than_asked_for(busy: Ledger) -> None:
    """How many there are is told all the same."""
    it = reporting(busy)
    found = it.calls(it.query(MARCH, Filters(fields=("budget",))), "empty", None, 4)

    assert ([call.day.day for call in found.calls], found.total) == ([4, 4, 4, 3], 9)


def test_calls_of_another_target_are_not_behind_a_number(busy: Ledger) -> None:
    """As they are not in it."""
    change(busy.database, ACME, row(70, 6, outcome="empty", target="opportunity.Budget__c"))
    it = reporting(busy)
    found = it.calls(it.query(MARCH, Filters(fields=("budget",))), "empty", None, 100)

    assert "x:70" not in [call.call_id for call in found.calls]


@pytest.mark.parametrize(
    ("fields", "outcome", "reason", "told"),
    [(("size",), None, None, "no field of a published template is size"), ((), "empty", "too_long", "has none")],
)
def test_calls_that_cannot_be_are_refused(
    busy: Ledger, fields: tuple[str, ...], outcome: Any, reason: Any, told: str
) -> None:
    """With a word."""
    it = reporting(busy)
    with pytest.raises(InputError, match=told):
        it.calls(it.query(MARCH, Filters(fields=fields)), outcome, reason, 100)


def test_examples_are_the_first_calls_of_each_number(busy: Ledger) -> None:
    """Of what was not sent: by outcome, and by reason."""
    it = reporting(busy)
    _, examples = it.with_examples(it.query(MARCH))

    assert {(example.target[1], example.outcome, example.reason): len(example.calls) for example in examples} == {
        ("budget", "empty", None): EXAMPLES,
        ("budget", "other", "too_long"): EXAMPLES,
        ("budget", "other", "no_permission"): 1,
        ("role", "empty", None): 1,
    }


def test_whose_approvals_wait_is_erased_with_what_their_calls_said(ledger: Ledger) -> None:
    """At once, not with the next refresh alone."""
    organizer = {"name": "Ada", "email": "ada@seller.example"}
    said = {"id": "x:1", "provider": "x", "kind": "phone", "started_at": "2026-03-02T09:00:00Z", "participants": []}
    ledger.inbox.accept(ACME, [Call.model_validate({**said, "organizer": organizer})])
    change(ledger.database, ACME, row(1, 2, ("deal", "step"), outcome="pending", who="Ada"))
    reporting(ledger).refresh()
    Persons(ledger.database).erase("ada@seller.example", {ACME: ("FR",)}, Actor("ada", "admin"))

    (lever,) = reporting(ledger).report(reporting(ledger).query(MARCH)).levers
    assert (lever.number, lever.waiting) == (1, ())


# -- the worker


def test_a_worker_counts_by_itself_once_a_day(ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its sweeps, and only for the connections that it works on."""
    monkeypatch.setattr("connector_core.engines.pumps.COUNT_SECONDS", 0.0)
    change(ledger.database, ACME, row(1))
    change(ledger.database, "other", row(1))

    def opening(name: str) -> OpenConnection:
        raise AssertionError(name)

    pumps = Pumps(ledger, opening, Limits(names=[ACME]), None)
    pumps.sweep()
    change(ledger.database, ACME, row(2))
    pumps.sweep()
    assert (total(ledger), ledger.fill_days.refreshed_at("other")) == (Tally(1), None)
    clock.now += dt.timedelta(seconds=REFRESH_SECONDS)
    pumps.sweep()
    assert total(ledger) == Tally(2)


def test_a_worker_counts_a_few_days_with_each_sweep(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing else waits for long; with the next sweep it goes on."""
    monkeypatch.setattr("connector_core.engines.pumps.DAYS_AT_ONCE", 2)
    change(ledger.database, ACME, *(row(number, number) for number in range(2, 5)))
    pumps = Pumps(ledger, lambda name: pytest.fail(name), Limits(), None)
    pumps.sweep()
    assert ledger.fill_days.refreshed_at(ACME) is None
    pumps.sweep()
    assert ledger.fill_days.refreshed_at(ACME) is not None
    assert total(ledger) == Tally(3)
