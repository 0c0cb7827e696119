"""``connector remove-connection``: removes all that the ledger holds of a connection."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.erase_person import purged
from connector_core.cli.output import DONE, INCOMPLETE, say, say_json
from connector_core.config import offer
from connector_core.errors import ConfigurationError, InputError
from connector_core.ledger.overview import read_overview


def run(arguments: Namespace) -> int:
    """Remove it, and let nothing of it remain in the files.

    :raises ConfigurationError: It is configured still: a worker would go on with it.
    :raises InputError: The ledger knows no such connection.
    """
    config = inputs.file(arguments.config)
    name = arguments.name
    if name in config.connections:
        raise ConfigurationError(f"{config.path}: connections.{name}: is there still: take it out, and remove it then")
    with inputs.ledger(config, arguments) as ledger:
        if name not in (known := read_overview(ledger.database)):
            raise InputError(f"ledger {ledger.database.name}: knows no connection {name!r}{offer(name, known)}")
        number = ledger.connections.remove(name)
        clean = purged(ledger)
    if arguments.json:
        say_json({"connection": name, "removed": number, "purged": clean})
    else:
        say(f"{name} and {number:,} calls removed")
    return DONE if clean else INCOMPLETE
