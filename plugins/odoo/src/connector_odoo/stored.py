"""Fields of records, as they are now: two requests for 200 records of a model.

The first asks which of the fields there are for this user, and of which type (``fields_get``): a search that names another
is refused whole, and ``false`` stands for what is empty in a field of any type. Archived records are read too, as lost
opportunities are archived; of contacts that were merged nothing is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.errors import MissingRightError, RefusedError
from connector_core.model import FieldValue, RecordFields, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.describing import CURRENCY, fields_of
from connector_odoo.failures import NoSuchModelError
from connector_odoo.filling import MODEL, PREFIXES, record_number
from connector_odoo.reading import BATCH, Record, cut, id_of, search

_CODE: Mapping[str, Any] = {"fields": {"name": {}}}
"""Of a currency its code of ISO 4217 (Odoo, ``res.currency``), by which amounts are compared."""

Key: TypeAlias = tuple[str, str]
Values: TypeAlias = Mapping[str, FieldValue | None]


def read(client: OdooClient, records: Sequence[RecordFields]) -> dict[Key, tuple[Values, ...] | Unknown]:
    """Read fields; of a model that is not there, or that the user may not read, nothing is known.

    :raises ConnectorError: Odoo could not be asked.
    """
    found: dict[Key, tuple[Values, ...] | Unknown] = {(it.object, it.id): () for it in records}
    for model in sorted({it.object for it in records if MODEL.fullmatch(it.object)}):
        own = [it for it in records if it.object == model and record_number(model, it.id) is not None]
        for part in cut(own, BATCH):
            try:
                found |= _part(client, model, part)
            except (RefusedError, MissingRightError, NoSuchModelError) as error:
                found |= dict.fromkeys([(it.object, it.id) for it in part], Unknown(str(error)))
    return found


def _part(client: OdooClient, model: str, asked: Sequence[RecordFields]) -> dict[Key, tuple[Values, ...] | Unknown]:
    names = {name for it in asked for name in it.fields}
    told = fields_of(client, model, sorted(names), ["type", "relation"])
    fields = {name: it for name, it in told.items() if name in names}
    numbers = {it.id: record_number(model, it.id) for it in asked}
    domain = [["id", "in", sorted({number for number in numbers.values() if number is not None})]]
    spec = {name: _CODE if it.get("relation") == CURRENCY else {} for name, it in fields.items()}
    rows = search(client, model, domain, spec, context={"active_test": False})
    by_number = {row["id"]: row for row in rows}
    return {(model, it.id): _values(by_number.get(numbers[it.id]), it.fields, fields) for it in asked}


def _values(row: Record | None, names: Sequence[str], fields: Mapping[str, Mapping[str, Any]]) -> tuple[Values, ...]:
    if row is None:
        return ()
    return ({name: _value(row.get(name), fields[name]) for name in names if name in fields},)


def _value(held: Any, field: Mapping[str, Any]) -> FieldValue | None:
    """Give a value: of a link the connector's id or a currency's code, of several their numbers, of a time its zone."""
    kind = field["type"]
    if held is None or (held is False and kind != "boolean"):
        return None
    if kind == "many2one" and isinstance(held, int):
        prefix = PREFIXES.get(str(field.get("relation")))
        return id_of(prefix, held) if prefix else held
    if kind == "many2one" and isinstance(held, Mapping):
        return str(held["name"]) if held.get("name") else None
    if kind == "datetime" and isinstance(held, str):
        return f"{held.replace(' ', 'T')}Z"
    if isinstance(held, list):
        return ";".join(map(str, held)) or None
    return held if isinstance(held, str | int | float) else str(held)
