"""The report of the filling, for those who may see it, and the calls behind each of its numbers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from connector_core.errors import InputError
from connector_core.filling.analytics import analyse
from connector_core.filling.counts import Asked, CallBehind, Counts, FieldDay, Target
from connector_core.filling.outcomes import OUTCOMES, Outcome, Reason
from connector_core.filling.periods import read_period
from connector_core.filling.report import Example, FieldInUse, Filters, Query, Report
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.templates import Published

EXAMPLES = 5
"""Calls that a page shows of each number."""
NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Behind:
    """Calls behind a number: the first of them, and how many there were when they were counted."""

    calls: tuple[CallBehind, ...]
    total: int


class FillReport:
    """Reports on the filling of one connection."""

    def __init__(self, ledger: Ledger, connection: str, zone: ZoneInfo, actor: Actor) -> None:
        """Read nothing yet.

        :param zone: The connection's: whose days and weeks they are.
        :raises InputError: A user may not see it.
        """
        if actor.role == "user":
            raise InputError("report: it takes an admin or a manager")
        self._ledger = ledger
        self._connection = connection
        self._zone = zone

    def refresh(self) -> None:
        """Count what changed since the last time.

        :raises TryAgainError: The ledger cannot be reached.
        """
        self._ledger.fill_days.refresh(self._connection)

    def query(
        self, period: str, filters: Filters = NO_FILTERS, *, sort: str | None = None, descending: bool = False
    ) -> Query:
        """Read what is asked for, as of today; what was never counted is counted first.

        :param period: See :func:`~connector_core.filling.periods.read_period`.
        :raises InputError: It is no period.
        """
        today = self._ledger.now().astimezone(self._zone).date()
        refreshed_at = self._ledger.fill_days.refreshed_at(self._connection)
        if refreshed_at is None:
            self.refresh()
        refreshed = self._day(refreshed_at) if refreshed_at else today
        return Query(read_period(period, today, refreshed), filters, sort, descending)

    def report(self, query: Query) -> Report:
        """Make the report.

        :raises InputError: There is no such column to sort by.
        :raises TryAgainError: The ledger cannot be reached.
        """
        return self._analyse(query, self._read(query))

    def calls(self, query: Query, outcome: Outcome | None, reason: Reason | None, most: int) -> Behind:
        """Give the calls behind a number of a report, the newest first.

        :param outcome: None for all.
        :param reason: Of the outcome ``other`` alone.
        :param most: No more than so many.
        :raises InputError: No field meets the filters; a reason of another outcome.
        """
        if reason is not None and outcome not in (None, "other"):
            raise InputError(f"reason: {outcome} has none; wanted the outcome other")
        counts = self._read(query)
        report = self._analyse(query, counts)
        if report.nothing:
            raise InputError(f"calls: {report.nothing.why}")
        wanted = "other" if reason is not None else outcome
        found: list[CallBehind] = []
        total = 0
        days = _by_field(counts, report)
        for row in report.rows:
            numbers = _numbers(days[row.field.key], wanted, reason)
            total += sum(numbers.values())
            found += self._behind(row.field.key, numbers, wanted, reason, most)
        found.sort(key=_newest_first)
        return Behind(tuple(found[:most]), total)

    def with_examples(self, query: Query) -> tuple[Report, tuple[Example, ...]]:
        """Make the report, with the first calls behind each number of those that were not sent."""
        counts = self._read(query)
        report = self._analyse(query, counts)
        return report, tuple(self._examples(report, counts))

    def _examples(self, report: Report, counts: Counts) -> Iterator[Example]:
        days = _by_field(counts, report)
        for row in report.rows:
            key = row.field.key
            shown: list[tuple[Outcome, Reason | None]] = [
                (outcome, None) for outcome in OUTCOMES if outcome not in ("sent", "other")
            ]
            shown += [("other", reason) for reason in row.reasons]  # type: ignore[misc]  # as they were kept
            for outcome, reason in shown:
                numbers = _numbers(days[key], outcome, reason)
                if numbers:
                    calls = self._behind(key, numbers, outcome, reason, EXAMPLES, some=True)
                    yield Example(key, outcome, reason, tuple(sorted(calls, key=_newest_first)))

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, query: Query) -> Counts:
        begins = {it.template.id: self._day(it.since) for it in self._published()}
        return self._ledger.fill_days.read(self._connection, query.period.previous.first, query.period.elapsed, begins)

    def _analyse(self, query: Query, counts: Counts) -> Report:
        fields = [field for it in self._published() for field in _in_use(it)]
        return analyse(self._connection, self._zone.key, fields, counts, query)

    def _published(self) -> Sequence[Published]:
        return self._ledger.templates.published(self._connection)

    def _day(self, moment: dt.datetime) -> dt.date:
        return moment.astimezone(self._zone).date()

    def _behind(
        self,
        target: Target,
        numbers: Mapping[dt.date, int],
        outcome: Outcome | None,
        reason: Reason | None,
        most: int,
        *,
        some: bool = False,
    ) -> list[CallBehind]:
        """Read the calls of the newest days that have as many: an index finds them, however many others there are."""
        days, enough = [], 0
        for day in sorted(numbers, reverse=True):
            days.append(day)
            enough += numbers[day]
            if enough >= most:
                break
        return self._ledger.fill_days.calls(self._connection, target, Asked(tuple(days), outcome, reason, most, some))


def _newest_first(it: CallBehind) -> tuple[int, str, str, str]:
    return -it.day.toordinal(), it.call_id, it.template, it.field


def _by_field(counts: Counts, report: Report) -> Mapping[Target, Sequence[FieldDay]]:
    """Give the days of the period that each field has."""
    days: defaultdict[Target, list[FieldDay]] = defaultdict(list)
    for it in counts.days:
        if it.day in report.period.elapsed:
            days[it.target].append(it)
    return days


def _numbers(days: Sequence[FieldDay], outcome: Outcome | None, reason: Reason | None) -> dict[dt.date, int]:
    """Tell how many such calls each day has, of those that have any."""
    found = {}
    for it in days:
        number = it.tally.eligible if outcome is None else it.tally.of(outcome)
        if number := it.reasons.get(reason, 0) if reason is not None else number:
            found[it.day] = number
    return found


def _in_use(published: Published) -> Iterator[FieldInUse]:
    template = published.template
    for it in template.fields:
        yield FieldInUse(
            template.id,
            template.name,
            template.address,
            it.key,
            it.object,
            it.field,
            it.through,
            it.target,
            it.mode,
            published.types.get(it.key),
        )
