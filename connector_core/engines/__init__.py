"""Engines: what wakes the pumps of all connections, in one process or on many machines.

What is to be done stands in the ledger alone; an engine only sees to it that somebody looks. So whatever an engine forgets
is found again by its next sweep.
"""

from __future__ import annotations

from connector_core.engines.port import Engine, Health, Open, Report
from connector_core.engines.pumps import Limits
from connector_core.errors import ConfigurationError
from connector_core.ledger.ledger import Ledger

__all__ = ["Engine", "Health", "Limits", "Open", "Report", "engine_for"]


def engine_for(ledger: Ledger, opening: Open, *, limits: Limits | None = None, report: Report | None = None) -> Engine:
    """Give the engine that fits a ledger: threads of this process on SQLite, Procrastinate on PostgreSQL.

    :param opening: Opens a connection by name.
    :param report: Hears the name of a connection, and what a run of its pump did or why it failed.
    :raises ConfigurationError: Procrastinate is not installed, or its tables in this database are somebody else's.
    :raises TryAgainError: The database cannot be reached.
    """
    if ledger.database.is_sqlite:
        from connector_core.engines.embedded import Embedded

        return Embedded(ledger, opening, limits=limits, report=report)
    try:
        from connector_core.engines.procrastinate import Procrastinate
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"the engine needs {error.name}: pip install 'connector-core[postgres]'") from error
    return Procrastinate(ledger, opening, limits=limits, report=report)
