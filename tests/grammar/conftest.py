"""Packages of npm, and what the plugins were recorded to send."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connector_core.testing.cassettes.exchange import Asked
from connector_core.testing.cassettes.form import read
from tests.grammar.published import CannotFetchError, Package, fetch

CASSETTES = Path(__file__).parents[2] / "cassettes"


@pytest.fixture(scope="session")
def fetched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Fetch packages into the cache of pytest, and give the folder; skip where they cannot be had."""
    kept = getattr(request.config, "cache", None)
    folder = kept.mkdir("npm") if kept is not None else tmp_path_factory.mktemp("npm")
    failed: list[str] = []

    def have(*packages: Package) -> Path:
        try:
            if not failed:  # what failed once is not waited for again
                fetch(list(packages), folder)
        except CannotFetchError as error:
            failed.append(str(error))
        if failed:
            pytest.skip(failed[0])
        return folder

    return have


@pytest.fixture(scope="session")
def sent() -> Callable[[str], list[Asked]]:
    """Give what a plugin was recorded to send, each request once."""

    def requests(plugin: str) -> list[Asked]:
        cassettes = [read(path) for path in sorted((CASSETTES / plugin).glob("*.yaml"))]
        asked = [exchange.asked for cassette in cassettes for exchange in cassette.exchanges]
        return list({repr(it.parts()): it for it in asked}.values())

    return requests
