"""The Odoo adapter: its hooks, each of them in the module about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector_core.hookspecs import hookimpl
from connector_core.identity import PhoneReader
from connector_core.manifest import ConnectionInfo
from connector_core.model import (
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    FieldReceipt,
    FieldValue,
    FormFields,
    FormRecord,
    ObjectDescription,
    Opportunities,
    Person,
    Receipt,
    RecordFields,
    RecordUpdate,
    Unknown,
    User,
)
from connector_odoo import companions, describing, stored
from connector_odoo.activities import Activities
from connector_odoo.client import OdooClient
from connector_odoo.filling import fill
from connector_odoo.opportunities import Opportunities as Finder
from connector_odoo.people import People
from connector_odoo.settings import OdooSettings
from connector_odoo.users import users_by_email
from connector_odoo.values import CallMark
from connector_odoo.writing import write


class OdooAdapter:
    """One connection to an Odoo, shared by its threads."""

    def __init__(self, settings: OdooSettings, info: ConnectionInfo) -> None:
        """Build what answers; send nothing."""
        self._client = OdooClient(settings, info.meter)
        self._base_url = settings.base_url
        self._people = People(self._client, PhoneReader(info.regions))
        self._opportunities = Finder(self._client)
        self._activities = Activities(self._client, self._opportunities)
        self._mark = CallMark(self._client, info.time_zone)

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find people; see :meth:`~connector_odoo.people.People.by_email`."""
        return self._people.by_email(emails)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find people; see :meth:`~connector_odoo.people.People.by_phone`."""
        return self._people.by_phone(numbers)

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]:
        """Find candidates; see :mod:`connector_odoo.activities`."""
        return self._activities.of_calls(calls)

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: datetime | None,
    ) -> Opportunities:
        """List opportunities; see :meth:`~connector_odoo.opportunities.Opportunities.of`."""
        return self._opportunities.of(person_ids, account_ids, opportunity_ids, closed_since)

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Create or change events; see :mod:`connector_odoo.writing`."""
        return write(self._client, self._mark, drafts)

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set fields; see :mod:`connector_odoo.filling`."""
        return fill(self._client, updates)

    @hookimpl
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]:
        """Find internal users; see :mod:`connector_odoo.users`."""
        return users_by_email(self._client, emails)

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Read contacts and leads."""
        return companions.read_people(self._client, person_ids)

    @hookimpl
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Read companies."""
        return companions.read_accounts(self._client, account_ids)

    @hookimpl
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Search contacts and leads."""
        return companions.search_people(self._client, self._people, texts)

    @hookimpl
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Search companies."""
        return companions.search_accounts(self._client, texts)

    @hookimpl
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        """Give the empty form."""
        return companions.form_address(self._base_url, record)

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...] | Unknown]:
        """Describe models and their fields; see :mod:`connector_odoo.describing`."""
        return describing.describe(self._client, objects)

    @hookimpl
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...] | Unknown]:
        """Read fields; see :mod:`connector_odoo.stored`."""
        return stored.read(self._client, records)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
