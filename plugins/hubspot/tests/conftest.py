"""A HubSpot account on this machine, and a connection to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from connector_hubspot.adapter import HubSpotAdapter
from connector_hubspot.sandbox import HubSpotSandbox
from connector_hubspot.settings import HubSpotSettings

from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo
from connector_core.testing.server import SandboxServer


class Account:
    """A sandbox that is served, and an adapter that speaks to it."""

    def __init__(self, world: Mapping[str, Any], regions: tuple[str, ...], settings: Mapping[str, Any]) -> None:
        self.sandbox = HubSpotSandbox(parse_world(world))
        self.server = SandboxServer(self.sandbox).start()
        self.adapter = HubSpotAdapter(
            HubSpotSettings.model_validate({**self.server.settings, **settings}),
            ConnectionInfo("test", regions, "Europe/Paris"),
        )

    def __getitem__(self, seed_id: str) -> str:
        """Give HubSpot's id of a record of the seed."""
        return self.sandbox.ids()[seed_id]

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Replace the fault rules."""
        self.server._set_faults(list(rules))

    def requests(self, part: str = "") -> list[str]:
        """Give the paths that were served, those of tokens left out."""
        return [
            str(entry["path"])
            for entry in self.server._journal
            if part in str(entry["path"]) and "/oauth/" not in str(entry["path"])
        ]

    def record(self, obj: str, record_id: str | None) -> dict[str, Any]:
        """Give a record as the sandbox holds it."""
        return next(record for record in self.sandbox.records()[obj] if record["id"] == record_id)

    def linked(self, obj: str, record_id: str | None) -> dict[str, list[str]]:
        """Give the ids that a record is associated with, by object."""
        bonds = self.record(obj, record_id)["associations"]
        return {name: sorted({item["id"] for item in bonds[name]["results"]}) for name in bonds}

    def close(self) -> None:
        """Stop both."""
        self.adapter.close()
        self.server.close()


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Account]]:
    """Serve a world, and connect to it; waiting takes no time."""
    monkeypatch.setattr("connector_core.policy.wait", lambda _: None)
    accounts: list[Account] = []

    def connected(
        regions: tuple[str, ...] = ("FR",), settings: Mapping[str, Any] | None = None, **world: Any
    ) -> Account:
        accounts.append(Account(world, regions, settings or {}))
        return accounts[-1]

    yield connected
    for account in accounts:
        account.close()
