"""The ledger that a configuration names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connector_core.config import in_file
from connector_core.errors import ConfigurationError
from connector_core.ledger.database import address
from connector_core.ledger.ledger import Ledger

if TYPE_CHECKING:
    from connector_core.config import Config


def open_ledger(config: Config, url: str | None = None) -> Ledger:
    """Open the ledger of a configuration; a relative SQLite file stands beside the configuration's.

    :param url: Another address instead; a relative file of it stands in the working directory.
    :raises ConfigurationError: The address is wrong, leads nowhere, or needs a driver that is not installed.
    :raises TryAgainError: The database cannot be reached.
    """
    if url is not None:
        return Ledger(url)
    try:
        return Ledger(address(config.ledger_url, config.path.parent))
    except ConfigurationError as error:
        raise ConfigurationError(in_file(str(config.path), str(error))) from error
