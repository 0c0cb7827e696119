"""Records that are meant by name, looked up for fields that refer to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector_core.connection import Connection
from connector_core.filler.items import Item
from connector_core.hookspecs import SHORTEST_SEARCH
from connector_core.identity import email_key
from connector_core.model import Unknown


def look_up_names(connection: Connection, items: Iterable[Item]) -> dict[str, tuple[str, ...]]:
    """Give the ids of the accounts, contacts, leads and users that are named by the values of items, by case-folded name.

    A user is named by an e-mail address.

    :raises TryAgainError: The CRM could not be asked.
    """
    accounts: set[str] = set()
    people: set[str] = set()
    users: set[str] = set()
    called = connection.manifest.names
    for item in items:
        described, value = item.description, item.row.value
        if described.type != "reference" or not isinstance(value, str):
            continue
        name = value.strip()
        if "@" in name:
            users.add(name)
        elif len(name) >= SHORTEST_SEARCH:
            roles = {role for role, crm in called.items() if crm in described.refers_to}  # several may be one object
            accounts |= {name} if "account" in roles else set()
            people |= {name} if roles & {"contact", "lead"} else set()
    found: dict[str, set[str]] = {}
    if accounts and "search_accounts" in connection.operations:
        _keep(found, connection.search_accounts(accounts))
    if people and "search_people" in connection.operations:
        _keep(found, connection.search_people(people))
    if users and "find_users_by_email" in connection.operations:
        by_key = {key: name for name in users if (key := email_key(name))}
        for key, answer in connection.find_users_by_email(by_key).items():
            if not isinstance(answer, Unknown):
                found.setdefault(_key(by_key[key]), set()).update(user.id for user in answer if user.active)
    return {name: tuple(sorted(ids)) for name, ids in found.items()}


def _keep(found: dict[str, set[str]], answers: Mapping[str, object]) -> None:
    for text, answer in answers.items():
        if isinstance(answer, tuple):
            same = {record.id for record in answer if _key(record.name or "") == _key(text)}
            found.setdefault(_key(text), set()).update(same)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()
