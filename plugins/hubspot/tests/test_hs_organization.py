"""The account of a sandbox: its time zone, its currency, and in which currency the amounts of records are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector_core.errors import TryAgainError
from connector_core.model import Organization


@pytest.fixture
def account(connect: Callable[..., Any]) -> Any:
    """An account without records."""
    return connect()


def currency_field(account: Any, name: str, obj: str = "deals") -> str | None:
    """Name the property that says in which currency a number is."""
    ((described,),) = account.adapter.describe_objects([obj]).values()
    found: str | None = described.fields[name].currency_field
    return found


def test_the_account_is_told(account: Any) -> None:
    """Its zone, and the company's currency."""
    account.sandbox.org({"time_zone": "US/Eastern", "currencies": ["CHF", "EUR"]})

    assert account.adapter.describe_organization() == Organization("US/Eastern", "CHF")


def test_another_answer_is_no_account(account: Any) -> None:
    """What is not told is not guessed."""
    account.faults({"match": {"path": "/account-info/*"}, "do": {"status": 200, "body": {}}})

    with pytest.raises(TryAgainError, match="does not describe the account"):
        account.adapter.describe_organization()


def test_a_deals_amount_is_in_the_deals_currency(account: Any) -> None:
    """And no other number is."""
    assert (currency_field(account, "amount"), currency_field(account, "num_associated_contacts")) == (
        "deal_currency_code",
        None,
    )


def test_an_amount_is_in_that_of_the_account_where_deals_have_none(account: Any) -> None:
    """The property is not shown."""
    account.sandbox.org({"hidden": {"deals": ["deal_currency_code"]}})

    assert currency_field(account, "amount") is None


@pytest.mark.parametrize(("told", "named"), [("deal_currency_code", "deal_currency_code"), ("", None), (None, None)])
def test_a_property_names_its_currency_itself(told: str | None, named: str | None, account: Any) -> None:
    """A property of the portal's own, where it says so; else it is in the account's."""
    account.sandbox.org({"properties": {"deals": [{"name": "margin", "type": "number", "currencyPropertyName": told}]}})

    assert currency_field(account, "margin") == named


def test_numbers_of_companies_are_in_the_currency_of_the_account(account: Any) -> None:
    """They name none."""
    assert currency_field(account, "annualrevenue", "companies") is None
