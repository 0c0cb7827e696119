"""Records by their names."""

from __future__ import annotations

from connector_core.filling.coercion.context import Coerced, Context, refused
from connector_core.filling.coercion.plain import words

_LONGEST = 1_000


def as_reference(text: str, context: Context) -> Coerced:
    """Give the id of the one record of a name; an id of those that were found stays."""
    if any(text in ids for ids in context.names.values()):
        return text
    said = words(text) if len(text) <= _LONGEST else ""
    found = {key: None for name, ids in context.names.items() if said and words(name) == said for key in ids}
    if len(found) == 1:
        return next(iter(found))
    if found:
        return refused(text, f"is the name of {len(found)} records; say which one is meant")
    return refused(text, "is the name of no record that the connection's user may see")
