"""The same worlds give the same decisions through Odoo as through the CRM in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_odoo import ODOO
from test_three_crms import essence, in_a_file
from worlds import random_world

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.sync import associate

WORLDS = range(60)
SETTINGS = [
    Settings(regions=("FR",)),
    Settings(regions=("FR",), policy="primary_contact", windows_days=(0, 1, 60)),
]


def as_odoo_holds_it(world: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a world what Odoo has no place for; the file is then asked about the same world.

    - An opportunity names one partner: its contact, whose company is then its account, or the company itself.
    - A lead that is converted becomes the opportunity, and takes its contact's address: as a person it is gone.
    - A closing has a time: a bare day is its last second.
    """
    accounts = {person["id"]: person.get("account_id") for person in world["people"]}

    def opportunity(deal: dict[str, Any]) -> dict[str, Any]:
        contacts = deal["contact_ids"][:1]
        closed = deal["closed_at"]
        return {
            **deal,
            "contact_ids": contacts,
            "account_id": accounts[contacts[0]] if contacts else deal["account_id"],
            "closed_at": f"{closed}T23:59:59Z" if closed and len(closed) == len("2026-03-02") else closed,
        }

    return {
        **world,
        "people": [person for person in world["people"] if not person.get("converted_contact_id")],
        "opportunities": [opportunity(deal) for deal in world["opportunities"]],
    }


def decide(connection: Connection, back: dict[str, str], calls: list[Call]) -> list[list[dict[str, Any]]]:
    """Give what has to be the same everywhere, under each policy."""
    return [
        [in_order(essence(decision.to_json(), back)) for decision in associate(connection, calls, settings)]
        for settings in SETTINGS
    ]


def in_order(decision: dict[str, Any]) -> dict[str, Any]:
    """Sort what is excluded by the ids of the world: those of a real server gain a digit now and then."""
    candidates = sorted(decision["candidates"], key=lambda row: (row[2] is not None, row[0] if row[2] else ""))
    return {**decision, "candidates": candidates}


@pytest.mark.parametrize("seed", WORLDS)
def test_odoo_decides_like_the_file(seed: int, connect: Callable[..., Any]) -> None:
    """People, account, opportunity, tier, candidates and activity, under each policy that Odoo has."""
    random, raw = random_world(seed, portable=True)
    world = as_odoo_holds_it(random)
    calls = [Call.model_validate(call) for call in raw]
    with in_a_file(world) as (file, ids):
        expected = decide(file, ids, calls)
    account = connect(**world)
    back = {there: here for here, there in account.ids.items()}

    with bind(ODOO, dict(account.settings), ConnectionInfo("odoo", ("FR",))) as odoo:
        assert decide(odoo, back, calls) == expected
