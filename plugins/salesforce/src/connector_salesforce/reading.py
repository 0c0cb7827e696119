"""People and accounts by id, each with the survivor of what it was merged into.

Merged and deleted records are shown by ``queryAll`` alone; ``MasterRecordId`` of a merged one names the survivor (Object
Reference, Account, Contact and Lead).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

from connector_core.model import Account, Person, Unknown
from connector_salesforce.client import Client, Row
from connector_salesforce.people import People
from connector_salesforce.records import full_id, ids_of, named, record_id, text
from connector_salesforce.soql import Condition, Query, compare, split, within

T = TypeVar("T")
Ask: TypeAlias = Callable[[Condition], Query]


def read_people(client: Client, people: People, ids: Sequence[str]) -> dict[str, tuple[Person, ...] | Unknown]:
    """Read contacts and leads: one API call, and one more where records were merged."""
    return _read(client, ids, {"Contact": people.contacts, "Lead": people.leads}, people.read)


def read_accounts(client: Client, ids: Sequence[str]) -> dict[str, tuple[Account, ...] | Unknown]:
    """Read accounts: as :func:`read_people`."""
    return _read(client, ids, {"Account": accounts}, account)


def accounts(*where: Condition) -> Query:
    """Ask for accounts."""
    return Query("Account", ("Id", "Name"), where)


def account(row: Row) -> Account:
    """Read an account."""
    return Account(record_id(row), named(row))


def _read(
    client: Client, ids: Sequence[str], kinds: Mapping[str, Ask], make: Callable[[Row], T]
) -> dict[str, tuple[T, ...] | Unknown]:
    found: dict[str, tuple[T, ...] | Unknown] = {}
    survivors: dict[str, str] = {}
    waiting = {full for key in ids if (full := full_id(key))}
    while waiting:
        asked = [(part, query) for kind, ask in kinds.items() for part, query in _queries(kind, ask, waiting)]
        found |= dict.fromkeys(waiting, ())
        for (part, query), answer in zip(asked, client.ask([query for _, query in asked]), strict=True):
            if isinstance(answer, Unknown):
                found |= dict.fromkeys(part, answer)
            elif query.archived:
                survivors |= {record_id(row): master for row in answer if (master := text(row, "MasterRecordId"))}
            else:
                found |= {record_id(row): (make(row),) for row in answer}
        waiting = set(survivors.values()) - found.keys()
    return {key: _end(full_id(key) or "", found, survivors) for key in ids}


def _queries(kind: str, ask: Ask, ids: set[str]) -> list[tuple[Sequence[str], Query]]:
    """Ask for records that are there, and for whom those that are not were merged into."""
    listed = ids_of(kind, ids)
    there = split(listed, lambda part: ask(within("Id", part)))
    gone = compare("IsDeleted", "=", True)
    return there + split(
        listed, lambda part: Query(kind, ("Id", "MasterRecordId"), (within("Id", part), gone), archived=True)
    )


def _end(
    key: str, found: Mapping[str, tuple[T, ...] | Unknown], survivors: Mapping[str, str]
) -> tuple[T, ...] | Unknown:
    while key in survivors:
        key = survivors[key]
    return found.get(key, ())
