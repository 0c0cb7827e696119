"""What we wrote is rewritten, and what people wrote around it stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_writing import START, call

from connector_core.association import Decision, Settings
from connector_core.characters import units
from connector_core.model import Account, Activity, ActivityDraft, Opportunity, Person, Receipt, Replaced, Written
from connector_core.writing import Form, change, render, written_by

FORMATS = ["text", "html"]
TEXTS = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60)
AROUND = TEXTS.filter(lambda text: "ref:" not in text)
PARTS: dict[str, Any] = {
    "summary": st.none() | TEXTS,
    "tags": st.lists(TEXTS, max_size=3),
    "recording_url": st.none() | st.just("https://calls.example/2"),
}
CALLS = st.fixed_dictionaries(PARTS)


def around(fmt: str, before: str, ours: str, after: str) -> str:
    """Give a body in which a person wrote before and after our part."""
    if fmt == "html":
        return "".join([f"<p>{before}</p>" if before else "", ours, f"<p>{after}</p>" if after else ""])
    return "\n".join(part for part in (before, ours, after) if part)


@pytest.mark.parametrize("fmt", FORMATS)
@given(first=CALLS, then=CALLS, before=AROUND, after=AROUND, limit=st.integers(0, 900))
def test_what_people_wrote_around_our_part_survives(
    fmt: render.BodyFormat, first: Any, then: Any, before: str, after: str, limit: int
) -> None:
    """Before it, after it or both; ours is the new one, within the limit, and the ref line stands there once."""
    ours = render.body(call(**first), fmt, 32_000) or ""
    existing = around(fmt, before, ours, after)
    head, _, tail = existing.partition(ours)
    new = render.rewrite(existing, ours, call(**then), fmt, limit)

    if new is None:
        return
    assert (new.startswith(head), new.endswith(tail), units(new) <= limit) == (True, True, True)
    room = limit - units(head) - units(tail)
    assert new[len(head) : len(new) - len(tail)] == render.body(call(**then), fmt, room)
    assert new.count("ref: aircall:1") == 1


@pytest.mark.parametrize("fmt", FORMATS)
@given(first=CALLS, then=CALLS, before=AROUND, after=AROUND, limit=st.integers(200, 900))
def test_a_second_time_changes_nothing(
    fmt: render.BodyFormat, first: Any, then: Any, before: str, after: str, limit: int
) -> None:
    """The same call again finds its own part, and writes the same."""
    ours = render.body(call(**first), fmt, 32_000) or ""
    existing = around(fmt, before, ours, after)
    head, _, tail = existing.partition(ours)
    new = render.rewrite(existing, ours, call(**then), fmt, limit)

    if new is not None:
        again = new[len(head) : len(new) - len(tail)]
        assert render.rewrite(new, again, call(**then), fmt, limit) == new


@pytest.mark.parametrize("fmt", FORMATS)
@given(where=st.floats(0, 1), put=AROUND.filter(str.strip))
def test_our_part_that_somebody_changed_stays(fmt: render.BodyFormat, where: float, put: str) -> None:
    """Wherever inside: it is the person's now."""
    ours = render.body(call(), fmt, 32_000) or ""
    at = 1 + int(where * (len(ours) - 2))
    changed = ours[:at] + put + ours[at:]
    if ours not in changed:
        assert render.rewrite(changed, ours, call(summary="New"), fmt, 32_000) is None


@pytest.mark.parametrize("fmt", FORMATS)
def test_line_ends_and_blanks_are_the_crms(fmt: render.BodyFormat) -> None:
    """A body that differs in them alone is ours still."""
    ours = render.body(call(), fmt, 32_000) or ""
    there = ours.replace("\n", "\r\n") if fmt == "text" else ours.replace("</strong> ", "</strong>\n")
    new = render.body(call(summary="New"), fmt, 32_000)

    assert render.rewrite(there, ours, call(summary="New"), fmt, 32_000) == new
    assert render.rewrite(there, ours, call(), fmt, 32_000) == there


def test_line_ends_of_the_crm_do_not_hide_our_part_among_a_persons() -> None:
    """What people wrote before and after it stays, with its own line ends."""
    ours = render.body(call(), "text", 32_000) or ""
    there = "Mine.\r\n\r\n" + ours.replace("\n", "\r\n") + "\r\nMine too.\r\n"
    new = render.body(call(summary="New"), "text", 32_000)

    assert render.rewrite(there, ours, call(summary="New"), "text", 32_000) == f"Mine.\r\n\r\n{new}\r\nMine too.\r\n"


# -- the whole change


FORM = Form(body_format="text")
A = Account("A")
DEAL, OTHER = (Opportunity(name, START) for name in "OP")
CARL, LEA = (Person("contact", name) for name in ("C", "L"))


def decided(activity: Activity, *, by_key: bool = True, **found: Any) -> Decision:
    """Give a decision that recognised an activity; ``changes`` are those of the call."""
    changes = found.pop("changes", {})
    return Decision(call(**changes), Settings(), "decided", (), activity=activity, by_key=by_key, **found)


def as_written(**links: Any) -> tuple[Activity, Written]:
    """Give an activity that the connector wrote and nobody touched, and what is known of it."""
    names = {name: found.id for name, found in links.items() if name in ("account", "opportunity")}
    written = Written(
        "T1",
        "call",
        subject="Outbound call",
        body=render.body(call(), "text", 32_000),
        duration_seconds=1805,
        person_ids=tuple(person.id for person in links.get("people", ())),
        account_id=names.get("account"),
        opportunity_id=names.get("opportunity"),
    )
    activity = Activity(
        "T1",
        "call",
        key="aircall:1",
        people=tuple(links.get("people", ())),
        accounts=tuple(links[name] for name in names if name == "account"),
        opportunities=tuple(links[name] for name in names if name == "opportunity"),
        duration_seconds=written.duration_seconds,
        subject=written.subject,
        body=written.body,
    )
    return activity, written


def test_what_is_ours_and_right_is_left_alone() -> None:
    """There is nothing to change."""
    activity, written = as_written(people=[CARL], account=A, opportunity=DEAL)
    assert change(decided(activity, account=A, opportunity=DEAL), FORM, replace(written, person_ids=())) is None


@pytest.mark.parametrize(
    "deal", [DEAL, Opportunity("P", START, account=A)], ids=["ours", "somebody's, of that account"]
)
def test_an_account_that_an_opportunity_stands_for_is_there_already(deal: Opportunity) -> None:
    """In a CRM with one field for both the activity names the opportunity alone; only a person has it named again."""
    activity, written = as_written(account=A, opportunity=DEAL)
    found = replace(activity, accounts=(), opportunities=(deal,))
    known = written if deal is DEAL else replace(written, opportunity_id=None)

    assert change(decided(found, account=A, opportunity=deal), FORM, known) is None
    by_hand = change(decided(found, account=A, opportunity=deal, by_hand=frozenset({"account"})), FORM, known)
    assert by_hand is not None
    assert by_hand.account_id == "A"


def test_links_of_ours_follow_the_decision() -> None:
    """The opportunity is replaced, the account and the people that the decision no longer has are taken back."""
    activity, written = as_written(people=[CARL, LEA], account=A, opportunity=DEAL)
    draft = change(decided(activity, opportunity=OTHER), FORM, written)

    assert draft is not None
    assert (draft.opportunity_id, draft.account_id, draft.person_ids) == ("P", None, ())
    assert (draft.replaces.opportunity_id, draft.replaces.account_id, draft.replaces.person_ids) == (
        "O",
        "A",
        ("C", "L"),
    )


def test_an_opportunity_may_stand_in_the_place_of_our_account() -> None:
    """In a CRM with one field for both; where there are two, the account is named and stays."""
    activity, written = as_written(account=A)
    draft = change(decided(activity, account=A, opportunity=DEAL), FORM, written)

    assert draft is not None
    assert (draft.opportunity_id, draft.account_id, draft.replaces.account_id) == ("O", "A", "A")
    theirs = change(decided(activity, account=A, opportunity=DEAL), FORM, replace(written, account_id=None))
    assert theirs is not None
    assert (theirs.opportunity_id, theirs.account_id, theirs.replaces.account_id) == ("O", None, None)


@pytest.mark.parametrize(("name", "value"), [("subject", "A person's"), ("duration_seconds", 60.0)])
def test_a_subject_or_a_duration_that_somebody_changed_stays(name: str, value: Any) -> None:
    """What is still ours is rewritten, and says what it replaces."""
    activity, written = as_written()
    newer = {"title": "New title", "duration_seconds": 90}
    ours = change(decided(activity, changes=newer), FORM, written)
    theirs = change(decided(replace(activity, **{name: value}), changes=newer), FORM, written)

    assert ours is not None
    assert theirs is not None
    assert (ours.subject, ours.duration_seconds) == ("New title", 90)
    assert (ours.replaces.subject, ours.replaces.body) == (activity.subject, activity.body)
    assert getattr(theirs, name) is None


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_after_a_rewriting_our_part_is_known_without_what_people_wrote(ends: str) -> None:
    """Also where the CRM has other line ends; so the next one replaces no word of theirs."""
    activity, written = as_written()
    there = f"Mine.{ends}{(written.body or '').replace(chr(10), ends)}{ends}Mine too."
    found = replace(activity, body=there)
    draft = change(decided(found, changes={"summary": "New"}), FORM, written)

    assert draft is not None
    known = written_by(draft, Receipt("updated", "T1"), written)
    assert known.body == render.body(call(summary="New"), "text", 32_000)
    assert draft.body == f"Mine.{ends}{known.body}{ends}Mine too."
    assert change(decided(replace(found, body=draft.body), changes={"summary": "New"}), FORM, known) is None


def test_what_may_be_somebody_elses_is_never_taken_for_ours() -> None:
    """A body that does not begin with what stood there, and of which no part is known as ours, is nobody's of ours."""
    draft = ActivityDraft(
        "aircall:1", "call", START, START, "T1", body="Typed.\n\nNew", replaces=Replaced(body="Typed.\n\nOld")
    )

    assert written_by(draft, Receipt("updated", "T1"), None).body is None
