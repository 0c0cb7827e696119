"""Clauses on what a CRM tells of its organization, objects and fields."""

from __future__ import annotations

import re
import zoneinfo

from connector_core.model import ObjectDescription, RecordFields, Unknown
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.wording import BrokenClauseError

DESCRIBE, ACCESS, ORGANIZATION = "describe_objects", "check_access", "describe_organization"
READ = "read_fields"
_CODE = re.compile(r"[A-Z]{3}")
NO_OBJECT = "contract_no_such_object"


def described(crm: Crm, name: str) -> ObjectDescription:
    """Describe one object of the manifest's names."""
    own = crm.manifest.names[name]
    found = crm.connection.describe_objects([own])[own]
    if isinstance(found, Unknown) or not found:
        raise BrokenClauseError(f"  {own} was not described: {found or 'as if it were not there'}")
    return found[0]


def expect_whole(crm: Crm, *objects: str) -> None:
    """Expect that objects, by the CRM's own names, were described with all their fields, where a CRM says what there are.

    Where something that a description is made of was not answered, a plugin goes on with the rest: that is no failure of
    the clause, which then shows less than it says.
    """
    if DESCRIBE in crm.manifest.operations and "fixed_fields" not in crm.manifest.cannot_hold:
        told = crm.connection.describe_objects(objects)
        whole = {name: isinstance(it, tuple) and bool(it) and it[0].complete for name, it in told.items()}
        crm.expect(whole, dict.fromkeys(objects, True), "whether each object is described with all its fields")


class Describing:
    """What a CRM tells of its objects and fields."""

    @clause("C-DESCRIBE-1", DESCRIBE)
    def test_an_object_is_described(self, crm: Crm) -> None:
        """The object of contacts is described under its own name, with a label and all its fields, as one that may be read
        and changed.
        """
        contact = described(crm, "contact")
        crm.expect(contact.name, crm.manifest.names["contact"], "the name")
        crm.expect((bool(contact.label), contact.readable, contact.updatable), (True, True, True), "label and rights")
        expect_whole(crm, contact.name)

    @clause("C-DESCRIBE-2", DESCRIBE)
    def test_fields_are_described(self, crm: Crm) -> None:
        """A contact's title is a text, and an opportunity's day a date or a time; both have labels and may be changed."""
        wanted = {"contact.title": {"text"}, "opportunity.date": {"date", "time"}}
        for name, types in wanted.items():
            field = described(crm, name.partition(".")[0]).fields.get(crm.manifest.names[name])
            crm.expect(field is not None, True, f"{name} is among the fields")
            assert field is not None  # noqa: S101 - else the line above has raised
            shown = (field.type in types, bool(field.label), field.updatable)
            crm.expect(shown, (True, True, True), f"{name}, a {field.type}: its type, label and right")
            expect_whole(crm, crm.manifest.names[name.partition(".")[0]])

    @clause("C-DESCRIBE-3", DESCRIBE)
    def test_an_object_that_is_not_there(self, crm: Crm) -> None:
        """An object that is not there is answered with an empty tuple, and fails no other."""
        contact = crm.manifest.names["contact"]
        found = crm.connection.describe_objects([contact, NO_OBJECT])
        crm.expect(found[NO_OBJECT], (), "what is told of an object that is not there")
        crm.expect([it.name for it in _told(found[contact])], [contact], "what is told of contacts beside it")
        expect_whole(crm, contact)

    @clause("C-ACCESS-1", ACCESS)
    def test_rights_are_told(self, crm: Crm) -> None:
        """Each right that the connector uses is told, who has all lacks none, and no newest version without the asked."""
        access = crm.connection.check_access()
        rights = access.rights
        crm.expect([it for it in rights if not it.name], [], "rights without a name")
        crm.expect(sorted({it.name for it in rights if it.granted is False}), [], "rights that are said to be missing")
        told = access.api_version is not None or access.newest_version is None
        crm.expect(told, True, "the version that is asked is told, where the newest one is")

    @clause("C-ORG-1", ORGANIZATION)
    def test_the_organization_is_described(self, crm: Crm) -> None:
        """The time zone of the organization is one of IANA, and its currency a code of ISO 4217, as far as it has them."""
        told = crm.connection.describe_organization()
        crm.expect(told.time_zone is None or told.time_zone in zoneinfo.available_timezones(), True, "the time zone")
        crm.expect(told.currency is None or bool(_CODE.fullmatch(told.currency)), True, "the currency")

    @clause("C-ORG-2", ORGANIZATION, DESCRIBE, READ)
    def test_an_amount_names_its_currency(self, crm: Crm) -> None:
        """The field that says in which currency an opportunity's amount is, if any, is described, and read as its code."""
        opportunity, names = described(crm, "opportunity"), crm.manifest.names
        amount = opportunity.fields.get(names["opportunity.amount"])
        field = amount.currency_field if amount is not None else None
        crm.expect(field is None or field in opportunity.fields, True, f"{field} is among the fields")
        if field is not None:
            asked = RecordFields(names["opportunity"], crm.id("O1"), (field,))
            ((key, found),) = crm.connection.read_fields([asked]).items()
            values = [it.get(field) for it in found] if isinstance(found, tuple) else []
            right = [it is None or bool(_CODE.fullmatch(str(it))) for it in values]
            crm.expect((key, right), ((asked.object, asked.id), [True]), f"{field} of O1, read as a code of ISO 4217")


def _told(found: tuple[ObjectDescription, ...] | Unknown) -> tuple[ObjectDescription, ...]:
    return () if isinstance(found, Unknown) else found
