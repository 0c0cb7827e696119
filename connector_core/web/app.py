"""An ASGI app that receives webhooks: one path for each connection and provider, and one for each connection's CRM.

A sender is told whether its event was kept, and nothing of why it was not: what a forger learns from an answer is that
there is one. Why stands in the log, by connection and provider, without anything that was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector_core.errors import ConnectorError, CredentialsError, InputError, TryAgainError
from connector_core.providers.hookspecs import Delivery
from connector_core.receiving import Received, Receiver
from connector_core.web.openapi import document

MOST_BYTES = 2_000_000
"""How long a body may be. The longest events that are known are transcripts of some hundred kilobytes."""
MOST_BODIES = 50
"""How many of the longest bodies there is room for: senders that nobody knows yet are not to fill the memory."""
LARGE_BYTES = 100_000
"""Bodies beyond are worked on one after another: what is read of them may take twenty times their length, proven or not."""
BODY_SECONDS = 10.0
"""How long a sender may take for a body."""

Take: TypeAlias = Callable[[Delivery], Received | None]

_log = logging.getLogger(__name__)


def create_app(receiver: Receiver, *, most_bytes: int = MOST_BYTES, public_url: str | None = None) -> Starlette:
    """Make the app; mount it wherever you like.

    ``POST /hooks/CONNECTION/PROVIDER`` answers 200 once the ledger has what was told, or with what the provider wants when
    it sets a webhook up; 202 for what tells nothing of a finished call; 400 for what is no event; 401 for what is not
    proven; 404 where there is no such connection or provider; 408, 413 for a body that takes too long or is too long; 500
    where the provider cannot be used, or fails; 503 where it cannot be kept now. After these two the sender tries again.
    ``POST /crm/CONNECTION`` answers a connection's CRM likewise; 202 where no call waits for what changed. Bodies are empty.
    ``GET /health`` answers 204, and ``GET /openapi.json`` with all of this.

    :param most_bytes: How long a body may be; no more than that is held of it, and of all :data:`MOST_BODIES` times as much.
    :param public_url: What senders call the app by, up to ``/hooks`` or ``/crm``, where a proxy stands before it: some sign
        the address.
    """

    room = _Room(MOST_BODIES * most_bytes)
    one_large = asyncio.Semaphore(1)

    async def receive(request: Request, take: Take) -> Response:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                status = await _read(request, body, most_bytes, room)
            if status is not None:
                return Response(status_code=status)
            async with one_large if len(body) > LARGE_BYTES else contextlib.nullcontext():
                url = _called(request, public_url)
                delivery = Delivery(bytes(body), _headers(request), dict(request.query_params), url)
                return await run_in_threadpool(_answer, request.path_params, take, delivery)
        except TimeoutError:
            return Response(status_code=408)
        except ClientDisconnect:
            return Response(status_code=400)
        finally:
            room.left_bytes += len(body)

    async def hook(request: Request) -> Response:
        names = request.path_params["connection"], request.path_params["provider"]
        return await receive(request, functools.partial(receiver.receive, *names))

    async def crm(request: Request) -> Response:
        return await receive(request, functools.partial(receiver.receive_changes, request.path_params["connection"]))

    async def health(_request: Request) -> Response:
        return Response(status_code=204)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(document(version("connector-core"), most_bytes))

    app = Starlette(
        routes=[
            Route("/hooks/{connection}/{provider}", hook, methods=["POST"]),
            Route("/crm/{connection}", crm, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
        ]
    )
    app.router.redirect_slashes = False  # to an address that the sender named, without the TLS of a proxy
    return app


@dataclass(slots=True)
class _Room:
    """Room for the bodies of all requests that are under way."""

    left_bytes: int


async def _read(request: Request, body: bytearray, most_bytes: int, room: _Room) -> int | None:
    """Read a body; give the status of the answer as soon as it is too long, or there is no room for it."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > most_bytes:
        return 413
    async for chunk in request.stream():
        if len(body) + len(chunk) > most_bytes:
            return 413
        if len(chunk) > room.left_bytes:
            _log.warning("a webhook is answered with 503: too many bodies are being received")
            return 503
        room.left_bytes -= len(chunk)
        body += chunk
    return None


def _headers(request: Request) -> dict[str, str]:
    """Give the headers by name in lower case; one that stands several times as one, as RFC 9110 (5.3) reads it."""
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _called(request: Request, public_url: str | None) -> str | None:
    """Give the address as the sender wrote it: a signature may be made over it."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    path, query = raw.decode("latin-1"), request.scope["query_string"].decode("latin-1")
    if public_url is not None:
        ours = path.split("/")[-1 - len(request.path_params) :]
        at = f"{public_url.rstrip('/')}/{'/'.join(ours)}"
    elif "host" in request.headers:
        at = f"{request.scope['scheme']}://{request.headers['host']}{path}"
    else:
        return None
    return f"{at}?{query}" if query else at


def _answer(names: Mapping[str, str], take: Take, delivery: Delivery) -> Response:
    try:
        received = take(delivery)
    except CredentialsError as error:
        return _refused(names, 401, error)
    except InputError as error:
        return _refused(names, 400, error)
    except TryAgainError as error:
        return _refused(names, 503, error)
    except ConnectorError as error:
        return _refused(names, 500, error)
    except Exception as error:  # noqa: BLE001 - its message may hold what was sent: only where it was raised is told
        at = traceback.extract_tb(error.__traceback__)[-1]
        told = f"unexpected {type(error).__name__} at {Path(at.filename).name}, line {at.lineno}: a defect"
        return _refused(names, 500, ConnectorError(told))
    return Response(status_code=404) if received is None else _told(received)


def _refused(names: Mapping[str, str], status: int, error: ConnectorError) -> Response:
    _log.log(
        logging.ERROR if status >= 500 else logging.WARNING,
        "%s: a webhook is answered with %s: %s",
        ", ".join(f"{what} {name}" for what, name in names.items()),
        status,
        error,
    )
    return Response(status_code=status)


def _told(received: Received) -> Response:
    if received.reply is not None:
        return Response(received.reply.body, media_type=received.reply.media_type)
    return Response(status_code=200 if received.verdict == "kept" else 202)
