"""What a describe tells of an object, as the connection's user sees it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.schema import Field, ObjectType, child_relationships

_SOAP_TYPES: Mapping[str, str] = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "base64": "xsd:base64Binary",
    "junctionIdList": "urn:JunctionIdListNames",
}


def describe(org: Org, obj: ObjectType, version: str) -> dict[str, Any]:
    """Describe an object; fields that are hidden from the user are left out.

    What a describe tells besides (layouts, record types, search layouts) is left out: the sandbox has none.
    """
    createable, updateable = (
        obj.createable and org.allows(obj.name, "create"),
        obj.updateable and org.allows(obj.name, "edit"),
    )
    address = f"/services/data/{version}/sobjects/{obj.name}"
    return {
        "childRelationships": [
            {
                "cascadeDelete": not item.nillable,
                "childSObject": child.name,
                "deprecatedAndHidden": False,
                "field": item.name,
                "relationshipName": item.children,
            }
            for (parent, _), (child, item) in child_relationships(org.visible_objects()).items()
            if parent == obj.name
        ],
        "createable": createable,
        "custom": False,
        "deletable": obj.deletable and org.allows(obj.name, "delete"),
        "fields": [describe_field(item, obj) for item in obj.fields.values()],
        "keyPrefix": obj.prefix,
        "label": obj.label,
        "name": obj.name,
        "queryable": True,
        "retrieveable": obj.view_of is None,
        "searchable": obj.searchable,
        "updateable": updateable,
        "urls": {"describe": f"{address}/describe", "rowTemplate": address + "/{ID}", "sobject": address},
    }


def describe_field(item: Field, obj: ObjectType) -> dict[str, Any]:
    """Describe a field of an object."""
    controller = obj.fields.get((item.controller or "").lower())
    return {
        "byteLength": item.length if item.type in ("id", "reference") else item.length * 3,
        "calculated": False,
        "caseSensitive": False,
        "controllerName": controller.name if controller else None,
        "createable": item.createable,
        "custom": item.name.endswith(("__c", "__pc")),
        "defaultValue": item.default if item.defaulted else None,
        "defaultedOnCreate": item.defaulted,
        "dependentPicklist": controller is not None,
        "deprecatedAndHidden": False,
        "digits": 8 if item.type == "int" else 0,
        "externalId": item.external_id,
        "filterable": item.filterable,
        "idLookup": item.id_lookup or item.type == "id",
        "label": item.label,
        "length": item.length,
        "name": item.name,
        "nameField": item.name_field,
        "nillable": item.nillable,
        "picklistValues": [
            {
                "active": True,
                "defaultValue": item.defaulted and value == item.default,
                "label": item.labels.get(value, value),
                "validFor": _valid_for(item.only_with.get(value, ()), controller) if controller else None,
                "value": value,
            }
            for value in item.values
        ],
        "polymorphicForeignKey": item.polymorphic and item.type == "reference",
        "referenceTo": list(item.targets),
        "relationshipName": item.relationship,
        "restrictedPicklist": item.restricted,
        "soapType": _SOAP_TYPES.get(item.type, "xsd:string"),
        "sortable": item.sortable,
        "type": item.type,
        "unique": item.unique,
        "updateable": item.updateable,
        **({"extraTypeInfo": "richtextarea" if item.rich else "plaintextarea"} if item.type == "textarea" else {}),
    }


def _valid_for(values: Sequence[str], controller: Field) -> str:
    """Write the bits of ``validFor``: one for each value of the controlling field, the highest first.

    Documented with an example in the SOAP API Developer Guide, "describeSObjects()".
    """
    bits = bytearray(len(controller.values) // 8 + 1)
    for place, value in enumerate(controller.values):
        if value in values:
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bits).decode()
