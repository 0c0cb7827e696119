"""People and companies by id and for a search box, and the address of the form for a new one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from connector_core.hookspecs import MOST_HITS
from connector_core.model import Account, FormRecord, Person, Unknown
from connector_odoo.client import OdooClient
from connector_odoo.people import CONTACTS, LEAD, LEAD_SPEC, LEADS, PARTNER, PARTNER_SPEC, People, contact, lead
from connector_odoo.reading import BATCH, Domain, Record, Spec, any_of, cut, first, id_of, numbers_of, search, text_of

LONGEST_TEXT = 500
_COMPANIES: Domain = [["is_company", "=", True]]
_COMPANY_SPEC: Spec = {"name": {}}
_OF_CONTACTS = ("name", "email", "phone")
_OF_LEADS = ("contact_name", "partner_name", "name", "email_from", "phone")
_PATTERN = re.compile(r"([\\%_])")


def read_people(client: OdooClient, ids: Sequence[str]) -> dict[str, tuple[Person, ...]]:
    """Read contacts and leads: a request for 200 of each. What is archived is gone; so is who was merged, without trace."""
    found = [contact(it) for it in _by_id(client, "res.partner", numbers_of(PARTNER, ids), CONTACTS, PARTNER_SPEC)]
    found += [lead(it) for it in _by_id(client, "crm.lead", numbers_of(LEAD, ids), LEADS, LEAD_SPEC)]
    people = {person.id: person for person in found}
    return {key: (people[key],) if key in people else () for key in ids}


def read_accounts(client: OdooClient, ids: Sequence[str]) -> dict[str, tuple[Account, ...]]:
    """Read companies: a request for 200."""
    records = _by_id(client, "res.partner", numbers_of(PARTNER, ids), _COMPANIES, _COMPANY_SPEC)
    accounts = {account.id: account for account in map(_account, records)}
    return {key: (accounts[key],) if key in accounts else () for key in ids}


def search_people(client: OdooClient, people: People, texts: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
    """Search contacts and leads: two requests a text. A number is looked up as one."""

    def asked(text: str) -> tuple[Person, ...] | Unknown:
        number = people.number(text)
        if number is not None:
            found = people.by_phone([number])[number]
            return found if isinstance(found, Unknown) else found[:MOST_HITS]
        contacts = first(client, "res.partner", [*CONTACTS, *_holding(_OF_CONTACTS, text)], PARTNER_SPEC, MOST_HITS)
        leads = first(client, "crm.lead", [*LEADS, *_holding(_OF_LEADS, text)], LEAD_SPEC, MOST_HITS)
        return (*map(contact, contacts), *map(lead, leads))[:MOST_HITS]

    return {text: asked(text) if len(text) <= LONGEST_TEXT else _TOO_LONG for text in texts}


def search_accounts(client: OdooClient, texts: Sequence[str]) -> dict[str, tuple[Account, ...] | Unknown]:
    """Search companies by name: a request a text."""

    def asked(text: str) -> tuple[Account, ...]:
        domain = [*_COMPANIES, *_holding(("name",), text)]
        return tuple(map(_account, first(client, "res.partner", domain, _COMPANY_SPEC, MOST_HITS)))

    return {text: asked(text) if len(text) <= LONGEST_TEXT else _TOO_LONG for text in texts}


def form_address(base_url: str, record: FormRecord) -> str:
    """Give the address of Odoo's own form, empty: no documented address fills it.

    The paths are those of the actions *Contacts* and *CRM* (``ir.actions``, field ``path``, Odoo 18 and newer).
    """
    return f"{base_url}/odoo/{'contacts' if record == 'contact' else 'crm'}/new"


_TOO_LONG = Unknown(f"the connector searches Odoo for {LONGEST_TEXT} characters at most")


def _by_id(client: OdooClient, model: str, numbers: Sequence[int], domain: Domain, spec: Spec) -> list[Record]:
    return [
        record
        for part in cut(numbers, BATCH)
        for record in search(client, model, [["id", "in", list(part)], *domain], spec)
    ]


def _holding(names: Sequence[str], text: str) -> Domain:
    """Ask for records that hold each word in one of the fields; signs of patterns are escaped."""
    words = (_PATTERN.sub(r"\\\1", word) for word in text.split())
    return [part for word in words for part in any_of(*([[name, "=ilike", f"%{word}%"]] for name in names))]


def _account(record: Record) -> Account:
    return Account(id_of(PARTNER, record["id"]), text_of(record, "name"))
