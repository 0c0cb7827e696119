"""What the documents show is run: files are written, commands executed, their output compared, code run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector_core.ledger.progress import STATE_OF
from connector_core.ledger.schema import STATES
from connector_core.template_file import read_templates

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("plugins/*/README.md")])
RUN_AS_A_WHOLE = {"docs/add-a-crm.md"}
"""Pages that build one thing from their first line to their last; a test of its own follows each."""
FENCE = re.compile(r"^```(\w*)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")
BEYOND_A_TEST = (
    "uv run connector demo",
    "uv run pytest",
    "uv run python -m",
    "connector sandbox",
    "connector serve",
    "connector worker",
)
"""Run by the gate, or serving until stopped; the tests of the commands themselves run them."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    file: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    if name(page) in RUN_AS_A_WHOLE:
        return []
    return [Block(*match.groups(default=None)) for match in FENCE.finditer(page.read_text(encoding="utf-8"))]  # type: ignore[arg-type]  # a file name may be None


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Split a console block into commands and the lines of output that they show."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_shows_of_the_command_line_is_true(page: Path, tmp_path: Path) -> None:
    """Each command is run in order, beside the files of the page; each line shown stands in what it prints."""
    connector = Path(sys.executable).with_name("connector")
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        for command, shown in commands(block) if block.language == "console" else []:
            if command.startswith(BEYOND_A_TEST):
                continue
            program, *arguments = command.split()
            assert program == "connector", f"{name(page)} shows a command that no test runs: {command}"
            done = subprocess.run(  # noqa: S603 - the command is ours
                [connector, *arguments],
                cwd=tmp_path,
                env={**os.environ, "PYTHONUTF8": "1"},
                capture_output=True,
                text=True,
                encoding="utf-8",
                check=False,
            )
            for line in shown:
                pattern = ".*".join(re.escape(part) for part in line.split("…"))
                assert re.search(pattern, done.stdout), (command, line, done.stdout, done.stderr)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    """Each Python block, in a folder of its own."""
    for block in blocks(page):
        if block.language == "python":
            done = subprocess.run(  # noqa: S603 - the code is ours
                [sys.executable, "-W", "error", "-c", block.text],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_data_of_a_page_can_be_read(page: Path) -> None:
    """JSON is JSON, line by line if need be, TOML is TOML, and YAML holds templates."""
    for block in blocks(page):
        if block.language == "json":
            lines = block.text.splitlines() if (block.file or "").endswith(".jsonl") else [block.text]
            assert all(json.loads(line) for line in lines)
        if block.language == "toml":
            assert tomllib.loads(block.text)
        if block.language == "yaml":
            assert read_templates(block.text.encode(), name(page))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Every relative link names a file or folder that is there."""
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]

    assert broken == []


def test_the_picture_of_a_calls_states_has_all_of_them() -> None:
    """Every state, and every outcome that leads to one, stands in the picture."""
    page = ROOT / "docs" / "running.md"
    (picture,) = [block.text for block in blocks(page) if block.language == "text"]

    assert [word for word in (*STATES, *STATE_OF) if word not in picture] == []


def test_the_readme_names_the_two_commands() -> None:
    """One runs the main job, one the tests; and how to get uv, and the plain way."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert [
        word
        for word in ("uv run connector demo", "uv run pytest", "pip install uv", "pip install . ")
        if word not in text
    ] == []


def test_the_embedding_example_stays_short() -> None:
    """Twenty lines, without blanks and imports."""
    (example,) = [block for block in blocks(ROOT / "README.md") if block.language == "python"]
    code = [line for line in example.text.splitlines() if line.strip() and not line.startswith(("import", "from"))]

    assert len(code) <= 20
