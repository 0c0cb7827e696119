"""The account of a call, where no opportunity gives one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from connector_core.association.people import rank
from connector_core.model import Account, Person


def count(people: Iterable[Person]) -> tuple[dict[str, int], dict[str, Account]]:
    """Count the primary accounts of distinct people, by id; give the accounts beside."""
    counts: dict[str, int] = {}
    accounts: dict[str, Account] = {}
    for person in people:
        account = person.account
        if account is not None:
            counts[account.id] = counts.get(account.id, 0) + 1
            accounts[account.id] = account
    return counts, accounts


def primary_contact(people: Collection[Person]) -> Person | None:
    """Give the primary contact: the first in rank."""
    return min(people, key=rank, default=None)


def most_frequent(counts: Mapping[str, int], people: Collection[Person]) -> str | None:
    """Give the most frequent account; of several, the primary contact's if it is one of them, else the smallest id."""
    if len(counts) < 2:
        return next(iter(counts), None)
    most = max(counts.values())
    tied = [account for account, number in counts.items() if number == most]
    if len(tied) > 1:
        primary = primary_contact(people)
        if primary is not None and primary.account is not None and primary.account.id in tied:
            return primary.account.id
    return min(tied)
