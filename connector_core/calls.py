"""Reading calls: one a line, as JSON of our own or as a provider's webhook bodies.

Lines are counted as they stand, from 1; blank ones are passed over. A line that is no valid call is a problem, and never
keeps another line from being read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from connector_core.errors import CredentialsError, InputError
from connector_core.model import Call
from connector_core.providers.hookspecs import Ignored
from connector_core.validation import path, words

if TYPE_CHECKING:
    from connector_core.providers.binding import Provider

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TWICE = object()
_MOST_PROBLEMS_A_LINE = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line; as text ``line N: PATH: what is wrong``, without PATH where it is no object."""

    line: int
    text: str

    def __str__(self) -> str:
        """Write it as a message."""
        return f"line {self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Replaced:
    """A valid line whose call took the place of an earlier one with the same id."""

    line: int
    call_id: str

    def __str__(self) -> str:
        """Write it as a message."""
        return f"line {self.line}: {self.call_id} again: it replaces the earlier line with this id"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A provider's event that is no finished call."""

    line: int
    reason: str

    def __str__(self) -> str:
        """Write it as a message."""
        return f"line {self.line}: skipped: {self.reason}"


@dataclass(slots=True)
class Calls:
    """What was read: the calls in the order of the lines, and what else there is to say about lines."""

    calls: list[Call] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    replaced: list[Replaced] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


class LineError(Exception):
    """A line that holds no call; ``args`` are what is wrong with it, one text a problem."""


def read_calls(lines: Iterable[bytes]) -> Calls:
    """Read calls, one a line.

    :param lines: Lines as they come from a file that was opened for reading bytes; any bytes are allowed.
    """
    return _read(lines, parse_call)


def read_events(lines: Iterable[bytes], provider: Provider) -> Calls:
    """Read the webhook bodies of a provider, one a line; events that are no finished calls are ``skipped``.

    :param lines: As in :func:`read_calls`; a body that the provider refuses is a problem of its line.
    """
    return _read(lines, _of(provider))


def stream_calls(lines: Iterable[bytes], provider: Provider | None = None) -> Iterator[Call | Problem | Skipped]:
    """Read lines one at a time, and give what each is; of two calls with one id, both.

    :param lines: As in :func:`read_calls`, or in :func:`read_events` with a ``provider``.
    """
    return (found for _, found in _each(lines, _of(provider) if provider else parse_call))


def _of(provider: Provider) -> Callable[[bytes], Call | Ignored]:

    def parse(line: bytes) -> Call | Ignored:
        try:
            answer = provider.contribute(line)
        except (InputError, CredentialsError) as error:
            raise LineError(str(error)) from error
        return answer if isinstance(answer, Ignored) else answer.call

    return parse


def _read(lines: Iterable[bytes], parse: Callable[[bytes], Call | Ignored]) -> Calls:
    read = Calls()
    by_id: dict[str, Call] = {}
    for number, found in _each(lines, parse):
        if isinstance(found, Problem):
            read.problems.append(found)
        elif isinstance(found, Skipped):
            read.skipped.append(found)
        else:
            if found.id in by_id:
                read.replaced.append(Replaced(number, found.id))
            by_id[found.id] = found
    read.calls = list(by_id.values())
    return read


def _each(
    lines: Iterable[bytes], parse: Callable[[bytes], Call | Ignored]
) -> Iterator[tuple[int, Call | Problem | Skipped]]:
    """Give what each line is, with its number; a line may have several problems."""
    for number, line in _numbered(lines):
        try:
            call = parse(line)
        except LineError as error:
            yield from ((number, Problem(number, text)) for text in error.args)
            continue
        yield number, Skipped(number, f"{call.event}: {call.reason}") if isinstance(call, Ignored) else call


def _numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    for number, raw in enumerate(lines, start=1):
        line = (raw.removeprefix(_BYTE_ORDER_MARK) if number == 1 else raw).strip()
        if line:
            yield number, line


def parse_call(line: bytes) -> Call:
    """Read one call.

    :raises LineError: With everything that is wrong.
    """
    value = parse_object(line)
    try:
        return Call.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False)
        texts = [
            f"{path(item['loc'])}: {'stands twice' if item['input'] is _TWICE else words(item)}"
            for item in found[:_MOST_PROBLEMS_A_LINE]
        ]
        more = [f"and {len(found) - len(texts)} more problems"] if len(found) > len(texts) else []
        raise LineError(*texts, *more) from error


def parse_object(line: bytes) -> dict[str, Any]:
    """Read a JSON object, strictly; a key that stands twice holds a value that no model takes.

    :raises LineError: It is no JSON object.
    """
    try:
        value = json.loads(line.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise LineError(f"is no UTF-8 (byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        raise LineError(f"is no JSON: {error.msg} (character {error.pos + 1})") from error
    except RecursionError as error:
        raise LineError("is nested too deeply") from error
    except ValueError as error:  # Python reads no numbers of thousands of digits
        raise LineError("holds a number that is too long") from error
    if not isinstance(value, dict):
        raise LineError("is no JSON object")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        name = key if key.isascii() else key.encode(errors="backslashreplace").decode()
        made[name] = _TWICE if name in made else value
    return made


def _no_constant(name: str) -> NoReturn:
    raise LineError(f"is no JSON: {name} is no number")
