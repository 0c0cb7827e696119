"""What changed: records by the time of their last change, and among equal times by id.

A search takes one sort and hands out 10,000 results, page by page by their number, which shifts when a record changes
(guide to search). So each page is a search of its own for what lies behind the last record told, and its first results
are all that is read: there is no 10,001st. Results of equal times come in no known order: where a page is full, those of
its last time are left for the next one, and a time that fills a page by itself is read by id.

That a search answers the time by which it found a record, and not a later one, is not documented.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.errors import TryAgainError
from connector_core.model import Changed, ChangePage, RecordKind
from connector_hubspot.client import HubSpotClient
from connector_hubspot.reading import Record, results_of, value
from connector_hubspot.times import instant, milliseconds

OBJECTS: Mapping[RecordKind, tuple[str, ...]] = {
    "contact": ("contacts",),
    "account": ("companies",),
    "opportunity": ("deals",),
    "activity": ("calls", "meetings"),
}
PAGE = 200
"""As many results as a search gives at once."""

Place: TypeAlias = tuple[int, int]
"""A time in milliseconds since 1970, and an id: of two records with one time that with the smaller id comes first."""


def changes(client: HubSpotClient, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
    """List what changed: a search for each object, and two where very many share one time."""
    objects = (
        dict.fromkeys(name for kind in kinds for name in OBJECTS.get(kind, ())) if page is None else json.loads(page)
    )
    found: list[Changed] = []
    going_on: dict[str, Place] = {}
    for name, behind in sorted(objects.items()):
        kind = next(kind for kind, names in OBJECTS.items() if name in names)
        places, more = _page(client, name, since, tuple(behind) if behind else None)
        found += [Changed(kind, str(key), _moment(at)) for at, key in places]
        if more:
            if behind and places[-1] <= tuple(behind):
                raise TryAgainError(f"HubSpot answers again which {name} changed: no page would be the last")
            going_on[name] = places[-1]
    return ChangePage(tuple(found), json.dumps(going_on) if going_on else None)


def _page(client: HubSpotClient, name: str, since: dt.datetime, behind: Place | None) -> tuple[list[Place], bool]:
    """Give the next records in the order of their places, and whether there are more."""
    changed = modified(name)
    if behind is None:
        groups = [[_filter(changed, "GTE", milliseconds(since))]]
    else:
        at, key = map(str, behind)
        groups = [
            [_filter(changed, "EQ", at), _filter("hs_object_id", "GT", key)],
            [_filter(changed, "GT", at)],
        ]
    places, more = _search(client, name, groups, changed)
    if not more:
        return places, False
    last = places[-1][0]
    if whole := [place for place in places if place[0] < last]:
        return whole, True
    same = [_filter(changed, "EQ", str(last))]
    if behind is not None and behind[0] == last:
        same.append(_filter("hs_object_id", "GT", str(behind[1])))
    places, _ = _search(client, name, [same], "hs_object_id")
    if not places:
        raise TryAgainError(f"{name} changed while they were read")
    return places, True


def _search(
    client: HubSpotClient, name: str, groups: Sequence[Sequence[Mapping[str, str]]], sort: str
) -> tuple[list[Place], bool]:
    body: dict[str, Any] = {
        "filterGroups": [{"filters": list(filters)} for filters in groups],
        "properties": [modified(name)],
        "sorts": [{"propertyName": sort, "direction": "ASCENDING"}],
        "limit": PAGE,
    }
    answer = client.post("/crm/objects/{version}/{object}/search", body, object=name)
    places = sorted(_place(record, name) for record in results_of(answer))
    more = int(answer.get("total") or 0) > len(places)
    if more and not places:
        raise TryAgainError(f"HubSpot says that {name} changed, and answers none")
    return places, more


def modified(name: str) -> str:
    """Name the property that holds the time of an object's last change (guides to contacts and to other objects)."""
    return "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"


def _place(record: Record, name: str) -> Place:
    at = instant(value(record, modified(name)))
    key = str(record.get("id"))
    if at is None or not key.isdecimal():
        raise TryAgainError("HubSpot answered a record without its id, or without the time of its change")
    return int(milliseconds(at)), int(key)


def _moment(at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=at)


def _filter(name: str, operator: str, wanted: str) -> Mapping[str, str]:
    return {"propertyName": name, "operator": operator, "value": wanted}
