"""Opportunities: of contacts, of companies and by id; what really closed, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from connector_core.model import Opportunities as Answers
from connector_core.model import Opportunity, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.people import CUT, LEAD, PARTNER, account_of, is_contact
from connector_odoo.reading import (
    ALSO_ARCHIVED,
    Domain,
    Record,
    Spec,
    any_of,
    cut,
    halving,
    id_of,
    instant,
    linked,
    number_of,
    numbers_of,
    search,
    text_of,
)

USER = "user"
_BATCH = 500
_UNDATED = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
"""For a record that an import made without Odoo; Odoo itself dates every record."""

_COMPANY: Spec = {"fields": {"name": {}, "is_company": {}, "active": {}}}
_SPEC: Spec = {
    "name": {},
    "type": {},
    "active": {},
    "create_date": {},
    "date_conversion": {},
    "date_closed": {},
    "date_last_stage_update": {},
    "won_status": {},
    "activity_summary": {},
    "user_id": {"fields": {"email": {}, "login": {}}},
    "partner_id": {
        "fields": {"is_company": {}, "type": {}, "partner_share": {}, "active": {}, "commercial_partner_id": _COMPANY}
    },
}
_WHOSE = {
    "partner": lambda numbers: [["partner_id", "in", numbers]],
    "account": lambda numbers: [["partner_id.commercial_partner_id", "in", numbers]],
    "id": lambda numbers: [["id", "in", numbers]],
}


class Opportunities:
    """Finds opportunities."""

    def __init__(self, client: OdooClient) -> None:
        """Keep what is needed to ask."""
        self._client = client

    def of(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Answers:
        """Give the opportunities of contacts, of companies and by id, all in one request.

        Those of a lead are the one that it has become, and all of the contact that it has now.
        """
        wanted = [("partner", number) for number in numbers_of(PARTNER, person_ids)]
        wanted += [("account", number) for number in numbers_of(PARTNER, account_ids)]
        wanted += [("id", number) for number in numbers_of(LEAD, [*opportunity_ids, *person_ids])]
        records, unasked = self._read(wanted)
        contacts = {key: self._contact_of(records, number_of(LEAD, key)) for key in person_ids}
        more = {("partner", number) for number in contacts.values() if number} - set(wanted)
        further, more_unasked = self._read(sorted(more))
        found = {record["id"]: record for record in (*records, *further)}
        unasked |= more_unasked
        recent = {key: it for key, it in found.items() if not _closed_before(it, closed_since)}

        def answer(asked: tuple[str, int | None], keep: Iterable[Record]) -> tuple[Opportunity, ...] | Unknown:
            return CUT if asked in unasked else tuple(opportunity(record) for record in keep)

        def of_person(key: str) -> tuple[Opportunity, ...] | Unknown:
            number, own = contacts[key] or number_of(PARTNER, key), number_of(LEAD, key)
            keep = [it for it in recent.values() if it["id"] == own or (number and _partner(it) == number)]
            return answer(("partner", number), keep)

        def of_account(key: str) -> tuple[Opportunity, ...] | Unknown:
            number = number_of(PARTNER, key)
            keep = [it for it in recent.values() if number and _company(it) == number]
            return answer(("account", number), keep)

        def by_id(key: str) -> tuple[Opportunity, ...] | Unknown:
            number = number_of(LEAD, key)
            return answer(("id", number), [found[number]] if number in found else [])

        return Answers(
            of_people={key: of_person(key) for key in person_ids},
            of_accounts={key: of_account(key) for key in account_ids},
            by_id={key: by_id(key) for key in opportunity_ids},
        )

    def _read(self, wanted: Sequence[tuple[str, int]]) -> tuple[list[Record], set[tuple[str, int | None]]]:
        """Read what is wanted: kinds and numbers; give the records, and what there is too much of."""
        records: list[Record] = []
        unasked: set[tuple[str, int | None]] = set()

        def ask(chunk: Sequence[tuple[str, int]]) -> list[Record]:
            numbers = {kind: [number for name, number in chunk if name == kind] for kind in _WHOSE}
            domains: list[Domain] = [_WHOSE[kind](numbers[kind]) for kind in _WHOSE if numbers[kind]]
            return search(
                self._client, "crm.lead", [["type", "=", "opportunity"], *ALSO_ARCHIVED, *any_of(*domains)], _SPEC
            )

        for chunk in cut(wanted, _BATCH):
            found, left = halving(chunk, ask)
            records += found
            unasked.update(left)
        return records, unasked

    @staticmethod
    def _contact_of(records: Iterable[Record], number: int | None) -> int | None:
        """Give the contact that a lead was converted to."""
        return next((_partner(record) for record in records if record["id"] == number), None)


def opportunity(record: Record) -> Opportunity:
    """Read an opportunity. One that was a lead before exists since its conversion."""
    partner = linked(record, "partner_id")
    partner = partner if partner and partner.get("active") else None
    owner = linked(record, "user_id")
    person = id_of(LEAD, record["id"]) if linked(record, "partner_id") is None else None
    if partner is not None and is_contact(partner):
        person = id_of(PARTNER, partner["id"])
    return Opportunity(
        id=id_of(LEAD, record["id"]),
        created_at=instant(record, "date_conversion") or instant(record, "create_date") or _UNDATED,
        name=text_of(record, "name"),
        account=account_of(partner) if partner else None,
        owner_id=id_of(USER, owner["id"]) if owner else None,
        owner_email=(text_of(owner, "email") or text_of(owner, "login")) if owner else None,
        closed_at=_closed_at(record),
        person_ids=(person,) if person else (),
        next_step=text_of(record, "activity_summary"),
    )


def _closed_at(record: Record) -> dt.datetime | dt.date | None:
    """Tell when an opportunity really closed; None while it is open, whatever date is in it.

    It is won by its stage, together with its probability, and lost when it is archived (crm_lead.py of Odoo 19,
    ``won_status``). Where ``date_closed`` is missing, which imports leave empty, no more than the day of its last stage is
    taken.
    """
    if record.get("won_status") != "won" and record.get("active"):
        return None
    closed = instant(record, "date_closed")
    if closed is not None:
        return closed
    moved = instant(record, "date_last_stage_update") or instant(record, "create_date")
    return moved.date() if moved else None


def _closed_before(record: Record, moment: dt.datetime | None) -> bool:
    closed = _closed_at(record) if moment is not None else None
    if moment is None or closed is None:
        return False
    if isinstance(closed, dt.datetime):
        return closed < moment
    return closed < moment.date() - dt.timedelta(days=1)  # whatever the zone: too many do no harm


def _partner(record: Record) -> int | None:
    partner = linked(record, "partner_id")
    return partner["id"] if partner else None


def _company(record: Record) -> int | None:
    partner = linked(record, "partner_id")
    company = linked(partner, "commercial_partner_id") if partner else None
    return company["id"] if company else None
