"""The properties of each object: what is described, what may be written, and what an administrator changed.

The properties are a part of those that every portal has, with the types of a recorded description where there is one
(contacts), else those of the guides at developers.hubspot.com.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from connector_hubspot.sandbox.kinds import CALLS, COMPANIES, CONTACTS, DEALS, MEETINGS, NOTES, TASKS, Kind
from connector_hubspot.sandbox.refusals import NotSpokenError


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of an enumeration."""

    value: str
    label: str


_OF_HUBSPOT = "hs_"
_FLAG = (Option("true", "True"), Option("false", "False"))
"""What the description of a flag was recorded to offer."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an object. ``refers`` names what the values are ids of, where the service checks them.

    ``currency``: the property that says in which one an amount is.
    """

    name: str
    type: str = "string"
    field: str = "text"
    label: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False
    calculated: bool = False
    unique: bool = False
    custom: bool = False
    refers: str | None = None
    currency: str | None = None

    def describe(self) -> dict[str, Any]:
        """Give the entry of the properties API."""
        return {
            "name": self.name,
            "label": self.label or self.name.removeprefix("hs_").replace("_", " ").capitalize(),
            "type": self.type,
            "fieldType": self.field,
            "description": "",
            "groupName": "custom" if self.custom else "sandbox",
            "options": [
                {"label": option.label, "value": option.value, "displayOrder": place, "hidden": False}
                for place, option in enumerate(self.options or (_FLAG if self.type == "bool" else ()))
            ],
            **({"referencedObjectType": self.refers} if self.refers in {"OWNER", "COMPANY"} else {}),
            **({"showCurrencySymbol": True, "currencyPropertyName": self.currency} if self.currency else {}),
            "displayOrder": -1,
            "calculated": self.calculated,
            "externalOptions": self.refers is not None,
            "hasUniqueValue": self.unique,
            "hidden": self.name in _OFF_THE_PAGES,
            "hubspotDefined": not self.custom,
            "modificationMetadata": {
                "archivable": True,
                "readOnlyDefinition": not self.custom,
                "readOnlyValue": self.read_only or self.calculated,
            },
            "formField": False,
            "dataSensitivity": "non_sensitive",
        }


def _plain(*names: str, **rest: Any) -> Iterator[Property]:
    for name in names:
        yield Property(name, **rest)


def _choice(name: str, *values: str, field: str = "select") -> Property:
    return Property(name, "enumeration", field, options=options_of(values))


def options_of(values: Sequence[str | Mapping[str, str]]) -> tuple[Option, ...]:
    """Read choices, given by their value, or by value and label."""
    return tuple(
        Option(value, value.replace("_", " ").capitalize())
        if isinstance(value, str)
        else Option(value["value"], value.get("label", value["value"]))
        for value in values
    )


CURRENCIES = ("EUR", "USD", "GBP")
"""Of the account, its own first."""
_NUMBER: Mapping[str, Any] = {"type": "number", "field": "number"}
_TIME: Mapping[str, Any] = {"type": "datetime", "field": "date"}
_SET_BY_HUBSPOT: Mapping[str, Any] = {"read_only": True}
_CALCULATED_TIME: Mapping[str, Any] = {"type": "datetime", "field": "calculation_rollup", "calculated": True}
_CALCULATED_FLAG: Mapping[str, Any] = {"type": "bool", "field": "calculation_equation", "calculated": True}

_EVERYWHERE = (
    *_plain("hs_object_id", **_NUMBER, **_SET_BY_HUBSPOT),
    *_plain("hs_object_source", "hs_object_source_id", **_SET_BY_HUBSPOT),
    *_plain("hs_object_source_label", type="enumeration", field="select", **_SET_BY_HUBSPOT),
    *_plain("hs_merged_object_ids", type="enumeration", field="checkbox", **_SET_BY_HUBSPOT),
    Property("hubspot_owner_id", "enumeration", "select", refers="OWNER"),
)
_LIFECYCLE = _choice(
    "lifecyclestage",
    *("subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer"),
    *("evangelist", "other"),
    field="radio",
)
_PLACE = (*_plain("address", "city", "state", "zip", "country"),)

PHONE_FIELDS: Mapping[str, str] = {"phone": "phone_number", "mobilephone": "mobile_number"}
"""The typed numbers of a contact, and how the names of what HubSpot calculates from each end."""

_CONTACT = (
    *_EVERYWHERE,
    _LIFECYCLE,
    _choice("hs_pipeline", "contacts-lifecycle-pipeline"),
    *_PLACE,
    *_plain("email", "firstname", "lastname", "jobtitle", "company", "website", "hs_country_region_code"),
    *_plain("phone", "mobilephone", "fax", "hs_whatsapp_phone_number", field="phonenumber"),
    Property("message", field="textarea"),
    _choice(
        "hs_lead_status",
        *("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"),
        field="radio",
    ),
    Property("associatedcompanyid", "number", "number", label="Primary Associated Company ID", refers="COMPANY"),
    *_plain("createdate", "lastmodifieddate", "notes_last_contacted", **_TIME, **_SET_BY_HUBSPOT),
    *_plain("num_associated_deals", **_NUMBER, **_SET_BY_HUBSPOT),
    *_plain("hs_additional_emails", "hs_all_contact_vids", type="enumeration", field="select", calculated=True),
    *_plain("hs_email_domain", "hs_full_name_or_email", calculated=True),
    Property("hs_is_contact", "bool", "calculation_read_time", calculated=True),
    *_plain("hs_is_unworked", type="bool", field="calculation_equation", **_SET_BY_HUBSPOT),
    *(
        Property(f"hs_{kind}_{end}", type_, field, calculated=True)
        for end in PHONE_FIELDS.values()
        for kind, type_, field in (
            ("calculated", "string", "text"),
            ("searchable_calculated", "phone_number", "phonenumber"),
            ("searchable_calculated_international", "phone_number", "phonenumber"),
        )
    ),
)
_COMPANY = (
    *_EVERYWHERE,
    _LIFECYCLE,
    _choice("hs_pipeline", "companies-lifecycle-pipeline"),
    *_PLACE,
    *_plain("name", "domain", "website"),
    Property("phone", field="phonenumber"),
    Property("description", field="textarea"),
    _choice("type", "PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"),
    *_plain("numberofemployees", "annualrevenue", **_NUMBER),
    *_plain("createdate", "hs_lastmodifieddate", "notes_last_contacted", **_TIME, **_SET_BY_HUBSPOT),
    *_plain("num_associated_contacts", "num_associated_deals", **_NUMBER, **_SET_BY_HUBSPOT),
)
_DEAL = (
    *_EVERYWHERE,
    *_plain("dealname", "hs_next_step", "closed_lost_reason", "closed_won_reason"),
    Property("description", field="textarea"),
    Property("amount", "number", "number"),
    _choice("deal_currency_code", *CURRENCIES),
    _choice("dealtype", "newbusiness", "existingbusiness"),
    _choice("hs_priority", "low", "medium", "high"),
    Property("pipeline", "enumeration", "select", refers="PIPELINE"),
    Property("dealstage", "enumeration", "radio", refers="STAGE"),
    *_plain("createdate", "closedate", **_TIME),
    *_plain("hs_createdate", "hs_lastmodifieddate", "notes_last_contacted", **_TIME, **_SET_BY_HUBSPOT),
    *_plain("num_associated_contacts", "hs_deal_stage_probability", **_NUMBER, **_SET_BY_HUBSPOT),
    *_plain("hs_is_closed", "hs_is_closed_won", "hs_is_closed_lost", **_CALCULATED_FLAG),
    *_plain("hs_closed_won_date", "hs_v2_date_entered_current_stage", **_CALCULATED_TIME),
)
_ENGAGEMENT = (
    *_EVERYWHERE,
    Property("hs_timestamp", "datetime", "date", label="Activity date"),
    *_plain("hs_createdate", "hs_lastmodifieddate", **_TIME, **_SET_BY_HUBSPOT),
    Property("hs_body_preview", calculated=True),
    Property("hs_attachment_ids"),
    Property("hs_activity_type", "enumeration", "select"),
)
_DISPOSITIONS = (
    {"value": "9d9162e7-6cf3-4944-bf63-4dff82258764", "label": "Busy"},
    {"value": "f240bbac-87c9-4f6e-bf70-924b57d47db7", "label": "Connected"},
    {"value": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff", "label": "Left live message"},
    {"value": "b2cf5968-551e-4856-9783-52b3da59a7d0", "label": "Left voicemail"},
    {"value": "73a0d17f-1163-4015-bdd5-ec830791da20", "label": "No answer"},
    {"value": "17b47fee-58de-441e-a44c-c6300d46f273", "label": "Wrong number"},
)
_CALL = (
    *_ENGAGEMENT,
    *_plain("hs_call_title", "hs_call_from_number", "hs_call_to_number", "hs_call_recording_url"),
    *_plain("hs_call_external_id", "hs_call_external_account_id", "hs_call_app_id"),
    *_plain("hs_call_callee_object_id", "hs_call_callee_object_type_id"),
    Property("hs_call_body", field="html"),
    Property("hs_call_duration", "number", "number"),
    _choice("hs_call_direction", "INBOUND", "OUTBOUND"),
    _choice(
        "hs_call_status",
        *("BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED", "IN_PROGRESS", "NO_ANSWER"),
        *("QUEUED", "RINGING"),
    ),
    Property("hs_call_disposition", "enumeration", "select", options=options_of(_DISPOSITIONS)),
    _choice("hs_call_source", "INTEGRATIONS_PLATFORM"),
)
_MEETING = (
    *_ENGAGEMENT,
    *_plain("hs_meeting_title", "hs_meeting_location", "hs_meeting_external_url", "hs_i_cal_uid", "hs_guest_emails"),
    *_plain("hs_meeting_body", "hs_internal_meeting_notes", field="html"),
    *_plain("hs_meeting_start_time", "hs_meeting_end_time", **_TIME),
    _choice("hs_meeting_outcome", "SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
    _choice("hs_meeting_location_type", "PHONE", "ADDRESS", "CUSTOM", "VCE"),
    Property("hs_meeting_source", **_SET_BY_HUBSPOT),
)
_NOTE = (*_ENGAGEMENT, Property("hs_note_body", field="html"))
_TASK = (
    *_ENGAGEMENT,
    Property("hs_task_subject"),
    Property("hs_task_body", field="html"),
    _choice("hs_task_status", "NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"),
    _choice("hs_task_priority", "NONE", "LOW", "MEDIUM", "HIGH"),
    _choice("hs_task_type", "TODO", "CALL", "EMAIL"),
)
_OF_EVERY_PORTAL: Mapping[Kind, tuple[Property, ...]] = {
    CONTACTS: _CONTACT,
    COMPANIES: _COMPANY,
    DEALS: _DEAL,
    CALLS: _CALL,
    MEETINGS: _MEETING,
    NOTES: _NOTE,
    TASKS: _TASK,
}


_OFF_THE_PAGES = frozenset({"associatedcompanyid", "hs_additional_emails"}) | {
    prop.name for prop in _CONTACT if prop.name.startswith(("hs_calculated_", "hs_searchable_"))
}
"""What HubSpot hides on its own pages, and not from the API: so recorded of contacts."""


class Schema:
    """The properties of this portal, by object."""

    def __init__(self, entered: Sequence[str]) -> None:
        """Begin as a fresh portal; ``entered`` are the properties that say when a deal entered a stage."""
        self._properties = {
            kind: {prop.name: prop for prop in properties} for kind, properties in _OF_EVERY_PORTAL.items()
        }
        self._properties[DEALS].update({prop.name: prop for prop in _plain(*entered, **_CALCULATED_TIME)})
        self._hidden: Mapping[Kind, frozenset[str]] = {}
        self._read_only: Mapping[Kind, frozenset[str]] = {}
        self._options: dict[tuple[Kind, str], tuple[Option, ...]] = {}

    def find(self, kind: Kind, name: str) -> Property | None:
        """Find a property; one that is hidden from the connection is as none.

        :raises NotSpokenError: Its name is of those that HubSpot keeps for itself, and the sandbox does not know it.
        """
        prop = self._properties[kind].get(name)
        if prop is None and name.startswith(_OF_HUBSPOT):
            raise NotSpokenError(f"the property {name} of {kind.name}")
        if prop is None or name in self._hidden.get(kind, ()):
            return None
        if (kind, name) in self._options:
            prop = replace(prop, options=self._options[kind, name])
        if name in self._read_only.get(kind, ()):
            prop = replace(prop, read_only=True)
        return prop

    def exists(self, kind: Kind, name: str) -> bool:
        """Whether the portal has a property, hidden or not."""
        return name in self._properties[kind]

    def all(self, kind: Kind) -> list[Property]:
        """Give the properties that the connection sees."""
        return [prop for name in self._properties[kind] if (prop := self.find(kind, name)) is not None]

    def unique(self, kind: Kind) -> list[str]:
        """Name the properties of which every value belongs to one record."""
        return [prop.name for prop in self._properties[kind].values() if prop.unique]

    def add(self, kind: Kind, prop: Property) -> None:
        """Add a property of this portal's own."""
        self._properties[kind][prop.name] = prop

    def hide(self, hidden: Mapping[Kind, frozenset[str]]) -> None:
        """Hide these properties from the connection, and no others."""
        self._hidden = hidden

    def lock(self, read_only: Mapping[Kind, frozenset[str]]) -> None:
        """Make these properties read-only, and no others."""
        self._read_only = read_only

    def offer(self, kind: Kind, name: str, options: tuple[Option, ...]) -> None:
        """Replace the choices of an enumeration."""
        self._options[kind, name] = options
