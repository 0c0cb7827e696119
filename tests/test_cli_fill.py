"""``connector fill``: what it prints, what it changes, and with which exit status."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fill_office import NEXT_STEP, FillOffice, fill_office, said
from test_cli_people import configure

from connector_core.cli import main

ACME = ["--connection", "acme"]
JSON = [*ACME, "--json"]
Printed = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Give the JSON objects on standard output."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FillOffice]:
    """Work in a folder with a configuration, a manual template, and a call whose field waits."""
    monkeypatch.chdir(tmp_path)
    with fill_office("file", tmp_path) as opened:
        configure(opened.at, monkeypatch)
        opened.publish({**NEXT_STEP, "mode": "manual"})
        opened.hear(said("next: call again"))
        yield opened


def test_the_queue_lists_what_waits(at: FillOffice, printed: Printed) -> None:
    """A field that takes approval is listed with the value and where it came from."""
    assert main(["fill", "queue", *JSON]) == 0

    (row,) = printed()
    assert (row["call_id"], row["wanted"], row["passage"]) == ("x:1", "call again", "next: call again")


def test_send_brings_it_to_the_crm(at: FillOffice, printed: Printed) -> None:
    """What is sent is in the CRM when the command ends, and is printed so."""
    assert main(["fill", "send", "x:1", "--as", "Ada", *JSON]) == 0

    (row,) = printed()
    assert (row["outcome"], row["approved_by"], at.value()) == ("sent", "Ada", "call again")


def test_a_call_that_is_not_there_is_told(at: FillOffice, capsys: pytest.CaptureFixture[str]) -> None:
    """The command does not start, and names the call."""
    status = main(["fill", "send", "x:9", *ACME])

    assert (status, capsys.readouterr().err) == (2, "connector: connection acme: has accepted no call x:9\n")


def test_give_and_show(at: FillOffice, capsys: pytest.CaptureFixture[str]) -> None:
    """A value that was given waits for approval like any other, and is shown for a person to read."""
    main(["fill", "give", "x:1", "t.next_step", "send the quote", "--as", "Ada", *ACME])
    capsys.readouterr()
    status = main(["fill", "show", "x:1", *ACME])

    told = capsys.readouterr().out.splitlines()
    assert (status, told) == (
        0,
        ["pending      x:1  t.next_step  opportunity O1", "  value: send the quote", "1 pending"],
    )


def test_undo_takes_it_back(at: FillOffice, printed: Printed) -> None:
    """A run is taken back by the id that its fields show."""
    main(["fill", "send", "x:1", *JSON])
    (sent,) = printed()
    assert main(["fill", "undo", sent["run"], "--as", "Ada", *JSON]) == 0

    (row,) = printed()
    assert (row["reason"], row["detail"], at.value()) == ("taken_back", "by Ada", None)


def test_a_run_that_there_is_not_cannot_be_taken_back(at: FillOffice, capsys: pytest.CaptureFixture[str]) -> None:
    """The command does not start, and names the run."""
    status = main(["fill", "undo", "nothing", *ACME])

    wanted = "connector: connection acme: nothing that was sent in run nothing is left to take back\n"
    assert (status, capsys.readouterr().err) == (2, wanted)


def test_again_fills_anew(at: FillOffice, printed: Printed) -> None:
    """After the CRM changed, the fields of a call may be filled anew."""
    at.edit("call again")
    assert main(["fill", "again", "x:1", *JSON]) == 0

    assert [row["outcome"] for row in printed()] == ["pending"]


def test_sync_fills(at: FillOffice, printed: Printed) -> None:
    """What a template fills automatically is filled when the command ends."""
    at.publish(NEXT_STEP)
    Path("calls.jsonl").write_text(said("next: send the quote", 2).model_dump_json(exclude_none=True) + "\n")
    assert main(["sync", "calls.jsonl", *JSON]) == 0

    assert (at.outcome("x:2"), at.value()) == (("sent", None), "send the quote")
