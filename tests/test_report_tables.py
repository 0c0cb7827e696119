"""The report as text that fits a terminal, and as CSV that a spreadsheet reads and does not execute."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from filled_days import BUDGET, FIELDS, PROJECT, STEP, in_use, lacks, on, report, waits
from hypothesis import given
from hypothesis import strategies as st

from connector_core.filling.counts import CallBehind, Tally
from connector_core.filling.outcomes import OUTCOMES, REASONS
from connector_core.filling.periods import Span
from connector_core.filling.report import Filters, Report
from connector_core.reports import tables, wording

LONG = in_use("the_name_of_a_field_that_is_long", "opportunity.A_Field_Whose_Name_Is_Very_Long__c", type="reference")


def made(**query: Any) -> Report:
    return report(
        [
            on(9, BUDGET, 1_200, 480, 160, 0, 120, reasons={"too_long": 40, "validation_rule": 80}),
            on(10, STEP, 5, 1, 4, 20),
            on(10, PROJECT, 3, 0, 2, 0, 9, reasons={"object_not_linked": 9}),
            on(3, BUDGET, 9, 9),
        ],
        waiting=[waits(STEP, who, number, 9) for who, number in (("Ada", 9), ("Ben", 5), ("Cleo", 4), (None, 2))],
        missing=[lacks("opportunity", 160), lacks("opportunity.Project__c.Project__c", 9)],
        **{"fields": (*FIELDS, LONG), **query},
    )


def test_the_text_tells_all_of_the_report() -> None:
    """Figures and what they are compared with, the table, what to do, and the reasons of other."""
    lines = list(tables.text(made()))

    for line in (
        "acme  This week, 9–11 March 2026",
        "Data until 11 March 2026, 18:30 (Europe/Paris)",
        "sending rate 60.3 %: 1,208 sent of 2,004 eligible fields",
        "  2–4 March 2026: 50.0 % of 18, +10.3 points since",
        "  481 empty (24 %): Nothing was found in the call: sharpen the prompt, narrow the targeting, or",
        "  deal.budget: validation rule 80, too long 40",
    ):
        assert line in lines
    (row,) = [line for line in lines if line.startswith("deal.budget ")]
    assert row.split(maxsplit=5)[1:] == [
        "opportunity.Amount",
        "number",
        "auto",
        "1,960",
        "61 %  24 %     8 %     0 %   6 %",
    ]
    text = " ".join(line.strip() for line in lines)
    assert "Ada 9, since 9 March 2026 (2 days); Ben 5" in text
    assert "and 1 more" in text
    assert "Not linked: Project__c, through opportunity.Project__c (9 calls)." in text


def test_the_text_fits_100_columns() -> None:
    """Names that are too long are cut, and nothing else."""
    assert max(map(len, tables.text(made()))) <= tables.WIDTH


@given(st.text(max_size=80), st.text(max_size=80), st.integers(0, 10**9))
def test_no_name_makes_a_line_longer(name: str, field: str, number: int) -> None:
    """Whatever there is in a template."""
    it = in_use(f"n{name}", f"opportunity.f{field}")
    lines = list(tables.text(report([on(10, it, number, number)], fields=(BUDGET, it))))

    assert max(map(len, lines)) <= tables.WIDTH


def test_the_text_says_which_filters_there_are_and_why_nothing_is_left() -> None:
    """With a word for what to reset."""
    lines = list(tables.text(made(filters=Filters(templates=("people",), fields=("budget",)))))

    assert lines[2:] == [
        "only template people; field budget",
        "",
        "the filters template, field exclude each other: reset template or field",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "–"), (0, "0 %"), (1 / 200, "<1 %"), (0.5, "50 %"), (199 / 200, ">99 %"), (1, "100 %")],
)
def test_a_share_is_neither_all_nor_nothing_where_it_is_not_quite(value: float | None, said: str) -> None:
    """A whole number of per cent."""
    assert wording.share(value) == said


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(0.5, 0.4, "+10.0 points"), (0.4, 0.5, "−10.0 points"), (0.5, 0.50004, "unchanged"), (0.5, None, None)],
)
def test_a_change_is_said_in_points(now: float, before: float | None, said: str | None) -> None:
    """Of the rates as they are shown."""
    assert wording.points(now, before) == said


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-09", "2026-03-09", "9 March 2026"),
        ("2026-03-09", "2026-03-11", "9–11 March 2026"),
        ("2026-02-27", "2026-03-01", "27 February – 1 March 2026"),
        ("2025-12-29", "2026-01-04", "29 December 2025 – 4 January 2026"),
    ],
)
def test_days_are_said_with_no_month_twice(first: str, last: str, said: str) -> None:
    """Nor a year."""
    assert wording.days(Span(dt.date.fromisoformat(first), dt.date.fromisoformat(last))) == said


def test_every_outcome_and_every_reason_has_a_word() -> None:
    """So that none is shown as a program writes it."""
    assert (list(wording.LABELS), list(wording.REASON_LABELS)) == (list(OUTCOMES), list(REASONS))


# -- CSV


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_line_for_each_field() -> None:
    """Numbers, shares, the reasons of other, and what it was before; nothing where there is no share."""
    budget, *_, role, long = rows_of(tables.as_csv(made()))

    assert {name: budget[name] for name in ("name", "field", "eligible", "sent", "sent_share", "other_too_long")} == {
        "name": "budget",
        "field": "Amount",
        "eligible": "1960",
        "sent": "1200",
        "sent_share": "0.6122",
        "other_too_long": "40",
    }
    assert (budget["same_part_sent"], budget["previous_eligible"]) == ("9", "18")
    assert (role["sent_share"], long["object"]) == ("", "opportunity")
    assert tables.as_csv(made()).endswith("\r\n")


@given(st.text(max_size=30), st.text(max_size=30))
def test_csv_gives_back_what_was_put_in_and_no_formula(name: str, detail: str) -> None:
    """RFC 4180: commas, quotes and ends of lines are kept; a cell that would be a formula begins with a quote."""
    call = CallBehind(name, dt.date(2026, 3, 9), "deal", "budget", "empty", None, detail, None)
    (found,) = rows_of(tables.calls_csv([call]))

    for asked, got in ((name, found["call_id"]), (detail, found["detail"])):
        assert got in (asked, f"'{asked}")
        assert not got.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_call_is_a_line_of_text() -> None:
    """With what the CRM said, if it said something."""
    call = CallBehind("x:1", dt.date(2026, 3, 9), "deal", "budget", "other", "too_long", "255 at most", "Ada")

    assert list(tables.calls_text([call])) == ["2026-03-09  x:1  deal.budget  other: too_long  255 at most"]


def test_a_tally_without_eligible_fields_has_no_share() -> None:
    """Nothing is divided by nothing."""
    assert [Tally().share(it) for it in OUTCOMES] == [None] * 5
