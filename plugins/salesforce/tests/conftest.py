"""What the tests of the adapter share: an adapter bound to a sandbox over HTTP."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from connector_salesforce.adapter import SalesforceAdapter
from connector_salesforce.sandbox import SalesforceSandbox
from connector_salesforce.settings import SalesforceSettings

from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo
from connector_core.testing.server import SandboxServer


@dataclass
class Desk:
    """An adapter, the sandbox that it talks to, and the ids of the seed."""

    adapter: SalesforceAdapter
    url: str
    ids: dict[str, str]

    def post(self, path: str, body: Any) -> None:
        """Set faults, or change the organization."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - loopback
        with urllib.request.urlopen(request):  # noqa: S310 - loopback
            pass

    def get(self, path: str) -> Any:
        """Read what the sandbox tells of itself."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/{path}") as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def record(self, obj: str, record_id: str | None) -> dict[str, Any]:
        """Read one record."""
        found: dict[str, Any] = next(it for it in self.get("records")[obj] if it["Id"] == record_id)
        return found

    @property
    def api_calls(self) -> int:
        """What was spent of the quota."""
        return sum(entry["api_calls"] for entry in self.get("journal"))


Connect = Callable[..., Desk]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a desk for a world; ``settings`` go over those that the sandbox gives."""
    with ExitStack() as stack:

        def make(world: dict[str, Any], regions: tuple[str, ...] = ("FR",), zone: str = "UTC", **settings: Any) -> Desk:
            sandbox = SalesforceSandbox(parse_world(world))
            server = stack.enter_context(SandboxServer(sandbox).start())
            given = SalesforceSettings.model_validate(server.settings | settings)
            adapter = SalesforceAdapter(given, ConnectionInfo("test", regions, zone))
            adapter._client.policy.sleep = lambda seconds: None
            stack.callback(adapter.close)
            return Desk(adapter, server.url, sandbox.ids())

        yield make
