"""Reading properties of records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector_core.model import RecordFields, RecordUpdate, Unknown

Connect = Callable[..., Any]
CONTACT = {"kind": "contact", "id": "C", "name": "C", "title": "CTO"}


def read(account: Any, *asked: tuple[str, str, tuple[str, ...]]) -> list[Any]:
    """Read properties of records of the seed, in the order in which they are asked for."""
    ids = account.sandbox.ids()
    records = [RecordFields(obj, ids.get(seed, seed), names) for obj, seed, names in asked]
    found = account.adapter.read_fields(records)
    return [found[it.object, it.id] for it in records]


def test_an_object_is_a_request(connect: Connect) -> None:
    """Each record is told what was asked of it, with what is empty as None, whatever else is read beside."""
    account = connect(people=[CONTACT, {**CONTACT, "id": "D", "title": None}], accounts=[{"id": "A", "name": "Buyer"}])

    assert read(
        account,
        ("contacts", "C", ("jobtitle", "city")),
        ("contacts", "D", ("jobtitle",)),
        ("companies", "A", ("name",)),
    ) == [({"jobtitle": "CTO", "city": None},), ({"jobtitle": None},), ({"name": "Buyer"},)]
    assert account.requests() == [f"/crm/objects/2026-09/{name}/batch/read" for name in ("companies", "contacts")]


def test_two_hundred_records_are_two_requests(connect: Connect) -> None:
    """A request takes a hundred of them."""
    account = connect(accounts=[{"id": f"A{n}", "name": f"{n}"} for n in range(200)])
    found = read(account, *(("companies", f"A{n}", ("name",)) for n in range(200)))

    assert ([it[0]["name"] for it in found], len(account.requests())) == ([str(n) for n in range(200)], 2)


def test_what_is_not_there_or_hidden_is_left_out(connect: Connect) -> None:
    """It costs nothing, and is told again as soon as it is shown."""
    account = connect(people=[CONTACT])
    account.sandbox.org({"hidden": {"contacts": ["city"]}})

    assert read(account, ("contacts", "C", ("city", "jobtitle", "nope"))) == [({"jobtitle": "CTO"},)]
    account.sandbox.org({"hidden": {"contacts": []}})
    assert read(account, ("contacts", "C", ("city",))) == [({"city": None},)]
    assert len(account.requests()) == 2


def test_a_record_that_is_not_there_is_empty(connect: Connect) -> None:
    """Nobody's id, one that no record can have, one of a deleted record, and one of a record that was merged away."""
    account = connect(people=[CONTACT], accounts=[{"id": name, "name": name} for name in "ABD"])
    account.sandbox.patch("companies", account["B"], {}, delete=True, merge_into=None)
    account.sandbox.patch("companies", account["D"], {}, delete=True, merge_into=account["A"])

    asked = [("companies", key, ("name",)) for key in ("1", "001X", "B", "D", "A")]
    assert read(account, *asked, ("no/object", "A", ("name",))) == [(), (), (), (), ({"name": "A"},), ()]


def test_an_object_that_the_app_may_not_read_is_not_known(connect: Connect) -> None:
    """The missing scope is named, and records of other objects are read; so they are beside an object that is not there."""
    account = connect(people=[CONTACT], accounts=[{"id": "A", "name": "Buyer"}])
    account.sandbox.org({"missing_scopes": ["crm.objects.companies.read"]})

    contact, company, butterfly = read(
        account, ("contacts", "C", ("jobtitle",)), ("companies", "A", ("name",)), ("butterflies", "1", ("name",))
    )
    assert contact == ({"jobtitle": "CTO"},)
    assert isinstance(company, Unknown)
    assert "crm.objects.companies.read" in company.reason
    assert isinstance(butterfly, Unknown)


def test_values_come_as_hubspot_keeps_them(connect: Connect) -> None:
    """Whatever they are, they are text."""
    account = connect(opportunities=[{"id": "O", "created_at": "2026-03-02T09:00:00Z"}])
    given = {"amount": 1234.5, "closedate": "2026-03-31T09:00:00Z"}
    account.adapter.fill_fields([RecordUpdate("deals", account["O"], given)])

    ((told,),) = read(account, ("deals", "O", tuple(given)))
    assert told == {"amount": "1234.5", "closedate": "2026-03-31T09:00:00Z"}
