"""The associations API of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

V4 = "/crm/v4/associations"
LATEST = "/crm/associations/2026-09"


def _pair(a: str, b: str, *type_ids: int) -> dict[str, Any]:
    types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id} for type_id in type_ids]
    return {"from": {"id": a}, "to": {"id": b}, **({"types": types} if types else {})}


def _create(portal: Any, between: str, *pairs: dict[str, Any], base: str = V4) -> Any:
    return portal.post(f"{base}/{between}/batch/create", {"inputs": list(pairs)})


def _types(portal: Any, start: str, record: str, end: str) -> dict[str, list[int]]:
    answer = portal.get(f"/crm/v4/objects/{start}/{record}/associations/{end}")
    return {str(to["toObjectId"]): [kind["typeId"] for kind in to["associationTypes"]] for to in answer.body["results"]}


def test_nothing_found_is_an_error_and_no_empty_list(portal: Any) -> None:
    """A record without associations is left out of the results, and told of in a 207."""
    inputs = {"inputs": [{"id": portal.ids["C1"]}, {"id": portal.ids["C2"]}]}
    answer = portal.post(f"{LATEST}/contacts/deals/batch/read", inputs)
    assert (answer.status, len(answer.body["results"]), answer.body["errors"][0]["subCategory"]) == (
        207,
        1,
        "crm.associations.NO_ASSOCIATIONS_FOUND",
    )


def test_ids_are_text_on_one_side_and_numbers_on_the_other(portal: Any) -> None:
    """The id that was asked for is text, the ids that were found are numbers."""
    answer = portal.post(f"{V4}/contacts/deals/batch/read", {"inputs": [{"id": portal.ids["C1"]}]})
    result = answer.body["results"][0]
    assert (result["from"]["id"], result["to"][0]["toObjectId"]) == (portal.ids["C1"], int(portal.ids["O1"]))


def test_a_thousand_inputs_are_read_at_once_and_no_more(portal: Any) -> None:
    """The thousand and first input refuses the request."""
    inputs = [{"id": str(number)} for number in range(1, 1002)]
    assert [
        portal.post(f"{V4}/contacts/deals/batch/read", {"inputs": rows}).status for rows in (inputs[:1000], inputs)
    ] == [207, 400]


def test_long_lists_come_in_pages(portal: Any) -> None:
    """A list that is cut names where it goes on, and the input with that cursor answers the rest."""
    portal.org(association_page_size=1)
    _create(portal, "contacts/companies", _pair(portal.ids["C1"], portal.ids["A2"], 279))
    first = portal.post(f"{V4}/contacts/companies/batch/read", {"inputs": [{"id": portal.ids["C1"]}]}).body["results"][
        0
    ]
    row = {"id": portal.ids["C1"], "after": first["paging"]["next"]["after"]}
    second = portal.post(f"{V4}/contacts/companies/batch/read", {"inputs": [row]}).body["results"][0]
    assert (
        [to["toObjectId"] for to in first["to"] + second["to"]],
        "paging" in second,
    ) == ([int(portal.ids["A2"]), int(portal.ids["A1"])], False)


@pytest.mark.parametrize(
    ("start", "end", "there", "back"),
    [
        ("calls", "contacts", 194, 193),
        ("calls", "companies", 182, 181),
        ("calls", "deals", 206, 205),
        ("meetings", "contacts", 200, 199),
        ("notes", "deals", 214, 213),
        ("deals", "contacts", 3, 4),
    ],
)
def test_type_ids_have_a_direction(portal: Any, start: str, end: str, there: int, back: int) -> None:
    """Each pair has one type from here to there, and another back."""
    labels = [
        portal.get(f"{V4}/{pair}/labels").body["results"][0]["typeId"] for pair in (f"{start}/{end}", f"{end}/{start}")
    ]
    assert labels == [there, back]


def test_the_first_company_becomes_the_primary_one(portal: Any) -> None:
    """A contact without company has the first one as its primary one, by property and by type."""
    alone = portal.contact(firstname="Alone")
    portal.post(f"{LATEST}/contacts/companies/batch/associate/default", {"inputs": [_pair(alone, portal.ids["A2"])]})
    record = portal.get(f"/crm/v3/objects/contacts/{alone}?properties=associatedcompanyid").body
    assert (record["properties"]["associatedcompanyid"], _types(portal, "contacts", alone, "companies")) == (
        portal.ids["A2"],
        {portal.ids["A2"]: [1, 279]},
    )


def test_a_second_company_leaves_the_primary_one(portal: Any) -> None:
    """A further company has the plain type alone, and the primary one does not come first."""
    _create(portal, "contacts/companies", _pair(portal.ids["C1"], portal.ids["A2"], 279))
    assert list(_types(portal, "contacts", portal.ids["C1"], "companies").items()) == [
        (portal.ids["A2"], [279]),
        (portal.ids["A1"], [1, 279]),
    ]


def test_a_new_primary_company_takes_the_place_of_the_old_one(portal: Any) -> None:
    """There is one primary company, told from either side."""
    _create(portal, "companies/contacts", _pair(portal.ids["A2"], portal.ids["C1"], 2))
    assert _types(portal, "contacts", portal.ids["C1"], "companies") == {
        portal.ids["A1"]: [279],
        portal.ids["A2"]: [1, 279],
    }


def test_a_create_replaces_the_labels_of_a_pair(portal: Any) -> None:
    """Labels that are not sent again are lost: the company is the primary one no more."""
    _create(portal, "contacts/companies", _pair(portal.ids["C1"], portal.ids["A1"], 279))
    record = portal.get(f"/crm/v3/objects/contacts/{portal.ids['C1']}?properties=associatedcompanyid").body
    assert record["properties"]["associatedcompanyid"] is None


def test_the_default_association_keeps_the_labels_of_a_pair(portal: Any) -> None:
    """Associating again without label changes nothing."""
    pair = {"inputs": [_pair(portal.ids["C1"], portal.ids["A1"])]}
    answer = portal.post(f"{V4}/contacts/companies/batch/associate/default", pair)
    assert (answer.status, _types(portal, "contacts", portal.ids["C1"], "companies")) == (
        200,
        {portal.ids["A1"]: [1, 279]},
    )


def test_a_type_of_another_pair_is_refused(portal: Any) -> None:
    """182 leads from a call to a company, not to a contact."""
    answer = _create(portal, "calls/contacts", _pair(portal.ids["T1"], portal.ids["C2"], 182))
    assert (answer.status, answer.body["category"]) == (400, "VALIDATION_ERROR")


def test_a_create_is_a_207_with_errors_in_v4_and_a_200_in_the_latest(portal: Any) -> None:
    """The specification of 2026-09 has no 207 there; errors stand in the body either way."""
    pair = _pair(portal.ids["T1"], "999", 194)
    answers = [_create(portal, "calls/contacts", pair, base=base) for base in (V4, LATEST)]
    assert [(answer.status, answer.body["numErrors"]) for answer in answers] == [(207, 1), (200, 1)]


def test_an_archived_pair_is_bound_no_more(portal: Any) -> None:
    """Archiving undoes every label, in both directions, and what is not there does not matter."""
    row = {"from": {"id": portal.ids["C1"]}, "to": [{"id": portal.ids["O1"]}, {"id": "999"}]}
    answer = portal.post(f"{V4}/contacts/deals/batch/archive", {"inputs": [row]})
    assert (answer.status, _types(portal, "deals", portal.ids["O1"], "contacts")) == (204, {})


def test_an_archive_is_answered_with_a_batch_in_the_latest_version(portal: Any) -> None:
    """The former ones have no content to give."""
    row = {"from": {"id": portal.ids["C1"]}, "to": [{"id": portal.ids["O1"]}]}
    latest = portal.post("/crm/associations/2026-09/contacts/deals/batch/archive", {"inputs": [row]})
    assert (latest.status, latest.body["results"]) == (200, [])
    assert _types(portal, "deals", portal.ids["O1"], "contacts") == {}


@pytest.mark.parametrize("to", [None, [], {"id": "1"}])
def test_an_archive_wants_the_others_in_a_list(portal: Any, to: Any) -> None:
    """Unlike the other batches, where there is one."""
    answer = portal.post(f"{V4}/contacts/deals/batch/archive", {"inputs": [{"from": {"id": "1"}, "to": to}]})
    assert answer.status == 400


def test_counts_follow_the_associations(portal: Any) -> None:
    """A deal counts its contacts."""
    _create(portal, "deals/contacts", _pair(portal.ids["O1"], portal.ids["C2"], 3))
    deal = portal.get(f"/crm/v3/objects/deals/{portal.ids['O1']}?properties=num_associated_contacts").body
    assert deal["properties"]["num_associated_contacts"] == "2"


def test_rows_of_a_batch_of_associations_can_fail(portal: Any) -> None:
    """A failed row is not associated, and its code is the category."""
    portal.faults({"do": {"row_error": "CONFLICT"}})
    pair = {"inputs": [_pair(portal.ids["T1"], portal.ids["C2"])]}
    answer = portal.post(f"{LATEST}/calls/contacts/batch/associate/default", pair)
    assert (answer.body["errors"][0]["category"], _types(portal, "calls", portal.ids["T1"], "contacts")) == (
        "CONFLICT",
        {portal.ids["C1"]: [194]},
    )


def test_what_is_bound_to_nothing_is_not_spoken(portal: Any) -> None:
    """There is no type from a note to a call."""
    assert portal.get(f"{V4}/notes/calls/labels").status == 501
