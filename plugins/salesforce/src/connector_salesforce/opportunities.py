"""Opportunities: of people through contact roles, of accounts, by id.

When an opportunity really closed has no field of its own. The rule: while ``IsClosed`` is false it is open, whatever
``CloseDate`` says, which is then the day on which it is expected to close (Object Reference, "Opportunity"). Closed, it
closed at ``LastStageChangeDate``; one that moved between two closed stages seems to have closed at the later move. Where
that is null the stage never changed, the opportunity was created closed, like one that was imported: then only the day is
known, ``CloseDate``.

Those of a person account are its person's own, contact role or not: creating one there makes none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from connector_core.errors import TryAgainError
from connector_core.model import Account, Opportunities, Opportunity, Unknown
from connector_salesforce.client import QUERIES_AT_ONCE, Answer, Client, Row
from connector_salesforce.persons import PersonAccounts
from connector_salesforce.records import day, ids_of, moment, named, record_id, short, text
from connector_salesforce.soql import Child, Condition, Query, related, split, within
from connector_salesforce.statuses import TaskStatuses
from connector_salesforce.users import Users

_PERSON = "Account.PersonContactId"


def query(where: Condition) -> Query:
    """Ask for opportunities with all that the decision needs."""
    return Query(
        "Opportunity",
        ("Id", "Name", "CreatedDate", "IsClosed", "CloseDate", "AccountId", "OwnerId"),
        (where,),
        ("LastStageChangeDate", "Account.Id", "Account.Name", "Owner.Email", "NextStep"),
        children={"OpportunityContactRoles": Child(("Id", "ContactId", "Contact.Id"))},
    )


def opportunity(row: Row) -> Opportunity:
    """Read an opportunity."""
    created = moment(row.get("CreatedDate"))
    if created is None:
        raise TryAgainError("Salesforce answered an opportunity without its creation")
    account = text(row, "AccountId")
    if account is not None and "Account" in row and not row["Account"]:
        account = None  # the reference outlived the account
    return Opportunity(
        id=record_id(row),
        created_at=created,
        name=named(row),
        account=Account(account, named(row, "Account.Name")) if account else None,
        owner_id=text(row, "OwnerId"),
        owner_email=text(row, "Owner.Email"),
        closed_at=_closed(row) or created if row.get("IsClosed") is True else None,
        person_ids=tuple(dict.fromkeys([*_people(row), *filter(None, [text(row, _PERSON)])])),
        next_step=text(row, "NextStep"),
    )


def by_id(answers: Iterable[Answer]) -> dict[str, Opportunity]:
    """Read opportunities out of answers, by id."""
    rows = [row for answer in answers if not isinstance(answer, Unknown) for row in answer]
    return {found.id: found for found in map(opportunity, rows)}


def queries_by_id(records: Iterable[str]) -> list[Query]:
    """Ask for opportunities by id."""
    return [it for _, it in split(ids_of("Opportunity", records), lambda keys: query(within("Id", keys)))]


def list_opportunities(
    client: Client,
    persons: PersonAccounts,
    spares: Sequence[Users | TaskStatuses],
    people: Sequence[str],
    accounts: Sequence[str],
    ids: Sequence[str],
    since: dt.datetime | None,
) -> Opportunities:
    """List opportunities: one API call for some thousand keys. ``spares`` are learned beside, as far as there is room.

    Where it turns out only then that there are person accounts, theirs are one API call more.

    A lead has none of its own: what is sold to it begins with its conversion, and then to the contact that it became.
    """
    of_people = split(
        ids_of("Contact", people),
        lambda keys: query(related("Id", "OpportunityId", "OpportunityContactRole", within("ContactId", keys))),
    )
    of_accounts = split(ids_of("Account", accounts), lambda keys: query(within("AccountId", keys)))
    by_ids = split(ids_of("Opportunity", ids), lambda keys: query(within("Id", keys)))
    of_persons = _of_persons(people) if persons.there else []
    asked = [*of_people, *of_persons, *of_accounts, *by_ids]
    wanted: list[PersonAccounts | Users | TaskStatuses] = [*([persons] if of_people else []), *spares]
    room = -len(asked) % QUERIES_AT_ONCE
    carried = [(it, queries) for it in wanted if (queries := it.queries())][:room]
    answers = client.ask([it for _, it in asked] + [query for _, queries in carried for query in queries])
    rest = answers[len(asked) :]
    for it, queries in carried:
        it.learn(rest[: len(queries)])
        rest = rest[len(queries) :]
    parts = list(zip([keys for keys, _ in asked], answers, strict=False))
    first = len(of_people) + len(of_persons)
    second = first + len(of_accounts)
    late = _of_persons(people) if persons.there and not of_persons else []
    told = zip([keys for keys, _ in late], client.ask([it for _, it in late]), strict=True)
    return Opportunities(
        _by_key(people, [*parts[:first], *told], lambda it: it.person_ids, since),
        _by_key(accounts, parts[first:second], lambda it: (it.account.id,) if it.account else (), since),
        _by_key(ids, parts[second:], lambda it: (it.id,), since),
    )


def _by_key(
    keys: Sequence[str],
    parts: Iterable[tuple[Sequence[str], Answer]],
    keys_of: Callable[[Opportunity], Sequence[str]],
    since: dt.datetime | None,
) -> dict[str, tuple[Opportunity, ...] | Unknown]:
    found: dict[str, dict[str, Opportunity]] = {}
    unknown: dict[str, Unknown] = {}
    for part, answer in parts:
        if isinstance(answer, Unknown):
            unknown |= {short(key): answer for key in part}
            continue
        for it in map(opportunity, answer):
            if since is not None and _closed_before(it.closed_at, since):
                continue
            for key in keys_of(it):
                found.setdefault(short(key), {})[it.id] = it
    return {key: unknown.get(short(key)) or tuple(found.get(short(key), {}).values()) for key in keys}


def _of_persons(people: Sequence[str]) -> list[tuple[Sequence[str], Query]]:
    """Ask for the opportunities of person accounts, by their contacts."""

    def ask(keys: Sequence[str]) -> Query:
        found = query(within(_PERSON, keys))
        return replace(found, columns=(*found.columns, _PERSON))

    return split(ids_of("Contact", people), ask)


def _closed(row: Row) -> dt.datetime | dt.date | None:
    return moment(row.get("LastStageChangeDate")) or day(row.get("CloseDate"))


def _closed_before(closed: dt.datetime | dt.date | None, since: dt.datetime) -> bool:
    """Tell whether it surely closed before; a day may end a day later or earlier, by the time zone."""
    if isinstance(closed, dt.datetime):
        return closed < since
    return closed is not None and closed + dt.timedelta(days=1) < since.date()


def _people(row: Row) -> Iterable[str]:
    """Give the contacts of the roles; a role may outlive its contact (Object Reference, "OpportunityContactRole")."""
    return (it for role in row.get("OpportunityContactRoles") or () if (it := text(role, "Contact.Id")))
