"""What holds for every decision, over random worlds."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_world import crm
from worlds import random_world

from connector_core.association import Decision, Records, Settings, decide, wants
from connector_core.association.opportunities import TIERS
from connector_core.lookup import look_up
from connector_core.model import Call, Unknown

seeds = st.integers(0, 2**32)
settings_of = st.sampled_from(
    [
        Settings(regions=("FR",)),
        Settings(regions=("FR",), owner_filter=True, time_zone="Pacific/Auckland"),
        Settings(regions=("FR",), policy="primary_contact", windows_days=(0, 1, 60)),
    ]
)


def answered(seed: int, settings: Settings) -> tuple[list[Call], Records]:
    """Look up the calls of a random world."""
    world, raw = random_world(seed)
    calls = [Call.model_validate(call) for call in raw]
    with crm(world) as connection:
        return calls, look_up(connection, calls, settings)


def text(decision: Decision) -> str:
    return json.dumps(decision.to_json(), ensure_ascii=False)


@given(seeds, settings_of)
def test_the_same_input_gives_the_same_bytes(seed: int, settings: Settings) -> None:
    """Asked twice, looked up twice: the same decision to the letter."""
    first, second = (
        [text(decide(call, records, settings)) for call in calls]
        for calls, records in (answered(seed, settings), answered(seed, settings))
    )

    assert first == second


@given(seeds, settings_of)
def test_the_order_of_the_records_never_matters(seed: int, settings: Settings) -> None:
    """A CRM that lists its records in another order gives the same decisions, to the letter."""
    world, raw = random_world(seed)
    calls = [Call.model_validate(call) for call in raw]
    shuffled = {name: random.Random(seed).sample(rows, len(rows)) for name, rows in world.items()}  # noqa: S311 - repeatable
    results = []
    for each in (world, shuffled):
        with crm(each) as connection:
            records = look_up(connection, calls, settings)
            results.append([text(decide(call, records, settings)) for call in calls])

    assert results[0] == results[1]


@given(seeds, settings_of)
def test_outside_case_1a_the_chosen_one_is_in_the_best_tier_that_is_not_empty(seed: int, settings: Settings) -> None:
    """It is among the candidates, first in rank, and no candidate of a better tier fell behind it."""
    calls, records = answered(seed, settings)
    for decision in (decide(call, records, settings).to_json() for call in calls):
        if decision["case"] == "activity_opportunity" or decision["opportunity"] is None:
            continue
        ranked = [row for row in decision["candidates"] if row["excluded"] is None]
        best = min(TIERS.index(row["tier"]) for row in ranked)

        assert (ranked[0]["id"], ranked[0]["rank"]) == (decision["opportunity"]["id"], 1)
        assert decision["opportunity"]["tier"] == TIERS[best]


@given(seeds, settings_of, st.randoms(use_true_random=False))
def test_an_unknown_never_becomes_a_none(seed: int, settings: Settings, chance: random.Random) -> None:
    """Answers that are lost leave a decision as it is, or undecided: they never change it."""
    calls, records = answered(seed, settings)
    lost = Unknown("lost")
    damaged = replace(
        records,
        **{
            item.name: {
                key: lost if chance.random() < 0.15 else value for key, value in getattr(records, item.name).items()
            }
            for item in fields(records)
        },
    )
    for call in calls:
        before, after = decide(call, records, settings), decide(call, damaged, settings)

        assert text(after) == text(before) or (after.status == "undecided" and after.unknown)


@given(seeds, settings_of)
def test_what_is_looked_up_is_all_that_is_wanted(seed: int, settings: Settings) -> None:
    """Once nothing is wanted any more, nothing is left undecided but by the CRM."""
    calls, records = answered(seed, settings)

    assert [(bool(wants(call, records, settings)), decide(call, records, settings).status) for call in calls] == [
        (False, status)
        for status in (decide(call, records, settings).status for call in calls)
        if status != "undecided"
    ]


@given(seeds, settings_of)
def test_what_was_not_asked_is_not_known(seed: int, settings: Settings) -> None:
    """Without any answer no call is decided."""
    calls, _ = answered(seed, settings)

    assert {decide(call, Records(), settings).status for call in calls} == {"undecided"}


@pytest.mark.parametrize("name", ["people", "account", "opportunity"])
@given(seed=seeds)
def test_an_undecided_call_says_nothing_about_records(name: str, seed: int) -> None:
    """People, account and opportunity are null, and what could not be asked is named."""
    calls, _ = answered(seed, Settings())
    decisions = [decide(call, Records(), Settings()).to_json() for call in calls]

    assert all(decision[name] is None and decision["unknown"] for decision in decisions)
