"""The hooks of Salesforce; what they do stands in the modules that they call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo
from connector_core.model import (
    Access,
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    ChangePage,
    FieldReceipt,
    FieldValue,
    FormFields,
    FormRecord,
    ObjectDescription,
    Opportunities,
    Organization,
    Person,
    Receipt,
    RecordFields,
    RecordKind,
    RecordUpdate,
    Unknown,
    User,
)
from connector_salesforce import (
    access,
    describing,
    feed,
    filling,
    opportunities,
    organization,
    reading,
    searching,
    stored,
)
from connector_salesforce.activities import Activities
from connector_salesforce.client import Client
from connector_salesforce.identifying import Identifying
from connector_salesforce.notes import Notes
from connector_salesforce.people import People
from connector_salesforce.persons import PersonAccounts
from connector_salesforce.settings import SalesforceSettings
from connector_salesforce.statuses import TaskStatuses
from connector_salesforce.users import Users
from connector_salesforce.writing import Writer


class SalesforceAdapter:
    """One connection to an org; safe to use from several threads."""

    def __init__(self, settings: SalesforceSettings, info: ConnectionInfo) -> None:
        """Send nothing yet."""
        self._key_field = settings.key_field
        self._client = Client(settings, tokens=info.tokens, meter=info.meter)
        self._people = People(self._client, info, Identifying.of(settings))
        self._persons = PersonAccounts()
        self._statuses = TaskStatuses()
        self._users = Users(self._client)
        self._activities = Activities(self._client, info, self._people, settings.key_field)
        self._notes = Notes(self._client, self._people)
        self._writer = Writer(self._client, info, self._statuses, settings.key_field)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find contacts and leads."""
        return self._people.by_email(emails)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find contacts and leads."""
        return self._people.by_phone(numbers)

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]:
        """Find tasks and events, and notes for those who ask for them."""
        notes = [call for call in calls if call.kind == "note"]
        others = [call for call in calls if call.kind != "note"]
        found = self._activities.find(others) if others else {}
        return found | self._notes.find(notes) if notes else found

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """List opportunities."""
        return opportunities.list_opportunities(
            self._client,
            self._persons,
            (self._statuses, self._users),
            person_ids,
            account_ids,
            opportunity_ids,
            closed_since,
        )

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Write tasks and events, and notes."""
        notes = [draft for draft in drafts if draft.kind == "note"]
        others = [draft for draft in drafts if draft.kind != "note"]
        receipts = self._writer.write(others) if others else {}
        return receipts | self._notes.write(notes, sent=bool(others)) if notes else receipts

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set fields."""
        return filling.fill(self._client, updates)

    @hookimpl
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]:
        """Find users."""
        return self._users.by_email(emails)

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Read contacts and leads."""
        return reading.read_people(self._client, self._people, person_ids)

    @hookimpl
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Read accounts."""
        return reading.read_accounts(self._client, account_ids)

    @hookimpl
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Search contacts and leads."""
        return searching.search_people(self._client, self._people, texts)

    @hookimpl
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Search accounts."""
        return searching.search_accounts(self._client, texts)

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        """Give the form of Lightning Experience."""
        return searching.form_address(self._client.instance_url, record, known)

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...] | Unknown]:
        """Describe objects."""
        return describing.describe(self._client, objects)

    @hookimpl
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...] | Unknown]:
        """Read fields."""
        return stored.read(self._client, records)

    @hookimpl
    def check_access(self) -> Access:
        """Tell the user's rights on objects and fields."""
        return access.check(self._client, self._people, self._key_field)

    @hookimpl
    def describe_organization(self) -> Organization:
        """Tell the org's time zone and currency."""
        return organization.describe(self._client)

    @hookimpl
    def list_changes(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
        """List what changed."""
        return feed.changes(self._client, kinds, since, page)
