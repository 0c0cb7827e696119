"""Filling fields in a real Odoo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_odoo import ODOO

from connector_core.model import RecordUpdate

Connect = Callable[..., Any]
WORLD: dict[str, Any] = {
    "people": [{"kind": "contact", "id": "C1", "name": "Carl", "title": "CTO"}, {"kind": "contact", "id": "C2"}],
    "opportunities": [{"id": "O1", "name": "Deal", "created_at": "2026-02-01T00:00:00Z"}],
}


def fill(account: Any, model: str, key: str, **fields: Any) -> dict[str, str]:
    """Fill fields of one record; give their outcomes."""
    receipts = account.adapter.fill_fields([RecordUpdate(model, key, fields)])[model, key]
    return {name: receipt.outcome for name, receipt in receipts.items()}


def test_values_are_sent(connect: Connect) -> None:
    """Texts, numbers and days arrive."""
    account = connect(**WORLD)
    given = {"name": "Renewal", "expected_revenue": 1234.5, "date_deadline": "2026-04-01"}

    assert fill(account, "crm.lead", account["O1"], **given) == dict.fromkeys(given, "sent")
    assert {**account.record("crm.lead", account["O1"], *given), **given} == account.record(
        "crm.lead", account["O1"], *given
    )


def test_a_link_is_the_connectors_id_or_the_number(connect: Connect) -> None:
    """Both lead to the record; a text with a colon stays one."""
    account = connect(**WORLD)
    one, other = account["C1"], account.number("C2")

    assert fill(account, "crm.lead", account["O1"], partner_id=one, referred="by: 7") == dict.fromkeys(
        ("partner_id", "referred"), "sent"
    )
    held = account.record("crm.lead", account["O1"], "partner_id", "referred")
    assert (held["partner_id"][0], held["referred"]) == (account.number("C1"), "by: 7")
    assert fill(account, "crm.lead", account["O1"], partner_id=other) == {"partner_id": "sent"}
    assert account.record("crm.lead", account["O1"], "partner_id")["partner_id"][0] == other


def test_none_clears(connect: Connect) -> None:
    """None empties a field."""
    account = connect(**WORLD)

    assert fill(account, "res.partner", account["C1"], function=None) == {"function": "sent"}
    assert account.record("res.partner", account["C1"], "function")["function"] is False


def test_an_id_may_be_odoos_own(connect: Connect) -> None:
    """The number alone is an id too, as templates that know Odoo write it."""
    account = connect(**WORLD)

    assert fill(account, "res.partner", str(account.number("C1")), function="CEO") == {"function": "sent"}


@pytest.mark.parametrize(
    ("field", "value", "meaning"),
    [
        ("no_such_field", 1, "field_missing"),
        ("date_deadline", "no date", "refused_value"),
        ("probability", 300, "validation_rule"),
        ("type", "zzz", "refused_value"),
    ],
)
def test_a_field_that_is_refused_keeps_no_other_back(connect: Connect, field: str, value: Any, meaning: str) -> None:
    """Unknown fields, wrong values and broken rules are blamed on their field, with a reason; the rest is sent."""
    account = connect(**WORLD)
    update = RecordUpdate("crm.lead", account["O1"], {"name": "Renewal", field: value, "referred": "Fred"})

    receipts = account.adapter.fill_fields([update])["crm.lead", account["O1"]]

    outcomes = {name: receipt.outcome for name, receipt in receipts.items()}
    assert outcomes == {"name": "sent", field: "refused", "referred": "sent"}
    assert receipts[field].reason
    assert ODOO.refusals.get(receipts[field].code or "") == meaning


def test_a_record_that_is_gone_is_refused_alone(connect: Connect) -> None:
    """What is not there, and ids of other models, are refused; the rest of the batch is sent."""
    account = connect(**WORLD)
    keys = [account["C1"], "partner:99999999", account["O1"], "x", account["C2"]]
    updates = [RecordUpdate("res.partner", key, {"function": "CEO"}) for key in keys]

    receipts = account.adapter.fill_fields(updates)

    assert [receipts["res.partner", key]["function"].outcome for key in keys] == ["sent", *["refused"] * 3, "sent"]


@pytest.mark.parametrize("model", ["no.such.model", "../x", "res.partner/unlink"])
def test_a_model_that_is_none_is_refused(connect: Connect, model: str) -> None:
    """An object that Odoo has not is refused for each of its fields, and reaches no other method."""
    account = connect(**WORLD)

    assert fill(account, model, "1", function="CEO") == {"function": "refused"}


def test_a_number_that_json_has_not_is_refused(connect: Connect) -> None:
    """Infinity is sent nowhere."""
    account = connect(**WORLD)

    assert fill(account, "crm.lead", account["O1"], expected_revenue=float("inf")) == {"expected_revenue": "refused"}
    assert account.sent == []


def test_a_hundred_records_are_one_request(connect: Connect) -> None:
    """Records with different values are sent together."""
    people = [{"kind": "contact", "id": f"C{number}", "name": f"C{number}"} for number in range(100)]
    account = connect(people=people)
    updates = [RecordUpdate("res.partner", account[it["id"]], {"function": it["id"]}) for it in people]

    receipts = account.adapter.fill_fields(updates)

    assert {receipt["function"].outcome for receipt in receipts.values()} == {"sent"}
    assert account.sent == ["res.partner/web_save_multi"]
    assert account.record("res.partner", account["C42"], "function")["function"] == "C42"
