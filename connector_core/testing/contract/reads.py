"""Clauses on looking people up: by e-mail address, by phone number, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping

from connector_core.model import Person, Unknown
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, Shown
from connector_core.testing.contract.world import CROWD, crowd_email

CARLA = "carla.client@example.com"
PAUL = "paul.o'plus+buyer_50@example.com"
EMAIL, PHONE = "find_contacts_by_email", "find_contacts_by_phone"


def by_email(crm: Crm, *emails: str) -> Mapping[str, Shown]:
    """Look addresses up."""
    return {key: crm.shown(found) for key, found in crm.connection.find_contacts_by_email(emails).items()}


def by_phone(crm: Crm, *numbers: str) -> Mapping[str, Shown]:
    """Look numbers up."""
    return {key: crm.shown(found) for key, found in crm.connection.find_contacts_by_phone(numbers).items()}


def person(crm: Crm, email: str = CARLA) -> Person:
    """Look one person up, all of it."""
    found = crm.connection.find_contacts_by_email([email])[email]
    crm.expect(crm.shown(found) if isinstance(found, Unknown) else len(found), 1, f"people with {email}")
    assert isinstance(found, tuple)  # noqa: S101 - else the line above has raised
    return found[0]


class Emails:
    """By e-mail address."""

    @clause("C-EMAIL-1", EMAIL)
    def test_an_address_finds_its_person(self, crm: Crm) -> None:
        """A person is found by the e-mail address that the CRM has of them."""
        crm.expect(by_email(crm, CARLA), {CARLA: ("C1",)})

    @clause("C-EMAIL-2", EMAIL)
    def test_an_address_that_nobody_has(self, crm: Crm) -> None:
        """An address that nobody has is answered with an empty tuple, never with None, and never left out."""
        crm.expect(by_email(crm, "nobody@example.com"), {"nobody@example.com": ()})

    @clause("C-EMAIL-3", EMAIL)
    def test_addresses_compare_without_case(self, crm: Crm) -> None:
        """An address that is stored with capitals is found by its case-folded form, and answered under that."""
        crm.expect(by_email(crm, "dora.daily@example.com"), {"dora.daily@example.com": ("C2",)})

    @clause("C-EMAIL-4", EMAIL, holds=("several_emails",))
    def test_a_further_address_finds_its_person(self, crm: Crm) -> None:
        """A person is found by each of several addresses, not by the first alone."""
        crm.expect(by_email(crm, "dora@example.net"), {"dora@example.net": ("C2",)})

    @clause("C-EMAIL-5", EMAIL, holds=("shared_emails",))
    def test_an_address_of_two_finds_both(self, crm: Crm) -> None:
        """Of several people with one address all are found."""
        crm.expect(by_email(crm, "twins@example.com"), {"twins@example.com": ("C3", "C4")})

    @clause("C-EMAIL-6", EMAIL)
    def test_signs_of_a_query_language_are_text(self, crm: Crm) -> None:
        """An address with an apostrophe, a plus sign and an underscore finds its person."""
        crm.expect(by_email(crm, PAUL), {PAUL: ("C5",)})

    @clause("C-EMAIL-7", EMAIL)
    def test_an_address_is_no_pattern(self, crm: Crm) -> None:
        """An address with the wildcards of query languages stands for itself and finds nobody."""
        for address in ("carla_client@example.com", "%@example.com", "*@example.com"):
            people = by_email(crm, address)[address]
            crm.expect(() if isinstance(people, Unknown) else people, (), f"people with {address}")

    @clause("C-EMAIL-8", EMAIL)
    def test_an_address_is_no_code(self, crm: Crm) -> None:
        """An address that would end a quoted text and go on as a query finds nobody, and fails no other address."""
        injected = "x' or email like '%25@example.com' or email = 'x@example.com"
        people = by_email(crm, injected, CARLA)
        crm.expect(
            () if isinstance(people[injected], Unknown) else people[injected], (), "people with the injected text"
        )
        crm.expect(people[CARLA], ("C1",), f"people with {CARLA}")

    @clause("C-EMAIL-9", EMAIL)
    def test_the_end_of_an_address_is_another_address(self, crm: Crm) -> None:
        """An address that is a part of a stored one finds nobody."""
        crm.expect(by_email(crm, "client@example.com"), {"client@example.com": ()})

    @clause("C-EMAIL-10", EMAIL)
    def test_a_large_batch_of_addresses_is_answered_whole(self, crm: Crm) -> None:
        """Of 250 addresses, more than services take at once, each is answered, and the one that is there is found."""
        others = {f"nobody{number}@example.com": () for number in range(249)}
        crm.expect(by_email(crm, CARLA, *others), {CARLA: ("C1",), **others})

    @clause("C-EMAIL-11", EMAIL)
    def test_people_beyond_a_page_are_found(self, crm: Crm) -> None:
        """Of 55 addresses of as many people, more than some services give on a page, each finds its person."""
        wanted = {crowd_email(key): (key,) for key in CROWD}
        crm.expect(by_email(crm, *wanted), wanted)


class Phones:
    """By phone number."""

    @clause("C-PHONE-1", PHONE)
    def test_a_number_finds_its_person(self, crm: Crm) -> None:
        """A person is found by a number that is stored in E.164."""
        crm.expect(by_phone(crm, "+33639980101"), {"+33639980101": ("C1",)})

    @clause("C-PHONE-2", PHONE)
    def test_a_national_form_finds_its_person(self, crm: Crm) -> None:
        """A person is found by a number that is stored in national form, with blanks."""
        crm.expect(by_phone(crm, "+33639980102"), {"+33639980102": ("C2",)})

    @clause("C-PHONE-3", PHONE)
    def test_dots_and_parentheses_do_not_hide_a_number(self, crm: Crm) -> None:
        """A person is found by a number that is stored with dots, or with parentheses and a dash."""
        wanted = {"+33639980106": ("C6",), "+12025550107": ("C7",)}
        crm.expect(by_phone(crm, *wanted), wanted)

    @clause("C-PHONE-4", PHONE)
    def test_a_dialling_prefix_does_not_hide_a_number(self, crm: Crm) -> None:
        """A person is found by a number that is stored with 00 before the country's code."""
        crm.expect(by_phone(crm, "+33639980108"), {"+33639980108": ("C8",)})

    @clause("C-PHONE-5", PHONE)
    def test_a_trunk_prefix_does_not_hide_a_number(self, crm: Crm) -> None:
        """A person is found by a number that is stored with (0) behind the country's code."""
        crm.expect(by_phone(crm, "+33639980109"), {"+33639980109": ("C9",)})

    @clause("C-PHONE-6", PHONE)
    def test_an_extension_does_not_hide_a_number(self, crm: Crm) -> None:
        """A person is found by a number that is stored with an extension."""
        crm.expect(by_phone(crm, "+33639980110"), {"+33639980110": ("C10",)})

    @clause("C-PHONE-7", PHONE)
    def test_a_number_of_many_finds_them_all(self, crm: Crm) -> None:
        """Of several people with one number, each written in another way, all are found."""
        crm.expect(by_phone(crm, "+33199000111"), {"+33199000111": ("C11", "C12", "C13")})

    @clause("C-PHONE-8", PHONE, holds=("several_phones",))
    def test_a_second_number_finds_its_person(self, crm: Crm) -> None:
        """A person is found by each of several numbers, not by the first alone."""
        crm.expect(by_phone(crm, "+33639980114"), {"+33639980114": ("C14",)})

    @clause("C-PHONE-9", PHONE)
    def test_a_number_that_nobody_has(self, crm: Crm) -> None:
        """A number that nobody has is answered with an empty tuple."""
        crm.expect(by_phone(crm, "+33639980199"), {"+33639980199": ()})

    @clause("C-PHONE-10", PHONE)
    def test_the_same_end_is_another_number(self, crm: Crm) -> None:
        """A number of another area that ends in the seven digits of a stored one finds nobody."""
        crm.expect(by_phone(crm, "+13035550107"), {"+13035550107": ()})

    @clause("C-PHONE-11", PHONE)
    def test_a_large_batch_of_numbers_is_answered_whole(self, crm: Crm) -> None:
        """Of 101 numbers, more than services take at once, each is answered, and the one that is there is found."""
        others = {f"+336399809{number:02}": () for number in range(100)}
        crm.expect(by_phone(crm, "+33639980101", *others), {"+33639980101": ("C1",), **others})

    @clause("C-PHONE-12", PHONE)
    def test_all_digits_count(self, crm: Crm) -> None:
        """A number that differs from a stored one in a single digit, before the last nine, finds nobody."""
        crm.expect(by_phone(crm, "+13025550107"), {"+13025550107": ()})


class People:
    """What is told of a person."""

    @clause("C-PERSON-1", EMAIL)
    def test_a_person_has_what_the_crm_has(self, crm: Crm) -> None:
        """A person is answered as a contact, with name, job title, addresses and numbers."""
        found = person(crm)
        crm.expect(
            (found.kind, found.name, found.title, found.emails, found.phones),
            ("contact", "Carla Client", "CTO", (CARLA,), ("+33639980101",)),
        )

    @clause("C-PERSON-2", EMAIL)
    def test_a_person_has_its_own_account(self, crm: Crm) -> None:
        """A person's account is the primary one, with its name."""
        account = person(crm).account
        crm.expect((crm.world_id(account.id), account.name) if account else None, ("A2", "Société d'Été & Fils"))

    @clause("C-PERSON-3", EMAIL)
    def test_a_person_without_account_has_none(self, crm: Crm) -> None:
        """A person without an account is answered with none, not with an empty one."""
        crm.expect(person(crm, PAUL).account, None)

    @clause("C-LEAD-1", EMAIL, PHONE, traits=("leads",))
    def test_a_lead_is_found(self, crm: Crm) -> None:
        """A lead is found by its address and by its number, and answered as a lead."""
        crm.expect(by_email(crm, "leo.lead@example.com"), {"leo.lead@example.com": ("L1",)})
        crm.expect(by_phone(crm, "+33639980121"), {"+33639980121": ("L1",)})
        crm.expect(person(crm, "leo.lead@example.com").kind, "lead", "the kind of L1")

    @clause("C-LEAD-2", EMAIL, traits=("leads",), holds=("converted_leads",))
    def test_a_converted_lead_names_whom_it_became(self, crm: Crm) -> None:
        """A converted lead is answered as a lead, with the contact that it became."""
        found = person(crm, "lara.lead@example.com")
        became = crm.world_id(found.converted_to.id) if found.converted_to else None
        crm.expect((crm.world_id(found.id), found.kind, found.converted, became), ("L2", "lead", True, "C1"))
