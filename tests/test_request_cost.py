"""What 200 calls cost of a CRM's quota stays within the goal."""

from __future__ import annotations

import pytest

from tests.benchmarks.request_cost import GOALS, cold_start, cost


@pytest.mark.parametrize("crm", GOALS)
def test_two_hundred_calls_cost_no_more_than_the_goal(crm: str) -> None:
    """On a cold start, by the sandbox's own journal."""
    assert cost(crm, *cold_start()) <= GOALS[crm]
