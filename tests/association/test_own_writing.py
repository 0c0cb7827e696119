"""Our own writing is no evidence; what others changed in it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.association import Choice, Choices, Decision, History, Records, Settings, decide, wants
from connector_core.association.history import NO_CHOICES
from connector_core.model import Account, Activity, Call, Opportunity, Person, Unknown, Written

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
A1, A2 = Account("A1"), Account("A2")
CARL = Person("contact", "C1", "Carl", account=A1)
DORA = Person("contact", "C2", "Dora", account=A2)
OLD = Opportunity("O1", START - dt.timedelta(days=80), "Old", A1, closed_at=START - dt.timedelta(days=60))
NEW = Opportunity("O2", START - dt.timedelta(days=1), "New", A1)
CALL = Call.model_validate(
    {
        "id": "x:1",
        "provider": "x",
        "kind": "phone",
        "started_at": START,
        "participants": [{"is_user": False, "name": "Carl", "emails": ["c@b.example"]}],
    }
)
OURS = Activity("T1", "call", "x:1", (CARL,), (OLD,), (A1,), started_at=START)
WRITTEN = Written("T1", "call", person_ids=("C1",), account_id="A1", opportunity_id="O1")
KNOWN = Records(
    people_by_email={"c@b.example": (CARL,)},
    opportunities_of_people={"C1": (OLD, NEW), "C2": ()},
    opportunities_of_accounts={"A1": (OLD, NEW), "A2": ()},
    people_by_id={"C1": (CARL,)},
    accounts_by_id={"A1": (A1,)},
    opportunities_by_id={"O1": (OLD,)},
)


def decided(
    *activities: Activity,
    written: Written | None = WRITTEN,
    choices: Choices = NO_CHOICES,
    **records: Any,
) -> Decision:
    known = replace(KNOWN, activities={"x:1": activities}, **records)
    return decide(CALL, known, Settings(), History(choices, written))


def told(decision: Decision) -> tuple[str | None, str | None]:
    return decision.case, decision.opportunity and decision.opportunity.id


def test_what_we_wrote_does_not_keep_the_opportunity() -> None:
    """The participants decide anew; without a ledger the activity would."""
    assert told(decided(OURS)) == ("participants", "O2")
    assert told(decided(OURS, written=None)) == ("activity_opportunity", "O1")


def test_our_activity_is_the_one_to_update_with_all_that_stands_in_it() -> None:
    """It is given as the CRM has it."""
    decision = decided(OURS)

    assert (decision.activity, decision.by_key, decision.ours) == (OURS, True, True)
    assert "Activity T1 carries the call's id and names nothing but what we wrote" in decision.explanation


def test_another_opportunity_than_ours_is_somebodys_link() -> None:
    """It decides, and ours, which they took out, is not added again."""
    other = Opportunity("O3", START, "Theirs", A2)

    decision = decided(replace(OURS, opportunities=(other,)))

    assert told(decision) == ("activity_opportunity", "O3")
    assert decision.removed == {("opportunity", "O1")}


def test_an_opportunity_beside_ours_is_somebodys_link() -> None:
    """A deal that somebody added to a meeting in HubSpot."""
    other = Opportunity("O3", START, "Theirs", A2)

    decision = decided(replace(OURS, opportunities=(OLD, other)))

    assert (told(decision), decision.removed) == (("activity_opportunity", "O3"), frozenset())


def test_another_account_than_ours_is_somebodys_link() -> None:
    """The opportunities of that account are then the candidates."""
    decision = decided(replace(OURS, accounts=(A2,)))

    assert (decision.case, decision.account, decision.removed) == ("activity_account", A2, {("account", "A1")})


def test_people_beyond_ours_are_somebodys_link() -> None:
    """They decide first, and are shown beside the guests."""
    decision = decided(replace(OURS, people=(CARL, DORA)))

    assert told(decision) == ("activity_people", "O2")
    assert [person.id for person in decision.also] == ["C2"]


def test_what_somebody_took_out_is_named_and_not_to_be_added_again() -> None:
    """Person, account and opportunity are still there: nobody but a person can have taken them out."""
    decision = decided(replace(OURS, people=(), accounts=(), opportunities=()))

    assert decision.removed == {("contact", "C1"), ("account", "A1"), ("opportunity", "O1")}
    assert "not added again: account A1, contact C1, opportunity O1" in decision.explanation


def test_what_is_gone_from_the_crm_was_taken_out_by_nobody() -> None:
    """A deleted record leaves its activities by itself."""
    decision = decided(replace(OURS, opportunities=()), opportunities_by_id={"O1": ()})

    assert decision.removed == frozenset()


def test_what_a_person_chose_by_hand_may_be_added_again() -> None:
    """The choice of a person is above that of another in the CRM."""
    choices = Choices.of([Choice("opportunity", "O1", "Ada", START)])

    decision = decided(replace(OURS, people=(), opportunities=()), choices=choices)

    assert decision.removed == {("contact", "C1")}


def test_what_we_wrote_and_the_crm_merged_is_still_ours() -> None:
    """The survivor stands where ours stood."""
    survivor, person, account = replace(OLD, id="O7"), replace(CARL, id="C7"), Account("A7")
    activity = replace(OURS, people=(person,), opportunities=(survivor,), accounts=(account,))
    by_id: dict[str, Any] = {
        "people_by_id": {"C1": (person,)},
        "accounts_by_id": {"A1": (account,)},
        "opportunities_by_id": {"O1": (survivor,)},
    }

    decision = decided(activity, **by_id)

    assert (told(decision), decision.removed) == (("participants", "O2"), frozenset())


def test_a_lead_that_we_wrote_and_that_was_converted_is_still_ours() -> None:
    """The activity names the contact that it became."""
    lead = Person("lead", "L1", converted=True, converted_to=CARL)

    decision = decided(OURS, written=replace(WRITTEN, person_ids=("L1",)), people_by_id={"L1": (lead,)})

    assert told(decision) == ("participants", "O2")


def test_what_is_as_we_wrote_it_is_not_read_again() -> None:
    """Only what is missing is asked for by its id."""
    records = replace(KNOWN, activities={"x:1": (OURS,)}, people_by_id={}, accounts_by_id={}, opportunities_by_id={})
    changed = replace(records, activities={"x:1": (replace(OURS, opportunities=()),)})

    assert not wants(CALL, records, Settings(), History(written=WRITTEN))
    assert wants(CALL, changed, Settings(), History(written=WRITTEN)).named() == ["opportunity O1"]


@pytest.mark.parametrize("lost", ["people_by_id", "accounts_by_id", "opportunities_by_id"])
def test_what_could_not_be_read_leaves_the_call_undecided(lost: str) -> None:
    """Whether it was merged, deleted or taken out decides whose the link is."""
    answer = {"C1": Unknown("time-out"), "A1": Unknown("time-out"), "O1": Unknown("time-out")}

    decision = decided(replace(OURS, people=(), accounts=(), opportunities=()), **{lost: answer})

    assert decision.status == "undecided"


def test_our_activity_is_known_without_its_key() -> None:
    """Somebody emptied the field: it is the call's all the same, and is to get its key again."""
    lost = replace(OURS, key=None, started_at=None)

    decision = decided(lost)

    assert (decision.activity, decision.by_key) == (lost, False)
    assert "Activity T1 is the one that we wrote before" in decision.explanation


@pytest.mark.parametrize(
    "other",
    [replace(OURS, key="x:2"), replace(OURS, key=None, kind="meeting"), replace(OURS, key=None, id="T2")],
    ids=["another call's key", "another kind of record", "another id"],
)
def test_an_activity_that_is_not_the_one_we_wrote_is_not_known(other: Activity) -> None:
    """In some CRMs a call and a meeting may have the same id."""
    assert decided(replace(other, started_at=None)).activity is None


def test_a_call_that_the_crm_shows_as_a_task_is_still_ours() -> None:
    """Its kind is a field that people change."""
    assert decided(replace(OURS, kind="task")).ours


def test_among_activities_with_the_calls_id_ours_stays_the_calls() -> None:
    """One that somebody else made beside it names nothing either, as far as evidence goes."""
    beside = Activity("T0", "call", "x:1", started_at=START)

    assert decided(beside, OURS).activity == OURS


def test_an_activity_with_the_calls_id_that_somebody_linked_comes_before_ours() -> None:
    """What somebody linked wins."""
    linked = Activity("T9", "call", "x:1", opportunities=(OLD,), started_at=START)

    decision = decided(OURS, linked)

    assert (decision.activity, decision.ours, decision.removed) == (linked, False, frozenset())
