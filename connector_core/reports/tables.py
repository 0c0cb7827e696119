"""The report of the filling as text that fits a terminal, and as CSV."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connector_core.filling.counts import CallBehind, Tally
from connector_core.filling.outcomes import OUTCOMES, REASONS
from connector_core.filling.report import Report, Row
from connector_core.reports import wording

WIDTH = 100
_NUMBERS = ("eligible", "sent", "empty", "no link", "pending", "other")
_OF_A_FIELD = ("name", "type", "object", "through", "field", "template_id", "template_name", "template_address", "mode")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


# -- text --------------------------------------------------------------------------------------------------------------


def text(report: Report) -> Iterator[str]:
    """Give the lines of a report, of at most 100 characters."""
    yield f"{report.connection}  {wording.period(report.period)}"
    yield wording.refreshed(report)
    if filters := report.filters.to_json():
        said = (f"{name} {value if isinstance(value, str) else ', '.join(value)}" for name, value in filters.items())
        yield from _wrapped(f"only {'; '.join(said)}")
    yield ""
    if report.nothing:
        yield from _wrapped(report.nothing.why)
        return
    yield from _figures(report)
    yield ""
    yield from _table(report.rows)
    if report.levers:
        yield ""
        yield "what to do"
        for it in report.levers:
            what = f"{it.number:,} {wording.WORDS[it.outcome]} ({wording.share(it.share)})"
            yield from _wrapped(f"{what}: {wording.lever(it, report)}", "  ")
    broken_down = [row for row in report.rows if row.reasons]
    if broken_down:
        yield ""
        yield "other, by reason"
        for row in broken_down:
            reasons = (f"{wording.reason(it)} {row.reasons[it]:,}" for it in REASONS if it in row.reasons)
            yield from _wrapped(f"{_name(row)}: {', '.join(reasons)}", "  ")


def _figures(report: Report) -> Iterator[str]:
    total = report.total
    yield f"sending rate {wording.rate(total.rate)}: {total.sent:,} sent of {total.eligible:,} eligible fields"
    compared = {report.period.same_part: report.before.same_part, report.period.previous: report.before.whole}
    for span, before in compared.items():  # once, where both are the same
        change = wording.points(total.rate, before.rate)
        said = f"{wording.rate(before.rate)} of {before.eligible:,}" if before.eligible else "no eligible field"
        yield f"  {wording.days(span)}: {said}" + (f", {change} since" if change else "")


def _table(rows: Sequence[Row]) -> Iterator[str]:
    """Give a line for each field; names that do not fit are cut."""
    texts = [("field", "in the CRM", "type", "mode"), *((_name(it), it.field.target, *_kind(it)) for it in rows)]
    numbers = [_NUMBERS, *(_cells(it.tally) for it in rows)]
    right = [max(len(it[place]) for it in numbers) for place in range(len(_NUMBERS))]
    left = [max(len(it[place]) for it in texts) for place in range(4)]
    spare = WIDTH - sum(right) - len(right) - left[2] - left[3] - 6
    left[0] = min(left[0], max(spare // 2, spare - left[1]))
    left[1] = min(left[1], spare - left[0])
    for words, cells in zip(texts, numbers, strict=True):
        said = (_cut(word, width).ljust(width) for word, width in zip(words, left, strict=True))
        counted = (cell.rjust(width) for cell, width in zip(cells, right, strict=True))
        yield " ".join(["  ".join(said), *counted])


def _name(row: Row) -> str:
    return f"{row.field.template_id}.{row.field.name}"


def _kind(row: Row) -> tuple[str, str]:
    return row.field.type or "–", "auto" if row.field.mode == "automatic" else "manual"


def _cells(tally: Tally) -> tuple[str, ...]:
    return f"{tally.eligible:,}", *(wording.share(tally.share(it)) for it in OUTCOMES)


def _cut(word: str, width: int) -> str:
    return word if len(word) <= width else f"{word[: width - 1]}…"


def _wrapped(line: str, indent: str = "") -> list[str]:
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)


def calls_text(calls: Iterable[CallBehind]) -> Iterator[str]:
    """Give a line for each call."""
    for it in calls:
        what = it.outcome if it.reason is None else f"{it.outcome}: {it.reason}"
        yield "  ".join(filter(None, [it.day.isoformat(), it.call_id, f"{it.template}.{it.field}", what, it.detail]))


# -- CSV ---------------------------------------------------------------------------------------------------------------


def as_csv(report: Report) -> str:
    """Give a line for each field, after one of names: RFC 4180, and no cell is taken for a formula."""
    counts = [*OUTCOMES, *(f"{it}_share" for it in OUTCOMES), *(f"other_{it}" for it in REASONS)]
    before = ["same_part_eligible", "same_part_sent", "previous_eligible", "previous_sent"]
    return _csv([[*_OF_A_FIELD, "eligible", *counts, *before], *map(_csv_row, report.rows)])


def _csv_row(row: Row) -> list[Any]:
    tally, before = row.tally, row.before
    return [
        *(getattr(row.field, name) for name in _OF_A_FIELD),
        *(tally.eligible, *(tally.of(outcome) for outcome in OUTCOMES), *tally.to_json()["shares"].values()),
        *(row.reasons.get(reason, 0) for reason in REASONS),
        *(before.same_part.eligible, before.same_part.sent, before.whole.eligible, before.whole.sent),
    ]


def calls_csv(calls: Iterable[CallBehind]) -> str:
    """Give a line for each call, after one of names."""
    names = ["call_id", "day", "template", "field", "outcome", "reason", "detail", "who"]
    return _csv([names, *([it.to_json()[name] for name in names] for it in calls)])


def _csv(rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_defused(cell) for cell in row] for row in rows)
    return text.getvalue()


def _defused(cell: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula: https://owasp.org/www-community/attacks/CSV_Injection."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_DANGEROUS) else cell
