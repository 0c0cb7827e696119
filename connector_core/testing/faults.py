"""Fault rules: what goes wrong at a sandbox, by script.

A rule is JSON: ``{"match": {"method", "path", "body"}, "times": 2, "share": 0.5, "do": {…}}``, as the formats page says.
Delays add up and decide nothing; of the other rules that match, the first decides.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar
from urllib.parse import unquote_plus, urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from connector_core.errors import InputError
from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_core.validation import words

_ONE_DAY = 86_400.0
Wait: TypeAlias = Annotated[float, Field(ge=0, le=_ONE_DAY, allow_inf_nan=False)]
_HeaderName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
_HeaderText: TypeAlias = Annotated[str, Field(pattern=r"^[\x20-\x7e]*$")]


class _Part(BaseModel):
    """A part of a rule: unknown keys and look-alike types are refused, null is absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value


class Answer(_Part):
    """Answer this, and do nothing. A body that is text is sent as it stands, any other as JSON."""

    status: Annotated[int, Field(ge=200, le=599)]
    headers: dict[_HeaderName, _HeaderText | int] = {}
    body: Any = None

    def response(self) -> Response:
        """Give the answer; an injected error costs nothing."""
        headers = {name: str(text) for name, text in self.headers.items()}
        if self.body is None:
            return Response(self.status, b"", headers, api_calls=0)
        if isinstance(self.body, str):
            return Response(self.status, self.body.encode(), {"Content-Type": "text/html", **headers}, api_calls=0)
        return Response.of(self.body, self.status, api_calls=0, headers=headers)


class Delay(_Part):
    """Serve the request so much later."""

    delay_seconds: Wait


class DropAfterCommit(_Part):
    """Do the work, then close the connection without an answer."""

    drop_after_commit: Literal[True]


class CommitLate(_Part):
    """Let the client time out, and do the work so long after."""

    commit_late_seconds: Wait


class RowFault(_Part):
    """Fail rows of a batch with this code of the CRM's."""

    row_error: Annotated[str, Field(min_length=1)]


class ExpireSession(_Part):
    """Make the tokens that were handed out expire, then serve the request."""

    expire_session: Literal[True]


class IndexLag(_Part):
    """Hide what is written from searches for so long: from this request on, until the rules are replaced."""

    index_lag_seconds: Wait


class Change(_Part):
    """A change to a record, in the CRM's own names."""

    object: Annotated[str, Field(min_length=1)]
    id: Annotated[str, Field(min_length=1)]
    fields: dict[str, Any] = {}
    delete: bool = False
    merge_into: str | None = None

    @field_validator("merge_into")
    @classmethod
    def _another(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and value == info.data.get("id"):
            raise PydanticCustomError("another", "Input should be another record")
        return value


class Patch(_Part):
    """Change a record behind the client's back, then serve the request."""

    patch: Change


Do: TypeAlias = Answer | Delay | DropAfterCommit | CommitLate | RowFault | ExpireSession | IndexLag | Patch

_DOES: Mapping[str, type[Do]] = {
    "status": Answer,
    "delay_seconds": Delay,
    "drop_after_commit": DropAfterCommit,
    "commit_late_seconds": CommitLate,
    "row_error": RowFault,
    "expire_session": ExpireSession,
    "index_lag_seconds": IndexLag,
    "patch": Patch,
}


class Match(_Part):
    """Which requests; shell wildcards. ``path`` may go on with ``?`` and the query."""

    method: str = "*"
    path: str = "*"
    body: str = "*"

    def fits(self, request: Request) -> bool:
        """Compare with a request; its query and body also as a person would read them, percent-decoded."""
        return (
            fnmatchcase(request.method, self.method.upper())
            and any(fnmatchcase(path, self.path) for path in _paths(request))
            and (self.body == "*" or any(fnmatchcase(body, self.body) for body in _bodies(request)))
        )


def _paths(request: Request) -> Iterator[str]:
    yield request.path
    if request.query:
        yield f"{request.path}?{urlencode(request.query)}"
        yield f"{request.path}?" + "&".join(f"{name}={text}" for name, text in request.query.items())


def _bodies(request: Request) -> Iterator[str]:
    text = request.body.decode(errors="replace")
    yield text
    yield unquote_plus(text)


class _RuleModel(_Part):
    match: Match = Match()
    times: Annotated[int, Field(ge=0)] | None = None
    share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    do: dict[str, Any]


@dataclass(slots=True)
class Rule:
    """A rule and what is left of it."""

    match: Match
    left: int | None
    share: float
    do: Do
    generator: random.Random
    applied: bool = False

    def takes(self, request: Request) -> bool:
        """Decide whether the rule is for this request, and count it."""
        if self.left == 0 or not self.match.fits(request):
            return False
        if not isinstance(self.do, RowFault) and self.generator.random() >= self.share:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class _DrawnRowError(RowError):
    def __init__(self, code: str, share: float, generator: random.Random) -> None:
        self.code = code
        self._share = share
        self._generator = generator

    def picks(self) -> bool:
        return self._generator.random() < self._share


class FaultError(Exception):
    """A fault that cannot be done; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one request: the wait before it is served, and the rule that decides, if any."""

    wait_seconds: float = 0.0
    rule: Rule | None = None

    @property
    def answered(self) -> bool:
        """Whether the client gets an answer."""
        return self.rule is None or not isinstance(self.rule.do, DropAfterCommit | CommitLate)

    def serve(self, sandbox: Sandbox, request: Request) -> Response:
        """Do what the rule says, and let the sandbox answer.

        :raises FaultError: The rule changes a record that is not there, or makes of one what the CRM could not hold.
        """
        rows = None
        if self.rule is not None:
            match self.rule.do:
                case Answer() as answer:
                    return answer.response()
                case RowFault(row_error=code):
                    rows = _DrawnRowError(code, self.rule.share, self.rule.generator)
                case ExpireSession():
                    sandbox.expire_session()
                case IndexLag(index_lag_seconds=seconds):
                    sandbox.index_lag_seconds = seconds
                case Patch(patch=change):
                    _change(sandbox, self.rule, change)
        return sandbox.handle(request, rows)


def _change(sandbox: Sandbox, rule: Rule, change: Change) -> None:
    try:
        sandbox.patch(change.object, change.id, change.fields, delete=change.delete, merge_into=change.merge_into)
    except KeyError as error:
        if not rule.applied:  # a rule that deletes finds nothing the second time
            into = f" or {change.merge_into}" if change.merge_into else ""
            raise FaultError(
                f"the fault's patch names {change.object} {change.id}{into}, which is not there"
            ) from error
    except ValueError as error:
        raise FaultError(f"the fault's patch of {change.object} {change.id} cannot be done: {error}") from error
    rule.applied = True


def plan(rules: Sequence[Rule], request: Request) -> Plan:
    """Plan a request: add up the delays, find the rule that decides, and count both."""
    wait, deciding = 0.0, None
    for rule in rules:
        if deciding is not None and not isinstance(rule.do, Delay):
            continue
        if not rule.takes(request):
            continue
        match rule.do:
            case Delay(delay_seconds=seconds):
                wait += seconds
            case CommitLate(commit_late_seconds=seconds):
                wait, deciding = wait + seconds, rule
            case _:
                deciding = rule
    return Plan(wait, deciding)


def parse_faults(value: object) -> tuple[Rule, ...]:
    """Read rules from JSON that was parsed already.

    :raises InputError: The message names the place, what is wrong, and what is possible.
    """
    if not isinstance(value, list | tuple):
        raise InputError("faults: a list of rules is wanted")
    return tuple(_rule(item, f"faults[{index}]") for index, item in enumerate(value))


def read_faults(path: Path) -> Sequence[object]:
    """Read rules from a file, and check them.

    :raises InputError: The message names the file.
    """
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from error
    try:
        parse_faults(value)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    rules: list[object] = value
    return rules


def _rule(value: object, path: str) -> Rule:
    model = _checked(_RuleModel, value, path)
    given = [key for key in model.do if key in _DOES]
    if len(given) != 1:
        got = ", ".join(model.do) or "nothing"
        raise InputError(f"{path}.do: exactly one of {', '.join(_DOES)} is wanted, got {got}")
    do = _checked(_DOES[given[0]], model.do, f"{path}.do")
    return Rule(model.match, model.times, model.share, do, random.Random(path))  # noqa: S311 - repeatable, no secret


_Model = TypeVar("_Model", bound=BaseModel)


def _checked(model: type[_Model], value: object, path: str) -> _Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InputError("; ".join(_problem(model, path, item) for item in error.errors(include_url=False))) from error


def _problem(model: type[BaseModel], path: str, item: ErrorDetails) -> str:
    where = ".".join([path, *(str(part) for part in item["loc"])])
    if item["type"] != "extra_forbidden":
        return f"{where}: {words(item)}"
    for part in item["loc"][:-1]:
        inner = model.model_fields[str(part)].annotation
        assert isinstance(inner, type)  # noqa: S101 - only models have unknown keys
        model = inner
    return f"{where}: unknown key; possible are {', '.join(model.model_fields)}"
