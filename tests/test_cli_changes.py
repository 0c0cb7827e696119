"""``connector changes``: what it prints, what it changes, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Office, office
from test_cli_people import JSON, configure
from test_feed import NINA, activities, create, talk

from connector_core.cli import main


@pytest.fixture(params=["file", "salesforce", "hubspot"])
def at(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Work in a folder with a configuration and a call of somebody unknown that is written."""
    monkeypatch.chdir(tmp_path)
    with office(request.param, tmp_path) as opened:
        configure(opened, monkeypatch)
        opened.sync(talk())
        yield opened


def test_a_call_that_waited_is_printed_as_by_sync(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Its one activity has the contact then."""
    contact = create(at, "contact", **NINA)

    assert main(["changes", *JSON]) == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["call_id"], line["activity"]["outcome"]) == ("x:1", "updated")
    assert (line["decision"]["people"][1]["id"], activities(at)) == (contact, 1)


def test_without_news_there_is_nothing_to_print(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Which is no failure."""
    assert main(["changes", "--connection", "acme"]) == 0
    assert capsys.readouterr().out == "no calls\n"


def test_a_connection_that_waits_for_nothing_is_told(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """With changes_seconds 0 the command could never find anything."""
    path = Path("connector.toml")
    path.write_text(path.read_text().replace("regions", "changes_seconds = 0\nregions"))

    assert main(["changes", *JSON]) == 2
    assert "connection acme, changes_seconds: is 0" in capsys.readouterr().err


def test_a_crm_that_tells_no_changes_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Odoo's plugin has no such operation."""
    monkeypatch.chdir(tmp_path)
    settings = 'base_url = "https://odoo.example"\ndatabase = "acme"\napi_key = "env:KEY"\n'
    monkeypatch.setenv("KEY", "invented")
    Path("connector.toml").write_text(f'[connections.acme]\ncrm = "odoo"\n[connections.acme.settings]\n{settings}')

    assert main(["changes", *JSON]) == 2
    assert "odoo has no list_changes" in capsys.readouterr().err
