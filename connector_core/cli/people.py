"""What people do at the desk: look at calls and correct them; each function is the command of its name.

A correction is brought to the CRM at once, and printed as ``sync`` prints a call.
"""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.cli.sync import fill, report, wait
from connector_core.config import OpenConnection
from connector_core.desk import Desk
from connector_core.errors import InputError
from connector_core.hookspecs import MOST_HITS
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.model import Account, Opportunity, Person
from connector_core.pump import Pump
from connector_core.settling import settle
from connector_core.writing import Owner


@dataclass(frozen=True, slots=True)
class Opened:
    """A desk, and what stands behind it."""

    desk: Desk
    ledger: Ledger
    connection: OpenConnection


@contextmanager
def opened(arguments: Namespace) -> Iterator[Opened]:
    """Open the connection and the ledger that are named."""
    config = inputs.file(arguments.config)
    connection = config.connection(arguments.connection)
    with (
        connection.open() as bound,
        inputs.ledger(config, arguments) as ledger,
        inputs.naming(connection, ledger),
    ):
        yield Opened(Desk(ledger, bound), ledger, bound)


# -- looking -----------------------------------------------------------------------------------------------------------


def queue(arguments: Namespace) -> int:
    """List what waits for a person; a connection that is paused is told on standard error."""
    with opened(arguments) as it:
        waiting = it.desk.queue()
    for row in waiting:
        if arguments.json:
            say_json(row)
            continue
        say(f"{styled(row['call_id'], 'bold')}  {row['started_at'] or ''}  {row['title'] or ''}".rstrip())
        paragraph(row["reason"] or "no reason given", indent="  ")
    if not arguments.json:
        say(f"{len(waiting)} waiting" if waiting else "nothing waits")
    return DONE


def show(arguments: Namespace) -> int:
    """Show all that is known of a call."""
    with opened(arguments) as it:
        known = it.desk.show(arguments.call)
    if arguments.json:
        say_json(known)
    else:
        _show(known)
    return DONE


def _show(known: dict[str, Any]) -> None:
    activity, decision = known["activity"], known["decision"]
    at = [known["state"], activity["outcome"], activity["id"], activity["url"]]
    say("  ".join([styled(known["call_id"], "bold"), *filter(None, at)]))
    if activity["reason"]:
        paragraph(activity["reason"], indent="  ")
    if decision:
        paragraph(decision["explanation"], indent="  ", style="dim")
        for advice in decision["advice"]:
            paragraph(f"→ {advice['text']}", indent="  ", style="cyan")
    for place, guest in enumerate((known["call"] or {}).get("participants", ())):
        if not guest["is_user"]:
            person = decision["people"][place] if decision and decision["people"] else None
            found = f"{person['kind']} {person['id']} {person['name'] or ''}" if person else "nobody"
            paragraph(
                f"{guest.get('name') or 'no name'}: {found}".rstrip(), indent="  ", label=f"participant {place}  "
            )
    if owner := known["owner"]:
        paragraph(str(Owner(owner["id"], owner["from"])), indent="  ", style="dim")
    for row in known["writes"]:
        said = [row["outcome"] or "under way", row["activity_id"], row["reason"], row["code"]]
        paragraph("  ".join(filter(None, said)), indent="  ", label=f"sent {row['at']}  ")
    for row in known["audit"]:
        who, change = f"{row['by']} ({row['role']}): {row['action']}", (row["before"], row["after"])
        paragraph("  ".join([who, *_changed(*change)]), indent="  ", label=f"done {row['at']}  ")


def _changed(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[str]:
    if after is None:
        return []
    what = after["what"] + (f" of participant {after['participant']}" if "participant" in after else "")
    return [f"{what}: {(before or {}).get('id') or 'nothing'} → {after['id'] or 'nothing'}"]


def search(arguments: Namespace) -> int:
    """Print the contacts, or the accounts, that are found."""
    with opened(arguments) as it:
        found = it.desk.search(arguments.text, accounts=arguments.accounts)
    for record in found:
        if arguments.json:
            say_json(_account(record) if isinstance(record, Account) else _person(record))
        elif isinstance(record, Account):
            say(f"{styled(record.id, 'bold')}  {record.name or ''}".rstrip())
        else:
            account = f"{record.account.id} {record.account.name or ''}".strip() if record.account else None
            said = [record.kind, record.name, record.title, account, *record.emails, *record.phones]
            say("  ".join([styled(record.id, "bold"), *filter(None, said)]))
    if len(found) == MOST_HITS:
        tell(f"no more than {MOST_HITS} are given, and there may be others: search for more of the name")
    if not found and not arguments.json:
        say("nobody is found" if not arguments.accounts else "no account is found")
    return DONE


def _person(person: Person) -> dict[str, Any]:
    return {
        "kind": person.kind,
        "id": person.id,
        "name": person.name,
        "title": person.title,
        "emails": list(person.emails),
        "phones": list(person.phones),
        "account": person.account and _account(person.account),
    }


def _account(account: Account) -> dict[str, Any]:
    return {"id": account.id, "name": account.name}


def choices(arguments: Namespace) -> int:
    """Print the opportunities of the call's account."""
    with opened(arguments) as it:
        found = it.desk.choices(arguments.call)
    for deal in found:
        if arguments.json:
            say_json(_opportunity(deal))
        else:
            closed = f"closed {_day(deal.closed_at)}" if deal.closed_at else "open"
            say(f"{styled(deal.id, 'bold')}  {deal.name or ''}  created {_day(deal.created_at)}  {closed}")
    if not found and not arguments.json:
        say("the account has no opportunity")
    return DONE


def _opportunity(deal: Opportunity) -> dict[str, Any]:
    return {
        "id": deal.id,
        "name": deal.name,
        "account": deal.account and _account(deal.account),
        "owner_id": deal.owner_id,
        "created_at": deal.created_at.isoformat(),
        "closed_at": deal.closed_at.isoformat() if deal.closed_at else None,
        "next_step": deal.next_step,
    }


def _day(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}"


def form(arguments: Namespace) -> int:
    """Print the address of the CRM's own form."""
    record: Any = "opportunity" if arguments.opportunity else "contact"
    with opened(arguments) as it:
        url = it.desk.form(arguments.call, record, participant=arguments.participant)
    if arguments.json:
        say_json({"call_id": arguments.call, "record": record, "url": url})
    else:
        say(url)
    return DONE


# -- correcting --------------------------------------------------------------------------------------------------------


def assign(arguments: Namespace) -> int:
    """Set a contact, an account or an opportunity, and write it to the CRM."""

    def act(desk: Desk, actor: Actor, call_ids: list[str]) -> None:
        desk.assign(
            actor,
            call_ids,
            participant=arguments.participant,
            contact=arguments.contact,
            account=arguments.account,
            opportunity=arguments.opportunity,
        )

    return _correct(arguments, act)


def clear(arguments: Namespace) -> int:
    """Clear a contact, an account or an opportunity, and write it to the CRM."""

    def act(desk: Desk, actor: Actor, call_ids: list[str]) -> None:
        desk.clear(
            actor,
            call_ids,
            participant=arguments.participant,
            account=arguments.account,
            opportunity=arguments.opportunity,
        )

    return _correct(arguments, act)


def refresh(arguments: Namespace) -> int:
    """Associate calls anew, and write what changed to the CRM."""
    return _correct(arguments, Desk.refresh)


def resume(arguments: Namespace) -> int:
    """Let a connection go on; nothing is sent by this command itself."""
    with opened(arguments) as it:
        reason = it.desk.resume(actor_of(arguments))
    if arguments.json:
        say_json({"connection": arguments.connection, "resumed": reason is not None, "reason": reason})
    elif reason is None:
        say(f"{arguments.connection} was not paused")
    else:
        say(f"{arguments.connection} goes on; it was paused: {reason}")
    return DONE


def _correct(arguments: Namespace, act: Callable[[Desk, Actor, list[str]], None]) -> int:
    actor, call_ids = actor_of(arguments), call_ids_of(arguments.calls)
    with opened(arguments) as it:
        pump = Pump(it.ledger, it.connection)
        act(it.desk, actor, call_ids)
        settled = report(settle(it.ledger, pump, call_ids, sleep=wait).values(), as_json=arguments.json)
        fill(it.ledger, it.connection, call_ids)
    return DONE if settled else INCOMPLETE


def actor_of(arguments: Namespace) -> Actor:
    """Tell who acts: who was named, else who is logged in."""
    if arguments.actor is not None:
        return Actor(arguments.actor, arguments.role)
    try:
        return Actor(getpass.getuser(), arguments.role)
    except (KeyError, OSError) as error:
        raise InputError("nobody is logged in by name: say with --as who it is") from error


def call_ids_of(given: list[str]) -> list[str]:
    """Give the ids, each once and in their order; ``-`` stands for those on standard input."""
    ids: dict[str, None] = {}
    for one in given:
        if one != "-":
            ids[one] = None
            continue
        if sys.stdin is None:
            raise InputError("standard input is closed")
        ids |= dict.fromkeys(line.strip() for line in sys.stdin if line.strip())
    if not ids:
        raise InputError("standard input has no call: wanted one id a line")
    return list(ids)
