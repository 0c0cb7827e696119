"""``connector contract-drift``: what changed in an account is named, and nothing is written to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector_core import discovery
from connector_core.cli import main
from connector_core.cli.parser import build_parser
from connector_core.crms.world import World, read_world
from connector_core.manifest import load
from connector_core.references import is_secret
from connector_core.testing.contract.world import contract_world
from connector_core.testing.demo import DEMO_WORLD
from connector_core.testing.server import SandboxServer

ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "cassettes"
PAGE = ROOT / "docs" / "drift.md"
BOTH = pytest.mark.parametrize("crm", ["hubspot", "salesforce"])


def configured(crm: str, settings: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a configuration with one connection, its secrets in the environment."""
    lines = [f'[connections.{crm}]\ncrm = "{crm}"\n[connections.{crm}.settings]']
    for name, value in settings.items():
        if is_secret(name):
            monkeypatch.setenv(f"DRIFT_{name.upper()}", str(value))
            lines.append(f'{name} = "env:DRIFT_{name.upper()}"')
        else:
            lines.append(f"{name} = {json.dumps(value)}")
    Path("connector.toml").write_text("\n".join(lines), encoding="utf-8")


@contextmanager
def account(crm: str, monkeypatch: pytest.MonkeyPatch, world: World | None = None) -> Iterator[SandboxServer]:
    """Serve a sandbox, of the contract's world where no other is given, and configure a connection to it."""
    manifest = discovery.crm(crm)
    sandbox = load(manifest.sandbox or "", of=crm)(world or contract_world(manifest))
    with SandboxServer(sandbox) as server:
        configured(crm, server.settings, monkeypatch)
        yield server


def change(server: SandboxServer, changes: Mapping[str, Any]) -> None:
    """Change the organization."""
    body = json.dumps(changes).encode()
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/_sandbox/org", body, method="POST")).close()  # noqa: S310 - our own server


def some(crm: str, *clauses: str) -> Path:
    """Copy a few cassettes, which are enough for what one test is about."""
    folder = Path("some", crm)
    folder.mkdir(parents=True)
    for clause in clauses:
        shutil.copy(CASSETTES / crm / f"{clause}.yaml", folder)
    return folder.parent


def drifted(capsys: pytest.CaptureFixture[str], crm: str, cassettes: Path) -> tuple[int, list[tuple[str, ...]]]:
    """Run the command; give its status, and clause, change and path of what it prints."""
    status = main(["contract-drift", "--connection", crm, "--cassettes", str(cassettes), "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return status, [(it["clause"], it["change"], it["path"]) for it in found]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@BOTH
def test_where_nothing_changed_nothing_is_told(
    crm: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account that is as recorded shows no drift in any clause, and holds afterwards what it held."""
    with account(crm, monkeypatch) as server:
        before = urllib.request.urlopen(f"{server.url}/_sandbox/records").read()  # noqa: S310 - our own server
        status = main(["contract-drift", "--connection", crm, "--cassettes", str(CASSETTES)])
        after = urllib.request.urlopen(f"{server.url}/_sandbox/records").read()  # noqa: S310 - likewise

    told = capsys.readouterr()
    assert (status, told.err, "clauses compared, nothing changed" in told.out, before) == (0, "", True, after)


@pytest.mark.parametrize(
    ("crm", "hidden", "gone"),
    [
        ("hubspot", {"hidden": {"contacts": ["jobtitle"]}}, ("field gone", "results[C1].properties.jobtitle")),
        (
            "salesforce",
            {"hidden_fields": ["Contact.Title"]},
            ("type changed", "compositeResponse[0].body"),
        ),
    ],
)
def test_a_hidden_field_is_named(
    crm: str,
    hidden: Mapping[str, Any],
    gone: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A field that the account no longer shows is named, with its clause and its path."""
    with account(crm, monkeypatch) as server:
        change(server, hidden)
        status, found = drifted(capsys, crm, some(crm, "C-EMAIL-1"))

    assert (status, ("C-EMAIL-1", *gone) in found) == (1, True)


def test_options_that_are_gone_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where Salesforce no longer has a status of tasks that are done, the look-up that asks for it says so."""
    with account("salesforce", monkeypatch) as server:
        change(server, {"picklist_values": {"Task.Status": ["Someday"]}})
        status, found = drifted(capsys, "salesforce", some("salesforce", "C-OPP-5"))

    assert (status, found) == (1, [("C-OPP-5", "value lost", "compositeResponse[1].body.records")])


def test_a_right_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where HubSpot refuses what it answered, the status is told."""
    with account("hubspot", monkeypatch) as server:
        change(server, {"missing_scopes": ["crm.objects.deals.read"]})
        status, found = drifted(capsys, "hubspot", some("hubspot", "C-OPP-5"))

    assert (status, found[0]) == (1, ("C-OPP-5", "status", "status"))


@BOTH
def test_an_account_of_other_people_shows_no_drift(
    crm: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account without the contract's world lacks no value by that, and it is said that values were not compared."""
    with account(crm, monkeypatch, read_world(DEMO_WORLD)):
        cassettes = some(crm, "C-EMAIL-1", "C-PHONE-1", "C-FIND-1", "C-OPP-4", "C-OPP-5", "C-USER-1")
        status = main(["contract-drift", "--connection", crm, "--cassettes", str(cassettes)])

    assert (status, "values were not" in capsys.readouterr().err) == (0, True)


def test_a_refusal_is_told_of_an_account_of_other_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account without the contract's world tells of a field that it refuses to be asked for."""
    with account("salesforce", monkeypatch, read_world(DEMO_WORLD)) as server:
        change(server, {"hidden_fields": ["Contact.Title"]})
        status, found = drifted(capsys, "salesforce", some("salesforce", "C-EMAIL-1"))

    assert (status, ("C-EMAIL-1", "type changed", "compositeResponse[0].body") in found) == (1, True)


# -- what keeps it from starting ---------------------------------------------------------------------------------------


def test_credentials_that_are_refused_are_no_drift(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the account refuses the credentials, nothing is compared: exit 2."""
    with account("salesforce", monkeypatch):
        monkeypatch.setenv("DRIFT_ACCESS_TOKEN", "wrong")
        monkeypatch.setenv("DRIFT_CLIENT_SECRET", "wrong")

        assert drifted(capsys, "salesforce", CASSETTES) == (2, [])


def test_without_cassettes_there_is_nothing_to_compare_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder without cassettes of the CRM is named: exit 2."""
    configured("hubspot", {"access_token": "wrong", "base_url": "http://127.0.0.1:1"}, monkeypatch)

    status = main(["contract-drift", "--connection", "hubspot", "--cassettes", "nowhere"])

    assert (status, "nowhere/hubspot: has no cassette" in capsys.readouterr().err) == (2, True)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where vcrpy is not installed, one line says which extra brings it: exit 2."""
    configured("hubspot", {"access_token": "wrong", "base_url": "http://127.0.0.1:1"}, monkeypatch)
    code = (
        "import sys; sys.modules['vcr'] = None; from connector_core.cli import main;"
        " sys.exit(main(['contract-drift', '--connection', 'hubspot']))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - ours

    assert (done.returncode, "pip install 'connector-core[testing]'" in done.stderr, done.stderr.count("\n")) == (
        2,
        True,
        1,
    )


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_commands_that_there_are() -> None:
    """Each command line of the page can be typed."""
    shown = [line.partition("#")[0].split() for line in PAGE.read_text(encoding="utf-8").splitlines()]
    typed = [words[1:] for words in shown if words[:1] == ["connector"]]

    assert [build_parser().parse_args(words).command for words in typed] == ["contract-drift"] * 2


def test_the_page_shows_what_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The line that the page shows of a portal with a hidden property is printed for one."""
    (line,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("C-EMAIL-1"))
    with account("hubspot", monkeypatch) as server:
        change(server, {"hidden": {"contacts": ["jobtitle"]}})
        main(["contract-drift", "--connection", "hubspot", "--cassettes", str(some("hubspot", "C-EMAIL-1"))])

    assert line in capsys.readouterr().out.splitlines()
