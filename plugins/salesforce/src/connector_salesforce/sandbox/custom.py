"""Fields that an administrator adds to the objects of an organization: custom ones, and the record type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.schema import Field, label_of

_LENGTHS = {"string": 255, "textarea": 32000, "phone": 40, "email": 80, "url": 255, "picklist": 255, "reference": 18}
_CUSTOM_TYPES = (*_LENGTHS, "int", "double", "currency", "percent", "boolean", "date", "datetime")


def record_type_field(ids: Sequence[str]) -> Field:
    """Give the field that an object has once there are record types; ``ids`` are those that the user may choose.

    :raises ValueError: One of them is no id of a record type.
    """
    full = tuple(found for it in ids if it.startswith("012") and (found := full_id(it)))
    if len(full) != len(ids):
        raise ValueError(f"record_types: ids that begin with 012 are wanted, got {', '.join(ids)}")
    return Field("RecordTypeId", "reference", "Record Type ID", 18, only_ids=full)


def custom_field(item: Mapping[str, Any]) -> Field:
    """Read a custom field.

    :raises ValueError: It is none.
    """
    known = {"object", "name", "type", "length", "label", "external_id", "unique", "values", "restricted", "to"}
    known |= {"controller", "only_with", "rich"}
    if unknown := set(item) - known:
        raise ValueError(
            f"custom_fields: unknown {', '.join(sorted(unknown))}; possible are {', '.join(sorted(known))}"
        )
    if not item["name"].endswith("__c"):
        raise ValueError(f"custom_fields: the name of a custom field ends in __c, got {item['name']!r}")
    kind = item.get("type", "string")
    if kind not in _CUSTOM_TYPES:
        raise ValueError(f"custom_fields: {item['name']}: no type {kind!r}; possible are {', '.join(_CUSTOM_TYPES)}")
    return Field(
        name=item["name"],
        type=kind,
        label=item.get("label") or label_of(item["name"].removesuffix("__c")).replace("_", " "),
        length=item.get("length", _LENGTHS.get(kind, 0)),
        filterable=kind != "textarea",
        sortable=kind != "textarea",
        id_lookup=bool(item.get("external_id")),
        external_id=bool(item.get("external_id")),
        unique=bool(item.get("unique")),
        restricted=bool(item.get("restricted")),
        values=tuple(item.get("values", ())),
        targets=(item["to"],) if kind == "reference" else (),
        relationship=item["name"].removesuffix("__c") + "__r" if kind == "reference" else None,
        default=False if kind == "boolean" else None,
        controller=item.get("controller"),
        only_with={value: tuple(given) for value, given in item.get("only_with", {}).items()},
        rich=bool(item.get("rich")),
    )
