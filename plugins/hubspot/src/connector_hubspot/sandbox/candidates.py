"""Which records a search has to look at: those that have, or had, a value that each of its groups asks for.

A search of a portal with 100,000 calls for 500 ids would otherwise try each id on each call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from connector_hubspot.sandbox.kinds import Kind, kind_of
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.schema import Property
from connector_hubspot.sandbox.store import Record


def candidates(
    portal: Portal,
    kind: Kind,
    groups: Sequence[Sequence[Mapping[str, Any]]],
    key_of: Callable[[Property], Callable[[str], Hashable]],
) -> Iterable[Record]:
    """Give every record that may match, and perhaps others, in the order of their ids.

    :param groups: Filters that are known to be allowed.
    :param key_of: How values of a property compare.
    """
    found: set[str] = set()
    for filters in groups:
        hits = next((ids for item in filters if (ids := _with(portal, kind, item, key_of)) is not None), None)
        if hits is None:
            return portal.store.all(kind)
        found |= hits
    if not groups:
        return portal.store.all(kind)
    records = (portal.store.get(kind, each) for each in sorted(found, key=int))
    return [record for record in records if record is not None]


def _with(
    portal: Portal,
    kind: Kind,
    item: Mapping[str, Any],
    key_of: Callable[[Property], Callable[[str], Hashable]],
) -> set[str] | None:
    """Give the ids that one filter leaves; None: it is not of a kind that tells."""
    wanted = {"IN": item.get("values"), "EQ": [item.get("value")]}.get(str(item.get("operator")))
    if not wanted:
        return None
    name, values = str(item["propertyName"]), [str(value) for value in wanted]
    if name.startswith("associations."):
        others = (portal.store.get(kind_of(name.removeprefix("associations.")), value) for value in values)
        return {each for other in others if other is not None for each in other.linked(kind)}
    prop = portal.schema.find(kind, name)
    if prop is None or prop.type in {"enumeration", "bool"}:
        return None
    key = key_of(prop)
    return portal.store.with_values(kind, name, key, map(key, values))
