"""A replay reaches nothing: no socket connects, no name is looked up, and no wait takes time."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from connector_core import policy
from connector_core.testing.cassettes.exchange import CassetteError

_CONNECTING = ("connect", "connect_ex", "sendto", "sendmsg")
_LOOKING_UP = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr")


class NetworkBlockedError(CassetteError):
    """Something reached for the network during a replay."""


@contextlib.contextmanager
def no_network(note: Callable[[CassetteError], object], *, but: tuple[str, int] | None = None) -> Iterator[None]:
    """Let every connection, datagram and look-up of a name fail, on loopback too, in all threads of the process.

    :param note: Is told of each, as what raises may be swallowed.
    :param but: The one address that may be reached.
    """

    def refuse(what: str, where: object) -> CassetteError:
        error = NetworkBlockedError(f"the network is blocked during a replay: {what} to {where!r} was tried")
        note(error)
        return error

    def guarded(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def method(self: socket.socket, *args: Any, **options: Any) -> Any:
            address = next((it for it in reversed(args) if isinstance(it, tuple)), None)
            if self.family in (socket.AF_INET, socket.AF_INET6) and address and address[:2] != but:
                self.close()  # whoever wanted it may only look out for errors of sockets
                raise refuse(name, address)
            return real(self, *args, **options)

        return method

    def looked_up(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def function(host: Any, *args: Any, **options: Any) -> Any:
            if but is None or host != but[0]:
                raise refuse(name, host)
            return real(host, *args, **options)

        return function

    with contextlib.ExitStack() as stack:
        for name in _CONNECTING:
            if hasattr(socket.socket, name):  # sendmsg is not everywhere
                stack.enter_context(mock.patch.object(socket.socket, name, guarded(name, getattr(socket.socket, name))))
        for name in _LOOKING_UP:
            stack.enter_context(mock.patch.object(socket, name, looked_up(name, getattr(socket, name))))
        yield


@contextlib.contextmanager
def no_waiting(note: Callable[[float], object]) -> Iterator[None]:
    """Let no wait take time, of policies and of ``time.sleep``, and note the seconds."""

    def sleep(seconds: float) -> None:
        note(seconds)

    with contextlib.ExitStack() as stack:
        if policy.wait is time.sleep:  # else a test has taken the waits into its own hands
            stack.enter_context(mock.patch.object(policy, "wait", sleep))
        stack.enter_context(mock.patch.object(time, "sleep", sleep))
        yield
