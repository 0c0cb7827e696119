"""Which activity of the CRM is this call."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from connector_core.association.records import counted
from connector_core.model import Activity, ActivityKind, Call, CallKind, Person

WINDOW = dt.timedelta(minutes=15)
LOOK_ALIKES: dict[CallKind, frozenset[ActivityKind]] = {
    "phone": frozenset({"call", "task"}),
    "meeting": frozenset({"meeting", "event"}),
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """The activity that is the call's, if any; or the look-alikes among which nobody but a person can choose."""

    activity: Activity | None = None
    by_key: bool = False
    ambiguous: tuple[str, ...] = ()


NONE = Recognised()


def recognise(
    call: Call,
    candidates: Iterable[Activity],
    people: Collection[str],
    zone: zoneinfo.ZoneInfo,
    known: Activity | None = None,
) -> Recognised:
    """Choose the activity that is this call's.

    :param candidates: What the CRM may have for it; more does no harm.
    :param people: The ids of every record that a guest may be.
    :param known: The one of them that is known to be the call's: it counts as one that carries the call's id, and among
        equals stays the call's.
    """
    candidates = list({(activity.kind, activity.id): activity for activity in candidates}.values())
    keyed = [activity for activity in candidates if activity.key == call.id or activity is known]
    if keyed:
        first = min(keyed, key=lambda activity: (_names(activity), activity is not known, activity.id, activity.kind))
        return Recognised(first, by_key=first.key == call.id)
    alike = [activity for activity in candidates if _looks_like(activity, call, people, zone)]
    if not alike:
        return NONE
    best = min(_names(activity) for activity in alike)
    chosen = [activity for activity in alike if _names(activity) == best]
    if len(chosen) > 1:
        return Recognised(ambiguous=tuple(sorted(activity.id for activity in chosen)))
    return Recognised(chosen[0])


def people_of(activity: Activity) -> list[Person]:
    """List the distinct people that an activity names, leads replaced by whom they became, by id."""
    people = {person.id: person for person in map(counted, activity.people) if person is not None}
    return [people[key] for key in sorted(people)]


def _names(activity: Activity) -> int:
    """Rank by what it names: an opportunity, an account, people, nothing."""
    if activity.opportunities:
        return 0
    if activity.accounts:
        return 1
    return 2 if any(counted(person) is not None for person in activity.people) else 3


def _looks_like(activity: Activity, call: Call, people: Collection[str], zone: zoneinfo.ZoneInfo) -> bool:
    if (activity.key or "").strip() or activity.kind not in LOOK_ALIKES[call.kind]:
        return False
    if not any(person is not None and person.id in people for person in map(counted, activity.people)):
        return False
    start = activity.started_at
    if isinstance(start, dt.datetime):
        return abs(start - call.started_at) <= WINDOW
    return start is not None and _same_day(call.started_at, start, zone) and _as_long(activity, call)


def _same_day(moment: dt.datetime, day: dt.date, zone: zoneinfo.ZoneInfo) -> bool:
    try:
        return moment.astimezone(zone).date() == day
    except OverflowError:  # a year of 1 or 9999, moved across its edge
        return False


def _as_long(activity: Activity, call: Call) -> bool:
    """Compare durations to within 10 % of the call's, inclusive, in decimals: 1.1 is within 10 % of 1."""
    if activity.duration_seconds is None or call.length_seconds is None:
        return False
    there, here = Decimal(str(activity.duration_seconds)), Decimal(str(call.length_seconds))
    return 10 * abs(there - here) <= here
