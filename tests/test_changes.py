"""What is left of a change: what somebody changed meanwhile stays, and is told."""

from __future__ import annotations

from typing import Any

import pytest
from file_world import draft
from hypothesis import example, given
from hypothesis import strategies as st

from connector_core.model import Current, Replaced, remaining
from connector_core.model.changes import same_value


def left(
    wanted: dict[str, Any], before: dict[str, Any], now: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """Give what is to be written, what is to be taken off, and what stays as somebody changed it."""
    names = ("subject", "body", "duration_seconds", "account_id", "opportunity_id", "person_ids")
    rest, kept = remaining(draft(activity_id="T1", replaces=Replaced(**before), **wanted), Current(**now))
    return (
        {name: value for name in names if (value := getattr(rest, name))},
        {name: value for name in names if (value := getattr(rest.replaces, name))},
        kept,
    )


@pytest.mark.parametrize(
    ("before", "now", "written"),
    [
        ("ours", "ours", True),
        (None, None, True),
        (None, " \n", True),
        ("", None, True),
        ("ours", "ours, and a person's", False),
        ("ours", None, False),
        (None, "a person's", False),
    ],
)
def test_a_text_is_written_over_what_it_replaces_alone(before: str | None, now: str | None, written: bool) -> None:
    """A blank text is none; whatever else stands there is a person's."""
    for name in ("subject", "body"):
        wanted = {name: "new"}
        expected = (wanted, {}, ()) if written else ({}, {}, (name,))
        assert left(wanted, {name: before}, {name: now}) == expected


def test_what_stands_there_already_is_neither_written_nor_kept() -> None:
    """Also where it is not what the change replaces: somebody else was quicker."""
    wanted = {
        "subject": "new",
        "duration_seconds": 60.0,
        "account_id": "A2",
        "opportunity_id": "O2",
        "person_ids": ("C1",),
    }
    now = {"subject": "new", "duration_seconds": 60.0, "account_ids": ("A2",), "opportunity_ids": ("O2",)}
    assert left(wanted, {"subject": "old"}, {**now, "person_ids": ("C1",)}) == ({}, {}, ())


@pytest.mark.parametrize(
    ("wanted", "before", "now", "expected"),
    [
        pytest.param("O2", None, (), ("O2", None, ()), id="set where there is none"),
        pytest.param("O2", "O1", ("O1",), ("O2", "O1", ()), id="ours is replaced"),
        pytest.param(None, "O1", ("O1",), (None, "O1", ()), id="ours is taken off"),
        pytest.param(None, "O1", ("O1", "O3"), (None, "O1", ()), id="ours is taken off, another one stays"),
        pytest.param(None, "O1", (), (None, None, ()), id="ours is off already"),
        pytest.param("O2", "O1", ("O2", "O1"), (None, "O1", ()), id="ours is taken off beside the new one"),
        pytest.param("O1", "O1", ("O1",), (None, None, ()), id="ours stays"),
        pytest.param("O2", None, ("O1",), (None, None, ("opportunity_id",)), id="a person's stays"),
        pytest.param("O2", "O1", ("O3",), (None, None, ("opportunity_id",)), id="a person moved it"),
        pytest.param(None, "O1", ("O3",), (None, None, ("opportunity_id",)), id="a person moved it, it was to go"),
        pytest.param("O2", "O1", ("O1", "O3"), (None, None, ("opportunity_id",)), id="a person added one"),
        pytest.param(None, None, ("O1",), (None, None, ()), id="nothing is said of it"),
    ],
)
def test_one_link_of_a_kind(
    wanted: str | None,
    before: str | None,
    now: tuple[str, ...],
    expected: tuple[str | None, str | None, tuple[str, ...]],
) -> None:
    """Set where there is none or ours, ours taken off, a person's left."""
    rest, kept = remaining(
        draft(opportunity_id=wanted, replaces=Replaced(opportunity_id=before)), Current(opportunity_ids=now)
    )
    assert (rest.opportunity_id, rest.replaces.opportunity_id, kept) == expected


IDS = st.sampled_from(["R1", "R2", "R3"])
LINKS = st.lists(IDS, unique=True).map(tuple)


@given(IDS | st.none(), IDS | st.none(), LINKS, LINKS, LINKS, LINKS)
def test_only_what_the_connector_linked_is_taken_off(
    wanted: str | None,
    before: str | None,
    now: tuple[str, ...],
    people: tuple[str, ...],
    old: tuple[str, ...],
    named: tuple[str, ...],
) -> None:
    """Done once, the same change has nothing left, and nobody else's link is gone."""
    change = draft(account_id=wanted, person_ids=people, replaces=Replaced(account_id=before, person_ids=old))
    rest, _ = remaining(change, Current(account_ids=now, person_ids=named))

    def applied(ids: tuple[str, ...], off: tuple[str, ...], on: tuple[str, ...]) -> tuple[str, ...]:
        assert set(off) <= set(ids)
        assert not set(on) & set(ids)
        return (*(it for it in ids if it not in off), *on)

    accounts = applied(now, tuple(filter(None, [rest.replaces.account_id])), tuple(filter(None, [rest.account_id])))
    everybody = applied(named, rest.replaces.person_ids, rest.person_ids)
    assert {it for it in now if it != before} <= set(accounts)
    assert set(everybody) == (set(named) - set(old)) | set(people)
    again, _ = remaining(change, Current(account_ids=accounts, person_ids=everybody))
    assert (again.account_id, again.person_ids, again.replaces) == (None, (), Replaced())


@given(st.text(max_size=8), st.text(max_size=8))
@example("0123", "123")
@example("+33123456789", "33123456789")
@example("1e2", "100")
def test_texts_are_the_same_where_their_words_are(one: str, other: str) -> None:
    """Never as numbers: a text of digits may be an id or a phone number."""
    plain = [text.strip().replace("\r\n", "\n") for text in (one, other)]
    assert same_value(one, other) == (plain[0] == plain[1])


@given(st.integers() | st.booleans() | st.floats(allow_nan=False))
def test_a_value_is_the_same_as_its_text(value: float) -> None:
    """As CRMs give numbers and yes or no back; digits beyond what a float holds count."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    assert same_value(value, text)
    assert same_value(text, value)
    if isinstance(value, int) and not isinstance(value, bool):
        assert not same_value(value, str(value + 1))
