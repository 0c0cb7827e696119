"""Objects and fields as the connection's user may use them: the describes of several objects in one API call.

A describe is the calling user's: a field that field-level security hides is missing, and ``createable`` and ``updateable``
say what this user may do (Apex Reference Guide, "DescribeSObjectResult Class"; REST API Developer Guide, "sObject
Describe"). An object that the user may not see is answered 404.

Where the organization has several currencies, each record has one, in ``CurrencyIsoCode``, and its amounts are in that (SOQL
and SOSL Reference, "Querying Currency Fields in Multi-Currency Orgs"); elsewhere no object has that field.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector_core.errors import RefusedError, TryAgainError
from connector_core.model import Choice, FieldDescription, FieldType, ObjectDescription, Unknown
from connector_salesforce.client import Client
from connector_salesforce.failures import error_of, read_failure

MOST_AT_ONCE = 25
"""Subrequests of a composite; describes are no queries, of which it takes five (REST API Developer Guide, "Composite")."""

_CURRENCY = "CurrencyIsoCode"
_NO_AMOUNTS = frozenset({"percent"})
_RICH = "richtextarea"
"""What says of a text that it is HTML (SOAP API Developer Guide, "describeSObjects()", ``extraTypeInfo``)."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TYPES: Mapping[str, FieldType] = {
    **dict.fromkeys(("string", "textarea", "phone", "email", "url", "combobox", "encryptedstring"), "text"),
    **dict.fromkeys(("int", "long", "double", "currency", "percent"), "number"),
    **dict.fromkeys(("id", "reference"), "reference"),
    "boolean": "boolean",
    "date": "date",
    "datetime": "time",
    "picklist": "choice",
    "multipicklist": "choices",
}
"""What the types of the Object Reference, "Field Types", hold; all others are kinds of their own."""

Described = dict[str, tuple[ObjectDescription, ...] | Unknown]


def describe(client: Client, objects: Sequence[str]) -> Described:
    """Describe objects: one API call for 25."""
    found: Described = dict.fromkeys(objects, ())
    known = [name for name in objects if _NAME.fullmatch(name)]
    for start in range(0, len(known), MOST_AT_ONCE):
        part = known[start : start + MOST_AT_ONCE]
        subrequests = [
            {"method": "GET", "referenceId": f"d{place}", "url": f"{client.root}/sobjects/{name}/describe"}
            for place, name in enumerate(part)
        ]
        for name, (status, body) in zip(part, client.composite(subrequests, reads=True), strict=True):
            found[name] = _answer(name, status, body)
    return found


def _answer(name: str, status: int, body: Any) -> tuple[ObjectDescription, ...] | Unknown:
    if status < 300:
        try:
            return (_object(body),)
        except (AttributeError, KeyError, TypeError, ValueError):
            return Unknown(f"{name}: Salesforce answered a describe with something else")
    failure = read_failure(status, body)
    if failure.code in ("NOT_FOUND", "INVALID_TYPE"):
        return ()
    error = error_of(failure, name)
    if isinstance(error, TryAgainError | RefusedError):
        return Unknown(str(error))
    raise error


def _object(body: Mapping[str, Any]) -> ObjectDescription:
    fields = {it["name"]: it for it in body["fields"]}
    return ObjectDescription(
        body["name"],
        body["label"],
        {name: _field(it, fields) for name, it in fields.items()},
        readable=body["queryable"],
        creatable=body["createable"],
        updatable=body["updateable"],
    )


def _field(it: Mapping[str, Any], fields: Mapping[str, Mapping[str, Any]]) -> FieldDescription:
    controller = it.get("controllerName")
    above = _values_above(fields[controller]) if controller and controller in fields else None
    amount = _TYPES.get(it["type"]) == "number" and it["type"] not in _NO_AMOUNTS
    return FieldDescription(
        it["name"],
        it["label"],
        _TYPES.get(it["type"], "other"),
        _RICH if it.get("extraTypeInfo") == _RICH else it["type"],
        length=it["length"] or None,
        values=tuple(_choice(value, above) for value in it["picklistValues"]),
        restricted=it["restrictedPicklist"],
        controlled_by=controller,
        required=it["createable"] and not it["nillable"] and not it["defaultedOnCreate"],
        creatable=it["createable"],
        updatable=it["updateable"],
        refers_to=tuple(it.get("referenceTo") or ()),
        currency_field=_CURRENCY if amount and _CURRENCY in fields else None,
        unique=it["unique"],
    )


def _values_above(controller: Mapping[str, Any]) -> list[str]:
    """Give what a controlling field may be, in the order that ``validFor`` counts: a checkbox is unset, then set."""
    if controller["type"] == "boolean":
        return ["false", "true"]
    return [it["value"] for it in controller["picklistValues"]]


def _choice(it: Mapping[str, Any], above: Sequence[str] | None) -> Choice:
    bits = it.get("validFor")
    return Choice(
        it["value"],
        it["label"] or it["value"],
        it["active"],
        only_with=tuple(_only_with(bits, above)) if bits and above is not None else None,
    )


def _only_with(bits: str, above: Sequence[str]) -> list[str]:
    """Read ``validFor``: in base64 a bit for each value of the controlling field, the highest of the first byte first
    (SOAP API Developer Guide, "describeSObjects()", "Sample: validFor").
    """
    try:
        read = base64.b64decode(bits, validate=True)
    except binascii.Error as error:
        raise ValueError("validFor") from error
    return [
        value for place, value in enumerate(above) if place // 8 < len(read) and read[place // 8] >> 7 - place % 8 & 1
    ]
