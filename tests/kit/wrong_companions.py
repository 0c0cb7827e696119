"""Adapters that are wrong in one way of reading, searching, telling an address or describing; see :mod:`kit.mutants`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from contract_accounts import FileAccount
from kit.wrongs import Wrongs

from connector_core.crms.file import FileAdapter
from connector_core.errors import RefusedError
from connector_core.hookspecs import hookimpl
from connector_core.model import (
    Access,
    Account,
    FieldDescription,
    FieldValue,
    FormFields,
    FormRecord,
    ObjectDescription,
    Organization,
    Person,
    RecordFields,
)

FAILED_BY = Wrongs()
failed_by = FAILED_BY.note


class Wrong(FileAdapter):
    """Wrong nowhere yet."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        """Answer an id."""
        return found

    def account(self, key: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        """Answer an id."""
        return found

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        """Answer a text."""
        return found

    def accounts(self, text: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        """Answer a text."""
        return found

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Read."""
        return {key: self.person(key, it) for key, it in super().read_people(person_ids).items()}

    @hookimpl
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...]]:
        """Read."""
        return {key: self.account(key, it) for key, it in super().read_accounts(account_ids).items()}

    @hookimpl
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Search."""
        return {text: self.people(text, it) for text, it in super().search_people(texts).items()}

    @hookimpl
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...]]:
        """Search."""
        return {text: self.accounts(text, it) for text, it in super().search_accounts(texts).items()}


def told(person: Person) -> str:
    """Give what is shown of a person, as it is stored."""
    return " ".join([person.name or "", *person.emails, *person.phones]).casefold()


def changed(found: tuple[Person, ...], **fields: Any) -> tuple[Person, ...]:
    """Change what is told of people."""
    return tuple(dataclasses.replace(it, **fields) for it in found)


# -- by id -------------------------------------------------------------------------------------------------------------


@failed_by("C-READ-1")
class ReadsTwoAtMost(Wrong):
    """Answers the first two ids alone, as if there were no others."""

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        return dict.fromkeys(person_ids, ()) | super().read_people(person_ids[:2])


@failed_by("C-READ-2")
class TellsNoAccount(Wrong):
    """Does not tell the account of whom it reads by id."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return changed(found, account=None)


@failed_by("C-READ-3")
class ReadsContactsOnly(Wrong):
    """Takes a lead for a contact."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return changed(found, kind="contact")


@failed_by("C-READ-4")
class ForgetsConversions(Wrong):
    """Does not tell whom a converted lead became."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return changed(found, converted_to=None)


@failed_by("C-READ-5")
class RefusesAnOddId(Wrong):
    """Lets an id that cannot be one fail the whole batch."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        if not key.isalnum():
            raise RefusedError("malformed id", code="MALFORMED_ID")
        return found


@failed_by("C-READ-6")
class MakesUpWhoIsGone(Wrong):
    """Answers an id of somebody who is gone with what the id tells."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return found or ((Person("contact", key),) if key[1:].isdecimal() else ())


@failed_by("C-READ-8")
class ReadsNoNames(Wrong):
    """Reads accounts without their names."""

    def account(self, key: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        return tuple(Account(it.id) for it in found)


@failed_by("C-READ-9")
class RefusesAnOddAccount(Wrong):
    """Lets an id that cannot be an account's fail the whole batch."""

    def account(self, key: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        if not key.isalnum():
            raise RefusedError("malformed id", code="MALFORMED_ID")
        return found


# -- merges, which the format of the file has no place for: they are held as a field of the survivor's own -------------


class MergingAccount(FileAccount):
    """A file in which people can be merged."""

    def remove_contact(self, contact_id: str, survivor_id: str | None) -> None:
        """Keep whom the survivor stands for."""
        super().remove_contact(contact_id, survivor_id)
        world = json.loads(self._path.read_text(encoding="utf-8"))
        for person in world["people"]:
            if person["id"] == survivor_id:
                person["fields"] = {"stands_for": contact_id}
        self._path.write_text(json.dumps(world), encoding="utf-8")


class FollowsMerges(Wrong):
    """Is right where people are merged."""

    def person(self, key: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        people = self._index().world.people
        survivors = [it.id for it in people if (it.fields or {}).get("stands_for") == key]
        return tuple(self._index().people[it] for it in survivors) or found


class TakesMergedForGone(Wrong):
    """Does not know what became of a merged record."""


# -- the search box ----------------------------------------------------------------------------------------------------


@failed_by("C-SEARCH-1")
class FindsWholeWords(Wrong):
    """Finds nobody by the beginning of a word."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        words = text.casefold().split()
        return tuple(it for it in found if text[-1].isdigit() or set(words) <= set(told(it).split()))


@failed_by("C-SEARCH-2")
class MindsTheOrder(Wrong):
    """Finds a name only as it is stored."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return tuple(it for it in found if text[-1].isdigit() or text.casefold() in told(it))


@failed_by("C-SEARCH-3")
class FindsNoAddress(Wrong):
    """Looks for names and numbers alone."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return () if "@" in text else found


@failed_by("C-SEARCH-4")
class FindsNumbersAsStored(Wrong):
    """Compares numbers as text."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return tuple(it for it in found if all(word in told(it) for word in text.casefold().split()))


@failed_by("C-SEARCH-5")
class FindsNoLeads(Wrong):
    """Searches contacts alone."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return tuple(it for it in found if it.kind == "contact")


@failed_by("C-SEARCH-6")
class CreatesWhomItMisses(Wrong):
    """Creates a contact of the name that it does not find."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        if not found:
            with self._file.changing() as value:
                value["people"].append({"kind": "contact", "id": f"new {text}", "name": text})
        return found


@failed_by("C-SEARCH-7")
class ReadsWildcards(Wrong):
    """Lets a percent sign stand for anything."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return tuple(self._index().people.values())[:50] if not text.strip("%") else found


@failed_by("C-SEARCH-8")
class GivesTen(Wrong):
    """Gives the first page of ten."""

    def people(self, text: str, found: tuple[Person, ...]) -> tuple[Person, ...]:
        return found[:10]


@failed_by("C-SEARCH-9")
class FindsWholeAccounts(Wrong):
    """Finds an account by its whole name alone."""

    def accounts(self, text: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        return tuple(it for it in found if it.name == text)


@failed_by("C-SEARCH-10")
class FindsAccountsOfPeople(Wrong):
    """Gives the accounts of people whom the text finds, too."""

    def accounts(self, text: str, found: tuple[Account, ...]) -> tuple[Account, ...]:
        people = FileAdapter.search_people(self, [text])[text]
        return (*found, *(it.account for it in people if it.account))


# -- forms -------------------------------------------------------------------------------------------------------------


@failed_by("C-FORM-1")
class HasOneForm(Wrong):
    """Gives the form of a contact whatever is to be created."""

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        return super().form_address("contact", known)


@failed_by("C-FORM-2")
class FillsInNoNumber(Wrong):
    """Leaves out a number that is known."""

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        return super().form_address(record, dataclasses.replace(known, phone=None))


@failed_by("C-FORM-2")
class EscapesBlanksOnly(Wrong):
    """Lets an ampersand of a name part the address."""

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        fields = "&".join(
            f"{name}={quote(str(it), safe='&+#')}" for name, it in dataclasses.asdict(known).items() if it
        )
        return f"https://crm.example/{record}?{fields}"


@failed_by("C-FORM-3")
class NeedsAName(Wrong):
    """Has no form for somebody without a name."""

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        if known.name is None:
            raise RefusedError("a name is needed")
        return super().form_address(record, known)


# -- objects and fields ------------------------------------------------------------------------------------------------


class WrongOfObjects(FileAdapter):
    """Wrong nowhere yet."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        """Describe."""
        return found

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Describe."""
        return {name: tuple(map(self.object, it)) for name, it in super().describe_objects(objects).items()}


@failed_by("C-DESCRIBE-1")
class TakesARightAway(WrongOfObjects):
    """Says that nothing may be changed of what may."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        return dataclasses.replace(found, updatable=False)


@failed_by("C-DESCRIBE-2")
class TakesAllForText(WrongOfObjects):
    """Knows one type alone."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        fields = {name: dataclasses.replace(it, type="text") for name, it in found.fields.items()}
        return dataclasses.replace(found, fields=fields)


@failed_by("C-DESCRIBE-2")
class LeavesFieldsOut(WrongOfObjects):
    """Describes no field."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        return dataclasses.replace(found, fields={})


@failed_by("C-DESCRIBE-3")
class DescribesWhatIsNotThere(WrongOfObjects):
    """Has a description for any name."""

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        answer = super().describe_objects(objects)
        return {name: found or (ObjectDescription(name, name),) for name, found in answer.items()}


@failed_by("C-ACCESS-1")
class TellsReadingAlone(FileAdapter):
    """Leaves out whether anything may be written."""

    @hookimpl
    def check_access(self) -> Access:
        return Access(tuple(it for it in super().check_access().rights if it.verb == "read"))


@failed_by("C-ACCESS-1")
class MissesEveryRight(FileAdapter):
    """Says that a right is missing that is there."""

    @hookimpl
    def check_access(self) -> Access:
        return Access(tuple(dataclasses.replace(it, granted=False) for it in super().check_access().rights))


@failed_by("C-ACCESS-1")
class KnowsTheNewestVersionAlone(FileAdapter):
    """Tells what it could ask, and not what it asks."""

    @hookimpl
    def check_access(self) -> Access:
        return dataclasses.replace(super().check_access(), newest_version="1")


@failed_by("C-ORG-1")
class TellsNoZoneThereIs(FileAdapter):
    """Tells its own word for a time zone."""

    @hookimpl
    def describe_organization(self) -> Organization:
        return Organization("Romance Standard Time")


@failed_by("C-ORG-1")
class TellsTheSignOfItsCurrency(FileAdapter):
    """Tells what people see, and no code."""

    @hookimpl
    def describe_organization(self) -> Organization:
        return Organization(currency="€")


class AmountsInMoney(WrongOfObjects):
    """Describes an amount, which names its currency."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        amount = FieldDescription("amount", "Amount", "number", "money", currency_field="currency")
        return dataclasses.replace(found, fields={**found.fields, "amount": amount})


@failed_by("C-ORG-2")
class NamesAFieldThatIsNotThere(AmountsInMoney):
    """Does not describe the field of the currency."""


@failed_by("C-ORG-2")
class ReadsACurrencyByItsName(AmountsInMoney):
    """Reads what people see, and no code."""

    def object(self, found: ObjectDescription) -> ObjectDescription:
        fields = {**super().object(found).fields, "currency": FieldDescription("currency", "Currency", "text", "text")}
        return dataclasses.replace(found, fields=fields)

    @hookimpl
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...]]:
        return {(it.object, it.id): (dict.fromkeys(it.fields, "euro"),) for it in records}
