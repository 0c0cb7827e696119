"""What the CRM answered, as far as it was asked, and what a decision still wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from connector_core.association.history import What
from connector_core.model import Account, Activity, CallKey, Opportunity, Person, Unknown, User

T = TypeVar("T")
People: TypeAlias = Mapping[str, tuple[Person, ...] | Unknown]
Accounts: TypeAlias = Mapping[str, tuple[Account, ...] | Unknown]
Deals: TypeAlias = Mapping[str, tuple[Opportunity, ...] | Unknown]


@dataclass(frozen=True, slots=True)
class Records:
    """The answers of the CRM, by key. A key that is missing was not asked: that is never *nothing found*.

    ``people_by_email``: trimmed, case-folded addresses. ``people_by_phone``: E.164. ``activities``: by call id.
    ``users_by_email``: as the people's. By id: a tuple of one, the survivor of a merge, or an empty one for what is gone.
    """

    people_by_email: People = field(default_factory=dict)
    people_by_phone: People = field(default_factory=dict)
    activities: Mapping[str, tuple[Activity, ...] | Unknown] = field(default_factory=dict)
    opportunities_of_people: Deals = field(default_factory=dict)
    opportunities_of_accounts: Deals = field(default_factory=dict)
    users_by_email: Mapping[str, tuple[User, ...] | Unknown] = field(default_factory=dict)
    people_by_id: People = field(default_factory=dict)
    accounts_by_id: Accounts = field(default_factory=dict)
    opportunities_by_id: Deals = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wants:
    """What a decision has to know next. Empty: nothing more, it can be made.

    ``people`` and ``accounts``: those whose opportunities are wanted. ``person_ids``, ``account_ids`` and
    ``opportunity_ids``: records that are wanted themselves.
    """

    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    activity: CallKey | None = None
    people: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    person_ids: frozenset[str] = frozenset()
    account_ids: frozenset[str] = frozenset()
    opportunity_ids: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Tell whether anything is wanted."""
        return self is not NOTHING and self != NOTHING

    def named(self) -> list[str]:
        """Say what it is, for people."""
        return [
            *(f"contacts with the e-mail {email}" for email in sorted(self.emails)),
            *(f"contacts with the number {phone}" for phone in sorted(self.phones)),
            *(["activities of the call"] if self.activity else []),
            *(f"opportunities of {person}" for person in sorted(self.people)),
            *(f"opportunities of account {account}" for account in sorted(self.accounts)),
            *(f"users with the e-mail {email}" for email in sorted(self.users)),
            *(f"contact {person}" for person in sorted(self.person_ids)),
            *(f"account {account}" for account in sorted(self.account_ids)),
            *(f"opportunity {opportunity}" for opportunity in sorted(self.opportunity_ids)),
        ]


NOTHING = Wants()


def counted(person: Person) -> Person | None:
    """Give whom a record stands for: a converted lead for whom it became (None: gone), any other for itself."""
    found: Person | None = person
    while found is not None and found.converted:
        found = found.converted_to
    return found


class ById:
    """Reads records by id out of the answers, and keeps what was not asked and what could not be."""

    def __init__(self, records: Records) -> None:
        """Take the answers."""
        self._records = records
        self._wanted: dict[What, set[str]] = {}
        self.unknown: list[str] = []

    @property
    def wants(self) -> Wants:
        """What was not asked yet."""
        if not self._wanted:
            return NOTHING
        person, account, opportunity = (
            frozenset(self._wanted.get(what, ())) for what in ("contact", "account", "opportunity")
        )
        return Wants(person_ids=person, account_ids=account, opportunity_ids=opportunity)

    def person(self, person_id: str) -> Person | Unknown | None:
        """Give a person, a converted lead as whom it became; None: gone."""
        found = self._read("contact", person_id, self._records.people_by_id)
        return counted(found) if isinstance(found, Person) else found

    def account(self, account_id: str) -> Account | Unknown | None:
        """Give an account; None: gone."""
        return self._read("account", account_id, self._records.accounts_by_id)

    def opportunity(self, opportunity_id: str) -> Opportunity | Unknown | None:
        """Give an opportunity; None: gone."""
        return self._read("opportunity", opportunity_id, self._records.opportunities_by_id)

    def _read(self, what: What, key: str, answers: Mapping[str, tuple[T, ...] | Unknown]) -> T | Unknown | None:
        answer = answers.get(key)
        if answer is None:
            self._wanted.setdefault(what, set()).add(key)
            return Unknown("not asked yet")
        if isinstance(answer, Unknown):
            self.unknown.append(f"{what} {key}: {answer.reason}")
            return answer
        return answer[0] if answer else None
