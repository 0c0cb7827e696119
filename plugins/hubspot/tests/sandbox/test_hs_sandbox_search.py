"""Searches of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest


def _filter(name: str, operator: str, *values: Any, **rest: Any) -> dict[str, Any]:
    given = {"values": list(values)} if operator in {"IN", "NOT_IN"} else {"value": values[0]} if values else {}
    return {"propertyName": name, "operator": operator, **given, **rest}


def _found(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [record["id"] for record in answer.body["results"]]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (_filter("email", "EQ", "CARL@buyer.example"), ["C1"]),
        (_filter("email", "NEQ", "carl@buyer.example"), ["C2"]),
        (_filter("email", "IN", "carl@buyer.example", "x@y.example"), ["C1"]),
        (_filter("email", "IN", "Carl@buyer.example"), []),
        (_filter("firstname", "IN", "carl"), ["C1"]),
        (_filter("firstname", "NOT_IN", "carl"), ["C2"]),
        (_filter("hs_additional_emails", "IN", "carl.private@mail.example"), ["C1"]),
        (_filter("lifecyclestage", "HAS_PROPERTY"), []),
        (_filter("jobtitle", "NOT_HAS_PROPERTY"), ["C2"]),
        (_filter("email", "CONTAINS_TOKEN", "buyer.example"), ["C1"]),
        (_filter("email", "NOT_CONTAINS_TOKEN", "buyer.example"), ["C2"]),
        (_filter("hs_searchable_calculated_phone_number", "CONTAINS_TOKEN", "*98101*"), ["C1"]),
        (_filter("hs_searchable_calculated_phone_number", "IN", "639981011"), ["C1"]),
        (_filter("associations.company", "EQ", "A1"), ["C1"]),
        (_filter("associations.company", "IN", "A1", "A2"), ["C1", "C2"]),
        (_filter("associations.deal", "NOT_HAS_PROPERTY"), ["C2"]),
        (_filter("hs_object_id", "GT", "C1"), ["C2"]),
        (_filter("num_associated_deals", "GTE", "1"), ["C1"]),
    ],
)
def test_a_filter_finds_what_it_says(portal: Any, item: dict[str, Any], expected: list[str]) -> None:
    """Each operator finds the contacts that it is documented to find."""
    ids = portal.ids
    mapped = {
        key: ids.get(value, value) if isinstance(value, str) else [ids.get(each, each) for each in value]
        for key, value in item.items()
    }
    assert _found(portal.search("contacts", mapped)) == [ids[name] for name in expected]


@pytest.mark.parametrize(
    ("low", "high", "hit"),
    [
        ("1772442000000", "1772442000000", True),
        ("2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z", True),
        ("1772442000001", "1772449999999", False),
    ],
)
def test_times_lie_between_inclusive_bounds(portal: Any, low: str, high: str, hit: bool) -> None:
    """A time filter takes milliseconds or ISO 8601, and its bounds belong to it."""
    item = _filter("hs_timestamp", "BETWEEN", low, highValue=high)
    assert bool(_found(portal.search("calls", item))) is hit


def test_choices_compare_with_case(portal: Any) -> None:
    """The value of an enumeration compares exactly, unlike text."""
    portal.contact(firstname="Nia", lifecyclestage="customer")
    answer = portal.search("contacts", _filter("lifecyclestage", "EQ", "Customer"))
    assert _found(answer) == []


def test_groups_are_alternatives(portal: Any) -> None:
    """A record is found that fits one of the groups."""
    groups = [{"filters": [_filter("email", "EQ", email)]} for email in ("carl@buyer.example", "cora@other.example")]
    answer = portal.post("/crm/objects/2026-09/contacts/search", {"filterGroups": groups})
    assert answer.body["total"] == 2


def test_a_group_with_a_list_does_not_narrow_another_without(portal: Any) -> None:
    """One group names values, the other a beginning of a range: what fits either is found."""
    groups = [
        {"filters": [_filter("email", "IN", "carl@buyer.example")]},
        {"filters": [_filter("hs_object_id", "GT", portal.ids["C1"])]},
    ]
    answer = portal.post("/crm/objects/2026-09/contacts/search", {"filterGroups": groups})
    assert _found(answer) == [portal.ids["C1"], portal.ids["C2"]]


def test_what_was_changed_since_the_last_search_is_found_by_what_it_is_now(portal: Any) -> None:
    """The old value finds it no more, the new one does."""

    def found(title: str) -> list[str]:
        return _found(portal.search("contacts", _filter("jobtitle", "IN", title)))

    before = found("cto")
    portal.send("PATCH", f"/crm/v3/objects/contacts/{portal.ids['C1']}", {"properties": {"jobtitle": "CEO"}})
    assert (before, found("cto"), found("ceo")) == ([portal.ids["C1"]], [], [portal.ids["C1"]])


def test_what_was_derived_since_the_last_search_is_found(portal: Any) -> None:
    """The company of a contact follows from an association that was made after a search by company."""
    new = portal.contact(email="new@other.example")
    company = portal.ids["A1"]
    before = _found(portal.search("contacts", _filter("associatedcompanyid", "EQ", company)))
    pair = {"from": {"id": new}, "to": {"id": company}}
    portal.post("/crm/v4/associations/contacts/companies/batch/associate/default", {"inputs": [pair]})
    after = _found(portal.search("contacts", _filter("associatedcompanyid", "EQ", company)))
    assert set(after) - set(before) == {new}


def test_filters_may_stand_at_the_top(portal: Any) -> None:
    """Filters without a group are one group, as was recorded."""
    body = {"filters": [_filter("associations.contact", "EQ", int(portal.ids["C1"]))], "limit": 2, "after": 0}
    assert _found(portal.post("/crm/v3/objects/calls/search", body)) == [portal.ids["T1"]]


@pytest.mark.parametrize(
    "body",
    [
        {"filterGroups": [{"filters": [_filter("email", "HAS_PROPERTY")]}] * 6},
        {"filterGroups": [{"filters": [_filter("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [_filter("email", "HAS_PROPERTY")] * 5}] * 4},
        {"filterGroups": [{"filters": [_filter("email", "IN", *map(str, range(101)))]}]},
        {"filterGroups": [{"filters": [_filter("no_such", "EQ", "1")]}]},
        {"filterGroups": [{"filters": [_filter("email", "LIKE", "1")]}]},
        {"filterGroups": [{"filters": [_filter("createdate", "GTE", "yesterday")]}]},
        {"limit": 201},
        {"limit": 10, "after": "9991"},
        {"sorts": ["email", "firstname"]},
    ],
)
def test_a_search_beyond_the_limits_is_refused(portal: Any, body: dict[str, Any]) -> None:
    """Five groups, six filters, eighteen together, one hundred values, two hundred a page, ten thousand in all."""
    answer = portal.post("/crm/v3/objects/contacts/search", body)
    assert (answer.status, answer.body["category"]) == (400, "VALIDATION_ERROR")


def test_a_page_goes_on_at_an_offset(portal: Any) -> None:
    """The cursor of a search is an offset, and the last page has none."""
    sorts = [{"propertyName": "firstname", "direction": "DESCENDING"}]
    first = portal.search("contacts", limit=1, sorts=sorts)
    second = portal.search("contacts", limit=1, sorts=sorts, after=first.body["paging"]["next"]["after"])
    assert (_found(first), _found(second), first.body["paging"], "paging" in second.body) == (
        [portal.ids["C2"]],
        [portal.ids["C1"]],
        {"next": {"after": "1"}},
        False,
    )


def test_a_search_for_words_looks_in_the_default_properties(portal: Any) -> None:
    """Each word of a query begins a word of the name or address; of deals it is not known where HubSpot looks."""
    portal.contact(email="wilma.words@x.example", firstname="Wilma", lastname="Words", jobtitle="Carpenter")
    counts = [
        portal.search("contacts", query=text).body["total"]
        for text in ("wil", "words wilma", "WILMA.words@x.example", "ilma", "carpenter", "wilma carl")
    ]
    assert counts == [1, 1, 1, 0, 0, 0]
    assert portal.search("deals", query="wilma").status == 501
    assert portal.search("contacts", query="x" * 3_001).status == 400


def test_archived_records_never_appear(portal: Any) -> None:
    """A deleted contact is not found any more."""
    portal.send("DELETE", f"/crm/v3/objects/contacts/{portal.ids['C1']}")
    assert _found(portal.search("contacts")) == [portal.ids["C2"]]


def test_a_search_answers_without_the_limits_of_the_burst(portal: Any) -> None:
    """A search tells what is left of the day, and not of the ten seconds."""
    headers = portal.search("contacts").headers
    assert ("x-hubspot-ratelimit-daily" in headers, "x-hubspot-ratelimit-max" in headers) == (True, False)


def test_what_was_just_created_is_hidden_from_searches(portal: Any) -> None:
    """While the index lags, a new contact is read by its id and not found."""
    portal.faults({"do": {"index_lag_seconds": 60}})
    new = portal.contact(email="new@other.example")
    found = _found(portal.search("contacts"))
    assert (new in found, portal.get(f"/crm/v3/objects/contacts/{new}").status) == (False, 200)


def test_what_was_just_changed_is_found_as_it_was(portal: Any) -> None:
    """While the index lags, searches see the values of before."""
    portal.faults({"do": {"index_lag_seconds": 60}})
    portal.send("PATCH", f"/crm/v3/objects/contacts/{portal.ids['C1']}", {"properties": {"jobtitle": "CEO"}})
    answer = portal.search("contacts", _filter("jobtitle", "EQ", "CTO"), properties=["jobtitle"])
    assert answer.body["results"][0]["properties"]["jobtitle"] == "CTO"


def test_what_was_just_associated_is_hidden_from_searches(portal: Any) -> None:
    """While the index lags, a new association is read and not found."""
    portal.faults({"do": {"index_lag_seconds": 60}})
    pair = {"from": {"id": portal.ids["T1"]}, "to": {"id": portal.ids["C2"]}}
    portal.post("/crm/v4/associations/calls/contacts/batch/associate/default", {"inputs": [pair]})
    found = portal.search("calls", _filter("associations.contact", "EQ", portal.ids["C2"]))
    read = portal.get(f"/crm/v4/objects/calls/{portal.ids['T1']}/associations/contacts")
    assert (_found(found), len(read.body["results"])) == ([], 2)


def test_the_lag_ends_with_its_rule(portal: Any) -> None:
    """Without the rule everything is found at once."""
    portal.faults({"do": {"index_lag_seconds": 60}})
    new = portal.contact(email="new@other.example")
    portal.faults()
    assert new in _found(portal.search("contacts"))
