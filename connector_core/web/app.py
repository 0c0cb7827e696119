"""An ASGI app that receives webhooks: one path for each connection and provider.

A sender is told whether its event was kept, and nothing of why it was not: what a forger learns from an answer is that
there is one. Why stands in the log, by connection and provider, without anything that was sent.
"""

from __future__ import annotations

import asyncio
import logging
from importlib.metadata import version

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
BODY_SECONDS = 10.0
"""How long a sender may take for a body."""

_log = logging.getLogger(__name__)


def create_app(receiver: Receiver, *, most_bytes: int = MOST_BYTES, public_url: str | None = None) -> Starlette:
    """Make the app; mount it wherever you like.

    ``POST /hooks/CONNECTION/PROVIDER`` answers 200 once the ledger has what was told, or with what the provider wants when
    it sets a webhook up; 202 for what tells nothing of a finished call; 400 for what is no event; 401 for what is not
    proven; 404 where there is no such connection or provider; 408, 413 for a body that takes too long or is too long; 503
    where it cannot be kept now, so that the sender tries again. Bodies are empty. ``GET /health`` answers 204, and
    ``GET /openapi.json`` with all of this.

    :param most_bytes: How long a body may be; no more than that is held of it.
    :param public_url: What senders call the app by, up to ``/hooks``, where a proxy stands before it: some sign the address.
    """

    async def hook(request: Request) -> Response:
        try:
            body = await asyncio.wait_for(_body(request, most_bytes), BODY_SECONDS)
        except TimeoutError:
            return Response(status_code=408)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return Response(status_code=413)
        names = request.path_params["connection"], request.path_params["provider"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.headers.raw}
        url = str(request.url) if public_url is None else f"{public_url.rstrip('/')}/hooks/{'/'.join(names)}"
        delivery = Delivery(body, headers, dict(request.query_params), url)
        return await run_in_threadpool(_answer, receiver, names, delivery)

    async def health(_request: Request) -> Response:
        return Response(status_code=204)

    async def openapi(_request: Request) -> Response:
        return JSONResponse(document(version("connector-core"), most_bytes))

    return Starlette(
        routes=[
            Route("/hooks/{connection}/{provider}", hook, methods=["POST"]),
            Route("/health", health, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
        ]
    )


async def _body(request: Request, most_bytes: int) -> bytes | None:
    """Read a body; None as soon as it is too long."""
    told = request.headers.get("content-length", "")
    if told.isdecimal() and int(told[:20]) > most_bytes:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most_bytes:
            return None
    return bytes(body)


def _answer(receiver: Receiver, names: tuple[str, str], delivery: Delivery) -> Response:
    connection, provider = names
    try:
        received = receiver.receive(connection, provider, delivery)
    except CredentialsError as error:
        return _refused(names, 401, error)
    except InputError as error:
        return _refused(names, 400, error)
    except TryAgainError as error:
        return _refused(names, 503, error)
    except ConnectorError as error:
        return _refused(names, 500, error)
    return Response(status_code=404) if received is None else _told(received)


def _refused(names: tuple[str, str], status: int, error: ConnectorError) -> Response:
    _log.log(
        logging.ERROR if status >= 500 else logging.WARNING,
        "connection %s, provider %s: a webhook is answered with %s: %s",
        *names,
        status,
        error,
    )
    return Response(status_code=status)


def _told(received: Received) -> Response:
    if received.reply is not None:
        return Response(received.reply.body, media_type=received.reply.media_type)
    return Response(status_code=200 if received.verdict == "kept" else 202)
