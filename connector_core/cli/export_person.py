"""``connector export-person``: all that the ledger holds about the calls of a person."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence

from connector_core.cli import inputs
from connector_core.cli.output import DONE, say_json
from connector_core.config import Config
from connector_core.ledger.persons import Persons


def run(arguments: Namespace) -> int:
    """Print a JSON object for each call, with and without ``--json``."""
    config = inputs.file(arguments.config)
    with inputs.ledger(config, arguments) as ledger:
        for held in Persons(ledger.database).export(arguments.identifier, regions(config, arguments.connection)):
            say_json(held)
    return DONE


def regions(config: Config, name: str | None) -> Mapping[str, Sequence[str]]:
    """Give the regions of the connections that are meant: all, or the one that was named."""
    chosen = [config.connection(name)] if name else list(config.connections.values())
    return {connection.name: connection.association.regions for connection in chosen}
