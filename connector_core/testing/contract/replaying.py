"""The recorded contract of a plugin, replayed in a pytest of its own, whatever suite stands beside it.

Nothing of that suite is read: neither its configuration, nor its plugins of pytest, nor its options.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from connector_core.errors import ConfigurationError
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES
from connector_core.testing.contract.clauses import Clause
from connector_core.testing.contract.report import Line

_MODULE = """\
from connector_core import discovery
from connector_core.testing.contract import AdapterContract


class TestReplay(AdapterContract, manifest=discovery.crm({name!r})):
    pass
"""
_RAN = (0, 1)
"""The exit statuses with which pytest says that all tests were run: each passed, or some failed."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What a folder of cassettes shows of a plugin.

    ``lines``: what became of each clause. ``unrecorded``: clauses that have no cassette there. ``unplayed``: names of
    cassettes that are no clause's of this version.
    """

    lines: tuple[Line, ...]
    unrecorded: tuple[str, ...]
    unplayed: tuple[str, ...]


def replay(manifest: CrmManifest, folder: Path) -> Replay:
    """Run the clauses of an installed plugin on their cassettes, with the network blocked and without credentials.

    :param folder: Where the cassettes of all plugins are.
    :raises ConfigurationError: It has none of this plugin, or pytest cannot run here.
    """
    there = {path.stem for path in (folder / manifest.name).glob("*.yaml")}
    if not there:
        raise ConfigurationError(f"{folder / manifest.name}: has no cassettes")
    played = {it: _cassette(it, manifest) for it in CLAUSES.values()}
    chosen = [clause for clause, cassette in played.items() if cassette is None or cassette in there]
    return Replay(
        lines=_run(manifest, folder.absolute(), chosen),
        unrecorded=tuple(clause.id for clause in played if clause not in chosen),
        unplayed=tuple(sorted(there.difference(filter(None, played.values())))),
    )


def _cassette(clause: Clause, manifest: CrmManifest) -> str | None:
    """Name the cassette that a clause plays; None where it needs none of its own."""
    if clause.quiet or clause.standing(manifest, manifest.deviations, local=False) in ("refused", "not applicable"):
        return None
    return (clause.plays or clause).id


def _run(manifest: CrmManifest, folder: Path, clauses: list[Clause]) -> tuple[Line, ...]:
    with tempfile.TemporaryDirectory(prefix="contract-replay-") as scratch:
        module, report = Path(scratch, "test_replay.py"), Path(scratch, "report.json")
        module.write_text(_MODULE.format(name=manifest.name), encoding="utf-8")
        Path(scratch, "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        done = subprocess.run(  # noqa: S603 - our own Python, on what was written here
            [
                *(sys.executable, "-m", "pytest", "-p", "connector_core._pytest_plugin", "-p", "no:cacheprovider"),
                *("-o", f"crm_cassettes={folder}", "--contract-report", str(report)),
                *(f"{module.name}::TestReplay::{clause.function}" for clause in clauses),
            ],
            cwd=scratch,
            env={**_outer_environment(), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode not in _RAN or not report.exists():
            told = [*re.findall(r"^E +(.+)$", done.stdout, re.MULTILINE), *done.stderr.splitlines(), "nothing"]
            raise ConfigurationError(f"the contract of {manifest.name} cannot be replayed; pytest says: {told[0]}")
        return tuple(Line(**line) for line in json.loads(report.read_text(encoding="utf-8")))


def _outer_environment() -> dict[str, str]:
    """Give the environment without what is meant for another run of pytest."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
