"""Who and what an activity is linked to, within what Salesforce lets it hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connector_core.model import ActivityDraft
from connector_salesforce.client import Row
from connector_salesforce.records import PREFIXES, record_id, short, text

MOST_CONTACTS = 50
RELATIONS = {"Task": "TaskRelations", "Event": "EventRelations"}
"""The relationships with the rows that say who and what an activity is about: they can be deleted."""


@dataclass(frozen=True, slots=True)
class Links:
    """``columns`` are set in the record itself, None clears one. ``others`` are to be related, and the relations ``off``, by
    their ids, deleted. ``left_out`` is told; ``kept`` names the fields of the draft that stay as somebody set them.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def link(draft: ActivityDraft) -> Links:
    """Choose the links of a new activity, its people the most important first."""
    about = draft.opportunity_id or draft.account_id
    return _linked(draft.person_ids, {"WhatId": about} if about else {}, {})


def relink(draft: ActivityDraft, left: ActivityDraft, there: Row) -> Links:
    """Choose what to change of the links of an activity.

    :param left: What of the draft is still to be written.
    :param there: The activity as it is.
    """
    about, kept = _about(draft, left, text(there, "WhatId"))
    off = {short(it) for it in left.replaces.person_ids}
    invited = {short(who) for row, who in _relations(there) if row.get("IsInvitee") is True}
    found = _linked(left.person_ids, about, there, off - invited, draft.person_ids)
    kept += ("person_ids",) if off & invited else ()  # who was invited meanwhile would be told that the event is off
    deleted = [record_id(row) for row, who in _relations(there) if short(who) in off - invited]
    return Links(found.columns, found.others, tuple(deleted), found.left_out, kept)


def without(records: Sequence[str], reason: str) -> tuple[str, ...]:
    """Tell which records are left out, and why, in one sentence; nothing where it is none."""
    verb = "is" if len(records) == 1 else "are"
    return (f"{', '.join(records)} {verb} left out: {reason}",) if records else ()


def people_of(there: Row) -> list[str]:
    """Give the contacts and leads of an activity, the primary one first."""
    listed = [text(there, "WhoId"), *(who for _, who in _relations(there))]
    return list(dict.fromkeys(it for it in listed if it and _is_person(it)))


def _about(draft: ActivityDraft, left: ActivityDraft, now: str | None) -> tuple[dict[str, str | None], tuple[str, ...]]:
    """Choose what an activity is about. It is one record, so that an opportunity takes the place of our own account."""
    wanted = left.opportunity_id or left.account_id
    free = [None, left.replaces.opportunity_id, left.replaces.account_id]
    if now in free or (left.opportunity_id and now == draft.replaces.account_id):
        return ({"WhatId": wanted} if wanted != now else {}), ()
    if left.opportunity_id:
        return {}, ("opportunity_id",)
    # What is about an opportunity is about its account too.
    return {}, ("account_id",) if left.account_id and not str(now).startswith(PREFIXES["Opportunity"]) else ()


def _linked(
    people: Sequence[str],
    about: Mapping[str, str | None],
    there: Row,
    off: frozenset[str] | set[str] = frozenset(),
    wanted: Sequence[str] = (),
) -> Links:
    columns = dict(about)
    staying = [it for it in people_of(there) if short(it) not in off]
    guests = _guests(there)
    whos = [it for it in staying if it not in guests]
    what = columns["WhatId"] if "WhatId" in columns else text(there, "WhatId")
    if whos and whos[0].startswith(PREFIXES["Lead"]):
        lost = [*people, *filter(None, columns.values())]
        return Links(left_out=without(lost, "beside a lead Salesforce holds nothing else"))
    new = list(dict.fromkeys(people))
    contacts = [it for it in new if it.startswith(PREFIXES["Contact"])]
    leads = [it for it in new if it not in contacts]
    who = text(there, "WhoId")
    if who not in staying:
        # Contacts beside the first are taken off after it was replaced: too late for a lead.
        alone = leads if not (contacts or what or people_of(there)[1:]) else []
        invited = [it for it in wanted if it in guests and it.startswith(PREFIXES["Contact"])]
        first = next((them.pop(0) for them in (list(whos), contacts, invited, alone) if them), None)
        columns |= {"WhoId": first} if first != who else {}
        leads = [it for it in leads if it != first]
    room = MOST_CONTACTS - len({*whos, columns.get("WhoId")} - {None})
    left_out = without(leads, "a lead stands alone on an activity, or not at all")
    left_out += without(contacts[room:], f"an activity has at most {MOST_CONTACTS} contacts")
    return Links(columns, tuple(contacts[:room]), left_out=left_out)


def _guests(there: Row) -> set[str]:
    """Give those who are invited to an event, and not whom it is about: anybody, leads beside contacts (Object Reference,
    "EventRelation", ``IsParent``).
    """
    return {who for row, who in _relations(there) if row.get("IsParent") is False} - {text(there, "WhoId") or ""}


def _relations(row: Row) -> list[tuple[Row, str]]:
    found = [it for name in RELATIONS.values() for it in row.get(name) or ()]
    return [(it, who) for it in found if (who := text(it, "RelationId")) and _is_person(who)]


def _is_person(record: str) -> bool:
    return record.startswith((PREFIXES["Contact"], PREFIXES["Lead"]))
