"""A decision as data: what a call belongs to, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from connector_core.association.evidence import Named
from connector_core.association.explanation import advise, explain
from connector_core.association.history import NO_CHOICES, AccountFrom, Choice, Choices, What
from connector_core.association.opportunities import Candidate
from connector_core.association.people import Guest, distinct
from connector_core.association.recognise import people_of
from connector_core.association.settings import Settings
from connector_core.model import Account, Activity, Call, Opportunity, Person

Status: TypeAlias = Literal["decided", "undecided", "ambiguous"]
Case: TypeAlias = Literal[
    "activity_opportunity", "activity_account", "activity_people", "participants", "primary_contact"
]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided for one call. ``to_json`` gives its public form; ``explanation`` its reasons in a line.

    ``activity`` is the one of the CRM that is the call's, ``by_key`` that it carries the call's id. ``by_hand``: which of
    account and opportunity a person set or cleared. ``account_kept``: it is the one from before, though another would be
    found today. ``ours``: the activity is the one that we wrote before; ``removed``: what we had written in it and somebody
    took out, which is not to be added again.
    """

    call: Call
    settings: Settings
    status: Status
    guests: tuple[Guest, ...]
    case: Case | None = None
    also: tuple[Person, ...] = ()
    account: Account | None = None
    account_from: AccountFrom | None = None
    counts: dict[str, int] = field(default_factory=dict)
    opportunity: Opportunity | None = None
    candidates: tuple[Candidate, ...] = ()
    activity: Activity | None = None
    by_key: bool = False
    ambiguous: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    choices: Choices = NO_CHOICES
    by_hand: frozenset[What] = frozenset()
    account_kept: bool = False
    ours: bool = False
    removed: frozenset[Named] = frozenset()

    @property
    def gone(self) -> list[Choice]:
        """What people set by hand and the CRM no longer has, or no guest is there for: it counts for nothing."""
        if self.choices is NO_CHOICES or self.status == "undecided":
            return []
        places = {guest.place for guest in self.guests if guest.by_hand}
        return [
            choice
            for choice in self.choices.listed()
            if choice.id is not None
            and (choice.participant not in places if choice.what == "contact" else choice.what not in self.by_hand)
        ]

    @property
    def explanation(self) -> str:
        """The reasons in one line of plain words."""
        return explain(self)

    @property
    def advice(self) -> list[dict[str, str]]:
        """What a person can do about what is missing: ``code`` and ``text``."""
        return advise(self)

    @property
    def people(self) -> list[Person]:
        """The distinct people of the guests who count, in the order of the call."""
        return distinct(guest.ranked[0] for guest in self.guests if guest.attends and guest.ranked)

    @property
    def on_activity(self) -> list[Person]:
        """The distinct people that the activity names already."""
        return people_of(self.activity) if self.activity is not None else []

    def to_json(self) -> dict[str, Any]:
        """Give the decision as plain data, the same bytes for the same decision."""
        undecided = self.status == "undecided"
        people: list[dict[str, Any] | None] = [None] * len(self.call.participants)
        for guest in () if undecided else self.guests:
            if guest.ranked:
                alternates = [person.id for person in guest.ranked[1:]]
                people[guest.place] = _person(guest.ranked[0], guest.matched_by, alternates, by_hand=guest.by_hand)
        return {
            "call_id": self.call.id,
            "status": self.status,
            "policy": self.settings.policy,
            "case": self.case,
            "people": None if undecided else people,
            "also": [_person(person, "activity", []) for person in self.also],
            "account": self.account
            and {
                "id": self.account.id,
                "name": self.account.name,
                "from": self.account_from,
                "counts": dict(sorted(self.counts.items())),
                "source": _source("account" in self.by_hand),
            },
            "opportunity": self.opportunity
            and {
                "id": self.opportunity.id,
                "name": self.opportunity.name,
                "tier": None if "opportunity" in self.by_hand else self.candidates[0].tier,
                "next_step": self.opportunity.next_step,
                "source": _source("opportunity" in self.by_hand),
            },
            "activity_id": self.activity and self.activity.id,
            "candidates": [
                {"id": item.opportunity.id, "tier": item.tier, "rank": item.rank, "excluded": item.excluded}
                for item in self.candidates
            ],
            "unmatched": [
                {"participant": guest.place, "reason": guest.reason, "detail": guest.detail}
                for guest in self.guests
                if guest.reason
            ],
            "unknown": list(self.unknown),
            "manual": [choice.to_json() for choice in self.choices.listed()],
            "settings": {
                "owner_filter": self.settings.owner_filter,
                "windows_days": list(self.settings.windows_days),
                "regions": list(self.settings.regions),
                "time_zone": self.settings.time_zone,
            },
            "explanation": self.explanation,
            "advice": self.advice,
        }


def _person(person: Person, matched_by: str | None, alternates: list[str], *, by_hand: bool = False) -> dict[str, Any]:
    return {
        "kind": person.kind,
        "id": person.id,
        "name": person.name,
        "matched_by": matched_by,
        "alternates": alternates,
        "source": _source(by_hand),
    }


def _source(by_hand: bool) -> str:
    return "manual" if by_hand else "automatic"
