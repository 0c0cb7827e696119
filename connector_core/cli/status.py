"""``connector status``: how connections stand."""

from __future__ import annotations

from argparse import Namespace

from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled
from connector_core.ledger.overview import Overview, read_overview


def run(arguments: Namespace) -> int:
    """Print how each connection of the configuration stands, or the one that was named; one that is paused is not done."""
    config = inputs.file(arguments.config)
    names = [config.connection(arguments.connection).name] if arguments.connection else list(config.connections)
    with inputs.ledger(config, arguments) as ledger:
        known = read_overview(ledger.database)
    for name in names:
        it = known.get(name) or Overview(name)
        say_json(it.to_json()) if arguments.json else _show(it)
    if not arguments.connection:
        inputs.tell_abandoned(config, known)
    return INCOMPLETE if any(known[name].paused_at for name in names if name in known) else DONE


def _show(it: Overview) -> None:
    states = ", ".join(f"{number:,} {state}" for state, number in it.states.items())
    say(f"{styled(it.connection, 'bold')}  {states}")
    if it.refused:
        paragraph(f"{it.refused:,} of the waiting ones are refused by the CRM", indent="  ")
    if it.not_read:
        paragraph(f"{it.not_read:,} announced by call providers could not be read: {it.not_read_reason}", indent="  ")
    if it.to_read:
        paragraph(f"{it.to_read:,} announced by call providers are still to be read", indent="  ")
    for problem in it.failing:
        paragraph(problem, indent="  ", label="wrong at a call provider: ")
    paragraph(f"{it.written_today:,} written today", indent="  ")
    if it.oldest_due_at is not None:
        paragraph(f"{it.oldest_due_at.isoformat(timespec='seconds')}", indent="  ", label="due since: ")
    if it.paused_at is not None:
        since = it.paused_at.isoformat(timespec="seconds")
        paragraph(f"since {since}: {it.paused_reason}. {inputs.resuming(it.connection)}", indent="  ", label="paused: ")
    if it.backfill_until is not None:
        until = it.backfill_until.isoformat(timespec="seconds")
        paragraph(f"until {until}: {it.backfill_reason}", indent="  ", label="backfill held back: ")
    per_call = "" if it.requests_per_call is None else f", {it.requests_per_call:.3g} a call"
    paragraph(
        f"{it.requests:,} requests, {it.seconds:,.1f} s waited for answers{per_call}", indent="  ", label="cost: "
    )
    if it.quota_at is not None:
        at = it.quota_at.isoformat(timespec="seconds")
        paragraph(f"{it.quota_left:,} of {it.quota_limit:,} left, told {at}", indent="  ", label="quota: ")
    if it.worked_on_by is not None:
        paragraph(it.worked_on_by, indent="  ", label="worked on now by: ")
