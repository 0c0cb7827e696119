"""Lanes that a service corrects: faster, slower, or closed until its window is over."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import TryAgainError
from connector_core.pace import Pace

PATIENCE = 30.0


@dataclass
class Clock:
    """Seconds that a test moves on."""

    now: float = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def send(pace: Pace, clock: Clock, count: int, lane: str = "general") -> float:
    """Send requests one after the other, each in its turn; give the seconds that it took."""
    started = clock.now
    for _ in range(count):
        clock.now += pace.turn(lane, PATIENCE)
    return clock.now - started


@pytest.mark.parametrize(("rate", "seconds"), [(4.0, 10.0), (20.0, 2.0)])
def test_a_told_rate_is_kept(rate: float, seconds: float) -> None:
    """After a burst, 40 requests take a slower account longer than ten a second would, and a faster one less."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    send(pace, clock, 10)
    pace.set_rate("general", rate)

    assert send(pace, clock, 40) == pytest.approx(seconds)


def test_a_slower_rate_takes_back_the_burst() -> None:
    """What was saved up under a faster rate is not spent at once under a slower one."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    pace.set_rate("general", 2.0)

    assert send(pace, clock, 3) == pytest.approx(0.5)


def test_a_rate_that_is_none_changes_nothing() -> None:
    """Nonsense in a header stops nobody."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    pace.set_rate("general", 0.0)

    assert send(pace, clock, 10) == 0.0


def test_a_held_lane_opens_when_its_window_is_over() -> None:
    """The next request waits for the window, and those after it keep the pace."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    pace.hold("general", 8.0)

    assert [send(pace, clock, 1) for _ in range(3)] == pytest.approx([8.0, 0.1, 0.1])


def test_a_hold_is_not_shortened() -> None:
    """Of two answers that say how long, the longer one counts, whichever came last."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    pace.hold("general", 8.0)
    pace.hold("general", 1.0)
    pace.set_rate("general", 5.0)

    assert send(pace, clock, 1) == pytest.approx(8.0)


def test_a_hold_beyond_patience_is_told_and_takes_no_turn() -> None:
    """Whoever will not wait so long is told how long, again and again, and nobody else is put back by it."""
    clock = Clock()
    pace = Pace({"general": 1.0}, clock)
    pace.hold("general", 60.0)
    asked = []
    for _ in range(3):
        with pytest.raises(TryAgainError) as caught:
            pace.turn("general", PATIENCE)
        asked.append(caught.value.after_seconds)

    assert asked == [60.0] * 3


def test_other_lanes_are_not_held() -> None:
    """What a service says of searches is no word on the rest."""
    clock = Clock()
    pace = Pace({"general": 10.0, "search": 4.0}, clock)
    pace.hold("search", 8.0)

    assert send(pace, clock, 1) == 0.0


def test_a_lane_without_a_pace_gets_none() -> None:
    """A sandbox, which nobody shares, is let be whatever its headers say."""
    clock = Clock()
    pace = Pace({}, clock)
    pace.set_rate("general", 0.1)
    pace.hold("general", 60.0)

    assert send(pace, clock, 50) == 0.0


STEPS = st.one_of(
    st.floats(0.1, 100).map(lambda rate: ("rate", rate)),
    st.floats(0, 20).map(lambda seconds: ("hold", seconds)),
    st.floats(0, 20).map(lambda seconds: ("rest", seconds)),
    st.integers(1, 20).map(lambda count: ("send", float(count))),
)


@given(st.lists(STEPS, max_size=30))
def test_nothing_is_sent_in_a_window_that_is_used_up(steps: list[tuple[str, float]]) -> None:
    """Whatever a service says and in whatever order, no turn falls within a hold, and the clock never runs back."""
    clock = Clock()
    pace = Pace({"general": 10.0}, clock)
    held_until = 0.0
    for what, number in steps:
        match what:
            case "rate":
                pace.set_rate("general", number)
            case "hold":
                pace.hold("general", number)
                held_until = max(held_until, clock.now + number)
            case "rest":
                clock.now += number
            case _:
                for _ in range(int(number)):
                    clock.now += pace.turn("general", 1e9)
                    assert clock.now >= held_until - 1e-9
