"""Filling fields of records, each field with an outcome of its own.

Salesforce takes a row or refuses it whole. So the fields that a refusal names are taken out and the others sent again; where
it names none, each is sent alone.

What is refused as a person account's contact is set through the account: standard fields as ``Person…``, custom ones as
``…__pc``, first and last name by their names (github.com/lekkimworld/salesforce-personaccount-field-reference). That such a
contact may not be changed is reported (github.com/SFDO-Community/declarative-lookup-rollup-summaries, 544), and that it may
(github.com/sfb2csolutionarchitects/b2c-crm-sync, 14): so Salesforce is asked first, and others pay nothing for it.

The amount of an opportunity with products is their sum: Salesforce takes another without a word, and leaves it as it was
(Object Reference, "Opportunity", ``Amount``). So before one is set it is asked which have products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from connector_core.errors import ConnectorError, MissingRightError
from connector_core.model import FieldReceipt, RecordUpdate, Unknown
from connector_salesforce import rows
from connector_salesforce.client import Client
from connector_salesforce.records import full_id, record_id, text
from connector_salesforce.soql import Query, compare, split, within

_OF_THE_RECORD = frozenset(
    {
        "CANNOT_UPDATE_CONVERTED_LEAD",
        "ENTITY_IS_DELETED",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE",
        "MALFORMED_ID",
        "NOT_FOUND",
    }
)
"""Refusals that no other choice of fields would avoid."""

_PERSON_CONTACT = "INVALID_PERSON_ACCOUNT_OPERATION"
_OWN_NAMES = frozenset({"firstname", "lastname"})
_PARTS = ("city", "country", "countrycode", "postalcode", "state", "statecode", "street")
_OTHERS = ("assistantname", "assistantphone", "birthdate", "department", "donotcall", "email", "hasoptedoutofemail")
_PREFIXED = frozenset(
    {*(f"{which}{part}" for which in ("mailing", "other") for part in _PARTS), *_OTHERS}
    | {"hasoptedoutoffax", "homephone", "leadsource", "mobilephone", "otherphone", "title"}
)
"""The standard fields that a person has as a contact, and ``Person`` before their names as an account."""
_NOT_ON_ACCOUNT = (
    "it is a person account, whose contact may not be changed, and for this field none of the account is known"
)
_SUM = "the opportunity has products, whose sum is its amount: Salesforce ignores any other"


@dataclass(slots=True)
class _Work:
    """One record: the groups of fields that are still to be sent, one after the other, and what is known.

    ``as_person`` has the refusal of a contact that may be a person account's, until it is ``looked_up``; ``account`` is the
    one through which fields are set then.
    """

    update: RecordUpdate
    groups: list[list[str]]
    receipts: dict[str, FieldReceipt] = field(default_factory=dict)
    as_person: rows.Refused | None = None
    looked_up: bool = False
    account: str | None = None

    def record(self) -> rows.Record:
        fields = {self._sent_as(name): self.update.fields[name] for name in self.groups[0]}
        obj, record = ("Account", self.account) if self.account else (self.update.object, self.update.id)
        return {"attributes": {"type": obj}, "id": record, **fields}

    def take(self, outcome: rows.Outcome) -> None:
        group = self.groups.pop(0)
        match outcome:
            case rows.Done():
                self._tell(group, FieldReceipt("sent"))
            case rows.Later(reason):
                self._tell(group, FieldReceipt("deferred", reason))
            case rows.Unsure(reason):
                self._tell(group, FieldReceipt("unknown", reason))
            case rows.Refused(code) if code == _PERSON_CONTACT and not self.looked_up:
                self.as_person = outcome
                self.groups.insert(0, group)
            case rows.Refused(code, sentence, named):
                blamed = self._blamed(outcome, group) or (group if len(group) == 1 else [])
                if code in _OF_THE_RECORD and not named:
                    blamed = group
                    self._tell([it for rest in self.groups for it in rest], FieldReceipt("refused", sentence, code))
                    self.groups.clear()
                self._tell(blamed, FieldReceipt("refused", sentence, code or None))
                rest = [it for it in group if it not in blamed]
                self.groups += ([rest] if rest else []) if blamed else [[it] for it in group]

    def go_on(self, refused: rows.Refused, account: str | None) -> None:
        """Go on through the person account; None: the record is no person's, so that the refusal is its own."""
        self.as_person, self.looked_up, self.account = None, True, account
        if account is None:
            self.take(refused)
            return
        lost = [name for group in self.groups for name in group if on_account(name) is None]
        self._tell(lost, FieldReceipt("refused", _NOT_ON_ACCOUNT, _PERSON_CONTACT))
        self.groups = [kept for group in self.groups if (kept := [name for name in group if name not in lost])]

    def amount(self) -> str | None:
        """Name the field that is the amount of an opportunity, as it is given."""
        names = self.update.fields if self.update.object.lower() == "opportunity" else ()
        return next((it for it in names if it.lower() == "amount"), None)

    def leave(self, name: str, receipt: FieldReceipt) -> None:
        """Send all but one field."""
        self._tell([name], receipt)
        self.groups = [kept for group in self.groups if (kept := [it for it in group if it != name])]

    def _sent_as(self, name: str) -> str:
        return (on_account(name) if self.account else None) or name

    def _blamed(self, outcome: rows.Refused, group: Sequence[str]) -> list[str]:
        named = {it.lower() for it in outcome.fields}
        return [it for it in group if self._sent_as(it).lower() in named]

    def _tell(self, names: Sequence[str], receipt: FieldReceipt) -> None:
        self.receipts |= dict.fromkeys(names, receipt)


def fill(client: Client, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], dict[str, FieldReceipt]]:
    """Set fields: one API call for 200 records, one more for each round of refusals, and one where amounts are set."""
    work = [_Work(update, [sorted(update.fields)] if update.fields else []) for update in updates]
    _leave_sums(client, work)
    sent = False
    while waiting := [it for it in work if it.groups]:
        outcomes = rows.write(client, "PATCH", [it.record() for it in waiting], sent=sent)
        sent = True
        for it, outcome in zip(waiting, outcomes, strict=True):
            it.take(outcome)
        _ask_for_accounts(client, [it for it in waiting if it.as_person])
    return {(it.update.object, it.update.id): it.receipts for it in work}


def on_account(name: str) -> str | None:
    """Give the name that a field of a person account's contact has on the account; None where none is known."""
    key = name.lower()
    if key.endswith("__c"):
        return f"{name[:-1]}pc"
    return name if key in _OWN_NAMES else f"Person{name}" if key in _PREFIXED else None


def _leave_sums(client: Client, work: Sequence[_Work]) -> None:
    """Leave out the amounts that Salesforce would ignore.

    :raises ConnectorError: It cannot be asked; nothing was sent.
    """
    amounts = [(full, it, name) for it in work if (name := it.amount()) and (full := full_id(it.update.id))]
    with_products = compare("HasOpportunityLineItem", "=", True)
    ids = sorted({full for full, _, _ in amounts})
    asked = split(ids, lambda part: Query("Opportunity", ("Id",), (within("Id", part), with_products)))
    try:
        answers = client.ask([query for _, query in asked])
    except MissingRightError:
        return  # an org without products lacks nothing
    told: dict[str, FieldReceipt] = {}
    for (part, _), answer in zip(asked, answers, strict=True):
        if isinstance(answer, Unknown):
            told |= dict.fromkeys(part, FieldReceipt("deferred", answer.reason))
        else:
            told |= dict.fromkeys(map(record_id, answer), FieldReceipt("refused", _SUM, "has_products"))
    for full, it, name in amounts:
        if full in told:
            it.leave(name, told[full])


def _ask_for_accounts(client: Client, work: Sequence[_Work]) -> None:
    """Find the person accounts behind contacts that were refused as such: one API call. Nothing is raised."""
    ids = sorted({full for it in work if (full := full_id(it.update.id))})
    columns = ("Id", "AccountId", "IsPersonAccount")
    asked = split(ids, lambda part: Query("Contact", columns, (within("Id", part),)))
    found: dict[str, str | None] = {}
    unknown: dict[str, str] = {}
    try:
        answers = client.ask([query for _, query in asked])
    except ConnectorError as error:
        unknown = dict.fromkeys(ids, str(error))
        answers = []
    for (part, _), answer in zip(asked, answers, strict=False):
        if isinstance(answer, Unknown):
            unknown |= dict.fromkeys(part, answer.reason)
        else:
            found |= {record_id(row): text(row, "AccountId") for row in answer if row.get("IsPersonAccount") is True}
    for it in work:
        contact = full_id(it.update.id) or ""
        if contact in unknown:
            it.as_person = None
            it.take(rows.Later(unknown[contact]))
        elif it.as_person is not None:
            it.go_on(it.as_person, found.get(contact))
