"""Adapters that are wrong in one way each, derived from the CRM in a file; each names the clauses that fail it.

:class:`Wrong` is right, and has a place for each mistake.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any

from kit.wrongs import Wrongs

from connector_core.crms.file import FileAdapter
from connector_core.errors import RefusedError
from connector_core.hookspecs import hookimpl
from connector_core.identity import compare_text
from connector_core.model import (
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    FieldReceipt,
    Opportunities,
    Opportunity,
    Person,
    Receipt,
    RecordUpdate,
)

FAILED_BY = Wrongs()
failed_by = FAILED_BY.note


class Wrong(FileAdapter):
    """Wrong nowhere yet."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        """Answer an address."""
        return found

    def of_number(self, number: str, found: tuple[Person, ...]) -> Any:
        """Answer a number."""
        return found

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        """Answer a call."""
        return found

    def listed(self, found: Opportunity) -> Opportunity:
        """Answer an opportunity."""
        return found

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        """Write a draft."""
        return draft

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        """Change what was written for a draft."""

    def everybody(self) -> Sequence[Person]:
        """Give all people."""
        return list(self._index().people.values())

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, Any]:
        """Look up."""
        return {key: self.of_email(key, it) for key, it in super().find_contacts_by_email(emails).items()}

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, Any]:
        """Look up."""
        return {key: self.of_number(key, it) for key, it in super().find_contacts_by_phone(numbers).items()}

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, Any]:
        """Look up."""
        found = super().find_activity(calls)
        return {call.call_id: self.of_call(call, found[call.call_id]) for call in calls}

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """List."""
        found = super().list_opportunities(person_ids, account_ids, opportunity_ids, closed_since)
        parts: Any = {name: getattr(found, name) for name in ("of_people", "of_accounts", "by_id")}
        return Opportunities(
            **{
                name: {key: tuple(map(self.listed, it)) for key, it in answers.items()}
                for name, answers in parts.items()
            }
        )

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Write."""
        receipts = super().write_activity([self.drafted(draft) for draft in drafts])
        with self._file.changing() as value:
            records = {record["id"]: record for record in value["activities"]}
            for draft in drafts:
                record = records.get(receipts[draft.key].id)
                if record is not None:
                    self.activity(draft, record)
        return receipts


# -- looking people up -------------------------------------------------------------------------------------------------


@failed_by("C-EMAIL-2", "C-EMAIL-7", "C-EMAIL-8", "C-EMAIL-9", "C-EMAIL-10", "C-MANNERS-1")
class AnswersNone(Wrong):
    """Answers None for an address that nobody has."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return found or None


@failed_by("C-EMAIL-11")
class FirstPageOfPeople(Wrong):
    """Reads the first page of the people that were found alone."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, Any]:
        found = super().find_contacts_by_email(emails)
        there = [key for key, people in found.items() if people]
        return {**found, **dict.fromkeys(there[50:], ())}


@failed_by("C-EMAIL-10")
class DropsAKey(Wrong):
    """Leaves out what does not fit into a request of 100."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, Any]:
        return super().find_contacts_by_email(emails[:100])


@failed_by("C-EMAIL-3")
class CaseSensitive(Wrong):
    """Compares stored addresses with their capitals."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return tuple(it for it in found if email in it.emails)


@failed_by("C-EMAIL-4")
class FirstAddressOnly(Wrong):
    """Knows the first address of a person alone."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return tuple(it for it in found if it.emails[0].casefold() == email)


@failed_by("C-EMAIL-5")
class FirstOfTwins(Wrong):
    """Gives one of those who share an address."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return found[:1]


@failed_by("C-EMAIL-7")
class TakesPatterns(Wrong):
    """Lets an underscore stand for any letter."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        pattern = email.replace("_", "?")
        return tuple(
            it for it in self.everybody() if any(fnmatch.fnmatch(own.casefold(), pattern) for own in it.emails)
        )


@failed_by("C-EMAIL-9")
class TakesParts(Wrong):
    """Finds addresses that end in what is asked for."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return tuple(it for it in self.everybody() if any(own.casefold().endswith(email) for own in it.emails))


@failed_by("C-PHONE-10", "C-PHONE-12")
class TakesTheEnd(Wrong):
    """Finds numbers that end in the same seven digits."""

    digits = 7

    def of_number(self, number: str, found: tuple[Person, ...]) -> Any:
        end = number[-self.digits :]
        return tuple(
            it for it in self.everybody() if any((self._phones.read(own) or "").endswith(end) for own in it.phones)
        )


@failed_by("C-PHONE-12")
class TakesALongerEnd(TakesTheEnd):
    """Finds numbers that end in the same eight digits."""

    digits = 8


@failed_by("C-PHONE-8")
class FirstNumberOnly(Wrong):
    """Knows the first number of a person alone."""

    def of_number(self, number: str, found: tuple[Person, ...]) -> Any:
        return tuple(it for it in found if self._phones.same(number, it.phones[0]))


@failed_by("C-PHONE-7")
class FirstOfMany(Wrong):
    """Gives one of those who share a number."""

    def of_number(self, number: str, found: tuple[Person, ...]) -> Any:
        return found[:1]


@failed_by("C-PHONE-6")
class ExtensionsHide(Wrong):
    """Does not find numbers with an extension."""

    def of_number(self, number: str, found: tuple[Person, ...]) -> Any:
        return tuple(it for it in found if "ext" not in "".join(it.phones))


@failed_by("C-PERSON-2")
class FirstCompany(Wrong):
    """Takes the first company there is for the primary one."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        first = Account("A1", "Northwind Test")
        return tuple(dataclasses.replace(it, account=first) if it.account else it for it in found)

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, Any]:
        return {key: self.of_email("", found) for key, found in super().read_people(person_ids).items()}


@failed_by("C-LEAD-1")
class LeadsAreContacts(Wrong):
    """Takes a lead that is open for a contact."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return tuple(it if it.converted else dataclasses.replace(it, kind="contact") for it in found)


@failed_by("C-LEAD-2")
class ForgetsWhomALeadBecame(Wrong):
    """Does not say whom a lead became."""

    def of_email(self, email: str, found: tuple[Person, ...]) -> Any:
        return tuple(dataclasses.replace(it, converted_to=None) for it in found)


@failed_by("C-MANNERS-1")
class WritesOnRead(Wrong):
    """Creates a contact for an address that nobody has."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, Any]:
        answer = super().find_contacts_by_email(emails)
        with self._file.changing() as value:
            for number, email in enumerate(key for key, found in answer.items() if not found):
                value["people"].append({"kind": "contact", "id": f"new-{email}-{number}", "emails": [email]})
        return answer


# -- activities --------------------------------------------------------------------------------------------------------


@failed_by("C-FIND-2")
class KeysWithoutCase(Wrong):
    """Compares keys without case."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        kind = [it for it in self._index().activities.values() if (it.kind == "note") == (call.kind == "note")]
        same = [it for it in kind if compare_text(it.key) == compare_text(call.call_id)]
        return tuple({it.id: it for it in (*found, *same)}.values())


@failed_by("C-FIND-3")
class LowersKeys(Wrong):
    """Answers keys in small letters."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        return tuple(dataclasses.replace(it, key=it.key.lower() if it.key else None) for it in found)


@failed_by("C-WRITE-12")
class FirstPageOfActivities(Wrong):
    """Reads the first page of a person's activities alone."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        return found[:100]


@failed_by("C-FIND-5", "C-WRITE-12")
class Guesses(Wrong):
    """Chooses among activities that look alike."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        return found[:1]


@failed_by("C-FIND-10", "C-WRITE-3", "C-CHANGE-4", "C-REPLACE-9", "C-NOTE-2")
class FirstPersonOnly(Wrong):
    """Names the first person of an activity alone."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        return tuple(dataclasses.replace(it, people=it.people[:1]) for it in found)


@failed_by("C-WRITE-8", "C-KEY-2", "C-KEY-4", "C-WRITE-13")
class OneRefusalForAll(Wrong):
    """Raises where one draft is refused."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = super().write_activity(drafts)
        if any(it.outcome == "refused" for it in receipts.values()):
            raise RefusedError("one was refused")
        return receipts


@failed_by("C-WRITE-7")
class CutsBodies(Wrong):
    """Cuts a body before its limit."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        record["body"] = (record.get("body") or "")[:30_000]


@failed_by("C-WRITE-5")
class PlainLettersOnly(Wrong):
    """Escapes signs of markup in a subject."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if record["title"]:  # a note has none
            record["title"] = record["title"].replace("&", "&amp;").replace("<", "&lt;")


@failed_by("C-WRITE-11", "C-WRITE-13")
class DropsOwners(Wrong):
    """Writes no owner."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return dataclasses.replace(draft, owner_id=None)


@failed_by("C-WRITE-13")
class BlamesNoOwner(Wrong):
    """Does not say that it was the owner for whom a draft was refused."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = super().write_activity(drafts)
        return {key: dataclasses.replace(it, owner_refused=False) for key, it in receipts.items()}


@failed_by("C-CHANGE-2", "C-REPLACE-2")
class LosesBodies(Wrong):
    """Clears a person's text where a change says nothing of it."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.activity_id and draft.subject and draft.body is None:
            record["body"] = None


@failed_by("C-CHANGE-3", "C-REPLACE-1", "C-REPLACE-5", "C-REPLACE-8", "C-REPLACE-12", "C-REPLACE-13")
class AlwaysUpdated(Wrong):
    """Says updated where nothing was changed."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = super().write_activity(drafts)
        return {
            key: dataclasses.replace(it, outcome="updated") if it.outcome == "unchanged" else it
            for key, it in receipts.items()
        }


@failed_by("C-CHANGE-4", "C-REPLACE-9")
class ReplacesPeople(Wrong):
    """Puts the people of a change in place of those who are there."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.person_ids:
            record["person_ids"] = list(draft.person_ids)


@failed_by("C-CHANGE-6", "C-REPLACE-5")
class ReplacesOpportunities(Wrong):
    """Puts the opportunity of a change in place of the one that is there."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        record["opportunity_id"] = draft.opportunity_id or record.get("opportunity_id")


@failed_by("C-CHANGE-7", "C-REPLACE-8")
class ReplacesAccounts(Wrong):
    """Puts the account of a change in place of the one that is there."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        record["account_id"] = draft.account_id or record.get("account_id")


@failed_by("C-KEY-1")
class NeverSetsKeys(Wrong):
    """Keeps no key in a change."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        body = (draft.body or "").rpartition("\nref: ")[0] if draft.activity_id and draft.set_key else draft.body
        return dataclasses.replace(draft, set_key=False, body=body)


@failed_by("C-KEY-2")
class TakesKeysOver(Wrong):
    """Writes its key over somebody else's, also where the change sets none."""

    sets = False

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        record = self._index().activities.get(draft.activity_id or "")
        return dataclasses.replace(draft, key=record.key) if record and record.key else draft

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        with self._file.changing() as value:
            for record in value["activities"]:
                for draft in drafts:
                    theirs = record["id"] == draft.activity_id and record.get("call_id")
                    if theirs and draft.set_key is self.sets:
                        record["call_id"] = draft.key
        return FileAdapter.write_activity(self, drafts)


@failed_by("C-KEY-4")
class TakesNewKeysOver(TakesKeysOver):
    """Sets its key without looking whether there is one by now."""

    sets = True


# -- opportunities and fields ------------------------------------------------------------------------------------------


@failed_by("C-OPP-1")
class AllOfTheAccount(Wrong):
    """Gives a person all opportunities of the person's account."""

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        found = super().list_opportunities(person_ids, account_ids, opportunity_ids, closed_since)
        index = self._index()
        accounts = {it: index.people[it].account for it in person_ids}
        more = {
            it: tuple(
                {each.id: each for each in (*found.of_people[it], *index.opportunities_by_account[account.id])}.values()
            )
            for it, account in accounts.items()
            if account and closed_since is None
        }
        return dataclasses.replace(found, of_people={**found.of_people, **more})


@failed_by("C-OPP-4")
class FirstPage(Wrong):
    """Reads the first page of an account's opportunities."""

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        found = super().list_opportunities(person_ids, account_ids, opportunity_ids, closed_since)
        first: Any = {key: it[:100] for key, it in found.of_accounts.items() if isinstance(it, tuple)}
        return dataclasses.replace(found, of_accounts=first)


@failed_by("C-OPP-7")
class DaysOnly(Wrong):
    """Forgets the time of a creation."""

    def listed(self, found: Opportunity) -> Opportunity:
        return dataclasses.replace(found, created_at=found.created_at.replace(hour=0, minute=0, second=0))


@failed_by("C-OPP-8")
class ExpectedIsClosed(Wrong):
    """Takes the day that is expected for the closing."""

    def listed(self, found: Opportunity) -> Opportunity:
        expected = found.created_at + dt.timedelta(days=30)
        return dataclasses.replace(found, closed_at=found.closed_at or expected)


@failed_by("C-OPP-11")
class CreatedInsteadOfClosed(Wrong):
    """Leaves out what was created before the bound."""

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        found = super().list_opportunities(person_ids, account_ids, opportunity_ids, closed_since)
        since = closed_since or dt.datetime.min.replace(tzinfo=dt.UTC)
        people: Any = {key: tuple(o for o in it if o.created_at >= since) for key, it in found.of_people.items()}  # type: ignore[union-attr]  # a file knows no Unknown
        return dataclasses.replace(found, of_people=people)


@failed_by("C-FIELD-4")
class BlamesTheWrongField(Wrong):
    """Says of another field that it was refused."""

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        answer = super().fill_fields(updates)
        return {
            key: dict(zip(receipts, reversed(list(receipts.values())), strict=True)) for key, receipts in answer.items()
        }


@failed_by("C-FIELD-2", "C-VALUE-2")
class NoneIsNothing(Wrong):
    """Does not clear a field."""

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        some = [
            dataclasses.replace(it, fields={name: value for name, value in it.fields.items() if value is not None})
            for it in updates
        ]
        answer = super().fill_fields(some)
        return {
            (it.object, it.id): {**dict.fromkeys(it.fields, FieldReceipt("sent")), **answer[it.object, it.id]}
            for it in updates
        }


@failed_by("C-KEY-3")
class WritesTwice(Wrong):
    """Creates a second activity with a key that is there."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = dict(super().write_activity(drafts))
        with self._file.changing() as value:
            for draft in drafts:
                if draft.activity_id is None and receipts[draft.key].outcome == "unchanged":
                    record = next(it for it in value["activities"] if it["id"] == receipts[draft.key].id)
                    value["activities"].append({**record, "id": f"{record['id']}-again"})
                    receipts[draft.key] = Receipt("created", f"{record['id']}-again")
        return receipts
