"""Real bodies of Aircall's go through ``connector sync --provider aircall``, into a CRM in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector_core.cli import main

RECORDED = Path(__file__).parents[4] / "shared" / "recorded" / "providers" / "aircall"
CALLER = "+44 330 818 6690"


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a configuration, a CRM in a file that knows the caller, and the bodies one a line."""
    if not RECORDED.exists():
        pytest.skip(f"{RECORDED} is absent")
    bodies = [json.loads(path.read_bytes()) for path in sorted(RECORDED.glob("*.json"))]
    (tmp_path / "bodies.jsonl").write_text("".join(f"{json.dumps(body)}\n" for body in bodies))
    (tmp_path / "world.json").write_text(
        json.dumps({"people": [{"kind": "contact", "id": "C1", "phones": [CALLER.replace("+", "00")]}]})
    )
    (tmp_path / "connector.toml").write_text(
        '[connections.acme]\ncrm = "file"\nregions = ["GB"]\n[connections.acme.settings]\npath = "world.json"\n'
        '[providers.aircall]\ntoken = "env:AIRCALL_TOKEN"\n'
    )
    monkeypatch.setenv("AIRCALL_TOKEN", bodies[0]["token"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sync(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]], str]:
    """Run the command; give its status, its lines and its messages."""
    status = main(["sync", "bodies.jsonl", "--provider", "aircall", "--connection", "acme", "--json"])
    out, messages = capsys.readouterr()
    return status, [json.loads(line) for line in out.splitlines()], messages


def written(acme: Path) -> dict[str, Any]:
    """Give the activities of the CRM, by call id."""
    activities = json.loads((acme / "world.json").read_text()).get("activities", [])
    return {activity["call_id"]: activity for activity in activities}


def test_finished_calls_are_written(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The finished calls are activities, the inbound one with its caller; events before the end are skipped."""
    status, lines, _ = sync(capsys)
    outcomes = [line["activity"]["outcome"] for line in lines]
    assert (status, sorted(set(outcomes)), outcomes.count("created")) == (0, ["created", "skipped"], 3)
    assert written(acme)["aircall:780836754"]["person_ids"] == ["C1"]
    assert set(written(acme)) == {"aircall:780836699", "aircall:780836754", "aircall:780883160"}


def test_the_same_bodies_again_write_nothing(acme: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Aircall delivers more than once: a second delivery changes nothing."""
    sync(capsys)
    before = (acme / "world.json").read_bytes()
    _, lines, _ = sync(capsys)
    assert {line["activity"]["outcome"] for line in lines} == {"unchanged", "skipped"}
    assert (acme / "world.json").read_bytes() == before


def test_bodies_with_another_token_write_nothing(
    acme: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies that are not from our webhook are told line by line, and nothing of them reaches the CRM."""
    monkeypatch.setenv("AIRCALL_TOKEN", "another")
    status, lines, messages = sync(capsys)
    assert (status, lines, written(acme)) == (1, [], {})
    assert "line 1: the token in the body is not that of this webhook" in messages
