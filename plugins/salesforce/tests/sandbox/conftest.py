"""A sandbox on loopback, and a plain HTTP client for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from connector_salesforce.sandbox import SalesforceSandbox

from connector_core.crms.world import parse_world
from connector_core.testing.server import SandboxServer

VERSION = "v66.0"
RECORDED = Path(__file__).resolve().parents[5] / "shared" / "recorded"

WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}, {"id": "A2", "name": "Other SA"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
    "people": [
        {
            "kind": "contact",
            "id": "C1",
            "name": "Carl Customer",
            "emails": ["carl@buyer.example"],
            "phones": ["06 12 34 56 78"],
            "title": "CTO",
            "account_id": "A1",
        },
        {"kind": "contact", "id": "C2", "name": "Dora Customer", "emails": ["dora@buyer.example"], "account_id": "A2"},
        {
            "kind": "lead",
            "id": "L1",
            "name": "Lea Lead",
            "emails": ["lea@lead.example"],
            "phones": ["+33 1 99 00 41 20"],
        },
        {"kind": "lead", "id": "L2", "name": "Leo Lead", "converted_contact_id": "C1"},
    ],
    "opportunities": [
        {
            "id": "O1",
            "name": "Renewal",
            "account_id": "A1",
            "owner_id": "U1",
            "created_at": "2026-02-01T10:11:12Z",
            "contact_ids": ["C1", "C2"],
            "next_step": "Send the quote",
        }
    ],
    "activities": [
        {
            "id": "T1",
            "kind": "call",
            "call_id": "test:1",
            "person_ids": ["C1"],
            "started_at": "2026-03-02T09:00:00Z",
            "duration_seconds": 1800,
            "title": "First call",
        },
        {
            "id": "E1",
            "kind": "meeting",
            "person_ids": ["C1", "C2"],
            "opportunity_id": "O1",
            "started_at": "2026-03-03T09:00:00Z",
            "duration_seconds": 1800,
        },
    ],
}


class Client:
    """Speaks to one sandbox, signed in."""

    def __init__(self, server: SandboxServer, sandbox: SalesforceSandbox) -> None:
        self.url, self.ids = server.url, sandbox.ids()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {server.settings['access_token']}"

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Send a request below the version, or to an absolute path."""
        address = path if path.startswith("/") else f"/services/data/{VERSION}/{path}"
        return self.session.request(method, self.url + address, json=body, timeout=10, **options)

    def query(self, soql: str, **options: Any) -> Any:
        """Give the body of a query's answer."""
        return self.send("GET", "query/", params={"q": soql}, **options).json()

    def rows(self, soql: str) -> list[dict[str, Any]]:
        """Give the records of a query, without their attributes."""
        body = self.query(soql)
        assert isinstance(body, dict), body
        return [{key: value for key, value in row.items() if key != "attributes"} for row in body["records"]]

    def read(self, obj: str, record_id: str, fields: str) -> dict[str, Any]:
        """Give fields of one record."""
        return self.rows(f"SELECT {fields} FROM {obj} WHERE Id = '{record_id}'")[0]  # noqa: S608 - a test's own

    def create(self, obj: str, **fields: Any) -> Any:
        """Create a record as a row of a collection, and give the row's result."""
        record = {"attributes": {"type": obj}, **fields}
        return self.send("POST", "composite/sobjects", {"records": [record]}).json()[0]

    def change(self, obj: str, record_id: str, **fields: Any) -> Any:
        """Change a record as a row of a collection, and give the row's result."""
        record = {"attributes": {"type": obj}, "id": record_id, **fields}
        return self.send("PATCH", "composite/sobjects", {"records": [record]}).json()[0]

    def composite(self, *requests: dict[str, Any], **options: Any) -> list[Any]:
        """Send subrequests, and give what is answered to each."""
        parts = [
            {"method": "GET", "referenceId": f"r{index}", **part, "url": f"/services/data/{VERSION}/{part['url']}"}
            for index, part in enumerate(requests)
        ]
        answer = self.send("POST", "composite", {"compositeRequest": parts, **options}).json()
        assert isinstance(answer, dict), answer
        return list(answer["compositeResponse"])

    def faults(self, *rules: dict[str, Any]) -> None:
        """Set the fault rules."""
        self.send("POST", "/_sandbox/faults", list(rules)).raise_for_status()

    def org(self, **changes: Any) -> requests.Response:
        """Change the organization."""
        return self.send("POST", "/_sandbox/org", changes)

    def records(self, obj: str) -> list[dict[str, Any]]:
        """Give what the sandbox holds of an object."""
        return list(self.send("GET", "/_sandbox/records").json()[obj])


Serve = Callable[[dict[str, Any]], Client]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve worlds, each in a sandbox of its own."""
    with ExitStack() as stack:

        def start(world: dict[str, Any]) -> Client:
            sandbox = SalesforceSandbox(parse_world(world))
            client = Client(stack.enter_context(SandboxServer(sandbox)), sandbox)
            stack.callback(client.session.close)
            return client

        yield start


@pytest.fixture
def client(serve: Serve) -> Client:
    """Give a client of a small world."""
    return serve(WORLD)


@pytest.fixture
def bodies() -> Callable[[str], Any]:
    """Read a body that the real service answered, by its name."""

    def read(name: str) -> Any:
        path = RECORDED / "bodies" / "salesforce" / f"{name}.json"
        if not path.is_file():
            pytest.skip("the recorded traffic is not there")
        return json.loads(path.read_text(encoding="utf-8"))

    return read


@pytest.fixture
def exchanges() -> list[dict[str, Any]]:
    """Give the exchanges that were recorded with the real service."""
    path = RECORDED / "salesforce.jsonl"
    if not path.is_file():
        pytest.skip("the recorded traffic is not there")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
