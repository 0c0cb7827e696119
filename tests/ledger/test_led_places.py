"""Participants of a call are found again in a richer version of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector_core.ledger.places import moved
from connector_core.model import Call

ADA = {"name": "Ada Agent", "emails": ("ada@seller.example",), "is_user": True}
CARL = {"name": "Carl", "emails": ("carl@buyer.example",), "phones": ("+33 6 39 98 10 11",)}
EVE = {"name": "Eve", "emails": ("eve@buyer.example",)}
UNKNOWN: dict[str, Any] = {}


def call(*people: dict[str, Any]) -> Call:
    """Make a call of these."""
    participants = [{"is_user": False, **it} for it in people]
    start = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    return Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "phone", "started_at": start, "participants": participants}
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param((ADA, CARL), (ADA, CARL), {1: 1}, id="nothing changed"),
        pytest.param((ADA, CARL), (ADA, EVE, CARL), {1: 2}, id="somebody stands before"),
        pytest.param((ADA, CARL), (CARL, ADA), {1: 0}, id="in another order"),
        pytest.param(
            (ADA, CARL), (ADA, EVE, {"emails": ("CARL@buyer.example ",)}), {1: 2}, id="told by the address alone"
        ),
        pytest.param(
            (ADA, CARL), (ADA, EVE, {"phones": ("06 39 98 10 11",)}), {1: 2}, id="told by the number, written otherwise"
        ),
        pytest.param((ADA, {"name": "Carl"}), (ADA, EVE, CARL), {1: 2}, id="told by the name"),
        pytest.param((ADA, UNKNOWN), (ADA, CARL), {1: 1}, id="who was nobody got a name"),
        pytest.param((ADA, CARL), (ADA, {"name": "Karl"}), {1: 1}, id="somebody else's name at the same place"),
        pytest.param((ADA, CARL, EVE), (ADA, EVE), {1: 4, 2: 1}, id="who left leaves no place to others"),
        pytest.param((ADA, CARL), (ADA,), {1: 3}, id="nobody is left"),
        pytest.param((ADA, EVE, EVE), (ADA, EVE, EVE), {1: 1, 2: 2}, id="twins stay where they are"),
    ],
)
def test_somebody_is_found_again(before: Any, after: Any, expected: dict[int, int]) -> None:
    """By an address or a number, else by name, else by the place, if nobody else stands there now."""
    assert moved(call(*before), call(*after), set(expected)) == expected
