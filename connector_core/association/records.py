"""What the CRM answered, as far as it was asked, and what a decision still wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connector_core.model import Activity, CallKey, Opportunity, Person, Unknown, User

People: TypeAlias = Mapping[str, tuple[Person, ...] | Unknown]
Deals: TypeAlias = Mapping[str, tuple[Opportunity, ...] | Unknown]


@dataclass(frozen=True, slots=True)
class Records:
    """The answers of the CRM, by key. A key that is missing was not asked: that is never *nothing found*.

    ``people_by_email``: trimmed, case-folded addresses. ``people_by_phone``: E.164. ``activities``: by call id.
    ``users_by_email``: as the people's.
    """

    people_by_email: People = field(default_factory=dict)
    people_by_phone: People = field(default_factory=dict)
    activities: Mapping[str, tuple[Activity, ...] | Unknown] = field(default_factory=dict)
    opportunities_of_people: Deals = field(default_factory=dict)
    opportunities_of_accounts: Deals = field(default_factory=dict)
    users_by_email: Mapping[str, tuple[User, ...] | Unknown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wants:
    """What a decision has to know next. Empty: nothing more, it can be made."""

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    activity: CallKey | None = None
    people: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything is wanted."""
        return bool(self.emails or self.phones or self.activity or self.people or self.accounts or self.users)

    def named(self) -> list[str]:
        """Say what it is, for people."""
        return [
            *(f"contacts with the e-mail {email}" for email in sorted(self.emails)),
            *(f"contacts with the number {phone}" for phone in sorted(self.phones)),
            *(["activities of the call"] if self.activity else []),
            *(f"opportunities of {person}" for person in sorted(self.people)),
            *(f"opportunities of account {account}" for account in sorted(self.accounts)),
            *(f"users with the e-mail {email}" for email in sorted(self.users)),
        ]
