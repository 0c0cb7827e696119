"""People: contacts are partners that are no company, leads are records of ``crm.lead``.

A lead is a record of type *lead*. When it is converted, the same record becomes an opportunity and takes over the address
of its contact, so that nobody is left to be found but that contact. An opportunity without a contact is found as a lead
too: nothing else in Odoo knows its person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.model import Account, Person, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.reading import (
    ALSO_ARCHIVED,
    BATCH,
    Domain,
    Record,
    Spec,
    any_of,
    cut,
    halving,
    id_of,
    like,
    linked,
    search,
    text_of,
)

PARTNER, LEAD = "partner", "lead"
CUT = Unknown("Odoo has more records of it than the connector reads")

_COMPANY: Spec = {"fields": {"name": {}, "is_company": {}, "active": {}}}
PARTNER_SPEC: Spec = {
    "name": {},
    "email": {},
    "phone": {},
    "phone_sanitized": {},
    "function": {},
    "is_company": {},
    "type": {},
    "partner_share": {},
    "active": {},
    "commercial_partner_id": _COMPANY,
}
LEAD_SPEC: Spec = {
    "type": {},
    "active": {},
    "name": {},
    "contact_name": {},
    "partner_name": {},
    "email_from": {},
    "phone": {},
    "phone_sanitized": {},
    "function": {},
    "partner_id": {"fields": {"active": {}, "commercial_partner_id": _COMPANY}},
}
CONTACTS: Domain = [["is_company", "=", False], ["type", "=", "contact"], ["partner_share", "=", True]]
"""Partners that are people: no companies, no addresses for invoices and deliveries, no users of this Odoo."""

LEADS: Domain = [
    *any_of([["type", "=", "lead"], ["active", "=", True]], [["type", "=", "opportunity"], ["partner_id", "=", False]]),
    *ALSO_ARCHIVED,
]
"""A lead that was given up is archived, and gone; an opportunity that was lost is archived too, and has its place."""

_ORDINARY = re.compile(r"[a-z0-9.+_-]+@[a-z0-9.-]+")
_EXTENSION_MARKS = ("x", "p", "d", "#", ";", ",", "~")
"""One of these is in what people write before an extension: ext., x, poste, Durchwahl, DW, a pause."""

_SHORTEST = 3  # Odoo searches for nothing shorter
_BLANKS_AND_MARKS = re.compile(r"[\s\\./()\-]")


class People:
    """Finds contacts and leads."""

    def __init__(self, client: OdooClient, reader: PhoneReader) -> None:
        """Keep what is needed to ask."""
        self._client = client
        self._reader = reader

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the people that have an address: two requests for 200."""
        return self._find(
            emails,
            lambda chunk: (_with_email("email", chunk), _with_email("email_from", chunk)),
            lambda person: {key for text in person.emails if (key := email_key(text))},
        )

    def by_phone(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
        """Find the people that have a number: two requests for 200.

        Odoo keeps each number in E.164 as well where it can read it, under the country of the record, else of the own
        company (``phone_sanitized``). Where it cannot, the typed text is compared without blanks and marks.
        """
        return self._find(
            numbers,
            lambda chunk: (_with_number(chunk),) * 2,
            lambda person: {self._reader.read(text) or "" for text in person.phones},
        )

    def number(self, text: str) -> str | None:
        """Read a text as a number, if it is one."""
        return self._reader.read(text)

    def _find(
        self,
        keys: Sequence[str],
        domains: Callable[[Sequence[str]], tuple[Domain, Domain]],
        keys_of: Callable[[Person], Iterable[str]],
    ) -> dict[str, tuple[Person, ...] | Unknown]:
        """Ask for contacts and for leads; every hit is told by its own keys."""
        holders: dict[str, list[Person]] = {key: [] for key in keys}
        unasked: set[str] = set()
        for chunk in cut(keys, BATCH):
            contacts, more_contacts = halving(
                chunk, lambda part: search(self._client, "res.partner", [*CONTACTS, *domains(part)[0]], PARTNER_SPEC)
            )
            leads, more_leads = halving(
                chunk, lambda part: search(self._client, "crm.lead", [*LEADS, *domains(part)[1]], LEAD_SPEC)
            )
            unasked.update(more_contacts, more_leads)
            for person in (*map(contact, contacts), *map(lead, leads)):
                for key in set(keys_of(person)) & set(chunk):
                    holders[key].append(person)
        return {key: CUT if key in unasked else tuple(found) for key, found in holders.items()}


def is_contact(record: Record) -> bool:
    """Tell whether a partner that is named somewhere is a person who is there; see :data:`CONTACTS`."""
    return bool(
        record.get("active")
        and record.get("partner_share")
        and not record.get("is_company")
        and record.get("type") == "contact"
    )


def is_person(record: Record) -> bool:
    """Tell whether a record of ``crm.lead`` that is named somewhere stands for a person; see :data:`LEADS`."""
    if record.get("type") == "lead":
        return bool(record.get("active"))
    says_whose = any(text_of(record, name) for name in ("contact_name", "email_from", "phone"))
    return says_whose and linked(record, "partner_id") is None


def contact(record: Record) -> Person:
    """Read a partner that is a person."""
    return Person(
        kind="contact",
        id=id_of(PARTNER, record["id"]),
        name=text_of(record, "name"),
        emails=_addresses(record, "email"),
        phones=_numbers(record),
        title=text_of(record, "function"),
        account=account_of(record),
    )


def lead(record: Record) -> Person:
    """Read a lead, or an opportunity without a contact."""
    partner = linked(record, "partner_id")
    names = (text_of(record, name) for name in ("contact_name", "partner_name", "name"))
    return Person(
        kind="lead",
        id=id_of(LEAD, record["id"]),
        name=next(filter(None, names), None),
        emails=_addresses(record, "email_from"),
        phones=_numbers(record),
        title=text_of(record, "function"),
        account=account_of(partner) if partner and partner.get("active") else None,
    )


def account_of(partner: Record) -> Account | None:
    """Give the company that a partner belongs to, through departments and the like: its commercial partner."""
    company = linked(partner, "commercial_partner_id")
    if company is None or not company.get("is_company") or not company.get("active"):
        return None
    return Account(id_of(PARTNER, company["id"]), text_of(company, "name"))


def _addresses(record: Record, name: str) -> tuple[str, ...]:
    """Read addresses: people write several into the one field, and names around them."""
    parts = re.split(r"[,;\n]", str(record.get(name) or ""))
    texts = (found[1] if (found := re.search(r"<([^<>]*)>", part)) else part for part in parts)
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _numbers(record: Record) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for name in ("phone", "phone_sanitized") if (text := text_of(record, name))))


def _with_email(name: str, emails: Sequence[str]) -> Domain:
    """Ask for addresses: by what Odoo made of the first one in the field, which is indexed, and among several."""
    ordinary = [email for email in emails if _ORDINARY.fullmatch(email)]
    several: list[Domain] = [[[name, "=ilike", f"%{like(email)}%"]] for email in ordinary]
    odd = set(emails).difference(ordinary)
    domains: list[Domain] = [[[name, "=ilike", f"%{like(email)}%"]] for email in sorted(odd)]
    if ordinary:
        domains += [[["email_normalized", "in", ordinary]], [[name, "=like", "%@%@%"], *any_of(*several)]]
    return any_of(*domains)


def _with_number(numbers: Sequence[str]) -> Domain:
    """Ask for numbers; ``phone_mobile_search`` leaves out blanks and marks, and takes ``+`` and ``00`` for one another.

    An extension is in the way of that, and Odoo reads it only in numbers that it believes in: the few texts that have one
    and were not read are compared by the digits in them.
    """
    forms = {number: _forms(number) for number in numbers}
    typed = sorted({form for found in forms.values() for form in found})
    shortest = [min((form for form in found if form.isdigit()), key=len, default="") for found in forms.values()]
    digits: list[Domain] = [[["phone", "=like", f"%{'%'.join(form)}%"]] for form in shortest if form]
    marked = any_of(*([["phone", "=ilike", f"%{mark}%"]] for mark in _EXTENSION_MARKS))
    extended: Domain = [["phone_sanitized", "=", False], *marked, *any_of(*digits)] if digits else []
    domains: list[Domain] = [
        [["phone_sanitized", "in", list(numbers)]],
        [["phone_mobile_search", "in", typed]],
        extended,
    ]
    return any_of(*filter(None, domains))


def _forms(number: str) -> list[str]:
    """Give the ways in which a number may be typed, without blanks and marks."""
    typed = (_BLANKS_AND_MARKS.sub("", text) for text in written_variants(number))
    return [form for form in typed if not form.startswith("00") and len(form) > _SHORTEST]
