"""Reading and searching people and accounts in a sandbox, and the address of the form for a new one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from connector_core.model import FormFields, Unknown

WORLD = {
    "accounts": [{"id": "A1", "name": "Buyer & Sons"}, {"id": "A2", "name": "Buyer Old"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl O'Customer", "emails": ["carl@buyer.example"],
         "phones": ["06 12 34 56 78"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Carla Double", "emails": ["carla@buyer.example"]},
        {"kind": "contact", "id": "C3", "name": "Carlo Double"},
        {"kind": "lead", "id": "L1", "name": "Lea Lead", "emails": ["lea@buyer.example"], "converted_contact_id": "C1"},
    ],
}  # fmt: skip


def ids(desk: Any, found: Any) -> dict[str, list[str]]:
    """Show answers by the ids of the seed."""
    of_seed = {there: here for here, there in desk.ids.items()}
    return {of_seed.get(key, key): sorted(of_seed[it.id] for it in records) for key, records in found.items()}


def behind(desk: Any, obj: str, record: str, **change: Any) -> None:
    """Change a record as a person does: with ``delete``, or ``merge_into`` another one."""
    patch = {"object": obj, "id": desk.ids[record], "fields": {}, "delete": False, "merge_into": None, **change}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    desk.adapter.read_people([desk.ids["C1"]])


def test_people_are_read_by_id_in_one_call(connect: Any) -> None:
    """Contacts and leads come in one API call; one that was deleted, and what is no id, is gone."""
    desk = connect(WORLD)
    behind(desk, "Contact", "C3", delete=True)
    spent = desk.api_calls

    found = desk.adapter.read_people([*(desk.ids[key] for key in ("C1", "C3", "L1")), "none", "' OR Id != '"])

    assert ids(desk, found) == {"C1": ["C1"], "C3": [], "L1": ["L1"], "none": [], "' OR Id != '": []}
    assert found[desk.ids["C1"]][0].account.name == "Buyer & Sons"
    assert found[desk.ids["L1"]][0].converted_to.id == desk.ids["C1"]
    assert desk.api_calls - spent == 1


def test_a_short_id_is_answered_under_itself(connect: Any) -> None:
    """An id of 15 characters is one too, and its answer is found under it."""
    desk = connect(WORLD)
    short = desk.ids["C1"][:15]

    assert [it.id for it in desk.adapter.read_people([short])[short]] == [desk.ids["C1"]]


def test_a_merged_contact_is_answered_by_the_last_survivor(connect: Any) -> None:
    """However often its survivors were merged again, the id leads to who is there, in two API calls."""
    desk = connect(WORLD)
    behind(desk, "Contact", "C3", merge_into=desk.ids["C2"])
    behind(desk, "Contact", "C2", merge_into=desk.ids["C1"])
    spent = desk.api_calls

    found = desk.adapter.read_people([desk.ids["C3"], desk.ids["C2"]])

    assert ids(desk, found) == {"C2": ["C1"], "C3": ["C1"]}
    assert desk.api_calls - spent == 2


def test_a_merged_account_is_answered_by_its_survivor(connect: Any) -> None:
    """So is an account, and one whose survivor was deleted is gone."""
    desk = connect(WORLD)
    behind(desk, "Account", "A2", merge_into=desk.ids["A1"])
    assert ids(desk, desk.adapter.read_accounts([desk.ids["A2"]])) == {"A2": ["A1"]}

    behind(desk, "Account", "A1", delete=True)
    assert ids(desk, desk.adapter.read_accounts([desk.ids["A2"]])) == {"A2": []}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("carl", ["C1", "C2", "C3"]),
        ("double carla", ["C2"]),
        ("carla@buyer.example", ["C2"]),
        ("0612345678", ["C1"]),
        ("+33 6 12 34 56 78", ["C1"]),
        ("O'Cust", []),
        ("carl O'Customer", ["C1"]),
        ("lea or carl", []),
        ("%%%", []),
        ("}) OR {carl", []),
        ("c*rl", []),
    ],
)
def test_people_are_searched_by_words(connect: Any, text: str, found: list[str]) -> None:
    """Every word counts, by its beginning; signs and operators of a query are data."""
    desk = connect(WORLD)

    assert ids(desk, desk.adapter.search_people([text])) == {text: found}


def test_a_text_that_is_too_long_is_unknown(connect: Any) -> None:
    """A text that no search takes fails no other."""
    desk = connect(WORLD)
    found = desk.adapter.search_people(["x" * 2_000, "lea lead"])

    assert isinstance(found["x" * 2_000], Unknown)
    assert ids(desk, {"lea lead": found["lea lead"]}) == {"lea lead": ["L1"]}


def test_a_search_gives_fifty(connect: Any) -> None:
    """Of many that match fifty are given, in one API call a text."""
    desk = connect({"people": [{"kind": "contact", "id": f"C{it}", "name": f"Many {it}"} for it in range(60)]})

    assert len(desk.adapter.search_people(["many"])["many"]) == 50
    assert desk.api_calls == 1


def test_accounts_are_searched_by_name(connect: Any) -> None:
    """A word of the name finds the account, and no account is found by another field."""
    desk = connect(WORLD)

    assert ids(desk, desk.adapter.search_accounts(["sons", "example"])) == {"example": [], "sons": ["A1"]}


def test_the_form_is_filled_with_what_is_known(connect: Any) -> None:
    """Commas, blanks and ampersands of a value part nothing."""
    desk = connect({})
    known = FormFields("Dora de Daily, PhD", "dora+1@buyer.example", "+336", "001000000000001AAA")

    address = urlsplit(desk.adapter.form_address("contact", known))
    (values,) = parse_qs(address.query, strict_parsing=True)["defaultFieldValues"]

    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{desk.url}/lightning/o/Contact/new"
    assert {part.partition("=")[0]: unquote(part.partition("=")[2]) for part in values.split(",")} == {
        "FirstName": "Dora de Daily,",
        "LastName": "PhD",
        "Email": "dora+1@buyer.example",
        "Phone": "+336",
        "AccountId": "001000000000001AAA",
    }


def test_the_form_of_an_opportunity_has_a_name_and_an_account(connect: Any) -> None:
    """What an opportunity has no field for is left out, and a form without anything is empty."""
    desk = connect({})

    address = desk.adapter.form_address("opportunity", FormFields("Renewal", "dora@buyer.example"))
    assert address == f"{desk.url}/lightning/o/Opportunity/new?defaultFieldValues=Name%3DRenewal"
    assert desk.adapter.form_address("opportunity", FormFields()) == f"{desk.url}/lightning/o/Opportunity/new"
    assert desk.api_calls == 0
