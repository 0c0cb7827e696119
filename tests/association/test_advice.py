"""What a person is told to do about an opportunity that is missing is true of the case."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.association import Choice, Choices, Decision, History, Records, Settings, decide
from connector_core.association.history import NO_CHOICES
from connector_core.model import Account, Activity, Call, Opportunity, Person

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
A1, A2 = Account("A1", "Buyer"), Account("A2", "Other")
CARL = Person("contact", "C1", "Carl", account=A1)
O1 = Opportunity("O1", START - dt.timedelta(days=1), "Renewal", A1)
RECORDS = Records(
    people_by_email={"c@b.example": (CARL,)},
    activities={"x:1": ()},
    opportunities_of_people={"C1": ()},
    opportunities_of_accounts={"A1": ()},
    accounts_by_id={"A2": (A2,)},
)


def decided(
    *, attended: bool = True, choices: Choices = NO_CHOICES, policy: Any = "all_contacts", **records: Any
) -> Decision:
    """Decide a meeting with Carl."""
    guest = {"is_user": False, "name": "Carl", "emails": ["c@b.example"], "attended": attended}
    call = Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "meeting", "started_at": START, "participants": [guest]}
    )
    return decide(call, replace(RECORDS, **records), Settings(policy), History(choices))


def advice(decision: Decision) -> list[tuple[str, str]]:
    """Give codes and texts."""
    return [(row["code"], row["text"]) for row in decision.advice]


def account(record_id: str | None) -> Choices:
    """Choose an account by hand, or clear it."""
    return Choices.of([Choice("account", record_id, "Ada", START)])


NO_OPPORTUNITY = "Nobody has an opportunity: add the contact to the opportunity in the CRM."
NO_ACCOUNT = "Nobody has an account or an opportunity: complete the contact in the CRM."
NO_OPPORTUNITY_OF_ACCOUNT = "The account has no opportunity: create it in the CRM, or correct the account of the call."


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        (decided(), NO_OPPORTUNITY),
        (decided(choices=account(None)), NO_OPPORTUNITY),
        (decided(people_by_email={"c@b.example": (replace(CARL, account=None),)}), NO_ACCOUNT),
        (decided(policy="primary_contact"), NO_OPPORTUNITY_OF_ACCOUNT),
        (decided(activities={"x:1": (Activity("T1", "event", "x:1", accounts=(A1,)),)}), NO_OPPORTUNITY_OF_ACCOUNT),
    ],
    ids=["participants", "account cleared", "no account", "primary contact", "activity's account"],
)
def test_what_to_do_where_there_is_no_opportunity_to_choose_from(decision: Decision, text: str) -> None:
    """It depends on whose opportunities the case looks at, and on what the people have."""
    assert advice(decision) == [("no_opportunity", text)]


def test_a_contact_who_did_not_attend_is_not_said_to_lack_anything() -> None:
    """It has both: it counts for nothing here."""
    assert advice(decided(attended=False, opportunities_of_people={"C1": (O1,)})) == []


def test_what_to_do_about_an_opportunity_of_another_account() -> None:
    """The account was set by hand: one of the two is wrong."""
    decision = decided(choices=account("A2"), opportunities_of_people={"C1": (O1,)})

    text = "An opportunity is of another account than the call: correct the account of the one or the other."
    assert advice(decision) == [("other_account", text)]


@pytest.mark.parametrize(
    ("is_user", "told"),
    [
        (
            False,
            "Contact C9, set by hand for the guest at place 0, is no longer in the CRM: choose again, or clear it.",
        ),
        (True, "Contact C9 was set by hand for place 0, where no guest of this call stands: it counts for nothing."),
    ],
)
def test_what_to_do_about_a_contact_set_by_hand_who_counts_no_more(is_user: bool, told: str) -> None:
    """Only of a guest can it be chosen again, or cleared."""
    call = Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "meeting", "started_at": START, "participants": [{"is_user": is_user}]}
    )
    choices = Choices.of([Choice("contact", "C9", "Ada", START, 0)])

    decision = decide(call, replace(RECORDS, people_by_id={"C9": ()}), Settings(), History(choices))

    assert ("manual_gone", told) in advice(decision)


def test_a_guest_without_a_name_is_told_by_its_place() -> None:
    """It is the place that a correction takes: from 0, users counted along."""
    people = [{"is_user": True}, {"is_user": False}]
    call = Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "meeting", "started_at": START, "participants": people}
    )

    (row,) = decide(call, RECORDS, Settings()).advice

    assert row["text"].startswith("The guest at place 1 has neither e-mail nor number")


def test_what_to_do_where_several_activities_may_be_the_call_can_be_done() -> None:
    """Linking tells the right one, and nothing else does: what is advised makes an end of it."""
    alike = [Activity(key, "event", people=(CARL,), started_at=START) for key in ("T1", "T2")]
    linked = replace(alike[1], opportunities=(O1,))

    waits = decided(activities={"x:1": tuple(alike)})
    goes_on = decided(activities={"x:1": (alike[0], linked)})

    text = "look alike: link the right one to its opportunity or account in the CRM, then refresh the call."
    assert advice(waits)[0] == ("ambiguous_activity", f"Activities T1, T2 {text}")
    assert (goes_on.status, goes_on.to_json()["activity_id"]) == ("decided", "T2")
