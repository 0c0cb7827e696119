"""Searches: SOSL as text, parameterized searches, and what they find.

Documented at developer.salesforce.com, SOQL and SOSL Reference. How the service cuts numbers into search terms is not
documented: that a term of digits finds a number that is written with those digits, with or without its country code and
trunk zeros, or a part of it between its punctuation, is an assumption, unverified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, as_objects, as_texts, type_fault
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.query import Queries
from connector_salesforce.sandbox.schema import NOT_MODELLED, ObjectType
from connector_salesforce.sandbox.soql import parse_clauses
from connector_salesforce.sandbox.store import Row, Store
from connector_salesforce.sandbox.syntax import Query

MAX_RESULTS = 2_000
_MAX_WITH_OPERATORS = 4_000
_MAX_SEARCH = 10_000
_LONGEST_COUNTRY_CODE = 3

_SEARCH = re.compile(
    r"\s*FIND\s*\{(?P<find>(?:\\.|[^\\}])*)\}(?:\s*IN\s+(?P<group>ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS)?"
    r"(?:\s*RETURNING\s+(?P<returning>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_RETURNING = re.compile(r"\s*(?P<name>\w+)\s*(?:\((?P<inside>[^()]*(?:\([^()]*\)[^()]*)*)\))?\s*(?:,|$)", re.DOTALL)
_CLAUSES = re.compile(r"\b(?:WHERE|ORDER\s+BY|LIMIT)\b.*", re.IGNORECASE | re.DOTALL)
_SPECIAL = re.compile(r"\\(.)|([&|!(){}\[\]^~:+\-\\])", re.DOTALL)
_TYPES: Mapping[str, frozenset[str]] = {
    "PHONE": frozenset({"phone"}),
    "EMAIL": frozenset({"email"}),
    "ALL": frozenset({"phone", "email", "string", "textarea", "combobox", "picklist", "url"}),
    "SIDEBAR": frozenset({"phone", "email", "string", "combobox"}),
}
_NAMES = ("name", "firstname", "lastname", "subject")
_WILD = frozenset("*?")
_HEAD = re.compile(r"\w+\*")
_GUARD = "\ue000"  # stands for a character that was escaped, while the others are read

Match: TypeAlias = Callable[[frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object of a search: its fields, and the clauses that narrow it."""

    name: str
    fields: tuple[str, ...] = ()
    clauses: Query | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """A search."""

    find: str
    group: str = "ALL"
    wanted: tuple[Wanted, ...] = ()
    limit: int = MAX_RESULTS


def parse_search(text: str) -> Search:
    """Read SOSL.

    :raises ServiceError: MALFORMED_SEARCH.
    """
    match = _SEARCH.fullmatch(text)
    if match is None:
        raise ServiceError(
            "MALFORMED_SEARCH", f"\n{text[:60]}\n^\nERROR at Row:1:Column:1\nunexpected token in the search"
        )
    wanted = []
    returning, at = match["returning"] or "", 0
    while at < len(returning):
        item = _RETURNING.match(returning, at)
        if item is None:
            raise ServiceError("MALFORMED_SEARCH", f"unexpected token: '{returning[at : at + 20]}'")
        at = item.end()
        wanted.append(_wanted(item["name"], item["inside"] or ""))
    if not wanted:
        raise NotSpokenError("SOSL without RETURNING")
    return Search(match["find"], (match["group"] or "ALL").upper(), tuple(wanted), int(match["limit"] or MAX_RESULTS))


def _wanted(name: str, inside: str) -> Wanted:
    clauses = _CLAUSES.search(inside)
    fields = inside[: clauses.start()] if clauses else inside
    query = parse_clauses(clauses.group()) if clauses else None
    names = tuple(field.strip() for field in fields.split(",") if field.strip())
    return Wanted(name, names, query, query.limit if query else None)


class Searches:
    """Answers searches as the connection's user sees the organization, as far as the index has caught up."""

    def __init__(self, store: Store, org: Org, queries: Queries, lag_seconds: float) -> None:
        self._store, self._org, self._queries, self._lag_seconds = store, org, queries, lag_seconds

    def run_parameters(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a parameterized search. That OR is honoured in its ``q`` is an assumption, unverified."""
        known = {"q", "in", "fields", "sobjects", "overallLimit", "defaultLimit", "spellCorrection"}
        if unknown := set(body) - known:
            raise NotSpokenError(f"{', '.join(sorted(unknown))} in a parameterized search")
        if not body.get("q"):
            raise ServiceError("MALFORMED_SEARCH", "A search string has to be specified")
        fields = as_texts(body.get("fields"), "fields")
        objects = as_objects(body.get("sobjects") or [], "sobjects")
        wanted = tuple(self._parameter(item, fields, body.get("defaultLimit")) for item in objects)
        if not wanted:
            raise NotSpokenError("a parameterized search of no object")
        group = str(body.get("in") or "ALL").upper()
        if group not in (*_TYPES, "NAME"):
            raise ServiceError("INVALID_SEARCH", f"in: no such group of fields: {group}")
        return self.run(Search(str(body["q"]), group, wanted, _number(body.get("overallLimit")) or MAX_RESULTS))

    def _parameter(self, item: Mapping[str, Any], fields: Sequence[str], limit: Any) -> Wanted:
        if unknown := set(item) - {"name", "fields", "where", "limit", "orderBy"}:
            raise NotSpokenError(f"{', '.join(sorted(unknown))} of an object in a parameterized search")
        text = f"WHERE {item['where']}" if item.get("where") else ""
        text += f" ORDER BY {item['orderBy']}" if item.get("orderBy") else ""
        names = as_texts(item.get("fields"), "fields") or fields
        clauses = parse_clauses(text) if text else None
        return Wanted(str(item.get("name")), tuple(names), clauses, _number(item.get("limit") or limit))

    def run(self, search: Search) -> dict[str, Any]:
        """Answer a search: at most 2,000 records over all objects."""
        match = _match(search.find)
        most = min(search.limit, MAX_RESULTS)
        records: list[dict[str, Any]] = []
        for wanted in search.wanted:
            obj = self._org.visible(wanted.name)
            if obj is None or not obj.searchable:
                if wanted.name.lower() in NOT_MODELLED:
                    raise NotSpokenError(f"the object {wanted.name}")
                raise type_fault(search.find, 0, wanted.name)
            plan = self._queries.plan(obj, wanted.fields or ("Id",), ",".join(wanted.fields))
            rows = self._rows(obj, match, search.group, wanted) if match else []
            records += [self._queries.render(plan, row) for row in rows[: wanted.limit]]
        return {"searchRecords": records[:most]}

    def _rows(self, obj: ObjectType, match: Match, group: str, wanted: Wanted) -> Sequence[Row]:
        names = _field_names(obj, group)
        found = [row for row in self._store.live_rows(obj.name) if self._found(row, names, match, group)]
        if wanted.clauses is None:
            return found
        return self._queries.rows(wanted.clauses, obj, among=found)

    def _found(self, row: Row, names: Iterable[tuple[str, bool]], match: Match, group: str) -> bool:
        if not self._store.settled(row["Id"], self._lag_seconds):
            return False
        values = [(row[name], phone) for name, phone in names if row.get(name)]
        return bool(values) and match(frozenset().union(*(_terms(value, phone=phone) for value, phone in values)))


def _number(value: Any) -> int | None:
    """Read a limit, which may be written as text; null is none."""
    if value is None:
        return None
    if not str(value).isdecimal():
        raise ServiceError("JSON_PARSER_ERROR", f"a limit is a number, not {value}")
    return int(value)


def _field_names(obj: ObjectType, group: str) -> list[tuple[str, bool]]:
    if group == "NAME":
        return [(item.name, False) for key, item in obj.fields.items() if key in _NAMES]
    types = _TYPES[group]
    return [(item.name, item.type == "phone") for item in obj.fields.values() if item.type in types]


@lru_cache(maxsize=100_000)
def _terms(text: str, *, phone: bool) -> frozenset[str]:
    """Give the terms by which a text is found."""
    words = set(re.findall(r"\w+", text.lower()))
    if "@" in text:
        words.add(text.lower())
    if phone:
        words |= _number_terms(text)
    return frozenset(words)


def _number_terms(text: str) -> set[str]:
    digits = re.sub(r"\D", "", text)
    terms = {digits, digits.lstrip("0")}
    if text.lstrip().startswith(("+", "00")):
        full = digits.lstrip("0")
        for length in range(1, _LONGEST_COUNTRY_CODE + 1):
            terms |= {full[length:], full[length:].lstrip("0")}
    return terms


def _match(find: str) -> Match | None:
    """Read what is searched for; None where the search is too long to find anything.

    Above 4,000 characters operators are dropped: the words then stand for themselves, any of which finds a record.
    """
    if len(find) > _MAX_SEARCH:
        return None
    text = _SPECIAL.sub(_unescaped, find)
    phrases = re.findall(r'"[^"]*"|\S+', text)
    words = [phrase for phrase in phrases if phrase.upper() not in ("OR", "AND")]
    if len(find) > _MAX_WITH_OPERATORS:
        return _any([[word] for word in words])
    alternatives: list[list[str]] = [[]]
    for phrase in phrases:
        if phrase.upper() == "NOT":
            raise NotSpokenError("NOT in a search")
        if phrase.upper() == "OR":
            alternatives.append([])
        elif phrase.upper() != "AND":
            alternatives[-1].append(phrase)
    return _any([words for words in alternatives if words])


def _unescaped(part: re.Match[str]) -> str:
    """Keep a character that was escaped, and drop an operator that is none here."""
    escaped = part.group(1)
    return (_GUARD if escaped in ("*", "?", '"') else str(escaped)) if escaped else " "


def _any(alternatives: Sequence[Sequence[str]]) -> Match:
    """Match what has all the words of one of several phrases."""
    parts = [[word for phrase in phrases for word in _words(phrase)] for phrases in alternatives]
    if not parts or not all(parts):
        raise ServiceError("INVALID_SEARCH", "Search term must be longer than one character")
    # Searches may hold hundreds of terms: what begins with one is looked up, and the rest tried where one word fits.
    heads = {words[0][:-1] for words in parts if len(words) == 1 and _HEAD.fullmatch(words[0])}
    lengths = {len(head) for head in heads}
    by_word: dict[str, list[Match]] = {}
    others: list[Match] = []
    for words in parts:
        plain = [word for word in words if not _WILD & set(word)]
        if plain:
            by_word.setdefault(max(plain, key=len), []).append(_all(words))
        elif words[0][:-1] not in heads or len(words) > 1:
            others.append(_all(words))

    def match(terms: frozenset[str]) -> bool:
        return (
            any(term[:length] in heads for term in terms for length in lengths)
            or any(each(terms) for term in terms for each in by_word.get(term, ()))
            or any(each(terms) for each in others)
        )

    return match


def _all(words: Sequence[str]) -> Match:
    plain = frozenset(word for word in words if not _WILD & set(word))
    patterns = [_wildcard(word) for word in words if word not in plain]
    return lambda terms: plain <= terms and all(any(p.fullmatch(term) for term in terms) for p in patterns)


def _words(phrase: str) -> list[str]:
    """Cut a phrase into words; punctuation that was escaped parts words too, but not in an e-mail address."""
    bare = phrase.strip('"').replace(_GUARD, " ").lower()
    if "@" in bare:
        return bare.split()
    return re.findall(r"[\w*?]+", bare)


def _wildcard(word: str) -> re.Pattern[str]:
    if word[0] in "*?":
        raise NotSpokenError("a wildcard at the start of a search term")
    return re.compile("".join({"*": ".*", "?": "."}.get(letter) or re.escape(letter) for letter in word))
