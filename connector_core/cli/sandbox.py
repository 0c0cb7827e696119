"""``connector sandbox``: serves the sandbox of a CRM until it is stopped."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from connector_core.cli import options

if TYPE_CHECKING:
    from connector_core.testing.sandbox import Sandbox
    from connector_core.testing.server import SandboxServer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; nothing heavy is imported for it."""
    parser.add_argument("crm", metavar="CRM", help="the CRM, like salesforce or hubspot")
    port = options.number("a port", 0, 65_535)
    parser.add_argument("--port", type=port, default=0, help="the port on 127.0.0.1; default a free one")
    parser.add_argument("--seed", type=Path, metavar="FILE", help="a CRM in a file to start from; default a demo world")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="append each request that was served, a line each")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="fault rules, a JSON list")


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM.

    :raises InputError: The seed or the faults are wrong, or a file cannot be used; the message names it.
    :raises ConfigurationError: There is no such CRM, it has no sandbox, or the port is taken.
    """
    import signal
    from queue import SimpleQueue

    from connector_core.cli.collector import rare_collections
    from connector_core.cli.output import DONE, say_json

    # A queue may be put to while it is being put to: signals come in pairs, one to the process and one to its group.
    stop: SimpleQueue[int] = SimpleQueue()
    with ExitStack() as restore, _server(arguments) as server, rare_collections():
        for number in (signal.SIGINT, signal.SIGTERM):
            restore.callback(signal.signal, number, signal.signal(number, lambda number, _: stop.put(number)))
        say_json({"url": server.url, "settings": server.settings})
        stop.get()
    return DONE


def _server(arguments: argparse.Namespace) -> SandboxServer:
    from connector_core.errors import ConfigurationError, InputError
    from connector_core.testing.faults import read_faults
    from connector_core.testing.server import SandboxServer

    sandbox = _sandbox(arguments.crm, arguments.seed)
    faults = read_faults(arguments.faults) if arguments.faults else ()
    try:
        return SandboxServer(sandbox, port=arguments.port, journal=arguments.journal, faults=faults)
    except OSError as error:
        if error.filename is not None:
            raise InputError(f"{arguments.journal}: cannot be written: {error.strerror}") from error
        raise ConfigurationError(f"port {arguments.port}: cannot be listened on: {error.strerror}") from error


def _sandbox(crm: str, seed: Path | None) -> Sandbox:
    from connector_core import discovery
    from connector_core.crms.world import read_world
    from connector_core.errors import ConfigurationError, InputError
    from connector_core.manifest import load
    from connector_core.testing.demo import DEMO_WORLD
    from connector_core.testing.sandbox import SeedError

    manifest = discovery.crm(crm)
    if manifest.sandbox is None:
        having = (name for name, found in discovery.crms().items() if found.manifest and found.manifest.sandbox)
        raise ConfigurationError(f"{crm} has no sandbox; those that have: {', '.join(having) or 'none'}")
    make: type[Sandbox] = load(manifest.sandbox, of=f"plugin {crm}")
    path = seed or DEMO_WORLD
    try:
        return make(read_world(path))
    except SeedError as error:
        raise InputError(f"{path}: {error}") from error
