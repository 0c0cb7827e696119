"""In which currency the amounts of records are, as Odoo tells it; what it answers has the form of a server of version 19."""

from __future__ import annotations

from typing import Any, cast

import pytest
from connector_odoo import describing, stored
from connector_odoo.client import OdooClient

from connector_core.model import ObjectDescription, RecordFields

AMOUNTS: dict[str, Any] = {
    "expected_revenue": {"type": "monetary", "string": "Expected Revenue", "readonly": False, "required": False},
    "seats": {"type": "integer", "string": "Seats", "readonly": False, "required": False},
    "name": {"type": "char", "string": "Name", "readonly": False, "required": True},
}


def link(to: str = "res.currency") -> dict[str, Any]:
    """Make a link to another model."""
    return {"type": "many2one", "relation": to, "string": "Currency", "readonly": True, "required": False}


class Told:
    """What a server answers, by method; keeps what it was asked."""

    def __init__(self, fields: dict[str, Any], *records: dict[str, Any]) -> None:
        self.fields, self.records = fields, list(records)
        self.specification: Any = None

    def read(self, model: str, method: str, **arguments: Any) -> Any:
        """Answer."""
        if method == "display_name_for":
            return [{"model": model, "display_name": model} for model in arguments["models"]]
        if method == "fields_get":
            return self.fields
        if method == "web_search_read":
            self.specification = arguments["specification"]
            return {"records": self.records, "length": len(self.records)}
        return True

    @property
    def client(self) -> OdooClient:
        """Give it as the client that it stands for."""
        return cast("OdooClient", self)


def described(fields: dict[str, Any]) -> ObjectDescription:
    """Describe a model with these fields beside its amounts."""
    (found,) = describing.describe(Told({**AMOUNTS, **fields}).client, ["crm.lead"])["crm.lead"]
    assert isinstance(found, ObjectDescription)
    return found


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"company_currency": link()}, "company_currency"),
        ({"company_currency": link(), "currency_id": link()}, "currency_id"),
        ({"company_currency": link(), "other_currency": link()}, None),
        ({"currency_id": link("res.partner")}, None),
        ({}, None),
    ],
)
def test_numbers_are_in_the_currency_that_the_record_links_to(fields: dict[str, Any], named: str | None) -> None:
    """Where it cannot be told which of several, none is named; a text is in none."""
    found = described(fields).fields

    assert [found[it].currency_field for it in ("expected_revenue", "seats", "name")] == [named, named, None]


@pytest.mark.parametrize(("held", "read"), [({"id": 1, "name": "EUR"}, "EUR"), (False, None)])
def test_a_currency_is_read_as_its_code(held: Any, read: str | None) -> None:
    """That is how amounts are compared; a link to anything else is read as it was."""
    fields = {"company_currency": link(), "team_id": link("crm.team")}
    told = Told(fields, {"id": 7, "company_currency": held, "team_id": 3})
    asked = RecordFields("crm.lead", "lead:7", ("company_currency", "team_id"))

    assert stored.read(told.client, [asked]) == {("crm.lead", "lead:7"): ({"company_currency": read, "team_id": 3},)}
    assert told.specification == {"company_currency": {"fields": {"name": {}}}, "team_id": {}}
