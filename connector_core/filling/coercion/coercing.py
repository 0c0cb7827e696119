"""Values as they were said, in the form in which a field of the CRM takes them."""

from __future__ import annotations

from connector_core.characters import clean
from connector_core.filling.coercion.choice import as_choice, as_choices
from connector_core.filling.coercion.contact import as_email, as_phone, as_url
from connector_core.filling.coercion.context import Coerced, Context, refused
from connector_core.filling.coercion.forms import text_form
from connector_core.filling.coercion.moment import as_day, as_moment
from connector_core.filling.coercion.number import as_number
from connector_core.filling.coercion.reference import as_reference
from connector_core.filling.coercion.text import as_text, written
from connector_core.filling.coercion.truth import as_truth
from connector_core.filling.values import RawValue
from connector_core.model import FieldDescription


def coerce(value: RawValue | None, field: FieldDescription, context: Context) -> Coerced:
    """Bring a value into the form that its field takes.

    What comes out fits the field, and coerced again it is the same, but in rich text, where a ``<`` that was said is no tag.
    What may be two values, or is none, is refused.

    :returns: A day as ``2026-03-02``, a time as ``2026-03-02T09:00:00Z``, several choices joined by ``;`` in the field's
        order, a number, a truth, or text; None where nothing was said: a blank text, or no text at all.
    :raises ConfigurationError: The time zone is none.
    """
    if value is None:
        return None
    if isinstance(value, bool | int | float):
        return _of_number(value, field, context)
    texts = [text for it in ([value] if isinstance(value, str) else value) if (text := clean(it))]
    if not texts:
        return None
    if field.type in ("text", "other") and text_form(field) in ("line", "lines", "html"):
        return as_text(texts, field)
    if field.type == "choices":
        return as_choices(texts, field, context)
    if len(texts) > 1:
        return refused(value, "are several values, and the field takes one")
    return _of_text(texts[0], field, context)


def _of_number(value: float, field: FieldDescription, context: Context) -> Coerced:
    """Take a number or a truth; a field for something else takes it as it is written."""
    if field.type == "number":
        return as_number(value, field, context)
    if field.type == "boolean":
        return as_truth(value, field)
    text = written(value)
    if text is None:
        return refused(value, "cannot be written out")
    if field.type in ("date", "time"):
        return refused(value, "is a number, and the field takes a day")
    return coerce(text, field, context)


def _of_text(text: str, field: FieldDescription, context: Context) -> Coerced:
    if field.type == "text":
        match text_form(field):
            case "email":
                return as_email(text, field)
            case "phone":
                return as_phone(text, field, context)
            case _:
                return as_url(text, field)
    match field.type:
        case "number":
            return as_number(text, field, context)
        case "boolean":
            return as_truth(text, field)
        case "date":
            return as_day(text, context)
        case "time":
            return as_moment(text, context)
        case "choice":
            return as_choice(text, field, context)
        case _:
            return as_reference(text, context)
