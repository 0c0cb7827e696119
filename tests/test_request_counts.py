"""What a sandbox journals is what the connection counts, exactly; and what a service says of its quota is known."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

import pytest
from bad_day import APP, CREATE, CRMS, LOOK_UP, STATIC, Day, bad_day, calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.errors import ConnectorError, TryAgainError
from connector_core.meter import Cost, why_not_spend

EMAILS = ["c0@buyer.example", "nobody@buyer.example"]
AGAIN = {"status": 429, "headers": {"Retry-After": "1"}, "body": {}}
FAULTS: dict[str, dict[str, Any]] = {
    "a limit": AGAIN,
    "an hour": {"status": 429, "headers": {"Retry-After": "3600"}},
    "an outage": {"status": 503, "body": "<html>"},
    "a refusal": {"status": 400, "body": {}},
    "a closed line": {"drop_after_commit": True},
    "an ended session": {"expire_session": True},
    "locked rows": {"row_error": "UNABLE_TO_LOCK_ROW"},
}


def sync_twice(day: Day) -> None:
    """Sync the calls of the day; what is refused for good ends one attempt."""
    for _ in range(2):
        with contextlib.suppress(ConnectorError):
            day.sync()


def look_up_often(day: Day) -> None:
    """Look up more often than any quota here allows."""
    for _ in range(50):
        day.connection.find_contacts_by_email(EMAILS)


@pytest.mark.parametrize("name", CRMS)
def test_binding_costs_nothing_and_a_sync_is_counted_whole(name: str) -> None:
    """Nothing is sent at first; after a sync every request stands in the count, the first sign-in too."""
    with bad_day(name, **APP[name]) as day:
        before = day.connection.cost
        day.sync(calls(30))

        assert before == Cost()
        assert day.connection.cost.requests == day.service.asked()
        assert day.service.asked("token") == 1
        assert day.connection.cost.seconds > 0


@pytest.mark.parametrize("name", CRMS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("where", ["look-up", "create", "anything"])
def test_every_try_is_counted(name: str, fault: str, where: str) -> None:
    """Retries, requests that were not answered, those that were refused, renewed sign-ins: each counts once."""
    match = {"look-up": LOOK_UP[name], "create": CREATE[name], "anything": {}}[where]
    with bad_day(name, **APP[name]) as day:
        day.service.faults({"match": match, "times": 3, "share": 0.6, "do": FAULTS[fault]})
        sync_twice(day)

        assert day.connection.cost.requests == day.service.asked()


RULES = st.lists(
    st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(1, 4), st.sampled_from([0.2, 0.5, 1.0])), max_size=4
)


@pytest.mark.parametrize("name", CRMS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(rules=RULES)
def test_no_mixture_of_faults_miscounts(name: str, rules: list[tuple[str, int, float]]) -> None:
    """Whatever goes wrong in whatever order, both counts are the same."""
    with bad_day(name, **APP[name]) as day:
        day.service.faults(*({"times": times, "share": share, "do": FAULTS[it]} for it, times, share in rules))
        sync_twice(day)

        assert day.connection.cost.requests == day.service.asked()


@pytest.mark.parametrize("name", CRMS)
def test_a_request_that_was_given_up_is_counted(name: str) -> None:
    """A request that the service is still at when the client gives up was sent, and counts."""
    with bad_day(name, timeout_seconds=2, **STATIC[name]) as day:  # which what is not delayed takes on no machine
        day.service.faults({"times": 1, "do": {"delay_seconds": 3}})
        found = day.connection.find_contacts_by_email(EMAILS)
        sent = day.connection.cost.requests
        ends_at = time.monotonic() + 30
        while day.service.asked() < sent and time.monotonic() < ends_at:
            time.sleep(0.02)

        assert len(found["c0@buyer.example"]) == 1
        assert sent == day.service.asked() >= 2


@pytest.mark.parametrize("name", CRMS)
def test_what_never_left_is_not_counted(name: str) -> None:
    """A service that cannot be reached costs nothing."""
    with bad_day(name, **STATIC[name]) as day:
        day.connection.find_contacts_by_email(EMAILS)
        sent = day.connection.cost.requests
    # The server is gone, and the connection closed: another one finds nobody there.
    address = {"salesforce": "instance_url", "hubspot": "base_url"}[name]
    with bad_day(name, **{**STATIC[name], address: "http://127.0.0.1:9"}) as day:
        with pytest.raises(ConnectorError):
            day.connection.find_contacts_by_email(EMAILS)
        left = day.connection.cost.requests

    assert (sent > 0, left) == (True, 0)


# -- the quota ---------------------------------------------------------------------------------------------------------

QUOTA = {"salesforce": {"daily_requests": 40}, "hubspot": {"limits": {"daily": 40}}}


@pytest.mark.parametrize("name", CRMS)
def test_the_quota_is_what_the_service_says(name: str) -> None:
    """Before the first answer nothing is known; then limit and use are those of the sandbox's own count."""
    with bad_day(name, **STATIC[name]) as day:
        day.service.org(**QUOTA[name])
        before = day.connection.quota
        day.connection.find_contacts_by_email(EMAILS)
        quota = day.connection.quota
        spent = sum(entry["api_calls"] for entry in day.service.get("journal"))

        assert before is None
        assert quota is not None
        assert (quota.limit, quota.used, quota.left) == (40, spent, 40 - spent)


@pytest.mark.parametrize("name", CRMS)
def test_a_backfill_that_asks_leaves_the_reserve_and_others_go_on(name: str) -> None:
    """A backfill stops with four fifths spent; a look-up that does not ask is answered; then the day is over."""
    with bad_day(name, **STATIC[name]) as day:
        day.service.org(**QUOTA[name])
        meter = day.connection.info.meter
        while meter.why_not_spend(0.2) is None:
            day.connection.find_contacts_by_email(EMAILS)
        quota = day.connection.quota
        answered = day.connection.find_contacts_by_email(EMAILS)

        assert quota is not None
        assert quota.left == math.ceil(40 * 0.2)
        assert len(answered["c0@buyer.example"]) == 1
        with pytest.raises(TryAgainError) as caught:
            look_up_often(day)
        assert caught.value.after_seconds == 3600


def test_an_oauth_app_of_hubspot_is_told_no_daily_quota() -> None:
    """HubSpot leaves the day's headers out for OAuth apps: nothing is known, and nothing held back."""
    with bad_day("hubspot", **APP["hubspot"]) as day:
        day.connection.find_contacts_by_email(EMAILS)

        assert day.connection.cost.requests > 0
        assert day.connection.quota is None
        assert why_not_spend(day.connection.quota, now=0.0) is None
