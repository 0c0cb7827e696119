"""Models and their fields, as the connection's user may use them.

``fields_get`` gives the fields that the user may see, as forms show them; ``has_access`` says what the user may do with the
records of a model (odoo.com/documentation/19.0, ORM API). A field that is read-only in forms is described as such: the ORM
would write it, and what computes it would write over that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.errors import MissingRightError, RefusedError, TryAgainError
from connector_core.model import Choice, FieldDescription, FieldType, ObjectDescription, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.failures import NoSuchModelError
from connector_odoo.filling import MODEL

Described: TypeAlias = dict[str, tuple[ObjectDescription, ...] | Unknown]

CURRENCY = "res.currency"
_TOLD = ["type", "string", "required", "readonly", "relation", "selection", "size"]
_TYPES: Mapping[str, FieldType] = {
    **dict.fromkeys(("char", "text", "html"), "text"),
    **dict.fromkeys(("integer", "float", "monetary"), "number"),
    "boolean": "boolean",
    "date": "date",
    "datetime": "time",
    "selection": "choice",
    "many2one": "reference",
}
"""What the types of the ORM API, "Fields", hold; all others are kinds of their own."""


def describe(client: OdooClient, objects: Sequence[str]) -> Described:
    """Describe models: a request for their names, and four for each."""
    found: Described = dict.fromkeys(objects, ())
    models = [name for name in objects if MODEL.fullmatch(name)]
    labels = _labels(client, models) if models else {}
    for name in models:
        try:
            found[name] = (_object(client, name, labels.get(name) or name),)
        except (MissingRightError, NoSuchModelError):
            continue
        except RefusedError as error:
            found[name] = Unknown(str(error))
    return found


def _labels(client: OdooClient, models: Sequence[str]) -> dict[str, str]:
    told = client.read("ir.model", "display_name_for", models=list(models))
    if not isinstance(told, list) or not all(
        isinstance(it, dict) and {"model", "display_name"} <= it.keys() for it in told
    ):
        raise TryAgainError("Odoo's answer does not say what models are called")
    return {it["model"]: str(it["display_name"]) for it in told}


def _object(client: OdooClient, model: str, label: str) -> ObjectDescription:
    fields = fields_of(client, model, None, _TOLD)
    readable, creatable, updatable = (_may(client, model, operation) for operation in ("read", "create", "write"))
    currency = _currency_field(fields)
    described = {name: _field(name, it, currency) for name, it in fields.items()}
    return ObjectDescription(model, label, described, readable=readable, creatable=creatable, updatable=updatable)


def _may(client: OdooClient, model: str, operation: str) -> bool:
    told = client.read(model, "has_access", operation=operation)
    if not isinstance(told, bool):
        raise TryAgainError(f"Odoo's answer does not say who may {operation} {model}")
    return told


def fields_of(
    client: OdooClient, model: str, names: Sequence[str] | None, attributes: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """Ask for the fields that there are for this user: those of these names, all for None; of each its attributes.

    :raises TryAgainError: The answer is none.
    """
    told = client.read(
        model, "fields_get", allfields=None if names is None else list(names), attributes=list(attributes)
    )
    if not isinstance(told, dict) or not all(isinstance(it, dict) and "type" in it for it in told.values()):
        raise TryAgainError(f"Odoo's answer does not say what fields {model} has")
    return told


def _currency_field(fields: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Name the field that says in which currency a record's amounts are: ``currency_id``, else the one link to a currency.

    Opportunities have ``company_currency`` alone (recorded from a server of version 19). A monetary field takes
    ``currency_id`` unless its model says another (ORM API, "Monetary").
    """
    links = [name for name, it in fields.items() if it.get("relation") == CURRENCY and it["type"] == "many2one"]
    return "currency_id" if "currency_id" in links else links[0] if len(links) == 1 else None


def _field(name: str, it: Mapping[str, Any], currency: str | None) -> FieldDescription:
    kind, free = str(it["type"]), it.get("readonly") is not True
    choices = tuple(Choice(str(value), str(label)) for value, label in it.get("selection") or ())
    return FieldDescription(
        name,
        str(it.get("string") or name),
        _TYPES.get(kind, "other"),
        kind,
        length=it.get("size") or None,
        values=choices,
        restricted=bool(choices),
        required=it.get("required") is True,
        creatable=free,
        updatable=free,
        refers_to=tuple(filter(None, [it.get("relation") if kind == "many2one" else None])),
        currency_field=currency if _TYPES.get(kind) == "number" else None,
    )
