"""The cassettes of this repository: none too many, none missing, nothing secret in them, and no contradiction."""

from __future__ import annotations

from pathlib import Path

import pytest
import troubles

from connector_core import discovery
from connector_core.testing.cassettes import inconsistencies, orphans, read, scan
from connector_core.testing.contract.base import CLAUSES

CASSETTES = Path(__file__).resolve().parents[2] / "cassettes"
PLUGINS = sorted(path.name for path in CASSETTES.iterdir() if path.is_dir())


@pytest.mark.parametrize("plugin", PLUGINS)
def test_each_clause_has_its_cassette_and_each_cassette_its_clause(plugin: str) -> None:
    """What applies to a plugin, and only that, is recorded; and what may go wrong with any request."""
    manifest = discovery.crm(plugin)
    standing = {
        it.id: it.standing(manifest, manifest.deviations, local=False) for it in CLAUSES.values() if it.recorded
    }
    wanted = [(plugin, clause_id) for clause_id, found in standing.items() if found in ("proved", "deviation")]
    wanted += [(plugin, f"troubles/{name}") for name in troubles.TROUBLES if plugin in troubles.PLUGINS]

    assert str(orphans(CASSETTES, wanted)) == ""


def test_nothing_secret_and_nobody_real_stands_in_a_cassette() -> None:
    """The raw text is read, as it is committed."""
    assert scan(CASSETTES) == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_cassettes_agree_with_themselves(plugin: str) -> None:
    """Ids come from answers or from the seed, and sums and lists agree."""
    found = {path.name: wrong for path in (CASSETTES / plugin).glob("*.yaml") if (wrong := inconsistencies(path))}

    assert found == {}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_cassettes_of_a_plugin_come_from_one_place(plugin: str) -> None:
    """So that nothing from a sandbox is counted among what a real server answered."""
    origins = {read(path).provenance.origin for path in (CASSETTES / plugin).glob("*.yaml")}

    assert len(origins) == 1
