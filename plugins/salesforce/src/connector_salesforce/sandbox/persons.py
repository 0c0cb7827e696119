"""Person accounts: an account and a contact that are one person, each with the other's values.

Fields of the contact stand on the account too: first and last name by their names, other standard ones as ``Person…``, and
custom ones as ``…__pc`` (github.com/lekkimworld/salesforce-personaccount-field-reference). The account has one contact, its
person contact (SOAP API Developer Guide, "Person Account Record Types").

What a change through the contact is answered is reported both ways: refused, with the code and sentence used here
(github.com/SFDO-Community/declarative-lookup-rollup-summaries, 544), and taken but for the account
(github.com/sfb2csolutionarchitects/b2c-crm-sync, 14). The sandbox refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError
from connector_salesforce.sandbox.schema import Field
from connector_salesforce.sandbox.store import Row, Store

IS_PERSON, PERSON_CONTACT = "IsPersonAccount", "PersonContactId"
_OWN_NAMES = ("FirstName", "LastName")
_ADDRESSES = [
    f"{which}{part}" for which in ("Mailing", "Other") for part in ("City", "Country", "PostalCode", "State", "Street")
]
_OTHERS = {"AssistantName", "AssistantPhone", "Birthdate", "Department", "Email", "LeadSource", "Title"}
_PHONES = {"HomePhone", "MobilePhone", "OtherPhone"}
_PREFIXED = frozenset({*_ADDRESSES, *_OTHERS, *_PHONES})
_MARK = Field(
    IS_PERSON, "boolean", IS_PERSON, createable=False, updateable=False, nillable=False, defaulted=True, default=False
)
CONTACT_FIELDS: Mapping[str, Field] = {IS_PERSON.lower(): _MARK}
"""What a contact has besides where there are person accounts, by lower-case name."""


def on_account(name: str) -> str | None:
    """Give the name that a field of the contact has on the account; None for one that the sandbox does not hold there."""
    if name.endswith("__c"):
        return name.removesuffix("__c") + "__pc"
    return name if name in _OWN_NAMES else f"Person{name}" if name in _PREFIXED else None


def account_fields(of_contact: Mapping[str, Field]) -> dict[str, Field]:
    """Give what an account has besides where there are person accounts, by lower-case name."""
    contact = Field(PERSON_CONTACT, "reference", "Contact ID", 18, targets=("Contact",), relationship="PersonContact")
    fields = {**CONTACT_FIELDS, PERSON_CONTACT.lower(): replace(contact, createable=False, updateable=False)}
    for field in of_contact.values():
        if name := on_account(field.name):
            fields[name.lower()] = replace(
                field,
                name=name,
                nillable=field.type != "boolean",
                id_lookup=False,
                external_id=False,
                unique=False,
                children=None,
                relationship=name.removesuffix("__pc") + "__pr" if field.relationship else None,
                controller=on_account(field.controller) if field.controller else None,
            )
    return fields


def check_choice(store: Store, accounts: Sequence[str]) -> None:
    """Look whether accounts can be person accounts.

    :raises ValueError: One is not there, or has not the one contact that would be its person.
    """
    for account in accounts:
        if store.object_of(account) != "Account" or store.live(account) is None:
            raise ValueError(f"person_accounts: no account {account}")
        if (count := len(store.where("Contact", "AccountId", account))) != 1:
            raise ValueError(f"person_accounts: account {account} has {count} contacts; that of its person is wanted")


def hold_choice(store: Store, accounts: Sequence[str]) -> None:
    """Let these accounts be person accounts, and no others."""
    for row in store.live_rows("Contact"):
        store.put("Contact", {**row, IS_PERSON: row["AccountId"] in accounts})
    for row in store.live_rows("Account"):
        person = store.where("Contact", "AccountId", row["Id"])[0] if row["Id"] in accounts else None
        store.put("Account", {**row, IS_PERSON: person is not None, PERSON_CONTACT: person["Id"] if person else None})
        if person is not None:
            keep_alike(store, "Contact", person)


def keep_alike(store: Store, obj: str, row: Row) -> None:
    """Let the other half of a person have what one half, just held, has."""
    account = row if obj == "Account" else store.live(row.get("AccountId")) if obj == "Contact" else None
    if account is None or not account.get(IS_PERSON):
        return
    contact = store.live(account[PERSON_CONTACT]) or {}
    names = {name: twin for name in contact if (twin := on_account(name))}
    names |= {name.removesuffix("__pc") + "__c": name for name in account if name.endswith("__pc")}
    stamps = {name: row[name] for name in ("LastModifiedDate", "LastModifiedById", "SystemModstamp")}
    if obj == "Contact":
        values = {twin: row.get(name) for name, twin in names.items()}
        store.put("Account", {**account, **values, **stamps, "Name": row["Name"]})
    else:
        values = {name: account.get(twin) for name, twin in names.items()}
        store.put("Contact", {**contact, **values, **stamps, "Name": account["Name"]})


def refuse(store: Store, obj: str, old: Row | None, given: Mapping[str, Any]) -> None:
    """Refuse a change of a person through its contact, and values that stand on the other kind of account.

    :raises ServiceError: The service refuses it. That values of persons are on a company's account is unverified.
    :raises NotSpokenError: It is not known what the service would say.
    """
    is_person = bool((old or {}).get(IS_PERSON))
    if obj == "Contact":
        if is_person:
            raise person_contact()
        if (store.live(given.get("AccountId")) or {}).get(IS_PERSON):
            raise NotSpokenError("a further contact of a person account")
    elif obj == "Account":
        of_persons = [
            name for name in given if name in _OWN_NAMES or name.startswith("Person") or name.endswith("__pc")
        ]
        if of_persons and old is None:
            raise NotSpokenError("the creation of a person account")
        if "RecordTypeId" in given and is_person:
            raise NotSpokenError("another record type of a person account")
        if is_person and "LastName" in given and given["LastName"] is None:
            raise NotSpokenError("a person account without a last name")
        bad = [name for name in given if name == "Name"] if is_person else of_persons
        if bad:
            message = f"Account: bad field names on insert/update call: {', '.join(bad)}"
            raise ServiceError("INVALID_FIELD_FOR_INSERT_UPDATE", message, bad)


def merged_too(obj: str, loser: Row, winner: Row) -> list[tuple[str, str]]:
    """Give the contacts that are merged when accounts are: those of persons. Unverified.

    :raises NotSpokenError: A person account is merged with another one only, and not by its contact.
    """
    if not loser.get(IS_PERSON) and not winner.get(IS_PERSON):
        return []
    if obj != "Account" or not (loser.get(IS_PERSON) and winner.get(IS_PERSON)):
        raise NotSpokenError("the merge of a person account with anything but another one")
    return [(loser[PERSON_CONTACT], winner[PERSON_CONTACT])]


def person_contact() -> ServiceError:
    """Make the refusal of what is done to a person account by its contact."""
    return ServiceError("INVALID_PERSON_ACCOUNT_OPERATION", "cannot reference person contact", [])
