"""Ids, domains, values and searches, in as few requests as there can be.

One ``web_search_read`` reads records with those that they name, to any depth: the method of Odoo's own web client, in the
module ``web``, which every server has. Odoo hands out everything that is asked for; the pages keep answers small.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from connector_core.errors import TryAgainError
from connector_odoo.client import OdooClient

T = TypeVar("T")
Record: TypeAlias = Mapping[str, Any]
Domain: TypeAlias = list[Any]
Spec: TypeAlias = dict[str, Any]

PAGE = 1000
PAGES = 10
BATCH = 200

ALSO_ARCHIVED: Domain = [["active", "in", [True, False]]]
"""Archived records are hidden unless a domain names the field; lost opportunities are archived."""


class CutShortError(Exception):
    """A search has more results than this connector is ready to read."""


# -- ids: unique for each model only, so they carry a short name of it


def id_of(prefix: str, number: int) -> str:
    """Give the connector's id of a record: ``partner:12``."""
    return f"{prefix}:{number}"


def number_of(prefix: str, key: str | None) -> int | None:
    """Give Odoo's id of a record of that kind; None for anything else."""
    name, _, digits = (key or "").partition(":")
    return int(digits) if name == prefix and digits.isascii() and digits.isdigit() and len(digits) < 10 else None


def numbers_of(prefix: str, keys: Iterable[str | None]) -> list[int]:
    """Give Odoo's ids of those that are of that kind, once each, sorted."""
    return sorted({number for key in keys if (number := number_of(prefix, key)) is not None})


# -- domains, in Odoo's prefix notation


def any_of(*domains: Domain) -> Domain:
    """Ask for what at least one of the domains holds for; at least one is given."""
    return ["|"] * (len(domains) - 1) + [part for domain in domains for part in _whole(domain)]


def _whole(domain: Domain) -> Domain:
    """Make one operand of a domain whose leaves are joined by *and* without saying so."""
    operators = sum(part in ("|", "&") for part in domain if isinstance(part, str))
    return ["&"] * (len(domain) - 2 * operators - 1) + domain if len(domain) > 1 else domain


def like(text: str) -> str:
    """Write a text for ``=like`` and ``=ilike``: what Odoo may have stored otherwise matches anything there."""
    return "".join(
        char if char.isascii() and (char.isalnum() or char in " @.:-+=/") else "\\_" if char == "_" else "%"
        for char in text
    )


# -- values


def text_of(record: Record, name: str) -> str | None:
    """Give a text; Odoo has ``false`` where there is none."""
    value = record.get(name)
    return value.strip() or None if isinstance(value, str) else None


def linked(record: Record, name: str) -> Record | None:
    """Give the record that a field names; None where it names none."""
    value = record.get(name)
    return value if isinstance(value, Mapping) and value.get("id") else None


def instant(record: Record, name: str) -> dt.datetime | None:
    """Read a time: Odoo keeps UTC, to the second, without saying so."""
    value = record.get(name)
    try:
        return dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def written(at: dt.datetime) -> str:
    """Write a time; what is shorter than a second is cut."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S")


# -- searches


def search(
    client: OdooClient, model: str, domain: Domain, spec: Spec, *, context: Mapping[str, Any] | None = None
) -> list[Record]:
    """Read all records of a domain.

    :raises CutShortError: There are more than :data:`PAGES` pages.
    :raises TryAgainError: The answer is no complete one.
    """
    found: list[Record] = []
    for _ in range(PAGES):
        after = [["id", ">", found[-1]["id"]]] if found else []
        records = first(client, model, [*after, *domain], spec, PAGE, context=context)
        found += records
        if len(records) < PAGE:
            return found
    raise CutShortError


def first(
    client: OdooClient,
    model: str,
    domain: Domain,
    spec: Spec,
    most: int,
    *,
    context: Mapping[str, Any] | None = None,
) -> list[Record]:
    """Read the first records of a domain, in the order of their ids.

    :raises TryAgainError: The answer is no complete one.
    """
    answer = client.read(
        model,
        "web_search_read",
        domain=domain,
        specification=spec,
        limit=most,
        order="id",
        context=dict(context or {}),
    )
    records = answer.get("records") if isinstance(answer, dict) else None
    if not isinstance(records, list) or not all(isinstance(it, dict) and type(it.get("id")) is int for it in records):
        raise TryAgainError(f"Odoo's answer to a search for {model} has no records")
    return records


def cut(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut into pieces of at most ``size``."""
    return (items[at : at + size] for at in range(0, len(items), size))


def halving(keys: Sequence[T], ask: Callable[[Sequence[T]], list[Record]]) -> tuple[list[Record], list[T]]:
    """Ask for all keys at once; where the answer would be too long, for each half of them.

    :returns: The records, and the keys for which it is too long even alone.
    """
    if not keys:
        return [], []
    try:
        return ask(keys), []
    except CutShortError:
        if len(keys) == 1:
            return [], list(keys)
    middle = len(keys) // 2
    first, second = halving(keys[:middle], ask), halving(keys[middle:], ask)
    return first[0] + second[0], first[1] + second[1]
