"""Reading rows: typed values out of JSON, ids of both lengths, times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any

from connector_core.errors import TryAgainError
from connector_salesforce.client import Row

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
PREFIXES = {"Account": "001", "Contact": "003", "Opportunity": "006", "Lead": "00Q", "Task": "00T", "Event": "00U"}
"""The first three characters of ids (Object Reference, "Object Key Prefixes")."""


def at(row: Any, path: str) -> Any:
    """Give what stands under a path like ``Account.Name``; None where any part of it is missing or null."""
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row


def text(row: Row, path: str) -> str | None:
    """Give a text; None where there is none, or an empty one."""
    value = at(row, path)
    return value if isinstance(value, str) and value else None


def named(row: Row, path: str = "Name") -> str | None:
    """Give a name; None where Salesforce holds its own placeholder, as names are required."""
    found = text(row, path)
    return None if found == "[not provided]" else found


def record_id(row: Row) -> str:
    """Give a row's id.

    :raises TryAgainError: It has none: the answer is garbage.
    """
    found = text(row, "Id")
    if found is None:
        raise TryAgainError("Salesforce answered a record without an id")
    return found


def moment(value: object) -> dt.datetime | None:
    """Read a dateTime, like ``2026-03-02T09:00:00.000+0000``."""
    try:
        read = dt.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise TryAgainError("Salesforce answered a time that cannot be read") from error
    return read.astimezone(dt.UTC) if read is not None and read.tzinfo is not None else None


def day(value: object) -> dt.date | None:
    """Read a date, like ``2026-03-02``."""
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError as error:
        raise TryAgainError("Salesforce answered a date that cannot be read") from error


def short(record: str) -> str:
    """Give the 15 characters that both forms of an id share."""
    return record[:15]


def ids_of(kind: str, records: Iterable[str]) -> Sequence[str]:
    """Pick the ids of one object, sorted, each once. What is no id is left out: a query with it would be refused whole."""
    return sorted({it for it in records if _ID.fullmatch(it) and it.startswith(PREFIXES[kind])})
