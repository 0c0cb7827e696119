"""Finds the contract's world in an account by look-ups alone, whatever ids its records have there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from connector_core.connection import Connection
from connector_core.crms.world import World, WorldActivity
from connector_core.errors import ConnectorError, CredentialsError, TryAgainError
from connector_core.identity import PhoneReader, email_key
from connector_core.model import CallKey, Opportunities, Unknown
from connector_core.testing.contract.world import REGIONS

Named: TypeAlias = Mapping[str, Iterable[Any] | Unknown]


def find_world(connection: Connection, world: World) -> dict[str, str]:
    """Give the CRM's ids of the world's records, of those that look-ups find; by e-mail or number, and name.

    A look-up that the CRM refuses finds nothing.

    :raises CredentialsError: The CRM refuses the credentials.
    :raises TryAgainError: It cannot be asked now.
    """
    ids: dict[str, str] = {}
    _find_users(connection, world, ids)
    _find_people(connection, world, ids)
    _find_opportunities(connection, world, ids)
    for activity in world.activities:
        _find_activity(connection, activity, ids)
    return ids


def _records(ask: Callable[[], Named]) -> list[Any]:
    """Give all records of a look-up, whatever key they answer."""
    try:
        answer = ask()
    except (CredentialsError, TryAgainError):
        raise
    except ConnectorError:
        return []
    return [record for found in answer.values() if not isinstance(found, Unknown) for record in found]


def _find_users(connection: Connection, world: World, ids: dict[str, str]) -> None:
    wanted = {key: user.id for user in world.users if (key := email_key(user.email or ""))}
    for user in _records(lambda: connection.find_users_by_email(wanted)):
        ids[wanted.get(email_key(user.email) or "", "")] = user.id
    ids.pop("", None)


def _find_people(connection: Connection, world: World, ids: dict[str, str]) -> None:
    reader = PhoneReader(REGIONS)
    people = {(it.kind, it.name): it for it in world.people}
    emails = [key for it in world.people for text in it.emails or () if (key := email_key(text))]
    numbers = [number for it in world.people for text in it.phones or () if (number := reader.read(text))]
    found = _records(lambda: connection.find_contacts_by_email(emails))
    found += _records(lambda: connection.find_contacts_by_phone(numbers))
    for each in found:
        person = people.get((each.kind, each.name))
        if person is not None:
            ids[person.id] = each.id
            if person.account_id and each.account:
                ids[person.account_id] = each.account.id


def _find_opportunities(connection: Connection, world: World, ids: dict[str, str]) -> None:
    people = [ids[it.id] for it in world.people if it.id in ids and it.kind == "contact"]
    accounts = [ids[it.id] for it in world.accounts if it.id in ids]

    def ask(found: Opportunities) -> Named:
        return {**found.of_people, **found.of_accounts}

    by_name = {it.name: it.id for it in world.opportunities}
    for each in _records(lambda: ask(connection.list_opportunities(people, accounts))):
        if each.name in by_name:
            ids[by_name[each.name]] = each.id


def _find_activity(connection: Connection, activity: WorldActivity, ids: dict[str, str]) -> None:
    start = activity.started_at
    if not isinstance(start, dt.datetime):
        return
    seconds = activity.duration_seconds or 0
    people: Sequence[str] = [ids[it] for it in activity.person_ids or () if it in ids]
    kind: Any = "phone" if activity.kind == "call" else "meeting"
    end = start + dt.timedelta(seconds=seconds)
    call = CallKey(activity.call_id or f"contract:{activity.id}", kind, start, end, seconds, tuple(people))
    for each in _records(lambda: connection.find_activity([call])):
        if each.subject == activity.title:
            ids[activity.id] = each.id
