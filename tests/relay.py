"""A server that may be away: a relay to a real one, at an address that stays the same."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Relay:
    """Hands connections at a port of this machine on to a server; nothing listens there until :meth:`up`."""

    def __init__(self, host: str, port: int) -> None:
        """Choose a port that is free."""
        self._to = (host, port)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._server: socket.socket | None = None
        self._open: list[socket.socket] = []

    def up(self) -> None:
        """Let connections through."""
        self._server = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def down(self) -> None:
        """Cut all connections, and refuse new ones."""
        if self._server is None:
            return
        for one in (self._server, *self._open):
            _cut(one)
            one.close()
        self._server, self._open = None, []

    def _accept(self, server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = server.accept()
                there = socket.create_connection(self._to)
                self._open += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    _cut(other)


def _cut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
