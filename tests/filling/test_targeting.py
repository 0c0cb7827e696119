"""A template is for the calls that meet all its conditions; of a list, any of its values will do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.filling.templates import Targeting
from connector_core.model import Call

SAID: dict[str, Any] = {
    "id": "x:1",
    "provider": "aircall",
    "kind": "phone",
    "direction": "inbound",
    "started_at": "2026-03-02T09:00:00Z",
    "duration_seconds": 300,
    "teams": ["Sales", "Été"],
    "tags": ["demo"],
    "participants": [],
}
MET: dict[str, Any] = {
    "teams": ["Support", "SALES"],
    "tags": ["Demo"],
    "kinds": ["phone", "meeting"],
    "directions": ["inbound"],
    "providers": ["aircall"],
    "shortest_seconds": 300,
}
MISSED: dict[str, Any] = {
    "teams": ["Support"],
    "tags": ["pilot"],
    "kinds": ["meeting"],
    "directions": ["outbound", "internal"],
    "providers": ["zoom"],
    "shortest_seconds": 300.5,
}


def targets(conditions: dict[str, Any], **call: Any) -> bool:
    """Tell whether a template with these conditions is for the call."""
    return Targeting.model_validate(conditions).targets(Call.model_validate({**SAID, **call}))


@given(st.sets(st.sampled_from(sorted(MET))), st.sets(st.sampled_from(sorted(MISSED))))
def test_one_condition_that_is_not_met_is_enough(met: set[str], missed: set[str]) -> None:
    """Whatever others are met; without any condition it is for all calls."""
    conditions = {**{name: MET[name] for name in met}, **{name: MISSED[name] for name in missed}}

    assert targets(conditions) == (not missed)


@pytest.mark.parametrize("name", ["teams", "tags", "direction", "duration_seconds"])
def test_what_a_call_does_not_say_meets_no_condition_about_it(name: str) -> None:
    """Unknown is not any."""
    condition = {"direction": "directions", "duration_seconds": "shortest_seconds"}.get(name, name)

    assert not targets({condition: MET[condition]}, **{name: None})
    assert targets({}, **{name: None})
