"""The report of the filling gives what a hand count gives, says what to do, and never divides by nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from typing import Any

import pytest
from filled_days import BUDGET, FIELDS, PROJECT, ROLE, STEP, in_use, lacks, on, report, waits
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import InputError
from connector_core.filling.analytics import COLUMNS
from connector_core.filling.counts import NONE, FieldDay, Tally
from connector_core.filling.levers import Approver, Because, Lever, MissingObject
from connector_core.filling.outcomes import OUTCOMES
from connector_core.filling.report import FieldInUse, Filters, Row

TALLIES = st.builds(Tally, *(st.integers(0, 50) for _ in OUTCOMES))
DAYS = st.lists(
    st.builds(
        FieldDay,
        st.dates(dt.date(2026, 3, 1), dt.date(2026, 3, 12)),
        st.sampled_from([it.key for it in FIELDS]),
        TALLIES,
    ),
    max_size=20,
    unique_by=lambda it: (it.day, it.target),
)


def names(rows: tuple[Row, ...]) -> list[str]:
    return [row.field.name for row in rows]


def row_of(rows: tuple[Row, ...], name: str) -> Row:
    return next(row for row in rows if row.field.name == name)


def lever(levers: tuple[Lever, ...], outcome: str) -> Lever:
    return next(it for it in levers if it.outcome == outcome)


# -- numbers


def test_a_report_adds_up_the_days_of_its_period() -> None:
    """Each field has a row with its outcomes; the average rate is sent of eligible, over all."""
    found = report(
        [
            on(9, BUDGET, 3, 1),
            on(11, BUDGET, 1, 0, 1),
            on(10, STEP, 0, 0, 0, 2),
            on(12, BUDGET, 9),
            on(8, BUDGET, 9),
        ]
    )

    assert row_of(found.rows, "budget").tally == Tally(4, 1, 1)
    assert row_of(found.rows, "next_step").tally == Tally(pending=2)
    assert found.total == Tally(4, 1, 1, 2)
    assert found.total.rate == 0.5


def test_a_field_without_any_eligible_call_has_no_rate() -> None:
    """It has a row all the same: nothing of nothing is not known."""
    found = report([])

    assert names(found.rows) == ["budget", "next_step", "project", "role"]
    assert [row.tally.rate for row in found.rows] == [None] * 4
    assert found.total.rate is None
    assert found.to_json()["total"]["shares"]["sent"] is None


def test_a_target_that_was_left_and_a_field_that_was_removed_do_not_count() -> None:
    """Their data is not in the report, nor in its total."""
    elsewhere = in_use("budget", "opportunity.Budget__c")
    gone = in_use("gone", "opportunity.Gone__c")
    found = report(
        [on(10, BUDGET, 2), on(10, elsewhere, 40), on(10, gone, 0, 40)],
        waiting=[waits(gone, "Ada", 40, 9)],
        missing=[lacks("opportunity", 40)],
    )

    assert found.total == Tally(2)
    assert found.levers == ()


def test_a_report_compares_with_the_whole_previous_period_and_with_the_same_part() -> None:
    """On a Wednesday: with all of last week, and with its first three days."""
    found = report([on(9, BUDGET, 1), on(2, BUDGET, 1, 1), on(4, STEP, 2), on(5, BUDGET, 0, 7), on(1, BUDGET, 99)])

    assert (found.before.whole, found.before.same_part) == (Tally(3, 8), Tally(3, 1))
    assert row_of(found.rows, "budget").before.same_part == Tally(1, 1)


def test_a_short_period_is_shown_by_days_and_a_long_one_by_weeks() -> None:
    """Days without calls are there, and weeks are cut at the ends of the period."""
    days = [on(9, BUDGET, 1), on(11, BUDGET, 0, 1)]

    assert [point.tally.rate for point in report(days).over_time] == [1.0, None, 0.0]
    year = report(days, period="this-year").over_time
    assert [year[0].span.days, year[1].span.days, year[-1].tally] == [4, 7, Tally(1, 1)]


@given(DAYS)
def test_nothing_is_lost_and_nothing_counted_twice(days: list[FieldDay]) -> None:
    """The rows, and the points in time, each add up to the total; no filter adds anything."""
    found = report(days, period="this-month")
    counted = sum((it.tally for it in days if it.day.day <= 11), NONE)

    assert found.total == counted
    assert sum((row.tally for row in found.rows), NONE) == counted
    assert sum((point.tally for point in found.over_time), NONE) == counted
    by_mode = [report(days, period="this-month", filters=Filters(mode=mode)).total for mode in ("automatic", "manual")]
    assert sum(by_mode, NONE) == counted
    json.dumps(found.to_json())


# -- levers


def test_what_is_empty_is_a_matter_of_prompt_targeting_or_training() -> None:
    """As data, with how many there are."""
    found = report([on(10, BUDGET, 1, 3)])

    assert row_of(found.rows, "budget").levers == (Lever("empty", 3, 0.75, ("prompt", "targeting", "training")),)


def test_missing_records_are_named_each_call_once() -> None:
    """Of all fields together a call counts once, however many fields lacked its opportunity; of a field, its own calls."""
    found = report(
        [on(10, BUDGET, 0, 0, 5), on(10, STEP, 0, 0, 3), on(9, STEP, 0, 0, 1), on(10, ROLE, 1, 0, 1)],
        missing=[lacks("opportunity", 6), lacks("contact", 1, "people")],
    )

    assert lever(found.levers, "no_crm_link").missing == (
        MissingObject("opportunity", None, 6),
        MissingObject("contact", None, 1),
    )
    assert lever(row_of(found.rows, "next_step").levers, "no_crm_link").missing == (
        MissingObject("opportunity", None, 4),
    )


def test_a_call_of_two_templates_counts_once() -> None:
    """Also where the report is about one of them alone."""
    other = in_use("stage", "opportunity.StageName", "people")
    days = [on(10, BUDGET, 0, 0, 5), on(10, STEP, 0, 0, 5), on(10, other, 0, 0, 3), on(9, other, 0, 0, 1)]
    missing = [
        lacks("opportunity", 2, "deal", "people"),
        lacks("opportunity", 3, "deal"),
        lacks("opportunity", 2, "people"),
    ]

    def calls(**filters: Any) -> list[tuple[int, bool]]:
        found = report(days, missing=missing, filters=Filters(**filters), fields=(*FIELDS, other))
        return [(it.calls, it.exact) for it in lever(found.levers, "no_crm_link").missing]

    assert calls() == [(7, True)]
    assert calls(templates=("deal",)) == [(5, True)]


def test_of_some_fields_of_a_template_it_is_told_how_many_calls_lack_a_record_at_least() -> None:
    """As it is not known which calls lacked it for both; so too where another field was removed from the template."""
    third = in_use("stage", "opportunity.StageName")
    days = [on(10, BUDGET, 0, 0, 5), on(10, STEP, 0, 0, 3), on(10, third, 0, 0, 7)]

    def missing(filters: Filters, *fields: FieldInUse) -> tuple[MissingObject, ...]:
        found = report(days, missing=[lacks("opportunity", 9)], filters=filters, fields=fields)
        return lever(found.levers, "no_crm_link").missing

    at_least = (MissingObject("opportunity", None, 5, exact=False),)
    assert missing(Filters(fields=("budget", "next_step")), BUDGET, STEP, third) == at_least
    assert missing(Filters(), BUDGET, STEP) == at_least
    assert missing(Filters(mode="manual"), BUDGET, STEP, third) == (MissingObject("opportunity", None, 3),)


def test_pending_ones_tell_whose_approvals_wait_and_since_when() -> None:
    """The most first; of one person, since the oldest."""
    found = report(
        [on(10, STEP, 0, 0, 0, 6)],
        waiting=[
            waits(STEP, "Ada", 2, 9),
            waits(STEP, "Ben", 3, 10),
            waits(STEP, "Ada", 1, 3),
            waits(STEP, None, 1, 4),
        ],
    )

    assert lever(found.levers, "pending").waiting == (
        Approver("Ada", 3, dt.datetime(2026, 3, 3, 9, tzinfo=dt.UTC)),
        Approver("Ben", 3, dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)),
        Approver(None, 1, dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC)),
    )


def test_other_is_broken_down_by_reason() -> None:
    """The most first, in the row and in what can be done; a record that names none is told as missing too."""
    found = report(
        [
            on(10, PROJECT, 1, 0, 0, 0, 4, reasons={"too_long": 1, "object_not_linked": 3}),
            on(9, PROJECT, 0, 0, 0, 0, 2, reasons={"too_long": 1, "validation_rule": 1}),
        ],
        missing=[lacks("opportunity.Project__c.Project__c", 3)],
    )
    row = row_of(found.rows, "project")

    assert list(row.reasons.items()) == [("object_not_linked", 3), ("too_long", 2), ("validation_rule", 1)]
    assert lever(row.levers, "other").reasons[:2] == (Because("object_not_linked", 3), Because("too_long", 2))
    assert lever(row.levers, "other").missing == (MissingObject("Project__c", "opportunity.Project__c", 3),)


def test_that_comes_first_of_which_there_is_most_to_gain() -> None:
    """Levers stand in the order of their numbers."""
    found = report([on(10, BUDGET, 1, 2, 3, 4, 5, reasons={"too_long": 5})])

    assert [it.outcome for it in found.levers] == ["other", "pending", "no_crm_link", "empty"]


# -- filters


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (Filters(templates=("people",)), ["role"]),
        (Filters(fields=("budget", "role")), ["budget", "role"]),
        (Filters(fields=("NextStep",)), ["next_step"]),
        (Filters(types=("number", "choice")), ["budget", "project"]),
        (Filters(mode="manual"), ["next_step"]),
        (Filters(templates=("deal",), types=("text",)), ["next_step"]),
    ],
)
def test_filters_leave_the_fields_that_meet_all(filters: Filters, left: list[str]) -> None:
    """The total is theirs; of several values of one filter, any will do."""
    found = report([on(10, it, 1) for it in FIELDS], filters=filters)

    assert names(found.rows) == left
    assert found.total == Tally(len(left))
    assert found.nothing is None


@pytest.mark.parametrize(
    ("filters", "why", "reset"),
    [
        (
            Filters(templates=("people",), fields=("budget",)),
            "the filters template, field exclude each other: reset template or field",
            ("template", "field"),
        ),
        (
            Filters(templates=("people",), fields=("role",), mode="manual"),
            "the filters template, field, mode exclude each other: reset mode",
            ("mode",),
        ),
        (
            Filters(templates=("people",), fields=("budget",), types=("choice",)),
            "the filters template, field, type exclude each other: reset all of them",
            ("template", "field", "type"),
        ),
        (
            Filters(templates=("draft",), mode="manual"),
            "no published template is draft; there is deal, people",
            ("template",),
        ),
    ],
)
def test_filters_that_exclude_each_other_say_so(filters: Filters, why: str, reset: tuple[str, ...]) -> None:
    """An empty table, with a word, and what to reset."""
    found = report([on(10, it, 1) for it in FIELDS], filters=filters)

    assert (found.rows, found.total) == ((), NONE)
    assert found.nothing is not None
    assert (found.nothing.why, found.nothing.reset) == (why, reset)


def test_without_a_published_template_there_is_nothing_to_report() -> None:
    """Whatever was counted before."""
    found = report([on(10, BUDGET, 1)], fields=())

    assert found.nothing is not None
    assert found.nothing.why == "connection acme has no published template"
    assert found.total == NONE


# -- sorting


@pytest.mark.parametrize(
    ("column", "sorted_names"),
    [
        ("name", ["budget", "next_step", "project", "role"]),
        ("sent", ["next_step", "budget", "role", "project"]),
        ("eligible", ["project", "next_step", "role", "budget"]),
        ("mode", ["budget", "project", "role", "next_step"]),
    ],
)
def test_rows_are_sorted_by_any_column(column: str, sorted_names: list[str]) -> None:
    """What is not known comes last, whichever way; what is equal keeps its order."""
    days = [on(10, BUDGET, 2, 2), on(10, STEP, 0, 0, 0, 1), on(10, ROLE, 2)]

    assert names(report(days, sort=column).rows) == sorted_names


@given(DAYS, st.sampled_from(sorted(COLUMNS)), st.booleans())
def test_sorting_is_stable_and_puts_the_unknown_last(days: list[FieldDay], column: str, descending: bool) -> None:
    """By any column, both ways."""
    rows = report(days, sort=column, descending=descending).rows
    place = {name: number for number, name in enumerate(names(report(days).rows))}
    values: list[Any] = [COLUMNS[column](row) for row in rows]

    unknown = values.index(None) if None in values else len(values)
    assert values[unknown:] == [None] * (len(values) - unknown)
    for before, after in itertools.pairwise(rows):
        one, other = COLUMNS[column](before), COLUMNS[column](after)
        if one == other:
            assert place[before.field.name] < place[after.field.name]
        elif other is not None:
            assert one is not None
            assert (one > other) is descending  # type: ignore[operator]  # of one type


def test_a_column_that_there_is_not_is_refused() -> None:
    """With all that there are."""
    with pytest.raises(InputError, match="no column 'size'; wanted one of name, type"):
        report(sort="size")
