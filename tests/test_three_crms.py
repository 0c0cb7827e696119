"""The same world and the same calls give the same decision through the CRM in a file and through each sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from worlds import random_world

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms.world import parse_world
from connector_core.discovery import crm
from connector_core.manifest import ConnectionInfo, load
from connector_core.model import Call
from connector_core.sync import associate
from connector_core.testing.server import SandboxServer

WORLDS = range(150)
SETTINGS = [
    Settings(regions=("FR",)),
    Settings(regions=("FR",), owner_filter=True),
    Settings(regions=("FR",), policy="primary_contact", windows_days=(0, 1, 60)),
]


@contextmanager
def in_a_file(world: dict[str, Any]) -> Iterator[tuple[Connection, dict[str, str]]]:
    """Hold a world in a file; its ids are those of the world."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "world.json"
        path.write_text(json.dumps(world), encoding="utf-8")
        with bind(crm("file"), {"path": path}, ConnectionInfo("file", ("FR",))) as connection:
            yield connection, {}


@contextmanager
def in_a_sandbox(name: str, world: dict[str, Any]) -> Iterator[tuple[Connection, dict[str, str]]]:
    """Hold a world in the sandbox of a CRM; give the way back from its ids to those of the world."""
    manifest = crm(name)
    sandbox = load(manifest.sandbox or "", of=name)(parse_world(world))
    back = {there: here for here, there in sandbox.ids().items()}
    with (
        SandboxServer(sandbox) as server,
        bind(manifest, sandbox.settings(server.url), ConnectionInfo(name, ("FR",))) as connection,
    ):
        yield connection, back


def essence(decision: dict[str, Any], back: dict[str, str]) -> dict[str, Any]:
    """What has to be the same everywhere: all that is no name of a record and no text."""

    def here(record: str | None) -> str | None:
        return back.get(record, record) if record is not None else None

    people = decision["people"]
    account, opportunity = decision["account"], decision["opportunity"]
    return {
        "call": decision["call_id"],
        "status": decision["status"],
        "case": decision["case"],
        "people": people and [who and (who["kind"], here(who["id"]), who["matched_by"]) for who in people],
        "also": sorted(here(who["id"]) or "" for who in decision["also"]),
        "account": account and (here(account["id"]), account["name"], account["from"]),
        "opportunity": opportunity and (here(opportunity["id"]), opportunity["tier"], opportunity["next_step"]),
        "activity": here(decision["activity_id"]),
        "candidates": [(here(row["id"]), row["tier"], row["excluded"]) for row in decision["candidates"]],
        "unmatched": [(who["participant"], who["reason"]) for who in decision["unmatched"]],
    }


def decide(opened: tuple[Connection, dict[str, str]], calls: list[Call]) -> list[list[dict[str, Any]]]:
    connection, back = opened
    return [
        [essence(decision.to_json(), back) for decision in associate(connection, calls, settings)]
        for settings in SETTINGS
    ]


@pytest.mark.parametrize(("name", "leads"), [("salesforce", True), ("hubspot", False)])
@pytest.mark.parametrize("seed", WORLDS)
def test_a_sandbox_decides_like_the_file(name: str, leads: bool, seed: int) -> None:
    """People, account, opportunity, tier, candidates and activity, under each policy."""
    world, raw = random_world(seed, portable=True, leads=leads)
    calls = [Call.model_validate(call) for call in raw]
    with in_a_file(world) as file:
        expected = decide(file, calls)
    with in_a_sandbox(name, world) as sandbox:
        assert decide(sandbox, calls) == expected
