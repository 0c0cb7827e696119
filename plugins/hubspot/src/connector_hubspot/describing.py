"""Objects and their properties, as the connection's app may use them: a request an object, and those for its scopes.

The properties API (developers.hubspot.com, guide to properties) tells name, label, types, choices, and whether a value is
HubSpot's own to write. What a create must give it does not tell. ``hidden`` keeps a property off HubSpot's pages alone: the
API reads and writes it, ``associatedcompanyid`` is one (in recorded traffic), and so are many of an integration's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.errors import MissingRightError
from connector_core.model import Choice, FieldDescription, FieldType, ObjectDescription, Unknown
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError
from connector_hubspot.kinds import CALL, COMPANIES, CONTACTS, DEALS, MEETING
from connector_hubspot.reading import results_of

LONGEST_TEXT = 65_536
"""Characters in a property of the type string (guide to properties)."""

_NAME = re.compile(r"[a-z0-9_-]+", re.IGNORECASE)
_SCOPES = {
    **dict.fromkeys((CONTACTS, CALL.object, MEETING.object, "notes", "tasks"), CONTACTS),
    COMPANIES: COMPANIES,
    DEALS: DEALS,
}
"""Of which object the scopes count: engagements are under those of contacts (HubSpot's published specification)."""

_ALIASES = {
    CONTACTS: ("contact", "0-1"),
    COMPANIES: ("company", "0-2"),
    DEALS: ("deal", "0-3"),
    CALL.object: ("call", "0-48"),
    MEETING.object: ("meeting", "0-47"),
    "notes": ("note", "0-46"),
    "tasks": ("task", "0-27"),
}
_PLURAL = {alias: name for name, aliases in _ALIASES.items() for alias in aliases}
"""The names that paths take besides (guide to objects)."""

_REQUIRED = dict.fromkeys((CALL.object, MEETING.object, "notes", "tasks"), frozenset({"hs_timestamp"}))
"""What a create must give (guides to calls, meetings, notes and tasks)."""

_TYPES: Mapping[str, FieldType] = {
    "string": "text",
    "phone_number": "text",
    "number": "number",
    "bool": "boolean",
    "date": "date",
    "datetime": "time",
}

_REFERRED = {"OWNER": "owners", **{name.upper(): plural for name, plural in _PLURAL.items()}}
"""Objects as ``referencedObjectType`` names them, and as paths do (guides to properties and to owners)."""

_OF_AMOUNT = "deal_currency_code"

_TELLING: Mapping[str, frozenset[str]] = {
    "string": frozenset({"email", "phonenumber", "phone_number", "multi_line", "textarea", "html"}),
    "number": frozenset({"percentage"}),
}
"""Words for what a property holds, of those that say how it is shown or edited."""

Described: TypeAlias = dict[str, tuple[ObjectDescription, ...] | Unknown]
Property: TypeAlias = Mapping[str, Any]


def describe(client: HubSpotClient, objects: Sequence[str]) -> Described:
    """Describe objects. Of one whose scopes are not known, its properties alone say what may be written."""
    found: Described = {}
    told: dict[str, list[Property]] = {}
    for name in objects:
        try:
            properties = properties_of(client, name)
        except BatchRefusedError as error:
            found[name] = Unknown(str(error))
        else:
            found[name] = ()
            if properties is not None:
                told[name] = properties
    scopes = client.scopes() if told else None
    for name, properties in told.items():
        stages = _stages(client) if _plain(name) == DEALS else {}
        try:
            found[name] = (_object(name, properties, scopes, stages),)
        except (AttributeError, KeyError, TypeError, ValueError):
            found[name] = Unknown(f"{name}: HubSpot described its properties in another form")
    return found


def properties_of(client: HubSpotClient, name: str) -> list[Property] | None:
    """Ask for the properties of an object; None where there is no such object, or the app may not see it.

    :raises BatchRefusedError: HubSpot refuses to tell.
    """
    if not _NAME.fullmatch(name):
        return None
    try:
        return results_of(client.get("/crm/properties/{version}/{object}", object=name))
    except MissingRightError:
        return None
    except BatchRefusedError as error:
        # 400 and no code, only this sentence (recorded); an id of a custom object that is not there is 404.
        if error.status == 404 or (error.sentence or "").startswith("Unable to infer object type"):
            return None
        raise


def writable(it: Property) -> bool:
    """Tell whether a value may be written. Where HubSpot does not say, those of the portal's own properties may."""
    told = it.get("modificationMetadata") or {}
    return not it.get("calculated") and not told.get("readOnlyValue", it.get("hubspotDefined", False))


def may(scopes: frozenset[str] | None, name: str, right: str) -> bool | None:
    """Tell whether scopes give a right, ``read`` or ``write``, on an object; None where that is not known."""
    of = _SCOPES.get(_plain(name))
    return None if scopes is None or of is None else f"crm.objects.{of}.{right}" in scopes


def _plain(name: str) -> str:
    return _PLURAL.get(name.lower(), name.lower())


def _object(
    name: str, properties: Sequence[Property], scopes: frozenset[str] | None, stages: Mapping[str, tuple[Choice, ...]]
) -> ObjectDescription:
    writes = may(scopes, name, "write") is not False
    # Properties of sensitive data are listed apart (guide to properties), and their scopes are like
    # crm.objects.contacts.sensitive.read; of an app whose scopes are not told nothing is known.
    sensitive = scopes is None or any("sensitive" in it for it in scopes)
    required = _REQUIRED.get(_plain(name), frozenset())
    names = {it["name"] for it in properties}
    return ObjectDescription(
        name,
        _plain(name).capitalize() if _plain(name) in _SCOPES else name,
        {
            it["name"]: _field(it, it["name"] in required, writes, stages.get(it["name"]), _currency(name, it, names))
            for it in properties
        },
        readable=may(scopes, name, "read") is not False,
        creatable=writes,
        updatable=writes,
        complete=not sensitive,
    )


def _field(
    it: Property, required: bool, writes: bool, stages: tuple[Choice, ...] | None, currency: str | None
) -> FieldDescription:
    choices = tuple(
        Choice(each["value"], each.get("label") or each["value"], active=not each.get("hidden"))
        for each in it.get("options") or ()
    )
    chosen = it["type"] == "enumeration" and bool(choices) and not it.get("externalOptions")
    free = writes and writable(it)
    return FieldDescription(
        it["name"],
        it.get("label") or it["name"],
        _type(it),
        _word(it),
        length=LONGEST_TEXT if it["type"] == "string" else None,
        values=stages if stages is not None else choices,
        restricted=stages is not None or chosen,
        controlled_by="pipeline" if stages is not None and it["name"] == "dealstage" else None,
        required=required,
        creatable=free,
        updatable=free,
        refers_to=tuple(filter(None, [_REFERRED.get(it.get("referencedObjectType") or "")])),
        currency_field=currency,
    )


def _currency(name: str, it: Property, names: Collection[str]) -> str | None:
    """Name the property that says in which currency a number is; all others are in the account's own.

    ``currencyPropertyName`` names it (reference of the properties API); of a deal's amount it is ``deal_currency_code``,
    which takes the account's currencies alone (changelog, "Enforcing Deal Currency Code Validation").
    """
    if it["type"] != "number":
        return None
    usual = _OF_AMOUNT if _plain(name) == DEALS and it["name"] == "amount" and _OF_AMOUNT in names else None
    return it.get("currencyPropertyName") or usual


def _type(it: Property) -> FieldType:
    """Tell what a property holds; the values of owners and companies are ids of those."""
    if it.get("referencedObjectType"):
        return "reference"
    if it["type"] == "enumeration":
        return "choices" if it.get("fieldType") == "checkbox" else "choice"
    return _TYPES.get(it["type"], "other")


def _word(it: Property) -> str:
    """Give HubSpot's word for what a property holds: its type, or how it is shown or edited, where that says more.

    A percentage is shown as a hundred times its value, and ``email`` takes nothing but an address. (The hints and field
    types are listed in the reference of the properties API.)
    """
    if it["type"] not in ("string", "number") or it.get("referencedObjectType"):
        return str(it["type"])
    said = (it.get("numberDisplayHint"), it.get("textDisplayHint"), it.get("fieldType"), it["name"])
    return next((word for word in said if word in _TELLING[it["type"]]), str(it["type"]))


def _stages(client: HubSpotClient) -> dict[str, tuple[Choice, ...]]:
    """Give the choices of pipeline and stage, each stage with its pipeline (guide to the pipelines API).

    What was archived is no choice any more.
    """
    pipelines = results_of(client.get("/crm/pipelines/{version}/deals"))
    stages: dict[str, tuple[str, list[str]]] = {}
    live = set[str]()
    for pipeline in pipelines:
        for stage in pipeline.get("stages") or ():
            live |= set() if pipeline.get("archived") or stage.get("archived") else {str(stage["id"])}
            stages.setdefault(str(stage["id"]), (str(stage["label"]), []))[1].append(str(pipeline["id"]))
    return {
        "pipeline": tuple(Choice(str(it["id"]), str(it["label"]), not it.get("archived")) for it in pipelines),
        "dealstage": tuple(Choice(key, label, key in live, tuple(of)) for key, (label, of) in stages.items()),
    }
