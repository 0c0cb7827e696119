"""One call out of parts that came late, twice, and in any order."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connector_core.model import Call, Note, Participant
from connector_core.providers.merging import merge
from connector_core.providers.parts import LISTS, SAID, Address, Attendant, Part

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def part(revision: float = 1.0, **said: Any) -> Part:
    """Make a part of one call that is complete unless told."""
    base = {"call_id": "echo:1", "provider": "echo", "kind": "meeting", "event": "ended", "complete": True}
    return Part(**{**base, "started_at": START, "revision": revision, **said})


def merged(*parts: Part) -> Call:
    """Merge parts that are complete."""
    call = merge(parts)
    assert call is not None
    return call


# -- laws --------------------------------------------------------------------------------------------------------------

TEXTS = st.none() | st.sampled_from(["a", "b"])
PEOPLE = st.builds(
    Attendant,
    key=st.sampled_from(["u1", "u2", "u3"]),
    is_user=st.none() | st.booleans(),
    name=TEXTS,
    emails=st.lists(
        st.builds(
            Address,
            email=st.sampled_from(["ada@seller.example", "ADA@seller.example", "carl@buyer.example"]),
            source=st.sampled_from(["calendar", "report", "contact"]),
        ),
        max_size=2,
    ).map(tuple),
    phones=st.lists(st.sampled_from(["+33639980001", "+33639980002"]), max_size=2).map(tuple),
    attended=st.none() | st.booleans(),
)
NOTES = st.dictionaries(
    st.sampled_from(["1", "2", "10"]), st.builds(Note, text=st.sampled_from(["x", "y"])), max_size=2
)
PARTS = st.builds(
    part,
    revision=st.sampled_from([1.0, 2.0, 3.0]),
    rank=st.integers(0, 1),
    complete=st.booleans(),
    replaces=st.lists(st.sampled_from(LISTS), unique=True, max_size=2).map(tuple),
    event=st.sampled_from(["ended", "tagged"]),
    started_at=st.none() | st.sampled_from([START, START + dt.timedelta(minutes=1)]),
    ended_at=st.none() | st.just(START + dt.timedelta(minutes=5)),
    title=TEXTS,
    summary=TEXTS,
    topics=st.none() | st.lists(st.sampled_from(["price", "dates"]), max_size=2).map(tuple),
    participants=st.lists(PEOPLE, max_size=3).map(tuple),
    comments=NOTES,
    notes=NOTES,
    tags=st.dictionaries(st.sampled_from(["1", "2"]), st.sampled_from(["demo", "lead"]), max_size=2),
)
SEVERAL = st.lists(PARTS, max_size=6)


@given(SEVERAL, st.randoms(use_true_random=False), st.data())
def test_neither_order_nor_repetition_matters(parts: list[Part], chance: Any, data: st.DataObject) -> None:
    """Whoever delivers them shuffled, some of them twice, delivers the same call."""
    again = parts + (data.draw(st.lists(st.sampled_from(parts))) if parts else [])
    chance.shuffle(again)
    assert merge(again) == merge(parts)


@given(SEVERAL, PARTS)
def test_nothing_replaces_nothing(parts: list[Part], more: Part) -> None:
    """What is known stays known, whatever else is heard; only a list that is said to be whole can grow shorter."""
    before = merge(parts)
    after = merge([*parts, more])
    if before is None:
        return
    assert after is not None
    lost = {name for name in SAID if getattr(before, name) is not None and getattr(after, name) is None} - {"ended_at"}
    lost |= {name for name in LISTS if getattr(before, name) and not getattr(after, name)} - {*more.replaces}
    assert lost == set()


@given(SEVERAL, PARTS)
def test_the_newest_word_counts(parts: list[Part], more: Part) -> None:
    """A part that is newer than all others, and of no lesser rank, is believed in all that it says."""
    newer = more.model_copy(update={"rank": 1, "revision": 9.0, "complete": True, "started_at": START})
    call = merge([*parts, newer])
    assert call is not None
    said = {name: value for name in SAID if (value := getattr(newer, name)) is not None}
    assert {name: getattr(call, name) for name in said} == said


@given(SEVERAL, SEVERAL)
def test_what_was_made_of_parts_adds_nothing_to_them(parts: list[Part], more: list[Part]) -> None:
    """A call is the same, whether or not the one of some of its parts was there before."""
    before = merge(parts)
    assert merge(parts + more, before) == merge(parts + more)


@given(SEVERAL)
def test_nobody_stands_twice(parts: list[Part]) -> None:
    """No address is that of two participants."""
    call = merge(parts)
    emails = [email.casefold() for it in (call.participants if call else ()) for email in it.emails or ()]
    assert len(emails) == len(set(emails))


@given(PARTS)
def test_what_is_kept_is_read_back(said: Part) -> None:
    """A part that the ledger kept says what it said."""
    assert Part.read(said.text, said.revision) == said


# -- examples ----------------------------------------------------------------------------------------------------------


def test_an_incomplete_call_is_none_yet() -> None:
    """A tag alone is no call."""
    assert merge([part(complete=False, tags={"1": "Demo"})]) is None


def test_a_part_that_came_before_the_base_adds_to_it() -> None:
    """A call that was tagged before it ended is tagged."""
    early = part(1.0, complete=False, started_at=None, tags={"1": "Demo"})
    assert merged(part(2.0), early).tags == ("Demo",)


def test_a_list_that_is_whole_leaves_what_it_does_not_name() -> None:
    """What was taken away is gone; what was added since is there."""
    parts = [
        part(1.0, tags={"1": "Demo", "2": "Lead"}),
        part(2.0, tags={"2": "Lead"}, replaces=("tags",)),
        part(3.0, tags={"3": "Won"}),
    ]
    assert merged(*parts).tags == ("Lead", "Won")


def test_an_edited_comment_is_the_newer_one() -> None:
    """One id is one comment."""
    old, new = ({"4": Note(text=text)} for text in ("wants a quote", "wants two quotes"))
    assert merged(part(2.0, comments=new), part(1.0, comments=old)).comments == (Note(text="wants two quotes"),)


def test_invited_is_not_attended() -> None:
    """Who was invited is a guest of whom it is not known that they came."""
    invited = part(participants=(Attendant(key="carl@buyer.example", is_user=False),))
    assert [guest.attended for guest in merged(invited).participants] == [None]


def test_who_is_known_to_have_come_came() -> None:
    """A calendar does not know it, a report does."""
    address = (Address(email="carl@buyer.example", source="calendar"),)
    invited = part(2.0, participants=(Attendant(key="calendar carl", emails=address),))
    came = part(1.0, participants=(Attendant(key="carl", emails=address, attended=True),))
    assert [guest.attended for guest in merged(invited, came).participants] == [True]


def test_one_address_is_one_person() -> None:
    """The calendar's guest and the meeting's are one, by their address; each adds what it knows."""
    calendar = Attendant(
        key="calendar carl", name="Carl", emails=(Address(email="Carl@buyer.example", source="calendar"),)
    )
    meeting = Attendant(key="16778240", emails=(Address(email="carl@buyer.example", source="report"),), attended=True)
    assert merged(part(1.0, participants=(calendar,)), part(2.0, participants=(meeting,))).participants == (
        Participant(is_user=False, name="Carl", emails=("Carl@buyer.example",), attended=True),
    )


def test_what_ties_two_people_together_makes_them_one() -> None:
    """Two keys are one person once somebody says so."""
    apart = part(1.0, participants=(Attendant(key="a", name="Carl"), Attendant(key="b", phones=("+33639980001",))))
    address = (Address(email="carl@buyer.example"),)
    tied = part(2.0, participants=(Attendant(key="a", emails=address), Attendant(key="b", emails=address)))
    assert merged(apart, tied).participants == (
        Participant(is_user=False, name="Carl", emails=("carl@buyer.example",), phones=("+33639980001",)),
    )


def test_the_surest_address_stands_first() -> None:
    """An address of the calendar goes before one of an address book."""
    addresses = (
        Address(email="book@buyer.example", source="contact"),
        Address(email="real@buyer.example", source="calendar"),
    )
    call = merged(part(participants=(Attendant(key="carl", emails=addresses),)))
    assert call.participants[0].emails == ("real@buyer.example", "book@buyer.example")


def test_an_end_before_the_start_is_not_believed() -> None:
    """Parts that contradict each other make a call without an end, and lose nothing else."""
    call = merged(
        part(2.0, started_at=START + dt.timedelta(hours=1)), part(1.0, ended_at=START + dt.timedelta(minutes=5))
    )
    assert (call.started_at, call.ended_at) == (START + dt.timedelta(hours=1), None)


def test_a_greater_rank_goes_before_what_is_newer() -> None:
    """Of a call that one answered, others say later that they missed it; what it does not say, they may."""
    answered, missed = part(1.0, rank=1, status="completed"), part(2.0, status="missed", title="Queue")
    call = merged(answered, missed)
    assert (call.status, call.title) == ("completed", "Queue")


def test_a_list_that_is_whole_counts_by_its_rank() -> None:
    """Of a lesser rank is whatever came before it; what has its rank and is newer adds to it."""
    parts = [part(9.0, tags={"1": "Demo"}), part(1.0, rank=1, tags={"2": "Lead"}, replaces=("tags",))]
    assert merged(*parts, part(2.0, rank=1, tags={"3": "Won"})).tags == ("Lead", "Won")


def test_those_without_an_address_are_not_one() -> None:
    """An address that is blank is nobody's."""
    blank = (Address(email=" "),)
    guests = (Attendant(key="a", name="Ada", emails=blank), Attendant(key="b", name="Bea", emails=blank))
    assert [guest.name for guest in merged(part(participants=guests)).participants] == ["Ada", "Bea"]


KNOWN = Call(
    id="echo:1",
    provider="echo",
    kind="meeting",
    started_at=START,
    participants=(Participant(is_user=False, name="Carl"),),
    status="missed",
    summary="They talked.",
    tags=("Demo",),
)


def test_what_a_call_said_before_stays_where_no_part_says_it() -> None:
    """A call that was read in from elsewhere is enriched, not replaced."""
    call = merge([part(complete=False, started_at=None, title="A talk")], KNOWN)
    assert call == KNOWN.model_copy(update={"title": "A talk"})


def test_a_list_that_is_whole_leaves_nothing_of_what_was_before() -> None:
    """Not even where it is empty."""
    call = merge([part(replaces=("tags",))], KNOWN)
    assert call is not None
    assert call.tags is None


def test_an_id_that_is_no_line_is_refused() -> None:
    """What cannot stand in the last line of an activity is no call's id."""
    with pytest.raises(ValidationError, match="one line"):
        part(call_id="echo:1\n2")
