"""The page ``docs/capabilities.md``: what was proved of each CRM, and on what evidence.

Made from the manifests of the plugins that are installed and from where their cassettes come from; that each clause is kept
is what the suite shows. ``python -m connector_core.testing.contract.capabilities > docs/capabilities.md``
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from connector_core import discovery
from connector_core.manifest import CrmManifest
from connector_core.testing.cassettes import cassette_path, read
from connector_core.testing.cassettes.library import FOLDER
from connector_core.testing.contract.base import CLAUSES
from connector_core.testing.contract.clauses import Clause

ORIGINS = ("live", "self-hosted", "sandbox", "local")
_CORE = "connector-core"
_HEAD = """# What was proved of each CRM

Made by `python -m connector_core.testing.contract.capabilities`; a test keeps it equal to manifests and cassettes. The
clauses stand in [the contract](contract.md).

**live**: recorded from an account of the service. **self-hosted**: recorded from a real server of open-source software.
**sandbox**: recorded from the plugin's own sandbox, which is our reading of the service and no proof of it. **local**: asked
without HTTP. **refused**: not declared, and proved to be refused without a request. **deviation**: known not to be kept, for
the reason below. **–**: does not apply, for the reason below.
"""


@dataclass(frozen=True, slots=True)
class Column:
    """One CRM: what each clause shows."""

    manifest: CrmManifest
    cells: Mapping[str, str]
    notes: Mapping[str, str]


def column(manifest: CrmManifest, folder: Path, *, local: bool) -> Column:
    """Say what was proved of a CRM.

    :param folder: Where the cassettes of all plugins are.
    """
    cells: dict[str, str] = {}
    notes: dict[str, str] = {}
    for made in CLAUSES.values():
        standing = made.standing(manifest, manifest.deviations, local=local)
        cells[made.id] = _evidence(manifest, made, folder, local=local) if standing == "proved" else standing
        if standing == "deviation":
            deviation = manifest.deviations[made.id]
            notes[made.id] = f"{deviation.reason} ([source]({deviation.link}))"
        elif standing == "not applicable":
            notes[made.id] = made.why_not(manifest, local=local) or ""
            cells[made.id] = "–"
    return Column(manifest, cells, notes)


def _evidence(manifest: CrmManifest, made: Clause, folder: Path, *, local: bool) -> str:
    if local:
        return "local"
    if made.quiet:
        made = next(iter(CLAUSES.values()))
    path = cassette_path(manifest.name, (made.plays or made).id, folder)
    return read(path).provenance.origin if path.exists() else "not recorded"


def page(columns: list[Column]) -> str:
    """Write the page."""
    return "\n".join([_HEAD, *_summary(columns), "", *_table(columns), "", *_notes(columns)])


def _summary(columns: list[Column]) -> Iterator[str]:
    kinds = (*ORIGINS, "refused", "deviation", "–", "not recorded")
    counts = [Counter(it.cells.values()) for it in columns]
    shown = [kind for kind in kinds if any(count[kind] for count in counts)]
    yield "| | " + " | ".join(shown) + " |"
    yield "| --- |" + " ---: |" * len(shown)
    for it, count in zip(columns, counts, strict=True):
        yield f"| {it.manifest.title} | " + " | ".join(str(count[kind] or "") for kind in shown) + " |"


def _table(columns: list[Column]) -> Iterator[str]:
    yield "| clause | " + " | ".join(it.manifest.title for it in columns) + " |"
    yield "| --- |" + " --- |" * len(columns)
    for made in CLAUSES.values():
        yield f"| {made.id} | " + " | ".join(it.cells[made.id] for it in columns) + " |"


def _notes(columns: list[Column]) -> Iterator[str]:
    for it in columns:
        by_note: dict[str, list[str]] = {}
        for clause_id, note in it.notes.items():
            by_note.setdefault(note, []).append(clause_id)
        if by_note:
            yield f"## {it.manifest.title}\n"
            yield from (f"- {', '.join(clauses)}: {note}." for note, clauses in by_note.items())
            yield ""


def capabilities(folder: Path = FOLDER) -> str:
    """Write the page for the plugins that are installed.

    :param folder: Where the cassettes of all plugins are.
    """
    found = sorted(discovery.crms().values(), key=lambda it: (it.distribution != _CORE, it.name))
    return page([column(it.manifest, folder, local=it.distribution == _CORE) for it in found if it.manifest])


if __name__ == "__main__":
    sys.stdout.write(capabilities())
