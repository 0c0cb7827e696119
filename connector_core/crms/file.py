"""The CRM in a file: every operation and every trait, and the smallest example of a plugin.

A plugin is a settings model, a class whose methods carry ``hookimpl``, and a manifest that names both (``FILE`` in
:mod:`connector_core.crms`). This one reads its records from the JSON that :mod:`connector_core.crms.world` describes.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from connector_core.crms.changes import Changes
from connector_core.crms.described import described, values_of
from connector_core.crms.index import WorldIndex
from connector_core.crms.world_file import WorldFile
from connector_core.hookspecs import MOST_HITS, hookimpl
from connector_core.identity import PhoneReader, compare_text, email_key
from connector_core.manifest import ConnectionInfo
from connector_core.model import (
    NEEDS,
    Access,
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    Changed,
    ChangePage,
    FieldReceipt,
    FieldValue,
    FormFields,
    FormRecord,
    ObjectDescription,
    Opportunities,
    Opportunity,
    Organization,
    Person,
    Receipt,
    RecordFields,
    RecordKind,
    RecordUpdate,
    Right,
    User,
)

T = TypeVar("T")
NEAR = dt.timedelta(minutes=15)
NEAR_DAYS = dt.timedelta(days=2)  # two, because the day of a time depends on its zone: too many does no harm


class FileSettings(BaseModel):
    """Settings of a connection to a CRM in a file. ``path``: the JSON file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path


class FileAdapter:
    """The hooks. What they take and give stands in :mod:`connector_core.hookspecs`.

    The file is read at each call and parsed when it changed, so nothing is ever :class:`~connector_core.model.Unknown`.

    :raises ConfigurationError: From every hook: the file cannot be read, or holds no world.
    """

    def __init__(self, settings: FileSettings, info: ConnectionInfo) -> None:
        """Remember the settings; the file is opened when something is asked."""
        self._path = settings.path
        self._file = WorldFile(settings.path)
        self._info = info
        self._phones = PhoneReader(info.regions)
        self._last: WorldIndex | None = None

    def close(self) -> None:
        """Nothing is held between two calls."""

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Find people by e-mail."""
        found = self._index().people_by_email
        return {email: tuple(found.get(email_key(email) or "", ())) for email in emails}

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Find people by number; the index compares as ``PhoneReader.same`` does."""
        return _answers(numbers, self._index().people_by_phone)

    @hookimpl
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...]]:
        """Find users by e-mail."""
        found = self._index().users_by_email
        return {email: tuple(found.get(email_key(email) or "", ())) for email in emails}

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Read people by id."""
        return _one(person_ids, self._index().people)

    @hookimpl
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...]]:
        """Read accounts by id."""
        return _one(account_ids, self._index().accounts)

    @hookimpl
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...]]:
        """Find people whose name, addresses and numbers hold each word of a text; a number however it is written."""
        people = self._index().people.values()
        return {text: _first(person for person in people if self._shows(person, text)) for text in texts}

    @hookimpl
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...]]:
        """Find accounts whose name holds each word of a text."""
        accounts = self._index().accounts.values()
        return {text: _first(account for account in accounts if _holds(account.name, text)) for text in texts}

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        """Give the address of the file: it has no form, so what is known stands behind the list to add it to."""
        listed = {"contact": "people", "opportunity": "opportunities"}[record]
        fields = {name: value for name, value in asdict(known).items() if value}
        query = f"?{urlencode(fields, quote_via=quote)}" if fields else ""
        return f"{self._path.resolve().as_uri()}{query}#{listed}"

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Describe lists of the file; what its format does not name is kept too, and not described."""
        self._index()
        writable = self._file.writable
        return {name: described(name, writable=writable) for name in objects}

    @hookimpl
    def check_access(self) -> Access:
        """Tell whether the file may be read, and written."""
        self._index()
        writable = self._file.writable
        rights = (
            Right(subject, verb, "read the file" if verb == "read" else "write the file", verb == "read" or writable)
            for subject, verb in NEEDS
        )
        return Access(tuple(rights))

    @hookimpl
    def describe_organization(self) -> Organization:
        """Tell nothing: a file is of no organization."""
        return Organization()

    @hookimpl
    def list_changes(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
        """List all records of the file if it was changed since: it keeps no times of its records."""
        changed_at, world = self._file.changed_at(), self._index().world
        if changed_at < since:
            return ChangePage(())
        told: list[tuple[RecordKind, str]] = [(person.kind, person.id) for person in world.people]
        told += [("account", account.id) for account in world.accounts]
        told += [("opportunity", deal.id) for deal in world.opportunities]
        told += [("activity", activity.id) for activity in world.activities]
        return ChangePage(tuple(Changed(kind, key, changed_at) for kind, key in told if kind in kinds))

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...]]:
        """Find activities by key, and by people and time."""
        index = self._index()
        return {call.call_id: _candidates(index, call) for call in calls}

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """List opportunities; those by id are given however long they are closed."""
        index = self._index()

        def recent(found: Iterable[Opportunity]) -> tuple[Opportunity, ...]:
            return tuple(item for item in found if closed_since is None or not self._closed_before(item, closed_since))

        return Opportunities(
            of_people={
                key: recent(index.opportunities_by_person.get(index.final_id(key) or "", ())) for key in person_ids
            },
            of_accounts={key: recent(index.opportunities_by_account.get(key, ())) for key in account_ids},
            by_id=_one(opportunity_ids, index.opportunities),
        )

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Create and change activities, all in one rewrite of the file."""
        with self._file.changing() as value:
            changes = Changes(value, self._index())
            return {draft.key: changes.write(draft) for draft in drafts}

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set fields; an object is named as its list in the file: accounts, users, people, opportunities, activities."""
        with self._file.changing() as value:
            changes = Changes(value, self._index())
            return {(update.object, update.id): changes.fill(update) for update in updates}

    @hookimpl
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...]]:
        """Read fields, objects named as in ``fill_fields``; what a record does not hold is empty."""
        return values_of(self._index().world, records)

    def _index(self) -> WorldIndex:
        """Give the index of the world as it is now, the last one if it is the same."""
        world = self._file.read()
        last = self._last
        if last is None or last.world is not world:
            last = self._last = WorldIndex(world, self._phones)
        return last

    def _shows(self, person: Person, text: str) -> bool:
        shown = " ".join([person.name or "", *person.emails, *person.phones])
        number = self._phones.read(text)
        return _holds(shown, text) or (number is not None and number in map(self._phones.read, person.phones))

    def _closed_before(self, opportunity: Opportunity, moment: dt.datetime) -> bool:
        closed = opportunity.closed_at
        if closed is not None and not isinstance(closed, dt.datetime):
            closed = dt.datetime.combine(closed, dt.time.max, ZoneInfo(self._info.time_zone))
        return closed is not None and closed < moment


def _one(keys: Iterable[str], records: Mapping[str, T]) -> dict[str, tuple[T, ...]]:
    return {key: (records[key],) if key in records else () for key in keys}


def _first(found: Iterator[T]) -> tuple[T, ...]:
    return tuple(itertools.islice(found, MOST_HITS))


def _holds(shown: str | None, text: str) -> bool:
    words, wanted = compare_text(shown), compare_text(text).split()
    return bool(wanted) and all(word in words for word in wanted)


def _answers(keys: Iterable[str], found: Mapping[str, Sequence[T]]) -> dict[str, tuple[T, ...]]:
    return {key: tuple(found.get(key, ())) for key in keys}


def _candidates(index: WorldIndex, call: CallKey) -> tuple[Activity, ...]:
    people = {person_id for key in call.person_ids for person_id in (key, index.final_id(key)) if person_id}
    shared = (activity for person_id in people for activity in index.activities_by_person.get(person_id, ()))
    near = (activity for activity in shared if _near(activity.started_at, call.started_at))
    known = [it for it in (index.activities.get(call.known_id or ""),) if it is not None]
    found = {activity.id: activity for activity in (*index.activities_by_key.get(call.call_id, ()), *known, *near)}
    return tuple(it for it in found.values() if (it.id in index.notes) == (call.kind == "note"))


def _near(start: dt.datetime | dt.date | None, call_start: dt.datetime) -> bool:
    if isinstance(start, dt.datetime):
        return abs(start - call_start) <= NEAR
    return start is not None and abs(start - call_start.date()) <= NEAR_DAYS
