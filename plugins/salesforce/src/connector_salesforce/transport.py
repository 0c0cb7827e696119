"""The session that simple-salesforce sends through: a time-out, retries by what Salesforce says, nothing else.

The SDK itself has no time-out and no retries, and its renewal of sessions loops (it is never let near one: a session that
is over leaves as :class:`SessionOverError`, before the SDK sees the answer).
"""

from __future__ import annotations

import http.cookiejar
import re
from collections.abc import Callable
from typing import Any

import requests
import requests.adapters

from connector_core.policy import ACCEPT, Doubt, Reply, RequestPolicy, Verdict, Wait, instead_of_json, retry_after
from connector_salesforce.failures import DAY_LIMIT_AFTER_SECONDS, NOT_EXECUTED, read_failure, transport_error

CONNECT_SECONDS = 10.0
MOST_AT_ONCE = 5
"""Requests in flight. An org limits how many may be there that last 20 s or more, to 5 in a Developer edition and 25 in
others, and shorter ones not at all (App Limits Cheatsheet, "Concurrent API Request Limits"): five are never too many, and
there is no rate to keep."""

LONG_REQUEST_SECONDS = 20.0
"""How long a request lasts that counts against the limit of concurrent ones: it is not over sooner."""

_USAGE = re.compile(r"api-usage=(\d{1,9})/(\d{1,9})\b")


class SessionOverError(Exception):
    """The access token is not, or no longer, accepted."""


def judge(reply: Reply) -> Verdict:
    """Read an answer: who is to act on it, and was the request executed."""
    if reply.status < 300:
        return ACCEPT if _is_json(reply) else Doubt(f"Salesforce answered {reply.status} with {instead_of_json(reply)}")
    failure = read_failure(reply.status, reply.body)
    why = f"Salesforce answered {failure.status} {failure.code}".rstrip()
    asked = retry_after(reply.headers)
    if failure.code == "REQUEST_LIMIT_EXCEEDED" and "TotalRequests" in failure.sentence:
        return Wait(f"{why}: the org's daily requests are used up", asked or DAY_LIMIT_AFTER_SECONDS)
    if failure.code == "REQUEST_LIMIT_EXCEEDED":
        return Wait(f"{why}: too many long requests at once", asked or LONG_REQUEST_SECONDS)
    if reply.status == 429 or failure.code in NOT_EXECUTED:
        return Wait(why, asked)
    if reply.status >= 500 or reply.status in (406, 420) or failure.code == "UNKNOWN_EXCEPTION":
        return Doubt(why, asked)
    return ACCEPT


def _is_json(reply: Reply) -> bool:
    try:
        return isinstance(reply.raw.json(), dict | list)
    except requests.exceptions.JSONDecodeError:
        return False


class LoopbackAdapter(requests.adapters.HTTPAdapter):
    """Reaches a sandbox on loopback over http, as simple-salesforce writes https into every address."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Send the request over http."""
        request.url = "http://" + (request.url or "").removeprefix("https://")
        return super().send(request, *args, **options)


class Transport(requests.Session):
    """A session of requests whose requests run through a policy.

    One serves all threads: it keeps no cookies and follows no redirect (a token goes to the checked host and to no other),
    and its pools of connections are urllib3's, which are safe to share.
    """

    def __init__(self, policy: RequestPolicy, timeout_seconds: float, loopback: str | None = None) -> None:
        """Mount the way to a sandbox, if ``loopback`` (host and port) names one."""
        super().__init__()
        self.auth = _as_it_is
        self.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._policy = policy
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        if loopback is not None:
            self.mount(f"https://{loopback}/", LoopbackAdapter())
            self.trust_env = False  # no proxy stands before loopback

    def request(  # type: ignore[override]  # requests lists options that simple-salesforce never hands on
        self, method: str, url: str, *, repeatable: bool | None = None, **options: Any
    ) -> requests.Response:
        """Send a request.

        :param repeatable: Sending it twice does what once does; by default that holds of GET alone.
        :raises SessionOverError: The session is not accepted.
        :raises ConnectorError: As :meth:`RequestPolicy.run`; the settings make no request; the certificate is wrong.
        """
        again = method == "GET" if repeatable is None else repeatable
        send: Callable[[], requests.Response] = lambda: super(Transport, self).request(  # noqa: E731 - binds the options
            method, url, **{"timeout": self._timeout, "allow_redirects": False, **options}
        )
        changes = method in ("PATCH", "DELETE")
        policed = self._policy.run(lambda: _heard(self._policy, _reply(send)), judge, repeatable=again, changes=changes)
        answer = policed.raw
        assert isinstance(answer, requests.Response)  # noqa: S101 - put there by _reply
        if answer.status_code == 401 or read_failure(answer.status_code, answer.content).code == "INVALID_SESSION_ID":
            raise SessionOverError
        return answer


def _reply(send: Callable[[], requests.Response]) -> Reply:
    try:
        answer = send()
    except requests.RequestException as error:
        raise transport_error(error) from error
    return Reply(
        answer.status_code, {key.lower(): value for key, value in answer.headers.items()}, answer.content, answer
    )


def _heard(policy: RequestPolicy, reply: Reply) -> Reply:
    """Keep what an answer says of the day's requests: ``api-usage=18/5000; per-app-api-usage=17/250(appName=x)``.

    Of the org's allowance and the app's the one with less left counts (REST API Developer Guide, "Limit Info Header").
    """
    usages = [(int(limit), int(used)) for used, limit in _USAGE.findall(reply.headers.get("sforce-limit-info", ""))]
    if usages:
        limit, used = min(usages, key=lambda it: it[0] - it[1])
        policy.meter.told(limit=limit, used=used)
    return reply


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep the Authorization header: without an ``auth`` of its own, requests would take one from a .netrc file."""
    return request
