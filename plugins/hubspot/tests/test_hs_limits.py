"""The pace of each class of requests follows what HubSpot's headers say, over real HTTP and the real SDK."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from connector_hubspot.client import HubSpotClient
from connector_hubspot.limits import LANES, hear
from connector_hubspot.sandbox import HubSpotSandbox
from connector_hubspot.sandbox.sign_in import ACCESS_TOKEN
from connector_hubspot.settings import HubSpotSettings
from hypothesis import given
from hypothesis import strategies as st

from connector_core.crms.world import parse_world
from connector_core.errors import TryAgainError
from connector_core.meter import Meter
from connector_core.pace import Pace
from connector_core.policy import RequestPolicy
from connector_core.testing.server import SandboxServer

READ = "/crm/objects/{version}/contacts/batch/read"
SEARCH = "/crm/objects/{version}/contacts/search"


class Time:
    """A clock that only sleeping moves, and that the sandbox shares."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        with self._lock:
            self.slept.append(round(seconds, 3))
            self.now += seconds


class Account:
    """A sandbox that keeps limits, and a client that is paced as one of the real HubSpot is."""

    def __init__(self, **limits: float) -> None:
        self.time = Time()
        sandbox = HubSpotSandbox(parse_world({}))
        sandbox._portal.limits._clock = self.time
        self.server = SandboxServer(sandbox).start()
        if limits:
            self.server._set_org({"limits": limits})
        self.client = HubSpotClient(HubSpotSettings.model_validate(self.server.settings), Meter())
        self.client.policy.sleep = self.time.sleep
        self.client.policy.pace = Pace(LANES, self.time)

    def read(self, count: int) -> None:
        """Send so many general requests."""
        for _ in range(count):
            self.client.post(READ, {"inputs": [{"id": "1"}], "properties": []})

    def statuses(self) -> list[Any]:
        """Give what was answered, in order."""
        return [entry["status"] for entry in self.server._journal]

    def close(self) -> None:
        """Stop both."""
        self.client.close()
        self.server.close()


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    """Serve an account with the limits of the test's parameter."""
    account = Account(**getattr(request, "param", {}))
    yield account
    account.close()


@pytest.mark.parametrize(
    ("account", "seconds"),
    [({"burst": 50}, 60.0), ({"burst": 100}, 30.0), ({"burst": 250}, 10.0)],
    indirect=["account"],
)
def test_the_pace_of_an_account_is_that_of_its_plan(account: Account, seconds: float) -> None:
    """Three hundred requests take as long as the account's own limit wants, and none of them meets it."""
    account.read(300)

    assert 429 not in account.statuses()
    assert seconds * 0.9 <= account.time.now <= seconds * 1.3


@pytest.mark.parametrize("account", [{"burst": 40}], indirect=True)
def test_a_window_that_is_used_up_is_waited_for(account: Account) -> None:
    """Where others used the window up, the next request waits until it is over, and meets no limit."""
    recent = account.server._sandbox._portal.limits._recent  # type: ignore[attr-defined]  # of the sandbox of HubSpot
    account.read(1)
    recent.extend([account.time.now] * 38)
    account.read(3)

    assert 429 not in account.statuses()
    assert account.time.slept[0] == 10.0


@pytest.mark.parametrize("account", [{"burst": 40}], indirect=True)
def test_a_limit_that_was_met_holds_its_lane(account: Account) -> None:
    """A 429 without Retry-After is waited for once, ten seconds, and the request is answered."""
    recent = account.server._sandbox._portal.limits._recent  # type: ignore[attr-defined]  # of the sandbox of HubSpot
    recent.extend([account.time.now] * 40)
    account.read(1)

    assert account.statuses() == [429, 207]
    assert account.time.slept == [10.0]


@pytest.mark.parametrize("account", [{"daily": 5}], indirect=True)
def test_a_day_that_is_over_is_asked_for_once(account: Account) -> None:
    """After the day's limit nothing of that lane is sent for an hour, and each caller is told when to come back."""
    account.read(5)
    told = []
    for _ in range(4):
        with pytest.raises(TryAgainError) as caught:
            account.read(1)
        told.append(caught.value.after_seconds)

    assert account.statuses().count(429) == 1
    assert told == [3600.0] * 4


def test_searches_keep_their_own_pace(account: Account) -> None:
    """Nothing is said of searches: they keep to a little below five a second, whatever the plan."""
    account.read(1)
    for _ in range(13):
        account.client.post(SEARCH, {"filterGroups": [], "limit": 1, "properties": [], "sorts": [], "after": 0})

    assert account.time.now == pytest.approx(9 / 4)


def policy() -> RequestPolicy:
    """Make a policy with HubSpot's lanes and a clock that stands."""
    return RequestPolicy(lanes=LANES, clock=lambda: 0.0)


def told(most: object, interval: object = 10_000, remaining: object = 50) -> dict[str, str]:
    """Write the headers of an answer."""
    names = {"-max": most, "-interval-milliseconds": interval, "-remaining": remaining}
    return {f"x-hubspot-ratelimit{name}": str(value) for name, value in names.items()}


@pytest.mark.parametrize(("most", "free"), [(250, 10), (50, 4)])
def test_headers_never_speed_associations_up(most: int, free: int) -> None:
    """What stands beside associations may be said of the general limit: a higher one changes nothing, a lower one does."""
    it = policy()
    hear(it, "associations", told(most))
    delays = [it.pace.turn("associations", 60.0) for _ in range(20)]

    assert delays.count(0.0) == free


@pytest.mark.parametrize(
    "headers",
    [
        {},
        told(""),
        told("many"),
        told(0),
        told(-5),
        told(100, 0),
        told(100, "soon", 0),
        told(100, 86_400_000, 0),
        told(10**12),
        told("1.5"),
    ],
)
def test_headers_without_sense_change_nothing(headers: dict[str, str]) -> None:
    """A header that is missing, or that says what cannot be, is passed over."""
    it = policy()
    hear(it, "general", headers)

    assert [it.pace.turn("general", 60.0) for _ in range(9)] == [0.0] * 9
    assert it.meter.quota is None


@given(st.dictionaries(st.sampled_from(sorted(told(1))), st.text()), st.sampled_from(sorted(LANES)))
def test_no_header_breaks_the_reading(headers: dict[str, str], lane: str) -> None:
    """Whatever stands in the headers, there is a next turn."""
    it = policy()
    hear(it, lane, headers)

    assert it.pace.turn(lane, 1e9) >= 0.0


@pytest.mark.parametrize(("daily", "left", "used"), [("250000", "249995", 5), ("5", "0", 5), ("5", "9", 0)])
def test_the_day_is_told_by_two_headers(daily: str, left: str, used: int) -> None:
    """What was used is what is no longer left; so it was recorded on searches too, which say nothing else."""
    it = policy()
    hear(it, "search", {"x-hubspot-ratelimit-daily": daily, "x-hubspot-ratelimit-daily-remaining": left})

    assert it.meter.quota is not None
    assert (it.meter.quota.limit, it.meter.quota.used) == (int(daily), used)


def test_only_a_private_app_is_told_the_day(account: Account) -> None:
    """The sandbox leaves the day's headers out where the token is one of OAuth, as recorded traffic does."""
    account.read(1)
    private = account.client.policy.meter.quota
    account.server._sandbox.expire_session()
    renewed = HubSpotClient(HubSpotSettings.model_validate(account.server.settings), Meter())
    renewed.post(READ, {"inputs": [{"id": "1"}], "properties": []})
    oauth = renewed.policy.meter.quota
    renewed.close()

    assert (private is None, oauth, ACCESS_TOKEN in str(account.server.settings)) == (False, None, True)


# -- the sandbox -------------------------------------------------------------------------------------------------------


def test_a_sandbox_keeps_no_limit_that_nobody_set(account: Account) -> None:
    """By default limits are told and not kept: tests of other things need not pace themselves."""
    account.client.policy.pace = Pace({}, account.time)
    account.read(250)

    assert set(account.statuses()) == {207}


@pytest.mark.parametrize(
    ("limits", "part"),
    [
        ({"weekly": 1}, "unknown weekly; possible are daily, burst, burst_seconds"),
        ({"daily": 0}, "a number above 0"),
        ({"burst": "100"}, "a number above 0"),
        ({"burst": True}, "a number above 0"),
    ],
)
def test_limits_that_are_none_are_refused(account: Account, limits: dict[str, Any], part: str) -> None:
    """The message names what is wrong, and what is possible."""
    with pytest.raises(ValueError, match=part):
        account.server._sandbox.org({"limits": limits})
