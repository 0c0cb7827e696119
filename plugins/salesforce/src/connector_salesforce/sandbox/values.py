"""Values of fields: what is accepted from JSON, and how it is held and answered."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connector_core.characters import units
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.schema import Field
from connector_salesforce.sandbox.store import time_text

Reader: TypeAlias = Callable[[Field, Any], Any]

_EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s.,;<>()\"]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")
_QUOTE = re.compile(r"<[^<>]*>|['\"]")
_NAMES = {
    "'": "&#39;",
    '"': "&quot;",
}  # as rich text is kept and counted (help.salesforce.com, "Rich Text Area Field ...")
_MOST_INT = 99_999_999  # eight digits, as a describe says of the whole numbers held here


def coerce(field: Field, value: Any) -> Any:
    """Read a value of JSON for a field as it will be held. Empty text is null, as documented.

    :raises ServiceError: The service would refuse it.
    """
    if isinstance(value, dict) or (isinstance(value, list) and field.type != "junctionIdList"):
        raise NotSpokenError(f"{field.name} given as an object or a list")
    if value is None:
        return False if field.type == "boolean" else None
    read: Reader = _READERS.get(field.type, _text)
    return read(field, value)


def _text(field: Field, value: Any) -> str | None:
    text = _plain_text(field, value)
    if text is not None and field.rich:
        text = _QUOTE.sub(lambda it: _NAMES.get(it[0], it[0]), text)
    if text is not None and field.length and units(text) > field.length:
        raise ServiceError(
            "STRING_TOO_LONG", f"{field.label}: data value too large: {text} (max length={field.length})", [field.name]
        )
    return text


def _plain_text(field: Field, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) or None


def trimmed(value: Any) -> Any:
    """Give text without the blanks around it: what comes through the API is held so, as documented."""
    return value.strip() if isinstance(value, str) else value


def _email(field: Field, value: Any) -> str | None:
    text = _text(field, trimmed(value))
    if text is not None and not _EMAIL.fullmatch(text):
        raise ServiceError("INVALID_EMAIL_ADDRESS", f"{field.label}: invalid email address: {text}", [field.name])
    return text.lower() if text else None  # as recorded: what was created in mixed case is answered in lower case


def _picklist(field: Field, value: Any) -> str | None:
    text = _text(field, value)
    if text is not None and field.restricted and text not in field.values:
        raise ServiceError(
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            f"{field.label}: bad value for restricted picklist field: {text}",
            [field.name],
        )
    return text


def _int(field: Field, value: Any) -> int:
    number = _float(field, value)
    if number != int(number):
        raise _unreadable("int", value)
    if abs(number) > _MOST_INT:
        raise ServiceError(
            "NUMBER_OUTSIDE_VALID_RANGE", f"{field.label}: value outside of valid range: {value}", [field.name]
        )
    return int(number)


def _float(field: Field, value: Any) -> float:
    """Read a number; one written as text is accepted, as recorded."""
    if isinstance(value, bool):
        raise _unreadable(field.type, value)
    try:
        number = float(value)
    except ValueError as error:
        raise _unreadable(field.type, value) from error
    if not math.isfinite(number):
        raise _unreadable(field.type, value)
    return number


def _boolean(field: Field, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("true", "false"):
        return str(value).lower() == "true"
    raise _unreadable(field.type, value)


def _date(field: Field, value: Any) -> str:
    text = str(value)
    if not _DAY.fullmatch(text) or not _real(dt.date.fromisoformat, text):
        raise _unreadable(field.type, value)
    return text


def _datetime(field: Field, value: Any) -> str:
    moment = read_instant(str(value))
    if moment is None:
        raise _unreadable(field.type, value)
    return time_text(moment)


def read_instant(text: str) -> dt.datetime | None:
    """Read a date and time with an offset; None for anything else."""
    if not _TIME.fullmatch(text) or not _real(dt.datetime.fromisoformat, text):
        return None
    return dt.datetime.fromisoformat(text)


def _real(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _reference(field: Field, value: Any) -> str | None:
    text = str(value).strip()
    if not text:
        return None
    record_id = full_id(text)
    if record_id is None:
        raise ServiceError("MALFORMED_ID", f"{field.label}: id value of incorrect type: {text}", [field.name])
    if field.only_ids and record_id not in field.only_ids:
        message = f"{field.label}: this ID value isn't valid for the user: {text}"
        raise ServiceError("INVALID_CROSS_REFERENCE_KEY", message, [field.name])
    return record_id


def _reference_list(field: Field, value: Any) -> tuple[str, ...]:
    """Read a junction list as a JSON list of ids. Unverified: the reference has no real example of its form."""
    if not isinstance(value, list):
        raise _unreadable("list", value)
    ids = (_reference(field, item) for item in value)
    return tuple(dict.fromkeys(item for item in ids if item))


def _base64(field: Field, value: Any) -> str:
    text = str(value)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ServiceError(
            "INVALID_BASE64", f"{field.label}: value not of required type: {text[:40]}", [field.name]
        ) from error
    return text


def _unreadable(kind: str, value: Any) -> ServiceError:
    """Make the refusal of the JSON parser, which is of the whole request."""
    form = (
        "VALUE_STRING"
        if isinstance(value, str)
        else "VALUE_NUMBER"
        if isinstance(value, (int, float))
        else "START_ARRAY"
    )
    message = (
        f"Cannot deserialize instance of {kind} from {form} value {value} or request may be missing a required field"
    )
    return ServiceError("JSON_PARSER_ERROR", f"{message} at [line:1, column:1]")


_READERS: Mapping[str, Reader] = {
    "email": _email,
    "picklist": _picklist,
    "int": _int,
    "double": _float,
    "currency": _float,
    "percent": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "reference": _reference,
    "id": _reference,
    "junctionIdList": _reference_list,
    "base64": _base64,
}
