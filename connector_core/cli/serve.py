"""``connector serve``: receives webhooks into the ledger, until it is stopped."""

from __future__ import annotations

import signal
import socket
from argparse import Namespace
from collections.abc import Iterable
from contextlib import ExitStack
from urllib.parse import quote

from connector_core.cli import inputs
from connector_core.cli.output import DONE, say, say_json, tell
from connector_core.config import Config, ConnectionConfig, in_file
from connector_core.engines import Limits, engine_for
from connector_core.errors import ConfigurationError
from connector_core.receiving import ReadChanges, Receiver, Source, changes_of

GRACE_SECONDS = 5
"""How long requests under way may take once it is to end."""


def run(arguments: Namespace) -> int:
    """Receive until SIGTERM or SIGINT. What is received is worked on by ``connector worker``."""
    try:
        import uvicorn

        from connector_core.web.app import create_app
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"serve needs {error.name}: pip install 'connector-core[web]'") from error
    config = inputs.file(arguments.config)
    with ExitStack() as stack:
        sources, crms = _sources(config, stack), _crms(config)
        if not sources and not crms:
            raise ConfigurationError(
                f"{config.path}: no connection has a call provider; write [connections.NAME.providers.PROVIDER]"
            )
        ledger = stack.enter_context(inputs.ledger(config, arguments))
        engine = engine_for(ledger, lambda name: config.connection(name).open(), limits=Limits(config.connections))
        receiver = Receiver(ledger, lambda *names: sources.get(names), find_changes=crms.get, wake=engine.wake)
        app = create_app(receiver, public_url=arguments.public_url)
        listening = stack.enter_context(_listen(arguments.host, arguments.port))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                access_log=False,
                lifespan="off",
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
                ws="none",
            )
        )

        def stop(*_signal: object) -> None:
            server.should_exit = True

        for number in (signal.SIGINT, signal.SIGTERM):  # the server raises again, once it has ended, what ended it
            stack.callback(signal.signal, number, signal.signal(number, stop))
        paths = [("hooks", *names) for names in sources] + [("crm", name) for name in crms]
        _tell_addresses(listening, paths, as_json=arguments.json)
        server.run(sockets=[listening])
    return DONE


def _sources(config: Config, stack: ExitStack) -> dict[tuple[str, str], Source]:
    """Bind all providers of all connections: what is wrong is told before anything is received."""
    found: dict[tuple[str, str], Source] = {}
    for connection in config.connections.values():
        for name in connection.providers:
            found[connection.name, name] = _source(connection, name, stack)
    return found


def _crms(config: Config) -> dict[str, ReadChanges]:
    """Give what reads the webhooks of CRMs; calls are received though a CRM's settings are not whole here."""
    found: dict[str, ReadChanges] = {}
    for connection in config.connections.values():
        try:
            read = changes_of(connection)
        except ConfigurationError as error:
            tell(f"webhooks of the CRM are not received: {in_file(connection.source, str(error))}")
            continue
        if read is not None:
            found[connection.name] = read
    return found


def _source(connection: ConnectionConfig, name: str, stack: ExitStack) -> Source:
    try:
        return Source(stack.enter_context(connection.sources().bind(name)), connection.delay_seconds)
    except ConfigurationError as error:
        raise ConfigurationError(in_file(connection.source, str(error))) from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:  # a name of which a part is too long is no text to the socket
        why = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"{host}, port {port}: cannot be listened on: {why}") from error


def _tell_addresses(listening: socket.socket, paths: Iterable[tuple[str, ...]], *, as_json: bool) -> None:
    host, port = listening.getsockname()[:2]
    at = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    hooks = ["".join(f"/{quote(name, safe='')}" for name in names) for names in paths]
    if as_json:
        say_json({"url": at, "hooks": hooks})
    else:
        for hook in hooks:
            say(f"{at}{hook}")
    tell("receiving; connector worker works on what is received, and sees to it that it keeps coming")
