"""Yes and no."""

from __future__ import annotations

from connector_core.filling.coercion.context import Coerced, refused
from connector_core.filling.coercion.plain import words
from connector_core.filling.coercion.words import TRUTHS
from connector_core.model import FieldDescription

_LONGEST = 40


def as_truth(value: str | float, field: FieldDescription) -> Coerced:
    """Read a yes or a no: in words, as 1 or 0, or by what the field calls them."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return bool(value) if value in (0, 1) else refused(value, "is neither yes nor no")
    said = words(value[: _LONGEST + 1]).rstrip(".!") if len(value) <= _LONGEST else ""
    named = {TRUTHS[it.value.lower()] for it in field.values if it.value.lower() in TRUTHS and words(it.label) == said}
    if len(named) == 1:
        return named.pop()
    truth = TRUTHS.get(said)
    return refused(value, "is neither yes nor no") if truth is None else truth
