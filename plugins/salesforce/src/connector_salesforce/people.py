"""Contacts and leads.

A converted lead is answered as a lead with the contact that it became: ``ConvertedContact`` is null where that contact is
gone.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import ConfigurationError, MissingRightError, RefusedError, TryAgainError
from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.manifest import ConnectionInfo
from connector_core.model import Account, Person, PersonKind, Unknown
from connector_salesforce.client import Answer, Client, Row
from connector_salesforce.identifying import Identifying
from connector_salesforce.records import ids_of, named, record_id, text
from connector_salesforce.soql import LONGEST_SEARCH, Condition, Query, Search, askable, split, term, within, within_any

LONGEST_EMAIL = 128
SEARCH_LIMIT = 1_000
VARIANTS = 12
"""How many ways of writing a number are asked for; the search takes up the others."""

Either: TypeAlias = Mapping[str, Condition]
Ask: TypeAlias = Callable[..., Query]
_NONE: Either = {}
_CONTACT = ("Id", "Name", "AccountId")
_CONTACT_MAY = ("Title", "Account.Id", "Account.Name")
_LEAD = ("Id", "Name", "IsConverted", "ConvertedContactId")
_LEAD_MAY = ("Title",)
_BECAME = tuple(f"ConvertedContact.{it}" for it in _CONTACT)


class People:
    """Finds contacts and leads of one connection, by the fields that identify them."""

    def __init__(self, client: Client, info: ConnectionInfo, fields: Identifying) -> None:
        """Ask for nothing yet."""
        self._client = client
        self._connection = info.name
        self._reader = PhoneReader(info.regions)
        self._fields = fields
        self._phones = _all_of(fields.phones)
        self._emails = _all_of(fields.emails)

    def contacts(self, *where: Condition, need: Sequence[str] = (), either: Either = _NONE) -> Query:
        """Ask for contacts with all that a person has; ``need``: columns without which the question makes no sense."""
        may = [it for it in (*_CONTACT_MAY, *self._fields.columns("Contact")) if it not in need]
        return Query("Contact", (*_CONTACT, *need), where, tuple(may), either)

    def leads(self, *where: Condition, need: Sequence[str] = (), either: Either = _NONE) -> Query:
        """Ask for leads with all that a person has, and whom they became."""
        may = [it for it in (*_LEAD_MAY, *self._fields.columns("Lead")) if it not in need]
        became = [f"ConvertedContact.{it}" for it in (*_CONTACT_MAY, *self._fields.columns("Contact"))]
        return Query("Lead", (*_LEAD, *_BECAME, *need), where, (*may, *became), either)

    def identified(self) -> dict[str, Query]:
        """Ask for nobody in particular, with all columns that look-ups need."""
        asked = {"Contact": self.contacts, "Lead": self.leads}
        return {obj: ask(need=self.needed(obj)) for obj, ask in asked.items()}

    def needed(self, obj: str) -> tuple[str, ...]:
        """Give the columns of an object that look-ups need."""
        parts = (self._fields.needed(obj, columns[obj]) for columns in (self._fields.emails, self._fields.phones))
        return tuple(dict.fromkeys(it for part in parts for it in part))

    def setting(self, obj: str, column: str) -> str | None:
        """Name the setting that names a column."""
        return self._fields.setting(obj, column)

    def read(self, row: Row) -> Person:
        """Read a contact or a lead."""
        return self._person(row, "lead" if "IsConverted" in row else "contact")

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find contacts and leads by e-mail: one API call for some thousand addresses in two fields.

        Each field is a query of its own: two that are joined by OR may both lose their index (Large Data Volumes, "SOQL
        and SOSL").
        """
        known = [it for it in emails if askable(it, LONGEST_EMAIL)]
        asked = [
            found
            for obj, ask in self._asking()
            for column in self._fields.emails[obj]
            for found in split(known, functools.partial(_with, ask, column))
        ]
        return self._by_key(emails, asked, lambda row: [email_key(it) for it in self._texts(row, self._emails)])

    def by_phone(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find contacts and leads by number: as people write it, then by searching for what is left.

        SOQL compares text, so usual ways of writing a number are asked for, and every hit is read as a number again. The
        search knows other ways, but no fields other than those of the type phone (SOSL Reference, "IN SearchGroup"), and
        not what was written in the last quarter of an hour (Large Data Volumes, "Search Architecture").
        """

        asked = [found for obj, ask in self._asking() for found in self._writing(obj, ask, numbers)]
        found = self._by_key(numbers, asked, self._numbers_of)
        left = [number for number in numbers if found[number] == ()]
        for batch in _searches(left):
            try:
                found |= self._search(batch)
            except (TryAgainError, RefusedError) as error:
                found |= dict.fromkeys(batch, Unknown(str(error)))
        return found

    def by_id(self, answers: Iterable[Answer]) -> dict[str, Person]:
        """Read the people among rows of contacts and of leads, by id."""
        rows = [row for answer in answers if not isinstance(answer, Unknown) for row in answer]
        return {found.id: found for found in map(self.read, rows)}

    def queries(self, records: Iterable[str]) -> list[Query]:
        """Ask for contacts and leads by id."""
        listed = list(records)
        asked = split(ids_of("Contact", listed), lambda keys: self.contacts(within("Id", keys)))
        asked += split(ids_of("Lead", listed), lambda keys: self.leads(within("Id", keys)))
        return [query for _, query in asked]

    def number(self, text: str) -> str | None:
        """Read a text as a number, if it is one."""
        return self._reader.read(text)

    # -- asking --------------------------------------------------------------------------------------------------------

    def _asking(self) -> tuple[tuple[str, Ask], tuple[str, Ask]]:
        return ("Contact", self.contacts), ("Lead", self.leads)

    def _writing(self, obj: str, ask: Ask, numbers: Sequence[str]) -> list[tuple[Sequence[str], Query]]:
        """Ask for numbers in the ways in which people write them."""
        columns = self._fields.phones[obj]
        need = self._fields.needed(obj, columns)

        def either(keys: Sequence[str]) -> Either:
            written = list(dict.fromkeys(form for key in keys for form in written_variants(key)[:VARIANTS]))
            return within_any(columns, written)

        return split(numbers, lambda keys: ask(need=need, either=either(keys))) if columns else []

    def _by_key(
        self,
        keys: Sequence[str],
        asked: Sequence[tuple[Sequence[str], Query]],
        keys_of: Callable[[Row], Iterable[str | None]],
    ) -> dict[str, tuple[Person, ...] | Unknown]:
        """Ask, and give each key the people that have it; Unknown if one of its queries was not answered whole."""
        found: dict[str, dict[str, Person]] = {key: {} for key in keys}
        unknown: dict[str, Unknown] = {}
        for (part, _), answer in zip(asked, self._answers([query for _, query in asked]), strict=True):
            if isinstance(answer, Unknown):
                unknown |= dict.fromkeys(part, answer)
                continue
            for row in answer:
                for key in set(keys_of(row)) & found.keys():
                    found[str(key)][record_id(row)] = self.read(row)
        return {key: unknown.get(key) or tuple(found[key].values()) for key in keys}

    def _answers(self, queries: Sequence[Query]) -> list[Answer]:
        """Ask; where a setting names a field that is not there, it is the setting that is wrong.

        :raises ConfigurationError: It names setting and field.
        """
        try:
            return self._client.ask(queries)
        except MissingRightError as error:
            obj, _, column = (error.right or "").partition(".")
            if (setting := self.setting(obj, column)) is None:
                raise
            raise ConfigurationError(
                f"connection {self._connection}, settings.{setting}: Salesforce has no field {obj}.{column} by which the"
                " connection's user may look for people: correct the setting, or let the user read the field"
            ) from error

    def _search(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Search for numbers; where the answer is full, search for fewer, down to the one that is too common."""
        search = Search([it for number in numbers for it in number_terms(number)], limit=SEARCH_LIMIT)
        rows = self._client.search(search, [self.contacts(), self.leads()])
        if max(Counter(row["attributes"].get("type") for row in rows).values(), default=0) >= SEARCH_LIMIT:
            if len(numbers) == 1:
                return {numbers[0]: Unknown("more records have this number than a search gives")}
            halves = (numbers[: len(numbers) // 2], numbers[len(numbers) // 2 :])
            return functools.reduce(dict.__or__, map(self._search, halves))
        hits = [(frozenset(self._numbers_of(row)), self.read(row)) for row in rows]
        return {number: tuple({it.id: it for theirs, it in hits if number in theirs}.values()) for number in numbers}

    # -- reading -------------------------------------------------------------------------------------------------------

    def _person(self, row: Row, kind: PersonKind) -> Person:
        became = row.get("ConvertedContact")
        account = text(row, "AccountId")
        if account is not None and "Account" in row and not row["Account"]:
            account = None  # the reference outlived the account
        return Person(
            kind=kind,
            id=record_id(row),
            name=named(row),
            emails=tuple(self._texts(row, self._emails)),
            phones=tuple(self._texts(row, self._phones)),
            title=text(row, "Title"),
            account=Account(account, named(row, "Account.Name")) if account else None,
            converted=row.get("IsConverted") is True,
            converted_to=self._person(became, "contact") if isinstance(became, dict) else None,
        )

    def _numbers_of(self, row: Row) -> list[str | None]:
        return [self._reader.read(it) for it in self._texts(row, self._phones)]

    def _texts(self, row: Row, columns: Sequence[str]) -> list[str]:
        """Give what columns hold. Names that a setting gives may have another case than Salesforce's own."""
        if self._fields.chosen:
            row, columns = {name.lower(): it for name, it in row.items()}, [it.lower() for it in columns]
        return [it for column in columns if (it := text(row, column))]


def _all_of(fields: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(it for columns in fields.values() for it in columns))


def _with(ask: Ask, column: str, keys: Sequence[str]) -> Query:
    return ask(within(column, keys), need=(column,))


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
