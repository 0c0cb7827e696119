"""The tokens of one connection: refreshed once by all its threads and processes, and kept before they are used.

A refresh token may be replaced by the refresh itself ("rotation"): the former one then ends, and using it again may end
the new one too (RFC 9700, section 4.14; on Salesforce an option of the app). So whoever refreshes holds a section that
excludes every other process, reads the store anew, sends one request, and stores the answer before it uses it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from connector_core.errors import ConfigurationError, CredentialsError

REFUSED_FOR = dt.timedelta(minutes=5)
"""How long refused credentials are not sent again, unless the store has others by then: services lock users out."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a service granted, as far as it is known.

    ``renew_at``: from when on the access token is renewed before it is used; None where its life is not known.
    ``origin``: the address that takes the access token, where the service names one; whoever sends it there checks it.
    """

    access_token: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    renew_at: dt.datetime | None = None
    origin: str | None = None

    def dump(self) -> dict[str, str]:
        """Give it as JSON, without what is not known."""
        at = self.renew_at.isoformat() if self.renew_at else None
        values = {"access_token": self.access_token, "refresh_token": self.refresh_token, "origin": self.origin}
        return {name: value for name, value in {**values, "renew_at": at}.items() if value is not None}

    @classmethod
    def parse(cls, value: Mapping[str, object]) -> Grant:
        """Read what :meth:`dump` gave.

        :raises ValueError: It is something else.
        """
        texts = {name: text for name, text in value.items() if isinstance(text, str)}
        if texts != value or not texts.keys() <= {"access_token", "refresh_token", "origin", "renew_at"}:
            raise ValueError("is no grant")
        at = texts.pop("renew_at", None)
        renew_at = dt.datetime.fromisoformat(at) if at else None
        if renew_at is not None and renew_at.tzinfo is None:
            raise ValueError("renew_at has no offset")
        return cls(**texts, renew_at=renew_at)


class TokenStore(Protocol):
    """Where the grant of one connection stands; a host may bring its own."""

    @property
    def durable(self) -> bool:
        """What is written outlives this process, so that a refresh token may be replaced."""
        ...

    def read(self) -> Grant:
        """Give the newest grant; an empty one where there is none yet."""
        ...

    def write(self, grant: Grant) -> None:
        """Replace the grant, whole or not at all.

        :raises ConnectorError: It cannot be kept.
        """
        ...

    def refreshing(self) -> AbstractContextManager[object]:
        """Exclude whoever else would refresh this connection's tokens, in other processes too."""
        ...


class MemoryTokens:
    """Keeps a grant as long as the process lives: enough for tokens that can be fetched again."""

    durable = False

    def __init__(self, first: Grant | None = None) -> None:
        """Begin with a grant."""
        self._grant = first or Grant()
        self._lock = threading.Lock()

    def read(self) -> Grant:
        """Give the grant."""
        return self._grant

    def write(self, grant: Grant) -> None:
        """Keep it."""
        self._grant = grant

    @contextlib.contextmanager
    def refreshing(self) -> Iterator[None]:
        """Exclude other threads."""
        with self._lock:
            yield


class FileTokens:
    """Keeps a grant in a file that its owner alone may read.

    A file that a person wrote holds a refresh token and nothing else; once tokens were refreshed it holds JSON.
    """

    durable = True

    def __init__(self, path: Path) -> None:
        """Name the file; it need not be there yet, but its folder has to be."""
        self._shown = path
        self._path = path.resolve()  # what a link leads to is replaced, not the link

    def read(self) -> Grant:
        """Give the grant; an empty one where there is no file.

        :raises ConfigurationError: The file cannot be read, or holds something else.
        """
        try:
            text = self._path.read_text(encoding="utf-8").strip()
            return Grant.parse(json.loads(text)) if text.startswith("{") else Grant(refresh_token=text or None)
        except FileNotFoundError:
            return Grant()
        except OSError as error:
            raise ConfigurationError(f"the file {self._shown} cannot be read ({error.strerror})") from error
        except (ValueError, RecursionError):
            pass
        # Raised out here: the error of a parser carries what it read.
        raise ConfigurationError(
            f"the file {self._shown} holds no tokens: write the refresh token into it, and no more"
        )

    def write(self, grant: Grant) -> None:
        """Replace the file in one step; after a power cut it holds the former grant or this one.

        One process at a time may do so: hold :meth:`refreshing`.

        :raises ConfigurationError: It cannot be written.
        """
        new = self._path.with_name(f".{self._path.name}.new")  # one name: what a killed process left is overwritten
        try:
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(handle, "w", encoding="utf-8") as file:  # noqa: PTH123 - of a handle
                os.fchmod(handle, 0o600)
                json.dump(grant.dump(), file)
                file.flush()
                os.fsync(handle)
            new.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise ConfigurationError(f"the file {self._shown} cannot be written ({error.strerror})") from error

    def refreshing(self) -> AbstractContextManager[object]:
        """Exclude other processes by a lock on a file beside."""
        return exclusive(self._path.with_name(f"{self._path.name}.lock"))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which the system lets go of when the process ends, however that is.

    :raises ConfigurationError: The file cannot be opened.
    """
    import fcntl  # here, as Windows has none and imports this module too

    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"the lock {path} cannot be opened ({error.strerror})") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:  # a file system without locks
            raise ConfigurationError(f"the lock {path} cannot be taken ({error.strerror})") from error
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # said outright: a forked child may hold the same open file
    finally:
        os.close(handle)


class SignIn:
    """Hands out the grant of one connection."""

    def __init__(
        self,
        service: str,
        fetch: Callable[[Grant], Grant],
        *,
        first: Grant,
        store: TokenStore | None = None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """Ask for nothing yet.

        :param service: What people call it, for messages.
        :param fetch: Asks the service for an access token, with the refresh token of the grant if it has one. It raises
            :class:`~connector_core.errors.CredentialsError` where the service refuses, or where nothing can be asked.
        :param first: What the settings hold; what the store holds goes before it.
        :param store: Memory, where there is none.
        """
        self._service = service
        self._fetch = fetch
        self._first = first
        self._store = store or MemoryTokens()
        self._clock = clock
        self._lock = threading.Lock()
        self._grant: Grant | None = None
        self._unsaved: tuple[Grant, Grant] | None = None  # and what the store held when it was asked for
        self._ended: str | None = None
        self._told = False
        self._refused: tuple[dt.datetime, str | None, CredentialsError] | None = None

    def current(self) -> Grant:
        """Give a grant whose access token serves as far as is known, asking for one where there is none.

        :raises CredentialsError: The credentials are refused; for a while nothing is asked again.
        :raises TryAgainError: The service does not answer.
        :raises ConfigurationError: The tokens cannot be kept.
        """
        with self._lock:
            if self._grant is None or not self._serves(self._grant):
                self._grant = self._newest()
            return self._grant

    def instead_of(self, stale: Grant) -> Grant:
        """Give another grant than one that was not accepted; whoever else comes with it gets the same one.

        :raises ConnectorError: As :meth:`current`.
        """
        with self._lock:
            self._ended = stale.access_token
        return self.current()

    def _newest(self) -> Grant:
        if self._unsaved is None and self._serves(stored := self._with_first(self._store.read())):
            return stored
        with self._store.refreshing():
            held = self._saved(self._store.read())  # another process may have refreshed it meanwhile
            stored = self._with_first(held)
            return stored if self._serves(stored) else self._refreshed(stored, held)

    def _serves(self, grant: Grant) -> bool:
        due = grant.renew_at is not None and self._clock() >= grant.renew_at
        return grant.access_token not in (None, self._ended) and not due

    def _with_first(self, held: Grant) -> Grant:
        refresh_token = held.refresh_token or self._first.refresh_token
        return replace(held if held.access_token else self._first, refresh_token=refresh_token)

    def _saved(self, held: Grant) -> Grant:
        """Store what could not be stored before, and give what the store holds then; what others stored since stays."""
        if self._unsaved is not None:
            unsaved, former = self._unsaved
            if held == former:
                self._store.write(unsaved)
                held = unsaved
            self._unsaved = None
        return held

    def _refreshed(self, former: Grant, held: Grant) -> Grant:
        if self._refused is not None:
            until, refused_token, error = self._refused
            if refused_token == former.refresh_token and self._clock() < until:
                raise CredentialsError(str(error)) from error
        try:
            fresh = self._fetch(former)
        except CredentialsError as error:
            self._refused = (self._clock() + REFUSED_FOR, former.refresh_token, error)
            raise
        self._refused = None
        replaced = fresh.refresh_token not in (None, former.refresh_token)
        fresh = replace(fresh, refresh_token=fresh.refresh_token or former.refresh_token)
        self._unsaved = fresh, held
        self._saved(held)
        if replaced and former.refresh_token and not (self._store.durable or self._told):
            self._grant, self._told = fresh, True
            raise self._not_durable()
        return fresh

    def _not_durable(self) -> ConfigurationError:
        """Tell, once, that a replacement ends with the process; the process itself can go on."""
        message = (
            f"{self._service} replaced the refresh token, and its replacement is in memory alone: it serves until this "
            'process ends, and the former one is void. Keep it where it can be written: refresh_token = "file:PATH" or '
            '"vault:NAME", or a store of the host; then sign in anew'
        )
        _log.error(message)
        return ConfigurationError(message)
