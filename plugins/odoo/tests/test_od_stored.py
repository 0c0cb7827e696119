"""Reading fields in a real Odoo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connector_core.model import RecordFields, RecordUpdate, Unknown

Connect = Callable[..., Any]
WORLD: dict[str, Any] = {
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "title": "CTO"},
        {"kind": "contact", "id": "C2", "name": "Carla"},
    ],
    "opportunities": [{"id": "O1", "name": "Deal", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]}],
}


def read(account: Any, *asked: tuple[str, str, tuple[str, ...]]) -> list[Any]:
    """Read fields of records of the seed, in the order in which they are asked for."""
    records = [RecordFields(model, account.ids.get(seed, seed), fields) for model, seed, fields in asked]
    found = account.adapter.read_fields(records)
    return [found[it.object, it.id] for it in records]


def test_fields_of_a_model_are_two_requests(connect: Connect) -> None:
    """What is empty is None, and no boolean is taken for it; a field that is not there is left out."""
    account = connect(**WORLD)
    fields = ("function", "is_company", "no_such_field", "parent_id")

    assert read(account, ("res.partner", "C1", fields), ("res.partner", "C2", ("function",))) == [
        ({"function": "CTO", "is_company": False, "parent_id": None},),
        ({"function": None},),
    ]
    assert account.sent == ["res.partner/fields_get", "res.partner/web_search_read"]


def test_values_come_as_they_were_filled(connect: Connect) -> None:
    """Texts, numbers, days and times do, and a link is the id of its record."""
    account = connect(**WORLD)
    given = {
        "name": "Renewal",
        "expected_revenue": 1234.5,
        "date_deadline": "2026-04-01",
        "date_closed": "2026-03-02T09:00:00Z",
    }
    account.adapter.fill_fields([RecordUpdate("crm.lead", account["O1"], given)])

    (told,) = read(account, ("crm.lead", "O1", (*given, "partner_id")))
    assert told == ({**given, "partner_id": account["C1"]},)


def test_a_time_is_read_in_utc(connect: Connect) -> None:
    """One that was filled with another offset is the same time."""
    account = connect(**WORLD)
    update = RecordUpdate("crm.lead", account["O1"], {"date_closed": "2026-03-02T11:00:00+02:00"})
    receipts = account.adapter.fill_fields([update])

    assert receipts["crm.lead", account["O1"]]["date_closed"].outcome == "sent"
    assert read(account, ("crm.lead", "O1", ("date_closed",))) == [({"date_closed": "2026-03-02T09:00:00Z"},)]


def test_a_record_that_is_not_there_is_empty(connect: Connect) -> None:
    """Nobody's id, and ids of other models."""
    account = connect(**WORLD)

    asked = [("res.partner", key, ("function",)) for key in ("partner:99999999", "O1", "x", "C1")]
    assert read(account, *asked) == [(), (), (), ({"function": "CTO"},)]


def test_an_archived_record_is_read(connect: Connect) -> None:
    """So lost opportunities are."""
    account = connect(**WORLD)
    account.odoo.change("crm.lead", "write", ids=[account.number("O1")], vals={"active": False})

    assert read(account, ("crm.lead", "O1", ("active",))) == [({"active": False},)]


def test_a_model_that_is_none_is_not_known_and_fails_no_other(connect: Connect) -> None:
    """A model that Odoo has not is told, and what is no model reaches no method."""
    account = connect(**WORLD)
    none, path, contact = read(
        account, ("no.such.model", "1", ("x",)), ("../x", "1", ("x",)), ("res.partner", "C1", ("function",))
    )

    assert isinstance(none, Unknown)
    assert (path, contact) == ((), ({"function": "CTO"},))
