"""Calls that were written to a CRM, and the desk at which people correct them; the CRM may change behind their backs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector_core.association import Settings
from connector_core.config import ConnectionConfig
from connector_core.crms.world import parse_world
from connector_core.desk import Desk
from connector_core.discovery import crm
from connector_core.hookspecs import hookimpl
from connector_core.ledger.calls import Standing
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.manifest import load
from connector_core.model import Call
from connector_core.pump import Pump
from connector_core.settling import settle, sync_settled
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer

CRMS = ("file", "salesforce", "hubspot")
ADA = Actor("Ada")
FRANCE = Settings(regions=("FR",))
WORLD: Mapping[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}, {"id": "A2", "name": "Other"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Dora Dealer", "emails": ["dora@other.example"], "account_id": "A2"},
        {"kind": "contact", "id": "C3", "name": "Eve Early", "emails": ["eve@buyer.example"], "account_id": "A1"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Renewal", "account_id": "A1", "owner_id": "U1", "created_at": "2026-02-01T00:00:00Z",
         "contact_ids": ["C1"]},
        {"id": "O2", "name": "Upsell", "account_id": "A2", "owner_id": "U1", "created_at": "2026-02-02T00:00:00Z",
         "contact_ids": ["C2"]},
        {"id": "O3", "name": "Training", "account_id": "A1", "owner_id": "U1", "created_at": "2025-06-01T00:00:00Z",
         "contact_ids": ["C3"]},
    ],
}  # fmt: skip
CARL = {"is_user": False, "name": "Carl", "emails": ["carl@buyer.example"]}
NOBODY = {"is_user": False, "name": "Nina", "emails": ["nina@new.example"]}
USER = {"is_user": True, "name": "Ada Agent", "emails": ["ada@seller.example"]}
NAMES: Mapping[str, Mapping[str, str]] = {
    "salesforce": {"people": "Contact", "accounts": "Account", "opportunities": "Opportunity", "email": "Email"},
    "hubspot": {"people": "contacts", "accounts": "companies", "opportunities": "deals", "email": "email"},
}


def call(number: int = 1, *guests: Mapping[str, Any], **more: Any) -> Call:
    """Make a call with a user, and with Carl unless others are said; each starts an hour after the one before."""
    raw = {
        "id": f"x:{number}",
        "provider": "x",
        "kind": "phone",
        "title": "A talk",
        "started_at": f"2026-03-02T{8 + number:02}:00:00Z",
        "duration_seconds": 600,
        "participants": [USER, *(guests or (CARL,))],
    }
    return Call.model_validate({**raw, **more})


class Writes:
    """Counts the batches that were sent to be written."""

    def __init__(self) -> None:
        """Count none yet."""
        self.number = 0

    @hookimpl
    def operation_finished(self, operation: str) -> None:
        """Count one."""
        self.number += operation == "write_activity"


@dataclass(slots=True)
class Office:
    """A CRM, a ledger, and the desk; opened anew, they are those of a process that was started again."""

    config: ConnectionConfig
    ledger_url: str
    ids: Mapping[str, str]
    sandbox: Sandbox | None
    server: SandboxServer | None
    writes: Writes
    ledger: Ledger
    pump: Pump
    desk: Desk

    def id(self, seed: str) -> str:
        """Give the CRM's id of a record of the seed."""
        return self.ids[seed]

    def sync(self, *some: Call) -> list[Standing]:
        """Sync calls, as ``connector sync`` does."""
        with self.config.open() as opened:
            return list(sync_settled(self.ledger, opened, some, sleep=lambda _: None))

    def settle(self, *call_ids: str) -> list[Standing]:
        """Bring to the CRM what was corrected."""
        return list(settle(self.ledger, self.pump, call_ids or ("x:1",), sleep=lambda _: None).values())

    def assign(self, *call_ids: str, **what: Any) -> Standing:
        """Assign records of the seed, and bring it to the CRM."""
        given = {name: self.ids.get(value, value) for name, value in what.items()}
        self.desk.assign(ADA, call_ids or ("x:1",), **given)
        return self.settle(*call_ids)[0]

    def clear(self, *call_ids: str, **what: Any) -> Standing:
        """Clear, and bring it to the CRM."""
        self.desk.clear(ADA, call_ids or ("x:1",), **what)
        return self.settle(*call_ids)[0]

    def refresh(self, *call_ids: str) -> Standing:
        """Refresh, and bring it to the CRM."""
        self.desk.refresh(ADA, call_ids or ("x:1",))
        return self.settle(*call_ids)[0]

    def decision(self, call_id: str = "x:1") -> dict[str, Any]:
        """Give what was decided last."""
        decision: dict[str, Any] = self.desk.show(call_id)["decision"]
        return decision

    # -- the CRM

    def records(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Give all that it holds."""
        if self.sandbox is not None:
            return self.sandbox.records()
        held: dict[str, Any] = json.loads(Path(self.config.settings["path"]).read_bytes())
        return held

    def linked(self, call_id: str = "x:1") -> set[str]:
        """Give the records of the seed that the one activity of a call is linked to."""
        held = self.records()
        (row,) = [row for rows in held.values() for row in rows if f"ref: {call_id}" in json.dumps(row)]
        names = ("WhoId", "WhatId", "associations", "person_ids", "account_id", "opportunity_id")
        related = [
            relation["RelationId"]
            for rows in held.values()
            for relation in rows
            if "RelationId" in relation and row["Id"] in (relation.get("TaskId"), relation.get("EventId"))
        ]
        text = json.dumps([*(row.get(name) for name in names), *related])
        return {seed for seed, there in self.ids.items() if f'"{there}"' in text}

    def links(self, person: str | None, account: str | None, opportunity: str | None) -> set[str]:
        """Say which of these links the CRM holds: Salesforce has one for what it is about, the opportunity's first."""
        one = self.config.crm == "salesforce" and opportunity is not None
        return {it for it in (person, None if one else account, opportunity) if it is not None}

    def change(
        self, objects: str, seed: str, *, delete: bool = False, merge_into: str | None = None, **to: Any
    ) -> None:
        """Change a record behind everybody's back; ``email`` is an address, in whatever field."""
        if self.sandbox is not None:
            names = NAMES[self.config.crm]
            fields = {names.get(name, name): value for name, value in to.items()}
            survivor = self.ids[merge_into] if merge_into else None
            self.sandbox.patch(names[objects], self.ids[seed], fields, delete=delete, merge_into=survivor)
            return
        held: Any = self.records()
        (row,) = [row for row in held[objects] if row["id"] == seed]
        row.update({"emails": [to.pop("email")]} if "email" in to else {}, **to)
        held[objects] = [it for it in held[objects] if it is not row or not (delete or merge_into)]
        Path(self.config.settings["path"]).write_text(json.dumps(held))

    def writing_requests(self) -> list[str]:
        """Give the requests of the journal that write: of the file there is none, so its bytes stand for them."""
        if self.server is None:
            return [Path(self.config.settings["path"]).read_text()]
        journal = [(entry["method"], str(entry["path"])) for entry in self.server._journal]
        reads = ("/composite", "/query", "/read", "/search", "/token")
        return [f"{method} {path}" for method, path in journal if method != "GET" and not path.endswith(reads)]


@contextmanager
def office(
    name: str,
    folder: Path,
    *,
    ledger_url: str | None = None,
    settle_seconds: float = 0,
    activities: Sequence[Mapping[str, Any]] = (),
    **world: Any,
) -> Iterator[Office]:
    """Open an office with a CRM that holds the world; its calls are not synced yet."""
    url = ledger_url or f"sqlite:///{folder / 'ledger.db'}"
    seed = {**WORLD, "activities": list(activities), **world}
    if name == "file":
        (folder / "world.json").write_text(json.dumps(seed))
        ids = {row["id"]: row["id"] for rows in seed.values() for row in rows}
        yield from _opened(ConnectionConfig("acme", name, {"path": str(folder / "world.json")}, FRANCE), url, ids)
        return
    sandbox: Sandbox = load(crm(name).sandbox or "", of=name)(parse_world(seed))
    with SandboxServer(sandbox) as server:
        config = ConnectionConfig("acme", name, {**server.settings, "settle_seconds": settle_seconds}, FRANCE)
        yield from _opened(config, url, sandbox.ids(), sandbox, server)


def _opened(
    config: ConnectionConfig,
    url: str,
    ids: Mapping[str, str],
    sandbox: Sandbox | None = None,
    server: SandboxServer | None = None,
) -> Iterator[Office]:
    writes = Writes()
    with Ledger(url) as ledger, config.open(observers=[writes]) as opened:
        pump, desk = Pump(ledger, opened), Desk(ledger, opened)
        yield Office(config, url, ids, sandbox, server, writes, ledger, pump, desk)


@contextmanager
def restarted(before: Office) -> Iterator[Office]:
    """Open the same CRM and the same ledger once more."""
    yield from _opened(before.config, before.ledger_url, before.ids, before.sandbox, before.server)
