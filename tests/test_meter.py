"""What requests cost, and the share of a quota that a backfill leaves to others."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.meter import WORD_KEEPS_SECONDS, Cost, Meter, Quota, why_not_spend

LIMITS = st.integers(1, 10**7)
SHARES = st.floats(0, 1)


def test_requests_of_all_threads_are_counted() -> None:
    """No request is lost between threads, nor its seconds."""
    meter = Meter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: meter.sent(0.5), range(400)))

    assert meter.cost == Cost(400, 200.0)


def test_the_newest_word_on_the_quota_is_kept() -> None:
    """Nothing is known before the first word; a later one takes its place, with its time."""
    moments = iter((1.0, 2.0))
    meter = Meter(clock=lambda: next(moments))
    before = meter.quota
    meter.told(limit=5_000, used=18)
    meter.told(limit=5_000, used=19)

    assert (before, meter.quota) == (None, Quota(5_000, 19, 2.0))


@pytest.mark.parametrize(("ours", "skew"), [(1_000.5, 1.0), (1_003.0, -1.5)])
def test_a_clock_is_held_against_the_services(ours: float, skew: float) -> None:
    """The service told a whole second, in the middle of the two seconds that its answer took."""
    meter = Meter(wall_clock=lambda: ours)
    before = meter.clock_skew_seconds
    meter.told_time(1_000.0, 2.0)

    assert (before, meter.clock_skew_seconds) == (None, skew)


def test_nothing_is_left_of_a_quota_that_was_overdrawn() -> None:
    """Salesforce lets an org exceed its limit for a while: what is left is not negative."""
    assert Quota(5_000, 5_100, 0.0).left == 0


def test_a_backfill_stops_before_the_reserve_is_touched() -> None:
    """The message says what is left, of what, and what goes on."""
    why = why_not_spend(Quota(5_000, 3_980, 0.0), 0.2, 24, now=0.0)

    assert why == (
        "1,020 of 5,000 API calls are left for today and 1,000 are reserved: backfill stops; interactive calls go on"
    )


@pytest.mark.parametrize(("used", "requests", "goes_on"), [(3_999, 1, True), (4_000, 1, False), (3_980, 20, True)])
def test_a_backfill_may_spend_down_to_the_reserve(used: int, requests: int, goes_on: bool) -> None:
    """The last batch that leaves the reserve whole is let through."""
    assert (why_not_spend(Quota(5_000, used, 0.0), 0.2, requests, now=0.0) is None) is goes_on


def test_without_a_word_nothing_is_held_back() -> None:
    """A service that says nothing of its quota is not second-guessed."""
    assert why_not_spend(None, 1.0, now=0.0) is None


def test_an_old_word_is_asked_anew() -> None:
    """After an hour a batch is let through, whose answers say what is left now; before it, none is."""
    spent = Quota(5_000, 5_000, 10.0)
    held = [
        why_not_spend(spent, 0.2, now=10.0 + age) is not None for age in (WORD_KEEPS_SECONDS, WORD_KEEPS_SECONDS + 1)
    ]

    assert held == [True, False]


def test_a_meter_asks_of_now() -> None:
    """The meter's own clock says how old the word is."""
    now = [0.0]
    meter = Meter(clock=lambda: now[0])
    meter.told(limit=100, used=100)
    first = meter.why_not_spend(0.2)
    now[0] = WORD_KEEPS_SECONDS + 1

    assert (first is None, meter.why_not_spend(0.2)) == (False, None)


@given(LIMITS, SHARES, st.integers(1, 1_000))
def test_a_backfill_that_asks_leaves_the_reserve(limit: int, share: float, requests: int) -> None:
    """However a backfill is cut into batches, what it spends with leave never touches the share that is reserved."""
    used = max(0, limit - math.ceil(limit * share) - 3 * requests)
    while why_not_spend(Quota(limit, used, 0.0), share, requests, now=0.0) is None:
        used += requests

    assert limit - used >= limit * share or used == 0


@given(LIMITS, st.integers(0, 10**7), SHARES, SHARES)
def test_a_larger_reserve_never_lets_more_through(limit: int, used: int, one: float, other: float) -> None:
    """What is refused under a reserve is refused under every larger one."""
    small, large = sorted((one, other))
    quota = Quota(limit, used, 0.0)

    assert why_not_spend(quota, small, now=0.0) is None or why_not_spend(quota, large, now=0.0) is not None
