"""A cassette that contradicts itself is told, in each way that it can."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_core.testing.cassettes import Provenance, inconsistencies
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, Cassette, Exchange
from connector_core.testing.cassettes.form import write

SOURCE = Provenance(
    "sandbox", "nobody", "2026-11-21T12:00:00Z", {}, {}, {"C1": "100000000003", "C2": "003000000010001AAA"}
)
UNKNOWN, SALESFORCE = "100000000099", "00300000001000LAAQ"


def found(path: Path, *pairs: tuple[Asked, Any], **options: Any) -> list[str]:
    """List what is wrong with exchanges of JSON."""
    exchanges = [Exchange(asked, Answer(200, {}, Body("json", value))) for asked, value in pairs]
    write(path / "x.yaml", Cassette(SOURCE, exchanges))
    return [it.partition(": request ")[2] for it in inconsistencies(path / "x.yaml", **options)]


def post(value: Any, path: str = "/x") -> Asked:
    """Give a request with a body."""
    return Asked("POST", f"http://127.0.0.1:1{path}", body=Body("json", value))


def get(path: str, **query: str) -> Asked:
    """Give a request without one."""
    return Asked("GET", f"http://127.0.0.1:1{path}", tuple(query.items()))


@pytest.mark.parametrize(
    "asked",
    [
        get(f"/contacts/{UNKNOWN}"),
        get("/contacts", id=UNKNOWN),
        post({"inputs": [{"id": UNKNOWN}]}),
        post({"to": {"ownerId": UNKNOWN}}),
        post({"properties": {"hubspot_owner_id": UNKNOWN}}),
        post({"ids": [99]}),
        post({"domain": [["partner_id", "in", [99]]]}),
        get("/query", q=f"SELECT Id FROM Contact WHERE Id IN ('{SALESFORCE}')"),  # noqa: S608 - sent nowhere
        post({"WhoId": SALESFORCE}),
        post({"compositeRequest": [{"url": f"/sobjects/Task/{SALESFORCE}"}]}),
    ],
    ids=str,
)
def test_an_id_from_nowhere_is_told(tmp_path: Path, asked: Asked) -> None:
    """An id that stands in no earlier answer and is not of the seed is told, with its request."""
    (wrong,) = found(tmp_path, (asked, {}))

    assert wrong.startswith("1, ")
    assert wrong.endswith("stands in no earlier answer, and is not of the seed")


@pytest.mark.parametrize(
    "asked",
    [get("/contacts/100000000003"), post({"WhoId": "003000000010001"}), post({"WhatId": "003000000010001AAA"})],
    ids=str,
)
def test_an_id_of_the_seed_is_known(tmp_path: Path, asked: Asked) -> None:
    """The ids of the provenance are known, those of Salesforce in their short form too."""
    assert found(tmp_path, (asked, {})) == []


@pytest.mark.parametrize(
    "answer",
    [
        {"id": UNKNOWN},
        {"results": [{"toObjectId": int(UNKNOWN)}]},
        {"url": f"/contacts/{UNKNOWN}"},
        {"ids": f"1;{UNKNOWN}"},
    ],
)
def test_an_id_of_an_earlier_answer_is_known(tmp_path: Path, answer: Any) -> None:
    """An id that an earlier answer told may be asked for."""
    assert found(tmp_path, (get("/a"), answer), (get(f"/contacts/{UNKNOWN}"), {})) == []


def test_a_later_answer_is_too_late(tmp_path: Path) -> None:
    """What a request's own answer tells did not tell the request."""
    assert len(found(tmp_path, (get(f"/contacts/{UNKNOWN}"), {"id": UNKNOWN}))) == 1


@pytest.mark.parametrize(
    "asked",
    [
        post({"associationTypeId": 2031, "referenceId": "q0", "id": "ann@example.com", "idProperty": "email"}),
        post({"hs_call_external_id": "123456", "body": "ref: 99999"}),
        get("/crm/objects/2026-09/contacts", limit="1000"),
    ],
    ids=str,
)
def test_what_is_no_record_s_id_is_left_alone(tmp_path: Path, asked: Asked) -> None:
    """Types, references, keys of our own, versions and limits are no ids of records."""
    assert found(tmp_path, (asked, {})) == []


def test_a_prefix_of_the_connector_s_is_no_part_of_an_id(tmp_path: Path) -> None:
    """Where the connector tells kinds of records apart by a prefix, the CRM's own id is known."""
    assert found(tmp_path, (post({"ids": [42]}), {}), known=["partner:42"]) == []


def test_ids_may_be_named_as_known(tmp_path: Path) -> None:
    """An id that is asked for because nothing has it is handed in."""
    assert found(tmp_path, (get(f"/contacts/{UNKNOWN}"), {}), known=[UNKNOWN]) == []


@pytest.mark.parametrize(
    ("asked", "answer", "wrong"),
    [
        (get("/q"), {"totalSize": 2, "done": True, "records": [{}]}, "totalSize says 2, and there are 1 records"),
        (get("/q"), {"total": 0, "results": [{}]}, "total says 0, and there are 1 results"),
        (get("/q"), {"results": [], "numErrors": 2, "errors": [{}]}, "numErrors says 2, and there are 1 errors"),
        (
            get("/q"),
            [{"body": {"totalSize": 1, "done": True, "records": []}}],
            "totalSize says 1, and there are 0 records",
        ),
        (post({"compositeRequest": [{}, {}]}), {"compositeResponse": [{}]}, "asked for 2, and 1 are answered"),
        (post({"records": [{}]}), [], "asked for 1, and 0 are answered"),
    ],
    ids=str,
)
def test_a_wrong_sum_is_told(tmp_path: Path, asked: Asked, answer: Any, wrong: str) -> None:
    """A total that is not that of its items is told."""
    assert [it.rpartition(": ")[2] for it in found(tmp_path, (asked, answer))] == [wrong]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (get("/q"), {"totalSize": 2, "done": False, "records": [{}]}),
        (get("/data/query/01g-2000"), {"totalSize": 2001, "done": True, "records": [{}]}),
        (get("/q"), {"total": 5, "results": [{}], "paging": {"next": {}}}),
        (post({"after": "200"}), {"total": 5, "results": [{}]}),
        (get("/q"), {"total": 1, "results": [{}], "numErrors": 1, "errors": [{}]}),
    ],
    ids=str,
)
def test_a_page_is_no_sum(tmp_path: Path, asked: Asked, answer: Any) -> None:
    """A page of several has fewer items than the total, and right sums are passed over."""
    assert found(tmp_path, (asked, answer)) == []
