"""What can be typed by those who look at a report. Nothing heavy is imported here."""

from __future__ import annotations

import argparse
from pathlib import Path

from connector_core.cli import options
from connector_core.cli.parser_people import changing
from connector_core.filling.outcomes import OUTCOMES, REASONS

FORMATS = ("text", "json", "csv", "html")
COLUMNS = ("name", "type", "object", "field", "template", "mode", "eligible", *OUTCOMES)
TYPES = ("text", "number", "boolean", "date", "time", "choice", "choices", "reference", "other")


def report(parser: argparse.ArgumentParser) -> None:
    """Declare it."""
    parser.add_argument("what", choices=("filling",), help="how the fields of templates were filled")
    parser.add_argument(
        "--period",
        default="this-month",
        metavar="PERIOD",
        help="this- or last-, and week, month, quarter or year; or two days, FROM..TO; default this-month",
    )
    for name, metavar, what in (
        ("template", "ID", "the fields of this template"),
        ("field", "NAME", "the fields of this name, or TEMPLATE.NAME, or the CRM's own name"),
    ):
        parser.add_argument(
            f"--{name}", action="append", default=[], type=options.text, metavar=metavar, help=f"{what}; repeatable"
        )
    parser.add_argument("--type", action="append", default=[], choices=TYPES, help="the fields of a type; repeatable")
    parser.add_argument("--mode", choices=("automatic", "manual"), help="the fields that are sent so today")
    parser.add_argument(
        "--sort", choices=COLUMNS, metavar="COLUMN", help=f"one of {', '.join(COLUMNS)}; default as in the templates"
    )
    parser.add_argument("--descending", action="store_true", help="the other way round")
    parser.add_argument("--refresh", action="store_true", help="count first what changed since the last time")
    parser.add_argument(
        "--calls", metavar="FIELD", type=options.text, help="list the calls behind a number: of this field"
    )
    parser.add_argument("--outcome", choices=tuple(OUTCOMES), help="list the calls with this outcome")
    parser.add_argument(
        "--reason", choices=tuple(REASONS), help="list the calls with this reason, of the outcome other"
    )
    parser.add_argument(
        "--most",
        type=options.number("N", 1, 1_000_000),
        default=100,
        metavar="N",
        help="list at most so many calls; default 100",
    )
    parser.add_argument("--format", choices=FORMATS, default="text", help="default text; html is a page of its own")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it into a file")
    changing(parser)
