"""Which activity of the CRM is a call."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from connector_core.association.recognise import Recognised, recognise
from connector_core.model import Account, Activity, Call, Opportunity, Person

START = dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)
CARL = Person("contact", "C1")
UTC = ZoneInfo("UTC")


def call(kind: str = "phone", seconds: float | None = 600) -> Call:
    return Call.model_validate(
        {
            "id": "x:1",
            "provider": "x",
            "kind": kind,
            "started_at": START,
            "duration_seconds": seconds,
            "participants": [],
        }
    )


def activity(name: str = "T1", **changes: object) -> Activity:
    values: dict[str, object] = {
        "id": name,
        "kind": "call",
        "people": (CARL,),
        "started_at": START,
        "duration_seconds": 600,
    }
    return Activity(**{**values, **changes})  # type: ignore[arg-type]  # the tests name fields by keyword


def found(
    *candidates: Activity, kind: str = "phone", zone: ZoneInfo = UTC, people: tuple[str, ...] = ("C1",)
) -> Recognised:
    return recognise(call(kind), candidates, people, zone)


@pytest.mark.parametrize("kind", ["call", "task", "meeting", "event", "note"])
def test_a_key_is_found_on_any_kind_of_activity(kind: str) -> None:
    """What carries the call's id is the call, whatever else it says."""
    result = found(activity(kind=kind, key="x:1", people=(), started_at=None))

    assert (result.by_key, result.activity and result.activity.id) == (True, "T1")


@pytest.mark.parametrize("key", ["X:1", "x:1 ", "x:10", "1"])
def test_a_key_compares_exactly(key: str) -> None:
    """Another id, or the same in other letters, is another call's key: such an activity is no look-alike either."""
    assert found(activity(key=key)) == Recognised()


def test_a_key_comes_before_any_look_alike() -> None:
    """A look-alike that names an opportunity does not outrank the key."""
    deal = Opportunity("O1", START)

    result = found(activity("T1", opportunities=(deal,)), activity("T2", key="x:1", people=()))

    assert result.activity is not None
    assert result.activity.id == "T2"


def test_of_several_by_key_the_one_that_names_most_specifically() -> None:
    """An opportunity before an account before people before nothing."""
    rows = [
        activity("T1", key="x:1", people=()),
        activity("T2", key="x:1"),
        activity("T3", key="x:1", accounts=(Account("A1"),)),
        activity("T4", key="x:1", opportunities=(Opportunity("O1", START),)),
    ]

    order = []
    while rows:
        best = found(*rows).activity
        assert best is not None
        order.append(best.id)
        rows.remove(best)

    assert order == ["T4", "T3", "T2", "T1"]


def test_equals_by_key_are_told_apart_by_the_smallest_id() -> None:
    """Two copies of one call never make it wait."""
    result = found(activity("T9", key="x:1"), activity("T10", key="x:1"))

    assert result.activity is not None
    assert result.activity.id == "T10"


def test_equal_look_alikes_leave_the_choice_to_a_person() -> None:
    """Nothing about them but what they name counts."""
    assert found(activity("T2"), activity("T1", duration_seconds=1)) == Recognised(ambiguous=("T1", "T2"))


def test_a_look_alike_that_names_more_is_chosen() -> None:
    """One that names an account outranks one that names people."""
    result = found(activity("T1"), activity("T2", accounts=(Account("A1"),)))

    assert result.activity is not None
    assert result.activity.id == "T2"


@pytest.mark.parametrize(
    ("kind", "theirs", "expected"),
    [
        ("phone", "call", True),
        ("phone", "task", True),
        ("phone", "meeting", False),
        ("phone", "event", False),
        ("phone", "note", False),
        ("meeting", "meeting", True),
        ("meeting", "event", True),
        ("meeting", "call", False),
        ("meeting", "task", False),
    ],
)
def test_a_look_alike_is_of_the_calls_kind(kind: str, theirs: str, expected: bool) -> None:
    """Calls and tasks for phone calls, meetings and events for meetings."""
    assert (found(activity(kind=theirs), kind=kind).activity is not None) is expected


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, True), (900, True), (-900, True), (900.000001, False), (-900.000001, False)]
)
def test_a_look_alike_starts_within_fifteen_minutes(seconds: float, expected: bool) -> None:
    """Inclusive, before and after."""
    started = START + dt.timedelta(seconds=seconds)

    assert (found(activity(started_at=started)).activity is not None) is expected


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("UTC", dt.date(2026, 3, 2), True),
        ("UTC", dt.date(2026, 3, 3), False),
        ("Europe/Paris", dt.date(2026, 3, 3), True),
        ("Europe/Paris", dt.date(2026, 3, 2), False),
    ],
)
def test_a_day_is_one_of_the_connections_time_zone(zone: str, day: dt.date, expected: bool) -> None:
    """Half past eleven in London is the next day in Paris."""
    assert (found(activity(started_at=day), zone=ZoneInfo(zone)).activity is not None) is expected


@pytest.mark.parametrize(
    ("there", "here", "expected"),
    [
        (660, 600, True),
        (540, 600, True),
        (661, 600, False),
        (539, 600, False),
        (1.1, 1, True),
        (0, 0, True),
        (1, 0, False),
    ],
)
def test_where_only_the_day_is_known_the_duration_is_within_a_tenth(there: float, here: float, expected: bool) -> None:
    """Inclusive, of the call's duration, exactly in decimals."""
    day = activity(started_at=START.date(), duration_seconds=there)

    assert (recognise(call(seconds=here), [day], {"C1"}, UTC).activity is not None) is expected


@pytest.mark.parametrize(
    "changes",
    [
        {"started_at": None},
        {"started_at": START.date(), "duration_seconds": None},
        {"people": ()},
        {"people": (Person("contact", "C2"),)},
        {"people": (Person("lead", "L1", converted=True),)},
    ],
)
def test_what_is_missing_makes_no_look_alike(changes: dict[str, object]) -> None:
    """No time, a day without a duration, nobody in common, a lead converted to nobody."""
    assert found(activity(**changes), people=("C1", "L1")) == Recognised()


def test_a_converted_lead_of_an_activity_counts_as_whom_it_became() -> None:
    """The activity still names the lead, the call finds the contact."""
    lead = Person("lead", "L1", converted=True, converted_to=CARL)

    assert found(activity(people=(lead,))).activity is not None


def test_a_blank_key_is_no_key() -> None:
    """It may be a look-alike."""
    assert found(activity(key=" ")).activity is not None
