"""Requests to an OpenAI-compatible endpoint: one chat completion with structured output at a time; extra ``extractors``.

Documented at https://platform.openai.com/docs/api-reference/chat/create; of errors, at
https://platform.openai.com/docs/guides/error-codes. What the endpoint itself says of an error is repeated nowhere: it may
quote the call, or the key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from connector_core.errors import ConfigurationError, CredentialsError, TryAgainError
from connector_core.extractors.budget import daily_tokens
from connector_core.extractors.settings import OpenAISettings
from connector_core.model import Unknown
from connector_core.policy import ACCEPT, NotSentError, Reply, RequestPolicy, Verdict, retry_after
from connector_core.providers.transport import TOO_LARGE, Transport, read_json, verdict

TITLE = "the model's endpoint"
NO_CREDIT_SECONDS = 3_600.0
"""Until the next try where the account has no credit left: a person has to pay first."""

_NO_CREDIT = "insufficient_quota"
_OF_THIS_CALL = {
    "context_length_exceeded": "the call is longer than the model takes: lower most_characters",
    "string_above_max_length": "the call is longer than the model takes: lower most_characters",
    "content_filter": "the endpoint's content filter refused the call",
    "content_policy_violation": "the endpoint's content filter refused the call",
}
_OF_THE_SETTINGS = {
    "model_not_found": "it has no such model, or the key may not use it",
    "invalid_json_schema": "the model takes no structured output of this schema; lower fields_at_once",
    "unsupported_parameter": "the model knows no such parameter; perhaps it wants another answer_limit",
    "unsupported_value": "the model takes no such value",
}
_ENDED_BADLY = {
    "length": "the answer is longer than most_tokens allows",
    "content_filter": "the endpoint's content filter cut the answer",
}


class Completions:
    """Asks one model; one serves all threads of a connection."""

    def __init__(self, settings: OpenAISettings) -> None:
        """Send nothing yet."""
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._settings = settings
        self._url = f"{settings.url}/chat/completions"
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._transport = Transport(TITLE, settings.timeout_seconds, base_url=settings.url)
        self._policy = RequestPolicy(attempts=settings.retries + 1)
        self._spent = daily_tokens(hashlib.sha256(f"{settings.url} {key}".encode()).hexdigest())

    def ask(self, messages: Sequence[Mapping[str, str]], schema: Mapping[str, Any]) -> str | Unknown:
        """Ask for an answer that fits a schema.

        :returns: The content of the answer, which nobody has checked; or why there is none for these messages.
        :raises TryAgainError: The endpoint cannot answer now, or the tokens of the day are spent.
        :raises CredentialsError: It refuses the key.
        :raises ConfigurationError: It refuses the request whatever the call is, or is not there.
        """
        structured = {"name": "fields", "strict": True, "schema": schema}
        body = {
            "model": self._settings.model,
            "messages": messages,
            "response_format": {"type": "json_schema", "json_schema": structured},
            self._settings.answer_limit: self._settings.most_tokens,
        }
        content = json.dumps(body, ensure_ascii=False).encode()
        # Asking twice does no harm but what it costs.
        reply = self._policy.run(lambda: self._send(content), _judge, repeatable=True)
        return _content(reply) if 200 <= reply.status < 300 else _refused(reply)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _send(self, content: bytes) -> Reply:
        """Send once, counting what it takes: as said, or the most that it may be where it may have been executed."""
        reserved = self._spent.reserve(len(content) // 3 + self._settings.most_tokens, self._settings.tokens_per_day)
        try:
            reply = self._transport.send("POST", self._url, data=content, headers=self._headers)
        except NotSentError:
            self._spent.settle(reserved, 0)
            raise
        if 300 <= reply.status < 500 and reply.status != TOO_LARGE:
            self._spent.settle(reserved, 0)
        elif (took := _usage(reply)) is not None:
            self._spent.settle(reserved, took)
        return reply


def _judge(reply: Reply) -> Verdict:
    if reply.status == 429 and _code(reply) == _NO_CREDIT:
        return ACCEPT
    return verdict(TITLE, reply, retry_after(reply.headers))


def _refused(reply: Reply) -> Unknown:
    """Say of an error that it is this call's, or raise it.

    :raises ConnectorError: As :meth:`Completions.ask`.
    """
    status, code = reply.status, _code(reply)
    if status in (401, 403):
        raise CredentialsError(f"{TITLE} refuses the api_key (status {status})")
    if status == 429:
        raise TryAgainError(f"the account at {TITLE} has no credit left", after_seconds=NO_CREDIT_SECONDS)
    if 300 <= status < 400:
        raise ConfigurationError(f"{TITLE} sends elsewhere (status {status}), which is not followed: mend the url")
    if status == TOO_LARGE:
        return Unknown(f"the call, or the answer, is larger than {TITLE} or we take: lower most_characters")
    if code in _OF_THIS_CALL:
        return Unknown(_OF_THIS_CALL[code])
    why = _OF_THE_SETTINGS.get(code or "", "check url and model")
    raise ConfigurationError(f"{TITLE} refuses the request (status {status}): {why}")


def _content(reply: Reply) -> str | Unknown:
    choices = read_json(reply.body).get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Unknown(f"{TITLE} answered what is no chat completion")
    if message.get("refusal"):
        return Unknown("the model refuses to answer")
    reason = choice.get("finish_reason")
    if isinstance(reason, str) and reason in _ENDED_BADLY:
        return Unknown(_ENDED_BADLY[reason])
    content = message.get("content")
    return content if isinstance(content, str) else Unknown("the model answered nothing")


def _code(reply: Reply) -> str | None:
    """Give the code of an error, of those that are known here."""
    error = read_json(reply.body).get("error")
    code = error.get("code") if isinstance(error, dict) else None
    known = {_NO_CREDIT, *_OF_THIS_CALL, *_OF_THE_SETTINGS}
    return code if isinstance(code, str) and code in known else None


def _usage(reply: Reply) -> int | None:
    usage = read_json(reply.body).get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
