"""``connector demo``: the whole job on this machine alone, on a seeded sandbox."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from connector_core import discovery, sync
from connector_core.association import Settings
from connector_core.association.explanation import reasons
from connector_core.calls import read_calls
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.crms.world import World, read_world
from connector_core.errors import ConfigurationError
from connector_core.manifest import load
from connector_core.model import Call
from connector_core.testing.demo import DEMO_CALLS, DEMO_REGIONS, DEMO_WORLD
from connector_core.testing.server import SandboxServer

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not know this machine's loopback
_INDENT = " " * 13

T = TypeVar("T")
Records: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A seeded CRM. ``names``: its ids of the seed's records, with what people call those."""

    crm: str
    title: str
    settings: Mapping[str, Any]
    names: Mapping[str, str]
    records: Callable[[], Records]
    api_calls: Callable[[], int | None]


@dataclass(frozen=True, slots=True)
class Run:
    """One sync of all calls. ``records``: what the CRM holds afterwards; ``written``: those that are new or changed.

    ``added``: how many there are more than before, by object.
    """

    number: int
    results: Sequence[sync.SyncResult]
    records: Records
    written: Records
    added: Mapping[str, int]
    api_calls: int | None


def run(arguments: Namespace) -> int:
    """Show one CRM, or Salesforce and then HubSpot."""
    with DEMO_CALLS.open("rb") as lines:
        calls = read_calls(lines).calls
    shown = [
        _show(crm, calls, arguments.json) for crm in ([arguments.crm] if arguments.crm else ["salesforce", "hubspot"])
    ]
    return DONE if all(shown) else INCOMPLETE


def _show(crm: str, calls: Sequence[Call], as_json: bool) -> bool:
    """Sync the calls twice; tell whether all were written once, and none twice."""
    with _stage(crm) as stage, _connection(stage).open() as opened:
        first = _sync(stage, opened, calls, 1)
        second = _sync(stage, opened, calls, 2)
    if as_json:
        _print_json(stage, first)
        _print_json(stage, second)
    else:
        _print(stage, calls, first, second)
    unsettled = [result for done in (first, second) for result in done.results if not result.settled]
    for result in unsettled:
        tell(f"{stage.title}: {result.call_id}: {result.outcome}: {result.reason or 'no reason given'}")
    if second.written:
        tell(f"{stage.title}: the second sync wrote {', '.join(second.written)}")
    return not unsettled and not second.written


def _connection(stage: Stage) -> ConnectionConfig:
    return ConnectionConfig(f"demo-{stage.crm}", stage.crm, stage.settings, Settings(regions=DEMO_REGIONS))


def _sync(stage: Stage, opened: OpenConnection, calls: Sequence[Call], number: int) -> Run:
    before, spent = stage.records(), stage.api_calls()
    results = list(sync.sync(opened.connection, calls, opened.association))
    records, spent_now = stage.records(), stage.api_calls()
    written = {name: [row for row in rows if row not in before.get(name, ())] for name, rows in records.items()}
    added = {name: len(rows) - len(before.get(name, ())) for name, rows in records.items()}
    cost = None if spent is None or spent_now is None else spent_now - spent
    return Run(number, results, records, _filled(written), _filled(added), cost)


def _filled(by_object: Mapping[str, T]) -> dict[str, T]:
    return {name: value for name, value in by_object.items() if value}


# -- the CRMs ----------------------------------------------------------------------------------------------------------


@contextmanager
def _stage(crm: str) -> Iterator[Stage]:
    manifest = discovery.crm(crm)
    world = read_world(DEMO_WORLD)
    if crm == "file":
        with tempfile.TemporaryDirectory() as directory:
            path = Path(shutil.copy(DEMO_WORLD, directory))
            yield Stage(crm, manifest.title, {"path": str(path)}, _names(world), lambda: _read(path), lambda: None)
        return
    if manifest.sandbox is None:
        raise ConfigurationError(f"{crm} has no sandbox to show it on")
    with SandboxServer(load(manifest.sandbox, of=f"plugin {crm}")(world)) as server:

        def get(name: str) -> Any:
            with _DIRECT.open(f"{server.url}/_sandbox/{name}") as answer:
                return json.load(answer)

        ids = get("ids")
        names = {ids[seed]: name for seed, name in _names(world).items() if seed in ids}
        yield Stage(
            crm,
            manifest.title,
            server.settings,
            names,
            lambda: get("records"),
            lambda: sum(entry["api_calls"] for entry in get("journal")),
        )


def _names(world: World) -> dict[str, str]:
    lists = (world.accounts, world.users, world.people, world.opportunities)
    return {record.id: record.name or record.id for records in lists for record in records}


def _read(path: Path) -> Records:
    records: Records = json.loads(path.read_bytes())
    return records


# -- for programs ------------------------------------------------------------------------------------------------------


def _print_json(stage: Stage, done: Run) -> None:
    for result in done.results:
        say_json({"crm": stage.crm, "run": done.number, **result.to_json()})
    say_json(
        {
            "crm": stage.crm,
            "run": done.number,
            "outcomes": Counter(result.outcome for result in done.results),
            "added": done.added,
            "api_calls": done.api_calls,
            "written": done.written,
        }
    )


# -- for people --------------------------------------------------------------------------------------------------------


def _print(stage: Stage, calls: Sequence[Call], first: Run, second: Run) -> None:
    say(styled(f"{stage.title}: {len(calls)} calls, on this machine alone", "bold"))
    say()
    for call, result in zip(calls, first.results, strict=True):
        _print_result(stage, call, result, first.records)
    say(f"{styled('Written', 'bold')}    {_outcomes(first)}; new records: {_counted(first.added)}{_cost(first)}")
    again = styled(f"written: {', '.join(second.written)}", "red") if second.written else styled("nothing new", "green")
    say(f"{styled('Once more', 'bold')}  {_outcomes(second)}; {again}{_cost(second)}")
    say()


def _print_result(stage: Stage, call: Call, result: sync.SyncResult, records: Records) -> None:
    mark = styled(f"✓ {result.outcome:<9}", "green") if result.settled else styled(f"✗ {result.outcome:<9}", "red")
    what = f"{'phone call' if call.kind == 'phone' else 'meeting'}, {call.started_at:%Y-%m-%d %H:%M}"
    say(f"{mark}  {styled(call.id, 'bold')}  {styled(what, 'dim')}")
    if result.decision:
        paragraph(reasons(result.decision), indent=_INDENT, label="why  ")
    if result.reason:
        paragraph(result.reason, indent=_INDENT, label="but  ")
    held = _held(stage, result, records)
    if held:
        paragraph(held, indent=_INDENT, label="now  ", style="cyan")
    say()


def _held(stage: Stage, result: sync.SyncResult, records: Records) -> str | None:
    """Describe the activity as the CRM holds it: what it is linked to, and what it can be recognised by."""
    rows = [(name, row) for name, listed in records.items() for row in listed]
    own = next(((name, row) for name, row in rows if result.activity_id in _id(row)), None)
    if own is None or result.activity_id is None:
        return None
    facts = _facts(stage, result.call_id, own[1])
    named = {name for names in facts.values() for name in names}
    for name, row in rows:
        if (
            result.activity_id in dict(_values(row)).values()
            and row is not own[1]
            and not _id(row) & stage.names.keys()
        ):
            facts.setdefault(name, []).extend(sorted(_known(stage, row) - named))
    told = [f"{place} {', '.join(names)}" for place, names in facts.items() if names]
    return " · ".join([f"{own[0]} {result.activity_id}", *told])


def _facts(stage: Stage, call_id: str, row: Mapping[str, Any]) -> dict[str, list[str]]:
    facts: dict[str, list[str]] = {}
    for place, value in _values(row):
        if value in stage.names or value == call_id:
            facts.setdefault(place, []).append(stage.names.get(value, value))
    if [call_id] not in facts.values():
        reference = f"ref: {call_id}"
        places = [place for place, value in _values(row) if reference in value]
        facts |= {place: [f"“… {reference}”"] for place in places[:1]}
    return facts


def _known(stage: Stage, row: Mapping[str, Any]) -> set[str]:
    return {stage.names[value] for _, value in _values(row) if value in stage.names}


def _id(row: Mapping[str, Any]) -> set[Any]:
    return {row.get("Id"), row.get("id")}


def _values(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Give each text in a record, with the name of the field that it stands in."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _values(inner, place if place and key in {"id", "results"} else key)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from _values(inner, place)


def _outcomes(done: Run) -> str:
    return _counted(Counter(result.outcome for result in done.results))


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def _cost(done: Run) -> str:
    return "" if done.api_calls is None else f"; {done.api_calls} API calls"
