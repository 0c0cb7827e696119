"""The ledger's database: SQLite or PostgreSQL, opened safely and brought up to date."""

from __future__ import annotations

import datetime as dt
import importlib.resources
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from connector_core.errors import ConfigurationError, TryAgainError
from connector_core.references import resolve

BUSY_SECONDS = 30.0
"""How long a step waits for another process that writes to the same SQLite file, and how long one in PostgreSQL may be
silent: what it locked is free then, though the machine that it ran on is gone, of which the server hears hours later.
"""


_HEARD_OF = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""After how long a server counts as away that is silent, unless the address says otherwise: the system's own wait lasts from
a quarter of an hour to two hours. Seconds, and milliseconds for the last: see PostgreSQL, "Database Connection Control
Functions".
"""
_NO_RIGHT = ("42501", "3F000")
"""PostgreSQL's codes where a user lacks a right, or its schema is not there."""
_AWAY = ("OperationalError", "InterfaceError", "InternalError")


def address(url: str, directory: Path) -> str:
    """Give the address of a ledger as a configuration names it: references followed, relative files made whole.

    :param directory: The configuration file's.
    :raises ConfigurationError: A reference leads nowhere.
    """
    found: str = resolve({"url": url}, directory, of="ledger")["url"]
    scheme = "sqlite:///"
    return f"{scheme}{directory / found.removeprefix(scheme)}" if found.startswith(scheme) else found


class Database:
    """One database, for all threads of a process."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        """Open nothing yet.

        :param url: ``sqlite:///FILE`` or ``postgresql://…``.
        :param clock: Seconds since 1970, for SQLite; PostgreSQL tells the time itself, alike for all machines.
        :raises ConfigurationError: The address cannot be read, or its driver is not installed.
        """
        try:
            parsed = _parsed(url)
            self.engine = _engine(parsed)
        except (exc.ArgumentError, ValueError) as error:
            raise ConfigurationError(
                "ledger, url: is no address of a database; wanted sqlite:///FILE or postgresql://HOST/NAME"
            ) from error
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"ledger, url: needs {error.name}: pip install 'connector-core[postgres]'"
            ) from error
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite and parsed.database in (None, "", ":memory:"):
            raise ConfigurationError("ledger, url: names no file; wanted sqlite:///FILE")
        # Whoever comes to the file by a link finds the same locks beside it.
        self.path = Path(parsed.database or "").resolve() if self.is_sqlite else None
        # SQLite's transactions see one moment anyhow; by default each statement in PostgreSQL sees another.
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._snapshots = self.engine.execution_options(**level)
        self.name = parsed.render_as_string(hide_password=True)
        # SQLite lets whoever finds it locked sleep and look again: threads of one process need not wait like that.
        self._turn: AbstractContextManager[object] = threading.Lock() if self.is_sqlite else nullcontext()
        self._clock = clock
        self._process = os.getpid()
        # What a driver says of itself, too, where it is asked past SQLAlchemy. PostgreSQL's InternalError is a server that
        # only reads since another took over, or that ended a session.
        self._away = tuple(getattr(of, name) for of in (exc, self.engine.dialect.loaded_dbapi) for name in _AWAY)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose(close=os.getpid() == self._process)  # else they are the parent's

    def insert(self, table: sa.Table) -> Any:
        """Give an insert that can say what becomes of rows that are there: each database has one of its own."""
        return (sqlite_insert if self.is_sqlite else pg_insert)(table)

    def upgrade(self) -> None:
        """Bring the tables up to date; several processes may do so at once.

        :raises ConfigurationError: The database cannot be opened, or was written by a newer version.
        """
        migrations = importlib.resources.files("connector_core.ledger") / "migrations"
        newest = max(it.name for it in (migrations / "versions").iterdir() if it.name[0].isdigit())[:4]
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.text("select pg_advisory_xact_lock(hashtext('connector ledger'))"))
            if self._revision(connection) != newest:
                self._migrate(connection, str(migrations))

    def _migrate(self, connection: sa.Connection, migrations: str) -> None:
        from alembic import command  # not for a ledger that is up to date: it takes as long as the rest of a command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", migrations.replace("%", "%%"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise ConfigurationError(
                f"ledger {self.name}: was written by another version of the connector ({error}): install the newer one"
            ) from error

    def purge(self) -> bool:
        """Let nothing remain in the files of what was deleted; tell whether that was possible now.

        In SQLite the log of changes is emptied, unless another process reads. In PostgreSQL the tables are vacuumed: what
        its own log and backups hold is up to whoever runs it.

        :raises TryAgainError: The database cannot be reached.
        """
        statement = "pragma wal_checkpoint(truncate)" if self.is_sqlite else "vacuum"
        with self._told():
            raw = self.engine.raw_connection()
            try:
                if not self.is_sqlite:
                    raw.driver_connection.autocommit = True  # type: ignore[union-attr]  # it is there
                cursor = raw.cursor()
                cursor.execute(statement)
                return not self.is_sqlite or cursor.fetchone()[0] == 0  # type: ignore[index]  # it always answers
            finally:
                raw.invalidate()
                raw.close()

    def _revision(self, connection: sa.Connection) -> str | None:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("select version_num from alembic_version")).scalar()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Read in one transaction, all of it as it was at one moment."""
        with self._told(), self._snapshots.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Write in one transaction: all of it is kept, durably, or nothing.

        :raises TryAgainError: The database cannot be reached, is locked, or is full; nothing was kept.
        """
        with self._told(), self._turn, self.engine.connect() as connection:
            connection = connection.execution_options(connector_writes=True)
            with connection.begin():
                yield connection

    def now(self, connection: sa.Connection) -> dt.datetime:
        """Tell the time: PostgreSQL's own, so that the clocks of machines need not agree."""
        if self.is_sqlite:
            return dt.datetime.fromtimestamp(self._clock(), dt.UTC)
        moment: dt.datetime = connection.execute(sa.text("select clock_timestamp()")).scalar_one()
        return moment

    @contextmanager
    def _told(self) -> Iterator[None]:
        if os.getpid() != self._process:
            raise ConfigurationError(
                f"ledger {self.name}: was opened before this process was forked, and its connections are the parent's:"
                " open one in each process"
            )
        try:
            yield
        except (*self._away, exc.TimeoutError) as error:
            what = str(getattr(error, "orig", error)).partition("\n")[0]
            raise TryAgainError(f"ledger {self.name}: {what}") from error
        except exc.DatabaseError as error:
            if getattr(error.orig, "sqlstate", None) in _NO_RIGHT:
                what = str(error.orig).partition("\n")[0]
                raise ConfigurationError(
                    f"ledger {self.name}: {what}: let its user make tables there, or name another one"
                ) from error
            # Its subclasses are defects of ours, but for what is refused before any statement: options of the address.
            if type(error) is not exc.DatabaseError and error.statement is not None:
                raise
            raise ConfigurationError(f"ledger {self.name}: {error.orig}: restore it, or name another one") from error


def _parsed(url: str) -> sa.URL:
    """Read an address.

    :raises ArgumentError: It is none; ValueError says so too, of a port or a host.
    """
    parsed = sa.make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise exc.ArgumentError("it is of another database, or wants another driver")
    return parsed


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        url = url.set(query={**_HEARD_OF, **url.query})
        engine = sa.create_engine(url, pool_pre_ping=True, pool_size=10, hide_parameters=True)

        @event.listens_for(engine, "begin")
        def _bound(connection: sa.Connection) -> None:
            if connection.get_execution_options().get("connector_writes"):
                milliseconds = round(BUSY_SECONDS * 1000)
                connection.exec_driver_sql(f"set local idle_in_transaction_session_timeout = {milliseconds}")

        return engine
    # Python 3.11's sqlite3 opens transactions by itself, and only for some statements: it is switched off here.
    arguments: dict[str, Any] = {"timeout": BUSY_SECONDS, "isolation_level": None}
    engine = sa.create_engine(url, connect_args=arguments, pool_size=10, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: object) -> None:
        for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "secure_delete=on"):
            raw.execute(f"pragma {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that writes takes its lock at the start: one that began by reading could not wait for it later.
        writes = connection.get_execution_options().get("connector_writes")
        connection.exec_driver_sql("begin immediate" if writes else "begin")

    return engine
