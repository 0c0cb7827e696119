"""What the sandbox calculates from the phone numbers that were typed."""

from __future__ import annotations

from typing import Any

import pytest
from connector_hubspot.sandbox.phones import calculate


@pytest.mark.parametrize(
    ("typed", "region", "national", "international"),
    [
        ("+5511999999999", None, "11999999999", "5511999999999"),
        ("00004", None, "4", None),
        ("06 39 98 10 11", None, "639981011", None),
        ("06 39 98 10 11", "FR", "639981011", "33639981011"),
        ("0033 6 39 98 10 11", "FR", "639981011", "33639981011"),
        ("0033 6 39 98 10 11", None, "33639981011", None),
        ("+39 06 1234 5678", None, "0612345678", "390612345678"),
        ("(202) 555-0143 x12", "US", "2025550143", "12025550143"),
        ("+33 6 39 98 10 11", "US", "639981011", "33639981011"),
        ("ask Carl", None, None, None),
        ("", "FR", None, None),
    ],
)
def test_a_number_is_searchable_with_and_without_its_country(
    typed: str, region: str | None, national: str | None, international: str | None
) -> None:
    """The national form has no country code and no trunk zero; the international one is known only with a country."""
    found = calculate({"phone": typed}, region)
    assert (
        found["hs_searchable_calculated_phone_number"],
        found["hs_searchable_calculated_international_phone_number"],
        found["hs_calculated_phone_number"],
    ) == (national, international, international and f"+{international}")


def test_the_contacts_country_comes_before_the_portals(portal: Any) -> None:
    """A number is read under the country of its contact, else under that of the portal."""
    portal.org(default_country="US")
    name = "hs_calculated_mobile_number"
    numbers = [
        portal.post("/crm/v3/objects/contacts", {"properties": {"firstname": "x", **country, "mobilephone": typed}})
        for country, typed in (({"country": "FR"}, "06 39 98 10 11"), ({}, "(202) 555-0143"))
    ]
    assert [answer.body["properties"][name] for answer in numbers] == ["+33639981011", "+12025550143"]


def test_a_new_number_is_searchable_at_once(portal: Any) -> None:
    """What is calculated follows a change of the typed number."""
    path = f"/crm/v3/objects/contacts/{portal.ids['C1']}"
    portal.send("PATCH", path, {"properties": {"phone": "+12025550143"}})
    found = portal.get(f"{path}?properties=hs_searchable_calculated_phone_number").body["properties"]
    assert found["hs_searchable_calculated_phone_number"] == "2025550143"
