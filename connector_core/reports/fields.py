"""The table of the page: a line for each field, with why it was not sent, and the first calls."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from connector_core.filling.counts import CallBehind
from connector_core.filling.levers import Lever
from connector_core.filling.outcomes import OUTCOMES, REASONS, Outcome, Reason
from connector_core.filling.report import Example, FieldInUse, Report, Row
from connector_core.reports import charts, wording

_Examples = Mapping[tuple[Any, Outcome, Reason | None], tuple[CallBehind, ...]]
_TEXT_COLUMNS = {"name": "Field", "object": "In the CRM", "template": "Template", "type": "Type", "mode": "Mode"}
_SHORT: Mapping[Outcome, str] = {**wording.LABELS, "no_crm_link": "No link"}

_SECTION = Markup("""<section class="card wide" aria-labelledby="h-fields">
<div class="head"><h2 id="h-fields">Field by field</h2>
<p class="sorting"><label>Sort by <select data-sort>{options}</select></label>
<button type="button" data-turn aria-pressed="false">Descending</button></p></div>
<p class="said" role="status" aria-live="polite" data-sorted></p>
<table class="fields" role="table"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>{rows}</table></section>""")
_HEAD = Markup(
    '<th role="columnheader" scope="col" data-column="{column}" data-kind="{kind}" class="{kind}">'
    '<button type="button">{label}</button></th>'
)
_BAR_HEAD = Markup('<th role="columnheader" scope="col" class="bars">Outcomes</th>')
_OPTION = Markup('<option value="{}">{}</option>')
_ROW = Markup("""
<tbody role="rowgroup" id="f-{place}" data-place="{place}"><tr role="row" class="field">
<th role="rowheader" scope="row" data-of="name" data-value="{name}">{name}</th>
<td role="cell" data-label="In the CRM" data-of="object" data-value="{target}"><code>{target}</code></td>
<td role="cell" data-label="Template" data-of="template" data-value="{template_name}">{template}</td>
<td role="cell" data-label="Type" data-of="type" data-value="{type}">{type}</td>
<td role="cell" data-label="Mode" data-of="mode" data-value="{mode}"><span class="mode {mode}">{mode}</span></td>
<td role="cell" data-label="Eligible" data-of="eligible" data-value="{eligible}" class="number">{eligible_}</td>
<td role="cell" data-label="Outcomes" class="bars">{bar}</td>{shares}</tr>{why}</tbody>""")
_SHARE = Markup(
    '<td role="cell" data-label="{label}" data-of="{outcome}" data-value="{value}" class="number{zero}">{share}{more}</td>'
)
_NUMBER = Markup("<small>{}</small>")
_LINK = Markup('<a href="{}" rel="noopener noreferrer">{}</a><small>{}</small>')
_NAME = Markup("{}<small>{}</small>")
_CHANGE = Markup('<span class="change {}"><span aria-hidden="true">{}</span> {}</span>')


def section(report: Report, examples: Sequence[Example]) -> Markup:
    """Give the table."""
    known = {(it.target, it.outcome, it.reason): it.calls for it in examples}
    labels: dict[str, str] = {
        **_TEXT_COLUMNS,
        "eligible": "Eligible",
        **{str(it): label for it, label in _SHORT.items()},
    }
    heads = [_HEAD.format(column=name, label=label, kind=_kind(name)) for name, label in labels.items()]
    heads.insert(len(_TEXT_COLUMNS) + 1, _BAR_HEAD)
    options = [_OPTION.format(name, label) for name, label in labels.items()]
    return _SECTION.format(
        options=Markup("").join(options),
        heads=Markup("").join(heads),
        rows=Markup("").join(_row(place, row, report, known) for place, row in enumerate(report.rows)),
    )


def _kind(column: str) -> str:
    return "text" if column in _TEXT_COLUMNS else "number"


def _row(place: int, row: Row, report: Report, examples: _Examples) -> Markup:
    it = row.field
    return _ROW.format(
        place=place,
        name=it.name,
        target=it.target,
        template_name=it.template_name,
        template=_template(it),
        type=it.type or "",
        mode=it.mode,
        eligible=row.tally.eligible,
        eligible_=f"{row.tally.eligible:,}",
        bar=charts.bar(row.tally, it.name),
        shares=Markup("").join(_share(outcome, row) for outcome in OUTCOMES),
        why=_why(row, report, examples),
    )


def _template(it: FieldInUse) -> Markup:
    """Link a template's address, if it is one of the web: any other might do something when it is followed."""
    if (it.template_address or "").startswith(("https://", "http://")):
        return _LINK.format(it.template_address, it.template_name, it.template_id)
    return _NAME.format(it.template_name, it.template_id)


def _share(outcome: Outcome, row: Row) -> Markup:
    share, number = row.tally.share(outcome), row.tally.of(outcome)
    more = _NUMBER.format(f"{number:,}") if number else Markup("")
    if outcome == "sent":
        more += change(share, row.before.same_part.rate)
    return _SHARE.format(
        label=_SHORT[outcome],
        outcome=outcome,
        value="" if share is None else f"{share:.6f}",
        zero="" if number else " zero",
        share=wording.share(share),
        more=more,
    )


def change(now: float | None, before: float | None, unit: str = "") -> Markup:
    """Say by how many points a rate changed, with a sign and an arrow."""
    said = wording.points(now, before)
    if said is None:
        return Markup("")
    way = {"+": "up", "−": "down"}.get(said[0], "same")
    number = said if way == "same" else f"{said.removesuffix(' points')} {unit}".rstrip()
    return _CHANGE.format(way, {"up": "▲", "down": "▼", "same": "="}[way], number)


# -- why ---------------------------------------------------------------------------------------------------------------

_WHY = Markup("""
<tr role="row" class="why"><td role="cell" colspan="12"><details><summary>{summary}</summary>
<ul class="because">{levers}</ul></details></td></tr>""")
_LEVER = Markup('<li class="e-{}"><p>{}<b>{}</b> {} · {}</p><p>{}</p>{}</li>')
_REASONS = Markup('<ul class="reasons">{}</ul>')
_REASON = Markup("<li><p><b>{}</b> {} · {}</p>{}</li>")
_CALLS = Markup("""<details class="calls"><summary>{summary}</summary>
<table><thead><tr>{heads}</tr></thead><tbody>{calls}</tbody></table>
<p class="all">All of them: <code>{command}</code></p></details>""")
_CALL_HEAD = Markup('<th scope="col">{}</th>')
_CALL = Markup('<tr><th scope="row">{}</th><td class="day">{}</td>{}</tr>')
_CELL = Markup("<td>{}</td>")
_MORE = {"who": "Organizer", "detail": "What was said"}


def _why(row: Row, report: Report, examples: _Examples) -> Markup:
    if not row.levers:
        return Markup("")
    said = ", ".join(f"{it.number:,} {wording.WORDS[it.outcome]}" for it in row.levers)
    levers = (_lever(it, row, report, examples) for it in row.levers)
    return _WHY.format(summary=f"Not sent: {said}", levers=Markup("").join(levers))


def _lever(it: Lever, row: Row, report: Report, examples: _Examples) -> Markup:
    if it.outcome == "other":
        more = _REASONS.format(Markup("").join(_reasons(row, report, examples)))
    else:
        more = _calls(row, report, it.outcome, None, it.number, examples)
    label, share = wording.LABELS[it.outcome], wording.share(it.share)
    said = charts.swatch(it.outcome), label, f"{it.number:,}", share
    return _LEVER.format(it.outcome, *said, wording.lever(it, report), more)


def _reasons(row: Row, report: Report, examples: _Examples) -> Iterator[Markup]:
    for reason in sorted(REASONS, key=lambda it: -row.reasons.get(it, 0)):
        if number := row.reasons.get(reason, 0):
            share = wording.share(number / row.tally.eligible)
            calls = _calls(row, report, "other", reason, number, examples)
            yield _REASON.format(wording.REASON_LABELS[reason], f"{number:,}", share, calls)


def _calls(
    row: Row, report: Report, outcome: Outcome, reason: Reason | None, number: int, examples: _Examples
) -> Markup:
    calls = examples.get((row.field.key, outcome, reason), ())
    if not calls:
        return Markup("")
    first = f"{len(calls)} of {number:,} calls, among the newest" if number > len(calls) else _all(number)
    which = f"--calls {shlex.quote(f'{row.field.template_id}.{row.field.name}')} --outcome {outcome}"
    which += f" --reason {reason}" if reason else ""
    told = [name for name in _MORE if any(getattr(it, name) for it in calls)]
    heads = ["Call", "Day", *(_MORE[name] for name in told)]
    return _CALLS.format(
        summary=first,
        heads=Markup("").join(map(_CALL_HEAD.format, heads)),
        calls=Markup("").join(_call(it, told) for it in calls),
        command=command(report, {}, which),
    )


def _call(it: CallBehind, told: Sequence[str]) -> Markup:
    more = Markup("").join(_CELL.format(getattr(it, name) or "–") for name in told)
    return _CALL.format(it.call_id, wording.day(it.day), more)


def _all(number: int) -> str:
    return "The call" if number == 1 else f"All {number:,} calls"


def command(report: Report, filters: Mapping[str, str | list[str]], more: str) -> str:
    """Say how a report is asked for on the command line."""
    words = ["connector report filling --connection", shlex.quote(report.connection), "--period", report.period.name]
    for name, value in filters.items():
        for one in [value] if isinstance(value, str) else value:
            words += [f"--{name}", shlex.quote(one)]
    return " ".join([*words, more])
