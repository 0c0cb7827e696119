"""The migrations make exactly the tables that the ledger is written for."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from connector_core.ledger.database import Database
from connector_core.ledger.schema import BACKFILL, INTERACTIVE, calls, metadata
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


@pytest.mark.parametrize("kind", ["SQLite", "PostgreSQL"])
def test_fields_that_are_due_before_0008_wait_as_their_calls_did(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What was due stays due; of a backfilled call it is what nobody waits for."""
    sqlite = kind == "SQLite"
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else request.getfixturevalue("postgres_url"))
    config = Config()
    config.set_main_option("script_location", str(files("connector_core.ledger") / "migrations"))
    with database.writing() as step:
        config.attributes["connection"] = step
        command.upgrade(config, "0007")
    moments = dict.fromkeys(
        ("due_at", "started_at", "accepted_at", "changed_at"), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    said = {"connection": "acme", "state": "written", "how": "sync", "version": 1, "provider": "x", "content_hash": "x"}
    with database.writing() as step:
        for call_id, priority in (("at once", INTERACTIVE), ("backfilled", BACKFILL)):
            step.execute(sa.insert(calls).values(call_id=call_id, priority=priority, **said, **moments))
            due = {"due_at": moments["due_at"], "since": moments["due_at"]}
            step.execute(sa.insert(fills).values(connection="acme", call_id=call_id, mark=1, **due))
    database.upgrade()
    with database.reading() as step:
        found = step.execute(sa.select(fills.c.call_id, fills.c.priority)).all()
    database.close()

    assert dict(map(tuple, found)) == {"at once": INTERACTIVE, "backfilled": BACKFILL}


def test_migrations_are_named_by_their_revisions() -> None:
    """What is newest is told by the names of the files, without alembic."""
    config = Config()
    config.set_main_option("script_location", str(files("connector_core.ledger") / "migrations"))

    revisions = {it.revision: Path(it.path).name[:4] for it in ScriptDirectory.from_config(config).walk_revisions()}
    assert revisions == {revision: revision for revision in revisions}
    assert ScriptDirectory.from_config(config).get_heads() == [max(revisions)]


def test_a_ledger_that_is_up_to_date_opens_without_alembic(tmp_path: Path) -> None:
    """It takes as long to import as the rest of a small command."""
    code = (
        "import sys; from connector_core.ledger.ledger import Ledger; Ledger(sys.argv[1]).close(); "
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'ledger.db'}"]
    said = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)]  # noqa: S603 - ours

    assert said == ["True\n", "False\n"]
