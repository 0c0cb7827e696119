"""The ledger that a configuration names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from connector_core.config import in_file
from connector_core.errors import ConfigurationError
from connector_core.ledger.database import address
from connector_core.ledger.ledger import Ledger

if TYPE_CHECKING:
    from connector_core.config import Config


def open_ledger(config: Config, url: str | None = None) -> Ledger:
    """Open the ledger of a configuration; a relative SQLite file stands beside the configuration's.

    :param url: Another address instead, or a reference to one; a relative file of it stands in the working directory.
    :raises ConfigurationError: The address is wrong, leads nowhere, or needs a driver that is not installed.
    :raises TryAgainError: The database cannot be reached.
    """
    given, directory, source = (config.ledger_url, config.path.parent, str(config.path))
    if url is not None:
        given, directory, source = (url, Path(), "--ledger")
    try:
        return Ledger(address(given, directory))
    except ConfigurationError as error:
        raise ConfigurationError(in_file(source, str(error))) from error
