"""Odoo's client: one for a connection, shared by its threads, and the only place that knows paths and headers.

The API is a POST for each call of a method of a model, ``/json/2/<model>/<method>``, with its arguments by name
(odoo.com/documentation/19.0, External JSON-2 API). A request is one transaction: done whole, or not at all.
"""

from __future__ import annotations

import json
import ssl
from typing import Any

import urllib3
from urllib3 import exceptions

from connector_core.errors import ConnectorError, OutcomeUnknownError, TryAgainError
from connector_core.meter import Meter
from connector_core.policy import (
    ACCEPT,
    Doubt,
    NoReplyError,
    NotSentError,
    Reply,
    RequestPolicy,
    Verdict,
    Wait,
    instead_of_json,
    retry_after,
)
from connector_odoo.failures import BUSY, DOUBTFUL, exception_of, failure
from connector_odoo.settings import OdooSettings

_CONNECTIONS = 8
_NOT_SENT = (
    exceptions.ConnectTimeoutError,
    exceptions.NewConnectionError,
    exceptions.NameResolutionError,
    exceptions.ProxyError,
    exceptions.ClosedPoolError,
    exceptions.EmptyPoolError,
    exceptions.LocationValueError,
)


class OdooClient:
    """Calls of methods, answered as JSON."""

    def __init__(self, settings: OdooSettings, meter: Meter | None = None) -> None:
        """Build the pool of connections; send nothing.

        :param meter: Counts the requests; Odoo says nothing of a quota.
        """
        self.base_url = settings.base_url
        self._headers = {
            "Authorization": f"bearer {settings.api_key.get_secret_value()}",
            "X-Odoo-Database": settings.database,
            "Content-Type": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "connector-odoo",
        }
        seconds = settings.timeout_seconds
        timeout = urllib3.Timeout(connect=min(10.0, seconds), read=seconds)
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, timeout=timeout, retries=False)
        self._policy = RequestPolicy(meter=meter or Meter())

    def read(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method that changes nothing; see :meth:`_call`."""
        return self._call(model, method, arguments, reads=True, repeatable=True)

    def change(self, model: str, method: str, **arguments: Any) -> Any:
        """Call a method that does the same when it is called twice; see :meth:`_call`."""
        return self._call(model, method, arguments, reads=False, repeatable=True)

    def create(self, model: str, vals_list: list[dict[str, Any]], context: dict[str, Any]) -> list[int]:
        """Create records, all or none; give their ids, in their order.

        :raises OutcomeUnknownError: Also where the answer is none of a create.
        """
        arguments = {"vals_list": vals_list, "context": context}
        ids = self._call(model, "create", arguments, reads=False, repeatable=False)
        if not isinstance(ids, list) or len(ids) != len(vals_list) or not all(type(each) is int for each in ids):
            raise OutcomeUnknownError(f"Odoo's answer does not say what {model}.create made")
        return ids

    def save(self, model: str, ids: list[int], vals_list: list[dict[str, Any]], context: dict[str, Any]) -> None:
        """Change records, each in a way of its own: all or none.

        :raises OutcomeUnknownError: Also where the answer does not name these records.
        """
        arguments = {"ids": ids, "vals_list": vals_list, "specification": {}, "context": context}
        if self.change(model, "web_save_multi", **arguments) != [{"id": number} for number in ids]:
            raise OutcomeUnknownError(f"Odoo's answer does not say what {model}.web_save_multi changed")

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _call(self, model: str, method: str, arguments: dict[str, Any], *, reads: bool, repeatable: bool) -> Any:
        """Call a method.

        :raises ConnectorError: Of the kinds that :mod:`connector_core.errors` names; ``OutcomeUnknownError`` for what
            writes and may have been executed.
        """
        body = json.dumps(arguments).encode()
        doubts: list[str] = []

        def send() -> Reply:
            try:
                answer = self._pool.request(
                    "POST", f"{self.base_url}/json/2/{model}/{method}", body=body, headers=self._headers, redirect=False
                )
            except exceptions.HTTPError as error:
                failed = _unanswered(error)
                if isinstance(failed, NoReplyError):
                    doubts.append(str(failed))
                raise failed from error
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(answer.status, headers, answer.data, _parsed(answer.data))

        def verdict(reply: Reply) -> Verdict:
            result = judge(reply)
            if isinstance(result, Doubt):
                doubts.append(result.why)
            return result

        try:
            reply = self._policy.run(send, verdict, repeatable=repeatable, changes=not reads)
        except TryAgainError as error:
            if doubts and not reads:
                raise OutcomeUnknownError(doubts[-1]) from error
            raise
        if reply.status == 200:
            return reply.raw[0]
        raise self._failure(reply, f"{model}.{method}")

    @staticmethod
    def _failure(reply: Reply, asked: str) -> ConnectorError:
        return failure(reply.status, reply.raw[0] if reply.raw else None, asked)


def judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    asked = retry_after(reply.headers)
    name = exception_of(reply.raw[0]) if reply.raw and reply.status != 200 else None
    if reply.status == 429:
        return Wait("Odoo's limit of requests is reached (status 429)", asked)
    if name in BUSY:
        return Wait(f"Odoo's records are being changed by somebody else ({name})", asked)
    if reply.status >= 500 and (name is None or name in DOUBTFUL):
        return Doubt(f"Odoo answered status {reply.status}" + (f" ({name})" if name else ""), asked)
    if reply.status == 408:
        return Doubt("Odoo answered status 408", asked)
    if reply.status == 200 and reply.raw is None:
        return Doubt(f"Odoo answered status 200 with {instead_of_json(reply)}")
    return ACCEPT


def _parsed(body: bytes) -> tuple[Any] | None:
    """Read JSON, in a tuple: ``null`` is an answer; None where it is none."""
    try:
        return (json.loads(body),)
    except ValueError:
        return None


def _unanswered(error: exceptions.HTTPError) -> NotSentError | NoReplyError:
    """Tell whether a request that failed reached the server. What is not surely unsent may have."""
    reason = getattr(error, "reason", None)
    if isinstance(error, exceptions.MaxRetryError) and isinstance(reason, exceptions.HTTPError):
        return _unanswered(reason)
    chain = (error.__cause__, error.__context__, *error.args)
    if isinstance(error, _NOT_SENT) or any(isinstance(link, ssl.SSLCertVerificationError) for link in chain):
        return NotSentError(f"Odoo cannot be reached ({type(error).__name__})")
    return NoReplyError(f"Odoo did not answer ({type(error).__name__})")
