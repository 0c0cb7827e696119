"""Setting properties of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot import HUBSPOT
from connector_hubspot.filling import text_of
from hypothesis import given
from hypothesis import strategies as st

from connector_core.model import RecordUpdate

Connect = Callable[..., Any]
CONTACT = {"kind": "contact", "id": "C", "name": "C", "title": "CTO"}


def filled(account: Any, *updates: RecordUpdate) -> dict[str, str]:
    """Fill, and give the outcome of every field of every record as ``id.field``."""
    receipts = account.adapter.fill_fields(updates)
    return {f"{key[1]}.{name}": it.outcome for key, fields in receipts.items() for name, it in fields.items()}


def test_values_of_every_type_are_set(connect: Connect) -> None:
    """Text, numbers, booleans and empty values arrive as HubSpot keeps them."""
    account = connect(people=[CONTACT], accounts=[{"id": "A"}])
    account.sandbox.org(
        {"properties": {"contacts": [{"name": "fan", "type": "bool"}, {"name": "score", "type": "number"}]}}
    )
    fields = {"city": "Paris", "score": 1e16, "fan": True, "jobtitle": None}
    assert set(filled(account, RecordUpdate("contacts", account["C"], fields)).values()) == {"sent"}
    properties = account.record("contacts", account["C"])["properties"]
    assert [properties.get(name) for name in fields] == ["Paris", "10000000000000000", "true", None]


def test_a_refused_field_keeps_no_other_from_being_sent(connect: Connect) -> None:
    """Unknown, read-only and wrong values are refused with their codes; the rest is set."""
    account = connect(accounts=[{"id": "A"}])
    fields = {"nope": "x", "hs_object_id": "1", "numberofemployees": "many", "type": "ENEMY", "city": "Paris"}
    receipts = account.adapter.fill_fields([RecordUpdate("companies", account["A"], fields)])
    assert {name: receipt.code for name, receipt in receipts["companies", account["A"]].items()} == {
        "nope": "PROPERTY_DOESNT_EXIST",
        "hs_object_id": "READ_ONLY_VALUE",
        "numberofemployees": "INVALID_NUMBER",
        "type": "INVALID_OPTION",
        "city": None,
    }
    assert account.record("companies", account["A"])["properties"]["city"] == "Paris"


@pytest.mark.parametrize(
    ("fields", "meaning"),
    [
        ({"nope": "x"}, "field_missing"),
        ({"hs_object_id": "1"}, "no_permission"),
        ({"city": "x" * 65_537}, "too_long"),
        ({"type": "ENEMY"}, "refused_value"),
        ({"name": "R2D2"}, "validation_rule"),
        ({"domain": "buyer.example"}, "too_long"),
    ],
)
def test_the_manifest_says_what_a_refusal_means(connect: Connect, fields: dict[str, Any], meaning: str) -> None:
    """By the code that stands in the receipt, a rule of the portal's administrator among them."""
    account = connect(accounts=[{"id": "A"}])
    account.sandbox.org({"rules": {"companies": {"name": {"regex": "[A-Z]+"}, "domain": {"max_length": 9}}}})
    receipts = account.adapter.fill_fields([RecordUpdate("companies", account["A"], fields)])

    assert [HUBSPOT.refusals.get(it.code) for it in receipts["companies", account["A"]].values()] == [meaning]


def test_a_refused_record_keeps_no_other_from_being_sent(connect: Connect) -> None:
    """A record that is gone, or none of HubSpot's, is refused alone."""
    account = connect(accounts=[{"id": "A"}, {"id": "B"}])
    account.sandbox.patch("companies", account["B"], {}, delete=True, merge_into=None)
    updates = [RecordUpdate("companies", key, {"city": "Paris"}) for key in (account["A"], account["B"], "001X")]
    assert list(filled(account, *updates).values()) == ["sent", "refused", "refused"]


def test_a_batch_that_is_refused_whole_is_cut_in_half(connect: Connect) -> None:
    """Where HubSpot does not say which record is to blame, the others are set all the same."""
    account = connect(accounts=[{"id": f"A{n}"} for n in range(8)])
    refusal = {"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}}
    account.faults({"match": {"path": "*/batch/update", "body": f"*{account['A3']}*"}, "do": refusal})
    outcomes = filled(account, *(RecordUpdate("companies", account[f"A{n}"], {"city": "Paris"}) for n in range(8)))
    assert [key for key, outcome in outcomes.items() if outcome != "sent"] == [f"{account['A3']}.city"]


def test_the_old_form_of_a_refusal_is_understood(connect: Connect) -> None:
    """Problems that stand as JSON inside the message, and nowhere else, name their fields."""
    account = connect(accounts=[{"id": "A"}])
    message = (
        'Property values were not valid: [{"isValid":false,"message":"no","error":"INVALID_OPTION","name":"type"}]'
    )
    refusal = {"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR", "message": message}}
    account.faults({"match": {"path": "*/batch/update", "body": '*"type"*'}, "do": refusal})
    outcomes = filled(account, RecordUpdate("companies", account["A"], {"type": "X", "city": "Paris"}))
    assert list(outcomes.values()) == ["refused", "sent"]


def test_many_records_take_a_request_for_each_hundred(connect: Connect) -> None:
    """A hundred and twenty companies and one contact are three requests."""
    account = connect(accounts=[{"id": f"A{n}"} for n in range(120)], people=[CONTACT])
    updates = [RecordUpdate("companies", account[f"A{n}"], {"city": "Paris"}) for n in range(120)]
    outcomes = filled(account, *updates, RecordUpdate("contacts", account["C"], {"city": "Paris"}))
    assert (set(outcomes.values()), len(account.requests("batch/update"))) == ({"sent"}, 3)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ({"status": 503}, "unknown"),
        ({"drop_after_commit": True}, "unknown"),
        ({"status": 429, "body": {"policyName": "DAILY"}}, "deferred"),
        ({"row_error": "LOCKED"}, "deferred"),
    ],
)
def test_what_was_not_answered_is_told(connect: Connect, fault: dict[str, Any], outcome: str) -> None:
    """What may have been set is unknown; what was surely not, deferred."""
    account = connect(accounts=[{"id": "A"}])
    account.faults({"match": {"path": "*/batch/update"}, "do": fault})
    assert list(filled(account, RecordUpdate("companies", account["A"], {"city": "Paris"})).values()) == [outcome]


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_written_in_digits(number: float) -> None:
    """A number is written without an exponent, and reads as itself."""
    text = text_of(number)
    assert (float(text) == float(number), set(text) <= set("-.0123456789")) == (True, True)
