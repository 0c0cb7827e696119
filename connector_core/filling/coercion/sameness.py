"""Whether two values of a field are the same as the CRM would show them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Hashable
from decimal import Decimal

from connector_core.filling.coercion.characters import clean, one_line
from connector_core.filling.coercion.contact import phone_reader
from connector_core.filling.coercion.context import Context
from connector_core.filling.coercion.forms import text_form
from connector_core.filling.coercion.text import written
from connector_core.model import FieldDescription, FieldValue

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:e[+-]?\d{1,3})?", re.IGNORECASE | re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_PHONE = re.compile(r"[-+\d\s()./]+")


def same(one: FieldValue | None, other: FieldValue | None, field: FieldDescription, context: Context) -> bool:
    """Tell whether two values are the same: in whatever form the CRM gives them, and blanks and line breaks aside.

    CRMs give numbers, yes and no as text, several choices in any order, and times in several forms of ISO 8601; HubSpot
    takes, and may give, milliseconds since 1970 too (developers.hubspot.com, guide to properties). A blank text is nothing.
    """
    return _key(one, field, context) == _key(other, field, context)


def _key(value: FieldValue | None, field: FieldDescription, context: Context) -> Hashable:
    """Give a value in the one form in which all that are the same are equal."""
    text = clean(value) if isinstance(value, str) else None if value is None else written(value)
    if not text:
        return (
            value if text is None and value == value else text
        )  # what cannot be written, like a NaN, which equals nothing
    match field.type:
        case "number":
            return Decimal(text) if _NUMBER.fullmatch(text) else text
        case "boolean":
            return text.lower()
        case "date":
            at = _instant(text)
            return at.date().isoformat() if at else text
        case "time":
            return _instant(text) or text
        case "choices":
            return frozenset(filter(None, map(str.strip, text.split(";"))))
        case "text":
            return _text_key(text, field, context)
        case _:
            return text


def _text_key(text: str, field: FieldDescription, context: Context) -> str:
    match text_form(field):
        case "line":
            return one_line(text)
        case "email":
            return text.casefold()
        case "phone" if _PHONE.fullmatch(text):  # with letters it has an extension, which its number does not tell
            return phone_reader(context.regions).read(text) or text
        case _:
            return text


def _instant(text: str) -> dt.datetime | None:
    try:
        if _MILLISECONDS.fullmatch(text):
            return _EPOCH + dt.timedelta(milliseconds=int(text))
        if _TIME.fullmatch(text):
            return dt.datetime.fromisoformat(text).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return None
