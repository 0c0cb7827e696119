"""The properties that HubSpot derives by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from connector_hubspot.sandbox import phones
from connector_hubspot.sandbox.instants import iso
from connector_hubspot.sandbox.kinds import COMPANIES, CONTACTS, DEALS, ENGAGEMENTS, Kind
from connector_hubspot.sandbox.pipelines import stage_of
from connector_hubspot.sandbox.store import Record, set_property

_BODIES: Mapping[str, str] = {
    "calls": "hs_call_body",
    "meetings": "hs_meeting_body",
    "notes": "hs_note_body",
    "tasks": "hs_task_body",
}
_PREVIEW_CHARACTERS = 600
_TAG = re.compile(r"<[^>]*>")

SOURCE = {"hs_object_source": "INTEGRATION", "hs_object_source_id": "1", "hs_object_source_label": "INTEGRATION"}


def calculator(default_country: Callable[[], str | None]) -> Callable[[Record, Mapping[str, str]], None]:
    """Give the function that derives a record's properties, after a change from what they were."""

    def calculate(record: Record, old: Mapping[str, str]) -> None:
        derived: Mapping[str, str | None] = {}
        if record.kind is CONTACTS:
            derived = _contact(record, default_country())
        elif record.kind is COMPANIES:
            derived = {"hs_pipeline": "companies-lifecycle-pipeline"}
        elif record.kind is DEALS:
            derived = _deal(record, old)
        elif record.kind in ENGAGEMENTS:
            derived = _engagement(record.kind, record.properties)
        for name, value in {**SOURCE, **derived}.items():
            set_property(record, name, value)

    return calculate


def _contact(record: Record, default_country: str | None) -> dict[str, str | None]:
    properties = record.properties
    email = properties.get("email")
    name = " ".join(filter(None, [properties.get("firstname"), properties.get("lastname")]))
    return {
        **phones.calculate(properties, default_country),
        "hs_all_contact_vids": record.id,
        "hs_email_domain": email.rpartition("@")[2] if email else None,
        "hs_full_name_or_email": name or email,
        "hs_is_contact": "true",
        "hs_is_unworked": "true",
        "hs_pipeline": "contacts-lifecycle-pipeline",
    }


def _deal(record: Record, old: Mapping[str, str]) -> dict[str, str | None]:
    properties = record.properties
    stage = stage_of(properties.get("pipeline", ""), properties.get("dealstage", ""))
    if stage is None:
        return {}
    derived: dict[str, str | None] = {
        "hs_deal_stage_probability": stage.probability,
        "hs_is_closed": str(stage.closed).lower(),
        "hs_is_closed_won": str(stage.won).lower(),
        "hs_is_closed_lost": str(stage.closed and not stage.won).lower(),
    }
    if old.get("dealstage") != stage.id:
        entered = iso(record.updated_at)
        derived["hs_v2_date_entered_current_stage"] = entered
        derived[stage.entered] = entered
        derived["hs_closed_won_date"] = entered if stage.won else None
    return derived


def _engagement(kind: Kind, properties: Mapping[str, str]) -> dict[str, str | None]:
    text = " ".join(_TAG.sub(" ", properties.get(_BODIES[kind.name], "")).split())
    return {"hs_body_preview": text[:_PREVIEW_CHARACTERS]}
