"""Describing models of a real Odoo, as the connection's user may use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector_core.model import Choice, FieldDescription, ObjectDescription

Connect = Callable[..., Any]


def described(account: Any, name: str) -> ObjectDescription:
    """Describe one model."""
    (found,) = account.adapter.describe_objects([name])[name]
    assert isinstance(found, ObjectDescription)
    return found


def field(account: Any, model: str, name: str) -> FieldDescription:
    """Describe one field."""
    return described(account, model).fields[name]


def test_models_are_described_by_their_labels(connect: Connect) -> None:
    """What is no model of this Odoo, and what is none of any, are answered as such."""
    account = connect()

    found = account.adapter.describe_objects(["crm.lead", "res.partner", "no.such.model", "no/name"])

    assert {name: [it.label for it in each] for name, each in found.items()} == {
        "crm.lead": ["Lead"],
        "res.partner": ["Contact"],
        "no.such.model": [],
        "no/name": [],
    }
    assert (account.sent[0], len(account.sent)) == ("ir.model/display_name_for", 10)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("name", ("text", "char")),
        ("description", ("text", "html")),
        ("expected_revenue", ("number", "monetary")),
        ("date_deadline", ("date", "date")),
        ("date_closed", ("time", "datetime")),
        ("active", ("boolean", "boolean")),
        ("priority", ("choice", "selection")),
        ("user_id", ("reference", "many2one")),
        ("tag_ids", ("other", "many2many")),
    ],
)
def test_what_a_field_holds_is_told(connect: Connect, name: str, wanted: tuple[str, str]) -> None:
    """Its type, and Odoo's word for it."""
    found = field(connect(), "crm.lead", name)

    assert (found.type, found.crm_type) == wanted


def test_choices_references_and_rights_are_told(connect: Connect) -> None:
    """What may be chosen, which model a link leads to, and what forms do not let anybody set."""
    fields = described(connect(), "crm.lead").fields

    assert (fields["type"].values, fields["type"].restricted) == (
        (Choice("lead", "Lead"), Choice("opportunity", "Opportunity")),
        True,
    )
    assert (fields["user_id"].refers_to, fields["name"].refers_to) == (("res.users",), ())
    assert (fields["name"].required, fields["create_date"].updatable, fields["name"].updatable) == (True, False, True)
