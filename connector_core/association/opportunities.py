"""Choosing among opportunities: tiers around the conversation.

Instants are whole microseconds since the epoch: exact, and free of a calendar's edges.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from typing import Literal, NamedTuple, TypeAlias

from connector_core.model import Call, Opportunity

Tier: TypeAlias = Literal[
    "open_during_call", "created_after_call", "closed_before_call", "closed_after_call", "closed_long_before_call"
]
TIERS: tuple[Tier, ...] = (
    "open_during_call",
    "created_after_call",
    "closed_before_call",
    "closed_after_call",
    "closed_long_before_call",
)
Excluded: TypeAlias = Literal["owner", "no_tier", "other_account"]
WHOLE_ACCOUNTS = frozenset({"activity_account", "primary_contact"})
"""The cases in which every opportunity of the account is a candidate."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
DAY = 24 * 60 * 60 * 1_000_000


class Candidate(NamedTuple):
    """An opportunity that was considered: with its tier and rank, or with why it fell out.

    A tuple, since every decision makes one of these for each opportunity: it costs half of what a dataclass does.
    """

    opportunity: Opportunity
    tier: Tier | None = None
    rank: int | None = None
    excluded: Excluded | None = None


class Span(NamedTuple):
    """The conversation and the windows around it, in microseconds. ``long_before`` None: without bound."""

    start: int
    end: int
    after: int
    before: int
    long_before: int | None

    @classmethod
    def of(cls, call: Call, windows_days: tuple[int, int, int], *, unbounded: bool) -> Span:
        """Take the closed interval of a call, and its windows."""
        after, before, long_before = windows_days
        return cls(
            microseconds(call.started_at),
            microseconds(call.end),
            after * DAY,
            before * DAY,
            None if unbounded else long_before * DAY,
        )


def microseconds(moment: dt.datetime) -> int:
    """Count the microseconds since the epoch."""
    return (moment - EPOCH) // MICROSECOND


def closing(closed: dt.datetime | dt.date, zone: zoneinfo.ZoneInfo) -> int:
    """Give the instant of the real closing; where only the day is known, the last microsecond of it."""
    if isinstance(closed, dt.datetime):
        return microseconds(closed)
    if closed == dt.date.max:
        return microseconds(dt.datetime.max.replace(tzinfo=dt.UTC))
    return microseconds(dt.datetime.combine(closed + dt.timedelta(days=1), dt.time(), zone)) - 1


def tier_of(created: int, closed: int | None, span: Span) -> int | None:
    """Place an opportunity: the index of its tier in :data:`TIERS`, or None."""
    if created <= span.end and (closed is None or closed >= span.start):
        return 0
    if span.end < created <= span.end + span.after:
        return 1
    if closed is None:
        return None
    if closed < span.start:
        if closed >= span.start - span.before:
            return 2
        return 4 if span.long_before is None or closed >= span.start - span.long_before else None
    return 3 if closed > span.end else None


def choose(
    opportunities: Iterable[Opportunity], span: Span, zone: zoneinfo.ZoneInfo, fallen: Iterable[Candidate] = ()
) -> list[Candidate]:
    """Rank opportunities: those in a tier, best first, then those that fell out, by id. The first one, if ranked, is chosen.

    :param fallen: Those that fell out before.
    """
    ranked: list[tuple[int, bool, int, str, int, Opportunity]] = []
    out = list(fallen)
    for place, opportunity in enumerate(opportunities):
        created = microseconds(opportunity.created_at)
        closed = None if opportunity.closed_at is None else closing(opportunity.closed_at, zone)
        tier = tier_of(created, closed, span)
        if tier is None:
            out.append(Candidate(opportunity, None, None, "no_tier"))
        else:
            distance = abs(created - span.start)
            ranked.append((tier, closed is not None, distance, opportunity.id, place, opportunity))
    ranked.sort()
    out.sort(key=lambda candidate: candidate.opportunity.id)
    candidates = [Candidate(row[5], TIERS[row[0]], place, None) for place, row in enumerate(ranked, 1)]
    return candidates + out
