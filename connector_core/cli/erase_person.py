"""``connector erase-person``: removes what the calls of a person said from the ledger."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.export_person import regions
from connector_core.cli.output import DONE, INCOMPLETE, say, say_json, tell
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons


def run(arguments: Namespace) -> int:
    """Erase, and let nothing of it remain in the files."""
    config = inputs.file(arguments.config)
    actor = Actor(arguments.actor, "admin")
    with inputs.ledger(config, arguments) as ledger:
        number = Persons(ledger.database).erase(arguments.identifier, regions(config, arguments.connection), actor)
        clean = purged(ledger)
    if arguments.json:
        say_json({"erased": number, "purged": clean})
    else:
        say(f"{number:,} calls erased")
    return DONE if clean else INCOMPLETE


def purged(ledger: Ledger) -> bool:
    """Let nothing remain in the files of what was erased; where that is not possible now, say so."""
    clean = ledger.database.purge()
    if not clean:
        tell("another process reads the ledger: what was erased may remain in its log until this is run again")
    return clean
