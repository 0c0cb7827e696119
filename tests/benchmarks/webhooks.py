"""How many webhooks are accepted a second, beside a bare handler that makes the same commit.

Both are served by uvicorn in a process of their own, on a SQLite file on this disk; the senders are the same. They take
turns, so that whatever else the machine does slows both; told is the turn whose ratio is in the middle.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connector_core.discovery import provider
from connector_core.ledger.database import Database
from connector_core.ledger.ledger import Ledger
from connector_core.providers.binding import bind_provider
from connector_core.receiving import Receiver, Source
from connector_core.web.app import create_app

EVENTS, SENDERS, TURNS = 1_600, 16, 7
GOAL = 0.5
TOKEN = "invented"
PATH = "/hooks/acme/aircall"


def report() -> Iterator[str]:
    """Measure both, and compare."""
    turns = [(_accepted_a_second(_serve_ours), _accepted_a_second(_serve_bare)) for _ in range(TURNS)]
    ours, theirs = sorted(turns, key=lambda turn: turn[0] / turn[1])[TURNS // 2]
    yield (
        f"webhooks: {ours:,.0f} accepted a second, a new call each, with the ledger's commit; a bare handler with the same"
        f" commit {theirs:,.0f}; ratio {ours / theirs:.2f} (goal: at least {GOAL})"
    )


def _serve_ours(listening: socket.socket, folder: str, ready: Event) -> None:
    with (
        bind_provider(provider("aircall"), {"token": TOKEN}) as aircall,
        Ledger(f"sqlite:///{folder}/ledger.db") as ledger,
    ):
        _serve(create_app(Receiver(ledger, lambda *_: Source(aircall))), listening, ready)


def _serve_bare(listening: socket.socket, folder: str, ready: Event) -> None:
    database = Database(f"sqlite:///{folder}/bare.db")
    with database.writing() as step:
        step.execute(sa.text("create table events (id integer primary key, body text)"))

    def keep(body: bytes) -> None:
        with database.writing() as step:
            step.execute(sa.text("insert into events (body) values (:body)"), {"body": body.decode()})

    async def hook(request: Request) -> Response:
        await run_in_threadpool(keep, await request.body())
        return Response()

    _serve(Starlette(routes=[Route(PATH, hook, methods=["POST"])]), listening, ready)


def _serve(app: Starlette, listening: socket.socket, ready: Event) -> None:
    ready.set()
    uvicorn.Server(uvicorn.Config(app, access_log=False, lifespan="off", log_config=None, ws="none")).run([listening])


def _accepted_a_second(serve: Callable[[socket.socket, str, Event], None]) -> float:
    context = multiprocessing.get_context("fork")
    with TemporaryDirectory(dir=Path.cwd()) as folder, socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        ready = context.Event()
        server = context.Process(target=serve, args=(listening, folder, ready), daemon=True)
        server.start()
        try:
            ready.wait()
            port = listening.getsockname()[1]
            _send(port, range(SENDERS * 10))  # warm
            started = time.monotonic()
            _send(port, range(SENDERS * 10, SENDERS * 10 + EVENTS))
            return EVENTS / (time.monotonic() - started)
        finally:
            server.terminate()
            server.join()


def _send(port: int, numbers: range) -> None:
    """Send events from several connections at once, each of another call."""
    wrong: list[int] = []

    def sender(mine: range) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for number in mine:
            connection.request("POST", PATH, _event(number))
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=sender, args=(numbers[at::SENDERS],)) for at in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise RuntimeError(f"{len(wrong)} events were not accepted: {wrong[0]}")


def _event(number: int) -> bytes:
    data: dict[str, Any] = {
        "id": number + 1,
        "direction": "inbound",
        "started_at": 1772442000,
        "answered_at": 1772442012,
        "ended_at": 1772442291,
        "duration": 291,
        "raw_digits": "+33 6 39 98 10 11",
        "user": {"id": 731416, "name": "Ada Agent", "email": "ada@seller.example"},
        "number": {"id": 397375, "name": "Sales FR", "digits": "+33 1 99 00 00 01"},
        "tags": [{"id": 5, "name": "Demo"}],
    }
    return json.dumps({"event": "call.ended", "timestamp": 1772442321, "token": TOKEN, "data": data}).encode()
