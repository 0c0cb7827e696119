"""What a call waits for: records that would associate it further, should the CRM come to have them.

A call and a record meet where one of the call's keys is one of the record's. Keys are texts, and compare exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector_core.association.decision import Decision
from connector_core.association.ignored import By
from connector_core.association.opportunities import WHOLE_ACCOUNTS
from connector_core.association.people import Guest, email_key
from connector_core.association.settings import Settings, phone_reader
from connector_core.model import Opportunity, Person


def awaited(decision: Decision) -> frozenset[str]:
    """Give the keys of what a decided call waits for; what a person set or cleared waits for nothing."""
    keys: set[str] = set()
    for guest in decision.guests:
        if guest.reason == "not_in_crm" and guest.attends:
            keys.update(_identifiers(decision, guest))
    if decision.status == "decided":
        keys.update(_links(decision))
    return frozenset(keys)


def keys_of_person(person: Person, settings: Settings) -> Iterator[str]:
    """Give the keys of the calls that a person of the CRM associates further; a converted lead's contact counts too."""
    read = phone_reader(settings.regions).read
    yield from (f"email {key}" for text in person.emails if (key := email_key(text)))
    yield from (f"phone {key}" for text in person.phones if (key := read(text)))
    if person.account is not None:
        yield f"account of {person.id}"
    if person.converted_to is not None:
        yield from keys_of_person(person.converted_to, settings)


def keys_of_opportunity(opportunity: Opportunity) -> Iterator[str]:
    """Give the keys of the calls that an opportunity of the CRM associates further."""
    yield from (f"opportunity of {person_id}" for person_id in opportunity.person_ids)
    if opportunity.account is not None:
        yield f"opportunity of account {opportunity.account.id}"


def _identifiers(decision: Decision, guest: Guest) -> Iterator[str]:
    who, ignored = decision.call.participants[guest.place], decision.settings.ignored
    read = phone_reader(decision.settings.regions).read
    keys: dict[By, Iterable[str | None]] = {
        "email": map(email_key, who.emails or ()),
        "phone": map(read, who.phones or ()),
    }
    shared = {(it.by, it.key) for it in guest.shared}  # nobody more would make it identify somebody
    for by, found in keys.items():
        for key in found:
            if key and (by, key) not in shared and not (ignored is not None and ignored.has(by, key)):
                yield f"{by} {key}"


def _links(decision: Decision) -> Iterator[str]:
    people = {person.id for person in (*decision.people, *decision.on_activity)}
    if decision.account is None and "account" not in decision.by_hand:
        yield from (f"account of {person_id}" for person_id in people)
    if decision.opportunity is None and "opportunity" not in decision.by_hand:
        yield from (f"opportunity of {person_id}" for person_id in people)
        if decision.account is not None and decision.case in WHOLE_ACCOUNTS:
            yield f"opportunity of account {decision.account.id}"
