"""What a host asks for besides the hooks: that subscriptions last, and conferences that no event told of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from connector_google_meet.adapter import MeetAdapter
from connector_google_meet.events import EVENT_TYPES
from connector_google_meet.sandbox import Conference
from connector_google_meet.settings import MeetSettings

from connector_core.errors import ConfigurationError, CredentialsError, InputError, TryAgainError
from connector_core.providers.merging import merge

Make = Callable[..., Any]
Change = Callable[..., Conference]
USERS = ("ada@seller.example", "sam@seller.example")
ADAS = "//cloudidentity.googleapis.com/users/100000000000000000001"


def outcomes(world: Any) -> list[str]:
    return [it.outcome for it in world.adapter.renew()]


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_a_subscription_is_made_for_each_user(world: Any) -> None:
    """To all rooms that they own; Google says until when."""
    made = world.adapter.renew()
    assert [(it.user, it.outcome, it.reason) for it in made] == [(user, "made", None) for user in USERS]
    assert all(it.expires_at > dt.datetime.now(dt.UTC) + dt.timedelta(days=6) for it in made)


def test_a_subscription_asks_for_what_is_read(world: Any) -> None:
    """And nothing else."""
    world.adapter.renew()
    first = world.subscriptions()[0]
    assert (first["targetResource"], first["eventTypes"]) == (ADAS, list(EVENT_TYPES))
    assert first["notificationEndpoint"] == {"pubsubTopic": "projects/sandbox/topics/meet"}


def test_a_subscription_is_renewed(world: Any) -> None:
    """One that is about to end lasts for another week; none is made beside it."""
    world.adapter.renew()
    before = world.subscriptions()
    assert outcomes(world) == ["renewed", "renewed"]
    after = world.subscriptions()
    assert [it["name"] for it in after] == [it["name"] for it in before]
    assert all(new["expireTime"] > old["expireTime"] for new, old in zip(after, before, strict=True))


def test_a_subscription_that_was_stopped_is_set_going(world: Any) -> None:
    """Once what stopped it is mended."""
    world.adapter.renew()
    change = {"object": "subscriptions", "id": "meet-user-1", "fields": {"state": "SUSPENDED"}}
    world.faults({"match": {"path": "/v1/subscriptions"}, "times": 1, "do": {"patch": change}})
    assert outcomes(world) == ["reactivated", "renewed"]
    assert [it["state"] for it in world.subscriptions()] == ["ACTIVE", "ACTIVE"]


def test_a_subscription_that_ended_is_made_anew(world: Any) -> None:
    """Google deletes it."""
    world.adapter.renew()
    gone = {"object": "subscriptions", "id": "meet-user-1", "delete": True}
    world.faults({"match": {"path": "/v1/subscriptions"}, "times": 1, "do": {"patch": gone}})
    assert outcomes(world) == ["made", "renewed"]


def test_a_subscription_to_another_topic_is_left_alone(world: Any) -> None:
    """It is somebody else's, or of former settings: a person decides."""
    world.adapter.renew()
    settings = MeetSettings.model_validate(world.settings | {"topic": "projects/sandbox/topics/other"})
    other = MeetAdapter(settings)
    failed = other.renew()
    other.close()
    assert {(it.outcome, it.reason) for it in failed} == {
        ("failed", "the subscription sends events to another topic: delete it first")
    }


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
    """Nothing is raised, so that one keeps no other back."""
    match = {key: fault[key] for key in ("path", "method") if key in fault}
    world.faults({"match": match, "do": fault["do"]})
    assert {(it.outcome, it.reason) for it in world.adapter.renew()} == {("failed", reason)}


def test_a_user_who_is_gone_keeps_no_other_back(world: Any) -> None:
    """They are told with Google's code."""
    world.control("org", {"users": ["sam@seller.example"]})
    assert outcomes(world) == ["failed", "made"]


def test_without_a_topic_nothing_is_subscribed_to(world: Any) -> None:
    """The message names the setting."""
    settings = {key: value for key, value in world.settings.items() if key != "topic"}
    adapter = MeetAdapter(MeetSettings.model_validate(settings))
    with pytest.raises(ConfigurationError, match="set topic"):
        adapter.renew()
    adapter.close()


# -- backfill ----------------------------------------------------------------------------------------------------------


def ended(days_ago: float) -> dict[str, str]:
    end = dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)
    times = {"start_time": end - dt.timedelta(minutes=30), "end_time": end}
    return {name: at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for name, at in times.items()}


def plain(conference: Change, name: str, days_ago: float, **more: Any) -> Conference:
    return conference(
        id=name, participants=(), recordings=(), transcripts=(), smart_notes=(), **ended(days_ago), **more
    )


def filled(world: Any, days: float, until_days: float = 0.0) -> list[str]:
    now = dt.datetime.now(dt.UTC)
    since, until = now - dt.timedelta(days=days), now - dt.timedelta(days=until_days)
    return [parts[0].call_id for parts in world.adapter.backfill(since, until)]


def test_conferences_of_a_time_are_read(make: Make, conference: Change) -> None:
    """By their end."""
    world = make(*(plain(conference, f"c{days}", days) for days in (1, 3, 5)))
    assert filled(world, 4, 2) == ["google_meet:c3"]


def test_a_conference_is_read_whole(make: Make, conference: Change) -> None:
    """With all that came out of it, as it would have been by its events."""
    world = make(conference(**ended(1)))
    ((*parts,),) = world.adapter.backfill(dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    call = merge(parts)
    assert call is not None
    assert (len(call.participants), call.recording_url, call.summary, len(call.transcript or ())) == (
        3, "https://drive.google.com/file/d/1AbCdEf/view", "Notes\nCarl wants a quote.", 1,
    )  # fmt: skip


def test_what_is_not_ready_is_left_to_its_event(make: Make, conference: Change) -> None:
    """The conference is told without it."""
    recording = {"name": "conferenceRecords/c/recordings/r", "state": "ENDED"}
    world = make(
        conference(id="c", participants=(), recordings=(recording,), transcripts=(), smart_notes=(), **ended(1))
    )
    assert filled(world, 2) == ["google_meet:c"]


def test_who_were_in_the_same_conference_tell_it_once(make: Make, conference: Change) -> None:
    """And each their own."""
    both = plain(conference, "both", 1, readers=USERS)
    sams = plain(conference, "sams", 1, readers=USERS[1:])
    assert filled(make(both, sams), 2) == ["google_meet:both", "google_meet:sams"]


def test_all_pages_of_conferences_are_read(make: Make, conference: Change) -> None:
    """Google gives 100 at a time."""
    world = make(*(plain(conference, f"c{number}", 1) for number in range(101)))
    assert len(filled(world, 2)) == 101


def test_google_keeps_conferences_for_thirty_days(make: Make, conference: Change) -> None:
    """What lies before is not asked for."""
    world = make(*(plain(conference, f"c{days}", days) for days in (29, 31)))
    assert filled(world, 400) == ["google_meet:c29"]


def test_a_user_who_is_gone_keeps_no_conference_back(make: Make, conference: Change) -> None:
    """The others' are read, and then it is told."""
    world = make(plain(conference, "sams", 1, readers=USERS[1:]))
    world.control("org", {"users": ["sam@seller.example"]})
    found = []
    with pytest.raises(CredentialsError):
        found.extend(
            parts[0].call_id for parts in world.adapter.backfill(dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
        )
    assert found == ["google_meet:sams"]


def test_a_conference_that_cannot_be_read_keeps_no_other_back(make: Make, conference: Change) -> None:
    """It is told at the end."""
    world = make(plain(conference, "odd", 1), plain(conference, "c", 1))
    world.faults({"match": {"path": "/v2/conferenceRecords/odd"}, "do": {"status": 200, "body": {}}})
    found = []
    with pytest.raises(InputError, match="name: is required"):
        found.extend(
            parts[0].call_id for parts in world.adapter.backfill(dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
        )
    assert found == ["google_meet:c"]


def test_limits_stop_a_backfill(make: Make, conference: Change) -> None:
    """With how long to wait."""
    world = make(plain(conference, "c", 1))
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 429, "headers": {"Retry-After": "90"}}})
    with pytest.raises(TryAgainError, match="ask again in 90 s"):
        filled(world, 2)


def test_times_have_an_offset(world: Any) -> None:
    """Else it is not told when they are."""
    with pytest.raises(InputError, match="with an offset"):
        world.adapter.backfill(dt.datetime(2026, 3, 2))  # noqa: DTZ001 - what is refused
