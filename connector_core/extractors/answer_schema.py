"""What a model may answer: a JSON schema made of the fields, and its answer held to them.

The schema keeps to what all endpoints with structured output take: objects with all their properties required and no other,
no bounds of lengths and numbers, no formats, at most 5 levels. What it cannot say is checked here once the answer is there.
Documented at https://platform.openai.com/docs/guides/structured-outputs (supported schemas), and for a smaller subset at
https://learn.microsoft.com/azure/ai-services/openai/how-to/structured-outputs.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeGuard

from connector_core.extractors.hookspecs import Answer, Extracted, WantedField
from connector_core.extractors.passages import LONGEST_PASSAGE, Said
from connector_core.filling.values import RawValue
from connector_core.model import FieldDescription, Unknown
from connector_core.strict_json import LineError, parse_object

MOST_VALUES = 1000
"""Values of all enums of a schema, as endpoints bound them."""
MOST_CHARACTERS = 15_000
"""Characters of the values of all enums of a schema; endpoints bound those of one enum that has many."""

_PARTS = ("value", "passage", "confidence")
CURRENCY = "currency"
"""What an answer says of a number besides."""
_NULL = {"type": "null"}
_CODE = re.compile(r"[A-Z]{3}")
_AMBIGUOUS = re.compile(r"\.\d{3}$")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")


class MisfitError(Exception):
    """A value that is none of its field; the message says what was wanted, as the end of a sentence."""


def labels(described: FieldDescription) -> tuple[str, ...]:
    """Give what people see of the values that may be chosen now."""
    return tuple(dict.fromkeys(it.label for it in described.values if it.active and it.label.strip()))


def schema(fields: Mapping[str, WantedField]) -> dict[str, Any]:
    """Give the schema of an answer.

    :param fields: Each by the name that it has in the answer.
    """
    left_values, left_characters = MOST_VALUES, MOST_CHARACTERS
    properties = {}
    for name, field in fields.items():
        there = labels(field.described)
        length = sum(map(len, there))
        listed = len(there) <= left_values and length <= left_characters
        if listed:
            left_values, left_characters = left_values - len(there), left_characters - length
        properties[name] = _object(
            {
                "value": _value(field.described, there if listed else ()),
                **({CURRENCY: {"type": ["string", "null"]}} if field.described.type == "number" else {}),
                "passage": {"type": ["string", "null"]},
                "confidence": {"type": ["number", "null"]},
            }
        )
    return _object(properties)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _value(described: FieldDescription, listed: Sequence[str]) -> dict[str, Any]:
    one = {"type": "string", "enum": list(listed)} if listed else {"type": "string"}
    match described.type:
        case "number" | "boolean":
            return {"type": [described.type, "null"]}
        case "choices":
            return {"anyOf": [{"type": "array", "items": one}, _NULL]}
        case "choice" if listed:
            return {"anyOf": [one, _NULL]}
        case _:
            return {"type": ["string", "null"]}


def read_answer(content: str, fields: Mapping[str, WantedField], said: Said) -> dict[str, Answer]:
    """Read what a model answered: an answer for the key of each field, whatever else stands in it.

    :param fields: As in :func:`schema`.
    :param said: Where passages come from; one that is not there is dropped, with the confidence in it.
    """
    try:
        given = parse_object(content.encode())
    except (LineError, UnicodeEncodeError):
        return {field.key: Unknown("the model answered what is no JSON object") for field in fields.values()}
    return {field.key: _answer(given.get(name), field.described, said) for name, field in fields.items()}


def _answer(given: object, described: FieldDescription, said: Said) -> Answer:
    further = {CURRENCY} if described.type == "number" else set()  # servers that hold to no schema may leave it out
    if not isinstance(given, dict) or set(given) - further != set(_PARTS):
        return Unknown("the model's answer does not fit the schema")
    if given["value"] is None:
        return None
    try:
        value = _READ.get(described.type, _text)(given["value"], described)
        if given.get(CURRENCY) and isinstance(value, int | float):
            value = _amount(value, given[CURRENCY])
    except MisfitError as error:
        return Unknown(f"the model's answer {error}")
    if value in ("", ()):
        return None
    passage, confidence = given["passage"], given["confidence"]
    if isinstance(passage, str) and not said.has(passage):
        return Extracted(value)
    shown = passage.strip()[:LONGEST_PASSAGE] if isinstance(passage, str) else None
    return Extracted(value, shown, confidence if _is_number(confidence) and 0 <= confidence <= 1 else None)


def _text(given: object, _: FieldDescription) -> str:
    if not isinstance(given, str):
        raise MisfitError("should be text")
    if "\0" in given or not _can_be_written(given):
        raise MisfitError("holds characters that are none")
    return given.strip()


def _number(given: object, _: FieldDescription) -> RawValue:
    if not _is_number(given):
        raise MisfitError("should be a number")
    return given


def _amount(value: float, currency: object) -> str:
    """Write an amount with its currency, as a person would, so that no region changes what it says."""
    if not isinstance(currency, str) or not _CODE.fullmatch(code := currency.strip().upper()):
        raise MisfitError("should name a currency by its code, like EUR")
    number = format(Decimal(repr(value)), "f")
    return f"{number}{'0' if _AMBIGUOUS.search(number) else ''} {code}"


def _boolean(given: object, _: FieldDescription) -> bool:
    if not isinstance(given, bool):
        raise MisfitError("should be true or false")
    return given


def _date(given: object, described: FieldDescription) -> str:
    return _moment(_text(given, described), _DAY, dt.date.fromisoformat, "a day like 2026-03-02")


def _time(given: object, described: FieldDescription) -> str:
    return _moment(_text(given, described), _MOMENT, dt.datetime.fromisoformat, "a time like 2026-03-02T09:00:00")


def _moment(text: str, shape: re.Pattern[str], read: Callable[[str], object], wanted: str) -> str:
    try:
        if not text or (shape.fullmatch(text) and read(text)):
            return text
    except ValueError:
        pass
    raise MisfitError(f"should be {wanted}")


def _choice(given: object, described: FieldDescription) -> str:
    text = _text(given, described)
    known = {label.strip().casefold(): label for label in labels(described)}
    if text and known and text.casefold() not in known:
        raise MisfitError("is none of the field's values")
    return known.get(text.casefold(), text)


def _choices(given: object, described: FieldDescription) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise MisfitError("should be a list")
    return tuple(dict.fromkeys(filter(None, (_choice(each, described) for each in given))))


_READ: Mapping[str, Callable[[object, FieldDescription], RawValue]] = {
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "time": _time,
    "choice": _choice,
    "choices": _choices,
}


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _can_be_written(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
