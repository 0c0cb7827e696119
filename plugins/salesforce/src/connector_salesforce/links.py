"""Who and what an activity is linked to, within what Salesforce lets it hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector_salesforce.client import Row
from connector_salesforce.records import PREFIXES, short, text

MOST_CONTACTS = 50


@dataclass(frozen=True, slots=True)
class Links:
    """``who`` and ``what`` are set, where they are not None; ``others`` are related; ``left_out`` is told."""

    who: str | None = None
    what: str | None = None
    others: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def columns(self) -> dict[str, str]:
        """Give what stands in the record itself."""
        return {column: it for column, it in (("WhoId", self.who), ("WhatId", self.what)) if it}


def link(people: Sequence[str], what: str | None, there: Row | None = None) -> Links:
    """Choose the links of an activity.

    :param people: Contacts and leads to add, the most important first.
    :param what: The opportunity or account that it is about.
    :param there: The activity as it is; what it holds stays.
    """
    who = text(there, "WhoId") if there else None
    about = text(there, "WhatId") if there else None
    related = {short(it) for it in _related(there)} if there else set()
    new = [it for it in dict.fromkeys(people) if short(it) not in related]
    contacts = [it for it in new if it.startswith(PREFIXES["Contact"])]
    if who is not None and who.startswith(PREFIXES["Lead"]):
        lost = [*new, *([what] if what and not about else [])]
        return Links(left_out=tuple(f"{it} is left out: beside a lead Salesforce holds nothing else" for it in lost))
    set_what = what if about is None else None
    leads = [it for it in new if it not in contacts]
    first: str | None = None
    if who is None:
        first = contacts.pop(0) if contacts else None
        if first is None and leads and not (about or set_what):
            first = leads.pop(0)
    room = MOST_CONTACTS - len(related) - (first is not None)
    lost = [*(f"{it} is left out: a lead stands alone on an activity, or not at all" for it in leads)]
    lost += [f"{it} is left out: an activity has at most {MOST_CONTACTS} contacts" for it in contacts[room:]]
    return Links(first, set_what, tuple(contacts[:room]), tuple(lost))


def _related(row: Row) -> list[str]:
    relations = [it for name in ("TaskWhoRelations", "EventRelations") for it in row.get(name) or ()]
    listed = [text(row, "WhoId"), *(text(it, "RelationId") for it in relations)]
    return [it for it in listed if it and it.startswith((PREFIXES["Contact"], PREFIXES["Lead"]))]
