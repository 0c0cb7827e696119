"""``connector report filling``: what it prints, who may ask for it, and with which exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest
from filled_rows import DEAL, PEOPLE, change, publish, row

from connector_core.cli import main, parser_report
from connector_core.filling.analytics import COLUMNS
from connector_core.ledger.ledger import Ledger
from connector_core.model import FieldType

REPORT = ["report", "filling", "--connection", "acme", "--period", "2026-03-01..2026-03-31"]
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a configuration, and a ledger of which something was filled."""
    monkeypatch.chdir(tmp_path)
    Path("connector.toml").write_text(
        '[connections.acme]\ncrm = "file"\ntime_zone = "Europe/Paris"\nsettings.path = "world.json"\n'
    )
    rows = [row(number, outcome="empty") for number in range(1, 4)]
    rows += [row(number, 3, outcome="other", reason="too_long", detail="255 at most") for number in (4, 5)]
    rows += [row(6), row(6, 2, ("deal", "step"), outcome="pending", who="=Ada"), row(7, 4, ("people", "role"))]
    filled(*rows)


def filled(*rows: dict[str, object]) -> None:
    with Ledger("sqlite:///connector.db") as ledger:
        publish(ledger, "acme", DEAL, PEOPLE)
        change(ledger.database, "acme", *rows)


def printed(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    status = main([*REPORT, *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_report_is_printed_for_a_person(capsys: Capture) -> None:
    """By default as text; what was never counted is counted first."""
    status, out, err = printed(capsys)

    assert (status, err) == (0, "")
    assert "sending rate 25.0 %: 2 sent of 8 eligible fields" in out.splitlines()


def test_a_user_is_refused(capsys: Capture) -> None:
    """With a word; managers are not."""
    assert printed(capsys, "--role", "user") == (2, "", "connector: report: it takes an admin or a manager\n")
    assert printed(capsys, "--role", "manager", "--as", "Mia")[0] == 0


@pytest.mark.parametrize("how", [["--json"], ["--format", "json"]])
def test_a_report_is_one_json_object(capsys: Capture, how: list[str]) -> None:
    """On one line."""
    status, out, _ = printed(capsys, *how, "--template", "deal", "--sort", "sent", "--descending")
    report = json.loads(out)

    assert (status, out.count("\n")) == (0, 1)
    assert report["total"]["counts"] == {"sent": 1, "empty": 3, "no_crm_link": 0, "pending": 1, "other": 2}
    assert [it["name"] for it in report["rows"]] == ["budget", "step", "project"]
    assert report["rows"][0]["template"] == {
        "id": "deal",
        "name": "Deals",
        "address": "https://templates.example/deal",
    }
    assert report["rows"][0]["reasons"] == {"too_long": 2}
    assert report["filters"] == {"template": ["deal"]}


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        (["--field", "budget", "--field", "people.role"], ["budget", "role"]),
        (["--type", "number"], ["budget"]),
        (["--mode", "manual"], ["step"]),
    ],
)
def test_filters_can_be_typed(capsys: Capture, filters: list[str], left: list[str]) -> None:
    """Those of fields as they are printed too."""
    assert [it["name"] for it in json.loads(printed(capsys, "--json", *filters)[1])["rows"]] == left


def test_a_refresh_is_asked_for(capsys: Capture) -> None:
    """Else what was counted a moment ago is told."""
    printed(capsys)
    filled(row(9), row(10))

    assert "2 sent of 8" in printed(capsys)[1]
    assert "4 sent of 10" in printed(capsys, "--refresh")[1]


@pytest.mark.parametrize(
    ("form", "begins"), [("csv", "name,type,object"), ("html", "<!DOCTYPE html>"), ("text", "acme")]
)
def test_a_report_is_written_into_a_file(capsys: Capture, form: str, begins: str) -> None:
    """As it would be printed."""
    status, out, err = printed(capsys, "--format", form, "--output", f"report.{form}")
    written = Path(f"report.{form}").read_bytes().decode()

    assert (status, out, err) == (0, "", f"written to report.{form}\n")
    assert written.startswith(begins)
    assert printed(capsys, "--format", form)[1].rstrip() == written.rstrip()


def test_a_file_that_cannot_be_written_is_told(capsys: Capture) -> None:
    """With the reason."""
    status, _, err = printed(capsys, "--output", "nowhere/report.txt")

    assert (status, err) == (2, "connector: nowhere/report.txt: cannot be written (No such file or directory)\n")


def test_the_page_has_the_calls_behind_its_numbers(capsys: Capture) -> None:
    """The first of each, and the command for all."""
    page = printed(capsys, "--format", "html")[1]

    assert "255 at most" in page
    assert "--calls deal.budget --outcome other --reason too_long" in page


def test_the_calls_behind_a_number_are_listed(capsys: Capture) -> None:
    """The newest first, each with what was said."""
    assert printed(capsys, "--calls", "budget", "--reason", "too_long")[1].splitlines() == [
        "2026-03-03  x:4  deal.budget  other: too_long  255 at most",
        "2026-03-03  x:5  deal.budget  other: too_long  255 at most",
    ]
    assert len(printed(capsys, "--calls", "deal.budget")[1].splitlines()) == 6
    assert json.loads(printed(capsys, "--outcome", "pending", "--json")[1])["call_id"] == "x:6"
    assert "'=Ada" in printed(capsys, "--outcome", "pending", "--format", "csv")[1]


def test_no_more_calls_are_listed_than_wanted(capsys: Capture) -> None:
    """How many there are is told."""
    status, out, err = printed(capsys, "--calls", "budget", "--outcome", "empty", "--most", "2")

    assert (status, len(out.splitlines())) == (0, 2)
    assert err == "2 of 3 calls, the newest first: --most N gives more\n"
    assert printed(capsys, "--calls", "project")[2] == "no call\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--calls", "size"], "no field of a published template is size; there is budget, project, role, step"),
        (["--calls", "budget", "--outcome", "empty", "--reason", "too_long"], "reason: empty has none"),
        (["--calls", "budget", "--field", "step"], "--calls names the field already"),
        (["--outcome", "empty", "--sort", "sent"], "calls are listed the newest first"),
        (["--json", "--format", "csv"], "--json is --format json, and --format csv was asked for"),
        (["--calls", "budget", "--format", "html"], "calls are listed as text, json or csv"),
        (["--period", "someday"], "period: 'someday' is none of this-week"),
        (["--connection", "other"], "has no connection 'other'"),
    ],
)
def test_what_cannot_be_is_refused(capsys: Capture, arguments: list[str], told: str) -> None:
    """With what was wanted."""
    status, out, err = printed(capsys, *arguments)

    assert (status, out) == (2, "")
    assert told in err


def test_filters_that_exclude_each_other_are_no_error(capsys: Capture) -> None:
    """The report says so."""
    status, out, _ = printed(capsys, "--template", "people", "--field", "budget")

    assert status == 0
    assert "exclude each other: reset template or field" in out


def test_what_can_be_typed_is_what_there_is() -> None:
    """The parser repeats them, as it imports nothing heavy."""
    assert tuple(COLUMNS) == parser_report.COLUMNS
    assert get_args(FieldType) == parser_report.TYPES
