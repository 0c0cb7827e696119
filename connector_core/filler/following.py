"""Records that are gone, followed to what they became: the survivor of a merge, or whom a lead was converted to.

What a lead says goes to its contact, and what only accounts have to the contact's account: so does Salesforce with fields of
its own (help.salesforce.com, "Lead Conversion Field Mapping").
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from connector_core.association.records import counted
from connector_core.connection import Connection
from connector_core.errors import MissingRightError, RefusedError
from connector_core.filler.items import Answer, Item, Record, approve, field_of, read_value
from connector_core.filling.coercion import Context
from connector_core.model import Account, ObjectDescription, Opportunity, Person, RecordFields, Unknown

Heir: TypeAlias = tuple[str, str]
"""A record by its role in a call, and its id."""
Heirs: TypeAlias = Mapping[Heir, Sequence[Heir] | Unknown]
Told: TypeAlias = Mapping[str, tuple[Person | Account | Opportunity, ...] | Unknown]


def look_up_heirs(connection: Connection, gone: Iterable[Heir]) -> Heirs:
    """Say what became of records: the survivor of a merge; for a converted lead the contact, then the contact's account.

    None of one that is gone for good, or of which the CRM cannot be asked.

    :raises TryAgainError: The CRM could not be asked.
    """
    of: dict[str, set[str]] = {}
    for role, record_id in gone:
        of.setdefault(role, set()).add(record_id)
    people = of.get("contact", set()) | of.get("lead", set())
    accounts, opportunities = of.get("account"), of.get("opportunity")
    found: dict[str, Told] = {}
    if people and "read_people" in connection.operations:
        found["contact"] = found["lead"] = _asked(connection.read_people, people)
    if accounts and "read_accounts" in connection.operations:
        found["account"] = _asked(connection.read_accounts, accounts)
    if opportunities:
        found["opportunity"] = _asked(
            lambda ids: connection.list_opportunities(opportunity_ids=ids).by_id, opportunities
        )
    return {(role, it): _heirs(role, it, found.get(role, {}).get(it, ())) for role, ids in of.items() for it in ids}


def _asked(ask: Callable[[set[str]], Told], ids: set[str]) -> Told:
    """Ask for records; a right that is missing there keeps nothing else from being filled."""
    try:
        return ask(ids)
    except (MissingRightError, RefusedError) as error:
        return dict.fromkeys(ids, Unknown(str(error)))


def _heirs(
    role: str, record_id: str, answer: tuple[Person | Account | Opportunity, ...] | Unknown
) -> Sequence[Heir] | Unknown:
    if isinstance(answer, Unknown):
        return answer
    heirs: list[Heir] = []
    for it in answer:
        if not isinstance(it, Person):
            heirs.append((role, it.id))
        elif whom := counted(it):
            heirs.append((whom.kind, whom.id))
            if it.converted and whom.account:
                heirs.append(("account", whom.account.id))
    return [heir for heir in heirs if heir != (role, record_id)]


def read_lookups(connection: Connection, lookups: Collection[tuple[str, str, str]]) -> dict[Heir, Answer]:
    """Read fields that lead to other records; those of what a record became, where it is gone.

    :param lookups: Each a role, the id of a record, and a field's name.
    """
    found = _read(connection, lookups, {})
    heirs = look_up_heirs(connection, {it for it, answer in found.items() if answer == ()})
    became = {it: told[0] for it, told in heirs.items() if told and not isinstance(told, Unknown)}
    unknown = {it: told for it, told in heirs.items() if isinstance(told, Unknown)}
    return (_read(connection, lookups, became) if became else found) | unknown


def _read(
    connection: Connection, lookups: Collection[tuple[str, str, str]], became: Mapping[Heir, Heir]
) -> dict[Heir, Answer]:
    names = connection.manifest.names
    wanted: dict[Record, set[str]] = {}
    of: dict[Heir, Record] = {}
    for role, record_id, name in lookups:
        now, there = became.get((role, record_id), (role, record_id))
        of[role, record_id] = (names.get(now, now), there)
        wanted.setdefault(of[role, record_id], set()).add(name)
    asked = [RecordFields(*record, tuple(sorted(it))) for record, it in sorted(wanted.items())]
    found = connection.read_fields(asked) if asked else {}
    return {heir: found[record] for heir, record in of.items()}


def inherit(
    item: Item,
    heirs: Sequence[Heir],
    names: Mapping[str, str],
    objects: Mapping[str, tuple[ObjectDescription, ...] | Unknown],
    context: Context,
) -> bool:
    """Let an item go to the first record of those that its own became which has its field. Tell whether that is known.

    :param names: What the CRM calls a role.
    :param objects: How it describes them, by its own names.
    """
    was, name = f"the {item.row.object} {item.row.record_id}", item.field.field
    for role, record_id in heirs:
        found = objects[names.get(role, role)]
        if isinstance(found, Unknown):
            return False
        described = field_of(found, name)
        if described is None:
            continue
        item.former, item.became = item.place, f"{was} is the {role} {record_id} now"
        item.row = replace(item.row, object=role, record_id=record_id)
        item.record, item.described = (names.get(role, role), record_id), described
        read_value(item, context)
        if not item.ended:
            approve(item)
        return True
    if not heirs:
        return True  # it is gone for good
    now = " and ".join(f"the {role} {record_id}" for role, record_id in heirs)
    item.keep_out("field_missing", f"{was} is {now} now, without a field {name}")
    return True
