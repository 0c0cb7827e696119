"""Random pasts of a call: what people chose, what we wrote, how it was decided in a CRM that has changed since."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, TypeAlias

from oracle import expected
from oracle_found import Before, Found, Rules

from connector_core.association import Choice, Choices, Earlier, History
from connector_core.model import Written

Record: TypeAlias = dict[str, Any]
AT = "2026-03-03T10:00:00+00:00"


def history(before: Before) -> History:
    """Give the core what the oracle is given."""
    choices = [Choice(**{**row, "at": dt.datetime.fromisoformat(row["at"])}) for row in before.manual]
    written = before.written and Written(**{**before.written, "person_ids": tuple(before.written["person_ids"])})
    return History(
        Choices.of(choices), written or None, Earlier.from_json(before.earlier) if before.earlier is not None else None
    )


def random_before(seed: int, world: Record, call: Record, rules: Rules, *, refresh: bool) -> Before:
    """Give a past of a call: choices of records that are there, gone or cleared; our writing in one of its activities."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable past, not a secret
    manual = tuple(_manual(chance, world, call))
    earlier = None
    if refresh:
        earlier = expected(_changed(chance, world), call, rules, Before(_some(chance, manual)))
    return Before(manual, _written(chance, world, call, rules, manual), earlier)


def _some(chance: random.Random, rows: tuple[Record, ...]) -> tuple[Record, ...]:
    return tuple(row for row in rows if chance.random() < 0.5)


def _manual(chance: random.Random, world: Record, call: Record) -> list[Record]:
    share = chance.choice([0, 0.2, 0.5])
    guests = [place for place, who in enumerate(call["participants"]) if not who["is_user"]]
    targets: list[tuple[str, int | None, str]] = [("contact", place, "people") for place in guests]
    targets += [("account", None, "accounts"), ("opportunity", None, "opportunities")]
    return [
        {"what": what, "participant": place, "id": _any_id(chance, world[records]), "by": "Ada", "at": AT}
        for what, place, records in targets
        if chance.random() < share
    ]


def _any_id(chance: random.Random, records: list[Record]) -> str | None:
    return chance.choice([None, "gone", *(record["id"] for record in records)])


def _written(
    chance: random.Random, world: Record, call: Record, rules: Rules, manual: tuple[Record, ...]
) -> Record | None:
    """Write in an activity that the CRM gives for the call: all of what it names, some of it, or something else."""
    found = Found(world, call, rules, Before(manual))
    ours = [one for one in found.activities if found.key(one) == call["id"] or found.looks_alike(one)]
    if not ours or chance.random() < 0.2:
        return None
    activity = chance.choice(ours)
    people = [person_id for person_id in activity.get("person_ids") or [] if chance.random() < 0.7]
    extra = _any_id(chance, world["people"]) if chance.random() < 0.3 else None
    return {
        "activity_id": activity["id"],
        "kind": activity["kind"],
        "person_ids": [*people, *([extra] if extra else [])],
        "account_id": activity.get("account_id") if chance.random() < 0.6 else _any_id(chance, world["accounts"]),
        "opportunity_id": activity.get("opportunity_id")
        if chance.random() < 0.6
        else _any_id(chance, world["opportunities"]),
    }


def _changed(chance: random.Random, world: Record) -> Record:
    """Give the world as it was before: without some of its records, and with other accounts."""
    share = chance.choice([0, 0.1, 0.3])
    before = {name: [row for row in rows if chance.random() >= share] for name, rows in world.items()}
    accounts = [record["id"] for record in world["accounts"]]
    for name in ("people", "opportunities"):
        before[name] = [
            {**row, "account_id": chance.choice([None, *accounts])} if chance.random() < share else row
            for row in before[name]
        ]
    return before
