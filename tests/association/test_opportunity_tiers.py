"""Choosing among opportunities: the tiers, their bounds and the order inside them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.association.opportunities import TIERS, Candidate, Span, choose
from connector_core.model import Call, Opportunity

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
END = START + dt.timedelta(minutes=30)
MICROSECOND = dt.timedelta(microseconds=1)
DAY = dt.timedelta(days=1)
UTC = ZoneInfo("UTC")
CALL = Call(id="c", provider="test", kind="phone", started_at=START, ended_at=END, participants=())
SPAN = Span.of(CALL, (30, 30, 90), unbounded=False)


def deal(created: dt.datetime, closed: dt.datetime | dt.date | None = None, name: str = "O") -> Opportunity:
    return Opportunity(name, created, closed_at=closed)


def tier(opportunity: Opportunity, zone: ZoneInfo = UTC, span: Span = SPAN) -> str | None:
    return choose([opportunity], span, zone)[0].tier


LONG_AGO = START - 400 * DAY

BOUNDS = [
    ("created at the end is open during the call", deal(END), "open_during_call"),
    ("created after the end is not", deal(END + MICROSECOND), "created_after_call"),
    ("created 30 days after the end", deal(END + 30 * DAY), "created_after_call"),
    ("created later and open is in no tier", deal(END + 30 * DAY + MICROSECOND), None),
    ("closed at the start is open during the call", deal(LONG_AGO, START), "open_during_call"),
    ("closed just before the start", deal(LONG_AGO, START - MICROSECOND), "closed_before_call"),
    ("closed 30 days before", deal(LONG_AGO, START - 30 * DAY), "closed_before_call"),
    ("closed a microsecond longer before", deal(LONG_AGO, START - 30 * DAY - MICROSECOND), "closed_long_before_call"),
    ("closed 90 days before", deal(LONG_AGO, START - 90 * DAY), "closed_long_before_call"),
    ("closed longer before is in no tier", deal(LONG_AGO, START - 90 * DAY - MICROSECOND), None),
    (
        "created too late and closed after the call",
        deal(END + 31 * DAY, END + 40 * DAY),
        "closed_after_call",
    ),
    ("created soon after outranks closed after", deal(END + 3 * DAY, END + 4 * DAY), "created_after_call"),
    ("closed within the call, created too late", deal(END + 31 * DAY, START + MICROSECOND), None),
]


@pytest.mark.parametrize(("opportunity", "expected"), [row[1:] for row in BOUNDS], ids=[row[0] for row in BOUNDS])
def test_a_bound_is_inclusive_and_a_microsecond_beyond_it_is_not(
    opportunity: Opportunity, expected: str | None
) -> None:
    """Each window ends exactly where the rules say."""
    assert tier(opportunity) == expected


@pytest.mark.parametrize(
    ("zone", "closed", "expected"),
    [
        ("UTC", dt.date(2026, 3, 2), "open_during_call"),
        ("UTC", dt.date(2026, 3, 1), "closed_before_call"),
        ("Pacific/Auckland", dt.date(2026, 3, 2), "open_during_call"),
        ("America/Los_Angeles", dt.date(2026, 3, 1), "closed_before_call"),
        ("Pacific/Kiritimati", dt.date(2026, 3, 1), "closed_before_call"),
    ],
)
def test_a_day_of_closing_lasts_until_midnight_of_the_connections_zone(
    zone: str, closed: dt.date, expected: str
) -> None:
    """Where only the day is known, the closing is its last microsecond there."""
    assert tier(deal(LONG_AGO, closed), ZoneInfo(zone)) == expected


def test_a_day_of_closing_ends_a_microsecond_before_midnight() -> None:
    """A call that starts at midnight starts after what closed the day before."""
    at_midnight = Call(
        id="c", provider="test", kind="phone", started_at=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), participants=()
    )
    span = Span.of(at_midnight, (30, 30, 90), unbounded=False)

    assert tier(deal(LONG_AGO, dt.date(2026, 3, 1)), span=span) == "closed_before_call"


def test_without_bound_the_last_tier_reaches_back_for_ever() -> None:
    """Under the policy primary_contact the fifth tier has no lower bound."""
    span = Span.of(CALL, (30, 30, 90), unbounded=True)

    assert tier(deal(LONG_AGO, START - 5000 * DAY), span=span) == "closed_long_before_call"


def test_the_windows_are_settings() -> None:
    """Other windows move the bounds."""
    span = Span.of(CALL, (0, 1, 2), unbounded=False)

    closed = [START - n * DAY for n in (1, 2, 3)]

    assert [tier(deal(LONG_AGO, each), span=span) for each in closed] == [
        "closed_before_call",
        "closed_long_before_call",
        None,
    ]


def test_the_edges_of_the_calendar_are_no_error() -> None:
    """The first and the last instants that there are can be compared like any other."""
    first, last = dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC)

    ranked = choose(
        [deal(first, dt.date.max, "O1"), deal(last, dt.date.min, "O2")], SPAN, ZoneInfo("Pacific/Kiritimati")
    )

    assert [candidate.tier for candidate in ranked] == ["open_during_call", None]


def order(*opportunities: Opportunity) -> list[str]:
    return [candidate.opportunity.id for candidate in choose(opportunities, SPAN, UTC)]


def test_open_at_present_comes_before_closed() -> None:
    """Inside a tier, what is still open outranks what was closed since."""
    assert order(deal(START, END + DAY, "closed"), deal(START - 9 * DAY, None, "open")) == ["open", "closed"]


def test_then_the_creation_nearest_to_the_start() -> None:
    """Before or after the start alike."""
    assert order(deal(START - 2 * MICROSECOND, name="far"), deal(START + MICROSECOND, name="near")) == ["near", "far"]


def test_then_the_smallest_id_as_text() -> None:
    """Ids compare as text: O10 is smaller than O9."""
    assert order(deal(START, name="O9"), deal(START, name="O10")) == ["O10", "O9"]


moments = st.integers(-200 * 86_400, 200 * 86_400).map(lambda s: START + dt.timedelta(seconds=s))
closings = st.none() | moments | moments.map(lambda moment: moment.date())
opportunities = st.lists(
    st.builds(Opportunity, st.text("O123", min_size=1, max_size=3), moments, closed_at=closings),
    unique_by=lambda opportunity: opportunity.id,
    max_size=8,
)


@given(opportunities, st.randoms(use_true_random=False))
def test_the_order_of_the_records_never_matters(deals: list[Opportunity], random: object) -> None:
    """Shuffled records are ranked alike."""
    shuffled = list(deals)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random typed as object

    assert choose(deals, SPAN, UTC) == choose(shuffled, SPAN, UTC)


@given(opportunities)
def test_the_chosen_one_is_in_the_best_tier_that_is_not_empty(deals: list[Opportunity]) -> None:
    """Whatever else is among the candidates, nothing in a better tier was passed over."""
    candidates = choose(deals, SPAN, UTC)
    tiers = [TIERS.index(candidate.tier) for candidate in candidates if candidate.tier]

    assert tiers == sorted(tiers)


@given(opportunities)
def test_every_opportunity_is_ranked_or_excluded(deals: list[Opportunity]) -> None:
    """Each is there once: with a tier and a rank, or with the reason why it has none."""
    candidates = choose(deals, SPAN, UTC)

    def sound(place: int, candidate: Candidate) -> bool:
        if candidate.tier is None:
            return candidate.rank is None and candidate.excluded == "no_tier"
        return candidate.rank == place and candidate.excluded is None

    assert sorted(deal.id for deal in deals) == sorted(candidate.opportunity.id for candidate in candidates)
    assert all(sound(place, candidate) for place, candidate in enumerate(candidates, 1))
