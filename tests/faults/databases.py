"""The ledgers' databases of a run: files, or databases of a PostgreSQL that is the run's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import psycopg
import sqlalchemy as sa

from tests import postgres


class Databases:
    """Makes an empty one for each fault."""

    def __init__(self, kind: str) -> None:
        """Take ``sqlite`` or ``postgres``."""
        self.kind = kind
        self._stack = ExitStack()
        self._server: postgres.Server | None = None

    def __enter__(self) -> Self:
        """Start the server."""
        if self.kind == "postgres":
            programs = postgres.installed()
            if programs is None:
                raise SystemExit("PostgreSQL is not installed: its faults need a server of their own")
            self._server = self._stack.enter_context(postgres.started(programs))
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._stack.close()

    def new(self, folder: Path) -> str:
        """Make a database; give its address."""
        if self._server is None:
            return f"sqlite:///{folder}/ledger.db"
        name = f"faults_{uuid.uuid4().hex[:12]}"
        postgres.execute(self._server.url, f"create database {name}")
        return sa.make_url(self._server.url).set(database=name).render_as_string(hide_password=False)

    def engine_tables(self, url: str) -> str:
        """Give all that the engine's own tables say, as text."""
        if self._server is None:
            return ""
        with psycopg.connect(url) as connection:
            tables = connection.execute(
                "select format('%I.%I', table_schema, table_name) from information_schema.tables"
                " where table_name like 'procrastinate%'"
            ).fetchall()
            rows = [connection.execute(f"select * from {table}").fetchall() for (table,) in tables]  # type: ignore[call-overload]  # noqa: S608 - names that the database quoted
        return str(rows)

    @property
    def restart(self) -> Callable[[], None]:
        """Kill the server and start it again, as a crash would."""
        if self._server is None:
            raise RuntimeError("a file has no server")
        return self._server.restart
