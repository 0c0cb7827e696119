"""The world of the contract: the small CRM in which every clause takes place.

::

    A1 Northwind Test          A2 Société d'Été & Fils          A3 Many Test
    ├── C3 Tina Twin ┐         ├── C1 Carla Client  ← L2 Lara   └── O101 … O205
    │   C4 Tom Twin  ┘ e-mail  │   ├── O1 open, of U1, T1 "contract:1"
    └── O3 of nobody           │   └── O2 closed on 20 February, also C3's
                               └── T7 event with C14 and C1
    without an account
    C2 Dora, two addresses · C5 Paul O'Plus, two look-alikes T3 and T4 · C6 … C10 numbers written in five ways
    C11, C12, C13 one number · C14 two numbers · L1 an open lead
    C101 … C155 nothing but names
    T2 written by a person · T5 "contract:Case" · T6 "other:1"

All are invented: addresses of ``example.com`` and ``example.net``, and numbers that France (06 39 98, 01 99 00) and North
America (555-01xx) keep free for fiction.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connector_core.crms.world import World, parse_world
from connector_core.manifest import CrmManifest

REGIONS = ("FR", "US")
"""The regions under which the numbers are read."""

MANY = tuple(f"O{number}" for number in range(101, 206))
"""The opportunities of A3: more than a service gives on a page."""

CROWD = tuple(f"C{number}" for number in range(101, 156))
"""People with a name and an address: more than a search box shows, or some services give on a page."""

_WORLD = Path(__file__).with_name("world.json")


def crowd_email(key: str) -> str:
    """Give the address of one of the crowd."""
    return f"crowd.{key.lower()}@example.com"


def contract_world(manifest: CrmManifest) -> World:
    """Give the world, without what a CRM cannot hold by its own word."""
    value = json.loads(_WORLD.read_text(encoding="utf-8"))
    value["opportunities"] += [
        {"id": key, "name": f"Deal {key}", "account_id": "A3", "created_at": "2026-01-07T10:00:00Z"} for key in MANY
    ]
    people = value["people"]
    people += [{"kind": "contact", "id": key, "name": f"Crowd {key}", "emails": [crowd_email(key)]} for key in CROWD]
    if "leads" not in manifest.traits:
        people[:] = [person for person in people if person["kind"] == "contact"]
    elif "converted_leads" in manifest.cannot_hold:
        people[:] = [person for person in people if "converted_contact_id" not in person]
    if "several_emails" in manifest.cannot_hold:
        _cut(people, "emails")
    if "several_phones" in manifest.cannot_hold:
        _cut(people, "phones")
    if "shared_opportunities" in manifest.cannot_hold:
        _cut(value["opportunities"], "contact_ids")
    if "shared_emails" in manifest.cannot_hold:
        next(person for person in people if person["id"] == "C4").pop("emails")
    return parse_world(value, source="the world of the contract")


def _cut(records: list[dict[str, Any]], name: str) -> None:
    for record in records:
        if name in record:
            record[name] = record[name][:1]
