"""Which calls a template is for stands in one sentence, with every condition."""

from __future__ import annotations

from typing import Any

import pytest

from connector_core.filling.sentence import sentence
from connector_core.filling.templates import Targeting

ALL: dict[str, Any] = {
    "teams": ["Mid", "Large"],
    "tags": ["demo"],
    "directions": ["inbound"],
    "providers": ["aircall"],
    "shortest_seconds": 300.0,
}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, "All calls and meetings."),
        ({"kinds": ["phone", "meeting"]}, "All calls and meetings."),
        ({"kinds": ["phone"]}, "Phone calls."),
        ({"kinds": ["meeting"]}, "Meetings."),
        ({"teams": ["Sales"]}, "Calls and meetings of team Sales."),
        ({"teams": ["Sales", "Sales"]}, "Calls and meetings of team Sales."),
        ({"tags": ["demo", "pilot", "trial"]}, "Calls and meetings tagged demo, pilot or trial."),
        ({"kinds": ["phone"], "directions": ["inbound", "internal"]}, "Phone calls, inbound or internal."),
        ({"providers": ["aircall", "acme"]}, "Calls and meetings by Aircall or acme."),
        ({"shortest_seconds": 60}, "Calls and meetings of 1 minute or more."),
        ({"shortest_seconds": 90}, "Calls and meetings of 90 seconds or more."),
        ({"shortest_seconds": 0.5}, "Calls and meetings of 0.5 seconds or more."),
        ({"shortest_seconds": 7200}, "Calls and meetings of 2 hours or more."),
        ({"providers": ["aircall"], "shortest_seconds": 5}, "Calls and meetings by Aircall, of 5 seconds or more."),
        (ALL, "Calls and meetings of teams Mid or Large, tagged demo, inbound, by Aircall, of 5 minutes or more."),
    ],
)  # fmt: skip
def test_a_sentence_says_all_conditions(conditions: dict[str, Any], expected: str) -> None:
    """Those that there are, in one order, lengths in the largest unit that is whole."""
    targeting = Targeting.model_validate(conditions)

    assert sentence(targeting, {"aircall": "Aircall"}) == expected
