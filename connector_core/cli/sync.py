"""``connector sync``: decides and writes, a line a call."""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Sequence

from connector_core.association.explanation import in_force
from connector_core.calls import Skipped
from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.config import OpenConnection
from connector_core.ledger.calls import Standing
from connector_core.ledger.ledger import Ledger
from connector_core.settling import fill_now, sync_settled

OUTCOME_STYLES = {"created": "green", "updated": "green", "unchanged": "dim", "skipped": "dim", "refused": "red"}


def run(arguments: Namespace) -> int:
    """Write all calls and print what became of each, in their order."""
    config = inputs.configuration(arguments)
    connection = config.connection(arguments.connection)
    with connection.open() as opened, inputs.ledger(config, arguments) as ledger:
        read = inputs.calls(arguments, config)
        for skipped in read.skipped:
            _show_skipped(skipped, arguments.json)
        with inputs.naming(connection, ledger):
            results = sync_settled(ledger, opened, read.calls, sleep=wait)
            settled = report(results, as_json=arguments.json, unread=len(read.problems))
            fill(ledger, opened, [call.id for call in read.calls])
        if not arguments.json:
            say(styled(in_force(connection.association), "dim"))
    return DONE if settled and not read.problems else INCOMPLETE


def report(results: Iterable[Standing], *, as_json: bool, unread: int = 0) -> bool:
    """Print what became of each call; those that wait are named on standard error.

    :param unread: Lines that were no calls.
    :returns: Whether all have settled.
    """
    settled = True
    outcomes: Counter[str] = Counter()
    for result in results:
        say_json(result.to_json()) if as_json else show(result)
        outcomes[result.outcome or ""] += 1
        if not result.settled:
            settled = False
            tell(f"{result.call_id}: {result.outcome}: {result.reason or 'no reason given'}")
    if not as_json:
        counted = [f"{number} {outcome}" for outcome, number in sorted(outcomes.items())] or ["no calls"]
        say(", ".join(counted + inputs.unread(unread)))
    return settled


def fill(ledger: Ledger, opened: OpenConnection, call_ids: Sequence[str]) -> None:
    """Fill the CRM's fields from calls by the templates that are published; what keeps it from that is told."""
    ran = fill_now(ledger, opened, call_ids)
    if ran.trouble is not None:
        tell(f"some fields are filled later: {ran.trouble}")


def wait(seconds: float) -> None:
    """Wait until what was not answered can be looked for, and say so."""
    if seconds >= 1:
        tell(f"some writes were not answered: looking for them in {math.ceil(seconds)} s")
    time.sleep(seconds)


def show(result: Standing) -> None:
    """Print a result for a person to read."""
    name = result.outcome or result.state
    outcome = styled(f"{name:<9}", OUTCOME_STYLES.get(name, "yellow"))
    say(f"{outcome}  {styled(result.call_id, 'bold')}  {result.url or result.activity_id or ''}".rstrip())
    if result.reason:
        paragraph(result.reason, indent="  ")
    if result.decision:
        paragraph(result.decision["explanation"], indent="  ", style="dim")
        if result.owner and result.outcome == "created":
            say(styled(f"  {result.owner}", "dim"))
        for advice in result.decision["advice"]:
            paragraph(f"→ {advice['text']}", indent="  ", style="cyan")


def _show_skipped(skipped: Skipped, as_json: bool) -> None:
    if as_json:
        activity = {"outcome": "skipped", "id": None, "url": None, "reason": f"line {skipped.line}: {skipped.reason}"}
        say_json({"call_id": None, "decision": None, "activity": activity})
    else:
        say(f"{styled('skipped  ', 'dim')}  line {skipped.line}: {skipped.reason}")
