"""How many requests it costs to associate and write 200 calls, beside a script that goes call by call.

Both run against the sandboxes on the same SDKs, on a cold start; the count is the sandbox's own journal.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.crms.world import parse_world
from connector_core.discovery import crm
from connector_core.manifest import ConnectionInfo, load
from connector_core.model import Call
from connector_core.sync import sync
from connector_core.testing.server import SandboxServer
from tests.benchmarks import naive

CALLS = 200
GOALS = {"salesforce": 6, "hubspot": 31}
START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)
PEOPLE, CALLS_PER_PERSON = 400, 10
RANGES = ("6 39 98", "1 99 00", "2 61 91", "3 53 01", "4 65 71", "5 36 49")
"""Numbers that nobody has: France keeps these for works of fiction (Arcep, decision 2018-0881)."""


def report() -> Iterator[str]:
    """Count, for each CRM, ours and the other's."""
    world, calls = cold_start()
    for name, goal in GOALS.items():
        ours = cost(name, world, calls)
        theirs = count(name, world, lambda url, settings, name=name: naive.SCRIPTS[name](url, settings, calls))
        yield (
            f"{name}: {ours} requests for {CALLS} calls associated and written, cold (goal: at most {goal});"
            f" call by call on the same SDK: {theirs}; ratio 1 : {theirs / ours:.0f}"
        )


def cost(name: str, world: dict[str, Any], calls: list[dict[str, Any]]) -> int:
    """Count what it costs to associate and write calls."""
    return count(name, world, lambda url, settings: _sync(name, settings, calls))


def count(name: str, world: dict[str, Any], work: Callable[[str, dict[str, Any]], None]) -> int:
    """Run some work against a fresh sandbox, and count what it cost of the CRM's quota."""
    manifest = crm(name)
    sandbox = load(manifest.sandbox or "", of=name)(parse_world(world))
    with SandboxServer(sandbox) as server:
        work(server.url, sandbox.settings(server.url))
        with urllib.request.urlopen(f"{server.url}/_sandbox/journal") as answer:  # noqa: S310 - the sandbox on loopback
            return sum(entry["api_calls"] for entry in json.load(answer))


def _sync(name: str, settings: dict[str, Any], calls: list[dict[str, Any]]) -> None:
    models = [Call.model_validate(call) for call in calls]
    with bind(crm(name), settings, ConnectionInfo(name, ("FR",))) as connection:
        for result in sync(connection, models, Settings(regions=("FR",))):
            if result.outcome != "created":
                raise SystemExit(f"{name}: {result.call_id} was {result.outcome}: {result.reason}")


def cold_start(seed: int = 1, calls: int = CALLS) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Make calls, 200 unless told, of one to three guests, half phone, 8 of 10 guests known, and their CRM.

    There are 400 people, or one for each ten calls where that is more: who has many calls knows many people.
    """
    chance = random.Random(seed)  # noqa: S311 - a repeatable world, not a secret
    number_of_people = max(PEOPLE, calls // CALLS_PER_PERSON)
    companies = number_of_people * 3 // 10
    accounts = [{"id": f"A{i}", "name": f"Company {i}"} for i in range(companies)]
    users = [{"id": f"U{i}", "email": f"agent{i}@seller.example", "name": f"Agent {i}"} for i in range(10)]
    people = [
        {
            "kind": "contact",
            "id": f"C{i}",
            "name": f"First{i} Last{i}",
            "emails": [f"person{i}@company{i % companies}.example"],
            "phones": [chance.choice(["+33{} {} {}", "0{} {} {}", "0{}.{}.{}"]).format(*_digits(i))],
            "account_id": f"A{i % companies}",
        }
        for i in range(number_of_people)
    ]
    deals = [
        {
            "id": f"O{i}",
            "name": f"Deal {i}",
            "account_id": f"A{i % companies}",
            "owner_id": f"U{i % 10}",
            "created_at": (START - dt.timedelta(days=i % 100, seconds=i)).isoformat(),
            "closed_at": (START - dt.timedelta(days=i % 50)).isoformat() if i % 3 == 0 else None,
            "contact_ids": [f"C{i}"],
        }
        for i in range(number_of_people * 5 // 8)
    ]
    made = [_call(number, chance, people) for number in range(calls)]
    return {"accounts": accounts, "users": users, "people": people, "opportunities": deals}, made


def _call(number: int, chance: random.Random, people: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    phone = number % 2 == 0
    start = START + dt.timedelta(minutes=7 * number)
    guests = []
    for who in chance.sample(range(len(people)), chance.randint(1, 3)):
        known = chance.random() < 0.8
        email = people[who]["emails"][0] if known else f"stranger{number}-{who}@nowhere.example"
        digits = "".join(_digits(who, stranger=not known)).replace(" ", "")
        number_or_none = [f"+33{digits}"] if phone or chance.random() < 0.5 else []
        guests.append(
            {
                "is_user": False,
                "name": f"Guest {who}",
                "emails": [email] if not phone or chance.random() < 0.5 else [],
                "phones": number_or_none,
            }
        )
    return {
        "id": f"bench:{number}",
        "provider": "bench",
        "kind": "phone" if phone else "meeting",
        "direction": "outbound" if phone else None,
        "started_at": start.isoformat(),
        "ended_at": (start + dt.timedelta(minutes=5)).isoformat(),
        "organizer": {"email": f"agent{number % 10}@seller.example"},
        "participants": [{"is_user": True, "emails": [f"agent{number % 10}@seller.example"]}, *guests],
        "summary": "What was said.",
    }


def _digits(person: int, *, stranger: bool = False) -> tuple[str, str, str]:
    """Give a number's parts; the upper half of each range is of people whom the CRM does not know."""
    at, rest = divmod(person, 5_000)
    number = rest + 5_000 * stranger
    return RANGES[at], f"{number // 100:02}", f"{number % 100:02}"
