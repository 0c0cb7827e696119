"""A world in its file: parsed when it changed, rewritten whole or not at all, by one writer at a time."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connector_core.crms.world import World, world_in
from connector_core.errors import ConfigurationError, InputError, MissingRightError, TryAgainError

if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


class WorldFile:
    """The file of one world. Safe to share between threads, and with other processes."""

    def __init__(self, path: Path) -> None:
        """Remember the path; read nothing yet."""
        self._path = path
        self._last: tuple[bytes, World] | None = None

    def read(self) -> World:
        """Give the world: the same object for as long as the file says the same.

        :raises ConfigurationError: The file cannot be read, or holds no world; the message names it and each path in it.
        """
        return self._read()[1]

    def changed_at(self) -> dt.datetime:
        """Tell when the file was changed last.

        :raises ConfigurationError: It is not there.
        """
        try:
            return dt.datetime.fromtimestamp(self._path.stat().st_mtime, dt.UTC)
        except OSError as error:
            raise ConfigurationError(f"{self._path}: cannot be read: {error.strerror}") from error

    @property
    def writable(self) -> bool:
        """It may be replaced, which is a right of its folder: its own mode has no part in that."""
        return os.access(self._path.resolve().parent, os.W_OK | os.X_OK)

    @contextlib.contextmanager
    def changing(self) -> Iterator[dict[str, Any]]:
        """Lend the JSON to change it; it is saved at the end unless it is what it was, or an error got out.

        No other writer comes between. Readers are never held up: they see the file as it was, or as it is afterwards.

        :raises MissingRightError: The file may not be written.
        :raises TryAgainError: It could not be written; it is as it was.
        """
        self._read()  # what is no world is told as such, before anything is locked
        with self._failures_named(), self._alone():
            data, _ = self._read()
            value: dict[str, Any] = json.loads(data)
            before = _dumped(value)
            yield value
            after = _dumped(value)
            if after != before:
                self._save(after)

    def _read(self) -> tuple[bytes, World]:
        try:
            data = self._path.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{self._path}: cannot be read: {error.strerror}") from error
        last = self._last  # whole or not at all, whatever another thread does
        if last is None or last[0] != data:
            try:
                last = self._last = (data, world_in(data, source=str(self._path)))
            except InputError as error:  # it is the connection's, and no caller's
                raise ConfigurationError(str(error)) from error
        return last

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock: on a file of its own, because the world's is replaced by each writer."""
        target = self._path.resolve()
        with target.with_name(f".{target.name}.lock").open("ab") as file:
            _lock(file.fileno())
            try:
                yield
            finally:
                _unlock(file.fileno())

    @contextlib.contextmanager
    def _failures_named(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise MissingRightError(f"{self._path}: may not be written: {error.strerror}", right="write") from error
        except OSError as error:
            raise TryAgainError(f"{self._path}: cannot be written: {error.strerror}") from error

    def _save(self, data: bytes) -> None:
        target = self._path.resolve()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        fresh = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(target, fresh)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)


def _dumped(value: dict[str, Any]) -> bytes:
    """Give the bytes of the file; half a surrogate pair, which UTF-8 has not, becomes JSON's own escape again."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "backslashreplace")
