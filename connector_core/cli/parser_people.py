"""What can be typed by people who look at calls and correct them; nothing heavy is imported here either."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from connector_core.cli import options

IDS = "a call's id; - reads ids from standard input, one a line"
PLACE = "the guest's place in the call, from 0"
_PLACE = options.number("a place in the call", 0, 9_999)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", type=options.text, metavar="CALL", help="the call's id")
    looking(parser)


def _queue(parser: argparse.ArgumentParser) -> None:
    looking(parser)


def _choices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", type=options.text, metavar="CALL", help="the call's id")
    looking(parser)


def _search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "text", type=options.text, metavar="NAME", help="a name, an e-mail or a number, at least 3 characters of it"
    )
    parser.add_argument("--accounts", action="store_true", help="search accounts by name, instead of contacts")
    looking(parser)


def _form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call", type=options.text, metavar="CALL", help="the call's id")
    record = parser.add_mutually_exclusive_group(required=True)
    record.add_argument("--participant", type=_PLACE, metavar="N", help=f"for a contact: {PLACE}")
    record.add_argument("--opportunity", action="store_true", help="for an opportunity of the call's account")
    looking(parser)


def _assign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", nargs="+", type=options.text, metavar="CALL", help=IDS)
    parser.add_argument("--participant", type=_PLACE, metavar="N", help=f"whose contact it is: {PLACE}")
    record = parser.add_mutually_exclusive_group(required=True)
    record.add_argument("--contact", type=options.text, metavar="ID", help="the contact or lead of that guest")
    record.add_argument("--account", type=options.text, metavar="ID", help="the account")
    record.add_argument("--opportunity", type=options.text, metavar="ID", help="the opportunity, and its account")
    changing(parser)


def _clear(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", nargs="+", type=options.text, metavar="CALL", help=IDS)
    record = parser.add_mutually_exclusive_group(required=True)
    record.add_argument("--participant", type=_PLACE, metavar="N", help=f"the contact of a guest: {PLACE}")
    record.add_argument("--account", action="store_true", help="the account")
    record.add_argument("--opportunity", action="store_true", help="the opportunity")
    changing(parser)


def _refresh(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", nargs="+", type=options.text, metavar="CALL", help=IDS)
    changing(parser)


def _resume(parser: argparse.ArgumentParser) -> None:
    changing(parser)


def changing(parser: argparse.ArgumentParser) -> None:
    """Let it be said who decides something."""
    parser.add_argument(
        "--as", dest="actor", type=options.text, metavar="NAME", help="who does it; default the name of the login"
    )
    parser.add_argument("--role", choices=("admin", "manager", "user"), default="admin", help="default admin")
    looking(parser)


def looking(parser: argparse.ArgumentParser) -> None:
    """Let the connection and its ledger be named."""
    options.connection(parser)
    options.config(parser)
    options.ledger(parser)
    options.json(parser)


PEOPLE: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "queue": ("list the calls that wait for a person, and why", _queue),
    "show": ("show all that is known of a call", _show),
    "search": ("search the contacts or the accounts of the CRM", _search),
    "choices": ("list the opportunities that may be assigned to a call", _choices),
    "assign": ("set the contact of a guest, the account or the opportunity of calls", _assign),
    "clear": ("clear the contact of a guest, the account or the opportunity of calls", _clear),
    "form": ("give the address of the CRM's own form for a record that it lacks, filled in", _form),
    "refresh": ("associate calls anew, after the CRM changed", _refresh),
    "resume": ("let a connection go on that was paused", _resume),
}
"""The commands of :mod:`connector_core.cli.people`, each with what it does and what can be typed."""
