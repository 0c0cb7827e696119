"""Whether a real Odoo still answers as its cassettes say, in the look-ups of the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from connector_odoo import ODOO

from connector_core.cli import main
from connector_core.testing.contract.accounts import recording_of
from connector_core.testing.contract.drifting import DriftCheck
from connector_core.testing.contract.world import contract_world

CASSETTES = Path(__file__).parents[3] / "cassettes"
RECORDING: Any = recording_of(Path(__file__))


@pytest.fixture
def ids() -> Iterator[Mapping[str, str]]:
    """Hold the contract's world in the server, under ids of its own; skip where there is none."""
    if RECORDING.missing():
        pytest.skip(f"no Odoo server: set {', '.join(RECORDING.missing())}")
    RECORDING.wipe()
    yield RECORDING.seed(contract_world(ODOO))
    RECORDING.wipe()


@pytest.mark.usefixtures("ids")
def test_odoo_answers_as_recorded() -> None:
    """A server that holds the contract's world under ids of its own shows no drift, and no clause is left out."""
    check = DriftCheck(ODOO, RECORDING.settings(), CASSETTES)

    results = list(check.run())

    # The opportunities of A3, which nobody leads to, are not found by look-ups.
    assert [str(it) for each in results for it in each.differences] == []
    assert {each.clause for each in results if each.why_not} <= {"C-OPP-4", "C-COST-8"}
    assert check.holds_world


def test_the_command_names_what_changed(
    ids: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job title that is gone from the server is told, with its clause and its path: exit 1."""
    monkeypatch.chdir(tmp_path)
    settings = {**RECORDING.settings(), "api_key": "env:CONNECTOR_ODOO_API_KEY"}
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    text = "\n".join(["[connections.acme]", 'crm = "odoo"', "[connections.acme.settings]", *lines])
    Path("connector.toml").write_text(text, encoding="utf-8")
    odoo = RECORDING.client()
    odoo.change("res.partner", "write", ids=[int(ids["C1"].partition(":")[2])], vals={"function": False})
    odoo.close()

    status = main(["contract-drift", "--connection", "acme", "--cassettes", str(CASSETTES), "--json"])

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found = {(each["clause"], each["change"], each["path"]) for each in told}
    assert (status, ("C-EMAIL-1", "value lost", "records[0].function") in found) == (1, True)
