"""What the core decides is what the rules say, read a second time."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from odd_worlds import REGIONS, WINDOWS, ZONES, odd_world
from oracle import expected
from oracle_found import Rules
from worlds import random_world

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.crms import FILE
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.sync import associate

seeds = st.integers(0, 2**32)
rules = st.builds(
    Rules,
    policy=st.just("all_contacts"),
    owner_filter=st.booleans(),
    windows_days=st.sampled_from(WINDOWS),
    regions=st.sampled_from(REGIONS),
    time_zone=st.sampled_from(ZONES),
) | st.builds(
    Rules,
    policy=st.just("primary_contact"),
    windows_days=st.sampled_from(WINDOWS),
    regions=st.sampled_from(REGIONS),
    time_zone=st.sampled_from(ZONES),
)


def decided(world: dict[str, Any], calls: list[dict[str, Any]], chosen: Rules) -> list[dict[str, Any]]:
    """Let the core decide, over a file; without the texts for people."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "world.json"
        path.write_text(json.dumps(world), encoding="utf-8")
        with bind(FILE, {"path": path}, ConnectionInfo("test", chosen.regions, chosen.time_zone)) as connection:
            settings = Settings(**dataclasses.asdict(chosen))
            decisions = associate(connection, [Call.model_validate(call) for call in calls], settings)
    answers = [json.loads(json.dumps(decision.to_json())) for decision in decisions]
    for answer in answers:
        del answer["explanation"], answer["advice"]
        for guest in answer["unmatched"]:
            del guest["detail"]
    return answers


@given(seeds, rules)
def test_random_worlds_are_decided_as_the_rules_say(seed: int, chosen: Rules) -> None:
    """In crowded worlds full of near misses every key of every decision is what the rules ask for."""
    world, calls = random_world(seed)

    assert decided(world, calls, chosen) == [expected(world, call, chosen) for call in calls]


@given(seeds, rules)
def test_odd_worlds_are_decided_as_the_rules_say(seed: int, chosen: Rules) -> None:
    """So it is among ties, chains of leads, bounds to the microsecond, odd names and far time zones."""
    world, calls = odd_world(seed)

    assert decided(world, calls, chosen) == [expected(world, call, chosen) for call in calls]
