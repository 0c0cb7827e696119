"""What is given before anything is decided: the account and the opportunity of a person's choice, and the account kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from connector_core.association.history import NO_CHOICES, Choice, History, What
from connector_core.association.records import ById
from connector_core.model import Account, Opportunity, Unknown

R = TypeVar("R", Account, Opportunity)


class Given:
    """What a person chose of account and opportunity, and the account that a refresh keeps, as far as it is there.

    ``by_hand``: which of the two a person set or cleared. What could not be read is kept by ``by_id``, and leaves the
    decision open.
    """

    def __init__(self, history: History, by_id: ById) -> None:
        """Read what a person chose."""
        self.by_hand: frozenset[What] = frozenset()
        self.kept = False
        self._earlier = history.earlier
        self._by_id = by_id
        self.account: Account | None = None
        self.opportunity: Opportunity | None = None
        if history.choices is not NO_CHOICES:
            self.account = self._chosen(history.choices.account, by_id.account)
            self.opportunity = self._chosen(history.choices.opportunity, by_id.opportunity)

    def _chosen(self, choice: Choice | None, read: Callable[[str], R | Unknown | None]) -> R | None:
        """Read the record of a choice; a choice of one that is gone counts for nothing."""
        if choice is None:
            return None
        found = read(choice.id) if choice.id is not None else None
        if choice.id is None or found is not None:
            self.by_hand |= {choice.what}
        return None if isinstance(found, Unknown) else found

    def keep(self, known: Iterable[Account]) -> None:
        """Keep the account that there was before, unless a person's choice gives another one or it is gone.

        :param known: Accounts that are there for sure, so that they need not be read.
        """
        earlier = self._earlier.account_id if self._earlier is not None else None
        if earlier is None or "account" in self.by_hand or (self.opportunity and self.opportunity.account):
            return
        found = next((account for account in known if account.id == earlier), None) or self._by_id.account(earlier)
        if isinstance(found, Account):
            self.account, self.kept = found, True

    def allows(self, opportunity: Opportunity) -> bool:
        """Tell whether an opportunity may be chosen: with an account that is given, not one of another account."""
        if opportunity.account is None or not (self.kept or "account" in self.by_hand):
            return True
        return self.account is not None and self.account.id == opportunity.account.id
