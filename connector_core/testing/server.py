"""Serves a sandbox: HTTP, the journal, the faults and the addresses under ``/_sandbox``."""

from __future__ import annotations

import contextlib
import json
import threading
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, Self

from connector_core.errors import InputError
from connector_core.testing.faults import FaultError, parse_faults, plan
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response, Sandbox

_CONTROL = "/_sandbox"
_POLL_SECONDS = 0.05


class SandboxServer:
    """A sandbox on 127.0.0.1, listening from construction on and answering once started.

    ::

        with SandboxServer(sandbox) as server:
            connect(server.settings)
    """

    def __init__(
        self, sandbox: Sandbox, *, port: int = 0, journal: Path | None = None, faults: Sequence[object] = ()
    ) -> None:
        """Bind the port; 0 takes a free one.

        :param journal: A file to append each journal entry to, as a line of JSON.
        :param faults: Fault rules, as JSON that was parsed already.
        :raises InputError: A fault rule is wrong.
        :raises OSError: The port is taken, or the file cannot be written.
        """
        self._sandbox = sandbox
        self._rules = parse_faults(faults)
        self._journal: list[dict[str, str | int]] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._serving = False
        with contextlib.ExitStack() as undo:
            self._file = undo.enter_context(journal.open("a", encoding="utf-8")) if journal else None
            self._listener = Listener(self._answer, port)
            undo.pop_all()
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """The flat settings that a connection needs to reach this sandbox."""
        with self._lock:
            return self._sandbox.settings(self.url)

    # -- running -------------------------------------------------------------------------------------------------------

    def serve_forever(self) -> None:
        """Serve in this thread, until another one closes."""
        self._serving = True
        self._listener.serve_forever(_POLL_SECONDS)

    def start(self) -> Self:
        """Serve in a thread of its own. Starting twice is once."""
        if not self._serving:
            self._serving = True
            threading.Thread(target=self.serve_forever, name="sandbox", daemon=True).start()
        return self

    def close(self) -> None:
        """Stop, and end every connection; work that was to be done late is not done. Closing twice is once."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._serving:
            self._listener.shutdown()
        self._listener.server_close()
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # -- answering -----------------------------------------------------------------------------------------------------

    def _answer(self, request: Request) -> Response | None:
        if request.path == _CONTROL or request.path.startswith(f"{_CONTROL}/"):
            with self._lock:
                return _guarded(self._control, request)
        with self._lock:
            planned = plan(self._rules, request)
        if self._stopping.wait(planned.wait_seconds):
            return None
        with self._lock:
            response = _guarded(planned.serve, self._sandbox, request)
            self._note(request, response)
        return response if planned.answered else None

    def _note(self, request: Request, response: Response) -> None:
        entry: dict[str, str | int] = {
            "method": request.method,
            "path": request.path,
            "status": response.status,
            "api_calls": response.api_calls,
        }
        self._journal.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            self._file.flush()

    def _control(self, request: Request) -> Response:
        name = request.path.removeprefix(f"{_CONTROL}/")
        read = {"ids": self._sandbox.ids, "records": self._sandbox.records, "journal": self._journal.copy}
        change = {"faults": self._set_faults, "org": self._set_org}
        if name not in read and name not in change:
            return _message(404, f"unknown address; possible are {', '.join([*read, *change])} under {_CONTROL}/")
        method = "GET" if name in read else "POST"
        if request.method != method:
            return _message(405, f"{request.path} takes {method}", allow=method)
        if name in read:
            return Response.of(read[name](), api_calls=0)
        try:
            change[name](json.loads(request.body))
        except (InputError, ValueError) as error:
            return _message(400, str(error))
        except RecursionError:
            return _message(400, "the body is nested too deeply")
        return Response.of({}, api_calls=0)

    def _set_faults(self, value: Any) -> None:
        self._rules = parse_faults(value)
        self._sandbox.index_lag_seconds = 0.0

    def _set_org(self, value: Any) -> None:
        if not isinstance(value, dict):
            raise InputError("org: an object of changes is wanted")
        self._sandbox.org(value)


_P = ParamSpec("_P")


def _guarded(work: Callable[_P, Response], *args: _P.args, **options: _P.kwargs) -> Response:
    """Answer 500 where the work fails: a bug in a sandbox must not end it."""
    try:
        return work(*args, **options)
    except FaultError as error:
        return _message(500, str(error))
    except Exception:  # noqa: BLE001 - whatever it is, it is shown
        traceback.print_exc()
        return _message(500, "the sandbox failed; its standard error says where")


def _message(status: int, text: str, **headers: str) -> Response:
    return Response.of({"message": text}, status, api_calls=0, headers=headers)
