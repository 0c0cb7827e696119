"""Fields of records, as they are stored now.

One query reads thousands of records of an object, and one API call takes five queries; a column that is not there, or that
field-level security hides, fails a query whole (SOQL and SOSL Reference, "SELECT"). So where one is refused the objects are
described, all in one further call, and what is left is asked for again. Records that were deleted or merged are no rows.
A converted lead is one, and nobody may change it (Object Reference, "Lead"): it is told only to who asks what it became.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from connector_core.errors import MissingRightError
from connector_core.model import FieldValue, RecordFields, Unknown
from connector_salesforce.client import Client, Row
from connector_salesforce.describing import describe
from connector_salesforce.records import full_id, record_id
from connector_salesforce.soql import Query, split, within

Key: TypeAlias = tuple[str, str]
Values: TypeAlias = Mapping[str, FieldValue | None]
Columns: TypeAlias = Mapping[str, Collection[str]]
"""Of each object the columns to read, in lower case: Salesforce's names have no case."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BESIDE = {"lead": {"isconverted"}}
"""What is read of each record of an object."""
_BECAME = {"convertedaccountid", "convertedcontactid", "convertedopportunityid"}


def read(client: Client, records: Sequence[RecordFields]) -> dict[Key, tuple[Values, ...] | Unknown]:
    """Read fields: one API call for five objects, two more where a field or an object is not there."""
    asked = [it for it in records if _NAME.fullmatch(it.object) and full_id(it.id)]
    columns = {name: _columns(asked, name) for name in sorted({it.object for it in asked})}
    unseen: dict[str, Unknown] = {}
    try:
        rows = _rows(client, asked, columns)
    except MissingRightError:
        columns, unseen = _there(client, columns)
        rows = _rows(client, asked, columns, spare=True)
    return {(it.object, it.id): unseen.get(it.object) or _answer(it, rows) for it in records}


def _columns(asked: Sequence[RecordFields], name: str) -> set[str]:
    return {field.lower() for it in asked if it.object == name for field in it.fields if _NAME.fullmatch(field)}


def _there(client: Client, columns: Columns) -> tuple[dict[str, set[str]], dict[str, Unknown]]:
    """Keep the columns that the connection's user may see; say why nothing is known of the other objects."""
    kept: dict[str, set[str]] = {}
    unseen: dict[str, Unknown] = {}
    for name, told in describe(client, list(columns)).items():
        if isinstance(told, Unknown):
            unseen[name] = told
        elif not told or not told[0].readable:
            unseen[name] = Unknown(f"Salesforce has no object {name}, or hides it from the connection's user")
        else:
            kept[name] = {field.lower() for field in told[0].fields} & set(columns[name])
    return kept, unseen


def _rows(
    client: Client, asked: Sequence[RecordFields], columns: Columns, *, spare: bool = False
) -> dict[Key, Row | Unknown]:
    """Ask for records, by object and full id; what is not there is left out."""
    parts = [part for name in columns for part in _queries(asked, name, columns[name], spare=spare)]
    found: dict[Key, Row | Unknown] = {}
    for (ids, query), answer in zip(parts, client.ask([query for _, query in parts]), strict=True):
        if isinstance(answer, Unknown):
            found |= {(query.object, key): answer for key in ids}
        else:
            found |= {(query.object, record_id(row)): row for row in answer}
    return found


def _queries(
    asked: Sequence[RecordFields], name: str, columns: Collection[str], *, spare: bool
) -> list[tuple[Sequence[str], Query]]:
    ids = sorted({full for it in asked if it.object == name and (full := full_id(it.id))})
    selected = ("Id", *sorted((set(columns) | _BESIDE.get(name.lower(), set())) - {"id"}))
    return split(ids, lambda part: Query(name, selected, (within("Id", part),), spare=spare))


def _answer(asked: RecordFields, rows: Mapping[Key, Row | Unknown]) -> tuple[Values, ...] | Unknown:
    row = rows.get((asked.object, full_id(asked.id) or ""))
    if row is None:
        return ()
    if isinstance(row, Unknown):
        return row
    held = {name.lower(): value for name, value in row.items() if name != "attributes"}
    if asked.object.lower() == "lead" and held.get("isconverted") and not _BECAME & {it.lower() for it in asked.fields}:
        return ()
    return ({name: _value(held[name.lower()]) for name in asked.fields if name.lower() in held},)


def _value(held: object) -> FieldValue | None:
    """Give a value as it is; one that has parts, as an address has, as JSON."""
    return held if held is None or isinstance(held, str | int | float) else json.dumps(held, ensure_ascii=False)
