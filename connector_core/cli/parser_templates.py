"""What can be typed by people who write templates. Nothing heavy is imported here either."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from connector_core.cli import options
from connector_core.cli.parser_people import changing, looking


def _list(parser: argparse.ArgumentParser) -> None:
    looking(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    looking(parser)


def _versions(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    looking(parser)


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="templates as YAML; - for standard input")
    changing(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", nargs="*", type=options.text, metavar="ID", help="a template; default all")
    looking(parser)


def _test(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "template", type=options.text, metavar="TEMPLATE", help="its id, or a file (.yaml, .yml) that has it alone"
    )
    parser.add_argument(
        "calls", nargs="+", type=options.text, metavar="CALLS", help="files with one call a line; - for standard input"
    )
    parser.add_argument("--ids", action="store_true", help="CALLS are ids of calls that the ledger holds")
    options.provider(parser)
    looking(parser)


def _publish(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="fill also from calls that started then or later, like 2026-03-02 or 2026-03-02T09:00:00Z; default now",
    )
    changing(parser)


def _unpublish(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    changing(parser)


def _delete(parser: argparse.ArgumentParser) -> None:
    _id(parser)
    changing(parser)


def _id(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", type=options.text, metavar="ID", help="the template")


VERBS: Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "list": ("list the templates, and which of them are in use", _list),
    "show": ("show which calls a template is for, and what it fills", _show),
    "versions": ("list the versions of a template, and who kept them", _versions),
    "import": ("keep the templates of files as drafts", _import),
    "export": ("print templates as YAML, for import", _export),
    "test": ("show what a template finds in calls, and change nothing", _test),
    "publish": ("check the newest version of a template against the CRM, and take it into use", _publish),
    "unpublish": ("make a draft of a template again", _unpublish),
    "delete": ("let go of a template that is not published; what came of its fields stays", _delete),
}
"""The verbs of ``connector templates``, each a function of :mod:`connector_core.cli.templates`."""
_FUNCTIONS = {"list": "list_all", "import": "bring_in"}
"""What functions are called whose verb is a word of Python's."""


def templates(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, title="verbs", metavar="VERB")
    for name, (summary, declare) in VERBS.items():
        verb = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        declare(verb)
        verb.set_defaults(run=f"templates:{_FUNCTIONS.get(name, name)}")
