"""Microsoft Graph: one client for a connection, shared by its threads, and the only place that knows how to send.

Errors are documented at learn.microsoft.com/graph/errors, throttling at /graph/throttling.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connector_core.errors import CredentialsError, InputError
from connector_core.policy import Doubt, Judge, Reply, RequestPolicy, Verdict, instead_of_json, retry_after
from connector_core.providers.transport import Transport, read_json, signed_in, verdict
from connector_core.tokens import Grant, SignIn
from connector_microsoft_teams.settings import TeamsSettings
from connector_microsoft_teams.sign_in import AppTokens

VERSION = "/v1.0"
QUICK_SECONDS = 2.0
MOST_PAGES = 100

_NEXT = "@odata.nextLink"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Graph will not give or do: an HTTP status, its own code, and its own sentence, which is for people alone."""

    status: int
    code: str | None = None
    sentence: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, reply: Reply) -> Refusal:
        """Read an answer that refuses."""
        error = read_json(reply.body).get("error")
        code, sentence = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
        named = isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,60}", code)
        return cls(reply.status, code if named else None, sentence if isinstance(sentence, str) else None)


class GraphClient:
    """Reads, and keeps subscriptions, signed in as the customer's app."""

    def __init__(self, settings: TeamsSettings) -> None:
        """Send nothing yet."""
        self._settings = settings
        self._transport = Transport("Microsoft", settings.timeout_seconds, base_url=settings.base_url)
        self._policy = RequestPolicy()
        self._once = RequestPolicy(attempts=1)
        self._sign_in = SignIn("Microsoft", AppTokens(settings, self.anonymous).fetch, first=Grant())

    def get(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any] | Refusal:
        """Read a resource, its path as it follows the version, encoded.

        :raises CredentialsError: Microsoft refuses the app.
        :raises TryAgainError: Graph does not answer now.
        """
        return self._got(f"{self._root}{path}", params=params, headers=headers)

    def get_list(
        self, path: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> list[Any] | Refusal:
        """Read a list, all its pages.

        :raises InputError: It is no list, or its pages do not end.
        :raises ConnectorError: As :meth:`get`.
        """
        first = self.get(path, params, headers)
        return first if isinstance(first, Refusal) else self.rest_of(first, "value", headers)

    def rest_of(
        self, first: Mapping[str, Any], name: str, headers: Mapping[str, str] | None = None
    ) -> list[Any] | Refusal:
        """Give a list that an answer holds, with the pages that follow.

        :raises ConnectorError: As :meth:`get_list`.
        """
        rows = _rows(first, name)
        following = first.get(_NEXT if name == "value" else f"{name}{_NEXT}")
        for _ in range(MOST_PAGES):
            if following is None:
                return rows
            if not isinstance(following, str) or not following.startswith(f"{self._root}/"):
                raise InputError(f"{_NEXT}: leads elsewhere than to Graph")
            page = self._got(following, headers=headers)
            if isinstance(page, Refusal):
                return page
            rows += _rows(page, "value")
            following = page.get(_NEXT)
        raise InputError(f"{_NEXT}: leads to more than {MOST_PAGES} pages")

    def get_bytes(self, path: str, params: Mapping[str, str] | None = None) -> bytes | Refusal:
        """Read what is no JSON.

        :raises ConnectorError: As :meth:`get`.
        """
        reply = self._replied(f"{self._root}{path}", judge, params=params)
        return reply.body if reply.status == 200 else Refusal.of(reply)

    def write(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | Refusal:
        """Make, change or end something; what ends has an empty answer.

        :raises OutcomeUnknownError: It may have been made, or not; what is changed or ended by its id may be sent again.
        :raises ConnectorError: As :meth:`get`.
        """
        options = {} if body is None else {"json": dict(body)}
        reply = self._replied(f"{self._root}{path}", judge, method=method, **options)
        return read_json(reply.body) if 200 <= reply.status < 300 else Refusal.of(reply)

    def anonymous(self, method: str, url: str, **options: Any) -> Reply:
        """Send where no token is wanted: to sign in."""
        return self._policy.run(functools.partial(self._send, method, url, None, options), judge_json, repeatable=True)

    def quickly(self, url: str) -> Reply:
        """Read what Microsoft publishes for everybody, trying once: somebody waits meanwhile who gives up soon.

        :raises TryAgainError: It does not answer now.
        """
        options = {"timeout": (QUICK_SECONDS, QUICK_SECONDS)}
        return self._once.run(functools.partial(self._send, "GET", url, None, options), judge_json, repeatable=True)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # -- sending -------------------------------------------------------------------------------------------------------

    @property
    def _root(self) -> str:
        return f"{self._settings.base_url}{VERSION}"

    def _got(self, url: str, **options: Any) -> dict[str, Any] | Refusal:
        reply = self._replied(url, judge_json, **options)
        return read_json(reply.body) if reply.status == 200 else Refusal.of(reply)

    def _replied(self, url: str, judged: Judge, *, method: str = "GET", **options: Any) -> Reply:
        return self._signed_in(
            lambda token: self._policy.run(
                functools.partial(self._send, method, url, token, options), judged, repeatable=method != "POST"
            )
        )

    def _signed_in(self, run: Callable[[str], Reply]) -> Reply:
        reply = signed_in(self._sign_in, run)
        if reply.status == 401:
            raise CredentialsError("Graph does not accept the token that Microsoft gave: is tenant_id of this cloud?")
        return reply

    def _send(self, method: str, url: str, token: str | None, options: Mapping[str, Any]) -> Reply:
        headers = {**(options.get("headers") or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return self._transport.send(method, url, **{**options, "headers": headers})


def judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    return verdict("Microsoft", reply, retry_after(reply.headers))


def judge_json(reply: Reply) -> Verdict:
    """Say what an answer means that is JSON where it is one at all."""
    if reply.status == 200 and not read_json(reply.body):
        return Doubt(f"Microsoft answered status 200 with {instead_of_json(reply)}")
    return judge(reply)


def _rows(answer: Mapping[str, Any], name: str) -> list[Any]:
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise InputError(f"{name}: is no list")
    return list(rows)
