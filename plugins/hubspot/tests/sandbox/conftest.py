"""A sandbox that is served over HTTP, and a bare client of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import urllib3
from connector_hubspot.sandbox import HubSpotSandbox
from connector_hubspot.sandbox.sign_in import ACCESS_TOKEN

from connector_core.crms.world import parse_world
from connector_core.testing.server import SandboxServer

WORLD = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}, {"id": "A2", "name": "Other SARL"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
    "people": [
        {
            "kind": "contact",
            "id": "C1",
            "name": "Carl Customer",
            "emails": ["Carl@buyer.example", "carl.private@mail.example"],
            "phones": ["+33 6 39 98 10 11"],
            "title": "CTO",
            "account_id": "A1",
        },
        {"kind": "contact", "id": "C2", "name": "Cora", "emails": ["cora@other.example"], "account_id": "A2"},
        {"kind": "lead", "id": "L1", "name": "Lea Lead", "converted_contact_id": "C1"},
    ],
    "opportunities": [
        {
            "id": "O1",
            "name": "Renewal",
            "account_id": "A1",
            "owner_id": "U1",
            "created_at": "2026-02-01T08:09:10Z",
            "contact_ids": ["C1"],
            "next_step": "Send the quote",
        }
    ],
    "activities": [
        {
            "id": "T1",
            "kind": "call",
            "call_id": "Aircall:18",
            "person_ids": ["C1"],
            "opportunity_id": "O1",
            "started_at": "2026-03-02T09:00:00Z",
            "duration_seconds": 1800,
            "title": "Hello",
            "owner_id": "U1",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; ``body`` is the JSON, or the text where it is none."""

    status: int
    body: Any
    headers: urllib3.HTTPHeaderDict


class Portal:
    """A client of a served sandbox."""

    def __init__(self, sandbox: HubSpotSandbox) -> None:
        self.sandbox = sandbox
        self.server = SandboxServer(sandbox).start()
        self.ids = sandbox.ids()
        self.token = ACCESS_TOKEN
        self._pool = urllib3.PoolManager(retries=False)

    def send(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request; bytes are sent as a form."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        response = self._pool.request(method, self.server.url + path, body=data, headers=headers)
        text = response.data.decode()
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        return Answer(response.status, value, response.headers)

    def get(self, path: str) -> Answer:
        """Read."""
        return self.send("GET", path)

    def post(self, path: str, body: object) -> Answer:
        """Send a body."""
        return self.send("POST", path, body)

    def search(self, kind: str, *filters: dict[str, Any], **rest: Any) -> Answer:
        """Search with one group of filters."""
        groups = {"filterGroups": [{"filters": list(filters)}]} if filters else {}
        return self.post(f"/crm/v3/objects/{kind}/search", {**groups, **rest})

    def contact(self, **properties: str) -> str:
        """Create a contact; give its id."""
        answer = self.post("/crm/v3/objects/contacts", {"properties": properties})
        assert answer.status == 201, answer.body
        return str(answer.body["id"])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules."""
        assert self.post("/_sandbox/faults", list(rules)).status == 200

    def org(self, **changes: Any) -> Answer:
        """Change the organization."""
        return self.post("/_sandbox/org", changes)

    def close(self) -> None:
        """Stop."""
        self._pool.clear()
        self.server.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Portal]]:
    """Serve sandboxes of given worlds; without one, of the usual one."""
    portals: list[Portal] = []

    def start(world: dict[str, Any] | None = None) -> Portal:
        portals.append(Portal(HubSpotSandbox(parse_world(WORLD if world is None else world))))
        return portals[-1]

    yield start
    for portal in portals:
        portal.close()


@pytest.fixture
def portal(serve: Callable[..., Portal]) -> Portal:
    """Serve a sandbox of the usual world."""
    return serve()
