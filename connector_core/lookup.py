"""Looking up what decisions want, for many calls at once.

What is wanted next is told by :func:`connector_core.association.wants`; it is asked until nothing is wanted any more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connector_core.association import NO_HISTORY, History, Records, Settings, Wants, wants
from connector_core.connection import Connection
from connector_core.errors import ContractError, MissingRightError, OutcomeUnknownError, RefusedError, TryAgainError
from connector_core.model import Call, CallKey, Person, Unknown
from connector_core.remembered import Remembered

T = TypeVar("T")

ASKED_AGAIN = (TryAgainError, MissingRightError, RefusedError, OutcomeUnknownError, ContractError)
"""What a look-up may raise that makes its keys unknown, and stops nothing else."""

FEW_CALLS = 250
"""Calls whose e-mails and numbers are asked for together. Of more, numbers wait for e-mails: they are dear to ask for, and
those of guests who are found by e-mail need not be, which is worth a round more."""

KNOWN_SECONDS = 60.0
"""How long :class:`KnownPeople` are, which is no longer than a slow batch takes from its look-up to its writes."""

NO_HISTORIES: Mapping[str, History] = {}


class KnownPeople:
    """The people that were found for many calls in a row, for a moment: the same ones come again and again in a backfill.

    Who was not found is asked for anew each time.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nobody yet."""
        self.by_email: Remembered[tuple[Person, ...]] = Remembered(KNOWN_SECONDS, clock)
        self.by_phone: Remembered[tuple[Person, ...]] = Remembered(KNOWN_SECONDS, clock)


def look_up(
    connection: Connection,
    calls: Sequence[Call],
    settings: Settings,
    histories: Mapping[str, History] = NO_HISTORIES,
    known: KnownPeople | None = None,
) -> Records:
    """Ask the CRM for all that these calls' decisions want, in as few rounds as the rules allow.

    :param histories: What is known of calls from before, by call id; nothing of those that are not there.
    :param known: Whom not to ask for once more.
    """
    answers = _Answers(connection, known)
    pending = list(calls)
    while True:
        asked = [
            (call, want)
            for call in pending
            if (want := wants(call, answers.records, settings, histories.get(call.id, NO_HISTORY)))
        ]
        if not asked:
            return answers.records
        answers.ask([want for _, want in asked], together=len(asked) <= FEW_CALLS)
        pending = [call for call, _ in asked]


@dataclass(slots=True)
class _Answers:
    """The answers so far; a look-up that fails leaves its keys unknown."""

    connection: Connection
    known: KnownPeople | None = None
    people_by_email: dict[str, Any] = field(default_factory=dict)
    people_by_phone: dict[str, Any] = field(default_factory=dict)
    activities: dict[str, Any] = field(default_factory=dict)
    of_people: dict[str, Any] = field(default_factory=dict)
    of_accounts: dict[str, Any] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, Any] = field(default_factory=dict)
    opportunities: dict[str, Any] = field(default_factory=dict)

    @property
    def records(self) -> Records:
        return Records(
            self.people_by_email,
            self.people_by_phone,
            self.activities,
            self.of_people,
            self.of_accounts,
            self.users,
            self.people,
            self.accounts,
            self.opportunities,
        )

    def ask(self, all_wants: Iterable[Wants], *, together: bool) -> None:
        """Ask for what is wanted first. ``together``: numbers beside e-mails, not after them."""
        emails, phones, people, accounts, users = (set[str]() for _ in range(5))
        person_ids, account_ids, opportunity_ids = (set[str]() for _ in range(3))
        keys: dict[str, CallKey] = {}
        for want in all_wants:
            emails |= want.emails
            phones |= want.phones
            people |= want.people
            accounts |= want.accounts
            users |= want.users
            person_ids |= want.person_ids
            account_ids |= want.account_ids
            opportunity_ids |= want.opportunity_ids
            if want.activity is not None:
                keys[want.activity.call_id] = want.activity
        connection = self.connection
        if emails or phones or person_ids or account_ids or opportunity_ids:
            # Who the people of every call are comes first: one look-up of activities then serves all calls.
            known = self.known
            self.people_by_email |= _found(connection.find_contacts_by_email, emails, known.by_email if known else None)
            if together or not emails:
                self.people_by_phone |= _found(
                    connection.find_contacts_by_phone, phones, known.by_phone if known else None
                )
            self.people |= self._read("read_people", person_ids)
            self.accounts |= self._read("read_accounts", account_ids)
            self.opportunities |= known_or_not(
                lambda ids: connection.list_opportunities((), (), ids, None).by_id, opportunity_ids
            )
        elif keys:
            self.activities |= known_or_not(lambda _: connection.find_activity(keys.values()), keys)
        else:
            self.users |= known_or_not(connection.find_users_by_email, users)
            if people or accounts:
                self._ask_opportunities(people, accounts)

    def _read(self, operation: str, ids: Iterable[str]) -> Mapping[str, Any]:
        """Read records by id; a plugin that cannot leaves them unknown, since nothing tells whether they are there."""
        if operation not in self.connection.operations:
            return dict.fromkeys(ids, Unknown(f"the plugin {self.connection.manifest.name} has no {operation}"))
        return known_or_not(getattr(self.connection, operation), ids)

    def _ask_opportunities(self, people: set[str], accounts: set[str]) -> None:
        try:
            answer = self.connection.list_opportunities(sorted(people), sorted(accounts), [], None)
        except ASKED_AGAIN as error:
            self.of_people |= dict.fromkeys(people, Unknown(str(error)))
            self.of_accounts |= dict.fromkeys(accounts, Unknown(str(error)))
        else:
            self.of_people |= answer.of_people
            self.of_accounts |= answer.of_accounts


def _found(
    ask: Callable[[list[str]], Mapping[str, tuple[Person, ...] | Unknown]],
    keys: Collection[str],
    known: Remembered[tuple[Person, ...]] | None,
) -> Mapping[str, tuple[Person, ...] | Unknown]:
    """Ask for people, but for those that are known already."""
    if known is None:
        return known_or_not(ask, keys)
    before = known.recall(keys)
    answers = known_or_not(ask, (key for key in keys if key not in before))
    known.keep({key: found for key, found in answers.items() if found and not isinstance(found, Unknown)})
    return {**answers, **before}


def known_or_not(ask: Callable[[list[str]], Mapping[str, T]], keys: Iterable[str]) -> Mapping[str, T | Unknown]:
    """Ask for keys; where the look-up fails, each of them is unknown."""
    batch = sorted(keys)
    if not batch:
        return {}
    try:
        return ask(batch)
    except ASKED_AGAIN as error:
        return dict.fromkeys(batch, Unknown(str(error)))
