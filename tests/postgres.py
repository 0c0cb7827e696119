"""A real PostgreSQL for the tests: one that is named, one that runs here, or one that is started for them."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"
NAMED = "CONNECTOR_TEST_POSTGRES"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a server: the one that ``CONNECTOR_TEST_POSTGRES`` names, that runs here, or that is started now."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver: pip install 'connector-core[postgres]'")
    if named := os.environ.get(NAMED):
        yield named
    elif answers(LOCAL):
        yield LOCAL
    elif (programs := installed()) is None:
        pytest.skip(f"no PostgreSQL: none at {LOCAL}, none installed; {NAMED} may name one")
    else:
        with started(programs) as server:
            yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The address of an empty database, dropped after the test."""
    name = f"connector_test_{uuid.uuid4().hex[:12]}"
    execute(postgres_server, f"create database {name}")
    yield sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    execute(postgres_server, f"drop database {name} with (force)")


def execute(url: str, statement: str) -> None:
    """Execute a statement that is ours, outside of any transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]  # a text of ours, though no literal


def answers(url: str) -> bool:
    """Tell whether a server is there and lets us in."""
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def installed() -> Path | None:
    """Find the folder of the server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("pg_ctl")
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), Path(found).parent if found else None)


@dataclass(frozen=True, slots=True)
class Server:
    """A server of our own. ``restart``: kill it and start it again."""

    url: str
    restart: Callable[[], None]


@contextmanager
def started(programs: Path) -> Iterator[Server]:
    """Start a server of our own in a folder that goes away with it; root may not run one, so another user does."""
    folder = Path(tempfile.mkdtemp(prefix="connector-postgres-"))
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def control(program: str, *arguments: str) -> None:
        command = [*user, programs / program, "-D", folder / "data", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - ours
        assert done.returncode == 0, done.stderr

    control("initdb", "--auth=trust", "--username=postgres", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control("pg_ctl", "start", "--wait", "--silent", "--log", str(folder / "log"), "-o", options)
    try:
        log = ("--log", str(folder / "log"))  # else the server holds our pipe open
        restart = functools.partial(control, "pg_ctl", "restart", "--wait", "--silent", "--mode=immediate", *log)
        yield Server(f"postgresql://postgres@127.0.0.1:{port}/postgres", restart)
    finally:
        control("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(folder)
