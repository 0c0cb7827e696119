"""The migrations make exactly the tables that the ledger is written for."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from connector_core.ledger.database import Database
from connector_core.ledger.schema import metadata
from connector_core.ledger.schema_filling import fills


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_migrations_make_what_the_schema_says(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A database that is brought up to date differs in nothing; and once more changes nothing."""
    sqlite = kind == "SQLite"
    url = f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else request.getfixturevalue("postgres_url")
    database = Database(url)
    database.upgrade()
    database.upgrade()
    with database.reading() as step:
        differences = compare_metadata(MigrationContext.configure(step), metadata)
    database.close()

    assert differences == []
    assert fills.metadata is metadata
