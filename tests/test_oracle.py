"""What the core decides is what the rules say, read a second time."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from histories import history, random_before
from hypothesis import given
from hypothesis import strategies as st
from odd_worlds import REGIONS, WINDOWS, ZONES, odd_world
from opened_world import crm
from oracle import expected
from oracle_found import Before, Rules
from worlds import random_world

from connector_core.association import NO_HISTORY, Settings, decide
from connector_core.lookup import look_up
from connector_core.model import Call

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


NOTHING: dict[str, Before] = {}


def decided(
    world: dict[str, Any], calls: list[dict[str, Any]], chosen: Rules, befores: dict[str, Before] = NOTHING
) -> list[dict[str, Any]]:
    """Let the core decide, over a file; without the texts for people."""
    histories = {call_id: history(before) for call_id, before in befores.items()}
    settings = Settings(**dataclasses.asdict(chosen))
    read = [Call.model_validate(call) for call in calls]
    with crm(world, chosen.regions, chosen.time_zone) as connection:
        records = look_up(connection, read, settings, histories)
    decisions = [decide(call, records, settings, histories.get(call.id, NO_HISTORY)) for call in read]
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


@pytest.mark.parametrize("refresh", [False, True], ids=["anew", "refreshed"])
@pytest.mark.parametrize("make", [random_world, odd_world])
@given(seed=seeds, chosen=rules)
def test_calls_with_a_past_are_decided_as_the_rules_say(make: Any, refresh: bool, seed: int, chosen: Rules) -> None:
    """So it is with choices of people, our own writing in the CRM, and decisions to refresh."""
    world, calls = make(seed)
    befores = {call["id"]: random_before(seed, world, call, chosen, refresh=refresh) for call in calls}

    found = decided(world, calls, chosen, befores)

    assert found == [expected(world, call, chosen, befores[call["id"]]) for call in calls]
