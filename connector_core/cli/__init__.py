"""The command line.

Exit status: 0 all done; 1 some items failed or wait, each named on standard error; 2 the command could not start, or came
upon a defect of its own; 130 interrupted. Of a defect the type alone is shown; CONNECTOR_DEBUG=1 shows the traceback.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

from connector_core.cli.output import (
    DONE,
    INCOMPLETE,
    INTERRUPTED,
    NOT_STARTED,
    OutputClosedError,
    flush,
    prepare,
    tell,
)
from connector_core.cli.parser import build_parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status.

    :param argv: The arguments; those of the process without it.
    """
    try:
        status = _run(argv)
        flush()
    except OutputClosedError as closed:
        if closed.args:
            with suppress(OutputClosedError):
                tell(str(closed), prefix="connector: ")
        return INCOMPLETE
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def _run(argv: Sequence[str] | None) -> int:
    prepare()
    parser = build_parser()
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:  # help, or a usage that was told already
        return stop.code if isinstance(stop.code, int) else DONE
    if os.environ.get("CONNECTOR_DEBUG") == "1":
        logging.basicConfig(format="%(name)s: %(message)s")
        logging.getLogger("connector_core").setLevel(logging.DEBUG)
    if arguments.command is None:
        tell(parser.format_help().rstrip())
        return NOT_STARTED
    return _command(arguments.run, arguments)


def _command(name: str, arguments: object) -> int:
    """Run a command; its module is imported only now, and so is the tree of errors."""
    from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError, InputError

    module, _, function = name.partition(":")
    try:
        status: int = getattr(importlib.import_module(f"connector_core.cli.{module}"), function)(arguments)
    except (InputError, ConfigurationError, CredentialsError) as error:
        tell(str(error), prefix="connector: ")
        return NOT_STARTED
    except ConnectorError as error:
        tell(str(error), prefix="connector: ")
        return INCOMPLETE
    except OutputClosedError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, a person sees one line and how to see more
        if os.environ.get("CONNECTOR_DEBUG") == "1":
            traceback.print_exc(file=sys.stderr)
        tell(f"unexpected {type(error).__name__}, a defect; CONNECTOR_DEBUG=1 shows where", prefix="connector: ")
        return NOT_STARTED
    return status
