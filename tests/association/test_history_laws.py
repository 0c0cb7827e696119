"""What holds for every decision of a call with a past, over random worlds and pasts."""

from __future__ import annotations

import json
import random
from dataclasses import fields, replace
from typing import Any

from histories import history, random_before
from hypothesis import given
from hypothesis import strategies as st
from opened_world import crm
from oracle_found import Rules
from worlds import random_world

from connector_core.association import Decision, Earlier, History, Records, Settings, decide, wants
from connector_core.lookup import look_up
from connector_core.model import Call, Unknown

seeds = st.integers(0, 2**32)
rules_of = st.sampled_from(
    [
        Rules(regions=("FR",)),
        Rules(regions=("FR",), owner_filter=True),
        Rules(regions=("FR",), policy="primary_contact", windows_days=(0, 1, 60)),
    ]
)
TOLD = ("candidates", "explanation", "advice")
"""What a decision says of opportunities that were not chosen: with an account, those of others fall out."""


def settings_of(rules: Rules) -> Settings:
    return Settings(rules.policy, rules.owner_filter, rules.windows_days, rules.regions)  # type: ignore[arg-type]


def past(seed: int, rules: Rules, *, refresh: bool) -> tuple[dict[str, Any], Call, History]:
    """Give a world, a call of it, and what is known of that call from before."""
    world, raw = random_world(seed)
    before = random_before(seed, world, raw[0], rules, refresh=refresh)
    return world, Call.model_validate(raw[0]), history(before)


def asked(world: dict[str, Any], call: Call, settings: Settings, known: History) -> tuple[Records, Decision]:
    with crm(world) as connection:
        records = look_up(connection, [call], settings, {call.id: known})
    return records, decide(call, records, settings, known)


def text(decision: Decision) -> str:
    return json.dumps(decision.to_json(), ensure_ascii=False)


def kept(decision: Decision) -> dict[str, Any]:
    return {name: value for name, value in decision.to_json().items() if name not in TOLD}


@given(seeds, rules_of, st.booleans())
def test_the_order_of_the_records_never_matters_with_a_past(seed: int, rules: Rules, refresh: bool) -> None:
    """The same decision to the letter, however the CRM lists its records."""
    world, call, known = past(seed, rules, refresh=refresh)
    shuffled = {name: random.Random(seed).sample(rows, len(rows)) for name, rows in world.items()}  # noqa: S311 - repeatable

    results = [asked(each, call, settings_of(rules), known)[1] for each in (world, shuffled)]

    assert text(results[0]) == text(results[1])
    assert results[0].removed == results[1].removed


@given(seeds, rules_of)
def test_refreshing_in_an_unchanged_crm_changes_nothing(seed: int, rules: Rules) -> None:
    """People, account, opportunity, activity and reasons stay what the decision said."""
    world, call, known = past(seed, rules, refresh=False)
    _, decision = asked(world, call, settings_of(rules), known)

    again = replace(known, earlier=Earlier.from_json(decision.to_json()))

    assert kept(asked(world, call, settings_of(rules), again)[1]) == kept(decision)


@given(seeds, rules_of)
def test_refreshing_in_an_unchanged_crm_reads_no_person_again(seed: int, rules: Rules) -> None:
    """Whoever is found as before is there: nothing more is asked about people."""
    world, call, known = past(seed, rules, refresh=False)
    records, decision = asked(world, call, settings_of(rules), replace(known, written=None))
    again = History(known.choices, None, Earlier.from_json(decision.to_json()))

    assert not wants(call, records, settings_of(rules), again).person_ids


@given(seeds, rules_of)
def test_refreshing_twice_changes_nothing_the_second_time(seed: int, rules: Rules) -> None:
    """However the CRM had changed before the first time."""
    world, call, known = past(seed, rules, refresh=True)
    _, first = asked(world, call, settings_of(rules), known)
    again = replace(known, earlier=Earlier.from_json(first.to_json()))

    assert kept(asked(world, call, settings_of(rules), again)[1]) == kept(first)


@given(seeds, rules_of, st.booleans())
def test_no_automatic_run_changes_what_a_person_decided(seed: int, rules: Rules, refresh: bool) -> None:
    """What was set stays as long as the CRM has it, and what was cleared stays cleared."""
    world, call, known = past(seed, rules, refresh=refresh)
    _, decision = asked(world, call, settings_of(rules), known)
    found = decision.to_json()
    there = {record["id"] for rows in world.values() for record in rows}

    assert found["manual"] == [choice.to_json() for choice in known.choices.listed()]
    for choice in known.choices.listed():
        value = found[choice.what] if choice.participant is None else found["people"][choice.participant]
        if choice.id is None:
            assert value is None
        elif choice.id in there and choice.what != "contact":
            assert (value["id"], value["source"]) == (choice.id, "manual")


@given(seeds, rules_of, st.booleans(), st.randoms(use_true_random=False))
def test_an_unknown_never_becomes_a_none_with_a_past(
    seed: int, rules: Rules, refresh: bool, chance: random.Random
) -> None:
    """Answers that are lost leave a decision as it is, or undecided: they never change it."""
    world, call, known = past(seed, rules, refresh=refresh)
    records, before = asked(world, call, settings_of(rules), known)
    lost = Unknown("lost")
    damaged = {
        item.name: {
            key: lost if chance.random() < 0.15 else value for key, value in getattr(records, item.name).items()
        }
        for item in fields(records)
    }
    after = decide(call, Records(**damaged), settings_of(rules), known)

    assert (text(after) == text(before) and after.removed == before.removed) or (
        after.status == "undecided" and after.unknown
    )


@given(seeds, rules_of, st.booleans())
def test_all_that_is_wanted_with_a_past_is_asked(seed: int, rules: Rules, refresh: bool) -> None:
    """Once nothing is wanted any more, the call is decided; and without any answer it is not."""
    world, call, known = past(seed, rules, refresh=refresh)
    _, decision = asked(world, call, settings_of(rules), known)

    assert decision.status != "undecided"
    assert decide(call, Records(), settings_of(rules), known).status == "undecided"
