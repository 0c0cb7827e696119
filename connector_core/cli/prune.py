"""``connector prune``: forgets what was said in calls that settled long ago."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.output import DONE, say, say_json
from connector_core.ledger.retention import Retention


def run(arguments: Namespace) -> int:
    """Prune, and say how many calls it was."""
    config = inputs.file(arguments.config)
    keep_days = arguments.keep_days or config.keep_days
    with inputs.ledger(config, arguments) as ledger:
        number = Retention(ledger.database).prune(keep_days)
    if arguments.json:
        say_json({"pruned": number, "keep_days": keep_days})
    else:
        say(f"{number:,} calls pruned that settled more than {keep_days} days ago")
    return DONE
