"""Clauses on the feed of changes: whatever changed is told, however it is cut into pages."""

from __future__ import annotations

import datetime as dt

from connector_core.model import Changed, RecordKind
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.fields import FILL, filled, outcomes, update
from connector_core.testing.contract.manners import CHANGES, LONG_AGO
from connector_core.testing.contract.wording import BrokenClauseError
from connector_core.testing.contract.world import CROWD, MANY

_MOST_PAGES = 100


def changes(crm: Crm, *kinds: RecordKind, since: dt.datetime = LONG_AGO) -> list[Changed]:
    """List all that changed since, page by page."""
    found: list[Changed] = []
    page: str | None = None
    for _ in range(_MOST_PAGES):
        answer = crm.connection.list_changes(kinds, since, page)
        found += answer.records
        page = answer.next
        if page is None:
            return found
    raise BrokenClauseError(f"  the list of changes has not come to its end after {_MOST_PAGES} pages")


def missing(crm: Crm, found: list[Changed], *world_ids: str) -> list[str]:
    """Name the records of the world that were not told."""
    told = {crm.world_id(record.id) for record in found}
    return [it for it in world_ids if it not in told]


class Feeding:
    """What changed since a time."""

    @clause("C-FEED-1", CHANGES)
    def test_each_kind_is_listed(self, crm: Crm) -> None:
        """Contacts, accounts, opportunities and activities that changed since a time are listed, each under its kind."""
        found = changes(crm, "contact", "account", "opportunity", "activity")
        told = {crm.world_id(record.id): record.kind for record in found}
        wanted = {"C1": "contact", "A1": "account", "O1": "opportunity", "T1": "activity", "T7": "activity"}
        crm.expect({key: told.get(key) for key in wanted}, wanted, "the kinds that were told")

    @clause("C-FEED-2", CHANGES, traits=("leads",))
    def test_leads_are_listed(self, crm: Crm) -> None:
        """Leads are listed as leads, and nothing else is listed where nothing else was asked for."""
        found = changes(crm, "lead")
        crm.expect(missing(crm, found, "L1"), [], "leads that were left out")
        crm.expect({record.kind for record in found}, {"lead"}, "the kinds that were told")

    @clause("C-FEED-3", CHANGES)
    def test_equal_times_lose_nothing(self, crm: Crm) -> None:
        """Of 105 opportunities and 55 contacts that were made at about one time, none is left out between two pages."""
        crm.expect(missing(crm, changes(crm, "opportunity"), *MANY), [], "opportunities that were left out")
        crm.expect(missing(crm, changes(crm, "contact"), *CROWD), [], "contacts that were left out")

    @clause("C-FEED-4", CHANGES)
    def test_the_time_is_a_bound(self, crm: Crm) -> None:
        """What changed at just the time that is asked for is listed, and nothing that changed before."""
        newest = max(changes(crm, "account"), key=lambda record: record.changed_at)
        at_once = {record.id for record in changes(crm, "account", since=newest.changed_at)}
        crm.expect(newest.id in at_once, True, "the newest is listed since its own time")
        later = changes(crm, "account", since=newest.changed_at + dt.timedelta(days=1))
        crm.expect(later, [], "accounts that changed a day later")

    @clause("C-FEED-5", CHANGES, FILL, changes=True)
    def test_a_change_is_listed(self, crm: Crm) -> None:
        """A contact that is changed is listed, and its time is no earlier than it was before."""
        before = {record.id: record.changed_at for record in changes(crm, "contact")}[crm.id("C1")]
        one = update(crm, "C1", "contact", title="Chief of Tests")
        crm.expect(outcomes(filled(crm, one)), dict.fromkeys(one.fields, "sent"), "what became of the change")
        after = {record.id: record.changed_at for record in changes(crm, "contact", since=before)}
        crm.expect(after.get(crm.id("C1"), LONG_AGO) >= before, True, "C1 is listed with its time")
