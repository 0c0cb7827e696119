"""Contacts and companies by id, and for a search box."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from connector_core.hookspecs import MOST_HITS
from connector_core.model import Account, Person, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError
from connector_hubspot.people import People
from connector_hubspot.reading import Record, find, ids_only, read, survivor, value

T = TypeVar("T")
LONGEST_QUERY = 3_000
"""How many characters a query has at most (guide to search)."""


def read_people(client: HubSpotClient, people: People, ids: Sequence[str]) -> dict[str, tuple[Person, ...]]:
    """Read contacts."""
    return _with_survivors(client, "contacts", ids, people.by_id)


def read_accounts(client: HubSpotClient, ids: Sequence[str]) -> dict[str, tuple[Account, ...]]:
    """Read companies, as they are now."""
    return _with_survivors(client, "companies", ids, lambda keys: _accounts(client, keys))


def _with_survivors(
    client: HubSpotClient, obj: str, ids: Sequence[str], read: Callable[[Iterable[str]], Mapping[str, T]]
) -> dict[str, tuple[T, ...]]:
    """Read records. Each that a batch does not have is asked for once more, as it may be merged.

    A batch was seen to answer a merged contact by the one that is left; it is not documented, nor was it seen of others.
    """
    found = dict(read(ids))
    left = {key: there for key in ids_only(ids) if key not in found and (there := survivor(client, obj, key))}
    survivors = read(left.values()) if left else {}
    found |= {key: survivors[there] for key, there in left.items() if there in survivors}
    return {key: (found[key],) if key in found else () for key in ids}


def search_people(
    client: HubSpotClient, people: People, texts: Sequence[str]
) -> dict[str, tuple[Person, ...] | Unknown]:
    """Search contacts. A number is searched for as such: HubSpot finds none that is typed with its country's code."""

    def search(text: str) -> tuple[Person, ...] | Unknown:
        number = people.number(text)
        if number is None:
            return people.made_of(find(client, "contacts", text, people.properties, MOST_HITS))
        found = people.by_phone([number])[number]
        return found if isinstance(found, Unknown) else found[:MOST_HITS]

    return {text: _unless_refused(search, text) for text in texts}


def search_accounts(client: HubSpotClient, texts: Sequence[str]) -> dict[str, tuple[Account, ...] | Unknown]:
    """Search companies."""

    def search(text: str) -> tuple[Account, ...]:
        return tuple(map(_account, find(client, "companies", text, ["name"], MOST_HITS)))

    return {text: _unless_refused(search, text) for text in texts}


def _unless_refused(search: Callable[[str], tuple[T, ...] | Unknown], text: str) -> tuple[T, ...] | Unknown:
    if len(text) > LONGEST_QUERY:
        return Unknown(f"HubSpot searches for {LONGEST_QUERY} characters at most")
    try:
        return search(text)
    except BatchRefusedError as error:
        return Unknown(str(error))


def _accounts(client: HubSpotClient, ids: Iterable[str]) -> dict[str, Account]:
    return {key: _account(record) for key, record in read(client, "companies", ids, ["name"]).items()}


def _account(record: Record) -> Account:
    return Account(str(record["id"]), value(record, "name"))
