"""What pydantic refused, in words for a person who wrote JSON or TOML."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_WORDS = {
    "bool_type": "should be true or false",
    "dict_type": "should be an object",
    "extra_forbidden": "is an unknown key",
    "finite_number": "should be a finite number",
    "float_type": "should be a number",
    "int_type": "should be a whole number",
    "invalid_key": "is an unknown key",
    "missing": "is required",
    "model_attributes_type": "should be an object",
    "model_type": "should be an object",
    "path_type": "should be a path",
    "string_too_short": "should not be empty",
    "string_type": "should be text",
    "string_unicode": "is text with a character that is none (half of a surrogate pair)",
    "too_short": "should not be empty",
    "timezone_aware": "should be a time with an offset, like Z or +02:00",
    "tuple_type": "should be a list",
}


def problems(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Give each problem as its path (``participants.0.emails``, empty at the top) and what is wrong there.

    Neither holds the value that was refused: it may be personal, or a secret.
    """
    for detail in error.errors(include_url=False, include_input=False):
        yield path(detail["loc"]), words(detail)


def words(detail: ErrorDetails) -> str:
    """Say what is wrong, as the end of a sentence that begins with the path."""
    text = _WORDS.get(detail["type"], detail["msg"])
    return text.removeprefix("Input ") if text.startswith("Input should") else text


def path(location: tuple[int | str, ...]) -> str:
    """Join the steps of a path; a key that would not stand on one line is shown escaped, a very long one cut."""
    return ".".join(str(step) if isinstance(step, int) else _key(step) for step in location)


def _key(key: str) -> str:
    shown = key if key.isprintable() else key.encode("unicode_escape").decode()
    return shown if len(shown) <= 80 else f"{shown[:80]}…"
