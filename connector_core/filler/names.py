"""Records that are meant by name, looked up for fields that refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector_core.connection import Connection
from connector_core.filler.items import Item
from connector_core.hookspecs import SHORTEST_SEARCH
from connector_core.identity import email_key
from connector_core.model import Account, Person, Unknown


@dataclass(frozen=True, slots=True)
class Names:
    """The ids of records by case-folded name; ``unknown``: names that could not be looked up."""

    ids: Mapping[str, tuple[str, ...]]
    unknown: frozenset[str]

    def lack(self, item: Item) -> bool:
        """Tell whether an item's value names a record that could not be looked up."""
        return _key(_name_of(item)) in self.unknown


def look_up_names(connection: Connection, items: Iterable[Item]) -> Names:
    """Look up the accounts, contacts, leads and users that are named by the values of items.

    A user is named by an e-mail address.

    :raises TryAgainError: The CRM could not be asked.
    """
    accounts: set[str] = set()
    people: set[str] = set()
    users: set[str] = set()
    called = connection.manifest.names
    for item in items:
        name = _name_of(item)
        if "@" in name:
            users.add(name)
        elif len(name) >= SHORTEST_SEARCH:
            refers_to = item.description.refers_to
            roles = {role for role, crm in called.items() if crm in refers_to}  # several may be one object
            accounts |= {name} if "account" in roles else set()
            people |= {name} if roles & {"contact", "lead"} else set()
    found: dict[str, set[str]] = {}
    unknown: set[str] = set()
    answers: list[Mapping[str, tuple[Person | Account, ...] | Unknown]] = []
    if accounts and "search_accounts" in connection.operations:
        answers.append(connection.search_accounts(accounts))
    if people and "search_people" in connection.operations:
        answers.append(connection.search_people(people))
    for text, answer in (it for each in answers for it in each.items()):
        if isinstance(answer, Unknown):
            unknown.add(_key(text))
        else:
            same = {record.id for record in answer if _key(record.name or "") == _key(text)}
            found.setdefault(_key(text), set()).update(same)
    if users and "find_users_by_email" in connection.operations:
        by_key = {key: name for name in users if (key := email_key(name))}
        for key, those in connection.find_users_by_email(by_key).items():
            if isinstance(those, Unknown):
                unknown.add(_key(by_key[key]))
            else:
                found.setdefault(_key(by_key[key]), set()).update(user.id for user in those if user.active)
    return Names({name: tuple(sorted(ids)) for name, ids in found.items()}, frozenset(unknown))


def _name_of(item: Item) -> str:
    """Give the name that an item's value is, of a field that refers to a record; nothing for any other."""
    value = item.row.value
    return value.strip() if item.description.type == "reference" and isinstance(value, str) else ""


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
