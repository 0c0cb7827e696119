"""``connector rotate-keys``: encrypts the credentials in the ledger anew, with the first key."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from connector_core.cli import inputs
from connector_core.cli.output import DONE, say, say_json
from connector_core.config import in_file
from connector_core.errors import ConfigurationError
from connector_core.ledger.vault import open_vault


def run(arguments: Namespace) -> int:
    """Encrypt everything anew, or nothing.

    :raises ConfigurationError: A key is missing, or none of them opens some of the credentials.
    """
    config = inputs.file(arguments.config)
    try:
        with closing(open_vault(config.ledger_url, config.ledger_key, config.path.parent)) as vault:
            rotated = vault.rotate()
    except ConfigurationError as error:
        raise ConfigurationError(in_file(str(config.path), str(error))) from error
    if arguments.json:
        say_json({"rotated": rotated})
    else:
        say(f"{rotated} credentials are encrypted with the first key; keys behind it are of no use any more.")
    return DONE
