"""Values as the CRM shows them: in the form that coercion gives, and whether two of them are the same."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

from connector_core.characters import clean, one_line
from connector_core.filling.coercion.choice import joined
from connector_core.filling.coercion.contact import phone_reader
from connector_core.filling.coercion.context import Context
from connector_core.filling.coercion.forms import text_form
from connector_core.filling.coercion.markup import in_plain_markup
from connector_core.filling.coercion.moment import in_iso
from connector_core.filling.coercion.number import held
from connector_core.filling.coercion.text import written
from connector_core.model import FieldDescription, FieldValue

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NUMBER = re.compile(r"[+-]?(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:e[+-]?\d{1,3})?", re.IGNORECASE | re.ASCII)
_MILLISECONDS = re.compile(r"-?\d{1,15}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_PHONE = re.compile(r"[-+\d\s()./]+")


def same(one: FieldValue | None, other: FieldValue | None, field: FieldDescription, context: Context) -> bool:
    """Tell whether two values of a field are the same, in whatever form the CRM gives them; blank text is nothing."""
    return shown(one, field, context) == shown(other, field, context)


def shown(value: FieldValue | None, field: FieldDescription, context: Context) -> FieldValue | None:
    """Bring a value as the CRM shows it into the form that coercion gives; what has no such form stays as it is.

    CRMs show numbers, yes and no as text, several choices in any order, and times in several forms of ISO 8601; HubSpot
    takes, and may show, milliseconds since 1970 too (developers.hubspot.com, guide to properties).
    """
    text = clean(value) if isinstance(value, str) else None if value is None else written(value)
    if text is None:
        return "NaN" if value != value else value  # nothing equals a NaN, itself included
    if not text:
        return None
    match field.type:
        case "number":
            return _number(text)
        case "boolean":
            return {"true": True, "false": False}.get(text.lower(), text)
        case "date":
            at = _instant(text)
            return at.date().isoformat() if at else text
        case "time":
            at = _instant(text)
            return in_iso(at) if at else text
        case "choices":
            return joined(filter(None, map(str.strip, text.split(";"))), field) or None
        case "text":
            return _text(text, field, context)
        case _:
            return text


def _number(text: str) -> FieldValue:
    number = held(Decimal(text)) if _NUMBER.fullmatch(text) else None
    return text if number is None else number


def _text(text: str, field: FieldDescription, context: Context) -> str | None:
    match text_form(field):
        case "line":
            return one_line(text)
        case "html":
            return in_plain_markup(text)
        case "email":
            return text.lower()
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
