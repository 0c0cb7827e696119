"""Reading at call providers what their webhooks only announced."""

from __future__ import annotations

from collections.abc import Sequence

from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError, TryAgainError
from connector_core.ledger.heard import Waiting
from connector_core.ledger.ledger import Ledger
from connector_core.providers.hookspecs import Later
from connector_core.providers.parts import Part


class Fetching:
    """Reads what was announced of the calls of one connection. What is read makes its call due, where it says more."""

    def __init__(self, ledger: Ledger, opened: OpenConnection) -> None:
        """Read nothing yet."""
        self._ledger = ledger
        self._opened = opened
        self._connection = opened.connection.name

    def read(self) -> int:
        """Read what is due; give how much was answered. What is not there yet, or cannot be had, is asked for again.

        :raises ConnectorError: A provider could not be asked; the others were.
        """
        waiting = self._ledger.heard.take(self._connection)
        answered = 0
        failures: list[ConnectorError] = []
        for name in sorted({it.provider for it in waiting}):
            these = [it for it in waiting if it.provider == name]
            try:
                # What failed before may be one that always fails: it must not hold up the others once more.
                answered += self._read(name, these) if max(it.tries for it in these) == 0 else self._each(name, these)
            except ConnectorError as error:
                self._postpone(these, error)
                failures.append(error)
        if failures:
            raise failures[0]
        return answered

    def _each(self, name: str, waiting: Sequence[Waiting]) -> int:
        """Read one after the other; when two in a row fail, the provider does, and the rest is left for later."""
        answered = 0
        failure: ConnectorError | None = None
        for number, it in enumerate(waiting):
            try:
                answered += self._read(name, [it])
            except ConnectorError as error:
                self._postpone([it], error)
                if failure is not None:
                    self._postpone(waiting[number + 1 :], error)
                    raise
                failure = error
            else:
                failure = None
        return answered

    def _postpone(self, waiting: Sequence[Waiting], error: ConnectorError) -> None:
        after = error.after_seconds if isinstance(error, TryAgainError) else None
        for it in waiting:
            self._ledger.heard.postpone(self._connection, it, after, str(error))

    def _read(self, name: str, waiting: Sequence[Waiting]) -> int:
        found = self._opened.sources.get(name).fetch([it.announced for it in waiting])
        read: list[Waiting] = []
        parts: list[Part] = []
        for it in waiting:
            answer = found[it.announced]
            if isinstance(answer, Later):
                self._ledger.heard.postpone(self._connection, it, answer.after_seconds, answer.reason)
            else:
                read.append(it)
                parts += answer
        self._ledger.heard.hear(self._connection, name, parts, read=read, delay_seconds=self._opened.delay_seconds)
        return len(read)
