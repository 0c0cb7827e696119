"""Listing opportunities in a real Odoo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

Connect = Callable[..., Any]
PEOPLE = [
    {"kind": "contact", "id": "C1", "name": "Carl", "account_id": "A1"},
    {"kind": "contact", "id": "C2", "name": "Carla", "account_id": "A1"},
    {"kind": "contact", "id": "C3", "name": "Fred"},
]
ACCOUNTS = [{"id": "A1", "name": "Buyer SA"}, {"id": "A2", "name": "Other SA"}]


def deal(key: str, **more: Any) -> dict[str, Any]:
    """Describe an opportunity."""
    return {"id": key, "name": key, "created_at": "2026-02-01T08:30:15Z", **more}


def world(*deals: dict[str, Any]) -> dict[str, Any]:
    """Describe a world of the people above."""
    users = [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}]
    return {"accounts": ACCOUNTS, "users": users, "people": PEOPLE, "opportunities": list(deals)}


def read(account: Any, key: str = "O1") -> Any:
    """Read one opportunity by its id."""
    return account.adapter.list_opportunities([], [], [account[key]], None).by_id[account[key]][0]


def ids(found: Any) -> list[str]:
    """Give the ids of what was found."""
    return sorted(opportunity.id for opportunity in found)


def test_an_opportunity_has_what_odoo_has(connect: Connect) -> None:
    """Name, creation, account, person, owner and the summary of the next activity are answered."""
    account = connect(**world(deal("O1", contact_ids=["C1"], owner_id="U1", next_step="Send the quote")))

    found = read(account)

    assert (found.name, found.next_step, found.closed_at) == ("O1", "Send the quote", None)
    assert found.created_at == dt.datetime(2026, 2, 1, 8, 30, 15, tzinfo=dt.UTC)
    assert (found.account.id, found.person_ids) == (account["A1"], (account["C1"],))
    assert (found.owner_id, found.owner_email) == (account["U1"], "ada@seller.example")


def test_people_accounts_and_ids_are_one_request(connect: Connect) -> None:
    """Each key has its own; an account has those of all its contacts and its own."""
    deals = [deal("O1", contact_ids=["C1"]), deal("O2", contact_ids=["C2"]), deal("O3", account_id="A1"), deal("O4")]
    account = connect(**world(*deals))

    found = account.adapter.list_opportunities(
        [account["C1"], account["C3"]], [account["A1"], account["A2"]], [account["O4"], "lead:999999"], None
    )

    assert {key: ids(of) for key, of in found.of_people.items()} == {account["C1"]: [account["O1"]], account["C3"]: []}
    wanted = sorted(account[key] for key in ("O1", "O2", "O3"))
    assert {key: ids(of) for key, of in found.of_accounts.items()} == {account["A1"]: wanted, account["A2"]: []}
    assert {key: ids(of) for key, of in found.by_id.items()} == {account["O4"]: [account["O4"]], "lead:999999": []}
    assert len(account.sent) == 1


@pytest.mark.parametrize("method", ["action_set_won", "action_set_lost"])
def test_what_was_won_or_lost_is_closed(connect: Connect, method: str) -> None:
    """Won by its stage, or lost and archived: both are found, and closed when Odoo says so."""
    account = connect(**world(deal("O1", contact_ids=["C1"])))
    account.odoo.change("crm.lead", method, ids=[account.number("O1")])

    closed = account.record("crm.lead", account["O1"], "date_closed")["date_closed"]

    assert read(account).closed_at == dt.datetime.fromisoformat(closed).replace(tzinfo=dt.UTC)


def test_an_expected_closing_is_none(connect: Connect) -> None:
    """A deadline in the past, and a probability of 0 or 100 alone, close nothing."""
    fields = {"date_deadline": "2026-01-01", "probability": 100}
    account = connect(**world(deal("O1", fields=fields)))
    lost_hope = {"probability": 0}
    open_still = read(account).closed_at
    account.odoo.change("crm.lead", "write", ids=[account.number("O1")], vals=lost_hope)

    assert (open_still, read(account).closed_at) == (None, None)


def test_what_is_opened_again_is_open(connect: Connect) -> None:
    """A lost opportunity that was restored is not closed, whatever is left of its dates."""
    account = connect(**world(deal("O1")))
    account.odoo.change("crm.lead", "action_set_lost", ids=[account.number("O1")])
    account.odoo.change("crm.lead", "action_unarchive", ids=[account.number("O1")])

    assert read(account).closed_at is None


def test_a_closing_that_was_imported_without_its_date_has_a_day(connect: Connect) -> None:
    """Where Odoo has no time of the closing, no more than a day is told."""
    account = connect(**world(deal("O1", closed_at="2026-02-20T15:00:00Z")))
    account.odoo.change("crm.lead", "write", ids=[account.number("O1")], vals={"date_closed": False})

    closed = read(account).closed_at

    assert type(closed) is dt.date


def test_what_closed_before_a_bound_is_left_out(connect: Connect) -> None:
    """With a bound, what closed before it is left out, and by id nothing is."""
    closed = deal("O1", contact_ids=["C1"], closed_at="2026-02-20T15:00:00Z")
    account = connect(**world(closed, deal("O2", contact_ids=["C1"])))
    march = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)

    found = account.adapter.list_opportunities([account["C1"]], [], [account["O1"]], march)

    assert ids(found.of_people[account["C1"]]) == [account["O2"]]
    assert ids(found.by_id[account["O1"]]) == [account["O1"]]


def test_a_converted_lead_is_an_opportunity_since_its_conversion(connect: Connect) -> None:
    """The same record: before, a person without opportunities; after, an opportunity of its contact."""
    account = connect(people=[*PEOPLE[2:], {"kind": "lead", "id": "L1", "name": "Lea", "emails": ["lea@x.example"]}])
    lead = account["L1"]
    before = account.adapter.list_opportunities([lead], [], [lead], None)
    account.convert("L1", account.number("C3"))
    after = account.adapter.list_opportunities([lead, account["C3"]], [], [lead], None)

    converted = account.record("crm.lead", lead, "date_conversion")["date_conversion"]

    assert (before.of_people, before.by_id) == ({lead: ()}, {lead: ()})
    assert [ids(of) for of in (after.of_people[lead], after.of_people[account["C3"]], after.by_id[lead])] == [
        [lead]
    ] * 3
    assert after.by_id[lead][0].created_at == dt.datetime.fromisoformat(converted).replace(tzinfo=dt.UTC)


def test_the_opportunities_of_a_converted_lead_are_its_contacts(connect: Connect) -> None:
    """Who still knows the lead by its id gets the opportunities of the contact that it is now."""
    account = connect(**{**world(deal("O1", contact_ids=["C3"])), "people": [*PEOPLE, {"kind": "lead", "id": "L1"}]})
    lead = account["L1"]
    account.convert("L1", account.number("C3"))

    found = account.adapter.list_opportunities([lead], [], [], None)

    assert ids(found.of_people[lead]) == sorted([lead, account["O1"]])


def test_an_archived_contact_is_gone_from_its_opportunity(connect: Connect) -> None:
    """A reference to what is archived counts as absent."""
    account = connect(**world(deal("O1", contact_ids=["C3"])))
    account.odoo.change("res.partner", "write", ids=[account.number("C3")], vals={"active": False})

    found = read(account)

    assert (found.person_ids, found.account) == ((), None)
