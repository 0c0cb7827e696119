"""``connector report filling``: how fields were filled, where it works, and what to do where it does not."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from connector_core.cli import inputs
from connector_core.cli.output import DONE, say, say_as_it_is, tell
from connector_core.cli.people import actor_of
from connector_core.errors import InputError
from connector_core.fill_report import Behind, FillReport
from connector_core.filling.report import Filters, Query
from connector_core.reports import tables
from connector_core.reports.page import page


def run(arguments: Namespace) -> int:
    """Print the report, or the calls behind a number of it; or write it into a file."""
    form = "json" if arguments.json else arguments.format
    listed = bool(arguments.calls or arguments.outcome or arguments.reason)
    _refuse_what_would_be_ignored(arguments, form, listed=listed)
    config = inputs.file(arguments.config)
    connection = config.connection(arguments.connection)
    with inputs.ledger(config, arguments) as ledger:
        it = FillReport(ledger, connection.name, connection.association.zone, actor_of(arguments))
        if arguments.refresh:
            it.refresh()
        query = it.query(arguments.period, _filters(arguments), sort=arguments.sort, descending=arguments.descending)
        if listed:
            behind = it.calls(query, arguments.outcome, arguments.reason, arguments.most)
            _give(_calls(behind, form), arguments.output)
            _tell_the_rest(behind)
        else:
            _give(_report(it, query, form), arguments.output)
    return DONE


def _refuse_what_would_be_ignored(arguments: Namespace, form: str, *, listed: bool) -> None:
    if form != arguments.format != "text":
        raise InputError(f"--json is --format json, and --format {arguments.format} was asked for: give one of them")
    if listed and form == "html":
        raise InputError("calls are listed as text, json or csv; the page of the report shows the first of each number")
    if listed and (arguments.sort or arguments.descending):
        raise InputError("calls are listed the newest first: --sort and --descending are for the fields of the report")
    if arguments.calls and arguments.field:
        raise InputError("--calls names the field already; without it, --field and --outcome list the calls of several")


def _filters(arguments: Namespace) -> Filters:
    fields = [arguments.calls] if arguments.calls else arguments.field
    return Filters(tuple(arguments.template), tuple(fields), tuple(arguments.type), arguments.mode)


def _report(it: FillReport, query: Query, form: str) -> str | Iterable[str]:
    """Make it: lines for a person, or a text for a program."""
    if form == "html":
        return page(*it.with_examples(query))
    report = it.report(query)
    if form == "csv":
        return tables.as_csv(report)
    return _json([report.to_json()]) if form == "json" else tables.text(report)


def _calls(behind: Behind, form: str) -> str | Iterable[str]:
    if form == "csv":
        return tables.calls_csv(behind.calls)
    return _json(call.to_json() for call in behind.calls) if form == "json" else tables.calls_text(behind.calls)


def _tell_the_rest(behind: Behind) -> None:
    if behind.total > len(behind.calls):
        tell(f"{len(behind.calls):,} of {behind.total:,} calls, the newest first: --most N gives more")
    elif not behind.calls:
        tell("no call")


def _json(values: Iterable[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)


def _give(made: str | Iterable[str], output: Path | None) -> None:
    if output is not None:
        text = made if isinstance(made, str) else "".join(f"{line}\n" for line in made)
        try:
            output.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise InputError(f"{output}: cannot be written ({error.strerror})") from error
        tell(f"written to {output}")
    elif isinstance(made, str):
        say_as_it_is(made)
    else:
        for line in made:
            say(line)
