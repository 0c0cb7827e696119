"""Google's APIs: one client for a connection, shared by its threads, and the only place that knows how to send.

Errors are documented at cloud.google.com/apis/design/errors; those of Calendar and Drive, which tell limits with 403, at
developers.google.com/workspace/calendar/api/guides/errors.
"""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.policy import Doubt, Judge, Reply, RequestPolicy, Verdict, instead_of_json, retry_after
from connector_core.providers.transport import Transport, parse_json, read_json, signed_in, verdict
from connector_core.tokens import Grant, SignIn
from connector_google_meet.proof import Certificates
from connector_google_meet.settings import MeetSettings
from connector_google_meet.sign_in import grant_of

MEET = "https://meet.googleapis.com/v2/"
CALENDAR = "https://www.googleapis.com/calendar/v3/"
DRIVE = "https://www.googleapis.com/drive/v3/"
EVENTS = "https://workspaceevents.googleapis.com/v1/"
USER_INFO = "https://openidconnect.googleapis.com/v1/userinfo"
CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"

MOST_PAGES = 200

_LIMITED = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED"})
_MISCONFIGURED = frozenset({"accessNotConfigured", "SERVICE_DISABLED"})
_LEAST_FRESH_SECONDS, _FRESH_SECONDS, _MOST_FRESH_SECONDS = 60.0, 3_600.0, 86_400.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Google will not give to this user: an HTTP status, and Google's reason if any."""

    status: int
    reason: str = ""

    def __str__(self) -> str:
        """Say it, for a message."""
        return f"status {self.status}, {self.reason}" if self.reason else f"status {self.status}"


class GoogleClient:
    """Asks Google's APIs, as one user or another."""

    def __init__(self, settings: MeetSettings) -> None:
        """Send nothing yet."""
        self._settings = settings
        self._transport = Transport("Google", settings.timeout_seconds, base_url=settings.at(MEET))
        self._policy = RequestPolicy()
        self._hasty = RequestPolicy(attempts=2, patience_seconds=2.0)
        self._lock = threading.Lock()
        self._ids: dict[str, str] = {}
        self._signed_in: dict[str, SignIn] = {}

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    # -- asking --------------------------------------------------------------------------------------------------------

    def get(self, user: str, url: str, params: Mapping[str, str] | None = None) -> dict[str, Any] | Refusal:
        """Read a resource as a user.

        :raises CredentialsError: Google refuses the service account, for this user, or the project has not the API.
        :raises TryAgainError: Google does not answer now.
        """
        reply = self._asked(user, "GET", url, _judge_json, params=params)
        return read_json(reply.body) if reply.status == 200 else _refusal(reply)

    def pages(
        self, user: str, url: str, name: str, params: Mapping[str, str] | None = None
    ) -> list[dict[str, Any]] | Refusal:
        """Read a list, all pages of it; ``name`` is its key in each. An empty list has no key.

        :raises InputError: It is no list of objects, or one without an end.
        :raises ConnectorError: As :meth:`get`.
        """
        rows: list[dict[str, Any]] = []
        token: str | None = None
        for _ in range(MOST_PAGES):
            page = self.page(user, url, name, params or {}, token)
            if isinstance(page, Refusal):
                return page
            more, token = page
            rows += more
            if token is None:
                return rows
        raise InputError(f"nextPageToken: leads to more than {MOST_PAGES} pages of {name}")

    def page(
        self, user: str, url: str, name: str, params: Mapping[str, str], token: str | None
    ) -> tuple[list[dict[str, Any]], str | None] | Refusal:
        """Read one page of a list, and what to read the next one with; None for the last.

        :raises InputError: It is no list of objects.
        :raises ConnectorError: As :meth:`get`.
        """
        page = self.get(user, url, {**params, **({"pageToken": token} if token else {})})
        if isinstance(page, Refusal):
            return page
        following = page.get("nextPageToken")
        return list(_rows(page, name)), str(following) if following else None

    def text(self, user: str, url: str, params: Mapping[str, str]) -> str | Refusal:
        """Read a text as a user.

        :raises ConnectorError: As :meth:`get`.
        """
        reply = self._asked(user, "GET", url, judge, params=params)
        return reply.body.decode("utf-8-sig", errors="replace") if reply.status == 200 else _refusal(reply)

    def change(
        self, user: str, method: str, url: str, value: Mapping[str, Any], params: Mapping[str, str] | None = None
    ) -> dict[str, Any] | Refusal:
        """Send a change that does the same when it is sent twice.

        :raises ConnectorError: As :meth:`get`.
        """
        reply = self._asked(user, method, url, _judge_json, params=params, json=dict(value))
        return read_json(reply.body) if reply.status == 200 else _refusal(reply)

    def user_id(self, user: str) -> str | None:
        """Read the id that a user has at Google, once; None where Google does not tell it.

        :raises ConnectorError: As :meth:`get`.
        """
        if user not in self._ids:
            found = self.get(user, USER_INFO)
            told = None if isinstance(found, Refusal) else found.get("sub")
            if not isinstance(told, str) or not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", told):
                _log.warning("Google does not tell the id of the user whom it was asked for")
                return None
            self._ids[user] = told
        return self._ids[user]

    def certificates(self) -> Certificates:
        """Read the certificates that tokens of Pub/Sub are signed with.

        :raises TryAgainError: They cannot be had now.
        """
        send = functools.partial(self._transport.send, "GET", self._settings.at(CERTIFICATES))
        reply = self._hasty.run(send, _judge_json, repeatable=True)
        found = {key: pem for key, pem in read_json(reply.body).items() if isinstance(pem, str)}
        if reply.status != 200 or not found:
            raise TryAgainError(f"Google's certificates cannot be read (status {reply.status})")
        return Certificates(found, _fresh_seconds(reply.headers))

    # -- sending -------------------------------------------------------------------------------------------------------

    def _asked(self, user: str, method: str, url: str, judge_it: Judge, **options: Any) -> Reply:
        address = self._settings.at(url)

        def sent(token: str) -> Reply:
            headers = {"Authorization": f"Bearer {token}"}
            send = functools.partial(self._transport.send, method, address, headers=headers, **options)
            return self._policy.run(send, judge_it, repeatable=True)

        reply = signed_in(self._sign_in(user), sent)
        if reply.status == 401:
            raise CredentialsError("Google does not accept the token that it gave")
        return reply

    def _sign_in(self, user: str) -> SignIn:
        with self._lock:
            if user not in self._signed_in:
                fetch = functools.partial(self._fetch_token, user)
                self._signed_in[user] = SignIn("Google", lambda _former: fetch(), first=Grant())
            return self._signed_in[user]

    def _fetch_token(self, user: str) -> Grant:
        def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
            send = functools.partial(self._transport.send, "POST", url, headers=dict(headers), data=body)
            return self._policy.run(send, _judge_json, repeatable=True)

        return grant_of(self._settings, user, post)


def judge(reply: Reply) -> Verdict:
    """Say what an answer means for the request."""
    limited = reply.status == 403 and bool(_LIMITED & _reasons(reply))
    return verdict("Google", reply, retry_after(reply.headers), limited=limited)


def _judge_json(reply: Reply) -> Verdict:
    if reply.status == 200 and parse_json(reply.body) is None:
        return Doubt(f"Google answered status 200 with {instead_of_json(reply)}")
    return judge(reply)


def _refusal(reply: Reply) -> Refusal:
    reasons = _reasons(reply)
    if _MISCONFIGURED & reasons:
        raise CredentialsError("an API is not enabled in the project of service_account_key: the README names them all")
    shown = next((reason for reason in sorted(reasons) if re.fullmatch("[A-Za-z_]{1,60}", reason)), "")
    return Refusal(reply.status, shown)


def _reasons(reply: Reply) -> set[str]:
    """Give the words that Google has for an error: newer APIs tell them in ``details``, Calendar and Drive in ``errors``."""
    error = read_json(reply.body).get("error")
    if not isinstance(error, dict):
        return set()
    rows = [*_list(error.get("details")), *_list(error.get("errors"))]
    told = [error.get("status"), *(row.get("reason") for row in rows if isinstance(row, dict))]
    return {reason for reason in told if isinstance(reason, str)}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _rows(page: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    rows = page.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{name}: should be a list of objects")
    yield from rows


def _fresh_seconds(headers: Mapping[str, str]) -> float:
    found = re.search(r"max-age=(\d{1,9})", headers.get("cache-control", ""))
    seconds = float(found[1]) if found else _FRESH_SECONDS
    return min(max(seconds, _LEAST_FRESH_SECONDS), _MOST_FRESH_SECONDS)
