"""The HubSpot adapter: its hooks, each of them in the module about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

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
from connector_hubspot import access, companions, describing, feed, organization, stored
from connector_hubspot.activities import Activities
from connector_hubspot.client import HubSpotClient
from connector_hubspot.deals import Deals
from connector_hubspot.dispositions import Dispositions
from connector_hubspot.filling import fill
from connector_hubspot.identifying import Identifying
from connector_hubspot.owners import Owners
from connector_hubspot.people import Companies, People
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.writing import write


class HubSpotAdapter:
    """One connection to a HubSpot account, shared by its threads."""

    def __init__(self, settings: HubSpotSettings, info: ConnectionInfo) -> None:
        """Build what answers; send nothing."""
        self._client = HubSpotClient(settings, info.meter, tokens=info.tokens)
        companies = Companies(self._client)
        self._owners = Owners(self._client)
        self._dispositions = Dispositions(self._client)
        self._people = People(self._client, companies, info, Identifying.of(settings))
        self._deals = Deals(self._client, companies, self._owners, info.time_zone)
        self._activities = Activities(self._client, self._people, companies, self._deals)

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find contacts; see :meth:`~connector_hubspot.people.People.by_email`."""
        return self._people.by_email(emails)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find contacts; see :meth:`~connector_hubspot.people.People.by_phone`."""
        return self._people.by_phone(numbers)

    @hookimpl
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]:
        """Find candidates; see :mod:`connector_hubspot.activities`."""
        return self._activities.of_calls(calls)

    @hookimpl
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: datetime | None,
    ) -> Opportunities:
        """List deals; see :meth:`~connector_hubspot.deals.Deals.of`."""
        return self._deals.of(person_ids, account_ids, opportunity_ids, closed_since)

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Create or change calls and meetings; see :mod:`connector_hubspot.writing`."""
        return write(self._client, self._dispositions, drafts)

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set properties; see :mod:`connector_hubspot.filling`."""
        return fill(self._client, updates)

    @hookimpl
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]:
        """Find owners, archived ones too."""
        return self._owners.by_email(emails)

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Read contacts."""
        return companions.read_people(self._client, self._people, person_ids)

    @hookimpl
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Read companies."""
        return companions.read_accounts(self._client, account_ids)

    @hookimpl
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Search contacts."""
        return companions.search_people(self._client, self._people, texts)

    @hookimpl
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Search companies."""
        return companions.search_accounts(self._client, texts)

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...] | Unknown]:
        """Describe objects and their properties."""
        return describing.describe(self._client, objects)

    @hookimpl
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, str | None], ...] | Unknown]:
        """Read properties; see :mod:`connector_hubspot.stored`."""
        return stored.read(self._client, records)

    @hookimpl
    def check_access(self) -> Access:
        """Tell the app's scopes, and the properties that it is shown."""
        return access.check(self._client, self._people)

    @hookimpl
    def describe_organization(self) -> Organization:
        """Tell the account's time zone and currency."""
        return organization.describe(self._client)

    @hookimpl
    def list_changes(self, kinds: Sequence[RecordKind], since: datetime, page: str | None) -> ChangePage:
        """List what changed; see :mod:`connector_hubspot.feed`."""
        return feed.changes(self._client, kinds, since, page)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
