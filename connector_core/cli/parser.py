"""What can be typed. Nothing heavy is imported here, so that help answers at once."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from pathlib import Path

CALLS = "a file with one call a line, or - for standard input"
EXIT = (
    "exit status: 0 all done; 1 some items failed or wait, each named; 2 could not start, or a defect"
    " (CONNECTOR_DEBUG=1 shows its traceback)"
)
POLICIES = ("all_contacts", "primary_contact")


def build_parser() -> argparse.ArgumentParser:
    """Declare all commands; the chosen one's name is in ``command``, None where there is none."""
    parser = argparse.ArgumentParser(
        prog="connector",
        description="Finds the CRM records that a call belongs to, writes exactly one activity, and says why.",
        epilog=EXIT,
        formatter_class=functools.partial(argparse.HelpFormatter, max_help_position=32),
    )
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, (summary, declare) in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=EXIT
        )
        declare(command)
    return parser


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--crm", choices=("salesforce", "hubspot", "file"), help="the CRM to show; default Salesforce, then HubSpot"
    )
    _json(parser)


def _associate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", metavar="CALLS", help=CALLS)
    crm = parser.add_mutually_exclusive_group(required=True)
    crm.add_argument("--crm-file", type=Path, metavar="FILE", help="a CRM in a file (JSON)")
    crm.add_argument("--connection", metavar="NAME", help="a connection of the configuration")
    _configured(parser)
    parser.add_argument("--policy", choices=POLICIES, help="how the account and the opportunity are chosen")
    parser.add_argument(
        "--owner-filter",
        action=argparse.BooleanOptionalAction,
        help="only opportunities that the organizer owns; or all",
    )
    parser.add_argument(
        "--region",
        action="append",
        metavar="CODE",
        help="default region of phone numbers, like FR; repeatable, in order",
    )
    parser.add_argument("--time-zone", metavar="ZONE", help="IANA name, like Europe/Paris")
    _json(parser)


def _sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", metavar="CALLS", help=CALLS)
    parser.add_argument("--connection", required=True, metavar="NAME", help="a connection of the configuration")
    _configured(parser)
    _json(parser)


def _sandbox(parser: argparse.ArgumentParser) -> None:
    from connector_core.cli.sandbox import add_arguments

    add_arguments(parser)
    _json(parser)


def _contract_drift(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--connection", required=True, metavar="NAME", help="a connection of the configuration")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration; default connector.toml")
    parser.add_argument(
        "--cassettes",
        type=Path,
        default=Path("cassettes"),
        metavar="DIR",
        help="the folder that has a folder of cassettes for the CRM; default cassettes",
    )
    _json(parser)


def _new_plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what a configuration calls the CRM, like acme or acme_crm")
    parser.add_argument("--into", type=Path, metavar="DIR", help="the folder to write into; default connector-NAME")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the files that were written")


def _configured(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration; default connector.toml")
    parser.add_argument("--provider", metavar="NAME", help="the lines are webhook bodies of this call provider")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": ("show the whole job on this machine alone, on seeded sandboxes", _demo),
    "associate": ("decide what calls belong to, and change nothing", _associate),
    "sync": ("decide what calls belong to, and write one activity for each", _sync),
    "sandbox": ("run the sandbox of a CRM until it is stopped", _sandbox),
    "contract-drift": (
        "tell what changed in an account since the cassettes of its CRM, writing nothing",
        _contract_drift,
    ),
    "new-plugin": ("write the distribution of a new CRM plugin, with the contract in its tests", _new_plugin),
    "plugins": ("list the CRMs and call providers that are installed", _json),
}
