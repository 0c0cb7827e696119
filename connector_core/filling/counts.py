"""How often each outcome came, as it is counted day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from connector_core.filling.outcomes import OUTCOMES, Outcome, Reason

Target: TypeAlias = tuple[str, str, str]
"""A template's id, the key of one of its fields, and where in the CRM its values go."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many eligible fields came to each outcome; each came to exactly one."""

    sent: int = 0
    empty: int = 0
    no_crm_link: int = 0
    pending: int = 0
    other: int = 0

    @property
    def eligible(self) -> int:
        """How many there are: fields of published templates, for calls that these target."""
        return self.sent + self.empty + self.no_crm_link + self.pending + self.other

    @property
    def rate(self) -> float | None:
        """The sending rate, sent of eligible, from 0 to 1; None where none is eligible."""
        return self.share("sent")

    def of(self, outcome: Outcome) -> int:
        """How many came to one outcome."""
        number: int = getattr(self, outcome)
        return number

    def share(self, outcome: Outcome) -> float | None:
        """How many of the eligible came to one outcome, from 0 to 1; None where none is eligible."""
        return self.of(outcome) / self.eligible if self.eligible else None

    def __add__(self, other: Tally) -> Tally:
        """Count both."""
        return Tally(
            self.sent + other.sent,
            self.empty + other.empty,
            self.no_crm_link + other.no_crm_link,
            self.pending + other.pending,
            self.other + other.other,
        )

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data: numbers, and shares with four decimals."""
        shares = {it: self.share(it) for it in OUTCOMES}
        return {
            "eligible": self.eligible,
            "rate": _rounded(self.rate),
            "counts": {it: self.of(it) for it in OUTCOMES},
            "shares": {it: _rounded(share) for it, share in shares.items()},
        }


NONE = Tally()


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


@dataclass(frozen=True, slots=True)
class FieldDay:
    """What came of one field on one day; ``reasons`` of the outcome ``other``, by how many."""

    day: dt.date
    target: Target
    tally: Tally
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Values for one field that wait for the approval of ``who`` organized the call, None where nobody is known to have.

    ``since``: the one that has waited longest.
    """

    target: Target
    who: str | None
    number: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """Calls of the period that have no record of an object, though fields of exactly these templates would have needed one.

    ``object``: the role of the record, like ``opportunity``; or how another object is reached, and its name, like
    ``opportunity.Project__c.Project__c``.
    """

    object: str
    templates: frozenset[str]
    calls: int


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a connection. ``waiting`` and ``missing``: in the period itself; ``days`` also before it.

    ``refreshed_at``: all that happened until then is counted; None: nothing ever was.
    """

    days: tuple[FieldDay, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    missing: tuple[Missing, ...] = ()
    refreshed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Which calls of a field are asked for: of these days, with this outcome and reason or any, and how many at most.

    ``some``: of one day any calls will do, so that not all of them are looked through for the first.
    """

    days: tuple[dt.date, ...]
    outcome: Outcome | None = None
    reason: Reason | None = None
    most: int = 100
    some: bool = False


@dataclass(frozen=True, slots=True)
class CallBehind:
    """What came of a field for one call. ``detail``: as the CRM, or the connector, said it; ``who``: the organizer."""

    call_id: str
    day: dt.date
    template: str
    field: str
    outcome: Outcome
    reason: Reason | None
    detail: str | None
    who: str | None

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {**asdict(self), "day": self.day.isoformat()}


def missing_object(target: str, outcome: str) -> str:
    """Tell what a call lacks, by the target of a field: the record that leads to it, or what that should have named."""
    role, _, rest = target.partition(".")
    if outcome == "no_crm_link":
        return role
    return f"{role}.{rest}".rpartition(".")[0]
