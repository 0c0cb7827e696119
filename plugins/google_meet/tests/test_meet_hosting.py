"""Subscriptions last, and conferences are listed that no event told of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from connector_google_meet.adapter import MeetAdapter
from connector_google_meet.events import EVENT_TYPES
from connector_google_meet.sandbox import Conference
from connector_google_meet.settings import MeetSettings

from connector_core.errors import InputError, TryAgainError
from connector_core.providers.hookspecs import Kept, Missed
from connector_core.providers.merging import merge

Make = Callable[..., Any]
Change = Callable[..., Conference]
USERS = ("ada@seller.example", "sam@seller.example")
DAY = 86_400.0
ADAS = "//cloudidentity.googleapis.com/users/100000000000000000001"


def kept(world: Any) -> Kept:
    found: Kept = world.meet.keep_subscribed()
    return found


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_a_subscription_is_made_for_each_user(world: Any) -> None:
    """To all rooms that they own; until then no event came."""
    assert (kept(world), len(world.subscriptions())) == (Kept(DAY, gap=True), len(USERS))


def test_a_subscription_asks_for_what_is_read(world: Any) -> None:
    """And nothing else."""
    kept(world)
    first = world.subscriptions()[0]
    assert (first["targetResource"], first["eventTypes"]) == (ADAS, list(EVENT_TYPES))
    assert first["notificationEndpoint"] == {"pubsubTopic": "projects/sandbox/topics/meet"}


def test_a_subscription_is_renewed(world: Any) -> None:
    """One that is about to end lasts for another week; none is made beside it."""
    kept(world)
    before = world.subscriptions()
    assert kept(world) == Kept(DAY)
    after = world.subscriptions()
    assert [it["name"] for it in after] == [it["name"] for it in before]
    assert all(new["expireTime"] > old["expireTime"] for new, old in zip(after, before, strict=True))


def test_a_subscription_that_was_stopped_is_set_going(world: Any) -> None:
    """Once what stopped it is mended; what happened meanwhile was told to nobody."""
    kept(world)
    change = {"object": "subscriptions", "id": "meet-user-1", "fields": {"state": "SUSPENDED"}}
    world.faults({"match": {"path": "/v1/subscriptions"}, "times": 1, "do": {"patch": change}})
    assert kept(world) == Kept(DAY, gap=True)
    assert [it["state"] for it in world.subscriptions()] == ["ACTIVE", "ACTIVE"]


def test_a_subscription_that_ended_is_made_anew(world: Any) -> None:
    """Google deletes it."""
    kept(world)
    gone = {"object": "subscriptions", "id": "meet-user-1", "delete": True}
    world.faults({"match": {"path": "/v1/subscriptions"}, "times": 1, "do": {"patch": gone}})
    assert (kept(world), len(world.subscriptions())) == (Kept(DAY, gap=True), len(USERS))


def test_a_subscription_to_another_topic_is_left_alone(world: Any) -> None:
    """It is somebody else's, or of former settings: a person decides."""
    kept(world)
    settings = MeetSettings.model_validate(world.settings | {"topic": "projects/sandbox/topics/other"})
    other = MeetAdapter(settings)
    reason = "the subscription sends events to another topic: delete it first"
    assert other.keep_subscribed().problems == (f"users[0]: {reason}", f"users[1]: {reason}")
    other.close()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"path": "/v1/userinfo", "do": {"status": 403}}, "Google does not tell the user's id"),
        ({"path": "/v1/subscriptions", "do": {"status": 403}}, "subscriptions cannot be listed at Google (status 403)"),
        ({"path": "/v1/subscriptions", "do": {"status": 503}}, "Google answered status 503"),
        (
            {"path": "/v1/subscriptions", "method": "POST", "do": {"status": 409}},
            "Google refused it (status 409)",
        ),
        (
            {"path": "/v1/subscriptions", "method": "POST", "do": {"status": 200, "body": {"error": {"code": 7}}}},
            "Google could not do it: does meet-api-event-push publish to the topic?",
        ),
        (
            {"path": "/v1/subscriptions", "method": "GET", "do": {"status": 200, "body": {"subscriptions": [{}]}}},
            "name: is required",
        ),
    ],
)
def test_what_fails_is_told_for_each_user(world: Any, fault: dict[str, Any], reason: str) -> None:
    """By their place in the settings, so that one keeps no other back."""
    match = {key: fault[key] for key in ("path", "method") if key in fault}
    world.faults({"match": match, "do": fault["do"]})
    assert kept(world) == Kept(DAY, problems=(f"users[0]: {reason}", f"users[1]: {reason}"))


def test_a_user_who_is_gone_keeps_no_other_back(world: Any) -> None:
    """They are told with Google's code, and without their address."""
    world.control("org", {"users": ["sam@seller.example"]})
    found = kept(world)
    assert (found.gap, len(world.subscriptions())) == (True, 1)
    assert [problem.partition(" (")[0] for problem in found.problems] == ["users[0]: Google refuses to sign in"]


def test_a_limit_ends_it_with_how_long_to_wait(world: Any) -> None:
    """The other users would be told the same."""
    world.faults({"match": {"path": "/v1/*"}, "do": {"status": 429, "headers": {"Retry-After": "90"}}})
    with pytest.raises(TryAgainError, match="ask again in 90 s"):
        kept(world)


def test_without_a_topic_nothing_is_subscribed_to(world: Any) -> None:
    """Somebody else sees to it, by the settings."""
    adapter = MeetAdapter(MeetSettings.model_validate(world.settings | {"topic": None}))
    assert (adapter.keep_subscribed(), world.asked()) == (Kept(DAY), [])
    adapter.close()


# -- what no event told of ---------------------------------------------------------------------------------------------


def ended(days_ago: float) -> dict[str, str]:
    end = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    times = {"start_time": end - dt.timedelta(minutes=30), "end_time": end}
    return {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for name, at in times.items()}


def plain(conference: Change, name: str, days_ago: float, **more: Any) -> Conference:
    return conference(
        id=name, participants=(), recordings=(), transcripts=(), smart_notes=(), **ended(days_ago), **more
    )


def pages(world: Any, days: float) -> list[Missed]:
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    found: list[Missed] = [world.meet.list_missed(since, None)]
    while found[-1].next is not None:
        found.append(world.meet.list_missed(since, found[-1].next))
    return found


def listed(world: Any, days: float) -> list[str]:
    heard = [each for page in pages(world, days) for each in page.heard if each.what == "conference"]
    return [each.call_id.removeprefix("google_meet:") for each in heard]


def test_conferences_that_ended_since_are_listed(make: Make, conference: Change) -> None:
    """And none that goes on."""
    goes_on = {**ended(1), "end_time": None}
    going = conference(id="c", participants=(), recordings=(), transcripts=(), smart_notes=(), **goes_on)
    assert listed(make(going, *(plain(conference, f"c{days}", days) for days in (1, 3, 5))), 4) == ["c1", "c3"]


def test_a_listed_conference_can_be_read_whole(make: Make, conference: Change) -> None:
    """With all that came out of it, as it would have been by its events."""
    world = make(conference(**ended(1)))
    heard = [each for page in pages(world, 2) for each in page.heard]
    parts = [part for answer in world.meet.fetch(heard).values() for part in answer]
    call = merge(parts)
    assert call is not None
    assert (len(call.participants), call.recording_url, call.summary, len(call.transcript or ())) == (
        3, "https://drive.google.com/file/d/1AbCdEf/view", "Notes\nCarl wants a quote.", 1,
    )  # fmt: skip


def test_a_listed_conference_is_read_as_whom_it_was_listed_for(make: Make, conference: Change) -> None:
    """The others need not be tried."""
    world = make(plain(conference, "sams", 1, readers=USERS[1:]))
    (*_, asked) = [each for page in pages(world, 2) for each in page.heard]
    before = len(world.asked())
    world.meet.fetch([asked])
    assert [status for _, status in world.asked()[before:]] == [200]


def test_all_pages_of_all_users_are_listed(make: Make, conference: Change) -> None:
    """Google gives 100 at a time; a conference of two of them comes twice."""
    world = make(*(plain(conference, f"c{number}", 1, readers=USERS) for number in range(101)))
    assert ([len(page.heard) for page in pages(world, 2)], len(set(listed(world, 2)))) == ([400, 4, 400, 4], 101)


def test_google_keeps_conferences_for_thirty_days(make: Make, conference: Change) -> None:
    """What lies before is not asked for."""
    world = make(*(plain(conference, f"c{days}", days) for days in (29, 31)))
    assert listed(world, 400) == ["c29"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"status": 403}, "the conferences cannot be listed at Google (status 403)"),
        ({"status": 200, "body": {"conferenceRecords": [{}]}}, "name: is required"),
        ({"status": 200, "body": {"nextPageToken": "x y"}}, "nextPageToken: is none"),
    ],
)
def test_a_user_whose_list_fails_keeps_no_other_back(
    make: Make, conference: Change, fault: dict[str, Any], reason: str
) -> None:
    """It is told whose is missing."""
    world = make(plain(conference, "c", 1, readers=USERS))
    world.faults({"match": {"path": "/v2/conferenceRecords"}, "times": 1, "do": fault})
    first, second = pages(world, 2)
    assert (first.incomplete, second.incomplete, len(second.heard)) == (f"users[0]: {reason}", None, 4)


def test_a_user_who_is_gone_is_told_of_without_an_address(make: Make, conference: Change) -> None:
    """And the others' conferences are listed."""
    world = make(plain(conference, "sams", 1, readers=USERS[1:]))
    world.control("org", {"users": ["sam@seller.example"]})
    incomplete = [page.incomplete or "" for page in pages(world, 2)]
    assert [it.partition(" (")[0] for it in incomplete] == ["users[0]: Google refuses to sign in", ""]
    assert listed(world, 2) == ["sams"]


def test_limits_stop_a_list(make: Make, conference: Change) -> None:
    """With how long to wait."""
    world = make(plain(conference, "c", 1))
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 429, "headers": {"Retry-After": "90"}}})
    with pytest.raises(TryAgainError, match="ask again in 90 s"):
        pages(world, 2)


@pytest.mark.parametrize("page", ["", "2:", "0", "-1:", "0:a b", "x:"])
def test_a_page_of_another_list_is_refused(world: Any, page: str) -> None:
    """There are two users."""
    with pytest.raises(InputError, match="page"):
        world.meet.list_missed(dt.datetime.now(dt.UTC), page)
