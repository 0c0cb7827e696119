"""Objects of JSON from outside, read strictly."""

from __future__ import annotations

import json
from typing import Any, NoReturn

TWICE = object()
"""The value of a key that stands twice: no model takes it."""


class LineError(Exception):
    """A line, or a body, that holds no call; ``args`` are what is wrong with it, one text a problem."""


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
        made[name] = TWICE if name in made else value
    return made


def _no_constant(name: str) -> NoReturn:
    raise LineError(f"is no JSON: {name} is no number")
