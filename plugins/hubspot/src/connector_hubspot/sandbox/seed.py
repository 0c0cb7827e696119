"""From a CRM in a file to the records of the portal."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connector_core.crms.world import (
    World,
    WorldAccount,
    WorldActivity,
    WorldOpportunity,
    WorldPerson,
    WorldUser,
)
from connector_core.testing.sandbox import SeedError
from connector_hubspot.sandbox.instants import iso, now
from connector_hubspot.sandbox.kinds import CALLS, COMPANIES, CONTACTS, DEALS, MEETINGS, NOTES, TASKS, Kind
from connector_hubspot.sandbox.objects import Objects
from connector_hubspot.sandbox.owners import Owner
from connector_hubspot.sandbox.pipelines import DEFAULT, stage_of
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import RefusalError
from connector_hubspot.sandbox.store import Record, set_property
from connector_hubspot.sandbox.values import read_email

_NO_TIME = "1970-01-01T00:00:00Z"
"""What stands for a time that the seed does not say, and HubSpot wants: near no call."""

_SINGLE_BLANK = re.compile(r"(.*?\S) (\S.*)", re.DOTALL)
_OPEN_STAGE, _CLOSED_STAGE = "appointmentscheduled", "closedwon"
_PHONES = ("phone", "mobilephone")
_KINDS: Mapping[str, Kind] = {"call": CALLS, "task": TASKS, "meeting": MEETINGS, "event": MEETINGS, "note": NOTES}
_TITLES: Mapping[Kind, str] = {CALLS: "hs_call_title", MEETINGS: "hs_meeting_title", TASKS: "hs_task_subject"}
_BODIES: Mapping[Kind, str] = {
    CALLS: "hs_call_body",
    MEETINGS: "hs_internal_meeting_notes",
    NOTES: "hs_note_body",
    TASKS: "hs_task_body",
}


def plant(portal: Portal, world: World) -> dict[str, str]:
    """Hold a world; give the ids of its records by those of the seed.

    :raises SeedError: A record that HubSpot could not hold; the message names it.
    """
    planter = _Planter(portal, world)
    for account in world.accounts:
        planter.account(account)
    for user in world.users:
        planter.user(user)
    for person in world.people:
        planter.person(person)
    for opportunity in world.opportunities:
        with _in_the_calendar(f"opportunity {opportunity.id}"):
            planter.opportunity(opportunity)
    for activity in world.activities:
        with _in_the_calendar(f"activity {activity.id}"):
            planter.activity(activity)
    return planter.ids


@contextmanager
def _in_the_calendar(record: str) -> Iterator[None]:
    try:
        yield
    except OverflowError as error:
        raise SeedError(f"{record}: one of its times is outside the calendar, which HubSpot keeps in UTC") from error


class _Planter:
    def __init__(self, portal: Portal, world: World) -> None:
        self.ids: dict[str, str] = {}
        self._portal = portal
        self._store = portal.store
        self._objects = Objects(portal)
        self._at = now()
        self._accounts: dict[str, Record] = {}
        self._owners: dict[str, str] = {}
        self._contacts: dict[str, Record] = {}
        self._deals: dict[str, Record] = {}
        self._became = {person.id: person.converted_contact_id for person in world.people if person.kind == "lead"}

    # -- records -------------------------------------------------------------------------------------------------------

    def account(self, account: WorldAccount) -> None:
        record = self._hold(COMPANIES, "account", account.id, {"name": account.name}, account.fields)
        self._accounts[account.id] = record

    def user(self, user: WorldUser) -> None:
        fields = dict(user.fields or {})
        archived = fields.pop("archived", False)
        if fields:
            raise SeedError(f"user {user.id}: HubSpot's owners have no field {', '.join(fields)}")
        owner_id = self._store.new_id()
        first, last = split_name(user.name)
        self._portal.owners.add(Owner(owner_id, user.email, first, last, archived=bool(archived)))
        self._owners[user.id] = owner_id
        self.ids.setdefault(user.id, owner_id)

    def person(self, person: WorldPerson) -> None:
        if person.kind == "lead":
            return
        emails = self._emails(person)
        phones = [phone for phone in person.phones or () if phone.strip()]
        if len(phones) > len(_PHONES):
            raise SeedError(
                f"contact {person.id}: HubSpot's contacts hold {len(_PHONES)} phone numbers, not {len(phones)}"
            )
        first, last = split_name(person.name)
        given = {
            "firstname": first,
            "lastname": last,
            "jobtitle": person.title,
            "email": emails[0] if emails else None,
            **dict(zip(_PHONES, phones, strict=False)),
        }
        more = {"hs_additional_emails": ";".join(emails[1:])}
        record = self._hold(CONTACTS, "contact", person.id, given, person.fields, more)
        self._contacts[person.id] = record
        self._bind(record, [self._accounts.get(person.account_id or "")])

    def _emails(self, person: WorldPerson) -> list[str]:
        emails: dict[str, None] = {}
        for text in person.emails or ():
            email = read_email(text)
            if email is None and text.strip():
                raise SeedError(f"contact {person.id}: one of its e-mails is none that HubSpot takes")
            if email is not None:
                holder = self._store.by_key(CONTACTS, "email", email)
                if holder is not None:
                    other = next(key for key, contact in self._contacts.items() if contact is holder)
                    raise SeedError(
                        f"contact {person.id}: HubSpot holds an e-mail once, and one of these is already {other}'s"
                    )
                emails[email] = None
        return list(emails)

    def opportunity(self, opportunity: WorldOpportunity) -> None:
        closed = opportunity.closed_at
        fields = dict(opportunity.fields or {})
        given = {
            "dealname": opportunity.name,
            "createdate": iso(opportunity.created_at),
            "pipeline": DEFAULT.id,
            "dealstage": _OPEN_STAGE if closed is None else _CLOSED_STAGE,
            "closedate": _moment(closed) if closed is not None else None,
            "hs_next_step": opportunity.next_step,
        }
        record = self._hold(DEALS, "opportunity", opportunity.id, given, fields, self._owner(opportunity.owner_id))
        self._enter_stage(record, opportunity)
        self._deals[opportunity.id] = record
        people = [self._person(person_id) for person_id in opportunity.contact_ids or ()]
        self._bind(record, [self._accounts.get(opportunity.account_id or ""), *people])

    def _enter_stage(self, record: Record, opportunity: WorldOpportunity) -> None:
        """Set when the deal's stage was entered; where only the day of closing is known, HubSpot knows no instant."""
        properties = record.properties
        stage = stage_of(properties.get("pipeline", ""), properties.get("dealstage", ""))
        closed = opportunity.closed_at
        if stage is None or stage.closed != (closed is not None):
            raise SeedError(f"opportunity {opportunity.id}: its closed_at and its dealstage contradict each other")
        entered = properties.get("createdate")
        if closed is not None:
            entered = iso(closed) if isinstance(closed, dt.datetime) else None
        for name in (stage.entered, "hs_v2_date_entered_current_stage"):
            set_property(record, name, entered)
        set_property(record, "hs_closed_won_date", entered if stage.won else None)

    def activity(self, activity: WorldActivity) -> None:
        kind = _KINDS[activity.kind]
        started = _moment(activity.started_at) if activity.started_at is not None else None
        given: dict[str, Any] = {"hs_timestamp": started or _NO_TIME}
        if kind in _TITLES:
            given[_TITLES[kind]] = activity.title
        given[_BODIES[kind]] = _with_reference(activity, in_body=kind is not CALLS)
        if kind is CALLS:
            given["hs_call_external_id"] = activity.call_id
            if activity.duration_seconds is not None:
                given["hs_call_duration"] = round(activity.duration_seconds * 1000)
        elif kind is MEETINGS and activity.started_at is not None:
            given["hs_meeting_start_time"] = started
            if activity.duration_seconds is not None:
                given["hs_meeting_end_time"] = _moment(activity.started_at, activity.duration_seconds)
        elif kind is TASKS:
            given["hs_task_status"] = "COMPLETED"
        record = self._hold(kind, "activity", activity.id, given, activity.fields, self._owner(activity.owner_id))
        people = [self._person(person_id) for person_id in activity.person_ids or ()]
        account = self._accounts.get(activity.account_id or "")
        self._bind(record, [*people, account, self._deals.get(activity.opportunity_id or "")])

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _hold(
        self,
        kind: Kind,
        what: str,
        seed_id: str,
        given: Mapping[str, Any],
        fields: Mapping[str, Any] | None,
        more: Mapping[str, str] | None = None,
    ) -> Record:
        """Hold a record; ``more`` are properties that are set by HubSpot, or need no check."""
        try:
            clean = self._portal.values.read(kind, {**given, **(fields or {})}, {})
            self._objects.refuse_taken(kind, clean, None)
        except RefusalError as error:
            problems = ", ".join(f"{problem.name} ({problem.code})" for problem in error.problems)
            raise SeedError(f"{what} {seed_id}: HubSpot does not take {problems or error.category}") from error
        record = self._store.add(kind, {**(more or {}), **clean}, self._at)
        self.ids.setdefault(seed_id, record.id)
        return record

    def _owner(self, seed_id: str | None) -> dict[str, str]:
        owner_id = self._owners.get(seed_id or "")
        return {"hubspot_owner_id": owner_id} if owner_id is not None else {}

    def _person(self, seed_id: str) -> Record | None:
        """Find a contact, or the one that a lead became; a lead that became none is left out."""
        seen: set[str] = set()
        current: str | None = seed_id
        while current in self._became and current not in seen:
            seen.add(current)
            current = self._became[current]
        return self._contacts.get(current or "")

    def _bind(self, record: Record, others: Iterable[Record | None]) -> None:
        for other in others:
            if other is not None:
                self._store.link(record, other)


def split_name(name: str | None) -> tuple[str | None, str | None]:
    """Split a name so that first and last name, joined by one blank, read the same again."""
    parts = _SINGLE_BLANK.fullmatch(name or "")
    return (parts[1], parts[2]) if parts else (name or None, None)


def _moment(value: dt.datetime | dt.date, seconds: float = 0.0) -> str:
    """Write an instant, so many seconds later; of a day its midnight in UTC, as HubSpot knows no days here."""
    at = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time(0), dt.UTC)
    return iso(at + dt.timedelta(seconds=seconds))


def _with_reference(activity: WorldActivity, *, in_body: bool) -> str | None:
    """Give the body, ended by the call's id where the kind has no field for it: once, if it stands there already."""
    body = activity.body or ""
    if not in_body or not activity.call_id:
        return body or None
    reference = f"ref: {html.escape(activity.call_id, quote=False)}"  # HubSpot's bodies are HTML
    if "<" in body and ">" in body:
        return f"{body}<p>{reference}</p>"
    if body.splitlines()[-1:] == [reference]:
        return body
    return f"{body}\n{reference}" if body else reference
