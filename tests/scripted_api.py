"""A stand-in for the API of a call provider on this machine: it answers what a test has written down, and no more."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response


class ScriptedAPI:
    """Answers what ``answers`` has for a path: once each; the last stays.

    ``lists`` answer a path by its query. Whatever nobody should send is answered with 501, and who does not sign in with
    401.
    """

    def __init__(self, version: str, authorization: str) -> None:
        """Listen.

        :param version: What all paths begin with.
        :param authorization: The header that signs in.
        """
        self.answers: dict[str, list[Response]] = {}
        self.lists: dict[str, Callable[[Mapping[str, str]], Response]] = {}
        self.asked: list[str] = []
        self._version = f"/{version}/"
        self._authorization = authorization
        self._listener = Listener(self._answer, 0)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/{version}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,))
        self._thread.start()

    def say(self, path: str, value: object, status: int = 200, **headers: str) -> None:
        """Answer a path with JSON, after what it was given before."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.answers.setdefault(path, []).append(Response(status, body, headers))

    def _answer(self, request: Request) -> Response:
        query = f"?{urlencode(sorted(request.query.items()))}" if request.query else ""
        path = request.path.removeprefix(self._version) + query
        self.asked.append(path)
        listed = self.lists.get(path.partition("?")[0]) if query else None
        if request.method != "GET" or request.body or (query and listed is None):
            return Response(501)
        if request.headers.get("authorization") != self._authorization:
            return Response(401)
        if listed is not None:
            return listed(request.query)
        waiting = self.answers.get(path, [Response(404)])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def close(self) -> None:
        """Stop."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()
