"""A stand-in for an OpenAI-compatible endpoint: strict about what it is asked, and answering what a script says.

It is no model: it shows what a request is, and what becomes of any answer. What it does not know it refuses, as the service
refuses parameters that it does not know. Documented at https://platform.openai.com/docs/api-reference/chat/create; the rules
for a strict schema at https://platform.openai.com/docs/guides/structured-outputs (supported schemas).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeAlias

from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

_POLL_SECONDS = 0.05
_PATH = "/v1/chat/completions"
_ROLES = frozenset({"system", "developer", "user"})
_PARAMETERS = frozenset({"model", "messages", "response_format", "max_completion_tokens", "max_tokens"})


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a schema may be. ``values``: of all enums; ``characters``: of all names and values."""

    properties: int = 5_000
    levels: int = 10
    values: int = 1_000
    characters: int = 120_000
    many: int = 250
    characters_of_many: int = 15_000


SMALLEST = Limits(properties=100, levels=5)
"""As documented at https://learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was taken. ``schema``: that of the answer; ``record``: what the user's message holds, read."""

    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, Any] = field(repr=False)

    @property
    def schema(self) -> dict[str, Any]:
        """Give the schema of the answer."""
        schema: dict[str, Any] = self.body["response_format"]["json_schema"]["schema"]
        return schema

    @property
    def instructions(self) -> str:
        """Give what the model is told to do."""
        return "\n".join(each["content"] for each in self.body["messages"] if each["role"] != "user")

    @property
    def told(self) -> str:
        """Give what it is told as the user's words."""
        return "\n".join(each["content"] for each in self.body["messages"] if each["role"] == "user")


Answer: TypeAlias = Response | Callable[[Asked], Response | None]
"""What is answered to a request that was taken; None closes the connection without an answer."""


def completed(
    content: object, *, reason: str = "stop", refusal: str | None = None, tokens: int | None = 100
) -> Response:
    """Answer a completion. Content that is no text becomes JSON; ``tokens`` are the usage, None for none."""
    text = content if isinstance(content, str) or content is None else json.dumps(content)
    message = {"role": "assistant", "content": text, "refusal": refusal}
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
    }
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens, "completion_tokens": 0, "total_tokens": tokens}
    return Response.of(body)


def failed(status: int, code: str | None = None, message: str = "refused", **headers: str) -> Response:
    """Answer an error, as the service writes it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Response.of({"error": error}, status, headers={name.replace("_", "-"): it for name, it in headers.items()})


def nothing_found(asked: Asked) -> Response:
    """Answer that the call says nothing of any field."""
    empty = {"value": None, "passage": None, "confidence": None}
    return completed(dict.fromkeys(asked.schema["properties"], empty))


class CompletionsServer:
    """An endpoint on 127.0.0.1.

    ::

        with CompletionsServer() as server:
            server.script(completed({...}))
            ask(server.url)
            assert len(server.asked) == 1
    """

    def __init__(self, *, api_key: str | None = None, limits: Limits = SMALLEST) -> None:
        """Bind a free port.

        :param api_key: What requests must carry; None for a server that wants none.
        """
        self.asked: list[Asked] = []
        self._api_key = api_key
        self._limits = limits
        self._script: list[Answer] = []
        self._lock = threading.Lock()
        self._listener = Listener(self._answer, 0)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}/v1"

    def script(self, *answers: Answer) -> None:
        """Say what is answered next, one after the other; then nothing is found in any call."""
        with self._lock:
            self._script = list(answers)

    def __enter__(self) -> Self:
        """Serve, in a thread."""
        threading.Thread(target=self._listener.serve_forever, args=(_POLL_SECONDS,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and end every connection."""
        self._listener.shutdown()
        self._listener.server_close()

    def _answer(self, request: Request) -> Response | None:
        if (request.method, request.path) != ("POST", _PATH):
            return failed(404, "unknown_url")
        if self._api_key is not None and request.headers.get("authorization") != f"Bearer {self._api_key}":
            return failed(401, "invalid_api_key")
        try:
            body = json.loads(request.body)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return failed(400, None, "the body is no JSON object")
        for code, problem in _problems(body, self._limits):
            return failed(400, code, problem)
        asked = Asked(request.headers, body)
        with self._lock:
            self.asked.append(asked)
            answer = self._script.pop(0) if self._script else nothing_found
        return answer if isinstance(answer, Response) else answer(asked)


def _problems(body: Mapping[str, Any], limits: Limits) -> Iterator[tuple[str, str]]:
    """Say what is wrong with a request: a code, and words."""
    for unknown in sorted(set(body) - _PARAMETERS):
        yield "unknown_parameter", f"Unknown parameter: {unknown}"
    if {"max_completion_tokens", "max_tokens"} <= set(body):
        yield "invalid_value", "max_tokens and max_completion_tokens exclude each other"
    if not isinstance(body.get("model"), str):
        yield "missing_required_parameter", "model"
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        yield "missing_required_parameter", "messages"
        return
    for each in messages:
        if set(each) != {"role", "content"} or each["role"] not in _ROLES or not isinstance(each["content"], str):
            yield "invalid_value", "messages"
    structured = (body.get("response_format") or {}).get("json_schema")
    if (body.get("response_format") or {}).get("type") != "json_schema" or not isinstance(structured, dict):
        yield "invalid_value", "response_format"
        return
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", str(structured.get("name"))) or structured.get("strict") is not True:
        yield "invalid_value", "response_format.json_schema"
    for problem in schema_problems(structured.get("schema"), limits):
        yield "invalid_json_schema", problem


_KEYWORDS: Mapping[str, frozenset[str]] = {
    "object": frozenset({"type", "properties", "required", "additionalProperties", "description"}),
    "array": frozenset({"type", "items", "description"}),
    "string": frozenset({"type", "enum", "description"}),
    **dict.fromkeys(("number", "integer", "boolean", "null"), frozenset({"type", "description"})),
}
"""What every endpoint takes; further ones are taken by some."""


def schema_problems(schema: Any, limits: Limits = SMALLEST) -> list[str]:
    """Say what keeps a schema from being strict."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        return ["the root must be an object"]
    count = _Count()
    problems = list(_walk(schema, "root", 1, count))
    sizes = {
        "properties": count.properties,
        "levels": count.levels,
        "values": count.values,
        "characters": count.characters,
    }
    problems += [
        f"more than {getattr(limits, name)} {name}" for name, it in sizes.items() if it > getattr(limits, name)
    ]
    long = [each for each in count.enums if len(each) > limits.many and sum(map(len, each)) > limits.characters_of_many]
    return problems + ["an enum of many values is too long" for _ in long]


@dataclass(slots=True)
class _Count:
    properties: int = 0
    levels: int = 0
    values: int = 0
    characters: int = 0
    enums: list[list[str]] = field(default_factory=list)


def _walk(schema: Any, where: str, level: int, count: _Count) -> Iterator[str]:
    if not isinstance(schema, dict):
        yield f"{where} is no schema"
        return
    if "anyOf" in schema:
        if where == "root" or set(schema) - {"anyOf", "description"}:
            yield f"{where}: anyOf stands where it may not"
        for number, each in enumerate(schema["anyOf"]):
            yield from _walk(each, f"{where}.anyOf[{number}]", level, count)
        return
    types = schema.get("type")
    types = types if isinstance(types, list) else [types]
    if not types or not all(each in _KEYWORDS for each in types):
        yield f"{where}: type is missing or unknown"
        return
    if foreign := set(schema) - frozenset().union(*(_KEYWORDS[each] for each in types)):
        yield f"{where}: {', '.join(sorted(foreign))} not supported"
    if "object" in types:
        yield from _walk_object(schema, where, level, count)
    if "array" in types:
        yield from _walk(schema.get("items"), f"{where}.items", level, count)
    if "enum" in schema:
        values = schema["enum"]
        if not values or len(set(values)) < len(values) or not all(isinstance(each, str) for each in values):
            yield f"{where}: enum should be texts, each once, and at least one"
            return
        count.enums.append(values)
        count.values += len(values)
        count.characters += sum(map(len, values))


def _walk_object(schema: Mapping[str, Any], where: str, level: int, count: _Count) -> Iterator[str]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        yield f"{where}: properties is missing"
        return
    if schema.get("additionalProperties") is not False:
        yield f"{where}: additionalProperties must be false"
    if sorted(schema.get("required", [])) != sorted(properties):
        yield f"{where}: required must name every property"
    count.properties += len(properties)
    count.characters += sum(map(len, properties))
    count.levels = max(count.levels, level)
    for name, each in properties.items():
        yield from _walk(each, f"{where}.{name}", level + 1, count)
