"""What the commands print: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, TextIO, TypeVar

DONE = 0
INCOMPLETE = 1
NOT_STARTED = 2
INTERRUPTED = 130

_CONTROLS = re.compile(r"\x1b(?!\[(?:[0-2]|3[1-6])m)|[\x00-\x1a\x1c-\x1f\x7f-\x9f]")  # all but our own styles
_STYLES = {"bold": "1", "dim": "2", "green": "32", "yellow": "33", "red": "31", "cyan": "36"}

T = TypeVar("T")


class OutputClosedError(Exception):
    """The output cannot be written, as the message says; without one, whoever read it has gone (``| head``)."""


def prepare() -> None:
    """Read and write UTF-8 whatever the locale says, and never fail on a character."""
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "backslashreplace"), (sys.stderr, "backslashreplace")):
        with suppress(AttributeError):  # closed, or replaced by what has no encoding
            stream.reconfigure(encoding="utf-8", errors=errors)  # type: ignore[union-attr]  # a TextIO of the standard library


def say(text: str = "") -> None:
    """Print a line for a person to read; control characters in it are made visible."""
    _write(sys.stdout, _visible(text))


def paragraph(text: str, *, indent: str, label: str = "", style: str | None = None) -> None:
    """Print a text indented, after a label, broken into lines where standard output is a terminal."""
    width = shutil.get_terminal_size().columns - len(indent) - len(label) if _on_terminal() else 0
    lines = textwrap.wrap(text, width, break_on_hyphens=False) if width > 30 else [text]
    for number, line in enumerate(lines):
        start = " " * len(label) if number else styled(label, "dim")
        say(indent + start + (styled(line, style) if style else line))


def say_json(value: dict[str, Any]) -> None:
    """Print one JSON object on a line of its own."""
    _write(sys.stdout, json.dumps(value, ensure_ascii=False))


def say_as_it_is(text: str) -> None:
    """Print what is no text for a person, but a file: nothing in it is changed."""
    if text:
        _write(sys.stdout, text.removesuffix("\n"))


def tell(text: str, *, prefix: str = "") -> None:
    """Print a message on standard error, ``prefix`` before each of its lines."""
    for line in text.split("\n"):
        _write(sys.stderr, prefix + _visible(line))


def flush() -> None:
    """Hand over what was printed."""
    for stream in (sys.stdout, sys.stderr):
        _guarded(stream, lambda stream: stream.flush())


def progress(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Give the items on; while they go into a file and somebody watches, show on the terminal how many there were."""
    shown = sys.stderr is not None and sys.stderr.isatty() and not _on_terminal()
    for number, item in enumerate(items, start=1):
        if shown:
            sys.stderr.write(f"\r\x1b[K{number} of {total} {what}\r" if number < total else "\r\x1b[K")
            sys.stderr.flush()
        yield item


def styled(text: str, style: str) -> str:
    """Colour a text where standard output is a terminal that wants colour (NO_COLOR is heeded)."""
    if not _on_terminal() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _on_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _visible(text: str) -> str:
    return _CONTROLS.sub(lambda found: repr(found.group())[1:-1], text)


def _write(stream: TextIO | None, text: str) -> None:
    def write(stream: TextIO) -> None:
        stream.write(f"{text}\n")
        stream.flush()

    _guarded(stream, write)


def _guarded(stream: TextIO | None, action: Callable[[TextIO], None]) -> None:
    if stream is None:
        return
    try:
        action(stream)
    except OSError as error:
        with suppress(OSError):  # Python flushes once more at its end: let it flush into nothing
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            raise OutputClosedError from error
        raise OutputClosedError(f"the output cannot be written ({error.strerror})") from error
