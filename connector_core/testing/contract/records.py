"""Clauses on reading people and accounts by id."""

from __future__ import annotations

from collections.abc import Mapping

from connector_core.model import Person
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, Shown
from connector_core.testing.contract.reads import EMAIL, person

PEOPLE, ACCOUNTS = "read_people", "read_accounts"
NO_IDS = ("none", "' OR Id != '")
"""What no CRM has as an id."""


def read(crm: Crm, *ids: str) -> Mapping[str | None, Shown]:
    """Read people, by the ids of the CRM."""
    found = crm.connection.read_people(ids)
    return {crm.world_id(key): crm.shown(people) for key, people in found.items()}


def lead(crm: Crm, world_id: str) -> Person:
    """Read one lead, all of it."""
    (key,) = crm.ids(world_id)
    found = crm.connection.read_people([key])[key]
    crm.expect(crm.shown(found), (world_id,))
    assert isinstance(found, tuple)  # noqa: S101 - else the line above has raised
    return found[0]


class Reading:
    """By id."""

    @clause("C-READ-1", PEOPLE)
    def test_people_are_read_by_id(self, crm: Crm) -> None:
        """Each of several people is read by id."""
        crm.expect(read(crm, *crm.ids("C1", "C2", "C5")), {"C1": ("C1",), "C2": ("C2",), "C5": ("C5",)})

    @clause("C-READ-2", PEOPLE, EMAIL)
    def test_a_person_is_read_whole(self, crm: Crm) -> None:
        """A person who is read by id is told as one who is found by e-mail address."""
        found = person(crm)
        crm.expect(crm.connection.read_people([found.id]), {found.id: (found,)})

    @clause("C-READ-3", PEOPLE, traits=("leads",))
    def test_a_lead_is_read_by_id(self, crm: Crm) -> None:
        """A lead is read by id, and answered as a lead."""
        crm.expect(lead(crm, "L1").kind, "lead")

    @clause("C-READ-4", PEOPLE, traits=("leads",), holds=("converted_leads",))
    def test_a_converted_lead_is_read_by_id(self, crm: Crm) -> None:
        """A converted lead is read as a lead, with the contact that it became."""
        found = lead(crm, "L2")
        crm.expect(found.converted_to and crm.world_id(found.converted_to.id), "C1", "whom L2 became")

    @clause("C-READ-5", PEOPLE)
    def test_an_id_of_nobody_is_answered(self, crm: Crm) -> None:
        """An id that the CRM never gave, in whatever form, is answered with an empty tuple, beside one that is there."""
        crm.expect(read(crm, crm.id("C1"), *NO_IDS), {"C1": ("C1",), **dict.fromkeys(NO_IDS, ())})

    @clause("C-READ-6", PEOPLE, changes=True, without={"C4": None})
    def test_who_was_deleted_is_gone(self, crm: Crm) -> None:
        """The id of a person who was deleted is answered with an empty tuple."""
        crm.expect(read(crm, *crm.ids("C3", "C4")), {"C3": ("C3",), "C4": ()})

    @clause("C-READ-7", PEOPLE, holds=("merged_records",), changes=True, without={"C4": "C3"})
    def test_who_was_merged_is_the_survivor(self, crm: Crm) -> None:
        """The id of a person who was merged into another one is answered with that other."""
        crm.expect(read(crm, *crm.ids("C3", "C4")), {"C3": ("C3",), "C4": ("C3",)})

    @clause("C-READ-8", ACCOUNTS)
    def test_accounts_are_read_by_id(self, crm: Crm) -> None:
        """Each of several accounts is read by id, with its name."""
        found = crm.connection.read_accounts(crm.ids("A1", "A2"))
        crm.expect({crm.world_id(key): crm.shown(it) for key, it in found.items()}, {"A1": ("A1",), "A2": ("A2",)})
        names = [account.name for it in found.values() if isinstance(it, tuple) for account in it]
        crm.expect(sorted(map(str, names)), ["Northwind Test", "Société d'Été & Fils"], "their names")

    @clause("C-READ-9", ACCOUNTS)
    def test_an_id_of_no_account_is_answered(self, crm: Crm) -> None:
        """An id that no account has, in whatever form, is answered with an empty tuple, beside one that is there."""
        found = crm.connection.read_accounts([crm.id("A1"), *NO_IDS])
        shown = {crm.world_id(key): crm.shown(it) for key, it in found.items()}
        crm.expect(shown, {"A1": ("A1",), **dict.fromkeys(NO_IDS, ())})
