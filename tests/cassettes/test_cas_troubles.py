"""What each operation makes of what may go wrong with any request, as recorded of both services' sandboxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import connector_hubspot.feed
import connector_hubspot.reading
import connector_salesforce.feed
import connector_salesforce.sandbox.rest
import pytest
import troubles

from connector_core import discovery
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo, load
from connector_core.testing.cassettes import Provenance, cassette_path, inconsistencies, read, recording, replaying
from connector_core.testing.cassettes.guard import no_waiting
from connector_core.testing.server import SandboxServer

FOLDER = Path(__file__).resolve().parents[2] / "cassettes"
INFO = ConnectionInfo("c", ("FR",), "Europe/Paris")
Prepare: TypeAlias = Callable[[SandboxServer, str], None]
Asks: TypeAlias = Mapping[str, troubles.Ask]

WRITES = {
    "hubspot": {"fill_fields": "*/batch/update", "write_activity": "*/batch/create"},
    "salesforce": {"fill_fields": "*/composite/sobjects", "write_activity": "*/composite/sobjects"},
}
"""Which request of an operation writes: that one is to fail, and not what is read before it."""
LACKING = {
    "hubspot": {"status": "error", "category": "MISSING_SCOPES", "message": "This app lacks a scope."},
    "salesforce": [
        {"errorCode": "API_DISABLED_FOR_ORG", "message": "The REST API is not enabled for this Organization."}
    ],
}
FAULTS: Mapping[str, Callable[[str], Mapping[str, Any]]] = {
    "limit": lambda _: {"times": 1, "do": {"status": 429, "headers": {"Retry-After": "1"}, "body": {}}},
    "outage": lambda _: {"times": 1, "do": {"status": 503, "body": "<html>"}},
    "denied": lambda plugin: {"do": {"status": 403, "body": LACKING[plugin]}},
}

WELL: dict[str, object] = {
    "find_contacts_by_email": {"ann@buyer.example": ["Ann Able"], "nobody@buyer.example": []},
    "find_contacts_by_phone": {"+33639981011": ["Ann Able"]},
    "find_activity": ["A talk"],
    "list_opportunities": ["Deal"],
    "find_users_by_email": {"ada@seller.example": ["Ada"]},
    "read_people": [["Ann Able"], []],
    "read_accounts": [["Acme"]],
    "search_people": {"Ann Able": ["Ann Able"]},
    "search_accounts": {"Acme": ["Acme"]},
    "describe_objects": [True],
    "describe_organization": "UTC",
    "check_access": True,
    "read_fields": [None],
    "list_changes": ["contact"],
    "fill_fields": ["sent", "refused"],
    "write_activity": ["created", "refused"],
}
"""What is given where nothing is wrong but what was asked for: one of two records that is gone, a field or an owner."""
LOST = {"write_activity": ["unknown", "unknown"]}
"""A create that was not answered is not sent again: it is looked for, another time."""
REFUSED: dict[str, object] = dict.fromkeys(WELL, "MissingRightError")
NOT_SEEN: dict[str, object] = {"describe_objects": [], "read_fields": "unknown"}
"""HubSpot refuses an object that the app may not see as one that it lacks a scope for."""
GIVEN: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "hubspot": {"expired": WELL, "limit": WELL, "outage": WELL | LOST, "denied": REFUSED | NOT_SEEN},
    "salesforce": {"expired": WELL, "limit": WELL, "outage": WELL | LOST, "denied": REFUSED},
}
PAGES: Mapping[str, object] = {
    "find_contacts_by_phone": {"+33639981011": ["Ann Able"] * 5},
    "find_activity": ["A talk"] * 5,
    "list_opportunities": ["Deal"] * 5,
    "find_users_by_email": {"user4@seller.example": ["User 4"]},
    "list_changes": (["C0", "C1", "C2", "C3", "C4"], True),
}


def trouble_of(plugin: str, name: str, sandbox: Any) -> Prepare:
    """Give what lets it happen to the next request of an operation."""

    def prepare(server: SandboxServer, operation: str) -> None:
        if name == "expired":
            sandbox.expire_session()
        elif name in FAULTS:
            path = WRITES[plugin].get(operation, "*") if name != "denied" else "*"
            server._set_faults([{"match": {"path": path}, **FAULTS[name](plugin)}])

    return prepare


@contextmanager
def bound(plugin: str, settings: Mapping[str, Any]) -> Iterator[Connection]:
    """Open a connection that knows nothing yet."""
    with bind(discovery.crm(plugin), settings, INFO, users_age_seconds=0) as connection:
        yield connection


def record(path: Path, name: str, world: Mapping[str, Any], asks: Asks, org: Mapping[str, Any]) -> None:
    """Record operations, each with its trouble and on a connection of its own, against the plugin's sandbox."""
    manifest = discovery.crm(path.parent.parent.name)
    sandbox = load(manifest.sandbox or "", of=manifest.name)(parse_world(world))
    sandbox.org(org)
    path.parent.mkdir(exist_ok=True)
    with SandboxServer(sandbox) as server:
        settings = server.settings
        made = Provenance.now(manifest, "sandbox", settings, ids=sandbox.ids(), info=INFO)
        with recording(path, made), no_waiting(lambda _: None):
            for operation, ask in asks.items():
                trouble_of(manifest.name, name, sandbox)(server, operation)
                with bound(manifest.name, settings) as connection:
                    troubles.told(ask, connection, sandbox.ids())


def replay(path: Path, asks: Asks) -> dict[str, object]:
    """Replay operations, and say what came of each."""
    found = {}
    with replaying(path) as tape:
        for operation, ask in asks.items():
            with bound(tape.provenance.plugin, tape.provenance.settings) as connection:
                found[operation] = troubles.told(ask, connection, tape.provenance.ids)
    return found


@pytest.mark.parametrize("trouble", ["expired", *FAULTS])
@pytest.mark.parametrize("plugin", troubles.PLUGINS)
def test_each_operation_outlives_it_or_says_what_is_wrong(
    request: pytest.FixtureRequest, plugin: str, trouble: str
) -> None:
    """A session that ended is renewed, a limit and an outage are waited out, a right that is missing is named."""
    path = cassette_path(plugin, f"troubles/{trouble}", FOLDER)
    if request.config.getoption("--contract-record"):
        record(path, trouble, troubles.WORLD, troubles.OPERATIONS, {})

    assert replay(path, troubles.OPERATIONS) == GIVEN[plugin][trouble]


@pytest.mark.parametrize("plugin", troubles.PLUGINS)
def test_no_page_of_an_answer_is_left_out(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    """Lists are read to their end: by HubSpot's cursors, by Salesforce's address of the next page, and of what changed."""
    path = cassette_path(plugin, "troubles/pages", FOLDER)
    for small in (connector_hubspot.feed, connector_salesforce.feed, connector_salesforce.sandbox.rest):
        monkeypatch.setattr(small, "PAGE", 2)
    monkeypatch.setattr(connector_hubspot.reading, "_PAGE", 2)
    if request.config.getoption("--contract-record"):
        world, org = {
            "hubspot": (troubles.many(users=101), {"association_page_size": 2}),
            "salesforce": (troubles.many(users=5), {}),
        }[plugin]
        record(path, "pages", world, troubles.IN_PAGES, org)

    assert replay(path, troubles.IN_PAGES) == PAGES


@pytest.mark.parametrize("plugin", troubles.PLUGINS)
def test_no_operation_is_missing(plugin: str) -> None:
    """All that ask the CRM; the address of a form is none."""
    assert discovery.crm(plugin).operations - {"form_address"} == troubles.OPERATIONS.keys()


@pytest.mark.parametrize("plugin", troubles.PLUGINS)
def test_cassettes_of_troubles_agree_with_themselves(plugin: str) -> None:
    """But for the id that is nobody's."""
    for path in (FOLDER / plugin / "troubles").glob("*.yaml"):
        gone = read(path).provenance.ids["C1"][:-4] + "9999"

        assert (path.name, inconsistencies(path, known=[gone])) == (path.name, [])
