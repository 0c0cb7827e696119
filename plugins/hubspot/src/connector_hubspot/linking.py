"""Associates records that exist already, and takes associations off: twice does what once does (guide to associations).

An association that is made is of the plain type. One that is taken off goes whole, whatever labels it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from connector_core.errors import OutcomeUnknownError
from connector_hubspot.client import HubSpotClient
from connector_hubspot.failures import BatchRefusedError, errors_of, problems_of
from connector_hubspot.reading import cut, survivor

_INPUTS = 1000
_GONE = re.compile(r"=(\d+) is not valid")


class Pair(NamedTuple):
    """An association, by the ids of both records."""

    start: str
    end: str


def link(client: HubSpotClient, start: str, end: str, pairs: Sequence[Pair]) -> dict[Pair, str]:
    """Associate each pair.

    One with a record that was merged away is made with the one that is left.

    :returns: What was refused, and why; to a record that is gone nothing can be associated, which is no refusal.
    :raises OutcomeUnknownError: The answer does not say what was done.
    """
    failed, gone = _link_all(client, start, end, pairs)
    left = {pair: heir for pair in pairs if pair.end in gone and (heir := survivor(client, end, pair.end))}
    instead = {pair: Pair(pair.start, heir) for pair, heir in left.items()}
    refused, _ = _link_all(client, start, end, list(dict.fromkeys(instead.values())))
    return failed | {pair: refused[other] for pair, other in instead.items() if other in refused}


def _link_all(client: HubSpotClient, start: str, end: str, pairs: Sequence[Pair]) -> tuple[dict[Pair, str], set[str]]:
    """Associate each pair; give what was refused, and the ids of what is gone."""
    failed: dict[Pair, str] = {}
    gone: set[str] = set()
    for chunk in cut(pairs, _INPUTS):
        failed |= _link(client, start, end, chunk, gone)
    return failed, gone


def unlink(client: HubSpotClient, start: str, end: str, pairs: Sequence[Pair]) -> dict[Pair, str]:
    """Take the association of each pair off; one that is not there is off already.

    :returns: What was refused, and why.
    :raises OutcomeUnknownError: HubSpot does not say what was done.
    """
    failed: dict[Pair, str] = {}
    for chunk in cut(pairs, _INPUTS):
        failed |= _unlink(client, start, end, chunk)
    return failed


def _unlink(client: HubSpotClient, start: str, end: str, pairs: Sequence[Pair]) -> dict[Pair, str]:
    ends: dict[str, list[dict[str, str]]] = {}
    for pair in pairs:
        ends.setdefault(pair.start, []).append({"id": pair.end})
    body = {"inputs": [{"from": {"id": key}, "to": others} for key, others in ends.items()]}
    try:
        answer = client.post("/crm/associations/{version}/{start}/{end}/batch/archive", body, start=start, end=end)
    except BatchRefusedError as error:
        if len(pairs) == 1:
            return {} if _GONE.search(error.sentence or "") else {pairs[0]: error.sentence or str(error)}
        middle = len(pairs) // 2
        return _unlink(client, start, end, pairs[:middle]) | _unlink(client, start, end, pairs[middle:])
    if not isinstance(answer.get("results"), list):
        raise OutcomeUnknownError("HubSpot's answer does not say what was taken off")
    problems = [problem for entry in errors_of(answer) for problem in problems_of(entry)]
    others = [it for it in problems if not _GONE.search(it.sentence)]
    if not others:
        return {}
    named = {key for it in others for key in it.ids}
    return {pair: others[0].sentence for pair in pairs if not named or named & set(pair)}


def _link(client: HubSpotClient, start: str, end: str, pairs: Sequence[Pair], gone: set[str]) -> dict[Pair, str]:
    body = {"inputs": [{"from": {"id": pair.start}, "to": {"id": pair.end}} for pair in pairs]}
    try:
        answer = client.post(
            "/crm/associations/{version}/{start}/{end}/batch/associate/default", body, start=start, end=end
        )
    except BatchRefusedError as error:
        if len(pairs) == 1:
            found = _GONE.search(error.sentence or "")
            gone |= {found.group(1)} if found else set()
            return {} if found else {pairs[0]: error.sentence or str(error)}
        middle = len(pairs) // 2
        return _link(client, start, end, pairs[:middle], gone) | _link(client, start, end, pairs[middle:], gone)
    results = answer.get("results")
    if not isinstance(results, list):
        raise OutcomeUnknownError("HubSpot's answer does not say what was associated")
    sentences = [problem.sentence for entry in errors_of(answer) for problem in problems_of(entry)]
    gone |= {found.group(1) for sentence in sentences if (found := _GONE.search(sentence))}
    others = [sentence for sentence in sentences if not _GONE.search(sentence)]
    if not others:
        return {}
    made = {_pair(result) for result in results if isinstance(result, dict)}
    return {pair: others[0] for pair in pairs if pair not in made and not gone & set(pair)}


def _pair(result: Mapping[str, Any]) -> Pair:
    """Read which association a result is: both of its forms were recorded or documented."""

    def end(name: str) -> str:
        inner = result.get(name)
        return str(inner.get("id") if isinstance(inner, Mapping) else result.get(f"{name}ObjectId"))

    return Pair(end("from"), end("to"))
