"""The seed: what of a CRM in a file an organization of Salesforce can hold, and how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connector_core.crms.world import World, WorldAccount, WorldOpportunity, WorldPerson, WorldUser
from connector_core.testing.sandbox import SeedError
from connector_salesforce.sandbox.dml import Writer
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError
from connector_salesforce.sandbox.seed_activities import Activities
from connector_salesforce.sandbox.store import Store, time_text

NOT_PROVIDED = "[not provided]"
"""Stands where Salesforce requires a text and the seed has none: last names, a lead's company, names."""

CONTACT_PHONES = ("Phone", "MobilePhone", "HomePhone", "OtherPhone")
LEAD_PHONES = ("Phone", "MobilePhone")
WON_STAGE, OPEN_STAGE = "Closed Won", "Prospecting"
_FIRST_NAME, _LAST_NAME = 40, 80
_OPEN_FOR = dt.timedelta(days=30)


class Seed:
    """Holds a world, record by record, in its order."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self._store, self._writer = store, writer
        self.ids: dict[str, str] = {}
        self._accounts: dict[str, str] = {}
        self._users: dict[str, str] = {}
        self._people: dict[str, str] = {}
        self._opportunities: dict[str, str] = {}
        self._converted: dict[str, str | None] = {}

    def hold(self, world: World) -> None:
        """Hold every record.

        :raises SeedError: One that Salesforce could not hold; the message names it and says why.
        """
        for account in world.accounts:
            self._hold(account.id, "account", "Account", self._account(account), account.fields, self._accounts)
        for user in world.users:
            self._hold(user.id, "user", "User", self._user(user), user.fields, self._users)
        contacts = {person.id for person in world.people if person.kind == "contact"}
        leads = {person.id: person for person in world.people if person.kind == "lead"}
        for person in world.people:
            with _named(person.kind, person.id):
                obj = "Contact" if person.kind == "contact" else "Lead"
                values = self._contact(person) if obj == "Contact" else self._lead(person, leads, contacts)
            self._hold(person.id, person.kind, obj, values, person.fields, self._people)
        self._convert(leads.values(), contacts)
        for opportunity in world.opportunities:
            with _named("opportunity", opportunity.id):
                values = self._opportunity(opportunity)
            self._hold(opportunity.id, "opportunity", "Opportunity", values, opportunity.fields, self._opportunities)
            with _named("opportunity", opportunity.id):
                self._check_closing(opportunity)
                self._hold_roles(opportunity)
        activities = Activities(
            self._store, self._writer, self._people, self._converted, self._accounts, self._opportunities, self._users
        )
        for activity in world.activities:
            with _named("activity", activity.id):
                self.ids.setdefault(activity.id, activities.hold(activity))

    def _hold(
        self,
        seed_id: str,
        kind: str,
        obj: str,
        values: Mapping[str, Any],
        further: Mapping[str, Any] | None,
        ids: dict[str, str],
    ) -> None:
        with _named(kind, seed_id):
            ids[seed_id] = self._writer.insert(obj, {**values, **(further or {})}, system=True)
            self.ids.setdefault(seed_id, ids[seed_id])

    # -- companies, users, people -------------------------------------------------------------------------------------

    def _account(self, account: WorldAccount) -> dict[str, Any]:
        return {"Name": account.name or NOT_PROVIDED}

    def _user(self, user: WorldUser) -> dict[str, Any]:
        with _named("user", user.id):
            names = split_name(user.name)
        number = len(self._users) + 1
        return {
            **names,
            "Email": user.email or f"user-{number}@not-provided.invalid",
            "Username": f"user-{number}@sandbox.invalid",
            "Alias": f"user{number}"[:8],
            "IsActive": True,
        }

    def _contact(self, person: WorldPerson) -> dict[str, Any]:
        return {**_person(person, CONTACT_PHONES), "AccountId": self._accounts.get(person.account_id or "")}

    def _lead(self, person: WorldPerson, leads: Mapping[str, WorldPerson], contacts: Iterable[str]) -> dict[str, Any]:
        values = {**_person(person, LEAD_PHONES), "Company": NOT_PROVIDED}
        if _became(person) is None:
            if self._accounts.get(person.account_id or ""):
                raise SeedError("a lead of Salesforce has no account")
            return values
        _chain_end(person, leads, contacts)  # refuses a chain that does not end in a contact
        account = self._accounts.get(person.account_id or "")
        return {**values, "IsConverted": True, "Status": "Closed - Converted", "ConvertedAccountId": account}

    def _convert(self, leads: Iterable[WorldPerson], contacts: Iterable[str]) -> None:
        """Let converted leads name their contacts, which may come later in the seed."""
        by_id = {lead.id: lead for lead in leads}
        for lead in by_id.values():
            if _became(lead) is None:
                continue
            end = _chain_end(lead, by_id, contacts)
            contact = self._people[end] if end else None
            self._converted[lead.id] = contact
            row = self._store.live(self._people[lead.id]) or {}
            if contact and not row.get("ConvertedContactId"):
                self._store.put("Lead", {**row, "ConvertedContactId": contact})

    # -- opportunities ------------------------------------------------------------------------------------------------

    def _opportunity(self, opportunity: WorldOpportunity) -> dict[str, Any]:
        """Give the fields of an opportunity.

        A closing that is known to the second is held as ``LastStageChangeDate``. Of one of which only the day is known
        ``CloseDate`` is that day and ``LastStageChangeDate`` null: Salesforce has no other place for it. So whoever reads
        a closed opportunity that never moved reads the day of its closing from ``CloseDate``.
        """
        created, closed = opportunity.created_at, opportunity.closed_at
        values: dict[str, Any] = {
            "Name": opportunity.name or NOT_PROVIDED,
            "AccountId": self._accounts.get(opportunity.account_id or ""),
            "OwnerId": self._users.get(opportunity.owner_id or ""),
            "StageName": OPEN_STAGE if closed is None else WON_STAGE,
            "NextStep": opportunity.next_step,
            "CreatedDate": time_text(created),
            "CloseDate": (created.astimezone(dt.UTC) + _OPEN_FOR).date().isoformat(),
        }
        if isinstance(closed, dt.datetime):
            values |= {
                "CloseDate": closed.astimezone(dt.UTC).date().isoformat(),
                "LastStageChangeDate": time_text(closed),
            }
        elif closed is not None:
            values["CloseDate"] = closed.isoformat()
        return values

    def _check_closing(self, opportunity: WorldOpportunity) -> None:
        row = self._store.live(self._opportunities[opportunity.id]) or {}
        if row.get("IsClosed") is not (opportunity.closed_at is not None):
            raise SeedError("its closed_at and its StageName contradict each other")

    def _contacts(self, opportunity: WorldOpportunity) -> list[str]:
        """Name the contacts of an opportunity: a converted lead's role is held on the contact that it became."""
        found: list[str] = []
        for person_id in opportunity.contact_ids or ():
            if person_id in self._converted:
                contact = self._converted[person_id]
            else:
                contact = self._people.get(person_id)
                if contact and self._store.object_of(contact) == "Lead":
                    raise SeedError(f"the lead {person_id} cannot have a role in it before it is converted")
            if contact and contact not in found:
                found.append(contact)
        return found

    def _hold_roles(self, opportunity: WorldOpportunity) -> None:
        opportunity_id = self._opportunities[opportunity.id]
        for number, contact_id in enumerate(self._contacts(opportunity)):
            role = {"OpportunityId": opportunity_id, "ContactId": contact_id, "IsPrimary": number == 0}
            self._writer.insert("OpportunityContactRole", role, system=True)


def _person(person: WorldPerson, phone_fields: tuple[str, ...]) -> dict[str, Any]:
    emails = [email for email in person.emails or () if email.strip()]
    phones = [phone for phone in person.phones or () if phone.strip()]
    if len(emails) > 1:
        raise SeedError("Salesforce holds one e-mail address of a person")
    if len(phones) > len(phone_fields):
        raise SeedError(f"Salesforce holds {len(phone_fields)} numbers of a {person.kind}")
    return {
        **split_name(person.name),
        "Email": emails[0] if emails else None,
        "Title": person.title,
        **dict(zip(phone_fields, phones, strict=False)),
    }


def split_name(name: str | None) -> dict[str, str | None]:
    """Split a name so that Salesforce, which joins first and last name with a blank, gives it back as it was.

    One word is a last name; of several the last that fits is. A missing name is the last name ``[not provided]``.

    :raises SeedError: It fits into no first and last name.
    """
    if not name:
        return {"FirstName": None, "LastName": NOT_PROVIDED}
    for place in reversed([index for index, letter in enumerate(name) if letter == " "]):
        first, last = name[:place], name[place + 1 :]
        if first and last and len(first) <= _FIRST_NAME and len(last) <= _LAST_NAME:
            return {"FirstName": first, "LastName": last}
    if len(name) <= _LAST_NAME:
        return {"FirstName": None, "LastName": name}
    raise SeedError(
        f"its name does not fit into a first name of {_FIRST_NAME} and a last name of {_LAST_NAME} characters"
    )


def _became(lead: WorldPerson) -> str | None:
    """Tell whom a lead was converted to; a blank reference is none."""
    reference = lead.converted_contact_id or ""
    return reference if reference.strip() else None


def _chain_end(lead: WorldPerson, leads: Mapping[str, WorldPerson], contacts: Iterable[str]) -> str | None:
    """Follow a lead to the contact that it became; None where that is gone.

    :raises SeedError: It became a lead that is no contact: Salesforce knows only ``ConvertedContactId``.
    """
    seen, step = {lead.id}, _became(lead)
    while step is not None and step not in contacts:
        if step in seen:
            raise SeedError("it was converted into itself, which Salesforce cannot hold")
        seen.add(step)
        following = leads.get(step)
        if following is None:
            return None
        if _became(following) is None:
            raise SeedError(f"it was converted into the lead {step}: Salesforce converts leads into contacts only")
        step = _became(following)
    return step


@contextmanager
def _named(kind: str, seed_id: str) -> Iterator[None]:
    """Let what is refused name its record."""
    try:
        yield
    except SeedError as error:
        raise SeedError(f"{kind} {seed_id}: {error}") from error
    except ServiceError as error:  # its own message may hold an address or a number
        fields = f" in {', '.join(error.fields)}" if error.fields else ""
        unknown = f": {error.message}" if error.code == "INVALID_FIELD" else ""  # which names the column, and no value
        raise SeedError(f"{kind} {seed_id}: Salesforce refuses it with {error.code}{fields}{unknown}") from error
    except NotSpokenError as error:
        raise SeedError(f"{kind} {seed_id}: {error}") from error
    except OverflowError as error:
        raise SeedError(
            f"{kind} {seed_id}: one of its times is outside the calendar, which Salesforce keeps in UTC"
        ) from error
