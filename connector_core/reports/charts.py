"""Charts as SVG inside a page. Places are per cent of the width, so that a chart fits a phone and a sheet of paper alike.

Colours are the stylesheet's; each outcome has a pattern too, and every chart says in words what it shows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from connector_core.filling.counts import Tally
from connector_core.filling.outcomes import OUTCOMES
from connector_core.filling.report import Point
from connector_core.reports import wording

PATTERNS = Markup(
    '<svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="p-empty" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" class="o-empty"/></pattern>'
    '<pattern id="p-no_crm_link" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" class="o-no_crm_link"/><rect width="2" height="6" class="mark"/></pattern>'
    '<pattern id="p-pending" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" class="o-pending"/><circle cx="3" cy="3" r="1.2" class="mark"/></pattern>'
    '<pattern id="p-other" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" class="o-other"/><path d="M0 2.5h5" class="mark-line"/></pattern>'
    "</defs></svg>"
)
"""How outcomes are told apart without colour; once in a page that has charts."""

_BAR = Markup('<svg class="bar" role="img" aria-label="{}" width="100%" height="100%">{}</svg>')
_SEGMENT = Markup('<rect x="{}%" width="{}%" y="0" height="100%" class="s-{}"><title>{}</title></rect>')
_EMPTY_BAR = Markup('<rect width="100%" height="100%" class="nothing"/>')


def swatch(outcome: str) -> Markup:
    """Draw the key to an outcome."""
    return Markup(
        '<svg class="swatch" width="12" height="12" aria-hidden="true"><rect width="12" height="12" class="s-{}"/></svg>'
    ).format(outcome)


def bar(tally: Tally, what: str) -> Markup:
    """Draw the shares of all outcomes side by side."""
    if not tally.eligible:
        return _BAR.format(f"{what}: no eligible field", _EMPTY_BAR)
    said = [f"{wording.WORDS[it]} {wording.share(tally.share(it))}" for it in OUTCOMES if tally.of(it)]
    return _BAR.format(f"{what}: {', '.join(said)}", Markup("").join(_segments(tally)))


def _segments(tally: Tally) -> Iterator[Markup]:
    start = 0.0
    for outcome in OUTCOMES:
        width = 100 * tally.of(outcome) / tally.eligible
        if width:
            title = f"{wording.LABELS[outcome]}: {tally.of(outcome):,} ({wording.share(tally.share(outcome))})"
            yield _SEGMENT.format(_place(start), _place(width), outcome, title)
        start += width


# -- over time ---------------------------------------------------------------------------------------------------------

_RATE = Markup(
    '<svg class="rate" role="img" aria-label="{label}" width="100%" height="100%">'
    '<g class="grid"><line x1="0" x2="100%" y1="0" y2="0"/><line x1="0" x2="100%" y1="50%" y2="50%"/>'
    '<line x1="0" x2="100%" y1="100%" y2="100%"/></g>{before}{lines}{dots}</svg>'
)
_LINE = Markup('<line x1="{}%" y1="{}%" x2="{}%" y2="{}%" class="trend"/>')
_DOT = Markup(
    '<g class="dot"><circle cx="{0}%" cy="{1}%" r="9" class="near"/>'
    '<circle cx="{0}%" cy="{1}%" r="3.5"/><title>{2}</title></g>'
)
_BEFORE = Markup('<line x1="0" x2="100%" y1="{0}%" y2="{0}%" class="before"><title>{1}</title></line>')
_VOLUME = Markup('<svg class="volume" role="img" aria-label="{}" width="100%" height="100%">{}</svg>')
_COLUMN = Markup('<rect x="{}%" width="{}%" y="{}%" height="{}%"><title>{}</title></rect>')
_AXIS = Markup('<svg class="axis" aria-hidden="true" width="100%" height="18">{}</svg>')
_TICK = Markup('<text x="{}%" y="13" text-anchor="{}">{}</text>')


def rate(points: Sequence[Point], before: float | None) -> Markup:
    """Draw the sending rate of each day, or week, from 0 to 100 per cent; ``before``: the rate to compare with."""
    places = [
        (_middle(number, points), 100 - 100 * point.tally.rate, point)
        for number, point in enumerate(points)
        if point.tally.rate is not None
    ]
    lines = [
        _LINE.format(*map(_place, (x, y, to_x, to_y))) for (x, y, _), (to_x, to_y, _) in itertools.pairwise(places)
    ]
    dots = [
        _DOT.format(
            _place(x), _place(y), f"{wording.days(it.span)}: {wording.rate(it.tally.rate)} of {it.tally.eligible:,}"
        )
        for x, y, it in places
    ]
    compared = Markup("")
    if before is not None:
        compared = _BEFORE.format(_place(100 - 100 * before), f"before: {wording.rate(before)}")
    said = ", ".join(f"{wording.days(it.span)} {wording.rate(it.tally.rate)}" for _, _, it in places)
    return _RATE.format(
        label=f"Sending rate: {said or 'nothing is known'}",
        before=compared,
        lines=Markup("").join(lines),
        dots=Markup("").join(dots),
    )


def volume(points: Sequence[Point]) -> Markup:
    """Draw how many fields were eligible each day, or week."""
    most = max((point.tally.eligible for point in points), default=0) or 1
    columns = []
    for number, point in enumerate(points):
        height = 100 * point.tally.eligible / most
        width = 100 / len(points)
        title = f"{wording.days(point.span)}: {point.tally.eligible:,} eligible"
        columns.append(
            _COLUMN.format(
                _place((number + 0.15) * width), _place(0.7 * width), _place(100 - height), _place(height), title
            )
        )
    return _VOLUME.format(f"Eligible fields, at most {most:,}", Markup("").join(columns))


def axis(points: Sequence[Point]) -> Markup:
    """Name the first, the middle and the last day, or week."""
    last = len(points) - 1
    named = {0: (0.0, "start"), last: (100.0, "end")} if last else {}
    if last != 1:
        named[last // 2] = (_middle(last // 2, points), "middle")
    ticks = [
        _TICK.format(_place(x), anchor, f"{points[number].span.first:%d %b}".lstrip("0"))
        for number, (x, anchor) in sorted(named.items())
    ]
    return _AXIS.format(Markup("").join(ticks))


def _middle(number: int, points: Sequence[Point]) -> float:
    return (number + 0.5) * 100 / len(points)


def _place(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
