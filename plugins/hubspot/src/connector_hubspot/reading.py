"""Reading records, associations and searches, in as few requests as HubSpot allows.

Limits: 100 records a batch, 1,000 inputs an association read; searches take 5 groups, 200 records a page and 10,000 in
all (developers.hubspot.com, guides to objects, associations and search). How many values an ``IN`` takes is undocumented:
100 are known to work, and a request that is refused is cut in half.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from connector_core.errors import TryAgainError
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError, errors_of, problems_of

Record: TypeAlias = Mapping[str, Any]
T = TypeVar("T")

BATCH = 100
IN_VALUES = 100
GROUPS = 5
_LINK_INPUTS = 1000
_PAGE = 200
_REACHABLE = 10_000
_REFUSALS = 10
_GONE = frozenset({"OBJECT_NOT_FOUND", "crm.associations.INVALID_IDENTIFIER"})


class CutShortError(Exception):
    """A search has more results than HubSpot hands out."""


def cut(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut into pieces of at most ``size``."""
    return (items[at : at + size] for at in range(0, len(items), size))


def ids_only(keys: Iterable[str]) -> list[str]:
    """Keep what can be an id of HubSpot's, once each, sorted; nothing else can be there."""
    return sorted({key for key in keys if key.isascii() and key.isdigit()})


def results_of(answer: Mapping[str, Any]) -> list[Record]:
    """Give the results of an answer to a read.

    :raises TryAgainError: It is no such answer, or not a complete one: what is missing in it is not known to be missing.
    """
    results = answer.get("results")
    whole = isinstance(results, list) and all(isinstance(item, dict) for item in results)
    if not whole or answer.get("status", "COMPLETE") != "COMPLETE":
        raise TryAgainError("HubSpot's answer has no complete results")
    return list(results or [])


def made(answer: Mapping[str, Any]) -> list[Record]:
    """Give the records that an answer to a write names; of those that it does not name nothing is known."""
    results = answer.get("results")
    return [item for item in results if isinstance(item, dict) and "id" in item] if isinstance(results, list) else []


def halving(
    keys: Sequence[str],
    ask: Callable[[Sequence[str]], list[Record]],
    tally: Tally | None = None,
    *,
    id_property: str | None = None,
) -> tuple[list[Record], list[str]]:
    """Ask for all keys at once; where that is refused or cut short, for each half of them.

    :param id_property: The property whose values the keys are: where it is refused, a key may be to blame.
    :returns: The records, and the keys that could not be asked for even alone.
    """
    tally = tally or Tally()
    if not keys or tally.hopeless:
        return [], list(keys)
    try:
        records = ask(keys)
    except (BatchRefusedError, CutShortError) as error:
        blamed = {name for it in getattr(error, "problems", ()) for name in it.fields}
        if blamed - {id_property}:
            raise  # it is about a property, so no key is to blame
        tally.refused += 1
        if len(keys) == 1:
            return [], list(keys)
    else:
        tally.answered += 1
        return records, []
    middle = len(keys) // 2
    first, second = (halving(half, ask, tally, id_property=id_property) for half in (keys[:middle], keys[middle:]))
    return first[0] + second[0], first[1] + second[1]


@dataclass(slots=True)
class Tally:
    """How often halves were refused and answered: where nothing at all is answered, no key is to blame."""

    refused: int = 0
    answered: int = 0

    @property
    def hopeless(self) -> bool:
        """Tell that going on would only spend requests."""
        return not self.answered and self.refused >= _REFUSALS


def read(client: HubSpotClient, obj: str, ids: Iterable[str], properties: Sequence[str]) -> dict[str, Record]:
    """Read records by id. What is not there is left out.

    :raises TryAgainError: HubSpot answered a part only.
    """
    found: dict[str, Record] = {}
    for chunk in cut(ids_only(ids), BATCH):
        records, problems = read_batch(client, obj, chunk, properties)
        if problems:
            raise TryAgainError(f"HubSpot answered a part of the {obj} only ({', '.join(sorted(problems.values()))})")
        for record in records:
            text = _text(record, "hs_merged_object_ids")
            for key in (record["id"], *filter(None, text.split(";"))):
                found[str(key)] = record
    return found


def survivor(client: HubSpotClient, obj: str, record_id: str) -> str | None:
    """Find what became of a record that is not there; None: it is gone.

    A record that was merged away is answered with the one that is left to a single read, and to no batch (guide to
    objects).
    """
    try:
        record = client.get(
            "/crm/objects/{version}/{object}/{id}", {"properties": "hs_object_id"}, object=obj, id=record_id
        )
    except BatchRefusedError as error:
        if error.status == 404:
            return None
        raise
    return str(record["id"])


def read_batch(
    client: HubSpotClient, obj: str, keys: Sequence[str], properties: Sequence[str], *, id_property: str | None = None
) -> tuple[list[Record], dict[str, str]]:
    """Read one batch.

    :returns: The records, in no order; and the keys that HubSpot could not answer, see :func:`unanswered`.
    :raises MissingRightError: A property that is needed is hidden.
    """
    body: dict[str, Any] = {
        "properties": [*properties, "hs_merged_object_ids"],
        "inputs": [{"id": key} for key in keys],
    }
    if id_property:
        body["idProperty"] = id_property
    answer = client.post("/crm/objects/{version}/{object}/batch/read", body, object=obj)
    records = results_of(answer)
    client.hidden.check(obj, records, properties, id_property)
    return records, unanswered(answer, keys)


def unanswered(answer: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """Give the keys that HubSpot could not answer (not: that are not there), each with its code.

    A problem that names no key counts for all.
    """
    problems: dict[str, str] = {}
    for problem in _failed(answer):
        problems.update(dict.fromkeys(problem.ids or keys, problem.code or "?"))
    return problems


def _failed(answer: Mapping[str, Any]) -> Iterator[Any]:
    for entry in errors_of(answer):
        if entry.get("category") not in _GONE and entry.get("subCategory") not in _GONE:
            yield from problems_of(entry)


@dataclass(frozen=True, slots=True)
class Links:
    """The associations of records. ``of`` has every id that was asked for; the lists of those in ``cut`` have more."""

    of: Mapping[str, Sequence[Link]]
    cut: frozenset[str] = frozenset()

    def ids(self, key: str) -> list[str]:
        """Give the ids of what a record is associated with."""
        return [link.id for link in self.of.get(key, ())]


@dataclass(frozen=True, slots=True)
class Link:
    """One association: the id of the other record, and HubSpot's own types of it."""

    id: str
    types: frozenset[int] = field(default=frozenset())


def read_links(client: HubSpotClient, start: str, end: str, ids: Iterable[str]) -> Links:
    """Read the associations of records, every page of them. They show what was written a moment ago.

    "No association" comes as an error entry, which is none here; ids come as numbers and as text. Only a record that has
    more names a next page (reference of the batch read). A page that brings nothing new and names a next one leads nowhere:
    that record is cut.

    :param start: The object that the ids are of, like ``contacts``; ``end`` is that of the others.
    :raises TryAgainError: HubSpot answered a part only.
    """
    keys = ids_only(ids)
    found: dict[str, dict[str, Link]] = {key: {} for key in keys}
    cut_short: set[str] = set()
    for chunk in cut(keys, _LINK_INPUTS):
        inputs = [{"id": key} for key in chunk]
        while inputs:
            answer = client.post(
                "/crm/associations/{version}/{start}/{end}/batch/read", {"inputs": inputs}, start=start, end=end
            )
            codes = {problem.code or "?" for problem in _failed(answer)}
            if codes:
                raise TryAgainError(f"HubSpot answered a part of the associations only ({', '.join(sorted(codes))})")
            inputs = []
            for result in results_of(answer):
                key = str(result["from"]["id"])
                links = found.setdefault(key, {})
                known = len(links)
                links.update((link.id, link) for link in map(_link, result.get("to") or []))
                after = next_page(result)
                if after is not None and len(links) > known:
                    inputs.append({"id": key, "after": after})
                elif after is not None:
                    cut_short.add(key)
    return Links({key: tuple(links.values()) for key, links in found.items()}, frozenset(cut_short))


def _link(item: Mapping[str, Any]) -> Link:
    types = item.get("associationTypes") or []
    own = (int(kind["typeId"]) for kind in types if kind.get("category") == "HUBSPOT_DEFINED")
    return Link(str(item["toObjectId"]), _once(tuple(own)))


@functools.lru_cache
def _once(types: tuple[int, ...]) -> frozenset[int]:
    """Give equal sets as one: there are hundreds of thousands of links in a backfill, and few sets of types."""
    return frozenset(types)


def search(
    client: HubSpotClient, obj: str, groups: Sequence[Sequence[Mapping[str, Any]]], properties: Sequence[str]
) -> list[Record]:
    """Search, every page of it: records for which all filters of one of the groups hold.

    :raises CutShortError: There are more than HubSpot hands out.
    :raises MissingRightError: A property that is needed is hidden.
    """
    body: dict[str, Any] = {
        "filterGroups": [{"filters": list(filters)} for filters in groups],
        "properties": list(properties),
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],  # pages must not shift
        "limit": _PAGE,
    }
    found: dict[str, Record] = {}
    for _ in range(_REACHABLE // _PAGE):
        answer = client.post("/crm/objects/{version}/{object}/search", body, object=obj)
        records = results_of(answer)
        client.hidden.check(obj, records, properties)
        found.update((str(record["id"]), record) for record in records)
        if int(answer.get("total") or 0) > _REACHABLE:
            raise CutShortError
        after = next_page(answer)
        if after is None:
            return list(found.values())
        body["after"] = after
    raise CutShortError


def find(client: HubSpotClient, obj: str, text: str, properties: Sequence[str], most: int) -> list[Record]:
    """Search for a text in the properties that HubSpot searches by default, the first page of it.

    Those of contacts are names, addresses, numbers and company, those of companies names, domain, website and number
    (guide to search). How words are matched is not documented.
    """
    body = {"query": text, "properties": list(properties), "limit": most}
    records = results_of(client.post("/crm/objects/{version}/{object}/search", body, object=obj))
    client.hidden.check(obj, records, properties)
    return records


def one_of(name: str, values: Sequence[str]) -> Mapping[str, Any]:
    """Filter by values; those of text are sent in lower case, or ``IN`` finds nothing (guide to search)."""
    return {"propertyName": name, "operator": "IN", "values": [value.lower() for value in values]}


def next_page(answer: Mapping[str, Any]) -> str | None:
    """Give the cursor of the next page; the last page has none."""
    after = ((answer.get("paging") or {}).get("next") or {}).get("after")
    return None if after is None else str(after)


def value(record: Record, name: str) -> str | None:
    """Give a property; None where it is empty. HubSpot's values are text or null."""
    return _text(record, name) or None


def _text(record: Record, name: str) -> str:
    found = (record.get("properties") or {}).get(name)
    return "" if found is None else str(found)
