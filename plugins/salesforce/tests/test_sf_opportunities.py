"""Opportunities, listed from a sandbox."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from connector_core.errors import MissingRightError

CREATED = "2026-01-10T08:00:00Z"
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}],
    "users": [{"id": "U1", "email": "ada@seller.example"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Carla"},
        {"kind": "lead", "id": "L1", "name": "Lea"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Renewal", "account_id": "A1", "owner_id": "U1", "created_at": CREATED,
         "contact_ids": ["C1", "C2"], "next_step": "Send the quote"},
        {"id": "O2", "created_at": CREATED, "closed_at": "2026-02-01T10:00:00Z", "contact_ids": ["C2"]},
        {"id": "O3", "created_at": CREATED, "closed_at": "2026-02-03", "account_id": "A1"},
    ],
}  # fmt: skip


@pytest.fixture
def desk(connect: Any) -> Any:
    return connect(WORLD)


def listed(desk: Any, people: Any = (), accounts: Any = (), ids: Any = (), since: Any = None) -> Any:
    asked = [[desk.ids.get(it, it) for it in keys] for keys in (people, accounts, ids)]
    return desk.adapter.list_opportunities(*asked, since)


def names(desk: Any, answer: Any) -> list[str]:
    back = {record: seed for seed, record in desk.ids.items()}
    return sorted(back[it.id] for it in answer)


def test_those_of_a_person_come_through_contact_roles(desk: Any) -> None:
    """Each person gets the opportunities in which it has a role."""
    found = listed(desk, people=["C1", "C2"]).of_people

    assert (names(desk, found[desk.ids["C1"]]), names(desk, found[desk.ids["C2"]])) == (["O1"], ["O1", "O2"])


def test_those_of_an_account_are_all_of_them(desk: Any) -> None:
    """An account gets its opportunities, with and without contact roles, closed ones too."""
    assert names(desk, listed(desk, accounts=["A1"]).of_accounts[desk.ids["A1"]]) == ["O1", "O3"]


def test_one_that_is_gone_is_an_empty_answer(desk: Any) -> None:
    """An id of an opportunity that is not there is answered with none."""
    gone = "006000000000009AAA"

    assert listed(desk, ids=[gone]).by_id == {gone: ()}


@pytest.mark.parametrize(
    "key", ["006", "O'1", "", "006000000000000ZZZ", "006００００００００００００", "x" * 40, "00600000000\n000"]
)
def test_what_is_no_id_is_an_empty_answer(desk: Any, key: str) -> None:
    """Salesforce refuses a whole query for one malformed id: such a key is nobody's, and the others are answered."""
    found = listed(desk, people=[key, "C1"], accounts=[key], ids=[key])

    assert (found.of_people[key], found.of_accounts[key], found.by_id[key]) == ((), (), ())
    assert names(desk, found.of_people[desk.ids["C1"]]) == ["O1"]


def test_a_short_id_is_the_same_record(desk: Any) -> None:
    """An id of 15 characters is answered under that key."""
    short = desk.ids["O1"][:15]

    assert names(desk, listed(desk, ids=[short]).by_id[short]) == ["O1"]


def test_one_comes_with_all_that_the_decision_needs(desk: Any) -> None:
    """Account, owner, people, creation and next step are there."""
    (found,) = listed(desk, ids=["O1"]).by_id[desk.ids["O1"]]

    assert (found.account.name, found.owner_id, found.owner_email, set(found.person_ids), found.next_step) == (
        "Buyer",
        desk.ids["U1"],
        "ada@seller.example",
        {desk.ids["C1"], desk.ids["C2"]},
        "Send the quote",
    )
    assert found.created_at == dt.datetime(2026, 1, 10, 8, tzinfo=dt.UTC)


def test_an_open_one_is_not_closed_by_the_day_it_was_expected_to(desk: Any) -> None:
    """The close date of an open opportunity is an expectation, however long ago."""
    patch = {"object": "Opportunity", "id": desk.ids["O1"], "fields": {"CloseDate": "2020-01-01"}}
    desk.post("faults", [{"times": 1, "do": {"patch": {**patch, "delete": False, "merge_into": None}}}])

    assert listed(desk, ids=["O1"]).by_id[desk.ids["O1"]][0].closed_at is None


def test_a_closed_one_closed_when_its_stage_changed(desk: Any) -> None:
    """The real closing is the last change of the stage, to the second."""
    (found,) = listed(desk, ids=["O2"]).by_id[desk.ids["O2"]]

    assert found.closed_at == dt.datetime(2026, 2, 1, 10, tzinfo=dt.UTC)


def test_stages_may_be_in_any_language(desk: Any) -> None:
    """What is closed says Salesforce (IsClosed), and no name of a stage."""
    stages = [{"value": "Angebot"}, {"value": "Gewonnen", "closed": True, "won": True}]
    desk.post("org", {"picklist_values": {"Opportunity.StageName": stages}})
    for seed, stage in {"O1": "Gewonnen", "O2": "Angebot"}.items():
        patch = {"object": "Opportunity", "id": desk.ids[seed], "fields": {"StageName": stage}}
        desk.post("faults", [{"times": 1, "do": {"patch": patch}}])
        listed(desk, ids=["O1"])
    found = listed(desk, ids=["O1", "O2"]).by_id

    assert [found[desk.ids[seed]][0].closed_at is not None for seed in ("O1", "O2")] == [True, False]


def test_one_that_never_moved_is_not_lost_to_a_missing_date(desk: Any) -> None:
    """Created closed, it has no change of stage: only the day of closing is known."""
    (found,) = listed(desk, ids=["O3"]).by_id[desk.ids["O3"]]

    assert found.closed_at == dt.date(2026, 2, 3)


def test_a_bound_leaves_out_what_closed_before(desk: Any) -> None:
    """What surely closed before the bound is left out, what is open or closed later is not."""
    since = dt.datetime(2026, 2, 2, tzinfo=dt.UTC)

    assert names(desk, listed(desk, ids=["O1", "O2", "O3"], since=since).by_id[desk.ids["O2"]]) == []
    assert names(desk, listed(desk, people=["C2"], since=since).of_people[desk.ids["C2"]]) == ["O1"]


def test_a_lead_has_none(desk: Any) -> None:
    """A lead has no contact role."""
    assert listed(desk, people=["L1"]).of_people[desk.ids["L1"]] == ()


def test_a_deleted_contact_is_none_of_its_people(desk: Any) -> None:
    """A role may outlive its contact, who then counts as absent."""
    patch = {"object": "Contact", "id": desk.ids["C2"], "fields": {}, "delete": True, "merge_into": None}
    desk.post("faults", [{"times": 1, "do": {"patch": patch}}])

    assert listed(desk, ids=["O1"]).by_id[desk.ids["O1"]][0].person_ids == (desk.ids["C1"],)


def test_a_hidden_next_step_is_done_without(desk: Any) -> None:
    """A column that the decision does not need is left out where the user may not see it."""
    desk.post("org", {"hidden_fields": ["Opportunity.NextStep"]})

    assert listed(desk, ids=["O1"]).by_id[desk.ids["O1"]][0].next_step is None


def test_a_hidden_owner_is_a_missing_right(desk: Any) -> None:
    """Without the owner's field the owner filter would decide wrongly: the right is named."""
    desk.post("org", {"hidden_fields": ["Opportunity.OwnerId"]})
    with pytest.raises(MissingRightError) as caught:
        listed(desk, ids=["O1"])

    assert caught.value.right == "Opportunity.OwnerId"


def test_all_three_questions_are_one_call(desk: Any) -> None:
    """People, accounts and ids are asked for together."""
    listed(desk, people=["C1", "C2"], accounts=["A1"], ids=["O1"])

    assert desk.api_calls == 1


def test_more_than_a_page_is_read_whole(connect: Any) -> None:
    """An account with more opportunities than a page holds gives them all."""
    deals = [{"id": f"O{n}", "account_id": "A1", "created_at": CREATED} for n in range(2_100)]
    desk = connect({"accounts": [{"id": "A1"}], "opportunities": deals})

    assert len(listed(desk, accounts=["A1"]).of_accounts[desk.ids["A1"]]) == 2_100
