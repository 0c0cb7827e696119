"""Reading calls: one a line, as JSON of our own or as a provider's webhook bodies.

Lines are counted as they stand, from 1; blank ones are passed over. A line that is no valid call is a problem, and never
keeps another line from being read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from connector_core.errors import CredentialsError, InputError
from connector_core.model import Call
from connector_core.providers.hookspecs import Announced, Delivery, Heard, Ignored, Part, Reply
from connector_core.providers.merging import merge
from connector_core.strict_json import TWICE, LineError, parse_object
from connector_core.validation import path, words

if TYPE_CHECKING:
    from connector_core.providers.binding import Provider

T = TypeVar("T")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
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
    """A valid line with the call of an earlier one: it took its place, or, as a provider's event, adds to what that said."""

    line: int
    call_id: str
    adds: bool = False

    def __str__(self) -> str:
        """Write it as a message."""
        what = "it adds to" if self.adds else "it replaces"
        return f"line {self.line}: {self.call_id} again: {what} the earlier line with this id"


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


def read_calls(lines: Iterable[bytes]) -> Calls:
    """Read calls, one a line.

    :param lines: Lines as they come from a file that was opened for reading bytes; any bytes are allowed.
    """
    read = Calls()
    by_id: dict[str, Call] = {}
    for number, found in _each(lines, parse_call):
        if isinstance(found, Problem):
            read.problems.append(found)
            continue
        if found.id in by_id:
            read.replaced.append(Replaced(number, found.id))
        by_id[found.id] = found
    read.calls = list(by_id.values())
    return read


def read_events(lines: Iterable[bytes], provider: Provider) -> Calls:
    """Read the webhook bodies of a provider, one a line; the events of a call make one call, in the place of the first.

    Events that are of no finished call are ``skipped``.

    :param lines: As in :func:`read_calls`; a body that the provider refuses is a problem of its line.
    """
    read = Calls()
    parts: dict[str, list[tuple[int, Part]]] = {}
    for number, found in _each(lines, _of(provider)):
        if isinstance(found, Problem):
            read.problems.append(found)
            continue
        for heard in found:
            if isinstance(heard, Part):
                if heard.call_id in parts:
                    read.replaced.append(Replaced(number, heard.call_id, adds=True))
                parts.setdefault(heard.call_id, []).append((number, heard))
            else:
                read.skipped.append(_skipped(number, heard))
    for numbered in parts.values():
        made = _merged(numbered)
        if isinstance(made, Call):
            read.calls.append(made)
        else:
            read.skipped.append(made)
    return read


def stream_calls(lines: Iterable[bytes], provider: Provider | None = None) -> Iterator[Call | Problem | Skipped]:
    """Read lines one at a time, and give what each is; of two calls with one id, both.

    :param lines: As in :func:`read_calls`, or in :func:`read_events` with a ``provider``.
    """
    if provider is None:
        yield from (found for _, found in _each(lines, parse_call))
        return
    for number, found in _each(lines, _of(provider)):
        if isinstance(found, Problem):
            yield found
            continue
        for heard in found:
            yield _merged([(number, heard)]) if isinstance(heard, Part) else _skipped(number, heard)


def _of(provider: Provider) -> Callable[[bytes], Sequence[Heard]]:
    """Read a body that stands in a file: proven where it carries the proof itself."""

    def parse(line: bytes) -> Sequence[Heard]:
        try:
            event = provider.verify(Delivery(line)) if provider.manifest.proof == "body" else line
            if isinstance(event, Reply):
                return [Ignored("set-up", "it sets a webhook up")]
            return provider.parse(event)
        except (InputError, CredentialsError) as error:
            raise LineError(str(error)) from error

    return parse


def _merged(numbered: Sequence[tuple[int, Part]]) -> Call | Skipped:
    """Make the call of which these lines tell."""
    last, part = numbered[-1]
    return merge(part for _, part in numbered) or Skipped(last, f"{part.event}: no finished call")


def _skipped(line: int, heard: Announced | Ignored) -> Skipped:
    if isinstance(heard, Announced):
        return Skipped(line, f"{heard.what}: announces what a webhook's receiver reads; there is none here")
    return Skipped(line, f"{heard.event}: {heard.reason}")


def _each(lines: Iterable[bytes], parse: Callable[[bytes], T]) -> Iterator[tuple[int, T | Problem]]:
    """Give what each line is, with its number; a line may have several problems."""
    for number, line in _numbered(lines):
        try:
            found = parse(line)
        except LineError as error:
            yield from ((number, Problem(number, text)) for text in error.args)
            continue
        yield number, found


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
            f"{path(item['loc'])}: {'stands twice' if item['input'] is TWICE else words(item)}"
            for item in found[:_MOST_PROBLEMS_A_LINE]
        ]
        more = [f"and {len(found) - len(texts)} more problems"] if len(found) > len(texts) else []
        raise LineError(*texts, *more) from error
