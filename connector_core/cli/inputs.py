"""What several commands are given: the configuration, and the calls."""

from __future__ import annotations

import difflib
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from connector_core.calls import Calls, Problem, Replaced, read_calls, read_events
from connector_core.cli.output import tell
from connector_core.config import DEFAULT_FILE, Config, ConnectionConfig, in_file
from connector_core.config_file import load_config
from connector_core.discovery import provider
from connector_core.errors import ConfigurationError, CredentialsError, InputError, TryAgainError
from connector_core.providers.binding import Provider, bind_provider

if TYPE_CHECKING:
    from connector_core.ledger.ledger import Ledger
    from connector_core.ledger.overview import Overview


def configuration(arguments: Namespace) -> Config:
    """Read the configuration that was named, or the default one; an empty one where the command needs none.

    :raises ConfigurationError: It is wrong, or not there.
    """
    if arguments.connection is None and not (arguments.config or arguments.provider):
        return Config(DEFAULT_FILE, {})
    return file(arguments.config)


def file(path: Path | None) -> Config:
    """Read the configuration that was named, or the default one.

    :raises ConfigurationError: It is wrong, or not there.
    """
    if path is None and not DEFAULT_FILE.exists():
        raise ConfigurationError(
            f"{DEFAULT_FILE}: there is none in this directory; write one, or name one with --config"
        )
    return load_config(path or DEFAULT_FILE)


def ledger(config: Config, arguments: Namespace) -> Ledger:
    """Open the ledger that was named, or the configuration's.

    :raises ConfigurationError: It is wrong, or cannot be reached: then nothing can start.
    """
    from connector_core.ledger.opening import open_ledger  # not for commands that need none: it takes half a second

    try:
        return open_ledger(config, arguments.ledger)
    except TryAgainError as error:
        raise ConfigurationError(str(error)) from error


@contextmanager
def naming(connection: ConnectionConfig, ledger: Ledger | None = None) -> Iterator[None]:
    """Let errors that a connection's configuration or credentials cause name it, and the file that it stands in.

    Of one that is paused in the ledger it is told, too, what lets it go on.
    """
    name = connection.name
    try:
        yield
    except (ConfigurationError, CredentialsError) as error:
        kind = CredentialsError if isinstance(error, CredentialsError) else ConfigurationError
        where, message = in_file(connection.source, f"connection {name}: "), str(error)
        if not message.startswith(where):  # by what was asked for a provider of it
            message = in_file(connection.source, f"connection {name}: {message}")
        if ledger is not None and ledger.people.paused(name) is not None:
            message = f"{message}. {resuming(name)}"
        raise kind(message) from error
    if ledger is not None and (reason := ledger.people.paused(name)) is not None:
        tell(f"connection {name} is paused: {reason}. {resuming(name)}")


def resuming(name: str) -> str:
    """Say what lets a connection go on that is paused."""
    return f"Mend that, then: connector resume --connection {name}"


def tell_abandoned(config: Config, known: Mapping[str, Overview]) -> None:
    """Tell of connections in the ledger, of which calls are not settled, and which the configuration has no more."""
    for name in sorted(known.keys() - config.connections.keys()):
        due, waiting = (known[name].states[state] for state in ("due", "waiting"))
        if due or waiting:
            tell(f"connection {name}: is not in {config.path}: {due:,} calls are due, {waiting:,} wait for a person")


def calls(arguments: Namespace, config: Config) -> Calls:
    """Read the calls; what is wrong with a line, replaced or skipped goes to standard error.

    :raises InputError: The file cannot be read.
    :raises ConfigurationError: There is no such provider, or its settings are wrong.
    """
    with lines(arguments.calls) as found:
        if arguments.provider:
            with provider_of(arguments, config) as bound:
                read = read_events(found, bound)
        else:
            read = read_calls(found)
    messages: list[Problem | Replaced] = [*read.problems, *read.replaced]
    for message in sorted(messages, key=lambda message: message.line):
        tell(str(message))
    if len(read.problems) > 1 and not read.calls and not read.skipped:
        tell(f"{arguments.calls}: no line can be read; wanted one whole JSON object on each line")
    return read


def unread(number: int) -> list[str]:
    """Say in a summary how many lines were no calls, if any were not."""
    return [f"{number:,} line{'s' if number > 1 else ''} could not be read"] if number else []


def provider_of(arguments: Namespace, config: Config) -> Provider:
    """Bind the call provider that was named to its settings: those of the connection, or those for all; close it.

    :raises ConfigurationError: There is no such provider, or its settings are wrong.
    """
    name: str = arguments.provider
    if arguments.connection is not None:
        connection = config.connection(arguments.connection)
        if name in connection.providers:
            with naming(connection):
                return connection.sources().bind(name)
    settings = config.provider_settings(name)
    manifest = provider(name)
    try:
        return bind_provider(manifest, settings)
    except ConfigurationError as error:
        near = [] if name in config.providers else difflib.get_close_matches(name, config.providers, n=1)
        hint = f". There is [providers.{near[0]}]" if near else ""
        raise ConfigurationError(in_file(str(config.path), f"{error}{hint}")) from error


@contextmanager
def lines(source: str) -> Iterator[Iterable[bytes]]:
    """Open a file, or standard input for ``-``, and give its lines as they stand.

    :raises InputError: It cannot be read.
    """
    try:
        if source == "-":
            if sys.stdin is None:
                raise InputError("standard input is closed")
            yield sys.stdin.buffer
        else:
            with Path(source).open("rb") as file:
                yield file
    except OSError as error:
        raise InputError(f"{source}: cannot be read ({error.strerror})") from error
