"""People and accounts for a search box, and the address of the form for what is not found.

SOSL matches words of fields: ``carl*`` what begins with it, a phrase the words in it (SOSL Reference, "FIND"). It does not
know what was written in the last quarter of an hour (Large Data Volumes, "Search Architecture").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from connector_core.errors import RefusedError
from connector_core.hookspecs import MOST_HITS
from connector_core.model import Account, FormFields, FormRecord, Person, Unknown
from connector_salesforce.client import Client, Row
from connector_salesforce.people import People, number_terms
from connector_salesforce.reading import account, accounts
from connector_salesforce.soql import Query, Search, askable

T = TypeVar("T")
LONGEST_TEXT = 1_000
"""Far below the 4,000 characters from which on a search drops its operators."""


def search_people(client: Client, people: People, texts: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
    """Search contacts and leads in all their fields: one API call a text."""

    def search(text: str) -> Search:
        number = people.number(text)
        if number is not None:
            return Search([*number_terms(number), _digits(text)], MOST_HITS, "ALL")
        return Search(_words(text), MOST_HITS, "ALL", "AND")

    queries = [people.contacts(), people.leads()]
    return {text: _found(client, text, search, queries, people.read) for text in texts}


def search_accounts(client: Client, texts: Sequence[str]) -> dict[str, tuple[Account, ...] | Unknown]:
    """Search accounts by name: one API call a text."""

    def search(text: str) -> Search:
        return Search(_words(text), MOST_HITS, "NAME", "AND")

    return {text: _found(client, text, search, [accounts()], account) for text in texts}


def _found(
    client: Client, text: str, search: Callable[[str], Search], queries: Sequence[Query], make: Callable[[Row], T]
) -> tuple[T, ...] | Unknown:
    if not askable(text, LONGEST_TEXT):
        return Unknown("longer than what is searched for, or no text")
    if not any(map(str.isalnum, text)):
        return ()  # a search for signs alone is refused, and words are all that it matches
    try:
        return tuple(map(make, client.search(search(text), queries)[:MOST_HITS]))
    except RefusedError as error:
        return Unknown(str(error))


def _words(text: str) -> list[str]:
    """Part a text into words; a search for a single letter is refused, so such ones stand in a phrase."""
    words = [word for word in text.split() if sum(map(str.isalnum, word)) > 1]
    return words or [text.strip()]


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


_NAMES = {
    "contact": {"name": "LastName", "email": "Email", "phone": "Phone", "account_id": "AccountId"},
    "opportunity": {"name": "Name", "account_id": "AccountId"},
}


def form_address(instance_url: str, record: FormRecord, known: FormFields) -> str:
    """Give the address of the form of Lightning Experience.

    Values are encoded in the list, and the list in the address (Lightning Web Components Developer Guide, "Navigate to a
    Record's Create Page with Default Field Values"). An opportunity has no address and no number.
    """
    values = {field: value for name, field in _NAMES[record].items() if (value := getattr(known, name))}
    if record == "contact" and known.name:
        first, _, last = known.name.strip().rpartition(" ")
        values = {**({"FirstName": first} if first else {}), **values, "LastName": last}
    listed = ",".join(f"{field}={quote(value, safe='')}" for field, value in values.items())
    address = f"{instance_url}/lightning/o/{record.capitalize()}/new"
    return f"{address}?defaultFieldValues={quote(listed, safe='')}" if listed else address
