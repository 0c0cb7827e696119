"""Clauses on opportunities, and on the users who own them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from connector_core.model import Opportunity, Unknown
from connector_core.testing.contract.activities import day_of
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, Shown
from connector_core.testing.contract.world import MANY

LIST, USERS = "list_opportunities", "find_users_by_email"


def of_people(crm: Crm, *people: str, since: dt.datetime | None = None) -> Mapping[str, Shown]:
    """List the opportunities of people."""
    found = crm.connection.list_opportunities(person_ids=crm.ids(*people), closed_since=since).of_people
    return {person: crm.shown(found[crm.id(person)]) for person in people}


def of_account(crm: Crm, account: str) -> Shown:
    """List the opportunities of an account."""
    return crm.shown(crm.connection.list_opportunities(account_ids=crm.ids(account)).of_accounts[crm.id(account)])


def opportunity(crm: Crm, world_id: str) -> Opportunity:
    """Read one opportunity by its id."""
    key = crm.id(world_id)
    found = crm.connection.list_opportunities(opportunity_ids=[key]).by_id[key]
    crm.expect(crm.shown(found), (world_id,), f"the opportunity with the id of {world_id}")
    assert not isinstance(found, Unknown)  # noqa: S101 - else the line above has raised
    return found[0]


class Opportunities:
    """Of people, of accounts, by id; and what is told of one."""

    @clause("C-OPP-1", LIST)
    def test_a_person_has_its_opportunities(self, crm: Crm) -> None:
        """A person is answered with the opportunities that are the person's, not with all of the account."""
        shared = () if "shared_opportunities" in crm.manifest.cannot_hold else ("O2",)
        crm.expect(of_people(crm, "C1", "C3"), {"C1": ("O1", "O2"), "C3": shared})

    @clause("C-OPP-2", LIST)
    def test_a_person_without_opportunities_has_none(self, crm: Crm) -> None:
        """A person without opportunities is answered with an empty tuple."""
        crm.expect(of_people(crm, "C2"), {"C2": ()})

    @clause("C-OPP-3", LIST)
    def test_an_account_has_its_opportunities(self, crm: Crm) -> None:
        """An account is answered with its opportunities, also those of nobody."""
        crm.expect(of_account(crm, "A1"), ("O3",))

    @clause("C-OPP-4", LIST)
    def test_an_account_has_them_all(self, crm: Crm) -> None:
        """An account with 105 opportunities, more than services give on a page, is answered with all of them."""
        crm.expect(of_account(crm, "A3"), MANY)

    @clause("C-OPP-5", LIST)
    def test_an_id_gives_its_opportunity(self, crm: Crm) -> None:
        """An opportunity is given by its id, with its name, next step, account and people."""
        found = opportunity(crm, "O1")
        account = crm.world_id(found.account.id) if found.account else None
        people = sorted(crm.world_id(it) or "" for it in found.person_ids)
        crm.expect((found.name, found.next_step, account, people), ("Renewal Test", "Send the quote", "A2", ["C1"]))

    @clause("C-OPP-6", LIST)
    def test_an_id_of_no_opportunity_gives_none(self, crm: Crm) -> None:
        """An id that is no opportunity's is answered with an empty tuple, beside others that are."""
        user, known = crm.ids("U1", "O1")
        found = crm.connection.list_opportunities(opportunity_ids=[user, known]).by_id
        crm.expect({key: crm.shown(it) for key, it in found.items()}, {user: (), known: ("O1",)})

    @clause("C-OPP-7", LIST, holds=("creation_times",))
    def test_an_opportunity_tells_when_it_was_created(self, crm: Crm) -> None:
        """An opportunity tells the time of its creation, to the second."""
        created = opportunity(crm, "O1").created_at.replace(microsecond=0)
        crm.expect(created, dt.datetime(2026, 2, 1, 8, 30, 15, tzinfo=dt.UTC), "when O1 was created")

    @clause("C-OPP-8", LIST)
    def test_an_open_opportunity_is_not_closed(self, crm: Crm) -> None:
        """An open opportunity has no closing, whatever day is expected for it."""
        crm.expect(opportunity(crm, "O1").closed_at, None, "when O1 was closed")

    @clause("C-OPP-9", LIST)
    def test_a_closed_opportunity_is_closed(self, crm: Crm) -> None:
        """A closed opportunity tells that it is closed."""
        crm.expect(opportunity(crm, "O2").closed_at is not None, True, "O2 is closed")

    @clause("C-OPP-10", LIST, holds=("closing_times",))
    def test_a_closed_opportunity_tells_when_it_was(self, crm: Crm) -> None:
        """A closed opportunity tells when it really was closed: the day, or the time if the CRM knows it."""
        closed = opportunity(crm, "O2").closed_at
        crm.expect(day_of(closed), "2026-02-20", "the day that O2 was closed")

    @clause("C-OPP-11", LIST, holds=("closing_times",))
    def test_what_was_closed_long_ago_is_left_out(self, crm: Crm) -> None:
        """With a bound, opportunities that really closed before it are left out, and no others."""
        march, january = dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 15, tzinfo=dt.UTC)
        crm.expect(of_people(crm, "C1", since=march), {"C1": ("O1",)}, "since March")
        crm.expect(of_people(crm, "C1", since=january), {"C1": ("O1", "O2")}, "since January")

    @clause("C-OPP-12", LIST, USERS, traits=("owner_filter",))
    def test_an_opportunity_has_an_owner(self, crm: Crm) -> None:
        """An opportunity names its owner, with the id under which users are found by e-mail."""
        found = opportunity(crm, "O1")
        users = crm.connection.find_users_by_email(["ada.agent@example.com"])["ada.agent@example.com"]
        ids = [it.id for it in users] if isinstance(users, tuple) else [users.reason]
        crm.expect(([found.owner_id], found.owner_email), (ids, "ada.agent@example.com"), "the owner of O1")


class Users:
    """Users of the CRM."""

    @clause("C-USER-1", USERS)
    def test_an_address_finds_its_user(self, crm: Crm) -> None:
        """A user is found by e-mail address, under the id of the CRM."""
        found = crm.connection.find_users_by_email(["bob.boss@example.com"])["bob.boss@example.com"]
        crm.expect(crm.shown(found), ("U2",))

    @clause("C-USER-2", USERS)
    def test_an_address_of_no_user_finds_none(self, crm: Crm) -> None:
        """An address that no user has is answered with an empty tuple, also if a contact has it."""
        found = crm.connection.find_users_by_email(["carla.client@example.com"])["carla.client@example.com"]
        crm.expect(crm.shown(found), ())
