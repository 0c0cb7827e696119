"""A world as the connector sees a CRM: references resolved, conversions followed, found by what is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TypeVar

from connector_core.crms.world import World, WorldActivity, WorldOpportunity, WorldPerson
from connector_core.identity import PhoneReader, email_key
from connector_core.model import Account, Activity, Opportunity, Person, User

T = TypeVar("T")
REF = "ref: "
BESIDE = "beside"
"""The further field of a note that stands beside a call's activity; any other note with a call's id is its activity."""


class WorldIndex:
    """The records of a world. Each index is built once, when it is first asked for."""

    def __init__(self, world: World, phones: PhoneReader) -> None:
        """Index the records by id; the rest waits."""
        self.world = world
        self._phones = phones
        self._people = {record.id: record for record in world.people}
        self.accounts = {record.id: Account(record.id, record.name) for record in world.accounts}
        self.users = {record.id: User(record.id, record.email or "", record.name) for record in world.users}

    def final_id(self, person_id: str) -> str | None:
        """Follow conversions to whom a person is today; None: the record is gone, or the chain is a circle."""
        seen: set[str] = set()
        record = there(person_id, self._people)
        while record is not None and record.is_converted:
            if record.id in seen:
                return None
            seen.add(record.id)
            record = there(record.converted_contact_id, self._people)
        return None if record is None else record.id

    @cached_property
    def people(self) -> Mapping[str, Person]:
        """Everybody by id, converted leads included."""
        return {record.id: self._person(record) for record in self.world.people}

    @cached_property
    def people_by_email(self) -> Mapping[str, list[Person]]:
        """The people that have an address, by :func:`~connector_core.identity.email_key`."""
        return _grouped((map(email_key, record.emails or ()), self.people[record.id]) for record in self.world.people)

    @cached_property
    def people_by_phone(self) -> Mapping[str, list[Person]]:
        """The people that have a number, by the number in E.164 under the connection's regions."""
        read = self._phones.read
        return _grouped((map(read, record.phones or ()), self.people[record.id]) for record in self.world.people)

    @cached_property
    def users_by_email(self) -> Mapping[str, list[User]]:
        """The users that have an address, by :func:`~connector_core.identity.email_key`."""
        return _grouped(([email_key(user.email)], user) for user in self.users.values())

    @cached_property
    def opportunities(self) -> Mapping[str, Opportunity]:
        """All opportunities by id."""
        return {record.id: self._opportunity(record) for record in self.world.opportunities}

    @cached_property
    def opportunities_by_person(self) -> Mapping[str, list[Opportunity]]:
        """The opportunities of people, by the person's final id."""
        return _grouped((found.person_ids, found) for found in self.opportunities.values())

    @cached_property
    def opportunities_by_account(self) -> Mapping[str, list[Opportunity]]:
        """The opportunities of accounts."""
        return _grouped(([found.account.id if found.account else None], found) for found in self.opportunities.values())

    @cached_property
    def activities(self) -> Mapping[str, Activity]:
        """All activities by id."""
        return {record.id: self._activity(record) for record in self.world.activities}

    @cached_property
    def activities_by_key(self) -> Mapping[str, list[Activity]]:
        """The activities that carry a call's id."""
        return _grouped(([found.key], found) for found in self.activities.values())

    @cached_property
    def notes(self) -> frozenset[str]:
        """The ids of notes that stand beside an activity, told by a field of their own."""
        return frozenset(it.id for it in self.world.activities if it.kind == "note" and (it.fields or {}).get(BESIDE))

    @cached_property
    def activities_by_person(self) -> Mapping[str, list[Activity]]:
        """The activities of people, by the person's id and by its final id."""
        return _grouped(
            ([person_id for person in found.people for person_id in (person.id, self.final_id(person.id))], found)
            for found in self.activities.values()
        )

    def _person(self, record: WorldPerson, *, follow: bool = True) -> Person:
        converted_to = self.final_id(record.id) if follow and record.is_converted else None
        return Person(
            kind=record.kind,
            id=record.id,
            name=record.name,
            emails=record.emails or (),
            phones=record.phones or (),
            title=record.title,
            account=there(record.account_id, self.accounts),
            converted=record.is_converted,
            converted_to=self._person(self._people[converted_to], follow=False) if converted_to else None,
        )

    def _opportunity(self, record: WorldOpportunity) -> Opportunity:
        owner = there(record.owner_id, self.users)
        people = map(self.final_id, record.contact_ids or ())
        return Opportunity(
            id=record.id,
            created_at=record.created_at,
            name=record.name,
            account=there(record.account_id, self.accounts),
            owner_id=owner.id if owner else None,
            owner_email=owner.email or None if owner else None,
            closed_at=record.closed_at,
            person_ids=tuple(dict.fromkeys(person_id for person_id in people if person_id)),
            next_step=record.next_step,
        )

    def _activity(self, record: WorldActivity) -> Activity:
        account = there(record.account_id, self.accounts)
        opportunity = there(record.opportunity_id, self.opportunities)
        owner = there(record.owner_id, self.users)
        people = (there(person_id, self.people) for person_id in dict.fromkeys(record.person_ids or ()))
        return Activity(
            id=record.id,
            kind=record.kind,
            key=key_of(record.call_id, record.body),
            people=tuple(person for person in people if person),
            opportunities=(opportunity,) if opportunity else (),
            accounts=(account,) if account else (),
            started_at=record.started_at,
            duration_seconds=record.duration_seconds,
            subject=record.title,
            body=record.body,
            owner_id=owner.id if owner else None,
        )


def there(reference: str | None, records: Mapping[str, T]) -> T | None:
    """Follow a reference: a blank one is none, and one to a record that is gone leads nowhere."""
    return records.get(reference) if reference and reference.strip() else None


def key_of(call_id: str | None, body: str | None) -> str | None:
    """Give the call's id that an activity carries: in its key field, or where that is blank in its body's last line."""
    if call_id and call_id.strip():
        return call_id
    last = (body or "").rstrip("\r\n").rpartition("\n")[2]
    return (last.removeprefix(REF) if last.startswith(REF) else "") or None


def _grouped(pairs: Iterable[tuple[Iterable[str | None], T]]) -> dict[str, list[T]]:
    """Index values by their keys; a key that repeats counts once, and an empty one not at all."""
    groups: dict[str, list[T]] = {}
    for keys, value in pairs:
        for key in {key for key in keys if key}:
            groups.setdefault(key, []).append(value)
    return groups
