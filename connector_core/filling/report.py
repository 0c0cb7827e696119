"""The report of the filling as values: what was asked, and what the answer is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connector_core.filling.counts import NONE, CallBehind, Tally, Target
from connector_core.filling.levers import Lever
from connector_core.filling.outcomes import Outcome, Reason
from connector_core.filling.periods import Period, Span
from connector_core.filling.templates import Mode
from connector_core.model import FieldType


@dataclass(frozen=True, slots=True)
class FieldInUse:
    """A field of a template that is in use.

    ``name``: its key in the template. ``field``: the CRM's own name, of ``object``. ``through``: how another object than
    the standard ones is reached. ``type``: as the CRM described it when the template was published. ``mode``: today's.
    """

    template_id: str
    template_name: str
    template_address: str | None
    name: str
    object: str
    field: str
    through: str | None
    target: str
    mode: Mode
    type: FieldType | None

    @property
    def key(self) -> Target:
        """What tells its data from that of other fields, and of other targets."""
        return self.template_id, self.name, self.target


@dataclass(frozen=True, slots=True)
class Filters:
    """Which fields a report is about: those that meet all of them; of several values, any will do. None: no filter.

    ``templates`` by id, ``fields`` by their name, with that of the template before it or not, or the CRM's.
    """

    templates: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    mode: Mode | None = None

    def to_json(self) -> dict[str, Any]:
        """Give them as plain data; those that are not set are left out."""
        values = {
            "template": list(self.templates),
            "field": list(self.fields),
            "type": list(self.types),
            "mode": self.mode,
        }
        return {name: value for name, value in values.items() if value}


@dataclass(frozen=True, slots=True)
class Query:
    """What a report is asked for. ``sort``: one of :data:`~connector_core.filling.analytics.COLUMNS`; None for the order of
    the templates.
    """

    period: Period
    filters: Filters = Filters()
    sort: str | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """How it was before: in the whole previous period, and in the part of it that had elapsed then."""

    whole: Tally = NONE
    same_part: Tally = NONE

    def __add__(self, other: Before) -> Before:
        """Count both."""
        return Before(self.whole + other.whole, self.same_part + other.same_part)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"whole": self.whole.to_json(), "same_part": self.same_part.to_json()}


@dataclass(frozen=True, slots=True)
class Row:
    """One field. ``reasons``: of the outcome ``other``, by how many, the most first."""

    field: FieldInUse
    tally: Tally
    reasons: Mapping[str, int]
    levers: tuple[Lever, ...]
    before: Before

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        it = self.field
        return {
            "name": it.name,
            "type": it.type,
            "object": it.object,
            "through": it.through,
            "field": it.field,
            "template": {"id": it.template_id, "name": it.template_name, "address": it.template_address},
            "mode": it.mode,
            **self.tally.to_json(),
            "reasons": dict(self.reasons),
            "levers": [lever.to_json() for lever in self.levers],
            "before": self.before.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Point:
    """What came of all fields of the report in a day, or in a week of a longer period."""

    span: Span
    tally: Tally

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**self.span.to_json(), **self.tally.to_json()}


@dataclass(frozen=True, slots=True)
class Example:
    """The first calls behind a number: of a field, with an outcome, and of ``other`` with a reason."""

    target: Target
    outcome: Outcome
    reason: Reason | None
    calls: tuple[CallBehind, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is no row, in a sentence, and which filters to reset; none where there is nothing to report of at all."""

    why: str
    reset: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"why": self.why, "reset": list(self.reset)}


@dataclass(frozen=True, slots=True)
class Report:
    """How the fields of published templates were filled, for calls of a period. ``zone``: whose days they are.

    ``refreshed_at``: all that happened until then is counted; None: nothing ever was. ``total``: all rows together; its
    ``rate`` is the average sending rate. ``levers``: of all rows, each call once. ``over_time``: by days or weeks.
    """

    connection: str
    zone: str
    refreshed_at: dt.datetime | None
    period: Period
    filters: Filters
    total: Tally
    before: Before
    rows: tuple[Row, ...]
    levers: tuple[Lever, ...]
    over_time: tuple[Point, ...]
    nothing: Nothing | None = None

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "connection": self.connection,
            "time_zone": self.zone,
            "refreshed_at": self.refreshed_at and self.refreshed_at.astimezone(dt.UTC).isoformat(),
            "period": self.period.to_json(),
            "compared_with": {"whole": self.period.previous.to_json(), "same_part": self.period.same_part.to_json()},
            "filters": self.filters.to_json(),
            "total": self.total.to_json(),
            "before": self.before.to_json(),
            "levers": [lever.to_json() for lever in self.levers],
            "rows": [row.to_json() for row in self.rows],
            "over_time": [point.to_json() for point in self.over_time],
            "nothing": self.nothing and self.nothing.to_json(),
        }
