"""Aircall's API: one client for a connection, shared by its threads, and the only place that knows paths and headers.

Documented at developer.aircall.io/api-references: Basic authentication, and a limit of requests a minute for the whole
company (60 at first, 120 later).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from typing import Any

from connector_aircall.settings import AircallSettings
from connector_core.errors import CredentialsError, InputError
from connector_core.policy import Reply, RequestPolicy, Verdict, retry_after
from connector_core.providers.transport import Transport, verdict, whatever_json

REQUESTS_A_SECOND = 1.0
"""At most half of what the company has: the rest is for whatever else reads Aircall."""
_LANE = "api"
_LONGEST_WINDOW_SECONDS = 3_600.0


class AircallClient:
    """Reads what belongs to a call."""

    def __init__(self, settings: AircallSettings, api_id: str, api_token: str) -> None:
        """Send nothing yet."""
        self._url = settings.api_url
        self._pair = (api_id, api_token)
        self._transport = Transport("Aircall", settings.timeout_seconds, base_url=settings.api_url)
        self._policy = RequestPolicy(lanes={_LANE: REQUESTS_A_SECOND})

    def read(self, number: int, what: str) -> object | None:
        """Read ``summary``, ``topics`` or ``transcription`` of a call: its JSON; None where there is none (yet).

        :raises CredentialsError: The pair is refused.
        :raises TryAgainError: Aircall cannot answer now.
        :raises InputError: The account may not read that, or the answer is none that Aircall documents.
        """
        reply = self._asked(f"{self._url}/calls/{number}/{what}")
        return None if reply.status == 404 else _read(reply, what)

    def list(self, query: Mapping[str, str]) -> object:
        """Read a page of the list of calls, each with its contact.

        :raises ConnectorError: As :meth:`read`.
        """
        return _read(self._asked(f"{self._url}/calls", params={**query, "fetch_contact": "true"}), "calls")

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _asked(self, address: str, **options: Any) -> Reply:
        send = functools.partial(self._transport.send, "GET", address, auth=self._pair, **options)
        return self._policy.run(send, _judge, repeatable=True, lane=_LANE)


def _read(reply: Reply, what: str) -> object:
    if reply.status == 401:
        raise CredentialsError("Aircall refused api_id and api_token (status 401)")
    if reply.status == 403:
        raise InputError(f"Aircall lets this account read no {what} (status 403): is it part of its plan?")
    return whatever_json("Aircall", reply, what)


def _judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    asked = _reset(reply.headers) if reply.status == 429 else retry_after(reply.headers)
    return verdict("Aircall", reply, asked)


def _reset(headers: Mapping[str, str]) -> float | None:
    """Say how long a limit lasts: Aircall names the moment that it ends at, in seconds since 1970."""
    asked = retry_after(headers)
    text = headers.get("x-aircallapi-reset", "").strip()
    if asked is not None or not (text.isascii() and text.isdecimal()):
        return asked
    seconds = float(text[:20]) - time.time()
    return seconds if 0 <= seconds <= _LONGEST_WINDOW_SECONDS else None
