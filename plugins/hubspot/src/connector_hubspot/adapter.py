"""The HubSpot adapter: its hooks, each of them in the module about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from connector_core.hookspecs import hookimpl
from connector_core.identity import PhoneReader
from connector_core.manifest import ConnectionInfo
from connector_core.model import (
    Activity,
    ActivityDraft,
    CallKey,
    FieldReceipt,
    Opportunities,
    Person,
    Receipt,
    RecordUpdate,
    Unknown,
    User,
)
from connector_hubspot.activities import Activities
from connector_hubspot.client import HubSpotClient
from connector_hubspot.deals import Deals
from connector_hubspot.filling import fill
from connector_hubspot.owners import Owners
from connector_hubspot.people import Companies, People
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.writing import write


class HubSpotAdapter:
    """One connection to a HubSpot account, shared by its threads."""

    def __init__(self, settings: HubSpotSettings, info: ConnectionInfo) -> None:
        """Build what answers; send nothing."""
        self._client = HubSpotClient(settings)
        companies = Companies(self._client)
        self._owners = Owners(self._client)
        self._people = People(self._client, companies, PhoneReader(info.regions))
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
        return write(self._client, drafts)

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set properties; see :mod:`connector_hubspot.filling`."""
        return fill(self._client, updates)

    @hookimpl
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]:
        """Find owners, archived ones too."""
        return self._owners.by_email(emails)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
