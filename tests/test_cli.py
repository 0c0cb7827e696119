"""The command line itself: help, exit statuses, what goes where; and the commands that read no calls."""

from __future__ import annotations

import importlib.metadata
import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector_core import discovery
from connector_core.association import POLICIES
from connector_core.cli import main, parser
from connector_core.testing.demo import DEMO_CALLS, DEMO_WORLD

COMMANDS = ["demo", "associate", "sync", "worker", "login", "doctor", "rotate-keys", "sandbox", "new-plugin", "plugins"]
HEAVY = "pydantic pydantic_core simple_salesforce hubspot requests urllib3 phonenumbers sqlalchemy starlette fastapi"
ASSOCIATE = ["associate", str(DEMO_CALLS), "--crm-file", str(DEMO_WORLD)]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run the command as a process of its own, in an empty directory."""

    def run(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-c", "import sys; from connector_core.cli import main; sys.exit(main())", *arguments],
            cwd=tmp_path,
            env=os.environ | (env or {}),
            check=False,
            encoding="utf-8",
            **{"capture_output": True, "stdin": subprocess.DEVNULL, **options},
        )

    return run


def imported(*arguments: str) -> set[str]:
    """Run a command in a process of its own, and give those of the heavy modules that it imported."""
    code = (
        "import sys; from connector_core.cli import main; main(sys.argv[2:]);"
        "print('\\nIMPORTED', *set(sys.argv[1].split()) & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, HEAVY, *arguments]
    done = subprocess.run(  # noqa: S603 - our own command
        command, check=True, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL
    )
    return set(done.stdout.rpartition("IMPORTED")[2].split())


# -- help and usage ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)], ids=" ".join)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    """Help answers at once: no SDK, no pydantic, no web framework, no database layer is imported for it."""
    assert imported(*arguments) == set()


@pytest.mark.parametrize("arguments", [["--help"], *([command, "--help"] for command in COMMANDS)], ids=" ".join)
def test_help_ends_well(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to standard output, says what the exit status means, and is status 0."""
    assert main(arguments) == 0
    assert "exit status: 0 all done" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["destroy"],
        ["associate"],
        ["associate", "calls.jsonl"],
        ["associate", "calls.jsonl", "--crm-file", "a", "--connection", "b"],
        ["associate", "calls.jsonl", "--crm-file", "a", "--policy", "best"],
        ["sync", "calls.jsonl"],
        ["demo", "--crm", "odoo"],
        ["prune", "--keep-days", "36501"],
        ["plugins", "extra"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_and_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be understood starts nothing, and standard output stays empty."""
    assert main(arguments) == 2

    printed = capsys.readouterr()
    assert printed.out == ""
    assert "usage: connector" in printed.err


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output, with status 0."""
    assert main(["--version"]) == 0
    assert capsys.readouterr() == (f"connector {importlib.metadata.version('connector-core')}\n", "")


def test_the_page_on_formats_has_each_command() -> None:
    """Every command stands in its table, and no other does."""
    page = (Path(__file__).parent.parent / "docs/formats.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^\| `connector ([a-z-]+)", page, re.MULTILINE)) == sorted(parser.COMMANDS)


@pytest.mark.parametrize("option", ["--config", "--ledger", "--provider"])
def test_an_option_of_several_commands_has_one_word(option: str) -> None:
    """Whoever knows it from one command knows it from all."""
    (commands,) = (it.choices for it in parser.build_parser()._actions if isinstance(it.choices, dict))
    texts = {
        action.help for command in commands.values() for action in command._actions if option in action.option_strings
    }

    assert len(texts) == 1


def test_the_policies_offered_are_those_of_the_association() -> None:
    """The light copy in the parser stays the same as the policies themselves."""
    assert parser.POLICIES == POLICIES


# -- how a command ends ------------------------------------------------------------------------------------------------


def _defect(*_: object, **__: object) -> None:
    raise ZeroDivisionError("carl@buyer.example")


def test_a_defect_is_one_line_and_status_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A bug shows its type and how to see more, and neither a traceback nor what the error quotes."""
    monkeypatch.delenv("CONNECTOR_DEBUG", raising=False)
    monkeypatch.setattr(discovery, "crms", _defect)

    assert main(["plugins"]) == 2
    assert capsys.readouterr().err == (
        "connector: unexpected ZeroDivisionError, a defect; CONNECTOR_DEBUG=1 shows where\n"
    )


def test_a_defect_shows_its_traceback_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """CONNECTOR_DEBUG=1 shows where the bug is."""
    caplog.set_level(
        logging.NOTSET, "connector_core"
    )  # and is set back: a command's process is its own, this one is not
    monkeypatch.setenv("CONNECTOR_DEBUG", "1")
    monkeypatch.setattr(discovery, "crms", _defect)
    main(["plugins"])

    assert "Traceback" in capsys.readouterr().err


def test_a_reader_who_goes_away_is_no_error(run: Run) -> None:
    """``connector … | head`` ends quietly."""
    read, write = os.pipe()
    os.close(read)
    try:
        done = run(*ASSOCIATE, "--json", stdout=write, stderr=subprocess.PIPE, capture_output=False)
    finally:
        os.close(write)

    assert (done.returncode, done.stderr) == (1, "")


def test_output_that_cannot_be_written_is_told(run: Run) -> None:
    """As on a full disk: what came of the work is not said to be a defect."""
    with Path("/dev/full").open("w") as full:
        done = run(*ASSOCIATE, "--json", stdout=full, stderr=subprocess.PIPE, capture_output=False)

    assert (done.returncode, done.stderr) == (1, "connector: the output cannot be written (No space left on device)\n")


@pytest.mark.parametrize("command", [("--help",), ("fill", "show", "--help")])
def test_help_that_cannot_be_written_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    """Also where Python holds nothing back, as in containers: argparse would pass over it."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    with Path("/dev/full").open("w") as full:
        done = run(*command, stdout=full, stderr=subprocess.PIPE, capture_output=False)

    assert (done.returncode, done.stderr) == (1, "connector: the output cannot be written (No space left on device)\n")


def test_an_interrupt_is_status_130_without_a_traceback(tmp_path: Path) -> None:
    """Ctrl-C while the calls are read ends the command, quietly."""
    with subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", _INTERRUPTED, "associate", "-", "--crm-file", str(DEMO_WORLD)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


_INTERRUPTED = """
import signal
import sys
from connector_core.cli import inputs, main
from connector_core.calls import read_calls

def reading(lines):
    print("reading", flush=True)
    return read_calls(lines)

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what it runs in the background ignore it
inputs.read_calls = reading
sys.exit(main())
"""


def test_output_is_utf_8_whatever_the_locale(run: Run) -> None:
    """JSON is UTF-8 by its own standard."""
    done = run(*ASSOCIATE, "--json", "--region", "FR", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})

    assert "Léa Fontaine" in done.stdout


def test_input_that_is_no_text_is_no_defect(run: Run, tmp_path: Path) -> None:
    """An id that nobody has."""
    (tmp_path / "connector.toml").write_text(
        '[connections.acme]\ncrm = "file"\n[connections.acme.settings]\npath = "x"\n'
    )
    (tmp_path / "ids").write_bytes(b"x:\xff\n")
    with (tmp_path / "ids").open() as ids:
        done = run("refresh", "-", "--connection", "acme", stdin=ids)

    assert "has accepted no call x:\N{REPLACEMENT CHARACTER}" in done.stderr


def test_a_closed_standard_input_is_told(run: Run) -> None:
    """Where there is nothing to read from, the message says so."""
    code = "import sys; sys.stdin = None; from connector_core.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "associate", "-", "--crm-file", str(DEMO_WORLD)]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")  # noqa: S603 - our own command

    assert (done.returncode, done.stderr) == (2, "connector: standard input is closed\n")


@pytest.mark.parametrize(("variable", "coloured"), [("UNUSED", True), ("NO_COLOR", False)])
def test_colour_is_for_a_terminal_that_wants_it(run: Run, variable: str, coloured: bool) -> None:
    """A terminal gets colour, unless NO_COLOR is set."""
    terminal, slave = pty.openpty()
    try:
        run("plugins", env={variable: "1"}, stdout=slave, stderr=subprocess.PIPE, capture_output=False)
        printed = os.read(terminal, 10_000)
    finally:
        os.close(slave)
        os.close(terminal)

    assert (b"\x1b[1mfile\x1b[0m" in printed) == coloured


def test_what_goes_into_a_file_has_no_colour(run: Run) -> None:
    """A file gets text alone."""
    assert "\x1b" not in run("plugins").stdout


# -- plugins -----------------------------------------------------------------------------------------------------------


def test_listing_plugins_imports_no_sdk() -> None:
    """What is installed is read from metadata and manifests alone."""
    assert imported("plugins") == set()


def test_plugins_says_what_each_is_and_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Name, kind, version, operations and traits of what is installed, a JSON object a line."""
    assert main(["plugins", "--json"]) == 0

    listed = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert listed["file"] == {
        "name": "file",
        "kind": "crm",
        "title": "CRM in a file",
        "distribution": "connector-core",
        "version": "0.1.0",
        "operations": sorted(discovery.crm("file").operations),
        "traits": sorted(discovery.crm("file").traits),
        "sandbox": False,
        "usable": True,
        "problem": None,
    }


def test_plugins_says_why_one_cannot_be_used(run: Run, tmp_path: Path) -> None:
    """A plugin that does not import is listed with the reason, and the others are listed as ever."""
    metadata = tmp_path / "site" / "connector_broken-2.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: connector-broken\nVersion: 2.0\n")
    (metadata / "entry_points.txt").write_text("[connector.crms]\nbroken = no_such_module_7f3a:BROKEN\n")
    done = run("plugins", env={"PYTHONPATH": str(tmp_path / "site")})

    assert re.search(
        r"^broken .* connector-broken 2\.0  cannot be used\n +.*no_such_module_7f3a", done.stdout, re.MULTILINE
    )
    assert re.search(r"^file .* usable$", done.stdout, re.MULTILINE)


# -- demo --------------------------------------------------------------------------------------------------------------


def lines(text: str) -> list[dict[str, Any]]:
    """Read a JSON object a line."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("crm", ["file", "hubspot", "salesforce"])
def test_the_demo_writes_every_call_once(crm: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call is written by the first sync, and none by the second."""
    assert main(["demo", "--crm", crm, "--json"]) == 0

    printed = lines(capsys.readouterr().out)
    first, second = (line for line in printed if "outcomes" in line)
    assert set(first["outcomes"]) == {"created", "updated"}
    assert (set(second["outcomes"]), second["written"]) == ({"unchanged"}, {})


def test_the_demo_shows_reasons_and_what_the_crm_holds(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees each decision with its reason, and the activity as the CRM holds it."""
    main(["demo", "--crm", "file"])

    printed = capsys.readouterr().out
    assert "Opportunity O1 Marais Mobilier: 40 magasins is chosen" in printed
    assert "call_id demo:by-phone · person_ids Camille Durand" in printed
    assert re.search(r"^Once more +8 unchanged; nothing new$", printed, re.MULTILINE)


def test_the_demo_shows_salesforce_and_then_hubspot(capsys: pytest.CaptureFixture[str]) -> None:
    """Unless told, both are shown."""
    assert main(["demo", "--json"]) == 0

    shown = [line["crm"] for line in lines(capsys.readouterr().out) if "outcomes" in line]
    assert shown == ["salesforce", "salesforce", "hubspot", "hubspot"]


def test_the_demo_changes_nothing_in_the_directory(run: Run, tmp_path: Path) -> None:
    """The demo works on a copy of its own."""
    run("demo", "--crm", "file")

    assert list(tmp_path.iterdir()) == []
