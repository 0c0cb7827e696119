"""Amounts that name their currency, filled into the CRM: what is in another one than the record is never written."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fill_office import USER, FillOffice, fill_office, said

from connector_core.filler.trying import try_out
from connector_core.filling.templates import Template

AMOUNT = {"key": "amount", "object": "opportunity", "field": "opportunity.amount", "patterns": ["amount: (.+)"]}
OWN = {"salesforce": "CurrencyIsoCode", "hubspot": "deal_currency_code"}
CURRENCY = {"key": "currency", "object": "opportunity", "overwrite": "always", "patterns": ["currency: (.+)"]}
TELLS = {"salesforce": "*/connect/organization", "hubspot": "/account-info/*"}
COSTS = {"salesforce": 2, "hubspot": 1}
"""Requests that tell the organization's currency."""
FOREIGN = ("other", "other_currency")
PEOPLE = [{"kind": "contact", "id": f"C{it}", "name": f"G {it}", "emails": [f"g{it}@buyer.example"]} for it in range(9)]
DEALS = [
    {"id": f"O{it}", "name": f"Deal {it}", "created_at": "2026-02-01T00:00:00Z", "contact_ids": [f"C{it}"]}
    for it in range(9)
]


@pytest.fixture(params=["salesforce", "hubspot"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on each service, whose organization's currency is the euro."""
    with fill_office(request.param, tmp_path) as opened:
        opened.publish(AMOUNT)
        yield opened


def org(at: FillOffice, **changes: Any) -> None:
    """Change the organization, as an administrator would."""
    assert at.at.sandbox is not None
    at.at.sandbox.org(changes)


def own(at: FillOffice) -> str:
    """Name the field that says in which currency an opportunity is."""
    return OWN[at.at.config.crm]


def in_dollars(at: FillOffice) -> None:
    """Let the organization have two currencies, and the opportunity be in the other one."""
    org(at, currencies=["EUR", "USD"])
    at.edit("USD", own(at))


def amount(at: FillOffice) -> float | None:
    """Give the amount that the opportunity has."""
    value = at.value("opportunity.amount")
    return None if value in (None, "") else float(value)


def asked(at: FillOffice) -> int:
    """Count the requests so far."""
    assert at.at.server is not None
    return len(at.at.server._journal)


def test_an_amount_in_another_currency_is_not_written(at: FillOffice) -> None:
    """The outcome says so, with both currencies, and the field stays as it is."""
    at.hear(said("amount: 5000 USD"))
    (row,) = at.rows()

    assert (at.outcome(key="amount"), amount(at)) == (FOREIGN, None)
    assert row.detail == '"5000 USD" is in USD, and the record in EUR; no amount is converted'


@pytest.mark.parametrize("text", ["5 000 €", "5000 EUR", "5000"])
def test_an_amount_in_the_currency_of_the_organization_is_written(text: str, at: FillOffice) -> None:
    """And so is one that names none."""
    at.hear(said(f"amount: {text}"))

    assert (at.outcome(key="amount"), amount(at)) == (("sent", None), 5000)


@pytest.mark.parametrize(("text", "written"), [("$5000", True), ("5000 USD", True), ("5000", True), ("5000 €", False)])
def test_the_currency_of_the_record_goes_before_that_of_the_organization(
    text: str, written: bool, at: FillOffice
) -> None:
    """Where there are several."""
    in_dollars(at)
    at.hear(said(f"amount: {text}"))

    assert (at.outcome(key="amount"), amount(at)) == ((("sent", None), 5000) if written else (FOREIGN, None))


def test_a_deal_that_names_no_currency_is_in_that_of_the_account(tmp_path: Path) -> None:
    """HubSpot knows deals without a code."""
    with fill_office("hubspot", tmp_path) as at:
        at.publish(AMOUNT)
        org(at, currencies=["USD", "EUR"])
        at.hear(said("amount: 5000 €"), said("amount: $6000", 2))

        assert [at.outcome(it, "amount") for it in ("x:1", "x:2")] == [FOREIGN, ("sent", None)]


def test_an_amount_waits_for_the_currency_that_its_record_is_to_get(
    at: FillOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is held against what the CRM took, not against what was sent: the CRM may refuse it."""
    org(at, currencies=["EUR", "USD"])
    at.publish(AMOUNT, {**CURRENCY, "field": own(at)})
    at.hear(said("amount: 5000 USD\ncurrency: USD"))
    first = (at.outcome(key="currency"), at.outcome(key="amount"), amount(at))
    monkeypatch.setattr(at.at.ledger.database, "_clock", lambda: time.time() + 3600.0)
    at.filler.run()

    assert first == (("sent", None), ("other", "unknown_outcome"), None)
    assert (at.outcome(key="amount"), amount(at)) == (("sent", None), 5000)


def test_a_currency_that_the_crm_refuses_lets_no_amount_in(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record stays in euros, and dollars are kept out of it."""
    org(at, currencies=["EUR", "USD"])
    at.publish(AMOUNT, {**CURRENCY, "field": own(at)})
    rule = {"object": "Opportunity", "name": "No_dollars", "message": "Euros alone.", "field": "CurrencyIsoCode",
            "when": {"field": "CurrencyIsoCode", "equals": "USD"}}  # fmt: skip
    rules: dict[str, Any] = {
        "salesforce": {"validation_rules": [rule]},
        "hubspot": {"rules": {"deals": {"deal_currency_code": {"regex": "EUR"}}}},
    }
    org(at, **rules[at.at.config.crm])
    at.hear(said("amount: 5000 USD\ncurrency: USD"))
    monkeypatch.setattr(at.at.ledger.database, "_clock", lambda: time.time() + 3600.0)
    at.filler.run()

    assert (at.outcome(key="currency"), at.outcome(key="amount")) == (("other", "validation_rule"), FOREIGN)
    assert amount(at) is None


def test_a_value_that_somebody_gives_is_held_against_the_currency_too(at: FillOffice) -> None:
    """By hand like by an extractor; in the record's own it is sent."""
    at.hear(said("nothing about money"))
    at.desk.give(USER, "x:1", {"t.amount": "5000 USD"})
    at.filler.run()
    dollars = at.outcome(key="amount")
    at.desk.give(USER, "x:1", {"t.amount": "4600 EUR"})
    at.filler.run()

    assert (dollars, at.outcome(key="amount"), amount(at)) == (FOREIGN, ("sent", None), 4600)


def test_what_was_sent_stays_when_another_currency_is_named_later(at: FillOffice) -> None:
    """The CRM has what was found before; what was found since is told as kept out."""
    at.hear(said("amount: 5000 EUR"))
    at.hear(said("amount: 7000 USD"))
    (row,) = at.rows()

    assert (at.outcome(key="amount"), amount(at)) == (("sent", None), 5000)
    assert "was kept out" in (row.detail or "")
    assert "USD" in (row.detail or "")


def test_an_organization_that_is_not_told_lets_no_currency_through(at: FillOffice) -> None:
    """The amount that names one waits, and the one that names none is written."""
    assert at.at.server is not None
    body: Any = [{"errorCode": "INSUFFICIENT_ACCESS", "message": "no"}] if at.at.config.crm == "salesforce" else {}
    at.at.server._set_faults([{"match": {"path": TELLS[at.at.config.crm]}, "do": {"status": 403, "body": body}}])
    at.hear(said("amount: 5000 EUR"), said("amount: 6000", 2))

    assert [at.outcome(it, "amount") for it in ("x:1", "x:2")] == [("other", "unknown_outcome"), ("sent", None)]


@pytest.mark.parametrize("crm", OWN)
def test_the_organization_is_asked_once_and_only_where_a_currency_is_named(crm: str, tmp_path: Path) -> None:
    """Nine amounts cost what nine texts do; that they name a currency costs the organization's, once."""
    costs = []
    with fill_office(crm, tmp_path, people=PEOPLE, opportunities=DEALS) as at:
        at.publish(AMOUNT)
        for run, unit in enumerate(("", " EUR", " EUR")):
            calls = [
                said(f"amount: {5000 + run}{unit}", 10 * run + it + 1, started_at=f"2026-03-{2 + run:02}T0{it}:00:00Z",
                     participants=[{"is_user": False, "emails": [f"g{it}@buyer.example"]}])
                for it in range(9)
            ]  # fmt: skip
            list(at.at.sync(*calls))
            before = asked(at)
            at.filler.run()
            costs.append(asked(at) - before)
        done = {at.outcome(f"x:{it + 1}", "amount") for it in range(29) if it % 10 != 9}

    assert done == {("sent", None)}
    assert costs[1] - costs[2] == COSTS[crm]


def test_a_currency_that_is_hidden_lets_no_other_through(tmp_path: Path) -> None:
    """What a record is in cannot be told, so nothing that names a currency is written; the outcome says why."""
    with fill_office("salesforce", tmp_path) as at:
        at.publish(AMOUNT)
        in_dollars(at)
        at.hear(said("nothing"))
        org(at, hidden_fields=["Opportunity.CurrencyIsoCode"])
        at.desk.give(USER, "x:1", {"t.amount": "5000 USD"})
        at.filler.run()
        (row,) = at.rows()

        assert (at.outcome(key="amount"), "hides CurrencyIsoCode" in (row.detail or "")) == (FOREIGN, True)


def test_a_template_that_is_tried_tells_it_before(at: FillOffice) -> None:
    """Against the organization's currency, where there is one alone."""
    org(at, currencies=["EUR"])
    template = Template.model_validate(
        {"id": "t", "name": "A template", "fields": [{**AMOUNT, "field": at.name("opportunity.amount")}]}
    )
    names = at.opened.connection.manifest.names
    objects = at.opened.connection.describe_objects([names["opportunity"]])
    (item,) = try_out(at.opened, template, {"opportunity": objects[names["opportunity"]]}, said("amount: $5000")).items

    found = (item.row.outcome, item.row.reason) if item.ended else None
    assert found == (FOREIGN if at.at.config.crm == "salesforce" else None)  # a deal may have a currency of its own
