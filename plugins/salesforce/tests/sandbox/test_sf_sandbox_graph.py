"""Graphs: records that are created together, or not at all; and what notes and their links show."""

from __future__ import annotations

import base64
from typing import Any

import pytest

TEXT = base64.b64encode(b"<p>They buy.</p>").decode()


def node(obj: str, name: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
    url = f"/services/data/v66.0/sobjects/{obj}"
    return {"method": method, "referenceId": name, "url": url, "body": body}


def note(title: str, *linked: str) -> list[dict[str, Any]]:
    link = {"ContentDocumentId": "@{note.id}", "ShareType": "I"}
    links = [node("ContentDocumentLink", f"link{n}", {**link, "LinkedEntityId": it}) for n, it in enumerate(linked)]
    return [node("ContentNote", "note", {"Title": title, "Content": TEXT}), *links]


def send(client: Any, *graphs: list[dict[str, Any]]) -> Any:
    body = {"graphs": [{"graphId": f"g{n}", "compositeRequest": it} for n, it in enumerate(graphs)]}
    return client.send("POST", "composite/graph", body)


def graphs(client: Any, *wanted: list[dict[str, Any]]) -> Any:
    return send(client, *wanted).json()["graphs"]


def ask(client: Any, rest: str) -> Any:
    return client.send("GET", "query/", params={"q": f"SELECT Id FROM {rest}"})  # noqa: S608 - a test's own words


def titles(client: Any) -> list[str]:
    return [it["Title"] for it in client.records("ContentNote")]


def test_a_later_node_takes_the_id_of_an_earlier_one(client: Any) -> None:
    """A link that of its note."""
    (answer,) = graphs(client, note("a", client.ids["C1"]))
    links = [it["LinkedEntityId"] for it in client.records("ContentDocumentLink")]

    assert (answer["graphId"], answer["isSuccessful"], links[-1]) == ("g0", True, client.ids["C1"])


def test_a_graph_fails_whole_and_alone(client: Any) -> None:
    """What had succeeded in it is halted, and not there."""
    bad, good = graphs(client, note("a", "003000000000001AAA"), note("b"))
    codes = [it["body"][0]["errorCode"] for it in bad["graphResponse"]["compositeResponse"]]

    assert (codes, good["isSuccessful"]) == (["PROCESSING_HALTED", "INVALID_CROSS_REFERENCE_KEY"], True)
    assert titles(client) == ["b"]


def test_after_too_many_failures_the_rest_is_left_alone(client: Any) -> None:
    """Fourteen are let pass."""
    answers = graphs(client, *[note("a", "003000000000001AAA")] * 15, note("b"))

    assert (answers[-1]["isSuccessful"], titles(client)) == (False, [])


@pytest.mark.parametrize(
    "wanted",
    [
        [note("a")] * 76,
        [[node("Task", f"t{n}", {}) for n in range(501)]],
        [[node("Task", "same", {}), node("Task", "same", {})]],
        [[node("Task", f"t{n}", {"Description": f"@{{t{n - 1}.id}}"} if n else {}) for n in range(16)]],
        [[]],
    ],
)
def test_graphs_beyond_the_limits_are_refused(client: Any, wanted: Any) -> None:
    """As a whole: too many graphs, too many nodes, names twice, too deep, nothing."""
    before = len(client.records("Task"))

    assert (send(client, *wanted).status_code, len(client.records("Task"))) == (400, before)


@pytest.mark.parametrize("method", ["PATCH", "GET"])
def test_a_graph_that_does_not_create_is_not_spoken(client: Any, method: str) -> None:
    """The service knows more."""
    assert send(client, [node("Task", "t", {}, method)]).status_code == 501


def test_a_note_in_a_collection_is_not_spoken(client: Any) -> None:
    """Nothing says that the service takes its content there."""
    record = {"attributes": {"type": "ContentNote"}, "Title": "a", "Content": TEXT}

    assert client.send("POST", "composite/sobjects", {"records": [record]}).status_code == 501


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Content": TEXT}, "REQUIRED_FIELD_MISSING"),
        ({"Title": "a", "OwnerId": "005000000000001AAA"}, "INVALID_FIELD_FOR_INSERT_UPDATE"),
    ],
)
def test_a_note_needs_a_title_and_takes_no_owner(client: Any, body: dict[str, Any], code: str) -> None:
    """Who may set audit fields may give one: the sandbox's user may not."""
    assert client.send("POST", "sobjects/ContentNote", body).json()[0]["errorCode"] == code


def test_a_note_is_linked_to_a_record_once(client: Any) -> None:
    """A second link of the two is refused."""
    (answer,) = graphs(client, note("a", client.ids["C1"], client.ids["C1"]))

    assert (answer["isSuccessful"], titles(client)) == (False, [])


@pytest.mark.parametrize(
    ("where", "status"),
    [
        ("LinkedEntityId = '{C1}' AND ContentDocument.Title = 'a'", 200),
        ("ContentDocumentId = '{note}'", 200),
        ("ContentDocumentId = '{note}' AND ContentDocument.Title = 'a'", 400),
        ("LinkedEntityId = '{C1}' AND LinkedEntity.Name = 'Carl Customer'", 400),
        ("LinkedEntityId = '{C1}' OR ContentDocumentId = '{note}'", 400),
        ("ContentDocument.Title = 'a'", 400),
    ],
)
def test_links_are_asked_for_by_few_ways(client: Any, where: str, status: int) -> None:
    """By the records that they link, and by the note's own fields beside the linked record alone."""
    graphs(client, note("a", client.ids["C1"]))
    ids = {"C1": client.ids["C1"], "note": client.records("ContentNote")[-1]["Id"]}

    assert ask(client, f"ContentDocumentLink WHERE {where.format(**ids)}").status_code == status


def test_a_note_of_another_user_is_shown_by_its_id_alone(serve: Any) -> None:
    """Or through the links of what it hangs on."""
    client = serve({
        "users": [{"id": "U1", "email": "ada@seller.example"}],
        "people": [{"kind": "contact", "id": "C1", "name": "Carl"}],
        "activities": [{"id": "N1", "kind": "note", "title": "hers", "owner_id": "U1", "person_ids": ["C1"]}],
    })  # fmt: skip
    note, contact = client.ids["N1"], client.ids["C1"]
    asked = [
        "ContentNote WHERE Title = 'hers'",
        "ContentNote",
        f"ContentNote WHERE Id IN ('{note}')",
        f"ContentDocumentLink WHERE LinkedEntityId = '{contact}' AND ContentDocument.Title = 'hers'",
    ]
    found = [ask(client, it).json()["totalSize"] for it in asked]

    assert found == [0, 0, 1, 1]
