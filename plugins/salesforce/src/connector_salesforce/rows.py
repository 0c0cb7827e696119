"""Writing rows: sObject Collections of 200, each row with an outcome of its own.

One request creates or changes 200 records (REST API Developer Guide, "sObject Collections"); what fails is told by row, in
the order of the request. They are not put into a composite: there Salesforce reads ``@{…}`` inside a text as a reference to
another subrequest, and a call's notes may hold anything.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from simple_salesforce.exceptions import SalesforceError

from connector_core.errors import (
    ConnectorError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
)
from connector_salesforce.client import Client
from connector_salesforce.failures import NOT_EXECUTED, read_failure

AT_ONCE = 200
LOCK_TRIES = 4
LOCK_SECONDS = 1.5

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The row was written."""

    id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Salesforce refused the row; ``sentence`` is its own."""

    code: str
    sentence: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """The row was surely not written, and may be at another time."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unsure:
    """The row was sent and not answered."""

    reason: str


Outcome: TypeAlias = Done | Refused | Later | Unsure


def write(
    client: Client, method: Literal["POST", "PATCH"], records: Sequence[Record], *, sent: bool = False
) -> list[Outcome]:
    """Create (POST) or change (PATCH) records; each has ``attributes.type``, a change also ``id``.

    A row whose record another transaction holds is sent again a few times, alone with its like.

    :param sent: The caller has written before and must not lose what came of it: nothing is raised.
    :returns: An outcome for each record, in their order.
    :raises ConnectorError: What stops the very first request: nothing was written.
    """
    outcomes: dict[int, Outcome] = {}
    waiting = sorted(range(len(records)), key=lambda place: str(records[place]["attributes"]["type"]))
    for attempt in range(LOCK_TRIES):
        if attempt:
            client.policy.sleep(random.uniform(0.5, 1.0) * LOCK_SECONDS * attempt)  # noqa: S311 - spreads, hides nothing
        for batch in _batches(waiting):
            try:
                found = _send(client, method, [records[place] for place in batch])
            except ConnectorError as error:
                if not sent and not outcomes and not isinstance(error, OutcomeUnknownError | RefusedError):
                    raise
                found = [_spread(error)] * len(batch)
            outcomes |= zip(batch, found, strict=True)
        waiting = [place for place in waiting if _is_locked(outcomes[place])]
        if not waiting:
            break
    return [_settled(outcomes[place]) for place in range(len(records))]


def _batches(places: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(places), AT_ONCE):
        yield list(places[start : start + AT_ONCE])


def _send(client: Client, method: Literal["POST", "PATCH"], records: Sequence[Record]) -> list[Outcome]:
    """Send one collection. One that Salesforce cannot read as a whole is halved, to part the row that is wrong."""
    body = {"allOrNone": False, "records": list(records)}
    try:
        answer = client.call(
            "records",
            lambda sdk: sdk.restful(
                "composite/sobjects",
                method=method,
                json=body,
                repeatable=method == "PATCH",
                # Without it an update of a lead or account runs the assignment rules, and may change the owner.
                headers={"Sforce-Auto-Assign": "FALSE"},
            ),
        )
    except ContractError as error:
        if len(records) == 1:
            return [_unreadable(error)]
        middle = len(records) // 2
        return [*_half(client, method, records[:middle]), *_half(client, method, records[middle:])]
    if not isinstance(answer, list) or len(answer) != len(records):
        return [Unsure("Salesforce answered another number of rows than were sent")] * len(records)
    return [_outcome(row) for row in answer]


def _half(client: Client, method: Literal["POST", "PATCH"], records: Sequence[Record]) -> list[Outcome]:
    try:
        return _send(client, method, records)
    except ConnectorError as error:
        return [_spread(error)] * len(records)


def _unreadable(error: ContractError) -> Refused:
    """Give the refusal of a row that Salesforce cannot read, like a text in a field of dates, in its own words."""
    cause = error.__cause__
    failure = read_failure(400, cause.content if isinstance(cause, SalesforceError) else None)
    return Refused(failure.code, failure.sentence or str(error))


def _outcome(row: object) -> Outcome:
    if isinstance(row, dict) and row.get("success") is True and isinstance(row.get("id"), str):
        return Done(row["id"])
    errors = row.get("errors") if isinstance(row, dict) and row.get("success") is False else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return Unsure("Salesforce answered a row that says neither yes nor no")
    code = str(first.get("statusCode") or first.get("errorCode") or "")
    fields = first.get("fields")
    named = tuple(map(str, fields)) if isinstance(fields, list) else ()
    return Refused(code, str(first.get("message") or code), named)


def _spread(error: ConnectorError) -> Outcome:
    """Tell what the failure of a whole request means for one row of it."""
    if isinstance(error, OutcomeUnknownError):
        return Unsure(str(error))
    if isinstance(error, RefusedError):
        return Refused(error.code or "", error.sentence or str(error))
    return Later(str(error))


def _is_locked(outcome: Outcome) -> bool:
    return isinstance(outcome, Refused) and (
        outcome.code == "UNABLE_TO_LOCK_ROW" or "UNABLE_TO_LOCK_ROW" in outcome.sentence
    )


def _settled(outcome: Outcome) -> Outcome:
    """Turn refusals that pass into what may be asked again."""
    if _is_locked(outcome):
        return Later("another transaction holds the record (UNABLE_TO_LOCK_ROW)")
    if isinstance(outcome, Refused) and outcome.code in NOT_EXECUTED | {"SERVER_UNAVAILABLE"}:
        return Later(f"Salesforce cannot write it now ({outcome.code})")
    return outcome
