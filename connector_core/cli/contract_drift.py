"""``connector contract-drift``: what changed in an account since the cassettes were recorded. It writes nothing there."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from connector_core import discovery
from connector_core.cli import inputs
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.errors import ConfigurationError, TryAgainError

if TYPE_CHECKING:
    from connector_core.testing.cassettes import Difference
    from connector_core.testing.contract.drifting import Compared, DriftCheck


def run(arguments: Namespace) -> int:
    """Send the look-ups of the contract to an account, and print what changed, a line each.

    :raises ConfigurationError: The extra is not installed, there is no such connection, or there are no cassettes.
    """
    connection = inputs.configuration(arguments).connection(arguments.connection)
    with connection.open(), ExitStack() as opened:
        if connection.token_store(opened):
            raise ConfigurationError(
                f"connection {connection.name}: keeps its tokens in a store, which this command leaves alone: use a"
                " connection with a token of its own"
            )
    try:
        from connector_core.testing.cassettes import CassetteError
        from connector_core.testing.contract.drifting import DriftCheck
    except ImportError as error:
        raise ConfigurationError(
            f"contract-drift needs the extra testing ({error.name} is missing): pip install 'connector-core[testing]'"
        ) from error
    manifest = discovery.crm(connection.crm)
    check = DriftCheck(manifest, connection.resolved(manifest), arguments.cassettes)
    try:
        with inputs.naming(connection):
            return _told(check.run(), check, arguments.json)
    except (CassetteError, TryAgainError) as error:
        raise ConfigurationError(f"connection {connection.name}: {error}") from error


def _told(results: Iterable[Compared], check: DriftCheck, as_json: bool) -> int:
    clauses = drifted = 0
    for result in results:
        if result.why_not:
            tell(f"{result.clause}: not compared: {result.why_not}")
            continue
        clauses += 1
        drifted += bool(result.differences)
        for each in result.differences:
            _say_json(result.clause, each) if as_json else paragraph(str(each), indent="", label=f"{result.clause}  ")
    if not check.holds_world:
        tell("the account does not hold the contract's world: forms and refusals were compared, values were not")
    if not as_json:
        outcome = styled(f"{drifted} drifted", "red") if drifted else styled("nothing changed", "green")
        say(f"{clauses} clauses compared, {outcome}")
    return INCOMPLETE if drifted else DONE


def _say_json(clause: str, each: Difference) -> None:
    say_json(
        {
            "clause": clause,
            "change": each.change,
            "request": each.request,
            "path": each.place,
            "was": each.old or None,
            "is": each.new or None,
        }
    )
