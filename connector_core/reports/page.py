"""The report of the filling as one page that needs no network: style, script and charts are in it.

Whatever names, reasons and addresses hold, they stay text: :class:`markupsafe.Markup` escapes all that is put into it. The
page's own policy lets it load nothing, and run no script but the one that stands here.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import shlex
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from connector_core.filling.counts import Tally
from connector_core.filling.levers import Lever
from connector_core.filling.outcomes import OUTCOMES
from connector_core.filling.periods import Span
from connector_core.filling.report import Example, Report, Row
from connector_core.reports import charts, fields, wording

_MOST_ROWS = 3


def _resource(name: str) -> Markup:
    return Markup((importlib.resources.files("connector_core.reports") / name).read_text(encoding="utf-8"))  # noqa: S704 - ours


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_STYLE, _SCRIPT = _resource("page.css"), _resource("page.js")
_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; img-src data:;"
    " base-uri 'none'; form-action 'none'"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16'"
    " rx='4' fill='%230d7d6c'/%3E%3Cpath d='M4 11l3-4 2 2 3-4' stroke='%23fff' stroke-width='1.8' fill='none'/%3E%3C/svg%3E"
)
_PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="{icon}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{patterns}
<header>
<p class="over">CRM filling</p>
<h1>{connection}</h1>
<p class="period">{period}</p>
<p class="fresh">{fresh}</p>
{filters}
</header>
<main>
{body}
</main>
<footer><p>Sending rate: sent ÷ eligible. Eligible: each field of a published template, for each call that the
template is for. Fields that were removed, and data of an earlier target, are not counted.</p></footer>
<script>{script}</script>
</body>
</html>
""")


def page(report: Report, examples: Sequence[Example] = ()) -> str:
    """Give the page.

    :param examples: The first calls behind its numbers.
    """
    body = _nothing(report) if report.nothing else Markup("\n").join(_sections(report, examples))
    return str(
        _PAGE.format(
            policy=_POLICY,
            icon=_ICON,
            title=f"CRM filling: {report.connection}, {wording.period(report.period)}",
            style=_STYLE,
            patterns=charts.PATTERNS,
            connection=report.connection,
            period=wording.period(report.period),
            fresh=wording.refreshed(report),
            filters=_filters(report),
            body=body,
            script=_SCRIPT,
        )
    )


def _sections(report: Report, examples: Sequence[Example]) -> Iterator[Markup]:
    yield _figures(report)
    yield _over_time(report)
    if report.levers:
        yield _to_do(report)
    yield fields.section(report, examples)


# -- what was asked ----------------------------------------------------------------------------------------------------

_FILTERS = Markup('<ul class="filters" aria-label="Filters">{}</ul>')
_FILTER = Markup("<li><span>{}</span> {}</li>")
_NOTHING = Markup(
    '<section class="card none"><h2>Nothing to show</h2><p>{why}.</p><p>{reset}</p>'
    "<pre><code>{command}</code></pre></section>"
)


def _filters(report: Report) -> Markup:
    set_ = report.filters.to_json()
    said = [_FILTER.format(name, value if isinstance(value, str) else ", ".join(value)) for name, value in set_.items()]
    return _FILTERS.format(Markup("").join(said)) if said else Markup("")


def _nothing(report: Report) -> Markup:
    assert report.nothing is not None  # noqa: S101 - asked for before
    why = report.nothing.why[:1].upper() + report.nothing.why[1:]
    if not report.nothing.reset:
        command = f"connector templates publish TEMPLATE --connection {shlex.quote(report.connection)}"
        return _NOTHING.format(why=why, reset="Publish one:", command=command)
    kept = {name: value for name, value in report.filters.to_json().items() if name not in report.nothing.reset}
    return _NOTHING.format(why=why, reset="Without it, or them:", command=fields.command(report, kept, "--format html"))


# -- figures -----------------------------------------------------------------------------------------------------------

_FIGURES = Markup("""<section class="card figures" aria-labelledby="h-rate">
<div class="hero"><h2 id="h-rate">Average sending rate</h2><p class="big">{rate}</p>
<p class="of"><b>{sent}</b> sent of <b>{eligible}</b> eligible fields</p>
<dl class="before">{before}</dl></div>
<div class="shares"><div class="total">{bar}</div><ul class="legend">{legend}</ul></div>
</section>""")
_BEFORE = Markup("<div><dt>{what}<span>{days}</span></dt><dd>{rate} {change}</dd></div>")
_LEGEND = Markup('<li>{swatch}<span class="what">{label}</span><b>{share}</b><span class="number">{number}</span></li>')


def _figures(report: Report) -> Markup:
    total, period = report.total, report.period
    compared = [("Whole previous period", period.previous, report.before.whole)]
    if period.same_part != period.previous:
        compared.insert(0, ("Same part of the previous period", period.same_part, report.before.same_part))
    legend = [
        _LEGEND.format(
            swatch=charts.swatch(it),
            label=wording.LABELS[it],
            share=wording.share(total.share(it)),
            number=f"{total.of(it):,}",
        )
        for it in OUTCOMES
    ]
    return _FIGURES.format(
        rate=wording.rate(total.rate),
        sent=f"{total.sent:,}",
        eligible=f"{total.eligible:,}",
        before=Markup("").join(_before(total, *it) for it in compared),
        bar=charts.bar(total, "All fields"),
        legend=Markup("").join(legend),
    )


def _before(total: Tally, what: str, span: Span, before: Tally) -> Markup:
    return _BEFORE.format(
        what=what,
        days=wording.days(span),
        rate=wording.rate(before.rate),
        change=fields.change(total.rate, before.rate, "points"),
    )


_OVER_TIME = Markup("""<section class="card" aria-labelledby="h-time">
<h2 id="h-time">Sending rate by {unit}</h2>
<div class="plot"><div class="scale" aria-hidden="true"><span>100 %</span><span>50 %</span><span>0 %</span></div>
<div class="area">{rate}</div>
<div class="scale small" aria-hidden="true"><span>{most}</span></div><div class="area small">{volume}</div>
<div></div>{axis}</div>
<p class="key"><span class="k-rate">Sending rate</span>{before}<span class="k-volume">Eligible fields</span></p>
<details class="data"><summary>As a table</summary><table><thead><tr><th scope="col">{unit_}</th>
<th scope="col">Eligible</th><th scope="col">Sent</th><th scope="col">Sending rate</th></tr></thead>
<tbody>{rows}</tbody></table></details>
</section>""")
_POINT = Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>')


def _over_time(report: Report) -> Markup:
    points = report.over_time
    unit = "week" if len(points) < report.period.elapsed.days else "day"
    before = report.before.same_part.rate
    rows = [
        _POINT.format(
            wording.days(it.span), f"{it.tally.eligible:,}", f"{it.tally.sent:,}", wording.rate(it.tally.rate)
        )
        for it in points
    ]
    key = Markup('<span class="k-before">Average of {}</span>').format(wording.days(report.period.same_part))
    return _OVER_TIME.format(
        unit=unit,
        unit_=unit.capitalize(),
        rate=charts.rate(points, before),
        volume=charts.volume(points),
        axis=charts.axis(points),
        most=f"{max(it.tally.eligible for it in points):,}",
        before=key if before is not None else "",
        rows=Markup("").join(rows),
    )


# -- what to do --------------------------------------------------------------------------------------------------------

_TO_DO = Markup('<section aria-labelledby="h-do"><h2 id="h-do">What to do</h2><div class="levers">{}</div></section>')
_LEVER = Markup("""<article class="card lever e-{outcome}"><h3>{swatch}{label}<span>{number} · {share}</span></h3>
<p>{sentence}</p>{where}</article>""")
_WHERE = Markup('<p class="where">Most in {}</p>')
_WHICH = Markup('<a href="#f-{}">{}</a>&nbsp;({})')


def _to_do(report: Report) -> Markup:
    return _TO_DO.format(Markup("\n").join(_lever(it, report) for it in report.levers))


def _lever(it: Lever, report: Report) -> Markup:
    def number(row: tuple[int, Row]) -> int:
        return row[1].tally.of(it.outcome)

    rows = sorted((row for row in enumerate(report.rows) if number(row)), key=number, reverse=True)[:_MOST_ROWS]
    named = [_WHICH.format(place, row.field.name, f"{row.tally.of(it.outcome):,}") for place, row in rows]
    return _LEVER.format(
        outcome=it.outcome,
        swatch=charts.swatch(it.outcome),
        label=wording.LABELS[it.outcome],
        number=f"{it.number:,}",
        share=wording.share(it.share),
        sentence=wording.lever(it, report),
        where=_WHERE.format(Markup(", ").join(named)) if len(report.rows) > 1 else "",
    )
