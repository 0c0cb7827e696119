"""``connector login`` and ``connector rotate-keys``, as processes, with the sandboxes as the services."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector_core.cli import main
from connector_core.config import open_connection
from connector_core.config_file import load_config
from connector_core.crms.world import parse_world
from connector_core.discovery import crm
from connector_core.manifest import load
from connector_core.testing.server import SandboxServer

OLD = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
NEW = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="
APPS = {
    "salesforce": 'instance_url = "{url}"\nclient_id = "sandbox-client"',
    "hubspot": 'base_url = "{url}"\nclient_id = "sandbox-app"\nclient_secret = "env:APP_SECRET"',
}


@pytest.fixture(params=APPS)
def app(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A sandbox, and the configuration of an app to which nobody has consented."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("APP_SECRET", "sandbox-app-secret")
    monkeypatch.setenv("CONNECTOR_LEDGER_KEY", OLD)
    with SandboxServer(load(crm(request.param).sandbox or "", of=request.param)(parse_world({}))) as server:
        configure(request.param, server.url, "file:tokens.json")
        yield server


def configure(name: str, url: str, store: str) -> None:
    Path("connector.toml").write_text(
        f'[connections.acme]\ncrm = "{name}"\n[connections.acme.settings]\n{APPS[name].format(url=url)}\n'
        f'refresh_token = "{store}"\n'
    )


@contextmanager
def login(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """Begin a login on a free port; give the process and the addresses that it shows."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = "import sys; from connector_core.cli import main; sys.exit(main())"
    command = [sys.executable, "-W", "error", "-c", code, "login", "--connection", "acme", "--json", f"--port={port}"]
    with subprocess.Popen(  # noqa: S603 - our own command
        [*command, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def visit(address: str) -> tuple[int, str]:
    """Open an address as a browser does, redirects followed."""
    try:
        with urllib.request.urlopen(address, timeout=10) as page:  # noqa: S310 - our own servers
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def find_somebody() -> Any:
    with open_connection(load_config(Path("connector.toml")), "acme") as opened:
        return opened.connection.find_contacts_by_email(["c@x.example"])


def test_a_consent_signs_the_connection_in(app: SandboxServer) -> None:
    """Who consents in the browser is thanked; the tokens are in the file, and the connection works with them."""
    with login() as (process, shown):
        assert visit(shown["redirect"].replace("/callback", "/favicon.ico"))[0] == 404
        status, page = visit(shown["authorize_url"])
        result = ended(process)

    assert (status, "Go back to the terminal" in page) == (200, True)
    assert result == (0, '{"connection": "acme", "tokens": "file:tokens.json"}\n', "")
    assert find_somebody() == {"c@x.example": ()}
    assert sum("token" in str(entry["path"]) for entry in app._journal) == 1


def test_the_tokens_of_a_consent_can_be_refreshed(app: SandboxServer) -> None:
    """What was granted is a whole grant: the connection outlives the first access token."""
    with login() as (process, shown):
        visit(shown["authorize_url"])
        ended(process)
    app._sandbox.expire_session()

    assert find_somebody() == {"c@x.example": ()}


def test_the_address_can_be_pasted(app: SandboxServer) -> None:
    """Where the browser runs on another machine, what it shows at the end is pasted."""

    class NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            """Stay."""

    with login("--paste") as (process, shown):
        with pytest.raises(urllib.error.HTTPError) as stayed:
            urllib.request.build_opener(NoRedirect).open(shown["authorize_url"])
        with stayed.value:
            out, _ = process.communicate(stayed.value.headers["Location"] + "\n", timeout=30)

    assert (process.returncode, "tokens.json" in out) == (0, True)
    assert find_somebody() == {"c@x.example": ()}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("code=evil&state={state}", "refuses"),
        ("error=access_denied&state={state}", r"nobody consented \(access_denied\)"),
        ("error=<script>&state={state}", r"nobody consented \(no code came\)"),
    ],
)
def test_an_answer_that_is_no_consent_is_told(app: SandboxServer, answer: str, message: str) -> None:
    """The command ends with status 2 and what is wrong; nothing is stored."""
    with login() as (process, shown):
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(shown["authorize_url"]).query)["state"][0]
        visit(f"{shown['redirect']}?{urllib.parse.quote(answer.format(state=state), safe='=&')}")
        status, out, err = ended(process)

    assert (status, out, Path("tokens.json").exists()) == (2, "", False)
    assert err.startswith("connector: connector.toml: connection acme: ")
    assert re.search(message, err)


@pytest.mark.parametrize("answer", ["?code=evil&state=other", "?code=evil", ""])
def test_an_answer_to_another_login_does_not_end_this_one(app: SandboxServer, answer: str) -> None:
    """Whatever page sends a browser there, the consent that is waited for is still taken."""
    with login() as (process, shown):
        refused = visit(shown["redirect"] + answer)[0]
        visit(shown["authorize_url"])
        status, *_ = ended(process)

    assert (refused, status) == (404, 0)


@pytest.mark.parametrize("pasted", ["{redirect}?code=evil&state=other", "{redirect}", "http://["])
def test_a_pasted_answer_to_another_login_is_told(app: SandboxServer, pasted: str) -> None:
    """The command ends with status 2; nothing is stored."""
    with login("--paste") as (process, shown):
        _, err = process.communicate(pasted.format(**shown) + "\n", timeout=30)

    assert (process.returncode, Path("tokens.json").exists()) == (2, False)
    assert "the answer belongs to another login than this one" in err


def test_an_end_of_the_input_is_no_answer(app: SandboxServer) -> None:
    """Nor is an empty line."""
    with login("--paste") as (process, _shown):
        _, err = process.communicate("\n", timeout=30)

    assert (process.returncode, err.splitlines()[-1]) == (2, "connector: no address was pasted: begin anew")


@pytest.mark.parametrize("app", ["salesforce"], indirect=True)
def test_tokens_can_go_into_the_ledger_and_its_keys_be_rotated(
    app: SandboxServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The connection works with them before and after, with the new key alone."""
    configure("salesforce", app.url, "vault:crm")
    with login() as (process, shown):
        visit(shown["authorize_url"])
        assert ended(process)[0] == 0
    before = find_somebody()
    monkeypatch.setenv("CONNECTOR_LEDGER_KEY", f"{NEW},{OLD}")

    assert (main(["rotate-keys", "--json"]), capsys.readouterr().out) == (0, '{"rotated": 1}\n')
    monkeypatch.setenv("CONNECTOR_LEDGER_KEY", NEW)
    assert find_somebody() == before == {"c@x.example": ()}


def test_the_port_is_one_that_the_app_can_allow(capsys: pytest.CaptureFixture[str]) -> None:
    """None that is found only once it is listened on."""
    assert main(["login", "--connection", "acme", "--port", "0"]) == 2
    assert "argument --port: the port that the app allows is a number from 1 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(app: SandboxServer, capsys: pytest.CaptureFixture[str]) -> None:
    """With the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        status = main(["login", "--connection", "acme", "--port", str(taken.getsockname()[1])])

    assert (status, "choose another with --port" in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    "instead", ['refresh_token = "env:REFRESH"', 'refresh_token = "file:nowhere/tokens.json"', 'access_token = "env:A"']
)
def test_a_connection_without_a_store_is_told_where_to_put_one(
    app: SandboxServer, capsys: pytest.CaptureFixture[str], instead: str
) -> None:
    """Before anybody consents: what could not be kept is not asked for."""
    path = Path("connector.toml")
    path.write_text(path.read_text().replace('refresh_token = "file:tokens.json"', instead))

    assert main(["login", "--connection", "acme"]) == 2
    assert 'settings.refresh_token: should say where the tokens go: "file:PATH"' in capsys.readouterr().err
    assert app._journal == []


def test_a_crm_without_such_a_sign_in_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The CRM in a file knows no consent."""
    path = tmp_path / "connector.toml"
    path.write_text('[connections.acme]\ncrm = "file"\n[connections.acme.settings]\npath = "world.json"\n')

    assert main(["login", "--connection", "acme", "--config", str(path)]) == 2
    assert "has no sign-in by a person's consent" in capsys.readouterr().err


@pytest.mark.parametrize("key", [None, "short"])
def test_rotating_without_a_key_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], key: str | None
) -> None:
    """A missing or wrong key ends the command before anything is changed."""
    monkeypatch.delenv("CONNECTOR_LEDGER_KEY", raising=False)
    if key:
        monkeypatch.setenv("CONNECTOR_LEDGER_KEY", key)
    (tmp_path / "connector.toml").write_text("")

    assert main(["rotate-keys", "--config", str(tmp_path / "connector.toml")]) == 2
    assert "Fernet.generate_key()" in capsys.readouterr().err
    assert not (tmp_path / "connector.db").exists()


def test_rotating_without_a_configuration_is_told_as_in_other_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to do about it."""
    monkeypatch.chdir(tmp_path)

    assert main(["rotate-keys"]) == 2
    assert "connector.toml: there is none in this directory; write one, or name one with --config" in (
        capsys.readouterr().err
    )
