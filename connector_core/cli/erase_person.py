"""``connector erase-person``: removes what the calls of a person said from the ledger."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.export_person import regions
from connector_core.cli.output import DONE, INCOMPLETE, say, say_json, tell
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons


def run(arguments: Namespace) -> int:
    """Erase, and let nothing of it remain in the files."""
    config = inputs.file(arguments.config)
    actor = Actor(arguments.actor, "admin")
    with inputs.ledger(config, arguments) as ledger:
        number = Persons(ledger.database).erase(arguments.identifier, regions(config, arguments.connection), actor)
        purged = ledger.database.purge()
    if arguments.json:
        say_json({"erased": number, "purged": purged})
    else:
        say(f"{number:,} calls erased")
    if not purged:
        tell("another process reads the ledger: what was erased may remain in its log until this is run again")
    return DONE if purged else INCOMPLETE
