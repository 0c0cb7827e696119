"""The one request with which a service sends a person's browser back."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Self
from urllib.parse import parse_qsl

from connector_core.errors import ConfigurationError, CredentialsError

PATH = "/callback"
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>connector</title>
<p>Thank you. Go back to the terminal: it says whether the connection is signed in. This page can be closed.</p></html>
"""
_READ_SECONDS = 5.0


def read_answer(address: str) -> Mapping[str, str]:
    """Read what a browser brings, out of the address that it is sent to; empty where nothing stands there."""
    return dict(parse_qsl(address.partition("#")[0].partition("?")[2]))


def belongs(answer: Mapping[str, str], state: str) -> bool:
    """Tell whether an answer is to the login with this state."""
    return hmac.compare_digest(answer.get("state", "").encode(), state.encode())


class _Server(HTTPServer):
    state = ""
    answer: Mapping[str, str] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _READ_SECONDS  # whoever connects and says nothing must not keep the browser out

    def do_GET(self) -> None:
        """Take the answer to this login; anything else that a browser asks for is not here."""
        answer = read_answer(self.path)
        if self.path.partition("?")[0] != PATH or not belongs(answer, self.server.state):
            self.send_error(404)
            return
        self.server.answer = answer
        body = _PAGE.encode()
        self.send_response(200)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(body)),
            "Content-Security-Policy": "default-src 'none'",
            "Referrer-Policy": "no-referrer",  # the code stands in the address of this page
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the code stands in the address."""


class Redirect:
    """Listens on this machine, from construction on, until a browser comes back; close it, or use ``with``."""

    def __init__(self, port: int, state: str) -> None:
        """Bind the port.

        :param state: What an answer to this login carries; any other one is not taken.
        :raises ConfigurationError: It is taken.
        """
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ConfigurationError(
                f"port {port}: cannot be listened on ({error.strerror}); choose another with --port, and let the app"
                " allow it"
            ) from error
        self._server.state = state

    def answer(self, wait_seconds: float) -> Mapping[str, str]:
        """Give what the browser brings.

        :raises CredentialsError: Nobody came.
        """
        end = time.monotonic() + wait_seconds
        while self._server.answer is None:
            self._server.timeout = end - time.monotonic()
            if self._server.timeout <= 0:
                raise CredentialsError(f"nobody consented within {wait_seconds:.0f} s: begin anew")
            self._server.handle_request()
        return self._server.answer

    def __enter__(self) -> Self:
        """Listen."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop."""
        self._server.server_close()
