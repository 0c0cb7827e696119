"""Contacts: by e-mail address, by phone number, by id; with the company that is their primary one."""

from __future__ import annotations

import functools
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.manifest import ConnectionInfo
from connector_core.model import Account, Person, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.describing import properties_of
from connector_hubspot.failures import BatchRefusedError
from connector_hubspot.identifying import EMAIL, Identifying
from connector_hubspot.kinds import CONTACTS
from connector_hubspot.reading import (
    BATCH,
    GROUPS,
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

TYPED = 10
"""How many ways of writing a number are asked for, where HubSpot calculates nothing of what is typed."""


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
    """Finds contacts. ``properties``: what a record needs to have been asked for."""

    def __init__(
        self, client: HubSpotClient, companies: Companies, info: ConnectionInfo, identifying: Identifying
    ) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._companies = companies
        self._connection = info.name
        self._reader = PhoneReader(info.regions)
        self.identifying = identifying
        self._checked = False
        told = (*identifying.told_emails, "firstname", "lastname", "jobtitle", "associatedcompanyid")
        self.properties = (*told, *identifying.numbers)

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the contacts that have an address, primary or further.

        A batch read by ``email`` matches further addresses too (seen on a portal on 7 October 2026) and does not say which
        input it answers: what came is told by its own addresses.
        """
        self._check_chosen()
        unknown: dict[str, Unknown] = {}

        def ask(chunk: Sequence[str]) -> list[Record]:
            records, problems = read_batch(self._client, CONTACTS, chunk, self.properties, id_property=EMAIL)
            unknown.update({key: Unknown(f"HubSpot answered {code} for this one") for key, code in problems.items()})
            told = [self._keys(record) & set(chunk) for record in records]
            if not all(told):  # a contact was found by an address that the app may not see
                unknown.update(
                    dict.fromkeys(set(chunk).difference(*told), Unknown("HubSpot does not show whose it is"))
                )
            return records

        records, unasked = self._ask(cut(emails, BATCH) if EMAIL in self.identifying.emails else (), ask, EMAIL)
        for names in cut(self.identifying.own_emails, GROUPS):
            more, also = self._ask(cut(emails, IN_VALUES), functools.partial(self._search_values, names))
            records |= more
            unasked |= also
        keys = {key: self._keys(record) for key, record in records.items()}
        return self._answered(emails, records, keys, unknown | unasked)

    def by_phone(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the contacts that have a number.

        HubSpot calculates what searches see: the number without its country, and with it. Which of both a typed number
        ends up as depends on the record's country, so both are asked for, and every hit is verified. In properties of which
        it calculates nothing a number is found in a usual way of writing alone.
        """
        self._check_chosen()
        records, unknown = self._ask(_by_values(numbers) if self.identifying.calculated else (), self._search_numbers)
        for own in cut(self.identifying.own_phones, GROUPS):
            more, also = self._ask(cut(numbers, IN_VALUES // TYPED), functools.partial(self._search_typed, own))
            records |= more
            unknown |= also
        names = self.identifying.numbers
        keys = {key: {self._reader.read(text) or "" for text in _texts(it, names)} for key, it in records.items()}
        return self._answered(numbers, records, keys, unknown)

    def by_id(self, ids: Iterable[str]) -> dict[str, Person]:
        """Read contacts; one that is gone is left out, one that was merged is the survivor."""
        records = read(self._client, CONTACTS, ids, self.properties)
        people = self._people(records.values())
        return {key: people[str(record["id"])] for key, record in records.items()}

    def number(self, text: str) -> str | None:
        """Read a text as a number, if it is one."""
        return self._reader.read(text)

    def made_of(self, records: Iterable[Record]) -> tuple[Person, ...]:
        """Read the people of records."""
        return tuple(self._people(records).values())

    def _ask(
        self,
        chunks: Iterable[Sequence[str]],
        ask: Callable[[Sequence[str]], list[Record]],
        id_property: str | None = None,
    ) -> tuple[dict[str, Record], dict[str, Unknown]]:
        """Ask for every chunk: the records by id, and the keys that could not be asked for."""
        records: dict[str, Record] = {}
        unknown: dict[str, Unknown] = {}
        for chunk in chunks:
            found, unasked = halving(chunk, ask, id_property=id_property)
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
            *([one_of(name, local)] for name in self.identifying.without_country),
            *([one_of(name, abroad)] for name in self.identifying.with_country),
            *([one_of(name, typed)] for name in self.identifying.as_typed),
        ]
        return self._search(groups)

    def _search_typed(self, names: Sequence[str], numbers: Sequence[str]) -> list[Record]:
        return self._search_values(names, [it for number in numbers for it in written_variants(number)[:TYPED]])

    def _search_values(self, names: Sequence[str], values: Sequence[str]) -> list[Record]:
        return self._search([[one_of(name, values)] for name in names])

    def _search(self, groups: Sequence[Sequence[Mapping[str, Any]]]) -> list[Record]:
        try:
            return search(self._client, CONTACTS, groups, self.properties)
        except BatchRefusedError:
            self._checked = False  # what the settings name may not be there any more
            self._check_chosen()
            raise

    def _check_chosen(self) -> None:
        """Look once whether what the settings name is there: how a search by what is not is answered is undocumented.

        :raises ConfigurationError: It names setting and property.
        """
        chosen = self.identifying.chosen
        properties = None if self._checked or not chosen else properties_of(self._client, CONTACTS)
        if properties is not None:
            texts = {it.get("name") for it in properties if it.get("type") in ("string", "phone_number")}
            wrong = next((name for name in chosen if name not in texts), None)
            if wrong is not None:
                raise ConfigurationError(
                    f"connection {self._connection}, settings.{chosen[wrong]}: HubSpot has no property {wrong} of contacts"
                    " by which people may be looked for: correct the setting, or let the app see the property"
                )
        self._checked = True

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
        return {str(record["id"]): self._person(record, accounts) for record in records}

    def _person(self, record: Record, accounts: Mapping[str, Account]) -> Person:
        names = (value(record, "firstname"), value(record, "lastname"))
        return Person(
            kind="contact",
            id=str(record["id"]),
            name=" ".join(name.strip() for name in names if name).strip() or None,
            emails=tuple(self._emails(record)),
            phones=tuple(_texts(record, self.identifying.phones)),
            title=value(record, "jobtitle"),
            account=accounts.get(value(record, "associatedcompanyid") or ""),
        )

    def _emails(self, record: Record) -> list[str]:
        texts = [it for text in _texts(record, self.identifying.told_emails) for it in text.split(";")]
        return list(dict.fromkeys(text.strip() for text in texts if text.strip()))

    def _keys(self, record: Record) -> set[str]:
        return {key for text in self._emails(record) if (key := email_key(text))}


def _texts(record: Record, names: Iterable[str]) -> list[str]:
    return [text for name in names if (text := value(record, name))]


@functools.lru_cache(maxsize=2_048)
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
