"""Amounts that name a currency, held against the one that the record's amounts are in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.filling.coercion import Coerced, Context, Refused, coerce, names_currency
from connector_core.filling.coercion.currency import currencies
from connector_core.model import FieldDescription

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
AMOUNT = FieldDescription("Amount", "Amount", "number", "currency")


def read(said: Any, currency: str | None) -> Coerced:
    """Read an amount where the record's are in a currency."""
    return coerce(said, AMOUNT, Context(NOON, currency=currency))


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ("5000 EUR", "EUR"),
        ("5 000 €", "EUR"),
        ("5000 euros", "EUR"),
        ("5 k€", "EUR"),
        ("5kEUR", "EUR"),
        ("$5000", "USD"),
        ("$5000", "CAD"),
        ("$5000", "MXN"),
        ("US$5000", "USD"),
        ("5000 $US", "USD"),
        ("5000 $CA", "CAD"),
        ("CA$ 5000", "CAD"),
        ("R$ 5000", "BRL"),
        ("5000 dollars", "AUD"),
        ("£5000", "GBP"),
        ("5000 pounds", "EGP"),
        ("5000 francs", "CHF"),
        ("5000 francs", "XOF"),
        ("Fr 5000", "CHF"),
        ("¥5000", "JPY"),
        ("¥5000", "CNY"),
        ("₹5000", "INR"),
        ("5000 SEK", "SEK"),
        ("$ 5000 CAD", "CAD"),
        ("5000", "EUR"),
        (5000, "EUR"),
        ("5 thousand", "EUR"),
    ],
)
def test_an_amount_in_the_currency_of_the_record_is_read(said: Any, currency: str) -> None:
    """By its code, its sign or a word; one that several currencies share may be any of them; one that names none is."""
    assert read(said, currency) == 5000


@pytest.mark.parametrize(
    ("said", "currency"),
    [
        ("5000 USD", "EUR"),
        ("$5000", "EUR"),
        ("5000 dollars", "EUR"),
        ("US$5000", "CAD"),
        ("CA$5000", "USD"),
        ("5000 $US", "AUD"),
        ("€5000", "USD"),
        ("5 k€", "USD"),
        ("£5000", "EUR"),
        ("5000 francs", "EUR"),
        ("¥5000", "KRW"),
        ("₹5000", "PKR"),
        ("5000 SEK", "NOK"),
        ("$ 5000 CAD", "USD"),
        ("$ 5000 EUR", "EUR"),
        ("৲5000", "INR"),
    ],
)
def test_an_amount_in_another_currency_is_refused(said: str, currency: str) -> None:
    """It is not converted, nor taken for one in the record's; two currencies at once, and unknown signs, are another one."""
    found = read(said, currency)

    assert isinstance(found, Refused)
    assert found.reason == "other_currency"


def test_both_currencies_are_told() -> None:
    """The refusal says what was said, in which currency, and which one was wanted."""
    assert read("5,000.00 USD", "EUR") == Refused(
        "other_currency", '"5,000.00 USD" is in USD, and the record in EUR; no amount is converted'
    )


def test_where_no_currency_is_known_the_number_is_read() -> None:
    """A CRM without currencies holds numbers."""
    assert read("5000 USD", None) == 5000


@pytest.mark.parametrize("said", ["50 ¢", "50¢"])
def test_cents_are_no_amount(said: str) -> None:
    """A hundredth is not taken for the whole."""
    found = read(said, "USD")

    assert isinstance(found, Refused)
    assert "no plain number" in found.detail


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("5000 EUR", True),
        (["$5"], True),
        ("US$5", True),
        ("5000", False),
        ("about 5000 EUR or so", False),
        ("EUR", False),
        ("5 km", False),
        ("x" * 200, False),
        (5000, False),
        (True, False),
        ([], False),
        (None, False),
    ],
)
def test_what_names_a_currency(said: Any, named: bool) -> None:
    """An amount with its currency, and nothing else."""
    assert names_currency(said) is named


@given(st.text(max_size=12))
def test_no_text_stops_the_reading(said: str) -> None:
    """Whatever stands there is answered, and what is refused for its currency names one."""
    found = read(said, "EUR")

    assert not isinstance(found, Refused) or found.reason != "other_currency" or names_currency(said)


def test_codes_are_those_of_iso_4217() -> None:
    """Each code stands for itself alone, and in small letters for none, where words are written so."""
    assert (currencies("TRY"), currencies("try"), currencies("usd")) == (frozenset({"TRY"}), None, frozenset({"USD"}))
