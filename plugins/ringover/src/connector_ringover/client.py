"""Ringover's API: one client for a connection, shared by its threads, and the only place that knows paths and headers.

Documented at developer.ringover.com: the key stands in ``Authorization`` by itself, and a key has two requests a second.
"""

from __future__ import annotations

import functools
from urllib.parse import quote

from connector_core.errors import CredentialsError, InputError
from connector_core.policy import Reply, RequestPolicy, Verdict, retry_after
from connector_core.providers.transport import Transport, verdict, whatever_json
from connector_ringover.settings import RingoverSettings

REQUESTS_A_SECOND = 2.0
_LANE = "api"


class RingoverClient:
    """Reads what belongs to a call."""

    def __init__(self, settings: RingoverSettings, api_key: str) -> None:
        """Send nothing yet."""
        self._url = settings.api_url
        self._headers = {"Authorization": api_key}
        self._transport = Transport("Ringover", settings.timeout_seconds, base_url=settings.api_url)
        self._policy = RequestPolicy(lanes={_LANE: REQUESTS_A_SECOND})

    def read(self, what: str, number: str) -> object | None:
        """Read ``calls`` or ``transcriptions`` of a call: its JSON; None where there is nothing (yet).

        :raises CredentialsError: The key is refused.
        :raises TryAgainError: Ringover cannot answer now.
        :raises InputError: The key may not read that, or the answer is none that Ringover documents.
        """
        address = f"{self._url}/{what}/{quote(number, safe='')}"
        send = functools.partial(self._transport.send, "GET", address, headers=self._headers)
        reply = self._policy.run(send, _judge, repeatable=True, lane=_LANE)
        if reply.status in (204, 404):
            return None
        if reply.status == 401:
            raise CredentialsError(f"Ringover refused api_key for reading {what} (status 401), or the account has none")
        if reply.status == 403:
            raise InputError(f"Ringover lets api_key read no {what} (status 403): give it the right to")
        return whatever_json("Ringover", reply, what)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


def _judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    return verdict("Ringover", reply, retry_after(reply.headers))
