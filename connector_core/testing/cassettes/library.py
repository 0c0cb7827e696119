"""Where cassettes stand, which of them nobody plays, and how a team replays one in a suite of its own.

A cassette stands at ``FOLDER/PLUGIN/CLAUSE.yaml``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from connector_core import discovery
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.manifest import ConnectionInfo
from connector_core.testing.cassettes.exchange import Provenance
from connector_core.testing.cassettes.form import read
from connector_core.testing.cassettes.replay import replaying

FOLDER = Path("cassettes")
"""The folder that is meant where none is given: in the directory that the suite, or the command, is run from."""


def cassette_path(plugin: str, clause: str, folder: Path = FOLDER) -> Path:
    """Give the place of a cassette."""
    return folder / plugin / f"{clause}.yaml"


@dataclass(frozen=True, slots=True)
class Orphans:
    """``unplayed``: cassettes that no test plays. ``missing``: those that a test would play, and that are not there."""

    unplayed: tuple[Path, ...]
    missing: tuple[Path, ...]

    def __str__(self) -> str:
        """Say what to do about each, a line each; nothing where all is well."""
        lines = [f"{path}: no test plays it; delete it" for path in self.unplayed]
        lines += [f"{path}: is missing; record it, as cassettes/README.md says" for path in self.missing]
        return "\n".join(lines)


def orphans(folder: Path, wanted: Iterable[tuple[str, str]]) -> Orphans:
    """Compare the cassettes in a folder with those that are played: plugins and clauses of all collected tests.

    A plugin of which nothing was collected is left out: its suite may be run elsewhere.
    """
    pairs = set(wanted)
    played = {cassette_path(plugin, clause, folder) for plugin, clause in pairs}
    there = {path for plugin in {plugin for plugin, _ in pairs} for path in (folder / plugin).rglob("*.yaml")}
    return Orphans(tuple(sorted(there - played)), tuple(sorted(played - there)))


def provenance(plugin: str, clause: str, *, folder: Path = FOLDER) -> Provenance:
    """Tell where a cassette comes from, and the CRM's ids of the world's records.

    :raises CassetteError: There is none.
    """
    return read(cassette_path(plugin, clause, folder)).provenance


@contextmanager
def recorded(plugin: str, clause: str, *, folder: Path = FOLDER) -> Iterator[Connection]:
    """Give a connection that is answered from the cassette of a clause, with the network blocked.

    What is asked of it must be what the clause asks: the requests are compared, and all must be made.
    ::

        with recorded("hubspot", "C-EMAIL-1") as connection:
            people = connection.find_contacts_by_email(["carla.client@example.com"])

    :param folder: Where the cassettes are: a copy of this project's ``cassettes``, or your own.
    :raises ConfigurationError: The plugin is not installed.
    :raises CassetteError: As :func:`~connector_core.testing.cassettes.replay.replaying`.
    """
    manifest = discovery.crm(plugin)
    with replaying(cassette_path(plugin, clause, folder)) as tape:
        told = tape.provenance.info
        info = ConnectionInfo("recorded", tuple(told.get("regions", ())), told.get("time_zone", "UTC"))
        with bind(manifest, tape.provenance.settings, info, users_age_seconds=0) as connection:
            yield connection
