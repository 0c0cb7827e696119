"""Several processes that share a connection's tokens, against the sandboxes over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector_core.config import ConnectionConfig
from connector_core.crms.world import parse_world
from connector_core.discovery import crm
from connector_core.errors import ConfigurationError, CredentialsError
from connector_core.ledger.vault import open_vault
from connector_core.manifest import load
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer
from connector_core.tokens import FileTokens, Grant

SERVICES = {
    "salesforce": {"client_id": "sandbox-client", "refresh_token": "sandbox-refresh-token"},
    "hubspot": {
        "client_id": "sandbox-app",
        "client_secret": "sandbox-app-secret",
        "refresh_token": "na1-sandbox-refresh",
    },
}
"""The app of each sandbox, and what a person's consent gave to it."""
ADDRESS = {"salesforce": "instance_url", "hubspot": "base_url"}
REVOKED = {
    "salesforce": {"error": "invalid_grant", "error_description": "expired access/refresh token"},
    "hubspot": {"error": "invalid_grant", "status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"},
}
PROCESSES = 4
KEY = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
PROCESS = """
import sys, json
from connector_core.config import ConnectionConfig
crm, settings, ledger_url = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
with ConnectionConfig("acme", crm, settings, ledger_url=ledger_url).open() as opened:
    for _ in range(2):
        print("ready", flush=True)
        sys.stdin.readline()
        print(list(opened.connection.find_contacts_by_email(["c@x.example"]).values()), flush=True)
"""


class Service:
    """A sandbox that is served, and the settings of an app that a person consented to."""

    def __init__(self, name: str, server: SandboxServer, sandbox: Sandbox) -> None:
        self.name, self.server, self.sandbox = name, server, sandbox
        self.settings = {**SERVICES[name], ADDRESS[name]: server.url}

    def requests(self) -> list[str]:
        return [str(entry["path"]) for entry in self.server._journal]

    def refreshes(self) -> int:
        return sum(path.endswith("/token") for path in self.requests())

    def faults(self, *rules: dict[str, Any]) -> None:
        self.server._set_faults(list(rules))


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    """Serve an empty sandbox; Salesforce's replaces refresh tokens."""
    name = request.param
    sandbox = load(crm(name).sandbox or "", of=name)(parse_world({}))
    if name == "salesforce":
        sandbox.org({"refresh_token_rotation": True})
    with SandboxServer(sandbox) as server:
        yield Service(name, server, sandbox)


@contextmanager
def processes(
    service: Service, settings: dict[str, str], folder: Path, ledger_url: str
) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-W", "error", "-c", PROCESS, service.name, json.dumps(settings), ledger_url]
    with ExitStack() as stack:
        started = []
        for _ in range(PROCESSES):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)  # noqa: S603 - our own code
            started.append(stack.enter_context(process))
            stack.callback(process.kill)
        yield started


def ask_together(started: list[subprocess.Popen[str]]) -> list[str]:
    """Let all of them ask at once; give what each found."""
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [process.stdout.readline() for process in started if process.stdout]


def refreshed_together(service: Service, settings: dict[str, str], folder: Path, ledger_url: str = "") -> None:
    """Processes that begin together make one token request, and one more when the session ends under all of them."""
    service.faults({"match": {"path": "*/token"}, "do": {"delay_seconds": 0.3}})
    with processes(service, settings, folder, ledger_url) as started:
        first = ask_together(started), service.refreshes()
        service.sandbox.expire_session()
        second = ask_together(started), service.refreshes()

    assert (first, second) == ((["[()]\n"] * PROCESSES, 1), (["[()]\n"] * PROCESSES, 2))


def test_processes_refresh_once(service: Service, tmp_path: Path) -> None:
    """They share a file; where the service replaces refresh tokens, the newest is in it."""
    tokens = tmp_path / "tokens"
    tokens.write_text(service.settings["refresh_token"])
    refreshed_together(service, {**service.settings, "refresh_token": "file:tokens"}, tmp_path)

    rotated = FileTokens(tokens).read().refresh_token != service.settings["refresh_token"]
    assert rotated == (service.name == "salesforce")


@pytest.mark.parametrize("service", ["salesforce"], indirect=True)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_processes_refresh_once_through_the_ledger(
    service: Service, database: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share the vault, and so does whoever comes later."""
    monkeypatch.setenv("CONNECTOR_LEDGER_KEY", KEY)
    url = "sqlite:///connector.db" if database == "sqlite" else request.getfixturevalue("postgres_url")
    with closing(open_vault(url, "env:CONNECTOR_LEDGER_KEY", tmp_path)) as vault:
        store = vault.tokens("acme", "crm")
        store.write(Grant(refresh_token=service.settings["refresh_token"]))
        refreshed_together(service, {**service.settings, "refresh_token": "vault:crm"}, tmp_path, ledger_url=url)

        assert store.read().refresh_token not in (None, service.settings["refresh_token"])


def open_with(service: Service, **changes: str) -> Any:
    return ConnectionConfig("acme", service.name, {**service.settings, **changes}).open()


def test_a_restarted_process_goes_on_with_the_stored_tokens(service: Service, tmp_path: Path) -> None:
    """The next process needs no refresh: it takes the access token that the last one stored."""
    tokens = tmp_path / "tokens"
    tokens.write_text(service.settings["refresh_token"])
    for _ in range(2):
        with open_with(service, refresh_token=f"file:{tokens}") as opened:
            opened.connection.find_contacts_by_email(["c@x.example"])

    assert service.refreshes() == 1


def test_a_revoked_refresh_token_is_told_at_once_and_costs_no_further_request(service: Service, tmp_path: Path) -> None:
    """The caller hears that the credentials are refused; whatever it asks then sends nothing."""
    tokens = tmp_path / "tokens"
    tokens.write_text(service.settings["refresh_token"])
    with open_with(service, refresh_token=f"file:{tokens}") as opened:
        opened.connection.find_contacts_by_email(["c@x.example"])
        service.sandbox.expire_session()
        service.faults({"match": {"path": "*/token"}, "do": {"status": 400, "body": REVOKED[service.name]}})
        with pytest.raises(CredentialsError, match="anew"):
            opened.connection.find_contacts_by_email(["c@x.example"])
        sent = len(service.requests())
        for _ in range(3):
            with pytest.raises(CredentialsError, match="anew"):
                opened.connection.find_contacts_by_phone(["+33612345678"])

    assert (service.refreshes(), len(service.requests())) == (2, sent)


def test_a_replacement_without_a_store_is_told_once(service: Service) -> None:
    """In clear from a host, or from the environment: the process goes on, and somebody knows that it must not end."""
    if service.name == "hubspot":  # its own do not change today, and may one day
        answer = {"access_token": "pat-na1-sandbox", "refresh_token": "another", "expires_in": 1800}
        service.faults({"match": {"path": "*/token"}, "do": {"status": 200, "body": answer}})
    with open_with(service) as opened:
        with pytest.raises(ConfigurationError, match="replaced the refresh token, and its replacement is in memory"):
            opened.connection.find_contacts_by_email(["c@x.example"])

        assert opened.connection.find_contacts_by_email(["c@x.example"]) == {"c@x.example": ()}
    assert service.refreshes() == 1


@pytest.mark.parametrize("service", ["salesforce"], indirect=True)
def test_a_refresh_token_presented_twice_ends_the_connection(service: Service) -> None:
    """What the lock is for: two stores that do not know of one another lose the connection, and are told so."""
    for wanted in (ConfigurationError, CredentialsError):
        with open_with(service) as opened, pytest.raises(wanted):
            opened.connection.find_contacts_by_email(["c@x.example"])


def test_a_file_that_is_not_there_yet_says_how_to_sign_in(service: Service, tmp_path: Path) -> None:
    """Before the first consent nothing is sent, and the message names setting, file and command."""
    with pytest.raises(
        ConfigurationError, match=r"settings.refresh_token: none is in file:.*connector login --connection acme"
    ):
        open_with(service, refresh_token=f"file:{tmp_path / 'tokens'}")


def test_a_folder_that_is_not_there_is_told(service: Service, tmp_path: Path) -> None:
    """A file in a folder that cannot be written is read like any setting in a file."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_with(service, refresh_token=f"file:{tmp_path / 'nowhere' / 'tokens'}")
