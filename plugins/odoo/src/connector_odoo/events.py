"""Events of the calendar, which calls and meetings are in Odoo: how one is read.

A call is an event that has an activity of the category *phonecall* (Odoo's type *Call*); any other event is a meeting. An
event knows its start, its end, its guests and its opportunity, and who it was with stays on it. An activity alone keeps
only a day, one record and no length, and a message only one record and the moment at which somebody wrote it: neither can
be told to be a call (README, "Activities").

The call's id is the Message-Id of a message in the event's own chatter: the one field that every user may write, that is
made to hold the id of what comes from outside, and that is indexed. Where there is none, it is in the last line of the
description.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from connector_core.model import Account, Activity, Opportunity, Person
from connector_odoo.client import OdooClient
from connector_odoo.opportunities import USER
from connector_odoo.people import LEAD_SPEC, PARTNER_SPEC, account_of, contact, is_contact, is_person, lead
from connector_odoo.reading import Domain, Record, Spec, id_of, instant, linked, search, text_of

EVENT = "event"
MODEL = "calendar.event"
SPEC: Spec = {
    "name": {},
    "start": {},
    "stop": {},
    "allday": {},
    "description": {},
    "user_id": {"fields": {"active": {}}},
    "partner_ids": {"fields": PARTNER_SPEC},
    "opportunity_id": {"fields": LEAD_SPEC},
    "activity_ids": {"fields": {"activity_type_id": {"fields": {"category": {}}}}},
    "message_ids": {"fields": {"message_id": {}}},
}
_HERE: Domain = [["active", "=", True]]
_CONTEXT = {"active_test": False}  # the activity that marks a call is done, and what is done is archived

_FROM = "@call.connector>"

_BREAK = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|ul|ol|h[1-6]|tr|table|blockquote|pre|body|html)\s*>")
_TAG = re.compile(r"</?[a-zA-Z!][^>]*>")


def read_events(client: OdooClient, domain: Domain) -> list[Record]:
    """Read events; those that were archived are gone."""
    return search(client, MODEL, [*_HERE, *domain], SPEC, context=_CONTEXT)


def message_id_of(call_id: str) -> str:
    """Give the Message-Id that carries a call's id."""
    return f"<{quote(call_id, safe=':')}{_FROM}"


def carrying(call_id: str) -> list[Any]:
    """Give the command that creates the message by which an event carries a call's id. It is sent to nobody."""
    values = {"model": MODEL, "message_id": message_id_of(call_id), "body": f"ref: {call_id}"}
    return [[0, 0, {**values, "message_type": "notification", "is_internal": True}]]


def key_of(record: Record) -> str | None:
    """Give the call's id that an event carries: in its messages, else in the last line ``ref: ID`` of its description."""
    texts = (text_of(message, "message_id") or "" for message in record.get("message_ids") or ())
    own = sorted(text.removesuffix(_FROM).removeprefix("<") for text in texts if text.endswith(_FROM))
    return unquote(own[0]) if own else _last_reference(text_of(record, "description") or "")


def _last_reference(body: str) -> str | None:
    lines = html.unescape(_TAG.sub("", _BREAK.sub("\n", body))).splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("ref: ").strip() or None if last.startswith("ref: ") else None


def is_call(record: Record) -> bool:
    """Tell a call from a meeting."""
    types = (linked(activity, "activity_type_id") for activity in record.get("activity_ids") or ())
    return any(kind.get("category") == "phonecall" for kind in types if kind)


def guests(record: Record) -> list[Record]:
    """Give the partners that an event names and that are there."""
    return [partner for partner in record.get("partner_ids") or () if partner.get("active")]


def people_of(record: Record) -> list[Person]:
    """Give the contacts that are guests, and the lead that stands where an event has its opportunity."""
    people = [contact(partner) for partner in guests(record) if is_contact(partner)]
    about = linked(record, "opportunity_id")
    if about is not None and is_person(about):
        people.append(lead(about))
    return people


def companies_of(record: Record) -> list[Account]:
    """Give the companies that are guests, each for its own: one of a group is an account of its own."""
    own = ({**partner, "commercial_partner_id": partner} for partner in guests(record) if partner.get("is_company"))
    return [company for partner in own if (company := account_of(partner))]


def start_of(record: Record) -> dt.datetime | dt.date | None:
    """Give the start: of an event of a whole day, its day."""
    start = instant(record, "start")
    return start.date() if start and record.get("allday") else start


def duration_of(record: Record) -> float | None:
    """Give the length in seconds; none for a whole day, and where the end is the start, which is how Odoo has no end."""
    start, stop = instant(record, "start"), instant(record, "stop")
    if start is None or stop is None or stop <= start or record.get("allday"):
        return None
    return (stop - start).total_seconds()


def opportunity_of(record: Record) -> int | None:
    """Give the number of the opportunity that an event names; a lead in its place is none."""
    about = linked(record, "opportunity_id")
    return about["id"] if about and about.get("type") == "opportunity" else None


def activity(record: Record, opportunities: Mapping[int, Opportunity], base_url: str) -> Activity:
    """Read an event."""
    owner = linked(record, "user_id")
    number = opportunity_of(record)
    return Activity(
        id=id_of(EVENT, record["id"]),
        kind="call" if is_call(record) else "event",
        key=key_of(record),
        people=tuple(people_of(record)),
        opportunities=(opportunities[number],) if number in opportunities and number is not None else (),
        accounts=tuple(companies_of(record)),
        started_at=start_of(record),
        duration_seconds=duration_of(record),
        subject=text_of(record, "name"),
        body=text_of(record, "description"),
        owner_id=id_of(USER, owner["id"]) if owner else None,
        url=url_of(base_url, record["id"]),
    )


def url_of(base_url: str, number: int) -> str:
    """Give the address of an event in Odoo's own client."""
    return f"{base_url}/odoo/{MODEL}/{number}"


def leads_named(records: Iterable[Record]) -> set[int]:
    """Give the numbers of the opportunities that events name."""
    return {number for record in records if (number := opportunity_of(record)) is not None}
