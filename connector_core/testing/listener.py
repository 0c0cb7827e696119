"""HTTP/1.1 on the loopback: requests are read whole, and answered by one function, in a thread a connection."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import socketserver
import sys
import threading
import traceback
import zlib
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from connector_core.testing.sandbox import Request, Response

Answerer: TypeAlias = Callable[[Request], Response | None]
"""Answers a request; None closes the connection without an answer."""

_LARGEST_BODY = 64 * 2**20
_LINGER_SECONDS = 0.5
_NO_BODY = frozenset({204, 304})


class _BadRequestError(Exception):
    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Listener(socketserver.ThreadingTCPServer):
    """Listens on 127.0.0.1 from the start; closing ends every connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer: Answerer, port: int) -> None:
        """Bind the port; 0 takes a free one."""
        self.answer = answer
        self._open: set[Any] = set()
        self._changed = threading.Condition()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, and serve it in a thread."""
        with self._changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection, and forget it; what is left unread is read, else the answer could be lost in a reset."""
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER_SECONDS)
            while request.recv(65_536):
                pass
        self.close_request(request)
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over clients that went away; show what is a fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()

    def server_close(self) -> None:
        """Stop listening, and end the connections that are left open."""
        super().server_close()
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=5.0)


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    server_version = "connector-sandbox"
    sys_version = ""
    # Headers and body in one packet: two would cost 40 ms a request, from Nagle's algorithm and delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        try:
            request = self._read()
        except _BadRequestError as error:
            self.send_error(error.status, str(error))
            return
        response = self.server.answer(request)
        if response is None:
            self.close_connection = True
        else:
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the base's names

    def _read(self) -> Request:
        try:
            target = urlsplit(self.path)
        except ValueError as error:
            raise _BadRequestError(f"the address cannot be read: {error}") from error
        if not target.path.startswith("/"):
            raise _BadRequestError("the address has no path")
        headers: dict[str, str] = {}
        for name, text in self.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = text if known is None else f"{known}, {text}"
        query: dict[str, str] = {}
        for name, text in parse_qsl(target.query, keep_blank_values=True):
            query[name] = f"{query[name]},{text}" if name in query else text
        body = _decoded(self._body(headers), headers.get("content-encoding", "identity"))
        return Request(self.command, unquote(target.path), query, headers, body)

    def _body(self, headers: Mapping[str, str]) -> bytes:
        coding, length = headers.get("transfer-encoding"), headers.get("content-length", "0").strip()
        if coding is not None:
            if coding.strip().lower() != "chunked" or "content-length" in headers:
                raise _BadRequestError("Transfer-Encoding must be chunked, without a Content-Length")
            return self._chunks()
        if not (length.isascii() and length.isdigit()):
            raise _BadRequestError("Content-Length must be a number")
        return self._exactly(int(length))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            body += self._exactly(size, already=len(body))
            if self._line():
                raise _BadRequestError("a chunk is longer than it says")
        while self._line():
            pass  # trailers say nothing here
        return bytes(body)

    def _chunk_size(self) -> int:
        size = self._line().partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,16}", size):
            raise _BadRequestError("a chunk's size must be a hexadecimal number")
        return int(size, 16)

    def _line(self) -> bytes:
        line = self.rfile.readline(4096)
        if not line.endswith(b"\n"):
            raise _BadRequestError("the body is cut short")
        return line.rstrip(b"\r\n")

    def _exactly(self, size: int, already: int = 0) -> bytes:
        if size + already > _LARGEST_BODY:
            raise _BadRequestError(f"the body is larger than {_LARGEST_BODY} bytes", 413)
        data = self.rfile.read(size)
        if len(data) < size:
            raise _BadRequestError("the body is cut short")
        return data

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        names = {name.lower() for name in response.headers}
        for name, text in response.headers.items():
            self.send_header(name, text)
        if "content-length" in names:
            self.close_connection = True  # a length of its own is a fault: what follows cannot be told apart
        elif response.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in _NO_BODY:
            self.wfile.write(response.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no proper request, and close: what follows on this connection cannot be read."""
        self.close_connection = True
        self.request_version = self.protocol_version  # a line that names none would be answered without a status
        body = json.dumps({"message": message or explain or self.responses.get(code, ("bad request", ""))[0]}).encode()
        self._send(Response(int(code), body, {"Content-Type": "application/json", "Connection": "close"}))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Say nothing: requests stand in the journal."""


def _decoded(body: bytes, coding: str) -> bytes:
    match coding.strip().lower():
        case "identity" | "":
            return body
        case "gzip":
            return _unzipped(body)
        case _:
            raise _BadRequestError("Content-Encoding must be gzip or identity", 415)


def _unzipped(body: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        data = stream.decompress(body, _LARGEST_BODY)
    except zlib.error as error:
        raise _BadRequestError("the body is no gzip") from error
    if stream.unconsumed_tail:
        raise _BadRequestError(f"the body is larger than {_LARGEST_BODY} bytes", 413)
    if not stream.eof:
        raise _BadRequestError("the body is cut short")
    return data
