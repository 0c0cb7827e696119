"""Finding contacts by e-mail and by phone, and owners by e-mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.people import _by_values, _local_forms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector_core.errors import CredentialsError, MissingRightError, TryAgainError
from connector_core.identity import PhoneReader, written_variants
from connector_core.model import Account, Unknown

Connect = Callable[..., Any]


def contact(name: str, **rest: Any) -> dict[str, Any]:
    return {"kind": "contact", "id": name, "name": f"{name} Someone", **rest}


# -- by e-mail ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_found_by_its_address(connect: Connect) -> None:
    """The primary address finds, with everything that a decision needs."""
    account = connect(
        accounts=[{"id": "A", "name": "Buyer"}],
        people=[contact("C", emails=["c@x.example"], phones=["0612345678"], title="CTO", account_id="A")],
    )
    (person,) = account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"]
    assert (person.id, person.name, person.title, person.account) == (
        account["C"],
        "C Someone",
        "CTO",
        Account(account["A"], "Buyer"),
    )


def test_a_further_address_finds_too(connect: Connect) -> None:
    """An address among the additional ones finds the same contact."""
    account = connect(people=[contact("C", emails=["c@x.example", "d@x.example", "e@x.example"])])
    found = account.adapter.find_contacts_by_email(["d@x.example", "e@x.example"])
    assert [[person.id for person in people] for people in found.values()] == [[account["C"]]] * 2


def test_an_address_that_nobody_has_is_not_there(connect: Connect) -> None:
    """A miss is an empty answer, beside those that were found."""
    account = connect(people=[contact("C", emails=["c@x.example"])])
    found = account.adapter.find_contacts_by_email(["c@x.example", "n@x.example"])
    assert {key: len(people) for key, people in found.items()} == {"c@x.example": 1, "n@x.example": 0}


def test_many_addresses_take_a_request_for_each_hundred(connect: Connect) -> None:
    """Two hundred and fifty addresses are three requests."""
    account = connect(people=[contact(f"C{n}", emails=[f"c{n}@x.example"]) for n in range(250)])
    emails = [f"c{n}@x.example" for n in range(250)]
    found = account.adapter.find_contacts_by_email(emails)
    assert (sum(map(len, found.values())), len(account.requests("contacts"))) == (250, 3)


def test_the_primary_company_is_the_account(connect: Connect) -> None:
    """Of several companies the one that is marked counts, and not the first."""
    account = connect(
        accounts=[{"id": "A"}, {"id": "B", "name": "Main"}],
        people=[contact("C", emails=["c@x.example"], account_id="A")],
    )
    account.sandbox.patch(
        "contacts", account["C"], {"associatedcompanyid": account["B"]}, delete=False, merge_into=None
    )
    (person,) = account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"]
    assert person.account == Account(account["B"], "Main")


def test_a_merged_contact_is_found_as_the_survivor(connect: Connect) -> None:
    """The address of a contact that was merged away finds the one that is left."""
    account = connect(people=[contact("C", emails=["c@x.example"]), contact("D", emails=["d@x.example"])])
    account.sandbox.patch("contacts", account["C"], {}, delete=False, merge_into=account["D"])
    (person,) = account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"]
    assert person.id == account["D"]


def test_names_of_companies_are_read_once(connect: Connect) -> None:
    """A company whose name is known costs no second request."""
    account = connect(accounts=[{"id": "A"}], people=[contact("C", emails=["c@x.example"], account_id="A")])
    for _ in range(3):
        account.adapter.find_contacts_by_email(["c@x.example"])
    assert len(account.requests("companies")) == 1


def test_what_hubspot_could_not_answer_is_unknown(connect: Connect) -> None:
    """An error that is not "not found" leaves its key unknown, and the others known."""
    account = connect(people=[contact("C", emails=["c@x.example"])])
    error = {"status": "error", "category": "INTERNAL_ERROR", "message": "…", "context": {"ids": ["d@x.example"]}}
    body = {"status": "COMPLETE", "results": [], "errors": [error], "numErrors": 1}
    account.faults({"match": {"path": "*/contacts/batch/read"}, "do": {"status": 207, "body": body}})
    found = account.adapter.find_contacts_by_email(["c@x.example", "d@x.example"])
    assert (found["c@x.example"], type(found["d@x.example"])) == ((), Unknown)


def test_an_error_that_names_no_key_leaves_all_unknown(connect: Connect) -> None:
    """Where HubSpot does not say which input failed, none is taken for missing."""
    account = connect()
    body = {"results": [], "errors": [{"category": "INTERNAL_ERROR", "message": "…"}], "numErrors": 1}
    account.faults({"do": {"status": 200, "body": body}, "match": {"path": "*/contacts/batch/read"}})
    assert isinstance(account.adapter.find_contacts_by_email(["c@x.example"])["c@x.example"], Unknown)


@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": ["x"]}, {"results": [], "status": "PROCESSING"}])
@pytest.mark.parametrize("look_up", ["find_contacts_by_email", "find_contacts_by_phone"])
def test_an_answer_without_results_is_no_answer(connect: Connect, body: dict[str, Any], look_up: str) -> None:
    """What is no answer to the question, or not a complete one, is not taken for "nobody"."""
    account = connect()
    account.faults({"match": {"path": "*/contacts/*"}, "do": {"status": 200, "body": body}})
    with pytest.raises(TryAgainError):
        getattr(account.adapter, look_up)(["+33612345678"])


def test_an_address_that_is_hidden_leaves_its_contact_unknown(connect: Connect) -> None:
    """A contact that was found by an address which the app may not see is not taken for nobody."""
    account = connect(
        people=[contact("C", emails=["c@x.example", "d@x.example"]), contact("E", emails=["e@x.example"])]
    )
    account.sandbox.org({"hidden": {"contacts": ["hs_additional_emails"]}})
    found = account.adapter.find_contacts_by_email(["d@x.example", "e@x.example"])
    assert (type(found["d@x.example"]), len(found["e@x.example"])) == (Unknown, 1)


@pytest.mark.parametrize("context", [{}, {"propertyName": ["email"]}])
def test_one_address_that_is_refused_keeps_no_other_from_an_answer(connect: Connect, context: dict[str, Any]) -> None:
    """A batch that is refused for one of its inputs is cut in half until that one stands alone; it may name what it is."""
    account = connect(people=[contact(f"C{n}", emails=[f"c{n}@x.example"]) for n in range(9)])
    body = {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "context": context}
    refusal = {"status": 400, "body": body}
    account.faults({"match": {"path": "*/contacts/batch/read", "body": "*c4@x.example*"}, "do": refusal})
    found = account.adapter.find_contacts_by_email([f"c{n}@x.example" for n in range(9)])
    assert [key for key, people in found.items() if isinstance(people, Unknown)] == ["c4@x.example"]


def test_where_everything_is_refused_few_requests_are_spent(connect: Connect) -> None:
    """A refusal that no key is to blame for ends soon, and all is unknown."""
    account = connect()
    refusal = {"status": 400, "body": {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}}
    account.faults({"match": {"path": "*/contacts/batch/read"}, "do": refusal})
    found = account.adapter.find_contacts_by_email([f"c{n}@x.example" for n in range(100)])
    unknown = sum(isinstance(people, Unknown) for people in found.values())
    assert (unknown, len(account.requests()) <= 10) == (100, True)


# -- by phone ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["06 12 34 56 78", "+33612345678", "0033612345678", "+33 (0)6 12 34 56 78", "33612345678", "06.12.34.56.78"]
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_number_is_found_however_it_was_typed(connect: Connect, text: str, place: int) -> None:
    """Each way to write a number finds it, as phone and as mobile phone."""
    phones = ["01 99 00 00 00", text] if place else [text]
    account = connect(people=[contact("C", phones=phones)])
    (person,) = account.adapter.find_contacts_by_phone(["+33612345678"])["+33612345678"]
    assert person.id == account["C"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+14155552671", "US"),
        ("+442079460018", "GB"),
        ("+390612345678", "IT"),
        ("+74951234567", "RU"),
        ("+3612345678", "HU"),
    ],
)
def test_numbers_of_other_countries_are_found(connect: Connect, number: str, region: str, known: bool) -> None:
    """A number in its national form is found, whether or not HubSpot knows its country."""
    account = connect(regions=(region,))
    account.sandbox.org({"default_country": region if known else None})
    contact_id = _create(account, phone=written_variants(number)[2])
    (person,) = account.adapter.find_contacts_by_phone([number])[number]
    assert person.id == contact_id


def _create(account: Any, **properties: str) -> str:
    """Create a contact over the protocol, as the portal calculates what it derives on writes."""
    body = {"inputs": [{"properties": {"firstname": "C", **properties}}]}
    created = account.adapter._client.post("/crm/objects/{version}/contacts/batch/create", body)
    return str(created["results"][0]["id"])


def test_the_same_digits_in_another_country_are_no_hit(connect: Connect) -> None:
    """What a search finds is verified: equal digits are not yet an equal number."""
    account = connect(people=[contact("C", phones=["+49 612345678"])])
    assert account.adapter.find_contacts_by_phone(["+33612345678"]) == {"+33612345678": ()}


def test_a_national_number_needs_a_region(connect: Connect) -> None:
    """Without a default region a national form cannot be read, and matches nobody."""
    account = connect(regions=(), people=[contact("C", phones=["06 12 34 56 78"])])
    assert account.adapter.find_contacts_by_phone(["+33612345678"]) == {"+33612345678": ()}


def test_several_contacts_may_have_a_number(connect: Connect) -> None:
    """All contacts with a number are answered."""
    account = connect(people=[contact(f"C{n}", phones=["06 12 34 56 78"]) for n in range(3)])
    assert len(account.adapter.find_contacts_by_phone(["+33612345678"])["+33612345678"]) == 3


def test_many_numbers_take_a_request_for_each_fifty(connect: Connect) -> None:
    """A hundred numbers are two searches: a filter takes a hundred values, a number needs two of each kind."""
    numbers = [f"+336120000{n:02}" for n in range(100)]
    account = connect(people=[contact(f"C{n}", phones=[number]) for n, number in enumerate(numbers)])
    found = account.adapter.find_contacts_by_phone(numbers)
    assert (sum(map(len, found.values())), len(account.requests("search"))) == (100, 2)


def test_more_hits_than_a_page_are_all_read(connect: Connect) -> None:
    """Hits beyond a page of 200 are found too."""
    account = connect(people=[contact(f"C{n}", phones=["06 12 34 56 78"]) for n in range(230)])
    assert len(account.adapter.find_contacts_by_phone(["+33612345678"])["+33612345678"]) == 230


def test_a_result_that_is_cut_short_is_unknown(connect: Connect) -> None:
    """More hits than HubSpot hands out are not some hits, and not none."""
    account = connect()
    body = {"total": 10_001, "results": [], "paging": {"next": {"after": "200"}}}
    account.faults({"match": {"path": "*/search"}, "do": {"status": 200, "body": body}})
    assert isinstance(account.adapter.find_contacts_by_phone(["+33612345678"])["+33612345678"], Unknown)


@given(st.integers(10**8, 10**9 - 1))
@settings(max_examples=60)
def test_every_reading_of_a_number_is_searched(significant: int) -> None:
    """Whatever HubSpot leaves of a written form, with and without its country, is among what is searched."""
    number = f"+33{significant}"
    if PhoneReader(("FR",)).read(f"0{significant}") == number:
        assert {str(significant), f"33{significant}"} <= set(_local_forms(number))


@given(st.lists(st.from_regex(r"\+[1-9][0-9]{7,12}", fullmatch=True), unique=True, max_size=150))
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
def test_no_filter_has_more_than_a_hundred_values(numbers: list[str]) -> None:
    """Chunks lose no number, and none of their filters is longer than is known to work."""
    chunks = [list(chunk) for chunk in _by_values(numbers)]
    assert [number for chunk in chunks for number in chunk] == numbers
    assert all(sum(len(_local_forms(number)) for number in chunk) <= 100 and len(chunk) <= 50 for chunk in chunks)


# -- failures ----------------------------------------------------------------------------------------------------------


def test_an_expired_token_is_refreshed_once(connect: Connect) -> None:
    """A token that expired on the way is replaced, and the request answered."""
    account = connect(people=[contact("C", emails=["c@x.example"])])
    account.faults({"match": {"path": "*/contacts/batch/read"}, "times": 1, "do": {"expire_session": True}})
    found = account.adapter.find_contacts_by_email(["c@x.example"])
    tokens = [entry for entry in account.server._journal if "/oauth/" in str(entry["path"])]
    assert (len(found["c@x.example"]), len(tokens)) == (1, 1)


def test_a_token_that_is_refused_is_told(connect: Connect) -> None:
    """Refused credentials are no failure to try again."""
    account = connect()
    body = {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "…"}
    account.faults({"do": {"status": 401, "body": body}, "match": {"path": "/crm/*"}})
    with pytest.raises(CredentialsError):
        account.adapter.find_contacts_by_email(["c@x.example"])


def test_a_refused_refresh_is_told(connect: Connect) -> None:
    """A refresh token that was revoked asks for a new connection."""
    account = connect()
    account.sandbox.expire_session()
    body = {"error": "invalid_grant", "error_description": "…", "status": "BAD_REFRESH_TOKEN", "message": "…"}
    account.faults({"do": {"status": 400, "body": body}, "match": {"path": "/oauth/*"}})
    with pytest.raises(CredentialsError, match="connect the account anew"):
        account.adapter.find_contacts_by_email(["c@x.example"])


def test_a_missing_scope_is_named(connect: Connect) -> None:
    """Who lacks a scope reads which one."""
    account = connect()
    account.sandbox.org({"missing_scopes": ["crm.objects.contacts.read"]})
    with pytest.raises(MissingRightError) as caught:
        account.adapter.find_contacts_by_email(["c@x.example"])
    assert caught.value.right == "crm.objects.contacts.read"


def test_a_failed_look_up_is_not_an_empty_one(connect: Connect) -> None:
    """A service that stays away raises; it does not say that nobody is there."""
    account = connect(people=[contact("C", emails=["c@x.example"])])
    account.faults({"do": {"status": 503}})
    with pytest.raises(TryAgainError):
        account.adapter.find_contacts_by_email(["c@x.example"])


# -- owners ------------------------------------------------------------------------------------------------------------


def test_owners_are_found_by_address_archived_ones_too(connect: Connect) -> None:
    """An address finds its owners, the archived one marked as such."""
    account = connect(
        users=[
            {"id": "U", "email": "Ada@Seller.example", "name": "Ada Agent"},
            {"id": "V", "email": "bob@seller.example", "fields": {"archived": True}},
        ]
    )
    found = account.adapter.find_users_by_email(["ada@seller.example", "bob@seller.example", "eve@seller.example"])
    assert {email: [(user.id, user.active) for user in users] for email, users in found.items()} == {
        "ada@seller.example": [(account["U"], True)],
        "bob@seller.example": [(account["V"], False)],
        "eve@seller.example": [],
    }


def test_owners_are_listed_once(connect: Connect) -> None:
    """A second look-up of owners costs nothing; more than a page of them is read whole."""
    account = connect(users=[{"id": f"U{n}", "email": f"u{n}@seller.example"} for n in range(120)])
    account.adapter.find_users_by_email(["u1@seller.example"])
    found = account.adapter.find_users_by_email(["u119@seller.example"])
    assert (len(found["u119@seller.example"]), len(account.requests("owners"))) == (1, 3)
