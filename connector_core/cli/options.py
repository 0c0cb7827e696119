"""What several commands are given in the same way; nothing heavy is imported here."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def connection(parser: argparse.ArgumentParser) -> None:
    """Let a connection be named, as it has to be."""
    parser.add_argument("--connection", required=True, metavar="NAME", help="a connection of the configuration")


def config(parser: argparse.ArgumentParser) -> None:
    """Let the configuration be named."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration; default connector.toml")


def ledger(parser: argparse.ArgumentParser) -> None:
    """Let another ledger be named than the configuration's."""
    parser.add_argument(
        "--ledger",
        metavar="URL",
        help="the database of the ledger, instead of the configuration's; also env:NAME or file:PATH",
    )


def provider(parser: argparse.ArgumentParser) -> None:
    """Let lines be webhook bodies."""
    parser.add_argument("--provider", metavar="NAME", help="the lines are webhook bodies of this call provider")


def json(parser: argparse.ArgumentParser) -> None:
    """Let the output be JSON."""
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


def text(given: str) -> str:
    """Read text that is looked for or kept: bytes that are no UTF-8 are nobody's id or name."""
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("is no text in UTF-8") from error
    return given


def number(what: str, least: int, most: int) -> Callable[[str], int]:
    """Make a reader of whole numbers; ``what``: what such a number is, for the message about another."""

    def read(text: str) -> int:
        if not (text.isdecimal() and len(text) < 10 and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{what} is a number from {least} to {most}")
        return int(text)

    return read
