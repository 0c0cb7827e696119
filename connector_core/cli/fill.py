"""What people do with the fields that calls fill; each function is the verb of ``connector fill`` of its name."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.cli.people import Opened, actor_of, call_ids_of, opened
from connector_core.cli.sync import fill
from connector_core.fill_desk import FillDesk
from connector_core.filling.outcomes import OUTCOMES, REASONS
from connector_core.ledger.people import Actor

STYLES = {"sent": "green", "pending": "yellow", "empty": "dim"}


def show(arguments: Namespace) -> int:
    """Show what came of each field of a call."""
    with opened(arguments) as it:
        _print(FillDesk(it.ledger, it.connection).show(arguments.call), as_json=arguments.json)
    return DONE


def queue(arguments: Namespace) -> int:
    """List what waits for a person's approval."""
    with opened(arguments) as it:
        _print(FillDesk(it.ledger, it.connection).pending(arguments.most), as_json=arguments.json)
    return DONE


def send(arguments: Namespace) -> int:
    """Send what waits for approval."""
    call_ids = call_ids_of(arguments.calls)

    def act(desk: FillDesk, actor: Actor) -> Sequence[str]:
        if not desk.send(actor, call_ids, arguments.field):
            tell("nothing of these calls waits for approval")
        return call_ids

    return _decide(arguments, act)


def give(arguments: Namespace) -> int:
    """Give a value."""

    def act(desk: FillDesk, actor: Actor) -> Sequence[str]:
        desk.give(actor, arguments.call, {arguments.field: arguments.value})
        return [arguments.call]

    return _decide(arguments, act)


def undo(arguments: Namespace) -> int:
    """Take back a run."""
    return _decide(arguments, lambda desk, actor: desk.undo(actor, arguments.of_run))


def again(arguments: Namespace) -> int:
    """Fill anew."""
    call_ids = call_ids_of(arguments.calls)

    def act(desk: FillDesk, actor: Actor) -> Sequence[str]:
        desk.again(actor, call_ids)
        return call_ids

    return _decide(arguments, act)


def _decide(arguments: Namespace, act: Callable[[FillDesk, Actor], Sequence[str]]) -> int:
    """Let a person decide, bring it to the CRM, and print how the fields of the calls stand then."""
    actor = actor_of(arguments)
    with opened(arguments) as it:
        call_ids = act(FillDesk(it.ledger, it.connection), actor)
        fill(it.ledger, it.connection, call_ids)
        return _result(it, call_ids, as_json=arguments.json)


def _result(it: Opened, call_ids: Sequence[str], *, as_json: bool) -> int:
    name = it.connection.connection.name
    _print([row.to_json() for row in it.ledger.fillings.of(name, call_ids)], as_json=as_json)
    later = it.ledger.fillings.due_of(name, call_ids)
    for call_id in sorted(later):
        tell(f"{call_id}: some of its fields are filled later")
    return INCOMPLETE if later else DONE


def _print(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    for row in rows:
        say_json(row) if as_json else _show(row)
    if not as_json:
        counted = Counter(row["outcome"] for row in rows)
        say(", ".join(f"{counted[name]} {name}" for name in OUTCOMES if counted[name]) or "no fields")


def _show(row: dict[str, Any]) -> None:
    outcome = styled(f"{row['outcome']:<11}", STYLES.get(row["outcome"], "red"))
    where = f"{row['object']} {row['record_id']}" if row["record_id"] else ""
    name = styled(f"{row['template']}.{row['field']}", "bold")
    say(f"{outcome}  {row['call_id']}  {name}  {where}".rstrip())
    value = row["wanted"] if row["wanted"] is not None else row["value"]
    if value is not None:
        paragraph(f"value: {value}", indent="  ")
    told = filter(None, [REASONS.get(row["reason"]), row["detail"]])
    if reason := ": ".join(told):
        paragraph(reason, indent="  ")
    if row["passage"]:
        paragraph(f"from: {row['passage']}", indent="  ", style="dim")
    if row["run"]:
        paragraph(f"run {row['run']}", indent="  ", style="dim")
