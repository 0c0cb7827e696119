"""Reading contacts and companies by id, and searching them, in a sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from connector_core.model import Unknown

Connect = Callable[..., Any]
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer & Sons"}, {"id": "A2", "name": "Buyer Old"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl O'Customer", "emails": ["carl@x.example", "cc@y.example"],
         "phones": ["06 12 34 56 78"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Carla Double", "emails": ["carla@x.example"]},
        {"kind": "contact", "id": "C3", "name": "Carlo Double"},
    ],
}  # fmt: skip


def ids(account: Any, found: Any) -> dict[str, list[str]]:
    """Show answers by the ids of the seed."""
    of_seed = {account[key]: key for key in ("A1", "A2", "C1", "C2", "C3")}
    return {of_seed.get(key, key): sorted(of_seed[it.id] for it in records) for key, records in found.items()}


def behind(account: Any, obj: str, record: str, **change: Any) -> None:
    """Change a record as a person does: with ``delete``, or ``merge_into`` another one."""
    patch = {"object": obj, "id": account[record], "fields": {}, "delete": False, "merge_into": None, **change}
    account.faults({"times": 1, "do": {"patch": patch}})
    account.adapter.find_users_by_email(["nobody@x.example"])


def test_contacts_are_read_by_id(connect: Connect) -> None:
    """Those that are there come with their company; one that was deleted, and what is no id, is gone."""
    account = connect(**WORLD)
    behind(account, "contacts", "C3", delete=True)
    before = len(account.requests())

    found = account.adapter.read_people([account["C1"], account["C3"], "none"])

    assert ids(account, found) == {"C1": ["C1"], "C3": [], "none": []}
    assert found[account["C1"]][0].account.name == "Buyer & Sons"
    assert len(account.requests()) - before == 3


def test_a_merged_contact_is_answered_by_the_one_that_is_left(connect: Connect) -> None:
    """Both ids lead to the same contact."""
    account = connect(**WORLD)
    behind(account, "contacts", "C3", merge_into=account["C2"])

    assert ids(account, account.adapter.read_people([account["C2"], account["C3"]])) == {"C2": ["C2"], "C3": ["C2"]}


def test_two_contacts_that_became_a_third_are_answered_by_it(connect: Connect) -> None:
    """As HubSpot merges since 2025: what is left has an id of its own. A batch need not know the former ones."""
    account = connect(**WORLD)
    for former in ("C1", "C3"):
        account.sandbox.patch("contacts", account[former], {}, delete=False, merge_into=account["C2"])
    gone = {"category": "OBJECT_NOT_FOUND", "context": {"ids": [account["C1"], account["C3"]]}}
    answer = {"status": "COMPLETE", "results": [], "errors": [gone], "numErrors": 1}
    account.faults({"match": {"path": "*/contacts/batch/read"}, "times": 1, "do": {"status": 207, "body": answer}})

    assert ids(account, account.adapter.read_people([account["C1"], account["C3"]])) == {"C1": ["C2"], "C3": ["C2"]}


def test_a_merged_company_is_answered_by_the_one_that_is_left(connect: Connect) -> None:
    """So is a company, and one that was deleted is gone."""
    account = connect(**WORLD)
    behind(account, "companies", "A2", merge_into=account["A1"])
    assert ids(account, account.adapter.read_accounts([account["A2"]])) == {"A2": ["A1"]}

    behind(account, "companies", "A1", delete=True)
    assert ids(account, account.adapter.read_accounts([account["A1"], account["A2"]])) == {"A1": [], "A2": []}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("carl", ["C1", "C2", "C3"]),
        ("double carla", ["C2"]),
        ("carla@x.example", ["C2"]),
        ("cc@y.example", ["C1"]),
        ("0612345678", ["C1"]),
        ("+33 6 12 34 56 78", ["C1"]),
        ("carl o'customer", ["C1"]),
        ('{"x": 1}', []),
    ],
)
def test_contacts_are_searched_by_words(connect: Connect, text: str, found: list[str]) -> None:
    """Names, addresses and numbers are found, and what a text holds is data."""
    account = connect(**WORLD)

    assert ids(account, account.adapter.search_people([text])) == {text: found}


def test_a_text_that_is_too_long_is_unknown(connect: Connect) -> None:
    """A text that HubSpot does not take fails no other, and is not sent."""
    account = connect(**WORLD)
    found = account.adapter.search_people(["x" * 3_001, "carlo"])

    assert isinstance(found["x" * 3_001], Unknown)
    assert ids(account, {"carlo": found["carlo"]}) == {"carlo": ["C3"]}
    assert len(account.requests("search")) == 1


def test_a_search_gives_fifty(connect: Connect) -> None:
    """Of many that match fifty are given, in one request."""
    account = connect(people=[{"kind": "contact", "id": f"C{it}", "name": f"Many {it}"} for it in range(60)])

    assert len(account.adapter.search_people(["many"])["many"]) == 50
    assert len(account.requests()) == 1


def test_companies_are_searched_by_name(connect: Connect) -> None:
    """A word of the name finds the company."""
    account = connect(**WORLD)

    assert ids(account, account.adapter.search_accounts(["sons", "seller"])) == {"sons": ["A1"], "seller": []}
