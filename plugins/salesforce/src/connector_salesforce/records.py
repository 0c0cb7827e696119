"""Reading rows: typed values out of JSON, ids of both lengths, times."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from connector_core.errors import TryAgainError
from connector_salesforce.client import Row

_ID = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
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


def full_id(record: str) -> str | None:
    """Give an id in 18 characters; None for what is none: a query with it would be refused whole.

    The last three tell which of the 15 are upper case, five to a character (help.salesforce.com, "Convert 15 Character
    Salesforce IDs").
    """
    if not _ID.fullmatch(record):
        return None
    blocks = (record[start : start + 5] for start in (0, 5, 10))
    checks = (sum(1 << place for place, char in enumerate(block) if char.isupper()) for block in blocks)
    full = short(record) + "".join(_CHECKS[check] for check in checks)
    return full if record in (full, short(full)) else None


def ids_of(kind: str, records: Iterable[str]) -> list[str]:
    """Pick the ids of one object, sorted, each once."""
    return sorted({full for it in records if it.startswith(PREFIXES[kind]) and (full := full_id(it))})
