"""What is sent for a draft: the values of an event, and of the activity that marks it as a call."""

from __future__ import annotations

import datetime as dt
import threading
import zoneinfo
from typing import Any, TypeAlias

from connector_core.model import ActivityDraft, Current, remaining
from connector_odoo.client import OdooClient
from connector_odoo.events import carrying, companies_of, duration_of, guests, key_of, opportunity_of, people_of
from connector_odoo.opportunities import USER
from connector_odoo.people import LEAD, PARTNER
from connector_odoo.reading import Record, id_of, instant, linked, number_of, numbers_of, text_of, written

Values: TypeAlias = dict[str, Any]


class CallMark:
    """The activity that marks an event as a call: of the type *Call*, done, on the record that the call is about.

    What has to be known of the server for it is asked once: the type, the ids of the models that activities can be on
    (only administrators may read ``ir.model``, and ``default_get`` tells everybody), and the connection's own user.
    """

    def __init__(self, client: OdooClient, time_zone: str) -> None:
        """Ask nothing yet."""
        self._client = client
        self._zone = zoneinfo.ZoneInfo(time_zone)
        self._lock = threading.Lock()
        self._known: dict[str, int | None] = {}

    def values(self, draft: ActivityDraft) -> list[Any]:
        """Give the commands that create the activity with its event; none where this Odoo has no type of calls."""
        kind = self._ask("type")
        if kind is None:
            return []
        day = draft.started_at.astimezone(self._zone).date().isoformat()
        values: Values = {"activity_type_id": kind, "summary": draft.subject or "Call", "active": False}
        values |= {"date_deadline": day, "date_done": day, **self._document(draft)}
        return [[0, 0, values]]

    def _document(self, draft: ActivityDraft) -> Values:
        """Name what the call is about: opportunity or lead, else a contact, else the company; else it is one's own."""
        owner = number_of(USER, draft.owner_id)
        for model, number in (("crm.lead", about(draft)), *(("res.partner", each) for each in invited(draft))):
            if number is not None:
                return {"res_model_id": self._ask(model), "res_id": number, "user_id": owner or False}
        return {"user_id": self._ask("self")}

    def _ask(self, what: str) -> int | None:
        with self._lock:
            if what not in self._known:
                self._known[what] = self._asked(what)
            return self._known[what]

    def _asked(self, what: str) -> int | None:
        if what == "type":
            calls = [["category", "=", "phonecall"]]
            found = self._client.read("mail.activity.type", "search", domain=calls, limit=1, order="sequence, id")
            return int(found[0]) if found else None
        if what == "self":
            return int(self._client.read("res.users", "context_get")["uid"])
        model = {"default_res_model": what}
        asked = ["res_model_id", "res_model"]
        return int(self._client.read("mail.activity", "default_get", fields=asked, context=model)["res_model_id"])


def about(draft: ActivityDraft) -> int | None:
    """Give the record of ``crm.lead`` that a draft is about: its opportunity, else the first lead of its people."""
    leads = numbers_of(LEAD, draft.person_ids)
    return number_of(LEAD, draft.opportunity_id) or (leads[0] if leads else None)


def invited(draft: ActivityDraft) -> list[int]:
    """Give the partners that a draft names: its contacts, and where no opportunity stands for it, its account."""
    company = number_of(PARTNER, draft.account_id) if draft.opportunity_id is None else None
    return [*numbers_of(PARTNER, draft.person_ids), *([company] if company else [])]


def created(draft: ActivityDraft, mark: CallMark) -> Values:
    """Give the values of a new event. It is for employees only: calls are no business of other companies' portals."""
    start = draft.started_at.replace(microsecond=0)
    length = draft.duration_seconds or (draft.ended_at - draft.started_at).total_seconds()
    return {
        "name": draft.subject or ("Call" if draft.kind == "call" else "Meeting"),
        "start": written(start),
        "stop": written(start + dt.timedelta(seconds=max(0, round(length)))),
        "description": draft.body or False,
        "user_id": number_of(USER, draft.owner_id) or False,
        "partner_ids": [[6, 0, invited(draft)]],
        "opportunity_id": about(draft) or False,
        "privacy": "confidential",
        "activity_ids": mark.values(draft) if draft.kind == "call" else [],
        "message_ids": carrying(draft.key),
    }


def changed(draft: ActivityDraft, record: Record) -> tuple[Values, tuple[str, ...]]:
    """Give what a draft changes in an event as it is now, and the draft's fields that stay as they are.

    An opportunity is set where there is none, and neither replaced nor taken off (``change_opportunity`` is not declared).
    """
    left, kept = remaining(draft, current(record))
    values: Values = {}
    if left.subject is not None:
        values["name"] = left.subject
    if left.body is not None:
        values["description"] = left.body
    owner, organizer = number_of(USER, draft.owner_id), linked(record, "user_id")
    if owner is not None and owner != (organizer or {}).get("id"):
        values["user_id"] = owner
    if draft.set_key and key_of(record) is None:
        values["message_ids"] = carrying(draft.key)
    start = instant(record, "start")
    if left.duration_seconds and start and not record.get("allday"):
        values["stop"] = written(start + dt.timedelta(seconds=round(left.duration_seconds)))
    now, wanted = (linked(record, "opportunity_id") or {}).get("id"), about(left)
    if now is None or now in numbers_of(LEAD, left.replaces.person_ids):
        values |= {"opportunity_id": wanted or False} if wanted != now else {}
    elif left.opportunity_id or left.replaces.opportunity_id:
        kept += ("opportunity_id",)
    partners = _partners(left, record, about_one=bool(values.get("opportunity_id") or opportunity_of(record)))
    return values | ({"partner_ids": partners} if partners else {}), kept


def current(record: Record) -> Current:
    """Give what an event says and names."""
    number = opportunity_of(record)
    return Current(
        text_of(record, "name"),
        text_of(record, "description"),
        duration_of(record),
        tuple(company.id for company in companies_of(record)),
        (id_of(LEAD, number),) if number is not None else (),
        tuple(person.id for person in people_of(record)),
    )


def _partners(left: ActivityDraft, record: Record, *, about_one: bool) -> list[list[int]]:
    """Give the commands that add guests and take some off. Where an event is about an opportunity, that has the account."""
    there = {partner["id"] for partner in guests(record)}
    account = [] if about_one else [left.account_id]
    adding = numbers_of(PARTNER, [*left.person_ids, *account])
    removing = numbers_of(PARTNER, [*left.replaces.person_ids, left.replaces.account_id])
    return [*([4, number] for number in adding if number not in there), *([3, number] for number in removing)]


def named(draft: ActivityDraft) -> dict[str, list[int]]:
    """Give every record that a draft names, by model."""
    owner = number_of(USER, draft.owner_id)
    return {
        "res.partner": [*numbers_of(PARTNER, [*draft.person_ids, draft.account_id])],
        "crm.lead": [*numbers_of(LEAD, [*draft.person_ids, draft.opportunity_id])],
        "res.users": [owner] if owner else [],
    }
