"""What can be typed. Nothing heavy is imported here, so that help answers at once."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from pathlib import Path

from connector_core.cli import options, parser_fill, parser_report, parser_templates
from connector_core.cli.output import say, say_as_it_is
from connector_core.cli.parser_ledger import LEDGER
from connector_core.cli.parser_people import PEOPLE

CALLS = "a file with one call a line, or - for standard input"
EXIT = (
    "exit status: 0 all done; 1 some items failed or wait, each named; 2 could not start, or a defect"
    " (CONNECTOR_DEBUG=1 shows its traceback)"
)
POLICIES = ("all_contacts", "primary_contact")


def build_parser() -> argparse.ArgumentParser:
    """Declare all commands; the chosen one's module and function are in ``run``, its name in ``command``, or None there."""
    parser = _Parser(
        prog="connector",
        description="Finds the CRM records that a call belongs to, writes exactly one activity, and says why.",
        epilog=EXIT,
        formatter_class=functools.partial(argparse.HelpFormatter, max_help_position=32),
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    for name, (summary, declare) in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", epilog=EXIT
        )
        declare(command)
        command.set_defaults(run=f"people:{name}" if name in PEOPLE else f"{name.replace('-', '_')}:run")
    return parser


class _Parser(argparse.ArgumentParser):
    """Tells of help that cannot be written: argparse itself passes over that in silence, as if all were done."""

    def print_help(self, file: object = None) -> None:
        """Print the help; ``file`` is for whoever calls argparse, which names none."""
        say_as_it_is(self.format_help())


class _Version(argparse.Action):
    """Prints the version; it is looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        from importlib.metadata import version

        say(f"{parser.prog} {version('connector-core')}")
        parser.exit()


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--crm", choices=("salesforce", "hubspot", "file"), help="the CRM to show; default Salesforce, then HubSpot"
    )
    options.json(parser)


def _associate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", metavar="CALLS", help=CALLS)
    crm = parser.add_mutually_exclusive_group(required=True)
    crm.add_argument("--crm-file", type=Path, metavar="FILE", help="a CRM in a file (JSON)")
    crm.add_argument("--connection", metavar="NAME", help="a connection of the configuration")
    options.config(parser)
    options.provider(parser)
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
    options.json(parser)


def _sync(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("calls", metavar="CALLS", help=CALLS)
    options.connection(parser)
    options.config(parser)
    options.provider(parser)
    options.ledger(parser)
    options.json(parser)


def _worker(parser: argparse.ArgumentParser) -> None:
    options.config(parser)
    parser.add_argument(
        "--connection", action="append", metavar="NAME", help="a connection to work on; repeatable, default all"
    )
    options.ledger(parser)
    parser.add_argument(
        "--pumps",
        type=options.number("N", 1, 1_000),
        default=8,
        metavar="N",
        help="connections that are worked on at once; default 8",
    )
    parser.add_argument(
        "--batch",
        type=options.number("N", 1, 10_000),
        default=200,
        metavar="N",
        help="calls of one that are written together; default 200",
    )
    parser.add_argument(
        "--grace",
        type=options.number("SECONDS", 0, 86_400),
        default=30,
        metavar="SECONDS",
        help="how long batches under way may take when it is stopped; default 30",
    )
    parser.add_argument("--detached", action="store_true", help="go on when the process that started it has ended")
    options.json(parser)


def _login(parser: argparse.ArgumentParser) -> None:
    options.connection(parser)
    options.config(parser)
    parser.add_argument(
        "--port",
        type=options.number("the port that the app allows", 1, 65_535),
        default=8717,
        help="where the browser comes back to; default 8717",
    )
    parser.add_argument(
        "--paste", action="store_true", help="the browser is on another machine: its address is pasted here"
    )
    options.json(parser)


def _doctor(parser: argparse.ArgumentParser) -> None:
    options.connection(parser)
    options.config(parser)
    options.json(parser)


def _rotate_keys(parser: argparse.ArgumentParser) -> None:
    options.config(parser)
    options.json(parser)


def _sandbox(parser: argparse.ArgumentParser) -> None:
    from connector_core.cli.sandbox import add_arguments

    add_arguments(parser)
    options.json(parser)


def _contract_drift(parser: argparse.ArgumentParser) -> None:
    options.connection(parser)
    options.config(parser)
    _cassettes(parser)
    options.json(parser)


def _contract_replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("crms", nargs="*", metavar="CRM", help="default all that are installed and have cassettes")
    _cassettes(parser)
    options.json(parser)


def _new_plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what a configuration calls the CRM, like acme or acme_crm")
    parser.add_argument("--into", type=Path, metavar="DIR", help="the folder to write into; default connector-NAME")
    parser.add_argument("--json", action="store_true", help="print one JSON object with the files that were written")


def _cassettes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cassettes",
        type=Path,
        default=Path("cassettes"),
        metavar="DIR",
        help="the folder that has a folder of cassettes for the CRM; default cassettes",
    )


COMMANDS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "demo": ("show the whole job on this machine alone, on seeded sandboxes", _demo),
    "associate": ("decide what calls belong to, and change nothing", _associate),
    "sync": ("decide what calls belong to, and write one activity for each", _sync),
    "worker": ("work on the calls that the ledger holds, until it is stopped", _worker),
    **LEDGER,
    **PEOPLE,
    "fill": ("look at the fields that calls fill, send them, take them back", parser_fill.fill),
    "templates": ("write which fields are filled from which calls, test it, publish it", parser_templates.templates),
    "report": ("tell how fields were filled, and what to do where they were not", parser_report.report),
    "login": ("sign a connection in, by a person's consent in a browser", _login),
    "doctor": ("tell what works on a connection, and which rights to ask for; changes nothing", _doctor),
    "rotate-keys": ("encrypt the credentials in the ledger anew, with the first key", _rotate_keys),
    "sandbox": ("run the sandbox of a CRM until it is stopped", _sandbox),
    "contract-drift": (
        "tell what changed in an account since the cassettes of its CRM, writing nothing",
        _contract_drift,
    ),
    "contract-replay": (
        "tell whether the installed CRM plugins agree with the cassettes of their CRMs, asking nobody",
        _contract_replay,
    ),
    "new-plugin": ("write the distribution of a new CRM plugin, with the contract in its tests", _new_plugin),
    "plugins": ("list the CRMs and call providers that are installed", options.json),
}
