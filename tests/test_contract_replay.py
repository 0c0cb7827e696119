"""``connector contract-replay``: whether installed plugins agree with what was recorded of their CRMs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from connector_core.cli import main
from connector_core.cli.parser import build_parser

ROOT = Path(__file__).parent.parent
CASSETTES = ROOT / "cassettes"
PAGE = CASSETTES / "README.md"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def some(crm: str, *clauses: str) -> Path:
    """Copy a few cassettes into the folder that is looked for; give that of the CRM."""
    folder = Path("cassettes", crm)
    folder.mkdir(parents=True)
    for clause in clauses:
        shutil.copy(CASSETTES / crm / f"{clause}.yaml", folder)
    return folder


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the command; give its status, and what it prints of each clause."""
    status = main(["contract-replay", *arguments, "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return status, {line["clause"]: line for line in lines}


# -- what is replayed --------------------------------------------------------------------------------------------------


def test_the_shipped_cassettes_of_a_crm_are_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each one is, nothing fails, and each says what it was recorded of."""
    status, told = replayed(capsys, "hubspot", "--cassettes", str(CASSETTES))

    assert [line["clause"] for line in told.values() if line["status"] == "failed"] == []
    assert told.keys() >= {path.stem for path in (CASSETTES / "hubspot").glob("*.yaml")}
    assert {line["origin"] for line in told.values() if line["status"] == "proved"} == {"sandbox"}
    assert status == 0


def test_an_answer_that_is_emptied_fails_its_clause(capsys: pytest.CaptureFixture[str]) -> None:
    """A cassette that says something else is named, with what was got and wanted; the others are replayed: exit 1."""
    path = some("hubspot", "C-EMAIL-1", "C-EMAIL-2") / "C-EMAIL-1.yaml"
    cassette = yaml.safe_load(path.read_text(encoding="utf-8"))
    cassette["interactions"][0]["response"]["json"] = {"results": [], "status": "COMPLETE"}
    path.write_text(yaml.safe_dump(cassette), encoding="utf-8")

    status, told = replayed(capsys, "hubspot")

    assert (status, told["C-EMAIL-1"]["status"], told["C-EMAIL-2"]["status"]) == (1, "failed", "proved")
    assert "hubspot breaks C-EMAIL-1: A person is found" in told["C-EMAIL-1"]["reason"]

    assert main(["contract-replay", "hubspot"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("hubspot  C-EMAIL-1  hubspot breaks C-EMAIL-1: A person is found")
    assert re.fullmatch(r"hubspot: \d+ clauses replayed \(0 live, .*, \d+ failed.*", printed[-1])


def test_all_that_is_installed_and_recorded_is_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    """Where no CRM is named; a real server and a sandbox are counted apart, and added up."""
    some("hubspot", "C-USER-2")
    some("odoo", "C-USER-2")

    status = main(["contract-replay"])

    counted = r"(\w+): (\d+) clauses replayed \((\d+) live, (\d+) self-hosted, (\d+) sandbox\), none failed"
    shown = {name: counts for name, *counts in re.findall(counted, capsys.readouterr().out)}
    n, m = shown["hubspot"][0], shown["odoo"][0]
    assert (status, shown) == (
        0,
        {"hubspot": [n, "0", "0", n], "odoo": [m, "0", m, "0"], "all": [str(int(n) + int(m)), "0", m, n]},
    )


def test_what_is_not_replayed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A clause without cassette, and a cassette without clause, are named, and are no failure."""
    folder = some("hubspot", "C-USER-1", "C-USER-2")
    (folder / "C-USER-1.yaml").rename(folder / "C-OLD-1.yaml")

    status = main(["contract-replay"])

    told = capsys.readouterr().err.splitlines()
    assert (status, len(told)) == (0, 2)
    assert "for want of a cassette: " in told[0]
    assert {"C-EMAIL-1", "C-USER-1"} <= set(told[0].split(": ")[-1].split(", "))
    assert told[1] == "hubspot: not replayed, as this version has no such clause: C-OLD-1"


def test_the_suite_beside_it_has_no_say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A configuration of pytest, a conftest.py and options in the environment, all broken, change nothing."""
    some("hubspot", "C-USER-2")
    Path("pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    Path("conftest.py").write_text("raise RuntimeError\n", encoding="utf-8")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")

    status, told = replayed(capsys)

    assert (status, told["C-USER-2"]["status"]) == (0, "proved")


# -- what keeps it from starting ---------------------------------------------------------------------------------------


def test_an_unknown_crm_is_told_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is replayed: exit 2."""
    some("hubspot", "C-USER-2")

    status = main(["contract-replay", "hubspott"])

    printed = capsys.readouterr()
    assert (status, printed.out, "did you mean 'hubspot'?" in printed.err) == (2, "", True)


@pytest.mark.parametrize(
    ("named", "message"),
    [([], "cassettes: has no cassettes of an installed CRM ("), (["odoo"], "cassettes/odoo: has no cassettes")],
)
def test_without_cassettes_it_says_where_it_looked(
    named: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is named: exit 2."""
    assert main(["contract-replay", *named]) == 2
    assert message in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install() -> None:
    """Where vcrpy is not installed, one line says which extra brings it: exit 2."""
    code = "import sys; sys.modules['vcr'] = None; from connector_core.cli import main; sys.exit(main(sys.argv[1:]))"

    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code, "contract-replay"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "contract-replay needs the extra testing" in done.stderr


def test_what_keeps_pytest_from_running_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An environment in which the clauses cannot even be imported is no clause that fails: exit 2."""
    some("hubspot", "C-USER-2")
    Path("broken").mkdir()
    Path("broken/vcr.py").write_text("raise RuntimeError('this vcr is broken')\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path("broken").absolute()))

    status = main(["contract-replay"])

    told = capsys.readouterr().err
    assert (status, told) == (
        2,
        "connector: the contract of hubspot cannot be replayed; pytest says: RuntimeError: this vcr is broken\n",
    )


# -- the page ----------------------------------------------------------------------------------------------------------


def test_the_page_shows_commands_that_there_are() -> None:
    """Each command line of the page can be typed."""
    shown = [line.partition("#")[0].split() for line in PAGE.read_text(encoding="utf-8").splitlines()]
    typed = [words[1:] for words in shown if words[:1] == ["connector"]]

    assert [build_parser().parse_args(words).command for words in typed] == ["contract-replay"] * 3


def test_the_page_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The line that sums up looks as on the page, whatever the numbers are."""
    (shown,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("hubspot: "))
    some("hubspot", "C-USER-2")
    main(["contract-replay"])

    assert re.sub(r"\d+", "N", shown) == re.sub(r"\d+", "N", capsys.readouterr().out.strip())
