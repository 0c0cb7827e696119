"""Deals: of contacts, of companies and by id; what really closed, and when."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from connector_core.model import Opportunities, Opportunity, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.owners import Owners
from connector_hubspot.people import Companies
from connector_hubspot.reading import Link, Links, Record, ids_only, read, read_links, results_of, survivor, value
from connector_hubspot.times import instant

_PRIMARY_COMPANY = 5
"""The association type of a deal to its primary company (guide to associations)."""

DEAL_PROPERTIES = (
    "dealname",
    "dealstage",
    "createdate",
    "closedate",
    "hubspot_owner_id",
    "hs_is_closed",
    "hs_v2_date_entered_current_stage",
    "hs_next_step",
)
_ENTERED = "hs_v2_date_entered_"
_NAMED = re.compile(r"[a-z0-9_]+")
"""A stage of which the property is named by its id. Another id, as of a stage that was imported, has its property under a
name that cannot be told from it: hyphens become ``_``, and a number follows (seen in portals)."""
CUT = Unknown("HubSpot hands out its associations only in part")
Answer: TypeAlias = tuple[Opportunity, ...] | Unknown


class Stages:
    """Which stages of deals are closed, kept for ten minutes. Their ids say nothing, and their labels are renamed."""

    _KEPT_SECONDS = 600.0

    def __init__(self, client: HubSpotClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._until = 0.0
        self._closed: Mapping[str, bool] = {}

    def closed(self) -> Mapping[str, bool]:
        """Tell for each stage of each pipeline whether deals in it are closed (guide to the pipelines API).

        A stage that does not say is left out.
        """
        with self._lock:
            if self._until <= self._clock():
                pipelines = results_of(self._client.get("/crm/pipelines/{version}/deals"))
                stages = [stage for pipeline in pipelines for stage in pipeline.get("stages") or []]
                told = {str(stage["id"]): (stage.get("metadata") or {}).get("isClosed") for stage in stages}
                self._closed = {key: str(it).lower() == "true" for key, it in told.items() if it is not None}
                self._until = self._clock() + self._KEPT_SECONDS
            return self._closed


class Deals:
    """Finds deals."""

    def __init__(self, client: HubSpotClient, companies: Companies, owners: Owners, time_zone: str) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._companies = companies
        self._owners = owners
        self._stages = Stages(client)
        self._zone = zoneinfo.ZoneInfo(time_zone)

    def of(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        deal_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """Give the deals of contacts, of companies and by id: one association read for each, all deals in one batch.

        A company's deals are those whose primary company it is, for that is the account of a deal.
        """
        people = self._links("contacts", person_ids)
        accounts = self._links("companies", account_ids)
        linked = {link.id for links in (people, accounts) for found in links.of.values() for link in found}
        found = self.by_id([*linked, *deal_ids])
        found |= self._survivors(key for key in ids_only(deal_ids) if key not in found)
        deals = {
            key: deal
            for key, deal in found.items()
            if closed_since is None or isinstance(deal, Unknown) or not self._closed_before(deal, closed_since)
        }

        def of_account(key: str) -> Answer:
            found = _answer(accounts, key, deals)
            if isinstance(found, Unknown):
                return found
            return tuple(deal for deal in found if deal.account is not None and deal.account.id == key)

        return Opportunities(
            of_people={key: _answer(people, key, deals) for key in person_ids},
            of_accounts={key: of_account(key) for key in account_ids},
            by_id={key: _all_known([deals[key]] if key in deals else []) for key in deal_ids},
        )

    def by_id(self, ids: Iterable[str]) -> dict[str, Opportunity | Unknown]:
        """Read deals, by the id that was asked for; one that is gone is left out."""
        wanted = ids_only(ids)
        if not wanted:
            return {}
        closed = self._stages.closed()
        stages = sorted(stage for stage, is_closed in closed.items() if is_closed and _NAMED.fullmatch(stage))
        entered = [f"{_ENTERED}{stage}" for stage in stages]
        records = read(self._client, "deals", wanted, [*DEAL_PROPERTIES, *entered])
        deals = self._deals({str(record["id"]): record for record in records.values()}, closed)
        return {key: deals[str(record["id"])] for key, record in records.items()}

    def _survivors(self, ids: Iterable[str]) -> dict[str, Opportunity | Unknown]:
        """Read the deals that others were merged into."""
        left = {key: found for key in ids if (found := survivor(self._client, "deals", key))}
        deals = self.by_id(left.values())
        return {key: deals[found] for key, found in left.items() if found in deals}

    def _deals(self, records: Mapping[str, Record], closed: Mapping[str, bool]) -> dict[str, Opportunity | Unknown]:
        contacts = read_links(self._client, "deals", "contacts", records)
        companies = read_links(self._client, "deals", "companies", records)
        primary = {key: _primary(companies.of.get(key, ())) for key in records}
        accounts = self._companies.read(filter(None, primary.values()))
        owners = self._owners.by_id(filter(None, (value(it, "hubspot_owner_id") for it in records.values())))
        cut = contacts.cut | companies.cut

        def deal(key: str, record: Record) -> Opportunity | Unknown:
            owner_id = value(record, "hubspot_owner_id")
            created_at = instant(value(record, "createdate") or record.get("createdAt"))
            if key in cut or created_at is None:
                return CUT
            return Opportunity(
                id=key,
                created_at=created_at,
                name=value(record, "dealname"),
                account=accounts.get(primary[key] or ""),
                owner_id=owner_id,
                owner_email=(owners[owner_id].email or None) if owner_id in owners else None,
                closed_at=_closed_at(record, closed, self._zone),
                person_ids=tuple(sorted(contacts.ids(key))),
                next_step=value(record, "hs_next_step"),
            )

        return {key: deal(key, record) for key, record in records.items()}

    def _closed_before(self, deal: Opportunity, moment: dt.datetime) -> bool:
        """Tell whether a deal closed before a moment; a day counts to its end in the connection's time zone."""
        closed = deal.closed_at
        if closed is None:
            return False
        if not isinstance(closed, dt.datetime):
            midnight = dt.datetime.combine(closed + dt.timedelta(days=1), dt.time(), self._zone)
            closed = midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)
        return closed < moment

    def _links(self, obj: str, ids: Sequence[str]) -> Links:
        return read_links(self._client, obj, "deals", ids) if ids else Links({})


def _answer(links: Links, key: str, deals: Mapping[str, Opportunity | Unknown]) -> Answer:
    return CUT if key in links.cut else _all_known([deals[each] for each in links.ids(key) if each in deals])


def _all_known(deals: Iterable[Opportunity | Unknown]) -> Answer:
    """Give the deals; one that is not known leaves the whole answer unknown."""
    known: dict[str, Opportunity] = {}
    for deal in deals:
        if isinstance(deal, Unknown):
            return deal
        known[deal.id] = deal
    return tuple(known.values())


def _primary(companies: Iterable[Link]) -> str | None:
    """Choose the company that is marked as primary; else the only one."""
    companies = list(companies)
    marked = [link.id for link in companies if _PRIMARY_COMPANY in link.types]
    return marked[0] if marked else companies[0].id if len(companies) == 1 else None


def _closed_at(record: Record, closed: Mapping[str, bool], zone: dt.tzinfo) -> dt.datetime | dt.date | None:
    """Tell when a deal really closed; None while it is open, whatever ``closedate`` says: that is a plan until then.

    When it entered the stage that it is in is calculated by HubSpot, for each stage and for the present one; a portal may
    have either alone (seen by users). Where that is missing, ``closedate`` is what is
    left, which people edit: no more than its day is taken from it, in ``zone``, where it is no bare day at midnight UTC.
    """
    stage = value(record, "dealstage") or ""
    if not closed.get(stage, value(record, "hs_is_closed") == "true"):
        return None
    entered = instant(value(record, f"{_ENTERED}{stage}")) or instant(value(record, f"{_ENTERED}current_stage"))
    if entered is not None:
        return entered
    planned = instant(value(record, "closedate"))
    if planned is None:
        return instant(record.get("updatedAt"))
    planned = planned.astimezone(dt.UTC)
    return (planned if planned.time() == dt.time() else planned.astimezone(zone)).date()
