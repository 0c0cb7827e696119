"""Users who may own activities: learned beside another question where the org is small."""

from __future__ import annotations

from typing import Any

import pytest

USERS = [{"id": "U1", "email": "Ada@seller.example"}, {"id": "U2", "email": "bob@seller.example"}]


def test_the_users_of_a_small_org_cost_no_request_of_their_own(connect: Any) -> None:
    """They come with the opportunities; who is none of them is known too."""
    desk = connect({"users": USERS})
    desk.adapter.list_opportunities(["003000000000001AAA"], [], [], None)
    before = desk.api_calls
    found = desk.adapter.find_users_by_email(["ada@seller.example", "no@seller.example"])

    assert ([user.id for user in found["ada@seller.example"]], found["no@seller.example"]) == ([desk.ids["U1"]], ())
    assert desk.api_calls == before


def test_the_users_of_a_large_org_are_asked_by_email(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was cut short says nothing about who is not in it."""
    monkeypatch.setattr("connector_salesforce.users.MOST", 1)
    desk = connect({"users": USERS})
    desk.adapter.list_opportunities(["003000000000001AAA"], [], [], None)
    found = desk.adapter.find_users_by_email(["bob@seller.example"])

    assert [user.id for user in found["bob@seller.example"]] == [desk.ids["U2"]]


def test_opportunities_are_listed_though_users_cannot_be_seen(connect: Any) -> None:
    """What is carried along for later never makes the question itself fail."""
    world = {
        "people": [{"kind": "contact", "id": "C1", "name": "Carl"}],
        "opportunities": [{"id": "O1", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]}],
    }
    desk = connect(world)
    desk.post("org", {"missing_rights": {"User": ["read"]}})
    found = desk.adapter.list_opportunities([desk.ids["C1"]], [], [], None)

    assert [deal.id for deal in found.of_people[desk.ids["C1"]]] == [desk.ids["O1"]]


@pytest.mark.parametrize("small", [True, False])
def test_who_has_a_user_of_a_portal_too_acts_as_the_companys_own(connect: Any, small: bool) -> None:
    """Both have the address, and the one of the portal is the older: it does not own what is written."""
    twice = [{"id": "U1", "email": "ada@seller.example"}, {"id": "U2", "email": "ada@seller.example"}]
    desk = connect({"users": twice})
    fields = {"UserType": "PowerPartner"}
    patch = {"object": "User", "id": desk.ids["U1"], "fields": fields, "delete": False, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
    if small:
        desk.adapter.list_opportunities(["003000000000001AAA"], [], [], None)
    found = desk.adapter.find_users_by_email(["ada@seller.example"])["ada@seller.example"]

    assert {user.id: user.active for user in found} == {desk.ids["U1"]: False, desk.ids["U2"]: True}
