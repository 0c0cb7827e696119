"""Credentials in the ledger: encrypted at rest, bound to their connection, and shared by processes."""

from __future__ import annotations

import base64
import errno
import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from connector_core.config import ConnectionConfig
from connector_core.errors import ConfigurationError, TryAgainError
from connector_core.ledger import vault as vault_module
from connector_core.ledger.database import Database
from connector_core.ledger.schema import credentials
from connector_core.ledger.vault import Vault, open_vault
from connector_core.tokens import FileTokens, Grant

OLD, NEW, OTHER = (base64.urlsafe_b64encode(bytes([number] * 32)).decode() for number in (1, 2, 3))
GRANT = Grant("access-7f3a", "refresh-7f3a", origin="https://acme.my.salesforce.com")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A ledger in a file, or on a server."""
    in_a_file = request.param == "sqlite"
    made = Database(f"sqlite:///{tmp_path / 'connector.db'}" if in_a_file else request.getfixturevalue("postgres_url"))
    made.upgrade()
    yield made
    made.close()


def stored(database: Database) -> bytes:
    """Everything that is on the disk."""
    database.close()
    assert database.path is not None
    return b"".join(path.read_bytes() for path in database.path.parent.iterdir())


def test_what_is_stored_is_read_by_whoever_has_the_key(database: Database) -> None:
    """The newest grant of that connection and name; nothing where nothing was written."""
    Vault(database, OLD).tokens("acme").write(Grant("first"))
    Vault(database, OLD).tokens("acme").write(GRANT)
    vault = Vault(database, OLD)

    assert [vault.tokens("acme").read(), vault.tokens("other").read(), vault.tokens("acme", "more").read()] == [
        GRANT,
        Grant(),
        Grant(),
    ]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_secret_is_on_the_disk(database: Database) -> None:
    """Neither the tokens nor the key; the connection's name is."""
    Vault(database, OLD).tokens("acme").write(GRANT)
    content = stored(database)

    assert [word in content for word in (b"7f3a", OLD.encode(), b"acme")] == [False, False, True]


@pytest.mark.parametrize("keys", [NEW, f"{NEW},{OTHER}"])
def test_another_key_opens_nothing_and_says_so(database: Database, keys: str) -> None:
    """The message names connection, name and what to do, and shows no key."""
    Vault(database, OLD).tokens("acme").write(GRANT)
    with pytest.raises(ConfigurationError, match=r"tokens of connection acme: none of the keys opens them") as caught:
        Vault(database, keys).tokens("acme").read()

    assert not any(key in str(caught.value) for key in (OLD, NEW, OTHER))


@pytest.mark.parametrize("keys", ["", "short", f"{OLD},", f"{OLD};{NEW}", OLD + "="])
def test_what_is_no_key_is_refused_without_showing_it(database: Database, keys: str) -> None:
    """Neither the message nor what caused it quotes what was given."""
    with pytest.raises(ConfigurationError, match="the ledger's key is none: it is 32 bytes") as caught:
        Vault(database, keys)

    assert (caught.value.__cause__, caught.value.__context__, OLD in str(caught.value)) == (None, None, False)


def test_a_row_that_was_copied_to_another_connection_is_not_used(database: Database) -> None:
    """Who may write to the database, and has no key, cannot give one connection the credentials of another."""
    Vault(database, OLD).tokens("acme").write(GRANT)
    Vault(database, OLD).tokens("rival").write(Grant("theirs"))
    with database.writing() as session:
        ciphertext = session.execute(
            sa.select(credentials.c.ciphertext).where(credentials.c.connection == "acme")
        ).scalar()
        session.execute(sa.update(credentials).where(credentials.c.connection == "rival").values(ciphertext=ciphertext))
    with pytest.raises(ConfigurationError, match="connection rival: were written for another connection"):
        Vault(database, OLD).tokens("rival").read()


def test_rotating_lets_the_old_key_go(database: Database) -> None:
    """With the new key in front everything is encrypted with it; then the old one is of no use any more."""
    for name in ("acme", "rival"):
        Vault(database, OLD).tokens(name).write(GRANT)

    assert Vault(database, f"{NEW}, {OLD}").rotate() == 2
    assert [Vault(database, NEW).tokens(name).read() for name in ("acme", "rival")] == [GRANT, GRANT]


def test_rotating_is_all_or_nothing(database: Database) -> None:
    """One row that no key opens keeps the others as they were."""
    Vault(database, OLD).tokens("acme").write(GRANT)
    Vault(database, OTHER).tokens("rival").write(GRANT)
    with pytest.raises(ConfigurationError, match="connection rival"):
        Vault(database, f"{NEW},{OLD}").rotate()

    assert Vault(database, OLD).tokens("acme").read() == GRANT


def test_a_host_hands_the_store_to_its_connections(database: Database) -> None:
    """One vault serves all connections of a process."""
    vault = Vault(database, OLD)
    vault.tokens("acme").write(Grant(refresh_token="stored"))
    settings = {"client_id": "app", "client_secret": "hush", "base_url": "http://127.0.0.1:1"}
    with ConnectionConfig("acme", "hubspot", settings, tokens=vault.tokens("acme")).open() as opened:
        assert opened.connection.name == "acme"


# -- opened by a configuration -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            "env:UNSET_7F3A",
            r"ledger.key: the environment variable UNSET_7F3A is not set\. Credentials in the ledger need",
        ),
        ("file:none", r"ledger.key: the file none cannot be read"),
    ],
)
def test_a_missing_key_is_told(tmp_path: Path, key: str, message: str) -> None:
    """With where it was looked for, and how one is made."""
    with pytest.raises(ConfigurationError, match=message):
        open_vault("sqlite:///connector.db", key, tmp_path)


def test_the_ledger_stands_beside_the_configuration(tmp_path: Path) -> None:
    """A relative file starts from the configuration's folder, wherever the command runs."""
    (tmp_path / "ledger.key").write_text(f"{OLD}\n")
    vault = open_vault("sqlite:///connector.db", "file:ledger.key", tmp_path)
    vault.tokens("acme").write(GRANT)
    vault.close()

    with sqlite3.connect(tmp_path / "connector.db") as file:
        found = file.execute("select connection, name from credentials").fetchall()
    file.close()
    assert found == [("acme", "tokens")]


def test_a_machine_that_is_gone_while_it_refreshes_keeps_no_other_waiting(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL itself hears of it hours later, and would keep the section locked till then."""
    monkeypatch.setattr(vault_module, "LONGEST_REFRESH_SECONDS", 0.2)
    database = Database(postgres_url)
    tokens = Vault(database, OLD).tokens("acme")

    def fall_silent() -> None:
        with tokens.refreshing(), tokens.refreshing():
            pass

    with pytest.raises(TryAgainError, match="the lock of a connection's tokens"):
        fall_silent()


def test_a_file_system_that_has_no_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As something to mend, with the file's name."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    locked = FileTokens(tmp_path / "token").refreshing()
    with pytest.raises(ConfigurationError, match=r"token\.lock cannot be taken \(No locks available\)"), locked:
        raise AssertionError
