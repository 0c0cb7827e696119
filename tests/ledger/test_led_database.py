"""The ledger's database: its tables, its upgrade, and what it says when it cannot keep something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ledger_bench import ACME, Bench, call, several
from postgres import execute

from connector_core.errors import ConfigurationError, TryAgainError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.schema import metadata


def test_the_migrations_make_the_tables_that_the_code_uses(at: Bench) -> None:
    """Column by column, and index by index."""
    with at.ledger.database.reading() as step:
        context = MigrationContext.configure(step, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_what_is_read_together_is_of_one_moment(at: Bench) -> None:
    """A call that is accepted meanwhile is in all of it, or in nothing."""
    calls, connections = (
        sa.select(sa.func.count()).select_from(metadata.tables[it]) for it in ("calls", "connections")
    )
    with at.ledger.database.reading() as step:
        known = step.execute(connections).scalar()
        at.accept(call())
        assert (known, step.execute(calls).scalar()) == (0, 0)


UPGRADE = """
import sys
from connector_core.ledger.ledger import Ledger
from connector_core.model import Call
sys.stdin.readline()
call = Call.model_validate_json(sys.argv[2])
with Ledger(sys.argv[1]) as ledger:
    print(ledger.inbox.accept("acme", [call]).verdicts[call.id])
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_several_processes_may_open_a_new_ledger_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One makes the tables, each waits for it, and a call that all of them accept is new once."""
    url = request.getfixturevalue("postgres_url") if kind == "postgres" else f"sqlite:///{tmp_path}/ledger.db"
    command = [sys.executable, "-c", UPGRADE, url, call().model_dump_json()]
    children = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
        for _ in range(4)
    ]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    said = sorted(child.communicate()[0].strip() for child in children)
    assert said == ["known", "known", "known", "new"]


FORK = """
import os, sys
from connector_core.errors import ConfigurationError
from connector_core.ledger.ledger import Ledger
ledger = Ledger(sys.argv[1])
ledger.now()
if os.fork() == 0:
    try:
        ledger.now()
    except ConfigurationError as error:
        print(error, flush=True)
    ledger.close()
    os._exit(0)
os.wait()
print(ledger.now() is not None)
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_process_that_was_forked_does_not_use_its_parents_ledger(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Two would read each other's answers; and what the child closes is open to the parent."""
    url = f"sqlite:///{tmp_path}/new.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    done = subprocess.run([sys.executable, "-c", FORK, url], capture_output=True, text=True, check=True)  # noqa: S603 - our own code

    told, parent = done.stdout.splitlines()
    assert told.endswith("and its connections are the parent's: open one in each process")
    assert parent == "True"


def test_a_database_of_a_newer_version_is_refused_with_a_clear_word(at: Bench) -> None:
    """And nothing in it is changed."""
    at.accept(call())
    with at.ledger.database.writing() as step:
        step.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(ConfigurationError, match=r"written by another version of the connector.*install the newer one"):
        Ledger(at.url)
    assert at.states() == {"x:1": ("due", None)}


def test_opening_once_more_keeps_everything(at: Bench) -> None:
    """The tables are there: nothing is made anew."""
    at.accept(*several(3))
    at.again()
    assert len(at.states()) == 3


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite://", "sqlite:///:memory:"])
def test_a_ledger_in_no_file_is_refused(url: str) -> None:
    """It would be another one for each thread, and gone in the end."""
    with pytest.raises(ConfigurationError, match="names no file"):
        Ledger(url)


@pytest.mark.parametrize(
    "url",
    [
        "nowhere",
        "mysql://host/name",
        "postgresql+psycopg2://host/name",
        "postgresql://[::1/name",
        "postgresql://host:port/name",
    ],
)
def test_what_is_no_address_of_a_ledger_is_told(url: str) -> None:
    """With what is: nothing else is offered to be installed."""
    with pytest.raises(ConfigurationError, match="wanted sqlite:///FILE or postgresql://HOST/NAME"):
        Ledger(url)


def test_an_option_that_there_is_not_is_told_by_name() -> None:
    """It is the address that is to be mended."""
    with pytest.raises(ConfigurationError, match=r'127\.0\.0\.1:1/name.*"nonsense"'):
        Ledger("postgresql://127.0.0.1:1/name?nonsense=1")


@pytest.mark.parametrize(
    ("search_path", "told"),
    [("guarded", "permission denied for schema guarded"), ("nowhere", "no schema has been sel")],
)
def test_a_user_who_may_make_no_tables_is_told(postgres_url: str, search_path: str, told: str) -> None:
    """As something to mend: since PostgreSQL 15 that is so of whoever does not own the database."""
    user = f"guest_{postgres_url.rpartition('_')[2]}"
    execute(postgres_url, f"create role {user}")
    try:
        execute(postgres_url, "create schema guarded")
        execute(postgres_url, f"grant usage on schema guarded to {user}")
        url = sa.make_url(postgres_url).set(query={"options": f"-crole={user} -csearch_path={search_path}"})
        with pytest.raises(ConfigurationError, match=f"{told}.*: let its user make tables there"):
            Ledger(url.render_as_string(hide_password=False))
    finally:
        execute(postgres_url, f"drop owned by {user}")
        execute(postgres_url, f"drop role {user}")


def test_a_file_that_is_no_database_is_told_by_name(tmp_path: Path) -> None:
    """As something to mend, and stays as it is."""
    path = tmp_path / "ledger.db"
    path.write_text("No database, however long one looks at it. " * 100)
    with pytest.raises(ConfigurationError, match=r"ledger\.db: file is not a database"):
        Ledger(f"sqlite:///{path}")
    assert path.read_text().startswith("No database")


def test_a_database_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    """A folder may be mounted later, a server started."""
    for url in (f"sqlite:///{tmp_path}/no/folder/ledger.db", "postgresql://nobody@127.0.0.1:1/none"):
        with pytest.raises(TryAgainError):
            Ledger(url)


def full(ledger: Ledger, pages: int) -> None:
    """Let the database file grow no more than by so many pages."""
    with ledger.database.engine.connect() as connection:
        count = connection.exec_driver_sql("pragma page_count").scalar_one()

    @sa.event.listens_for(ledger.database.engine, "checkout")
    def _limit(raw: object, *_: object) -> None:
        raw.execute(f"pragma max_page_count={count + pages}")  # type: ignore[attr-defined]  # sqlite3's own


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    """What was accepted stays; what was not may be accepted again once there is room."""
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        ledger.inbox.accept(ACME, several(3))
        full(ledger, 2)
        with pytest.raises(TryAgainError, match="full"):
            ledger.inbox.accept(ACME, [call(it, summary="long " * 2000) for it in range(10, 30)])
        assert set(ledger.calls.of(ACME, [f"x:{it}" for it in range(40)])) == {"x:1", "x:2", "x:3"}
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        assert set(ledger.inbox.accept(ACME, several(30)).verdicts.values()) == {"new", "known"}


def test_a_disk_that_is_full_while_a_pump_works_loses_and_repeats_nothing() -> None:
    """Wherever it becomes full: the run says so, and the next one with room goes on."""
    from ledger_bench import bench

    for pages in (0, 1, 2, 4, 8, 16):
        with bench() as at:
            at.accept(*(call(it, summary="long " * 500) for it in range(1, 9)))
            full(at.ledger, pages)
            told = False
            try:
                at.pump(batch=2).run()
            except TryAgainError as error:
                told = "full" in str(error)
            at.again().run()
            at.later(400)
            at.again().run()
            assert (dict(at.written), told or pages > 8) == ({f"x:{it}": 1 for it in range(1, 9)}, True)
            assert {state for state, _ in at.states().values()} == {"written"}
