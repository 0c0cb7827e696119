"""``connector associate``: decides and prints, changes nothing."""

from __future__ import annotations

import dataclasses
from argparse import Namespace

from connector_core import sync
from connector_core.association import Decision, Settings
from connector_core.association.explanation import in_force, reasons
from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.config import Config, ConnectionConfig, in_file
from connector_core.crms.world import read_world
from connector_core.errors import ConfigurationError

STATUS_STYLES = {"decided": "green", "undecided": "yellow", "ambiguous": "yellow"}


def run(arguments: Namespace) -> int:
    """Decide all calls and print the decisions, in the order of the calls."""
    config = inputs.configuration(arguments)
    connection = _connection(arguments, config)
    settings = _settings(arguments, connection)
    connection = dataclasses.replace(connection, association=settings)
    with connection.open() as opened:
        read = inputs.calls(arguments, config)
        with inputs.naming(connection):
            decisions = sync.associate(opened.connection, read.calls, settings)
    for skipped in read.skipped:
        tell(str(skipped))
    for decision in decisions:
        if arguments.json:
            say_json(decision.to_json())
        else:
            show(decision)
        if decision.status != "decided":
            tell(f"{decision.call.id}: {decision.status}: it waits")
    if not arguments.json:
        say(styled(in_force(settings), "dim"))
    complete = not read.problems and all(decision.status == "decided" for decision in decisions)
    return DONE if complete else INCOMPLETE


def show(decision: Decision) -> None:
    """Print a decision for a person to read."""
    say(f"{styled(decision.call.id, 'bold')}  {styled(decision.status, STATUS_STYLES[decision.status])}")
    paragraph(reasons(decision), indent="  ")
    for advice in decision.advice:
        paragraph(f"→ {advice['text']}", indent="  ", style="cyan")


def _connection(arguments: Namespace, config: Config) -> ConnectionConfig:
    if arguments.crm_file is None:
        return config.connection(arguments.connection)
    read_world(arguments.crm_file)  # what is wrong with it is told before anything is decided
    return ConnectionConfig("file", "file", {"path": str(arguments.crm_file)}, source=str(arguments.crm_file))


def _settings(arguments: Namespace, connection: ConnectionConfig) -> Settings:
    options = {
        "policy": arguments.policy,
        "owner_filter": arguments.owner_filter,
        "regions": None if arguments.region is None else tuple(arguments.region),
        "time_zone": arguments.time_zone,
    }
    given = {key: value for key, value in options.items() if value is not None}
    Settings(**given)  # what is wrong with the options alone is told without the file
    try:
        return dataclasses.replace(connection.association, **given)
    except ConfigurationError as error:
        where = f"connection {connection.name}, with the options given: {error}"
        raise ConfigurationError(in_file(connection.source, where)) from error
