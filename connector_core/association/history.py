"""What is known of a call from before, beside the CRM: what people chose, what we wrote, what was decided."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, TypeAlias, get_args

from connector_core.errors import InputError
from connector_core.model import Written

What: TypeAlias = Literal["contact", "account", "opportunity"]
AccountFrom: TypeAlias = Literal["opportunity", "activity", "most_frequent", "primary_contact", "person"]
MatchedBy: TypeAlias = Literal["email", "phone", "activity", "person"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person set (``id``) or cleared (``id`` None), and who and when. No automatic run changes it.

    ``participant``: the place of the guest in the call, from 0, whose contact it is.

    :raises InputError: It cannot be: a contact of nobody, an empty id, a time without a zone.
    """

    what: What
    id: str | None
    by: str
    at: dt.datetime
    participant: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.what not in get_args(What):
            raise InputError(f"choice: what is {self.what!r}; wanted one of {', '.join(get_args(What))}")
        if (self.what == "contact") != (self.participant is not None):
            raise InputError(f"choice of {self.what}: wanted the guest's place (participant) with a contact alone")
        if self.participant is not None and self.participant < 0:
            raise InputError(f"choice of contact: participant is {self.participant}; wanted a place, from 0")
        if self.id is not None and not self.id.strip():
            raise InputError(f"choice of {self.what}: the id is empty; wanted one, or None to clear it")
        if self.at.utcoffset() is None:
            raise InputError(f"choice of {self.what}: the time has no time zone")

    def to_json(self) -> dict[str, Any]:
        """Give the choice as it stands in a decision's ``manual``."""
        at = self.at.isoformat()
        return {"what": self.what, "participant": self.participant, "id": self.id, "by": self.by, "at": at}


@dataclass(frozen=True, slots=True)
class Choices:
    """What people chose for one call; ``contacts`` by the guest's place."""

    contacts: Mapping[int, Choice] = field(default_factory=dict)
    account: Choice | None = None
    opportunity: Choice | None = None

    @classmethod
    def of(cls, choices: Iterable[Choice]) -> Self:
        """Take choices in any order: of several of the same thing the latest counts; of those at once, the last given."""
        contacts: dict[int, Choice] = {}
        others: dict[What, Choice] = {}
        for choice in sorted(choices, key=lambda choice: choice.at):
            if choice.participant is not None:
                contacts[choice.participant] = choice
            else:
                others[choice.what] = choice
        return cls(contacts, others.get("account"), others.get("opportunity"))

    def listed(self) -> list[Choice]:
        """List them: contacts in the order of the call, the account, the opportunity."""
        contacts = [self.contacts[place] for place in sorted(self.contacts)]
        return [*contacts, *(choice for choice in (self.account, self.opportunity) if choice is not None)]


NO_CHOICES = Choices()


@dataclass(frozen=True, slots=True)
class Earlier:
    """What a refresh keeps of the decision before: who the guests were, by place, and the account, with how they came."""

    person_ids: Mapping[int, str] = field(default_factory=dict)
    matched_by: Mapping[int, MatchedBy] = field(default_factory=dict)
    account_id: str | None = None
    account_from: AccountFrom | None = None

    @classmethod
    def from_json(cls, decision: Mapping[str, Any]) -> Self:
        """Take it from a decision as JSON; an undecided one keeps nothing."""
        people = {place: person for place, person in enumerate(decision["people"] or ()) if person is not None}
        account = decision["account"] or {}
        return cls(
            {place: person["id"] for place, person in people.items()},
            {place: person["matched_by"] for place, person in people.items()},
            account.get("id"),
            account.get("from"),
        )


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a call from before. With ``earlier`` the decision is a refresh of that one.

    ``written``: what we wrote in the activity that is known to be this call's.
    """

    choices: Choices = NO_CHOICES
    written: Written | None = None
    earlier: Earlier | None = None


NO_HISTORY = History()
