"""The form that the parts of a body have, wherever they stand in HubSpot's objects, search and associations APIs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connector_hubspot.sandbox.refusals import invalid

_OBJECTS = frozenset({"inputs", "filterGroups", "filters", "associations", "types"})
_ENDS = frozenset({"from", "to"})
_TEXTS = frozenset({"values", "propertiesWithHistory"})
_TEXT = frozenset(
    {
        *("id", "idProperty", "objectWriteTraceId", "associationCategory", "associationTypeId"),
        *("propertyName", "operator", "direction", "value", "highValue", "query", "after", "limit"),
    }
)


def refuse_ill_formed(body: Any, *, lists: Collection[str] = ()) -> None:
    """Refuse a body that has another form than HubSpot reads.

    :param lists: Parts that are lists in this request, and objects in others: ``properties`` that are asked for, the
        ends (``to``) that are archived.
    :raises RefusalError: Naming the part.
    """
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is wanted")
    for name, value in body.items():
        if not _fits(name, value, lists):
            raise invalid(f"Invalid input JSON: {name} has another form")
        if name != "properties":
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    refuse_ill_formed(inner, lists=lists)


def _fits(name: str, value: Any, lists: Collection[str]) -> bool:
    if name in _ENDS:
        return _all(value, dict) if name in lists else isinstance(value, dict)
    if value is None:
        return True
    if name in _OBJECTS:
        return _all(value, dict)
    if name in _TEXTS or (name == "properties" and name in lists):
        return _all(value, str | int | float)
    if name == "properties":
        return isinstance(value, dict)
    if name == "sorts":
        return _all(value, dict | str)
    return name not in _TEXT or isinstance(value, str | int | float)


def _all(value: Any, kind: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
