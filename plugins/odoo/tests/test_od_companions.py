"""Reading and searching people and companies in a real Odoo, and the address of the form for a new one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector_core.model import FormFields, Unknown

Connect = Callable[..., Any]
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer & Sons"}, {"id": "A2", "name": "100% Buyer_Old\\"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl O'Customer", "emails": ["carl@x.example"],
         "phones": ["06 39 98 00 12"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Carla Double", "emails": ["carla@x.example"]},
        {"kind": "lead", "id": "L1", "name": "Lea Lead", "emails": ["lea@x.example"]},
    ],
    "opportunities": [
        {"id": "O1", "name": "Carla's renewal", "account_id": "A1", "created_at": "2026-02-01T08:00:00Z",
         "contact_ids": ["C2"]}
    ],
}  # fmt: skip


def ids(account: Any, found: Any) -> dict[str, list[str]]:
    """Show answers by the ids of the seed."""
    of_seed = {account[key]: key for key in account.ids}
    return {of_seed.get(key, key): sorted(of_seed[it.id] for it in records) for key, records in found.items()}


def test_contacts_and_leads_are_read_by_id(connect: Connect) -> None:
    """Each comes with what is told of it, in a request for each kind; companies and opportunities are nobody."""
    account = connect(**WORLD)

    found = account.adapter.read_people([*(account[key] for key in ("A1", "C1", "L1", "O1")), "partner:0", "none"])

    assert ids(account, found) == {"A1": [], "C1": ["C1"], "L1": ["L1"], "O1": [], "partner:0": [], "none": []}
    assert found[account["C1"]][0].account.name == "Buyer & Sons"
    assert len(account.sent) == 2


@pytest.mark.parametrize("changes", [{"active": False}, {"is_company": True}])
def test_who_is_archived_or_no_person_is_gone(connect: Connect, changes: dict[str, Any]) -> None:
    """By id, too, only people who are there are read."""
    account = connect(**WORLD)
    account.odoo.change("res.partner", "write", ids=[account.number("C2")], vals=changes)

    assert ids(account, account.adapter.read_people([account["C1"], account["C2"]])) == {"C1": ["C1"], "C2": []}


def test_a_merged_contact_is_gone(connect: Connect) -> None:
    """Odoo's own merge deletes the other contact, and says nowhere whom it became."""
    account = connect(**WORLD)
    numbers = [account.number("C1"), account.number("C2")]
    values = {"dst_partner_id": numbers[0], "partner_ids": [[6, 0, numbers]]}
    dialogue = account.odoo.create("base.partner.merge.automatic.wizard", [values], {})
    account.odoo.change("base.partner.merge.automatic.wizard", "action_merge", ids=dialogue)

    assert ids(account, account.adapter.read_people([account["C1"], account["C2"]])) == {"C1": ["C1"], "C2": []}


def test_companies_are_read_by_id(connect: Connect) -> None:
    """A contact is no account, in one request."""
    account = connect(**WORLD)

    found = account.adapter.read_accounts([account["A1"], account["A2"], account["C1"]])

    assert ids(account, found) == {"A1": ["A1"], "A2": ["A2"], "C1": []}
    assert len(account.sent) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("carl", ["C1", "C2"]),
        ("double carla", ["C2"]),
        ("CARLA@x.example", ["C2"]),
        ("0639980012", ["C1"]),
        ("+33 6 39 98 00 12", ["C1"]),
        ("o'customer", ["C1"]),
        ("lea lead", ["L1"]),
        ("renewal", []),
        ("%%%", []),
        ("___", []),
        ("car%a", []),
        ("\\\\\\", []),
        ("'; DROP", []),
    ],
)
def test_people_are_searched_by_words(connect: Connect, text: str, found: list[str]) -> None:
    """Every word counts, an opportunity with a contact is nobody, and signs of patterns are data."""
    account = connect(**WORLD)

    assert ids(account, account.adapter.search_people([text])) == {text: found}


def test_companies_are_searched_by_name(connect: Connect) -> None:
    """Also by signs of patterns, where a name has them."""
    account = connect(**WORLD)

    found = account.adapter.search_accounts(["sons", "00% buy", "r_old\\", "0_%", "carla"])

    assert ids(account, found) == {"sons": ["A1"], "00% buy": ["A2"], "r_old\\": ["A2"], "0_%": [], "carla": []}


def test_a_text_that_is_too_long_is_unknown(connect: Connect) -> None:
    """It fails no other, and is not sent."""
    account = connect(**WORLD)
    found = account.adapter.search_people(["x" * 501, "double"])

    assert isinstance(found["x" * 501], Unknown)
    assert ids(account, {"double": found["double"]}) == {"double": ["C2"]}
    assert len(account.sent) == 2


def test_the_form_is_empty(connect: Connect) -> None:
    """The address is that of Odoo's own form, whatever is known, and nothing is sent for it."""
    account = connect()
    addresses = [account.adapter.form_address(it, FormFields("Dora")) for it in ("contact", "opportunity")]

    base = account.settings["base_url"]
    assert addresses == [f"{base}/odoo/contacts/new", f"{base}/odoo/crm/new"]
    assert account.sent == []


def test_the_form_stands_where_odoo_has_its_actions(connect: Connect) -> None:
    """The paths of the addresses are those of actions for contacts and for opportunities."""
    account = connect()
    asked = {"domain": [["path", "in", ["contacts", "crm"]]], "fields": ["path"]}
    found = {it["path"] for it in account.odoo.read("ir.actions.actions", "search_read", **asked)}

    assert found == {"contacts", "crm"}
