"""Whatever happens to credentials, none of them is told: not in logs, errors, reprs, nor in the clear on a disk."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_core import policy
from connector_core.config import ConnectionConfig
from connector_core.crms.world import parse_world
from connector_core.discovery import crm
from connector_core.errors import ConnectorError
from connector_core.ledger.vault import open_vault
from connector_core.manifest import load
from connector_core.testing.server import SandboxServer
from connector_core.tokens import Grant

CANARY = "canary7f3a"
KEY = f"{CANARY}{'A' * (43 - len(CANARY))}="
SECRETS = {name: f"{CANARY}-{name.replace('_', '-')}" for name in ("access_token", "client_secret", "refresh_token")}
GRANTED = {"access_token": f"{CANARY}-granted", "refresh_token": f"{CANARY}-replaced", "expires_in": 1800}
SAID = f"no such token {CANARY}-granted, {SECRETS['refresh_token']}, {SECRETS['client_secret']}"
ANSWERS: dict[str, dict[str, Any] | None] = {
    "refused by the sandbox": None,
    "granted, and then not accepted": {"status": 200, "body": GRANTED},
    "granted by somebody else": {"status": 200, "body": {**GRANTED, "instance_url": f"https://{CANARY}.example"}},
    "echoed": {
        "status": 400,
        "body": {"error": "invalid_grant", "error_description": SAID, "status": "BAD_REFRESH_TOKEN", "message": SAID},
    },
    "echoed by a 401": {"status": 401, "body": {"error": "invalid_client", "message": SAID}},
    "echoed by a 403": {"status": 403, "body": {"message": SAID, "category": "MISSING_SCOPES"}},
    "a page": {"status": 200, "body": f"<html>{SAID}"},
    "another kind": {"status": 200, "body": {"access_token": {"is": SAID}, "refresh_token": [SAID]}},
    "broken": {"status": 500, "body": {"message": SAID}},
    "limited": {"status": 429, "body": {"message": SAID, "policyName": SAID}},
}
STORES = {"memory": SECRETS["refresh_token"], "file": "file:tokens", "vault": "vault:crm"}


def told_by(error: BaseException) -> Iterator[str]:
    """Give all that an error says: as it is printed, and what it and those that caused it carry."""
    yield "".join(traceback.format_exception(error))
    link: BaseException | None = error
    while link is not None:
        yield repr((link, link.args, vars(link)))
        link = link.__cause__ or link.__context__


@pytest.mark.parametrize("name", ["salesforce", "hubspot"])
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_no_secret_is_told(
    name: str,
    store: str,
    answer: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Signing in, refreshing and every failure of it, with all that is logged at the lowest level."""
    monkeypatch.setattr(policy, "wait", lambda seconds: None)
    monkeypatch.setenv("CONNECTOR_LEDGER_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    (tmp_path / "ledger").mkdir()
    (tmp_path / "tokens").write_text(SECRETS["refresh_token"])
    vault = open_vault("sqlite:///ledger/connector.db", "env:CONNECTOR_LEDGER_KEY", tmp_path)
    vault.tokens("acme", "crm").write(Grant(refresh_token=SECRETS["refresh_token"]))
    told: list[str] = []
    with SandboxServer(load(crm(name).sandbox or "", of=name)(parse_world({}))) as server:
        if fault := ANSWERS[answer]:
            server._set_faults([{"match": {"path": "*/token"}, "do": fault}])
        address = {"salesforce": "instance_url", "hubspot": "base_url"}[name]
        static = {"access_token": SECRETS["access_token"]} if name == "salesforce" else {}  # HubSpot's is not renewed
        settings = {
            **static,
            "client_secret": SECRETS["client_secret"],
            "refresh_token": STORES[store],
            "client_id": "app",
            address: server.url,
        }
        config = ConnectionConfig(
            "acme", name, settings, directory=tmp_path, ledger_url="sqlite:///ledger/connector.db"
        )
        with config.open() as opened:
            told += map(repr, (config, opened, opened.connection, vault, vault.tokens("acme", "crm")))
            for _ in range(3):
                try:
                    opened.connection.find_contacts_by_email(["c@x.example"])
                except ConnectorError as error:
                    told += told_by(error)
    vault.close()

    on_disk = "".join(path.read_bytes().decode("latin-1") for path in (tmp_path / "ledger").iterdir())
    assert len(told) > 5, "nothing failed: the test says nothing"
    assert any("token" in str(entry["path"]) for entry in server._journal), "nothing was asked for a token"
    assert [text for text in (caplog.text, on_disk, *told) if CANARY in text] == []
