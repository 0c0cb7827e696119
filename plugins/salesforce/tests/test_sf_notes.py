"""Notes of calls: written whole or not at all, and found by their title, with few API calls."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import pytest
from connector_salesforce.notes import MOST_GRAPHS, title_of

from connector_core.errors import CredentialsError
from connector_core.model import ActivityDraft, CallKey, Unknown

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
END = dt.datetime(2026, 3, 2, 9, 10, 30, tzinfo=dt.UTC)
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1"}],
    "users": [{"id": "U1", "email": "ada@seller.example"}],
    "people": [
        *({"kind": "contact", "id": f"C{n}", "name": f"Carl {n}", "account_id": "A1"} for n in range(60)),
        {"kind": "lead", "id": "L1", "name": "Lea"},
    ],
    "opportunities": [{"id": "O1", "account_id": "A1", "created_at": "2026-01-01T00:00:00Z"}],
    "activities": [
        {
            "id": "N1",
            "kind": "note",
            "title": title_of("ada:1"),
            "owner_id": "U1",
            "person_ids": ["C1"],
            "body": "Hers",
        },
        {"id": "N2", "kind": "note", "title": "By hand", "person_ids": ["C1"], "body": "ref: hand:1"},
    ],
}


@pytest.fixture
def desk(connect: Any) -> Any:
    return connect(WORLD)


def draft(desk: Any, key: str = "k", people: Any = ("C1",), body: str = "They buy.", **more: Any) -> ActivityDraft:
    ids = {name: desk.ids[seed] for name, seed in more.items()}
    who = tuple(desk.ids.get(it, it) for it in people)
    return ActivityDraft(key, "note", START, END, body=f"{body}\nref: {key}", person_ids=who, **ids)


def many(desk: Any, number: int) -> list[ActivityDraft]:
    return [draft(desk, f"x:{it}", account_id="A1", opportunity_id="O1") for it in range(number)]


def write(desk: Any, *drafts: ActivityDraft) -> Any:
    return desk.adapter.write_activity(drafts)


def find(desk: Any, *call_ids: str, people: Any = ("C1",)) -> Any:
    who = tuple(desk.ids[it] for it in people)
    return desk.adapter.find_activity([CallKey(it, "note", START, END, None, who) for it in call_ids])


def notes(desk: Any) -> list[dict[str, Any]]:
    return [it for it in desk.get("records")["ContentNote"] if it["Id"] not in desk.ids.values()]


def content(desk: Any) -> str:
    return base64.b64decode(notes(desk)[0]["Content"]).decode()


def links(desk: Any, note: str | None) -> set[str]:
    back = {record: seed for seed, record in desk.ids.items()}
    rows = desk.get("records")["ContentDocumentLink"]
    return {
        back[it["LinkedEntityId"]] for it in rows if it["ContentDocumentId"] == note and it["LinkedEntityId"] in back
    }


def fault(desk: Any, does: dict[str, Any], times: int = 1) -> None:
    desk.post("faults", [{"match": {"method": "POST", "path": "*/composite/graph"}, "times": times, "do": does}])


# -- writing -----------------------------------------------------------------------------------------------------------


def test_a_note_is_linked_to_people_account_and_opportunity(desk: Any) -> None:
    """Salesforce's one lead, or contacts, and one thing are what an activity may hold: a note holds them all."""
    receipt = write(desk, draft(desk, people=("C1", "C2", "L1"), account_id="A1", opportunity_id="O1"))["k"]

    assert (receipt.outcome, links(desk, receipt.id)) == ("created", {"C1", "C2", "L1", "A1", "O1"})


def test_its_content_is_html_a_paragraph_a_line(desk: Any) -> None:
    """Line ends are lost in it, and what is no text must be escaped."""
    write(desk, draft(desk, body='A < B & "it\'s"\r\n\nC\x00\x0b'))

    assert content(desk) == "<p>A &lt; B &amp; &quot;it&#39;s&quot;</p><p>C</p><p>ref: k</p>"


def test_who_may_edit_the_record_may_edit_the_note(desk: Any) -> None:
    """And nobody from outside may read it."""
    note = write(desk, draft(desk))["k"].id
    (link,) = [it for it in desk.get("records")["ContentDocumentLink"]
               if (it["ContentDocumentId"], it["LinkedEntityId"]) == (note, desk.ids["C1"])]  # fmt: skip

    assert (link["ShareType"], link["Visibility"]) == ("I", "InternalUsers")


def test_of_a_crowd_the_first_fifty_are_linked(desk: Any) -> None:
    """As to an activity; the receipt says so."""
    receipt = write(desk, draft(desk, people=[f"C{it}" for it in range(60)]))["k"]

    assert (len(links(desk, receipt.id)), receipt.reason) == (50, "10 people are left out: a note is linked to 50")


@pytest.mark.parametrize(("number", "api_calls"), [(1, 1), (75, 1), (76, 2), (200, 3)])
def test_seventy_five_notes_are_one_api_call(desk: Any, number: int, api_calls: int) -> None:
    """Each with its three links: as many graphs as a request takes."""
    receipts = write(desk, *many(desk, number))

    assert ({it.outcome for it in receipts.values()}, desk.api_calls) == ({"created"}, api_calls)


def test_notes_with_many_links_are_parted_by_their_records(desk: Any) -> None:
    """A request takes 500."""
    write(desk, *(draft(desk, f"x:{it}", people=[f"C{it}" for it in range(50)]) for it in range(10)))

    assert (desk.api_calls, len(notes(desk))) == (2, 10)


def test_large_notes_are_parted_by_their_size(desk: Any) -> None:
    """Of the largest bodies there are some ninety to a request, and fewer where a letter is several bytes."""
    write(desk, *(draft(desk, f"x:{it}", body="é" * 32_000) for it in range(50)))

    assert (desk.api_calls, len(notes(desk))) == (2, 50)


def test_a_note_whose_link_is_refused_is_not_there(desk: Any) -> None:
    """All of it or nothing: the reason names the record, and the others are written."""
    gone = "003000000000001AAA"
    receipts = write(desk, draft(desk, "a", people=("C1", gone)), draft(desk, "b"))
    a, b = receipts["a"], receipts["b"]

    assert ((a.outcome, a.code), b.outcome) == (("refused", "INVALID_CROSS_REFERENCE_KEY"), "created")
    assert (a.reason or "").startswith(f"linking it to {gone}: ")
    assert [it["Title"] for it in notes(desk)] == [title_of("b")]


def test_what_salesforce_left_alone_after_refusals_is_sent_again(desk: Any) -> None:
    """It gives up on a request after 14 of them: those that it did not look at are not lost."""
    bad = [draft(desk, f"bad:{it}", people=("003000000000001AAA",)) for it in range(40)]
    receipts = write(desk, *bad, *(draft(desk, f"good:{it}") for it in range(5)))
    outcomes = [receipts[it.key].outcome for it in bad] + [receipts[f"good:{it}"].outcome for it in range(5)]

    assert (outcomes, len(notes(desk))) == (["refused"] * 40 + ["created"] * 5, 5)


def test_a_note_that_was_not_answered_is_unknown_and_found(desk: Any) -> None:
    """It was written: nothing is sent twice."""
    fault(desk, {"drop_after_commit": True})
    outcome = write(desk, draft(desk))["k"].outcome
    (found,) = find(desk, "k")["k"]

    assert (outcome, found.id, len(notes(desk))) == ("unknown", notes(desk)[0]["Id"], 1)


def test_of_notes_whose_second_request_failed_the_first_ones_are_known(desk: Any) -> None:
    """An error raised then would lose them."""
    last = {"body": f"*ref: x:{MOST_GRAPHS})*"}
    desk.post("faults", [{"match": last, "times": 1, "do": {"drop_after_commit": True}}])
    outcomes = [it.outcome for it in write(desk, *many(desk, MOST_GRAPHS + 1)).values()]

    assert outcomes == ["created"] * MOST_GRAPHS + ["unknown"]


def test_a_record_that_is_held_is_waited_for(desk: Any) -> None:
    """Another transaction has it; the notes are sent again."""
    fault(desk, {"row_error": "UNABLE_TO_LOCK_ROW"})

    assert ([it.outcome for it in write(desk, *many(desk, 2)).values()], len(notes(desk))) == (["created"] * 2, 2)


def test_what_concerns_the_connection_is_raised(desk: Any) -> None:
    """Nothing was written."""
    fault(desk, {"status": 401, "body": [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired"}]}, times=2)
    with pytest.raises(CredentialsError):
        write(desk, draft(desk))


@pytest.mark.parametrize("key", ["x" * 250, "x:@{note.id}"])
def test_an_id_that_no_title_holds_is_refused(desk: Any, key: str) -> None:
    """Nothing is sent; nor is it looked for."""
    assert (write(desk, draft(desk, key))[key].reason, find(desk, key)[key], desk.api_calls) == (
        "no title of a note can hold the id of this call", (), 0,
    )  # fmt: skip


def test_without_the_right_to_create_notes_the_reason_says_where_it_is_given(desk: Any) -> None:
    """Or where Notes are switched on."""
    desk.post("org", {"missing_rights": {"ContentNote": ["create"]}})
    receipt = write(desk, draft(desk))["k"]

    assert (receipt.outcome, "Setup, Notes Settings" in (receipt.reason or "")) == ("refused", True)


# -- finding -----------------------------------------------------------------------------------------------------------


def test_a_note_is_found_with_what_it_says_and_is_linked_to(desk: Any) -> None:
    """What it says is its preview, 255 characters."""
    receipt = write(desk, draft(desk, people=("C1", "L1"), account_id="A1", opportunity_id="O1"))["k"]
    (found,) = find(desk, "k")["k"]

    assert (found.id, found.kind, found.key, found.url) == (receipt.id, "note", "k", receipt.url)
    assert (found.body or "").split() == ["They", "buy.", "ref:", "k"]
    assert {it.id for it in (*found.people, *found.accounts, *found.opportunities)} == {
        desk.ids[it] for it in ("C1", "L1", "A1", "O1")
    }


def test_a_note_that_is_linked_to_nobody_is_found(desk: Any) -> None:
    """By its title: it is the connection's own."""
    write(desk, draft(desk, people=()))

    assert [it.key for it in find(desk, "k", people=())["k"]] == ["k"]


def test_a_note_that_is_another_user_s_is_found_by_whom_it_is_linked_to(desk: Any) -> None:
    """Somebody took it over, or the connection signs in as another user by now."""
    assert [it.id for it in find(desk, "ada:1")["ada:1"]] == [desk.ids["N1"]]


def test_a_note_that_says_the_line_under_another_title_is_not_the_call_s(desk: Any) -> None:
    """Nobody can ask for what notes say."""
    assert find(desk, "hand:1") == {"hand:1": ()}


def test_ids_that_differ_by_case_are_different_calls(desk: Any) -> None:
    """SOQL does not count it."""
    write(desk, draft(desk, "aB"))

    assert {key: len(found) for key, found in find(desk, "aB", "Ab").items()} == {"aB": 1, "Ab": 0}


def test_two_hundred_calls_without_notes_take_one_api_call(desk: Any) -> None:
    """That is what each new call costs."""
    find(desk, *(f"x:{it}" for it in range(200)))

    assert desk.api_calls == 1


def test_two_hundred_notes_are_found_with_three_api_calls(desk: Any) -> None:
    """Which they are, what they are linked to, and who that is."""
    write(desk, *many(desk, 200))
    before = desk.api_calls
    found = find(desk, *(f"x:{it}" for it in range(200)))

    assert ({len(it) for it in found.values()}, desk.api_calls - before) == ({1}, 3)


def test_of_an_org_without_notes_none_is_known(desk: Any) -> None:
    """Never: there is none. What is to be switched on is told."""
    desk.post("org", {"missing_rights": {"ContentNote": ["read"]}})
    (found,) = find(desk, "k").values()

    assert isinstance(found, Unknown)
    assert "ContentNote" in found.reason
    assert "Setup, Notes Settings" in found.reason


def test_a_right_on_people_that_is_missing_is_not_said_to_be_one_on_notes(desk: Any) -> None:
    """Whom the note is linked to cannot be read."""
    write(desk, draft(desk))
    desk.post("org", {"missing_rights": {"Contact": ["read"]}})
    (found,) = find(desk, "k").values()

    assert isinstance(found, Unknown)
    assert ("Contact" in found.reason, "Notes Settings" in found.reason) == (True, False)


def test_activities_are_found_beside_notes_that_are_hidden(desk: Any) -> None:
    """What is not known of one call is known of another."""
    desk.post("org", {"missing_rights": {"ContentNote": ["read"]}})
    found = desk.adapter.find_activity([CallKey("a", "phone", START, END, 60.0), CallKey("b", "note", START, END)])

    assert (found["a"], type(found["b"])) == ((), Unknown)
