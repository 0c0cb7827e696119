"""The organization of a sandbox: its time zone, its currency, and in which currency the amounts of records are."""

from __future__ import annotations

from typing import Any

import pytest

from connector_core.errors import TryAgainError
from connector_core.model import Organization


def fields(desk: Any, name: str) -> dict[str, str | None]:
    """Give of each field of an object the one that says its currency."""
    ((described,),) = desk.adapter.describe_objects([name]).values()
    return {field.name: field.currency_field for field in described.fields.values()}


def test_an_org_with_one_currency(connect: Any) -> None:
    """Both are told, in two API calls."""
    desk = connect({})
    desk.post("org", {"time_zone": "Europe/Paris", "currencies": ["CHF"]})

    assert desk.adapter.describe_organization() == Organization("Europe/Paris", "CHF")
    assert desk.api_calls == 2


def test_an_org_with_several_currencies_has_none_of_its_own(connect: Any) -> None:
    """Each record says its own."""
    desk = connect({})
    desk.post("org", {"currencies": ["EUR", "USD"]})

    assert desk.adapter.describe_organization() == Organization("UTC", None)


def test_a_time_zone_that_is_hidden_is_not_told(connect: Any) -> None:
    """The currency is, all the same."""
    desk = connect({})
    desk.post("org", {"hidden_fields": ["Organization.TimeZoneSidKey"]})

    assert desk.adapter.describe_organization() == Organization(None, "EUR")


@pytest.mark.parametrize("body", [{}, [], {"features": None}])
def test_another_answer_is_no_organization(body: Any, connect: Any) -> None:
    """What is not told is not guessed."""
    desk = connect({})
    desk.post("faults", [{"match": {"path": "*/connect/organization"}, "do": {"status": 200, "body": body}}])

    with pytest.raises(TryAgainError, match="what the organization has"):
        desk.adapter.describe_organization()


def test_amounts_name_the_currency_of_their_record_where_there_are_several(connect: Any) -> None:
    """Any number may be one, but for a percentage; nothing else is."""
    desk = connect({})
    desk.post("org", {"currencies": ["EUR", "USD"], "custom_fields": [
        {"object": "Opportunity", "name": "Seats__c", "type": "double"},
        {"object": "Opportunity", "name": "Discount__c", "type": "percent"},
    ]})  # fmt: skip
    found = fields(desk, "Opportunity")

    assert {it for it, own in found.items() if own == "CurrencyIsoCode"} >= {"Amount", "Seats__c"}
    assert {found[it] for it in ("Discount__c", "Name", "CloseDate", "CurrencyIsoCode")} == {None}


def test_amounts_name_no_currency_where_there_is_one_alone(connect: Any) -> None:
    """No object has the field."""
    assert set(fields(connect({}), "Opportunity").values()) == {None}
