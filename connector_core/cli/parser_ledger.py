"""What can be typed by those who run the ledger: backfill, status, what is kept. Nothing heavy is imported here either."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from connector_core.cli import options


def _backfill(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "calls", nargs="+", metavar="CALLS", help="files with one call a line; - for standard input, alone"
    )
    options.connection(parser)
    options.provider(parser)
    parser.add_argument(
        "--wait", action="store_true", help="when the quota's reserve is reached, go on by itself once more is left"
    )
    _configured(parser)


def _status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connection", metavar="NAME", help="one connection alone; default all")
    _configured(parser)


def _changes(parser: argparse.ArgumentParser) -> None:
    options.connection(parser)
    _configured(parser)


def _prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--keep-days",
        type=options.number("DAYS", 1, 36_500),
        metavar="DAYS",
        help="keep what settled since, instead of the configuration's",
    )
    _configured(parser)


def _export_person(parser: argparse.ArgumentParser) -> None:
    _person(parser)
    _configured(parser)


def _erase_person(parser: argparse.ArgumentParser) -> None:
    _person(parser)
    parser.add_argument(
        "--as", dest="actor", required=True, type=options.text, metavar="NAME", help="who does it, for the record"
    )
    _configured(parser)


def _remove_connection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", type=options.text, metavar="NAME", help="the connection, which is configured no more")
    _configured(parser)


def _person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "identifier", type=options.text, metavar="IDENTIFIER", help="an e-mail address or a phone number, in any form"
    )
    parser.add_argument("--connection", metavar="NAME", help="the calls of one connection alone; default all")


def _configured(parser: argparse.ArgumentParser) -> None:
    options.config(parser)
    options.ledger(parser)
    options.json(parser)


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on; default 127.0.0.1")
    port = options.number("a port", 0, 65_535)
    parser.add_argument("--port", type=port, default=8080, help="the port; 0 for a free one; default 8080")
    parser.add_argument("--public-url", metavar="URL", help="what senders call it by, where a proxy stands before it")
    _configured(parser)


LEDGER: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "backfill": ("associate and write very many calls of the past, at the cost of few requests", _backfill),
    "serve": ("receive the webhooks of call providers, into the ledger, until it is stopped", _serve),
    "status": ("tell how connections stand: what is due, what waits, what it cost", _status),
    "changes": ("read once what changed in the CRM, and associate the calls that wait for it", _changes),
    "prune": ("forget what was said in calls that settled long ago", _prune),
    "export-person": ("print all that the ledger holds about the calls of a person", _export_person),
    "erase-person": ("remove what the calls of a person said from the ledger", _erase_person),
    "remove-connection": ("remove all that the ledger holds of a connection that ended", _remove_connection),
}
"""These commands, each with what it does and what can be typed."""
