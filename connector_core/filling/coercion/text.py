"""Text: on one line where the field has one, as HTML where it has that, and never cut."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from connector_core.characters import one_line, units
from connector_core.filling.coercion.context import Coerced, Refused
from connector_core.filling.coercion.forms import text_form
from connector_core.filling.coercion.markup import as_markup, length_of
from connector_core.model import FieldDescription

_WRITTEN_BITS = 1_024


def written(value: float) -> str | None:
    """Write a number or a truth as text; None for what is no number, and for one of some hundred digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if value.bit_length() <= _WRITTEN_BITS else None
    if value != value or value in (float("inf"), float("-inf")):
        return None
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def as_text(texts: Sequence[str], field: FieldDescription) -> Coerced:
    """Take text as it is: several texts on lines of their own, or after commas where the field has one line."""
    match text_form(field):
        case "line":
            return fitting(", ".join(map(one_line, texts)), field)
        case "html":
            return _fitting(markup := as_markup("\n".join(texts)), length_of(markup), field)
        case _:
            return fitting("\n".join(texts), field)


def fitting(text: str, field: FieldDescription) -> str | Refused:
    """Give a text that fits its field; one that does not is never cut, as its end may be what matters."""
    return _fitting(text, units(text), field)


def _fitting(text: str, length: int, field: FieldDescription) -> str | Refused:
    if field.length is None or length <= field.length:
        return text
    return Refused("too_long", f"The text has {length:,} characters, and the field takes {field.length:,}")
