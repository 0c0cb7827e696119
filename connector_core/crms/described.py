"""What there is to describe of a CRM in a file, its lists as its format states them; and what fields of records hold."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from connector_core.crms.changes import FIXED, OBJECTS, REFERENCES
from connector_core.crms.world import Record, World, WorldPerson
from connector_core.model import Choice, FieldDescription, FieldType, FieldValue, ObjectDescription, RecordFields

_LABELS = {name: name.capitalize() for name in OBJECTS}
_TYPES: tuple[tuple[str, FieldType], ...] = (("_at", "time"), ("_seconds", "number"), ("_id", "reference"))
_LISTS = frozenset({"emails", "phones", "person_ids", "contact_ids", "fields"})


def described(name: str, *, writable: bool) -> tuple[ObjectDescription, ...]:
    """Describe a list; give nothing where there is none of that name.

    :param writable: Whether the file may be written at all.
    """
    model = OBJECTS.get(name)
    if model is None:
        return ()
    fields = {it: _field(it, info, writable=writable) for it, info in model.model_fields.items()}
    # The connector adds activities to the file; whoever else adds something does it by hand.
    creatable = writable and name == "activities"
    return (ObjectDescription(name, _LABELS[name], fields, creatable=creatable, updatable=writable, complete=False),)


def values_of(
    world: World, asked: Sequence[RecordFields]
) -> dict[tuple[str, str], tuple[dict[str, FieldValue | None], ...]]:
    """Give fields of records, as JSON has them; a list as its texts, joined by ``;``. A converted lead is gone."""
    lists = {name: {it.id: it for it in getattr(world, name)} for name in {it.object for it in asked} & OBJECTS.keys()}
    return {(it.object, it.id): _values(lists.get(it.object, {}).get(it.id), it.fields) for it in asked}


def _values(record: Record | None, names: Sequence[str]) -> tuple[dict[str, FieldValue | None], ...]:
    if record is None or (isinstance(record, WorldPerson) and record.is_converted):
        return ()
    held = {**(record.fields or {}), **dict(record)}
    return ({name: _value(held.get(name)) for name in names},)


def _value(held: object) -> FieldValue | None:
    if held is None or isinstance(held, str | int | float):
        return held
    if isinstance(held, dt.date):
        return held.isoformat().replace("+00:00", "Z")
    return ";".join(map(str, held)) if isinstance(held, tuple | list) else json.dumps(held, ensure_ascii=False)


def _field(name: str, info: FieldInfo, *, writable: bool) -> FieldDescription:
    kinds = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    return FieldDescription(
        name,
        name.replace("_", " ").capitalize(),
        "choice" if kinds else _type(name),
        "Literal" if kinds else "JSON",
        values=tuple(Choice(kind, kind) for kind in kinds),
        restricted=bool(kinds),
        required=info.is_required(),
        creatable=writable,
        updatable=writable and name not in FIXED,
        refers_to=tuple(filter(None, [REFERENCES.get(name)])),
    )


def _type(name: str) -> FieldType:
    if name in _LISTS:
        return "other"
    return next((kind for end, kind in _TYPES if name.endswith(end)), "text")
