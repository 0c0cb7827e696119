"""A week of calls fills fields of each service, with all that can come in between: the report is what a hand counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fill_office import MANAGER, NEXT_STEP, TITLE, USER, FillOffice, fill_office
from office import CARL, NOBODY, call

from connector_core.fill_report import FillReport
from connector_core.filling.outcomes import OUTCOMES
from connector_core.filling.report import Report
from connector_core.model import Call

DORA = {"is_user": False, "name": "Dora", "emails": ["dora@other.example"]}
EVE = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}
AMOUNT = {"key": "amount", "object": "opportunity", "field": "opportunity.amount", "patterns": ["amount: (.+)"]}
NEVER = {
    "salesforce": {
        "validation_rules": [
            {"object": "Opportunity", "name": "Never", "message": "Not that.", "field": "NextStep",
             "when": {"field": "NextStep", "equals": "give a discount"}}
        ]
    },
    "hubspot": {"rules": {"deals": {"hs_next_step": {"regex": "(?!give a discount).*"}}}},
}  # fmt: skip


def on(day: int, guest: Mapping[str, Any], *notes: str) -> Call:
    """Make a call of a day of the week that began on Monday 2 March 2026."""
    told = {"notes": [{"text": note} for note in notes], "organizer": {"name": "Ada Agent"}}
    return call(day, guest, started_at=f"2026-03-{1 + day:02}T10:00:00Z", **told)


@pytest.fixture(params=["salesforce", "hubspot"])
def week(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office at the end of that week."""
    with fill_office(request.param, tmp_path) as at:
        assert at.at.sandbox is not None
        at.at.sandbox.org(NEVER[request.param])
        at.publish(NEXT_STEP, {**TITLE, "mode": "manual"}, AMOUNT, template_id="sales")
        at.hear(on(1, CARL, "next: call again", "title: CTO", "amount: 1 200,50 €"))
        at.desk.send(USER, ["x:1"])
        at.filler.run()
        at.hear(on(2, CARL, "nothing of interest"))
        at.hear(on(3, NOBODY, "next: visit them", "title: CEO"))
        at.hear(on(4, DORA, f"next: {'and then ' * 10_000}", "title: CFO", "amount: a lot"))
        at.hear(on(5, EVE, "next: give a discount"))
        at.at.desk.assign(USER, ["x:3"], opportunity=at.at.id("O2"))  # two days later
        at.at.settle("x:3")
        at.filler.run()
        at.at.ledger.inbox.accept("acme", [on(6, EVE, "next: call again", "title: COO", "amount: 5")])
        at.at.ledger.inbox.deleted("acme", "x:6")
        at.filler.run()
        yield at


def report_of(at: FillOffice, period: str = "2026-03-02..2026-03-08") -> Report:
    """Give the report of the week."""
    reports = FillReport(at.at.ledger, "acme", ZoneInfo("UTC"), MANAGER)
    reports.refresh()
    return reports.report(reports.query(period))


BY_HAND = {
    "next_step": ({"sent": 2, "empty": 1, "other": 3}, {"too_long": 1, "validation_rule": 1, "call_deleted": 1}),
    "title": ({"sent": 1, "empty": 2, "no_crm_link": 1, "pending": 1, "other": 1}, {"call_deleted": 1}),
    "amount": ({"sent": 1, "empty": 3, "other": 2}, {"refused_value": 1, "call_deleted": 1}),
}


def test_the_report_is_what_a_hand_counts(week: FillOffice) -> None:
    """Each field's outcomes, and the reasons of those that are ``other``."""
    counted = {
        row.field.name: ({it: row.tally.of(it) for it in OUTCOMES if row.tally.of(it)}, dict(row.reasons))
        for row in report_of(week).rows
    }
    assert counted == BY_HAND


def test_the_total_is_the_sum(week: FillOffice) -> None:
    """Six calls of three fields are 18 eligible fields; four of them were sent."""
    total = report_of(week).total

    assert (total.eligible, total.sent, total.rate) == (18, 4, pytest.approx(4 / 18))


def test_the_crm_has_what_was_sent(week: FillOffice) -> None:
    """And nothing of what was not: neither of the long text, nor of what the rule is against."""
    held = [week.value(seed=seed) or None for seed in ("O1", "O2", "O3")]

    assert held == ["call again", "visit them", None]
    assert (week.value("contact.title", "C1"), week.value("contact.title", "C2") or None) == ("CTO", None)
    assert float(week.value("opportunity.amount")) == 1200.5


def test_what_can_be_done_is_named(week: FillOffice) -> None:
    """Of a field: the template, the contact that one call lacks, whose approval waits since when, and the reason."""
    (row,) = [row for row in report_of(week).rows if row.field.name == "title"]
    (since,) = [it.since for it in week.rows("x:4") if it.field == "title"]
    assert since is not None
    missing = {"object": "contact", "through": None, "calls": 1, "exact": True}
    waiting = {"who": "Ada Agent", "number": 1, "since": since.isoformat()}
    sixth = {"number": 1, "share": 0.1667}

    assert [lever.to_json() for lever in row.levers] == [
        {"outcome": "empty", "number": 2, "share": 0.3333, "actions": ["prompt", "targeting", "training"]},
        {"outcome": "no_crm_link", **sixth, "actions": ["link"], "missing": [missing]},
        {"outcome": "pending", **sixth, "actions": ["approve"], "waiting": [waiting]},
        {"outcome": "other", **sixth, "actions": ["reasons"], "reasons": [{"reason": "call_deleted", "number": 1}]},
    ]


def test_other_weeks_have_none_of_it(week: FillOffice) -> None:
    """The week before has no eligible field, and no rate."""
    report = report_of(week, "2026-02-23..2026-03-01")

    assert (report.total.eligible, report.total.rate) == (0, None)


def test_doing_the_week_again_changes_nothing(week: FillOffice) -> None:
    """All calls filled anew: no value, and no number, is another."""
    before = [row.to_json() for row in report_of(week).rows], week.at.records()
    week.desk.again(MANAGER, [f"x:{number}" for number in range(1, 7)])
    week.filler.run()

    assert ([row.to_json() for row in report_of(week).rows], week.at.records()) == before
