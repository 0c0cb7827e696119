"""The page "Add a CRM in an afternoon", done from its first line to its last, in an empty folder."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fresh_python import ROOT, FreshPython, fresh_python

from connector_core.testing.contract.base import CLAUSES

PAGE = ROOT / "docs" / "add-a-crm.md"
FENCE = re.compile(r"^```(\w+)(?: (file|of)=(\S+))?(?: (head|hooks|end))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "8099"
"""The port of the page, which is replaced by one that is free."""


@dataclass(frozen=True)
class Block:
    """A fenced block: ``file`` says what to write, and where in a file that is there; ``of`` what stands in one."""

    language: str
    relation: str | None
    path: str | None
    place: str | None
    text: str


def blocks(port: int) -> list[Block]:
    """Read the page's blocks."""
    return [Block(*match) for match in FENCE.findall(PAGE.read_text(encoding="utf-8").replace(PORT, str(port)))]


@dataclass
class Reader:
    """Somebody who follows the page. ``failures``: what a command showed otherwise than the page."""

    fresh: FreshPython
    folder: Path
    where: Path
    failures: list[str] = field(default_factory=list)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        path = self.folder / (block.path or "")
        if block.relation == "of":
            assert block.text in path.read_text(encoding="utf-8"), f"{block.path} does not hold what the page shows"
        elif block.relation == "file":
            before = path.read_text(encoding="utf-8") if path.exists() else ""
            path.write_text(edited(before, block), encoding="utf-8")
        elif block.language == "console":
            for command, shown in commands(block.text):
                self.run(command, shown)

    def run(self, command: str, shown: list[str]) -> None:
        """Run a command; each line shown stands in what it prints, and it fails only where that is shown."""
        program, *arguments = shlex.split(command)
        if program == "cd":
            self.where = self.where / arguments[0]
        elif program == "export":
            name, _, value = arguments[0].partition("=")
            os.environ[name] = value  # the fixture takes it back
        elif arguments[-1] == "&":
            self.start(arguments[:-1])
        else:
            done = self.fresh.run(program, *arguments, cwd=self.where, status=None)
            printed = done.stdout + done.stderr
            missing = [line for line in shown if not re.search(pattern(line), printed, re.MULTILINE)]
            if missing or bool(done.returncode) != any(" failed" in line for line in shown):
                self.failures.append(f"$ {command}\nmissing: {missing}\n{printed}")

    def start(self, arguments: list[str]) -> None:
        """Start a server, and wait until it listens."""
        python = str(self.fresh.python)
        self.running.append(subprocess.Popen([python, *arguments], cwd=self.where))  # noqa: S603 - the page's service
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(arguments[-1]))) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError(f"{arguments[0]} does not listen")


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Split a console block into commands and the lines that they show."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, [line for line in shown if line.strip()]


def pattern(line: str) -> str:
    """Make a pattern of a shown line; … stands for anything."""
    return ".*".join(re.escape(part.strip()) for part in line.split("…"))


def edited(text: str, block: Block) -> str:
    """Edit a file as a block says; without a place, the block is the whole file."""
    if block.language == "diff":
        return patched(text, block.text)
    if block.place == "head":
        return block.text + "\n" + text[text.index("    @hookimpl") :]
    if block.place == "end":
        return text.rstrip() + "\n\n\n" + block.text
    return with_hooks(text, block.text) if block.place == "hooks" else block.text


def patched(text: str, diff: str) -> str:
    """Replace each run of lines with - by the lines with + below it."""
    for gone, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)*)", diff, re.MULTILINE):
        old = "".join(line[1:] for line in gone.splitlines(keepends=True))
        assert text.count(old) == 1, f"the page replaces what is not there once:\n{old}"
        text = text.replace(old, "".join(line[1:] for line in new.splitlines(keepends=True)))
    return text


def with_hooks(text: str, hooks: str) -> str:
    """Replace the methods of a class by those of the same name; a new one comes behind the one before it."""
    lines, before = hooks.splitlines(), ""
    for name, (start, end) in methods("class Hooks:\n" + hooks).items():
        there, place = text.splitlines(), methods(text)
        first, last = place[name] if name in place else (place[before][1], place[before][1])
        method = ["", *lines[start - 1 : end - 1]] if name not in place else lines[start - 1 : end - 1]
        text = "\n".join([*there[:first], *method, *there[last:]]) + "\n"
        before = name
    return text


def methods(text: str) -> dict[str, tuple[int, int]]:
    """Find the methods of the one class: from which line, decorators included, to before which one."""
    (cls,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    found = (node for node in cls.body if isinstance(node, ast.FunctionDef))
    return {
        it.name: (min([it.lineno, *(each.lineno for each in it.decorator_list)]) - 1, it.end_lineno or 0)
        for it in found
    }


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Follow the page to its end."""
    folder = tmp_path_factory.mktemp("afternoon")
    fresh = fresh_python(tmp_path_factory.mktemp("fresh") / "venv")
    reader = Reader(fresh, folder, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = dict(os.environ)
    try:
        for block in blocks(port):
            reader.follow(block)
        yield reader
    finally:
        for process in reader.running:
            process.terminate()
            process.wait()
        os.environ.clear()
        os.environ.update(before)


def test_all_that_the_page_shows_is_true(reader: Reader) -> None:
    """Each command prints what the page shows of it, and fails only where the page says so."""
    assert not reader.failures, "\n".join(reader.failures)


def test_no_block_of_the_page_is_passed_over() -> None:
    """Every fenced block is a file, a part of one, or commands: none stands there unread."""
    fences = re.findall(r"^```\w+.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    read = blocks(0)

    assert (len(read), [it.text for it in read if not it.relation and it.language != "console"]) == (len(fences), [])


def test_the_plugin_of_the_page_keeps_every_clause(reader: Reader) -> None:
    """What the page builds is proved, or refused as not declared: no clause fails, deviates or does not apply."""
    lines = json.loads((reader.folder / "connector-acme" / "report.json").read_text(encoding="utf-8"))

    assert {line["clause"] for line in lines} == set(CLAUSES)
    assert {(line["status"], line["origin"]) for line in lines} == {
        ("proved", "self-hosted"),
        ("refused", "self-hosted"),
    }


@pytest.mark.parametrize("tool", ["ruff check", "ruff format --check", "mypy --strict"])
def test_the_plugin_of_the_page_is_clean(tool: str, reader: Reader) -> None:
    """What the page builds lints, is formatted, and is typed strictly."""
    ours = ["--config", ROOT / "pyproject.toml"] if "ruff" in tool else ["--cache-dir", ROOT / ".mypy_cache"]

    program, *options = tool.split()
    reader.fresh.run("python", "-m", program, *options, *ours, "src", cwd=reader.folder / "connector-acme")
