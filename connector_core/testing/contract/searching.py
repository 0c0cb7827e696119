"""Clauses on the search box, and on the form for what it does not find."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from connector_core.hookspecs import MOST_HITS
from connector_core.model import FormFields, Unknown
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.reads import CARLA
from connector_core.testing.contract.wording import BrokenClauseError

PEOPLE, ACCOUNTS, FORM = "search_people", "search_accounts", "form_address"
SIGNS = ("' OR Id != '", '"} OR {Carla', "}) OR (Carla", "*** OR ***", "%%%", "___", "\\\\\\")
"""What query languages would read as more than a text, or as any text."""
KNOWN = FormFields("Dora & Sons, #1", "dora+form@example.net", "+33639980199")


def hits(crm: Crm, text: str) -> tuple[str, ...]:
    """Search for people."""
    found = crm.connection.search_people([text])[text]
    if isinstance(found, Unknown):
        raise BrokenClauseError(f"  {text!r} was not searched for: {found.reason}")
    return tuple(crm.world_id(it.id) or "" for it in found)


def accounts(crm: Crm, *texts: str) -> Mapping[str, object]:
    """Search for accounts."""
    return {text: crm.shown(found) for text, found in crm.connection.search_accounts(texts).items()}


def expect_hit(crm: Crm, text: str, world_id: str) -> None:
    """Expect a person among those who are found by a text, and most people not to be."""
    found = hits(crm, text)
    crm.expect((world_id in found, len(found) <= 3), (True, True), f"{world_id} among {found}, found by {text!r}")


class Searching:
    """The search box."""

    @clause("C-SEARCH-1", PEOPLE)
    def test_a_name_is_found_by_its_beginning(self, crm: Crm) -> None:
        """A person is found by the beginning of the first name, and by that of the last name, whatever the case."""
        expect_hit(crm, "CARL", "C1")
        expect_hit(crm, "clie", "C1")

    @clause("C-SEARCH-2", PEOPLE)
    def test_a_name_is_found_in_any_order(self, crm: Crm) -> None:
        """A person is found by first and last name, in either order, and a person who has one of them alone is not."""
        crm.expect(
            {it: hits(crm, it) for it in ("tina twin", "twin tina")}, {"tina twin": ("C3",), "twin tina": ("C3",)}
        )

    @clause("C-SEARCH-3", PEOPLE)
    def test_an_address_is_found(self, crm: Crm) -> None:
        """A person is found by the e-mail address."""
        expect_hit(crm, CARLA, "C1")

    @clause("C-SEARCH-4", PEOPLE)
    def test_a_number_is_found_however_it_is_typed(self, crm: Crm) -> None:
        """A person is found by the number, typed with the country's code, or as dialled at home, with blanks or without."""
        for text in ("+33639980101", "0639980101", "06 39 98 01 01"):
            expect_hit(crm, text, "C1")

    @clause("C-SEARCH-5", PEOPLE, traits=("leads",))
    def test_leads_are_found(self, crm: Crm) -> None:
        """A lead is found by name."""
        expect_hit(crm, "leo lead", "L1")

    @clause("C-SEARCH-6", PEOPLE)
    def test_a_text_of_nobody_finds_nobody(self, crm: Crm) -> None:
        """A text that nobody has finds nobody, and searching for it creates nobody."""
        for _ in range(2):
            crm.expect(hits(crm, "Nobody Whatsoever"), (), "people found by a name that nobody has")

    @clause("C-SEARCH-7", PEOPLE)
    def test_signs_are_data(self, crm: Crm) -> None:
        """Signs of query languages are text: they find nobody and fail no other text; a name with an apostrophe is found."""
        found = crm.connection.search_people(["Carla", "Paul O'Plus", *SIGNS])
        shown = {text: () if isinstance(it, Unknown) else crm.shown(it) for text, it in found.items()}
        crm.expect(shown, {"Carla": ("C1",), "Paul O'Plus": ("C5",), **dict.fromkeys(SIGNS, ())})

    @clause("C-SEARCH-8", PEOPLE)
    def test_a_search_gives_what_a_box_can_show(self, crm: Crm) -> None:
        """Of 55 people that match 50 are given."""
        crm.expect(len(set(hits(crm, "Crowd"))), MOST_HITS, "people given")

    @clause("C-SEARCH-9", ACCOUNTS)
    def test_an_account_is_found_by_its_name(self, crm: Crm) -> None:
        """An account is found by the beginning of a word of its name, with accents, ampersand and apostrophe too."""
        wanted = {"north": ("A1",), "fils": ("A2",), "Société d'Été & Fils": ("A2",)}
        crm.expect(accounts(crm, *wanted), wanted)

    @clause("C-SEARCH-10", ACCOUNTS)
    def test_a_text_of_no_account_finds_none(self, crm: Crm) -> None:
        """A text that no account has finds none, also if a person has it."""
        crm.expect(accounts(crm, "Whatsoever", "Carla"), {"Whatsoever": (), "Carla": ()})


class Forms:
    """The CRM's own form for a new record."""

    @clause("C-FORM-1", FORM, quiet=True)
    def test_a_form_has_an_address(self, crm: Crm) -> None:
        """The forms of a contact and of an opportunity have an address each, and asking for them sends nothing."""
        addresses = {crm.connection.form_address(it, KNOWN) for it in ("contact", "opportunity")}
        crm.expect(len(addresses), 2, "addresses")
        whole = [it.scheme == "file" or bool(it.hostname) for it in map(urlsplit, addresses)]
        crm.expect((whole, crm.requests), ([True, True], 0), "whole addresses, and requests sent")

    @clause("C-FORM-2", FORM, holds=("filled_forms",), quiet=True)
    def test_a_form_is_filled(self, crm: Crm) -> None:
        """The address of a contact's form holds the name, e-mail address and number that are known, escaped."""
        query = urlsplit(crm.connection.form_address("contact", KNOWN)).query
        held = " ".join(unquote(text) for _, text in parse_qsl(query))
        words = [*str(KNOWN.name).split(), str(KNOWN.email), str(KNOWN.phone)]
        crm.expect([it for it in words if it not in held], [], "what the address does not hold, or not escaped")

    @clause("C-FORM-3", FORM, quiet=True)
    def test_a_form_needs_nothing(self, crm: Crm) -> None:
        """Without anything known there is still the form's address."""
        for record in ("contact", "opportunity"):
            crm.expect(bool(crm.connection.form_address(record, FormFields())), True, f"the address for a {record}")
