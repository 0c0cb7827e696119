"""``connector sync``: decides and writes, a line a call."""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator

from connector_core import sync
from connector_core.association.explanation import in_force, reasons
from connector_core.calls import Calls, Skipped
from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, progress, say, say_json, styled, tell
from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError

OUTCOME_STYLES = {"created": "green", "updated": "green", "unchanged": "dim", "skipped": "dim", "refused": "red"}


def run(arguments: Namespace) -> int:
    """Write all calls and print what became of each, in their order."""
    config = inputs.configuration(arguments)
    connection = config.connection(arguments.connection)
    with connection.open() as opened:
        read = inputs.calls(arguments, config)
        for skipped in read.skipped:
            _show_skipped(skipped, arguments.json)
        unsettled = 0
        outcomes: Counter[str] = Counter()
        with inputs.naming(connection):
            for result in progress(_results(opened, read), len(read.calls), "calls"):
                say_json(result.to_json()) if arguments.json else show(result)
                outcomes[result.outcome] += 1
                if not result.settled:
                    unsettled += 1
                    tell(f"{result.call_id}: {result.outcome}: {result.reason or 'no reason given'}")
        if not arguments.json:
            say(", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items())) or "no calls")
            say(styled(in_force(connection.association), "dim"))
    return INCOMPLETE if unsettled or read.problems else DONE


def _results(opened: OpenConnection, read: Calls) -> Iterator[sync.SyncResult]:
    """Give the results; after an error that ends the run, the calls that were not reached are deferred."""
    results = sync.sync(
        opened.connection,
        read.calls,
        opened.association,
        meetings_as=opened.meetings_as,
        write_unmatched=opened.write_unmatched,
        sleep=_settle,
    )
    reached = 0
    try:
        for result in results:
            reached += 1
            yield result
    except ConnectorError as error:
        if not reached:
            raise
        for call in read.calls[reached:]:
            yield sync.SyncResult(call.id, "deferred", reason=f"not reached: {error}")


def _settle(seconds: float) -> None:
    """Wait until what was not answered can be looked for, and say so."""
    if seconds >= 1:
        tell(f"some writes were not answered: looking for them in {math.ceil(seconds)} s")
    time.sleep(seconds)


def show(result: sync.SyncResult) -> None:
    """Print a result for a person to read."""
    outcome = styled(f"{result.outcome:<9}", OUTCOME_STYLES.get(result.outcome, "yellow"))
    say(f"{outcome}  {styled(result.call_id, 'bold')}  {result.url or result.activity_id or ''}".rstrip())
    if result.reason:
        paragraph(result.reason, indent="  ")
    if result.decision:
        paragraph(reasons(result.decision), indent="  ", style="dim")
        for advice in result.decision.advice:
            paragraph(f"→ {advice['text']}", indent="  ", style="cyan")


def _show_skipped(skipped: Skipped, as_json: bool) -> None:
    if as_json:
        activity = {"outcome": "skipped", "id": None, "url": None, "reason": f"line {skipped.line}: {skipped.reason}"}
        say_json({"call_id": None, "decision": None, "activity": activity})
    else:
        say(f"{styled('skipped  ', 'dim')}  line {skipped.line}: {skipped.reason}")
