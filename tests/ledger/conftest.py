"""Each test of the ledger runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ledger_bench import Bench, bench


@pytest.fixture(params=["sqlite", "postgres"])
def at(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A ledger, and a CRM in a file."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with bench(url) as made:
        yield made
