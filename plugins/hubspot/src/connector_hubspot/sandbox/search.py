"""The search API: filters, and what they may be.

Limits, operators and the rules of case are documented at developers.hubspot.com, "Search the CRM". Unverified: the
largest number of values of IN (one hundred is what is known to work), that IN takes properties of the type
phone_number, and that NEQ and NOT_IN pass over records without a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from connector_hubspot.sandbox.candidates import candidates
from connector_hubspot.sandbox.instants import milliseconds
from connector_hubspot.sandbox.kinds import COMPANIES, CONTACTS, Kind, kind_of
from connector_hubspot.sandbox.objects import whole_number
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, invalid
from connector_hubspot.sandbox.schema import Property
from connector_hubspot.sandbox.store import Record

_MOST_GROUPS, _MOST_FILTERS, _MOST_TOGETHER, _MOST_VALUES = 5, 6, 18, 100
_LONGEST_PAGE, _USUAL_PAGE, _REACH = 200, 10, 10_000
_LONGEST_QUERY = 3_000
_SEARCHED: Mapping[Kind, tuple[str, ...]] = {
    CONTACTS: ("firstname", "lastname", "email", "phone", "hs_additional_emails", "fax", "mobilephone", "company"),
    COMPANIES: ("website", "phone", "name", "domain"),
}
"""The properties that a query looks in ("Search the CRM", "Search through default searchable properties")."""
_MEASURED = frozenset({"number", "datetime", "date"})
_WORD = re.compile(r"[^\W_]+")
_COMPOUND = re.compile(r"[^\W_]+(?:[.'-][^\W_]+)*")

Test: TypeAlias = Callable[[str], bool]
Key: TypeAlias = Callable[[str | None], tuple[int, float, str]]
Match: TypeAlias = Callable[[Record, Mapping[str, str]], bool]


def search(portal: Portal, kind: Kind, body: Any) -> dict[str, Any]:
    """Answer a search.

    :raises RefusalError: It is not allowed.
    :raises NotSpokenError: It looks for words in an object of which it is not known where HubSpot looks for them.
    """
    if not isinstance(body, dict):
        raise invalid("Invalid input JSON: an object is required")
    asked_for = _query(kind, body.get("query") or "")
    limit = whole_number(body.get("limit", _USUAL_PAGE), "limit", _LONGEST_PAGE)
    offset = whole_number(body.get("after") or 0, "after")
    if offset + limit > _REACH:
        raise invalid(f"The search reaches no more than {_REACH} results")
    filters = _filters(body)
    groups = [[_match(portal, kind, item) for item in group] for group in filters]
    order = _order(portal, kind, body.get("sorts") or [])
    found: list[tuple[Record, Mapping[str, str]]] = []
    for record in candidates(portal, kind, filters, _listed_key):
        seen = portal.store.seen_by_search(record)
        if seen is None or not asked_for(seen):
            continue
        if not groups or any(all(match(record, seen) for match in group) for group in groups):
            found.append((record, seen))
    if order is not None:
        name, key, backwards = order
        found.reverse()  # the order of equal ones is not documented: it is none that a client may count on
        found.sort(key=lambda pair: key(pair[1].get(name)), reverse=backwards)
    page = found[offset : offset + limit]
    answer: dict[str, Any] = {
        "total": len(found),
        "results": [portal.found(record, seen, body.get("properties")) for record, seen in page],
    }
    if offset + limit < len(found):
        answer["paging"] = {"next": {"after": str(offset + limit)}}
    return answer


def _query(kind: Kind, text: Any) -> Callable[[Mapping[str, str]], bool]:
    """Test for words: each begins a word of one of the properties that are searched by default (an assumption)."""
    if not isinstance(text, str) or len(text) > _LONGEST_QUERY:
        raise invalid(f"query is a text of at most {_LONGEST_QUERY} characters")
    if text and kind not in _SEARCHED:
        raise NotSpokenError(f"a search of {kind.name} with query")
    words = text.lower().split()
    if not words:
        return lambda _: True

    def test(seen: Mapping[str, str]) -> bool:
        shown = " ".join(seen.get(name, "").lower() for name in _SEARCHED.get(kind, ()))
        tokens = {*_WORD.findall(shown), *_COMPOUND.findall(shown), *re.split(r"[\s;]+", shown)}
        return all(any(token.startswith(word) for token in tokens) for word in words)

    return test


def _filters(body: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    groups = body.get("filterGroups") or ([{"filters": body["filters"]}] if body.get("filters") else [])
    sizes = [len(group.get("filters") or ()) for group in groups]
    if len(groups) > _MOST_GROUPS or max(sizes, default=0) > _MOST_FILTERS or sum(sizes) > _MOST_TOGETHER:
        raise invalid(
            f"A search takes {_MOST_GROUPS} filterGroups, {_MOST_FILTERS} filters in each and {_MOST_TOGETHER} together"
        )
    if any(size == 0 for size in sizes):
        raise invalid("A filter group without filters")
    return [list(group["filters"]) for group in groups]


def _match(portal: Portal, kind: Kind, item: Mapping[str, Any]) -> Match:
    name = str(item.get("propertyName"))
    if name.startswith("associations."):
        return _association(portal, kind_of(name.removeprefix("associations.")), item)
    prop = portal.schema.find(kind, name)
    if prop is None:
        raise invalid(f"Invalid filter: there is no property {name}", propertyName=[name])
    operator = str(item.get("operator"))
    if operator == "HAS_PROPERTY":
        return lambda _, seen: name in seen
    if operator == "NOT_HAS_PROPERTY":
        return lambda _, seen: name not in seen
    if operator == "NOT_CONTAINS_TOKEN":
        contains = _contains(_value(item))
        return lambda _, seen: not contains(seen.get(name, ""))
    test = _test(prop, operator, item)
    return lambda _, seen: name in seen and test(seen[name])


def _association(portal: Portal, kind: Kind, item: Mapping[str, Any]) -> Match:
    def known(record: Record) -> set[str]:
        return {key for key, link in record.linked(kind).items() if not portal.store.hidden_until(link.visible_at)}

    match item.get("operator"):
        case "EQ":
            wanted = {_value(item)}
        case "IN":
            wanted = set(_values(item))
        case "HAS_PROPERTY":
            return lambda record, _: bool(known(record))
        case "NOT_HAS_PROPERTY":
            return lambda record, _: not known(record)
        case operator:
            raise NotSpokenError(f"the operator {operator} on associations")
    return lambda record, _: not wanted.isdisjoint(known(record))


def _test(prop: Property, operator: str, item: Mapping[str, Any]) -> Test:
    if operator in {"IN", "NOT_IN"}:
        listed = _listed(prop, _values(item))
        return listed if operator == "IN" else lambda text: not listed(text)
    if operator == "CONTAINS_TOKEN":
        return _contains(_value(item))
    if operator in {"EQ", "NEQ"}:
        equal = _equal(prop, _value(item))
        return equal if operator == "EQ" else lambda text: not equal(text)
    key = _sort_key(prop)
    low = _bound(prop, _value(item))
    match operator:
        case "LT":
            return lambda text: key(text) < low
        case "LTE":
            return lambda text: key(text) <= low
        case "GT":
            return lambda text: key(text) > low
        case "GTE":
            return lambda text: key(text) >= low
        case "BETWEEN":
            high = _bound(prop, str(item.get("highValue")))
            return lambda text: low <= key(text) <= high
    raise invalid(f"Invalid filter: unknown operator {operator}")


def _value(item: Mapping[str, Any]) -> str:
    value = item.get("value")
    if value is None or isinstance(value, dict | list):
        raise invalid("Invalid filter: value is required", propertyName=[str(item.get("propertyName"))])
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(item: Mapping[str, Any]) -> list[str]:
    values = item.get("values")
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_VALUES:
        raise invalid(f"Invalid filter: values is required, a list of 1 to {_MOST_VALUES}")
    return [str(value) for value in values]


def _listed(prop: Property, values: list[str]) -> Test:
    """Compare with a list: choices exactly, times and numbers as such, text in lower case with the values as sent."""
    if prop.type == "enumeration":
        wanted = frozenset(values)
        return lambda text: not wanted.isdisjoint(text.split(";"))
    key = _listed_key(prop)
    keys = {_bound(prop, value) for value in values} if prop.type in _MEASURED else frozenset[Hashable](values)
    return lambda text: key(text) in keys


def _listed_key(prop: Property) -> Callable[[str], Hashable]:
    """Give how a value is compared with a list: numbers and times as such, text in lower case."""
    return _sort_key(prop) if prop.type in _MEASURED else str.lower


def _equal(prop: Property, value: str) -> Test:
    if prop.type == "enumeration":
        return lambda text: value in text.split(";")
    if prop.type in _MEASURED:
        key = _sort_key(prop)
        wanted = _bound(prop, value)
        return lambda text: key(text) == wanted
    lower = value.lower()
    return lambda text: text.lower() == lower


def _patterns(word: str) -> list[str]:
    """Give what a word of a filter looks for: itself where it is a token or has a wildcard, else its parts."""
    return [word] if "*" in word or _COMPOUND.fullmatch(word) else _WORD.findall(word)


def _contains(value: str) -> Test:
    patterns = [pattern for word in value.lower().split() for pattern in _patterns(word)]

    def test(text: str) -> bool:
        lower = text.lower()
        tokens = {*_WORD.findall(lower), *_COMPOUND.findall(lower)}
        return all(any(fnmatchcase(token, pattern) for token in tokens) for pattern in patterns)

    return test


def _sort_key(prop: Property) -> Key:
    """Give how values are ordered: numbers and times as such, text without case; none come first."""

    def key(text: str | None) -> tuple[int, float, str]:
        if text is None:
            return (0, 0.0, "")
        number: float | None = None
        if prop.type in {"datetime", "date"}:
            number = milliseconds(text)
        elif prop.type == "number":
            number = _number(text)
        elif prop.type == "string":
            return (2, 0.0, text.lower())
        return (2, 0.0, text) if number is None else (1, number, "")

    return key


def _bound(prop: Property, value: str) -> tuple[int, float, str]:
    """Read a value to compare with; a number or time must be one."""
    bound = _sort_key(prop)(value)
    if prop.type in _MEASURED and bound[0] != 1:
        raise invalid(f"Invalid filter: {value} is no {prop.type}", propertyName=[prop.name])
    return bound


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _order(portal: Portal, kind: Kind, sorts: list[Any]) -> tuple[str, Key, bool] | None:
    if not sorts:
        return None
    if len(sorts) > 1:
        raise invalid("A search takes one sort")
    given = {"propertyName": sorts[0]} if isinstance(sorts[0], str) else sorts[0]
    name, direction = str(given.get("propertyName")), given.get("direction", "ASCENDING")
    prop = portal.schema.find(kind, name)
    if prop is None or direction not in {"ASCENDING", "DESCENDING"}:
        raise invalid(f"Invalid sort: {name} {direction}")
    return name, _sort_key(prop), direction == "DESCENDING"
