"""What an activity says besides what we wrote in it: our own writing is no evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from connector_core.association.history import What
from connector_core.association.records import ById, counted
from connector_core.model import Account, Activity, ActivityKind, Call, Opportunity, Person, Unknown, Written

Named: TypeAlias = tuple[What, str]
"""A record by what it is and its id; in some CRMs an id is unique only among its like."""

R = TypeVar("R", Person, Account, Opportunity)
FAMILY: dict[ActivityKind, str] = {
    "call": "call",
    "task": "call",
    "meeting": "meeting",
    "event": "meeting",
    "note": "note",
}
"""Kinds that a CRM may show one activity as, by what they have in common."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An activity that we wrote, without what we wrote in it, and what somebody took out of it since."""

    activity: Activity
    removed: frozenset[Named]


def ours(activity: Activity, call: Call, written: Written | None) -> bool:
    """Tell whether an activity is the one that is known to be the call's, also if its key was lost."""
    return (
        written is not None
        and activity.id == written.activity_id
        and FAMILY[activity.kind] == FAMILY[written.kind]
        and (activity.key == call.id or not (activity.key or "").strip())
    )


def besides(activity: Activity, written: Written, by_id: ById) -> Evidence:
    """Take out of an activity what we wrote, as far as nobody changed it."""
    removed: set[Named] = set()

    def others(
        what: What, there: Sequence[R], wrote: Sequence[str | None], read: Callable[[str], R | Unknown | None]
    ) -> tuple[R, ...]:
        found = {record.id for record in there}
        wrote_ids = {record_id for record_id in wrote if record_id is not None}
        for missing in sorted(wrote_ids - found):
            # Merged, converted or deleted by the CRM, or taken out by somebody: the record itself tells.
            record = read(missing)
            if record is None or isinstance(record, Unknown):
                continue
            if record.id in found:
                wrote_ids.add(record.id)
            else:
                removed.add((what, record.id))
        return tuple(record for record in there if record.id not in wrote_ids)

    account = None if written.account_implied(activity) else written.account_id
    people = [person for person in map(counted, activity.people) if person is not None]
    said = replace(
        activity,
        people=others("contact", people, written.person_ids, by_id.person),
        accounts=others("account", activity.accounts, [account], by_id.account),
        opportunities=others("opportunity", activity.opportunities, [written.opportunity_id], by_id.opportunity),
    )
    return Evidence(said, frozenset(removed))
