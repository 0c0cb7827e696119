"""Patterns of a template's field: regular expressions, as people write them."""

from __future__ import annotations

from collections.abc import Iterable

import regex

from connector_core.errors import InputError

LONGEST_PATTERN = 1000
"""Characters: what is longer is no pattern that anybody can read."""

FLAGS = regex.IGNORECASE | regex.MULTILINE | regex.UNICODE

_RECURSION = regex.compile(r"(?<!\\)(?:\\\\)*\(\?(?:R\)|[+-]?\d+\)|&|P>)")


def compiled(pattern: str) -> regex.Pattern[str]:
    """Give a pattern as it is searched: case aside, ``^`` and ``$`` at the ends of lines.

    One that calls itself is refused: before any time-out it takes all memory there is.

    :raises InputError: It is none; the message says what is wrong, as the end of a sentence.
    """
    if not pattern.strip():
        raise InputError("should not be blank")
    if len(pattern) > LONGEST_PATTERN:
        raise InputError(f"should have {LONGEST_PATTERN} characters at most")
    if _RECURSION.search(pattern):
        raise InputError("should not call itself or a group of it: write out what is repeated")
    try:
        return regex.compile(pattern, FLAGS)
    except RecursionError as error:
        raise InputError("is no regular expression: it is nested too deeply") from error
    except Exception as error:  # the library lets errors of its own workings through, for odd patterns
        raise InputError(f"is no regular expression: {error}") from error


def check_patterns(patterns: Iterable[str]) -> list[str]:
    """Tell what is wrong with the patterns of a field, each problem as ``patterns.1 is no regular expression: …``.

    That a pattern needs too long is not seen here, but where it is searched.
    """
    problems = []
    for number, pattern in enumerate(patterns):
        try:
            compiled(pattern)
        except InputError as error:
            problems.append(f"patterns.{number} {error}")
    return problems
