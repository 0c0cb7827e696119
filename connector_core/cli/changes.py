"""``connector changes``: reads once what changed in the CRM, and associates the calls that wait for it."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE
from connector_core.cli.sync import report, wait
from connector_core.errors import ConfigurationError, UnsupportedError
from connector_core.feed import NEEDED, Feed
from connector_core.pump import Pump
from connector_core.settling import settle


def run(arguments: Namespace) -> int:
    """Read what changed, and print what became of the calls that waited, as ``sync`` does."""
    config = inputs.file(arguments.config)
    connection = config.connection(arguments.connection)
    if connection.changes_seconds == 0:
        where = f"{config.path}: connection {connection.name}, changes_seconds"
        raise ConfigurationError(f"{where}: is 0, with which no call waits for anything; leave it out, or say seconds")
    with connection.open() as opened, inputs.ledger(config, arguments) as ledger, inputs.naming(connection, ledger):
        if missing := sorted(NEEDED - opened.connection.operations):
            raise UnsupportedError(opened.connection.manifest.name, missing[0])
        pump = Pump(ledger, opened)
        due = Feed(ledger, opened).read(at_once=True)
        standings = settle(ledger, pump, due, sleep=wait) if due else {}
        settled = report(standings.values(), as_json=arguments.json)
    return DONE if settled else INCOMPLETE
