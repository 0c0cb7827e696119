"""Credentials at rest: encrypted in the ledger's database, with keys that stand elsewhere.

Fernet encrypts and authenticates (cryptography.io, "Fernet"), and binds a ciphertext to nothing else: so connection and
name stand inside it too, and a row that was copied to another connection is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from connector_core.errors import ConfigurationError, ConnectorError, TryAgainError
from connector_core.ledger.database import Database, address
from connector_core.ledger.schema import credentials
from connector_core.references import resolve
from connector_core.tokens import Grant, exclusive

LONGEST_REFRESH_SECONDS = 600.0
"""How long others wait for a machine that is gone in the middle of a refresh, of which PostgreSQL hears hours later."""
_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class Vault:
    """The credentials of all connections."""

    def __init__(self, database: Database, keys: str) -> None:
        """Take a database that is up to date.

        :param keys: Fernet keys, separated by commas: the first encrypts, each decrypts.
        :raises ConfigurationError: One of them is no key.
        """
        self.database = database
        self._fernet = _fernet(keys)

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    def read(self, connection: str, name: str) -> Mapping[str, object] | None:
        """Give what was written under a name; None where nothing was.

        :raises ConfigurationError: No key opens it, or it was written for another connection or name.
        :raises TryAgainError: The database cannot be read.
        """
        query = sa.select(credentials.c.ciphertext).where(*_row(connection, name))
        with self.database.reading() as session:
            ciphertext = session.execute(query).scalar()
        return None if ciphertext is None else self._open(connection, name, ciphertext)

    def write(self, connection: str, name: str, value: Mapping[str, object]) -> None:
        """Keep a JSON object under a name, instead of what stood there.

        :raises TryAgainError: The database cannot be written to; what stood there stands.
        """
        sealed = self._fernet.encrypt(json.dumps({"of": [connection, name], "value": dict(value)}).encode())
        with self.database.writing() as session:
            changed = {"ciphertext": sealed, "changed_at": self.database.now(session)}
            if not session.execute(sa.update(credentials).where(*_row(connection, name)).values(changed)).rowcount:
                session.execute(sa.insert(credentials).values(connection=connection, name=name, **changed))

    def rotate(self) -> int:
        """Encrypt everything anew with the first key, or nothing; give how many rows.

        :raises ConfigurationError: A row is opened by none of the keys.
        :raises TryAgainError: The database cannot be written to.
        """
        with self.database.writing() as session:
            rows = session.execute(sa.select(credentials).with_for_update()).all()
            for row in rows:
                self._open(row.connection, row.name, row.ciphertext)
                sealed = self._fernet.rotate(row.ciphertext)
                session.execute(sa.update(credentials).where(*_row(row.connection, row.name)).values(ciphertext=sealed))
        return len(rows)

    def tokens(self, connection: str, name: str = "tokens") -> VaultTokens:
        """Give the store of a connection's tokens."""
        return VaultTokens(self, connection, name)

    def _open(self, connection: str, name: str, ciphertext: bytes) -> Mapping[str, object]:
        where = f"the ledger's credentials {name} of connection {connection}"
        try:
            opened = json.loads(self._fernet.decrypt(ciphertext))
        except InvalidToken as error:
            raise ConfigurationError(
                f"{where}: none of the keys opens them. Add the key that they were written with behind the others"
                " (CONNECTOR_LEDGER_KEY, or what [ledger] key names), or sign in anew"
            ) from error
        if opened["of"] != [connection, name]:
            raise ConfigurationError(f"{where}: were written for another connection or name, and are not used")
        value: Mapping[str, object] = opened["value"]
        return value


class VaultTokens:
    """Keeps the grant of one connection in a vault; see :class:`connector_core.tokens.TokenStore`."""

    durable = True

    def __init__(self, vault: Vault, connection: str, name: str) -> None:
        """Name the row."""
        self._vault, self._connection, self._name = vault, connection, name
        self._lock = threading.Lock()

    def read(self) -> Grant:
        """Give the grant; an empty one where there is none.

        :raises ConnectorError: As :meth:`Vault.read`.
        """
        value = self._vault.read(self._connection, self._name)
        return Grant() if value is None else Grant.parse(value)

    def write(self, grant: Grant) -> None:
        """Keep it, committed.

        :raises ConnectorError: As :meth:`Vault.write`.
        """
        self._vault.write(self._connection, self._name, grant.dump())

    def refreshing(self) -> AbstractContextManager[object]:
        """Exclude other processes: by a file beside SQLite's, by an advisory lock in PostgreSQL."""
        digest = hashlib.sha256(f"{self._connection}\0{self._name}".encode()).digest()
        database = self._vault.database
        if not database.is_sqlite:
            return _advisory_lock(database.engine.url, int.from_bytes(digest[:8], signed=True))
        if database.path is None:
            return self._lock
        return exclusive(database.path.with_name(f"{database.path.name}.{digest.hex()[:16]}.lock"))

    def close(self) -> None:
        """Close the connections of the vault."""
        self._vault.close()


@contextlib.contextmanager
def _advisory_lock(url: sa.URL, number: int) -> Iterator[None]:
    """Hold a lock on a session of its own: it lasts as long as a request, and may not use up the pool meanwhile."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    try:
        with engine.connect() as session, session.begin():
            silence = f"set local idle_in_transaction_session_timeout = {round(LONGEST_REFRESH_SECONDS * 1000)}"
            session.exec_driver_sql(silence)
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(number, sa.BigInteger))))
            yield
    except (sa.exc.OperationalError, sa.exc.InternalError) as error:
        raise TryAgainError("ledger: the lock of a connection's tokens cannot be had") from error


def _row(connection: str, name: str) -> tuple[sa.ColumnElement[bool], ...]:
    return credentials.c.connection == connection, credentials.c.name == name


def _fernet(keys: str) -> MultiFernet:
    found = [key.strip() for key in keys.split(",")]
    if not all(_KEY.fullmatch(key) for key in found):  # base64 of Python's passes over what does not belong to it
        raise ConfigurationError(
            f"the ledger's key is none: it is 32 bytes in URL-safe base64, as {_NEW_KEY} prints them; several with commas"
        )
    return MultiFernet([Fernet(key) for key in found])


def open_vault(url: str, key: str, directory: Path) -> Vault:
    """Open the vault in the ledger that a configuration names.

    :param url: The database's address, or a reference to it; a relative SQLite file stands in ``directory``.
    :param key: A reference to the keys.
    :param directory: The configuration file's.
    :raises ConfigurationError: A reference leads nowhere, or to something else.
    :raises TryAgainError: The database cannot be reached.
    """
    try:
        found = address(url, directory)
        keys = resolve({"key": key}, directory, of="ledger")["key"]
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}. Credentials in the ledger need its key; {_NEW_KEY} makes one") from error
    database = Database(found)
    try:
        vault = Vault(database, keys)
        database.upgrade()
    except ConnectorError:
        database.close()
        raise
    return vault
