"""Contacts, leads and users.

A converted lead is answered as a lead with the contact that it became: ``ConvertedContact`` is null where that contact is
gone. Of the phone fields those identify a person that are its own (not the assistant's, not a fax).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import RefusedError, TryAgainError
from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.model import Account, Person, PersonKind, Unknown
from connector_salesforce.client import Answer, Client, Row
from connector_salesforce.records import ids_of, named, record_id, text
from connector_salesforce.soql import LONGEST_SEARCH, Condition, Query, Search, askable, split, term, within, within_any

CONTACT_PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
LEAD_PHONES = ("Phone", "MobilePhone")
LONGEST_EMAIL = 128
SEARCH_LIMIT = 1_000
VARIANTS = 12
"""How many ways of writing a number are asked for; the search takes up the others."""

Either: TypeAlias = Mapping[str, Condition]
_NONE: Either = {}
_CONTACT = ("Id", "Name", "AccountId")
_CONTACT_MAY = ("Title", "Account.Id", "Account.Name")
_LEAD = ("Id", "Name", "IsConverted", "ConvertedContactId")
_LEAD_MAY = ("Title",)
_BECAME = tuple(f"ConvertedContact.{it}" for it in _CONTACT)
_BECAME_MAY = tuple(f"ConvertedContact.{it}" for it in (*_CONTACT_MAY, "Email", *CONTACT_PHONES))


def contacts(*where: Condition, need: Sequence[str] = (), either: Either = _NONE) -> Query:
    """Ask for contacts with all that a person has; ``need``: columns without which the question makes no sense."""
    may = [it for it in (*_CONTACT_MAY, "Email", *CONTACT_PHONES) if it not in need]
    return Query("Contact", (*_CONTACT, *need), where, tuple(may), either)


def leads(*where: Condition, need: Sequence[str] = (), either: Either = _NONE) -> Query:
    """Ask for leads with all that a person has, and whom they became."""
    may = [it for it in (*_LEAD_MAY, "Email", *LEAD_PHONES) if it not in need]
    return Query("Lead", (*_LEAD, *_BECAME, *need), where, (*may, *_BECAME_MAY), either)


def person(row: Row, kind: PersonKind) -> Person:
    """Read a contact or a lead."""
    became = row.get("ConvertedContact")
    account = text(row, "AccountId")
    if account is not None and "Account" in row and not row["Account"]:
        account = None  # the reference outlived the account
    return Person(
        kind=kind,
        id=record_id(row),
        name=named(row),
        emails=tuple(it for it in (text(row, "Email"),) if it),
        phones=tuple(it for column in CONTACT_PHONES if (it := text(row, column))),
        title=text(row, "Title"),
        account=Account(account, named(row, "Account.Name")) if account else None,
        converted=row.get("IsConverted") is True,
        converted_to=person(became, "contact") if isinstance(became, dict) else None,
    )


def by_email(client: Client, emails: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
    """Find contacts and leads by e-mail: one API call for some thousand addresses."""
    known = [it for it in emails if askable(it, LONGEST_EMAIL)]
    asked = split(known, lambda keys: contacts(within("Email", keys), need=("Email",)))
    asked += split(known, lambda keys: leads(within("Email", keys), need=("Email",)))
    return _by_key(client, emails, asked, lambda row: [email_key(text(row, "Email") or "")])


def by_phone(client: Client, reader: PhoneReader, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
    """Find contacts and leads by number: as people write it, then by searching for what is left.

    SOQL compares text, so usual ways of writing a number are asked for, and every hit is read as a number again. The
    search knows other ways, but not what was written in the last quarter of an hour (Large Data Volumes, "Search
    Architecture").
    """

    def numbers_of(row: Row) -> list[str | None]:
        return [reader.read(it) for column in CONTACT_PHONES if (it := text(row, column))]

    def either(columns: Sequence[str], keys: Sequence[str]) -> Either:
        written = list(dict.fromkeys(form for key in keys for form in written_variants(key)[:VARIANTS]))
        return within_any(columns, written)

    asked = split(numbers, lambda keys: contacts(need=("Phone",), either=either(CONTACT_PHONES, keys)))
    asked += split(numbers, lambda keys: leads(need=("Phone",), either=either(LEAD_PHONES, keys)))
    found = _by_key(client, numbers, asked, numbers_of)
    left = [number for number in numbers if found[number] == ()]
    for batch in _searches(left):
        try:
            found |= _search(client, batch, numbers_of)
        except (TryAgainError, RefusedError) as error:
            found |= dict.fromkeys(batch, Unknown(str(error)))
    return found


def by_id(answers: Iterable[Answer]) -> dict[str, Person]:
    """Read the people among rows of contacts and of leads, by id."""
    rows = [row for answer in answers if not isinstance(answer, Unknown) for row in answer]
    return {found.id: found for found in map(read, rows)}


def people_queries(records: Iterable[str]) -> list[Query]:
    """Ask for contacts and leads by id."""
    listed = list(records)
    asked = split(ids_of("Contact", listed), lambda keys: contacts(within("Id", keys)))
    asked += split(ids_of("Lead", listed), lambda keys: leads(within("Id", keys)))
    return [query for _, query in asked]


def read(row: Row) -> Person:
    return person(row, "lead" if "IsConverted" in row else "contact")


def _by_key(
    client: Client,
    keys: Sequence[str],
    asked: Sequence[tuple[Sequence[str], Query]],
    keys_of: Callable[[Row], Iterable[str | None]],
) -> dict[str, tuple[Person, ...] | Unknown]:
    """Ask, and give each key the people that have it; Unknown if one of its queries was not answered whole."""
    found: dict[str, dict[str, Person]] = {key: {} for key in keys}
    unknown: dict[str, Unknown] = {}
    for (part, _), answer in zip(asked, client.ask([query for _, query in asked]), strict=True):
        if isinstance(answer, Unknown):
            unknown |= dict.fromkeys(part, answer)
            continue
        for row in answer:
            for key in set(keys_of(row)) & found.keys():
                found[str(key)][record_id(row)] = read(row)
    return {key: unknown.get(key) or tuple(found[key].values()) for key in keys}


def number_terms(number: str) -> list[str]:
    """Give what a number is searched by: its digits, as dialled at home and with the country's code."""
    digits = ["".join(filter(str.isdigit, form)) for form in written_variants(number)[:2]]
    return sorted({*digits, number[1:]})


def _searches(numbers: Sequence[str]) -> list[list[str]]:
    """Part numbers so that each search is short enough to be answered."""
    parts: list[list[str]] = []
    room = 0
    for number in numbers:
        length = sum(len(term(it)) + len(" OR ") for it in number_terms(number))
        if not parts or length > room:
            parts.append([])
            room = LONGEST_SEARCH
        parts[-1].append(number)
        room -= length
    return parts


def _search(
    client: Client, numbers: Sequence[str], numbers_of: Callable[[Row], Iterable[str | None]]
) -> dict[str, tuple[Person, ...] | Unknown]:
    """Search for numbers; where the answer is full, search for fewer, down to the one that is too common."""
    search = Search([it for number in numbers for it in number_terms(number)], limit=SEARCH_LIMIT)
    rows = client.search(search, [contacts(), leads()])
    if max(Counter(row["attributes"].get("type") for row in rows).values(), default=0) >= SEARCH_LIMIT:
        if len(numbers) == 1:
            return {numbers[0]: Unknown("more records have this number than a search gives")}
        halves = (numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :])
        return functools.reduce(dict.__or__, (_search(client, half, numbers_of) for half in halves))
    hits = [(frozenset(numbers_of(row)), read(row)) for row in rows]
    return {number: tuple({it.id: it for theirs, it in hits if number in theirs}.values()) for number in numbers}
