"""Listing deals: whose they are, and when they really closed."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.deals import _closed_at, _primary
from connector_hubspot.reading import Link
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import TryAgainError
from connector_core.model import Account, Unknown

Connect = Callable[..., Any]
CREATED = "2026-02-01T08:00:00Z"
CONTACT = {"kind": "contact", "id": "C", "name": "C"}


def deal(seed_id: str, **rest: Any) -> dict[str, Any]:
    return {"id": seed_id, "created_at": CREATED, **rest}


def test_a_deal_has_all_that_a_decision_needs(connect: Connect) -> None:
    """Name, account, owner, people, creation and next step of a contact's deal are answered."""
    account = connect(
        accounts=[{"id": "A", "name": "Buyer"}],
        users=[{"id": "U", "email": "ada@seller.example"}],
        people=[CONTACT],
        opportunities=[
            deal("O", name="Renewal", account_id="A", owner_id="U", contact_ids=["C"], next_step="Send the quote")
        ],
    )
    (found,) = account.adapter.list_opportunities([account["C"]], [], [], None).of_people[account["C"]]
    assert (found.id, found.name, found.account, found.owner_id, found.owner_email, found.next_step) == (
        account["O"],
        "Renewal",
        Account(account["A"], "Buyer"),
        account["U"],
        "ada@seller.example",
        "Send the quote",
    )
    assert (found.created_at, found.closed_at, found.person_ids) == (
        dt.datetime(2026, 2, 1, 8, tzinfo=dt.UTC),
        None,
        (account["C"],),
    )


def test_every_key_has_its_answer(connect: Connect) -> None:
    """People, accounts and ids that have no deals, or are not there, are answered with none."""
    account = connect(accounts=[{"id": "A"}], people=[CONTACT])
    found = account.adapter.list_opportunities([account["C"], "L1"], [account["A"]], ["1", "006X"], None)
    assert found.of_people == {account["C"]: (), "L1": ()}
    assert (found.of_accounts, found.by_id) == ({account["A"]: ()}, {"1": (), "006X": ()})


def test_an_account_has_the_deals_whose_primary_company_it_is(connect: Connect) -> None:
    """A deal counts for its primary company, not for every company that it is associated with."""
    account = connect(accounts=[{"id": "A"}, {"id": "B"}], opportunities=[deal("O", account_id="A")])
    pair = {"from": {"id": account["O"]}, "to": {"id": account["B"]}}
    path = "/crm/associations/{version}/deals/companies/batch/associate/default"
    account.adapter._client.post(path, {"inputs": [pair]})
    found = account.adapter.list_opportunities([], [account["A"], account["B"]], [], None).of_accounts
    assert {key: [each.id for each in deals] for key, deals in found.items()} == {
        account["A"]: [account["O"]],
        account["B"]: [],
    }


def test_a_merged_deal_is_answered_by_the_survivor(connect: Connect) -> None:
    """The id of a deal that was merged away gives the one that is left."""
    account = connect(opportunities=[deal("O"), deal("P")])
    account.sandbox.patch("deals", account["O"], {}, delete=False, merge_into=account["P"])
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert found.id == account["P"]


def test_a_deleted_deal_is_gone(connect: Connect) -> None:
    """A deal that was deleted is not there, by id and by its people."""
    account = connect(people=[CONTACT], opportunities=[deal("O", contact_ids=["C"])])
    account.sandbox.patch("deals", account["O"], {}, delete=True, merge_into=None)
    found = account.adapter.list_opportunities([account["C"]], [], [account["O"]], None)
    assert (found.of_people, found.by_id) == ({account["C"]: ()}, {account["O"]: ()})


def test_a_deleted_company_is_no_account(connect: Connect) -> None:
    """A deal whose company was deleted has no account."""
    account = connect(accounts=[{"id": "A"}], opportunities=[deal("O", account_id="A")])
    account.sandbox.patch("companies", account["A"], {}, delete=True, merge_into=None)
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert found.account is None


def test_an_owner_who_left_is_still_known(connect: Connect) -> None:
    """The address of an archived owner is found, for the owner filter."""
    account = connect(
        users=[{"id": "U", "email": "ada@seller.example", "fields": {"archived": True}}],
        opportunities=[deal("O", owner_id="U")],
    )
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert found.owner_email == "ada@seller.example"


def test_a_plan_is_no_closing(connect: Connect) -> None:
    """An open deal whose expected close date has passed is open."""
    account = connect(opportunities=[deal("O", fields={"closedate": "2026-02-10T00:00:00Z"})])
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert found.closed_at is None


@pytest.mark.parametrize(
    ("closed_at", "wanted"),
    [
        ("2026-03-05T10:11:12Z", dt.datetime(2026, 3, 5, 10, 11, 12, tzinfo=dt.UTC)),
        ("2026-03-05T00:00:00Z", dt.datetime(2026, 3, 5, tzinfo=dt.UTC)),
        ("2026-03-05", dt.date(2026, 3, 5)),
    ],
)
def test_the_real_closing_is_told(connect: Connect, closed_at: str, wanted: dt.date) -> None:
    """A closed deal closed when it entered its stage; where HubSpot knows that not, on its day."""
    account = connect(opportunities=[deal("O", closed_at=closed_at)])
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert (type(found.closed_at), found.closed_at) == (type(wanted), wanted)


def test_stages_of_other_pipelines_are_known(connect: Connect) -> None:
    """A stage is closed by its metadata, whatever its id; and so is told when, though no property is named by this one."""
    fields = {"pipeline": "727240411", "dealstage": "8b1f1c6e-2f0d-4a55-9c7e-3d2a6f4b0e91"}
    account = connect(opportunities=[deal("O", closed_at="2026-03-05T10:00:00Z", fields=fields)])
    (found,) = account.adapter.list_opportunities([], [], [account["O"]], None).by_id[account["O"]]
    assert found.closed_at == dt.datetime(2026, 3, 5, 10, tzinfo=dt.UTC)


def test_a_stage_whose_metadata_tells_nothing_is_what_the_deal_says(connect: Connect) -> None:
    """Of the metadata of a stage ``probability`` alone is documented."""
    account = connect(opportunities=[deal("O", closed_at="2026-03-05T10:00:00Z"), deal("P")])
    stages: list[Any] = [{"id": name, "label": name, "metadata": {}} for name in ("closedwon", "appointmentscheduled")]
    body = {"results": [{"id": "default", "label": "Sales", "stages": stages}]}
    account.faults({"match": {"path": "*/pipelines/*"}, "do": {"status": 200, "body": body}})
    found = account.adapter.list_opportunities([], [], [account["O"], account["P"]], None).by_id
    assert [found[account[name]][0].closed_at is not None for name in ("O", "P")] == [True, False]


@pytest.mark.parametrize(
    ("closed_since", "kept"),
    [
        (dt.datetime(2026, 3, 5, 9, tzinfo=dt.UTC), ["O", "P", "Q"]),
        (dt.datetime(2026, 3, 5, 11, tzinfo=dt.UTC), ["O", "Q"]),
        (dt.datetime(2026, 3, 5, 23, tzinfo=dt.UTC), ["O"]),
    ],
)
def test_what_closed_earlier_is_left_out(connect: Connect, closed_since: dt.datetime, kept: list[str]) -> None:
    """A bound leaves out what closed before it; a day ends at midnight of the connection's time zone."""
    account = connect(
        people=[CONTACT],
        opportunities=[
            deal("O", contact_ids=["C"]),
            deal("P", contact_ids=["C"], closed_at="2026-03-05T10:00:00Z"),
            deal("Q", contact_ids=["C"], closed_at="2026-03-05"),
        ],
    )
    found = account.adapter.list_opportunities([account["C"]], [], [], closed_since).of_people[account["C"]]
    assert sorted(each.id for each in found) == sorted(account[name] for name in kept)


def test_every_page_of_associations_is_read(connect: Connect) -> None:
    """A contact with more deals than a page has them all."""
    account = connect(people=[CONTACT], opportunities=[deal(f"O{n}", contact_ids=["C"]) for n in range(7)])
    account.sandbox.org({"association_page_size": 3})
    found = account.adapter.list_opportunities([account["C"]], [], [], None)
    assert len(found.of_people[account["C"]]) == 7


def test_an_account_with_very_many_deals_has_them_all(connect: Connect) -> None:
    """However many pages there are, each is read, and each deal is answered."""
    deals = [deal(f"O{n}", account_id="A", name=f"Deal {n}") for n in range(120)]
    account = connect(accounts=[{"id": "A"}, {"id": "B"}], opportunities=[*deals, deal("P", account_id="B")])
    account.sandbox.org({"association_page_size": 2})
    answer = account.adapter.list_opportunities([], [account["A"], account["B"]], [], None).of_accounts
    found = {key: {each.name for each in deals} for key, deals in answer.items() if not isinstance(deals, Unknown)}
    assert found == {account["A"]: {each["name"] for each in deals}, account["B"]: {None}}
    assert len(account.requests("/companies/deals/batch/read")) == 60


@pytest.mark.parametrize("to", [[{"toObjectId": 1, "associationTypes": []}], []])
def test_pages_that_lead_nowhere_are_unknown(connect: Connect, to: list[Any]) -> None:
    """A contact whose pages come again and again, or are empty, is unknown, and not one with a few deals."""
    account = connect(people=[CONTACT])
    page = {"from": {"id": account["C"]}, "to": to, "paging": {"next": {"after": "MQ=="}}}
    body = {"status": "COMPLETE", "results": [page]}
    account.faults({"match": {"path": "*/contacts/deals/batch/read"}, "times": 9, "do": {"status": 200, "body": body}})
    found = account.adapter.list_opportunities([account["C"]], [], [], None)
    assert isinstance(found.of_people[account["C"]], Unknown)
    assert len(account.requests("/contacts/deals/batch/read")) == 1 + len(to)


def test_a_part_of_an_answer_is_no_answer(connect: Connect) -> None:
    """Associations that HubSpot could not read are a failure, and not "none"."""
    account = connect(people=[CONTACT])
    body = {"results": [], "errors": [{"category": "INTERNAL_ERROR", "message": "…"}], "numErrors": 1}
    account.faults({"match": {"path": "*/contacts/deals/batch/read"}, "do": {"status": 207, "body": body}})
    with pytest.raises(TryAgainError, match="INTERNAL_ERROR"):
        account.adapter.list_opportunities([account["C"]], [], [], None)


def test_deals_cost_few_requests(connect: Connect) -> None:
    """Seventy contacts with 120 deals take eight requests, cold."""
    people = [{"kind": "contact", "id": f"C{n}", "name": "C"} for n in range(70)]
    deals = [deal(f"O{n}", contact_ids=[f"C{n % 70}"], account_id="A", owner_id="U") for n in range(120)]
    users = [{"id": "U", "email": "ada@seller.example"}]
    account = connect(accounts=[{"id": "A"}], users=users, people=people, opportunities=deals)
    account.adapter.list_opportunities([account[f"C{n}"] for n in range(70)], [], [], None)
    assert len(account.requests()) == 8


# -- rules -------------------------------------------------------------------------------------------------------------

CLOSED = {"won": True, "open": False}


@given(
    st.dictionaries(st.sampled_from(["closedate", "hs_v2_date_entered_current_stage"]), st.just("2026-03-05T10:00:00Z"))
)
def test_an_open_stage_is_never_closed(properties: dict[str, str]) -> None:
    """Whatever dates an open deal carries, it is open."""
    assert _closed_at({"properties": {"dealstage": "open", **properties}}, CLOSED, dt.UTC) is None


@given(
    st.dictionaries(
        st.sampled_from(["closedate", "hs_v2_date_entered_current_stage", "hs_v2_date_entered_won"]),
        st.sampled_from(["2026-03-05T10:00:00Z", "", "x"]),
    )
)
def test_a_closed_stage_is_never_open(properties: dict[str, str]) -> None:
    """Whatever dates a closed deal lacks, it is closed."""
    record = {"properties": {"dealstage": "won", **properties}, "updatedAt": "2026-03-06T10:00:00Z"}
    assert _closed_at(record, CLOSED, dt.UTC) is not None


@pytest.mark.parametrize(
    ("closedate", "zone", "day"),
    [
        ("2026-03-05T23:30:00Z", "Europe/Paris", 6),
        ("2026-03-06T02:00:00Z", "America/New_York", 5),
        ("2026-03-06T00:00:00Z", "America/New_York", 6),
        ("1772755200000", "America/New_York", 6),
    ],
)
def test_the_day_of_a_close_date_is_that_of_the_connection(closedate: str, zone: str, day: int) -> None:
    """HubSpot shows a time in the zone of who looks; midnight in UTC stands for a day, and is the same one everywhere."""
    record = {"properties": {"dealstage": "won", "closedate": closedate}}
    assert _closed_at(record, CLOSED, zoneinfo.ZoneInfo(zone)) == dt.date(2026, 3, day)


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), unique_by=lambda each: each[0]), st.randoms())
def test_the_order_of_companies_means_nothing(companies: list[tuple[int, bool]], random: Any) -> None:
    """The marked company is chosen, wherever it stands."""
    marked = next((number for number, primary in companies if primary), None)
    links = [Link(str(number), frozenset({341, 5} if number == marked else {341})) for number, _ in companies]
    chosen = _primary(links)
    random.shuffle(links)
    assert chosen == _primary(links) == (str(marked) if marked else links[0].id if len(links) == 1 else None)
