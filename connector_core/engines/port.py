"""What every engine can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import sqlalchemy as sa

from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError
from connector_core.pump import Ran

Open: TypeAlias = Callable[[str], OpenConnection]
"""Opens a connection by name; raises what :meth:`connector_core.config.ConnectionConfig.open` does."""
Report: TypeAlias = Callable[[str, Ran | ConnectorError], object]
"""Hears what a run of a connection's pump did, or why it failed; called in the threads of the pumps."""


@dataclass(frozen=True, slots=True)
class Health:
    """How an engine is.

    ``running``: it was not stopped, and its loop is alive. ``pumping``: connections that it works on this moment.
    ``swept_seconds_ago``: since it last saw the whole agenda; None before the first time. More than a few times the interval
    of the sweeps says that the ledger cannot be reached.
    """

    running: bool
    pumping: tuple[str, ...]
    swept_seconds_ago: float | None


class Engine(Protocol):
    """Has the pumps of connections run whenever something is due; safe for threads.

    When that is stands in the ledger: an engine sweeps through it every few seconds, and sleeps no longer than until the
    next call is due. Hence no wake-up for later, and none whose loss would do harm.
    """

    def wake(self, connection: str, step: sa.Connection | None = None) -> None:
        """Say that something of a connection became due: its pump need not wait for the next sweep.

        :param step: The transaction that made it due, as :data:`connector_core.ledger.inbox.Wake` gives it. The wake-up
            takes effect when that is kept, and not if it is not.
        """

    def run(self) -> None:
        """Work until stopped. Batches under way are brought to their end; nothing new is claimed."""

    def stop(self, grace_seconds: float = 0.0) -> bool:
        """Ask :meth:`run` to end, and wait for it as long as that; tell whether it has ended."""

    def health(self) -> Health:
        """Tell how the engine is."""
