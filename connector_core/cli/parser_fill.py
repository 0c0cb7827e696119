"""What can be typed by people who look at what is filled in the CRM, and decide about it. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from connector_core.cli import options
from connector_core.cli.parser_people import IDS, changing, looking

FIELD = "TEMPLATE.FIELD"


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", type=options.text, metavar="CALL", help="the call's id")
    looking(parser)


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--most",
        type=options.number("N", 1, 1_000_000),
        default=1_000,
        metavar="N",
        help="at most so many; default 1000",
    )
    looking(parser)


def _send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", nargs="+", type=options.text, metavar="CALL", help=IDS)
    parser.add_argument(
        "--field", action="append", default=[], type=options.text, metavar=FIELD, help="this field alone; repeatable"
    )
    changing(parser)


def _give(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", type=options.text, metavar="CALL", help="the call's id")
    parser.add_argument("field", type=options.text, metavar=FIELD, help="the field of a published template")
    parser.add_argument("value", type=options.text, metavar="VALUE", help="as people write it; empty for none")
    changing(parser)


def _undo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "of_run", type=options.text, metavar="RUN", help="the run that it was sent with, as show tells it"
    )
    changing(parser)


def _again(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", nargs="+", type=options.text, metavar="CALL", help=IDS)
    changing(parser)


VERBS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "show": ("show what came of each field of a call", _show),
    "queue": ("list the fields that wait for a person's approval", _queue),
    "send": ("send the fields of calls that wait for approval to the CRM", _send),
    "give": ("give the value of a field, in place of what was found", _give),
    "undo": ("take back what was sent in a run, where nobody changed it since", _undo),
    "again": ("fill the fields of calls anew, after the CRM changed", _again),
}
"""The verbs of ``connector fill``, each a function of :mod:`connector_core.cli.fill`."""


def fill(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, title="verbs", metavar="VERB")
    for name, (summary, declare) in VERBS.items():
        verb = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        declare(verb)
        verb.set_defaults(run=f"fill:{name}")
