"""Contacts: by e-mail address, by phone number, by id; with the company that is their primary one."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.model import Account, Person, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.reading import (
    BATCH,
    IN_VALUES,
    Record,
    cut,
    halving,
    ids_only,
    one_of,
    read,
    read_batch,
    search,
    value,
)

_NUMBERS = ("phone", "mobilephone", "hs_calculated_phone_number", "hs_calculated_mobile_number")
_PROPERTIES = (
    "email",
    "hs_additional_emails",
    "firstname",
    "lastname",
    "jobtitle",
    "associatedcompanyid",
    *_NUMBERS,
)
_SEARCHABLE = ("hs_searchable_calculated_phone_number", "hs_searchable_calculated_mobile_number")
_INTERNATIONAL = (
    "hs_searchable_calculated_international_phone_number",
    "hs_searchable_calculated_international_mobile_number",
)
SEARCHED = (*_SEARCHABLE, *_INTERNATIONAL, "phone")
"""By which properties a number is searched for."""


class Companies:
    """The names of companies, kept for ten minutes. A company that is gone is none."""

    _KEPT_SECONDS = 600.0

    def __init__(self, client: HubSpotClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Account, float]] = {}

    def read(self, ids: Iterable[str]) -> dict[str, Account]:
        """Give the companies that are there, by the id that was asked for."""
        wanted = ids_only(ids)
        now = self._clock()
        with self._lock:
            known = {key: self._kept[key] for key in wanted if key in self._kept}
        accounts = {key: account for key, (account, until) in known.items() if until > now}
        missing = [key for key in wanted if key not in accounts]
        records = read(self._client, "companies", missing, ["name"])
        fresh = {
            key: Account(str(records[key]["id"]), value(records[key], "name")) for key in missing if key in records
        }
        with self._lock:
            self._kept.update((key, (account, now + self._KEPT_SECONDS)) for key, account in fresh.items())
        return accounts | fresh


class People:
    """Finds contacts. ``PROPERTIES``: what a record needs to have been asked for."""

    PROPERTIES = _PROPERTIES

    def __init__(self, client: HubSpotClient, companies: Companies, reader: PhoneReader) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._companies = companies
        self._reader = reader

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the contacts that have an address, primary or further.

        A batch read by ``email`` matches further addresses too (seen on a portal on 7 October 2026) and does not say which
        input it answers: what came is told by its own addresses.
        """
        unknown: dict[str, Unknown] = {}

        def ask(chunk: Sequence[str]) -> list[Record]:
            records, problems = read_batch(self._client, "contacts", chunk, _PROPERTIES, id_property="email")
            unknown.update({key: Unknown(f"HubSpot answered {code} for this one") for key, code in problems.items()})
            told = [_keys(record) & set(chunk) for record in records]
            if not all(told):  # a contact was found by an address that the app may not see
                unknown.update(
                    dict.fromkeys(set(chunk).difference(*told), Unknown("HubSpot does not show whose it is"))
                )
            return records

        records, unasked = self._ask(cut(emails, BATCH), ask)
        keys = {key: _keys(record) for key, record in records.items()}
        return self._answered(emails, records, keys, unknown | unasked)

    def by_phone(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the contacts that have a number.

        HubSpot calculates what searches see: the number without its country, and with it. Which of both a typed number
        ends up as depends on the record's country, so both are asked for, and every hit is verified.
        """
        records, unknown = self._ask(_by_values(numbers), self._search_numbers)
        keys = {key: {self._reader.read(text) or "" for text in _texts(it, _NUMBERS)} for key, it in records.items()}
        return self._answered(numbers, records, keys, unknown)

    def by_id(self, ids: Iterable[str]) -> dict[str, Person]:
        """Read contacts; one that is gone is left out, one that was merged is the survivor."""
        records = read(self._client, "contacts", ids, _PROPERTIES)
        people = self._people(records.values())
        return {key: people[str(record["id"])] for key, record in records.items()}

    def number(self, text: str) -> str | None:
        """Read a text as a number, if it is one."""
        return self._reader.read(text)

    def made_of(self, records: Iterable[Record]) -> tuple[Person, ...]:
        """Read the people of records."""
        return tuple(self._people(records).values())

    def _ask(
        self, chunks: Iterable[Sequence[str]], ask: Callable[[Sequence[str]], list[Record]]
    ) -> tuple[dict[str, Record], dict[str, Unknown]]:
        """Ask for every chunk: the records by id, and the keys that could not be asked for."""
        records: dict[str, Record] = {}
        unknown: dict[str, Unknown] = {}
        for chunk in chunks:
            found, unasked = halving(chunk, ask)
            records.update((str(record["id"]), record) for record in found)
            unknown.update(
                dict.fromkeys(unasked, Unknown("HubSpot refuses to look for it, or has more than it hands out"))
            )
        return records, unknown

    def _search_numbers(self, numbers: Sequence[str]) -> list[Record]:
        local = [text for number in numbers for text in _local_forms(number)]
        abroad = [text for number in numbers for text in (number, number.removeprefix("+"))]
        typed = [text for number in numbers for text in written_variants(number)[:2]]
        groups: list[list[Mapping[str, Any]]] = [
            *([one_of(name, local)] for name in _SEARCHABLE),
            *([one_of(name, abroad)] for name in _INTERNATIONAL),
            [one_of("phone", typed)],
        ]
        return search(self._client, "contacts", groups, _PROPERTIES)

    def _answered(
        self,
        wanted: Sequence[str],
        records: Mapping[str, Record],
        keys: Mapping[str, Iterable[str]],
        unknown: Mapping[str, Unknown],
    ) -> dict[str, tuple[Person, ...] | Unknown]:
        """Give for each key the people whose records have it."""
        holders: dict[str, list[str]] = {}
        for record_id, found in keys.items():
            for key in found:
                holders.setdefault(key, []).append(record_id)
        asked = set(wanted)
        hits = {record_id for key in asked for record_id in holders.get(key, ())}
        people = self._people(record for key, record in records.items() if key in hits)
        return {
            key: unknown[key] if key in unknown else tuple(people[held] for held in sorted(holders.get(key, ())))
            for key in wanted
        }

    def _people(self, records: Iterable[Record]) -> dict[str, Person]:
        records = list(records)
        accounts = self._companies.read(filter(None, (value(record, "associatedcompanyid") for record in records)))
        return {str(record["id"]): _person(record, accounts) for record in records}


def _person(record: Record, accounts: Mapping[str, Account]) -> Person:
    names = (value(record, "firstname"), value(record, "lastname"))
    return Person(
        kind="contact",
        id=str(record["id"]),
        name=" ".join(name.strip() for name in names if name).strip() or None,
        emails=tuple(_emails(record)),
        phones=tuple(_texts(record, _NUMBERS[:2])),
        title=value(record, "jobtitle"),
        account=accounts.get(value(record, "associatedcompanyid") or ""),
    )


def _emails(record: Record) -> list[str]:
    texts = [value(record, "email") or "", *(value(record, "hs_additional_emails") or "").split(";")]
    return list(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _keys(record: Record) -> set[str]:
    return {key for text in _emails(record) if (key := email_key(text))}


def _texts(record: Record, names: Iterable[str]) -> list[str]:
    return [text for name in names if (text := value(record, name))]


@lru_cache(maxsize=8_192)
def _local_forms(number: str) -> tuple[str, ...]:
    """Give the digits under which a search without country may know a number.

    HubSpot drops leading zeros (``00004`` was seen as ``4``); where one belongs to the number (Italy) both are asked for.
    """
    whole = number.removeprefix("+")
    digits = [re.sub(r"\D", "", text) for text in written_variants(number) if "(0)" not in text]
    forms = [
        form for text in digits for form in (text.lstrip("0"), text) if form == form.lstrip("0") or whole.endswith(form)
    ]
    return tuple(sorted(set(filter(None, forms))))


def _by_values(numbers: Sequence[str]) -> Iterable[Sequence[str]]:
    """Cut so that no filter has more values than an ``IN`` is known to take."""
    chunk: list[str] = []
    size = 0
    for number in numbers:
        values = max(2, len(_local_forms(number)))
        if size + values > IN_VALUES:
            yield chunk
            chunk, size = [], 0
        chunk.append(number)
        size += values
    if chunk:
        yield chunk
