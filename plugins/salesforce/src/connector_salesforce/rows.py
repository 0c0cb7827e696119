"""Writing rows: sObject Collections of 200, each row with an outcome of its own.

One request creates or changes 200 records (REST API Developer Guide, "sObject Collections"); what fails is told by row, in
the order of the request.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError

from connector_core.errors import (
    ConnectorError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
)
from connector_salesforce.client import QUERIES_AT_ONCE, Client
from connector_salesforce.failures import HELD, TOO_MUCH, Failure, read_failure

AT_ONCE = 200
LOCK_TRIES = 4
LOCK_SECONDS = 1.0
FEWER = 4
"""A collection that is sent again has so many times fewer rows than the one before."""

Record: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The row was written."""

    id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Salesforce refused the row; ``sentence`` is its own, and ``fields`` are those that it blames."""

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
    client: Client,
    method: Literal["POST", "PATCH"],
    records: Sequence[Record],
    *,
    first: Sequence[Outcome] = (),
    sent: bool = False,
) -> list[Outcome]:
    """Create (POST) or change (PATCH) records; each has ``attributes.type``, a change also ``id``.

    A row whose record another transaction holds is sent again a few times, alone with its like; so is one that a trigger
    of the org could not cope with among so many, in ever smaller collections.

    :param first: What came of them when they were sent already: only those that were held are sent again.
    :param sent: The caller has written before and must not lose what came of it: nothing is raised.
    :returns: An outcome for each record, in their order.
    :raises ConnectorError: What stops the very first request: nothing was written.
    """
    outcomes = dict(enumerate(first))
    waiting = [place for place in _by_type(records) if place not in outcomes or may_pass(outcomes[place])]
    for attempt in range(bool(first), LOCK_TRIES):
        if attempt and waiting:
            client.policy.rest(LOCK_SECONDS * attempt)
        most = AT_ONCE // FEWER**attempt
        for start in range(0, len(waiting), most):
            batch = waiting[start : start + most]
            try:
                found = _send(client, method, [records[place] for place in batch])
            except ConnectorError as error:
                if not sent and not outcomes and not isinstance(error, OutcomeUnknownError | RefusedError):
                    raise
                found = [spread(error)] * len(batch)
            outcomes |= zip(batch, found, strict=True)
        waiting = [place for place in waiting if may_pass(outcomes[place])]
    return [settled(outcomes[place]) for place in range(len(records))]


def delete(client: Client, ids: Sequence[str]) -> list[Outcome]:
    """Delete records; one that is gone already is as good as deleted. Nothing is raised.

    :returns: An outcome for each, in their order.
    """
    order = sorted(range(len(ids)), key=lambda place: ids[place])  # by type, as the first characters tell it
    outcomes: dict[int, Outcome] = {}
    for start in range(0, len(order), AT_ONCE):
        batch = order[start : start + AT_ONCE]
        asked = {"ids": ",".join(ids[place] for place in batch), "allOrNone": "false"}
        try:
            found = _read(client.call("records", functools.partial(_delete, asked)), len(batch))
        except ConnectorError as error:
            found = [spread(error)] * len(batch)
        outcomes |= zip(batch, found, strict=True)
    return [_gone(settled(outcomes[place]), ids[place]) for place in range(len(ids))]


def create_with(
    client: Client, records: Sequence[Record], relations: Sequence[tuple[int, str, Record]]
) -> tuple[list[Outcome], dict[int, Outcome]]:
    """Create records, and relations to them, in one API call, as far as that can be done.

    :param relations: For each the place of its record, the column that takes its id, and the rest.
    :returns: What came of the records, and of relations by their place; nothing where they are to be sent on their own:
        too many, a text that a composite would take for a reference, or a relation to a record that was refused, which
        takes all relations with it.
    """
    most = AT_ONCE * (QUERIES_AT_ONCE - 1)
    if not relations or len(relations) > most or len(records) > AT_ONCE or "@{" in json.dumps(records):
        return [], {}
    order = _by_type(records)
    number_of = {place: number for number, place in enumerate(order)}
    further: list[Record] = [{**it, column: f"@{{new[{number_of[place]}].id}}"} for place, column, it in relations]
    related = _by_type(further)
    parts = [related[start : start + AT_ONCE] for start in range(0, len(related), AT_ONCE)]
    batches = [[records[place] for place in order], *([further[place] for place in part] for part in parts)]
    try:
        answers = client.composite(_subrequests(client, batches), reads=False)
    except OutcomeUnknownError as error:
        return [Unsure(str(error))] * len(records), {}
    created = dict(zip(order, _outcomes(answers[0], len(records)), strict=False))
    known = [(part, _outcomes(answer, len(part))) for part, answer in zip(parts, answers[1:], strict=True)]
    return [created[place] for place in sorted(created)], {
        place: outcome for part, outcomes in known for place, outcome in zip(part, outcomes, strict=False)
    }


def _subrequests(client: Client, batches: Sequence[Sequence[Record]]) -> list[Record]:
    """Make subrequests of collections; the first is called ``new``."""
    names = ["new", *(f"related{number}" for number in range(len(batches) - 1))]
    return [
        {"method": "POST", "referenceId": name, "url": f"{client.root}/composite/sobjects", "body": _body(batch)}
        for name, batch in zip(names, batches, strict=True)
    ]


def _by_type(records: Sequence[Record]) -> list[int]:
    """Order records by type: a collection may change from one to another ten times at most."""
    return sorted(range(len(records)), key=lambda place: str(records[place]["attributes"]["type"]))


def _outcomes(answer: tuple[int, Any], count: int) -> list[Outcome]:
    """Read what came of a collection inside a composite; nothing where it was refused whole, and not executed."""
    status, body = answer
    if status >= 500:
        return [Unsure(f"Salesforce answered {status}")] * count
    if status >= 300:
        return []
    return _read(body, count)


def _read(body: Any, count: int) -> list[Outcome]:
    if not isinstance(body, list) or len(body) != count:
        return [Unsure("Salesforce answered another number of rows than were sent")] * count
    return [_outcome(row) for row in body]


def _body(records: Sequence[Record]) -> Record:
    return {"allOrNone": False, "records": list(records)}


def _send(client: Client, method: Literal["POST", "PATCH"], records: Sequence[Record]) -> list[Outcome]:
    """Send one collection. One that Salesforce cannot read as a whole is halved, to part the row that is wrong."""
    try:
        answer = client.call(
            "records",
            lambda sdk: sdk.restful(
                "composite/sobjects",
                method=method,
                json=_body(records),
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
    return _read(answer, len(records))


def _delete(asked: dict[str, str], sdk: Salesforce) -> Any:
    return sdk.restful("composite/sobjects", params=asked, method="DELETE", repeatable=True)


def _gone(outcome: Outcome, record: str) -> Outcome:
    gone = isinstance(outcome, Refused) and outcome.code in ("ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY")
    return Done(record) if gone else outcome


def _half(client: Client, method: Literal["POST", "PATCH"], records: Sequence[Record]) -> list[Outcome]:
    try:
        return _send(client, method, records)
    except ConnectorError as error:
        return [spread(error)] * len(records)


def _unreadable(error: ContractError) -> Refused:
    """Give the refusal of a row that Salesforce cannot read, like a text in a field of dates, in its own words."""
    cause = error.__cause__
    failure = read_failure(400, cause.content if isinstance(cause, SalesforceError) else None)
    return Refused(failure.code, failure.told or str(error), failure.blamed)


def _outcome(row: object) -> Outcome:
    if isinstance(row, dict) and row.get("success") is True and isinstance(row.get("id"), str):
        return Done(row["id"])
    errors = row.get("errors") if isinstance(row, dict) and row.get("success") is False else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return Unsure("Salesforce answered a row that says neither yes nor no")
    failure = read_failure(400, first)
    return Refused(failure.code, failure.told or failure.code, failure.blamed)


def spread(error: ConnectorError) -> Outcome:
    """Tell what the failure of a whole request means for one row of it."""
    if isinstance(error, OutcomeUnknownError):
        return Unsure(str(error))
    if isinstance(error, RefusedError):
        return Refused(error.code or "", error.sentence or str(error), (error.field,) if error.field else ())
    return Later(str(error))


def may_pass(outcome: Outcome) -> bool:
    """Tell whether a row is sent again at once."""
    said = f"{outcome.code} {outcome.sentence}" if isinstance(outcome, Refused) else ""
    return HELD in said or TOO_MUCH in said


def settled(outcome: Outcome) -> Outcome:
    """Turn refusals that pass into what may be asked again; of an exception it is not known how far the row came."""
    if not isinstance(outcome, Refused) or not Failure(400, outcome.code, outcome.sentence).passes:
        return outcome
    told = f"Salesforce cannot write it now ({outcome.code}): {outcome.sentence}"
    return Unsure(told) if outcome.code == "UNKNOWN_EXCEPTION" else Later(told)
