"""Activities whose text somebody all but filled: what fits is added, and what does not is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CRMS, Office, call, office
from test_rewriting import FORM, decided
from test_writing import call as talk

from connector_core.characters import units
from connector_core.discovery import crm as crm_of
from connector_core.model import Activity, ActivityDraft, Receipt, Written
from connector_core.writing import Form, render, told, untold
from connector_core.writing.room import FULL

SAID: dict[str, Any] = {"link": "https://calls.example/1", "summary": "They want a quote.", "tags": ["demo"]}
NEARLY = (
    "the text of the activity is nearly full, so facts, summary and tags of the call went, and nothing there says so"
)
TEXTS = {"salesforce": "Description", "hubspot": "hs_call_body", "file": "body"}


def full(crm: str, left: int) -> dict[str, Any]:
    """Make an activity with Carl, in whose text so many characters are left."""
    text = "x" * (crm_of(crm).body_limit - left)
    at = {"started_at": "2026-03-02T09:00:00Z", "duration_seconds": 600}
    return {"id": "T1", "kind": "call", **at, "person_ids": ["C1"], "body": text}


def least(crm: str) -> int:
    """Count the characters of facts, link and ref line."""
    fmt = crm_of(crm).body_format
    return units(render.extend("x", call(**SAID), fmt, 1_000, ()) or "") - 1


def text_of(at: Office) -> str:
    """Give the text of the activity, as the CRM holds it."""
    (row,) = [
        row
        for rows in at.records().values()
        for row in rows
        if at.id("T1") in (row.get("Id"), row.get("id")) and "x" * 9 in str(row)
    ]
    name = TEXTS[at.config.crm]
    return str(row.get("properties", row)[name])


@pytest.mark.parametrize("crm", CRMS)
def test_a_full_text_stays_and_the_rest_is_written(crm: str, tmp_path: Path) -> None:
    """The activity is linked all the same; its receipt, and ``connector show``, say what was written and what was not."""
    activity = full(crm, 10)
    with office(crm, tmp_path, activities=[activity]) as at:
        (standing,) = at.sync(call(**SAID))
        known = at.desk.show("x:1")

        assert (standing.outcome, standing.activity_id) == ("updated", at.id("T1"))
        reason = f"{FULL}; written nevertheless: account and opportunity"
        assert [standing.reason, known["activity"]["reason"], known["writes"][0]["reason"]] == [reason] * 3
        assert text_of(at) == activity["body"]


@pytest.mark.parametrize("crm", CRMS)
@pytest.mark.parametrize("left", [10, None])
def test_a_second_time_writes_nothing_and_tells_it_again(crm: str, left: int | None, tmp_path: Path) -> None:
    """However often it is looked at."""
    with office(crm, tmp_path, activities=[full(crm, left or least(crm) - 1)]) as at:
        at.sync(call(**SAID))
        sent = at.writes.number
        standing = at.refresh()

        assert (standing.outcome, standing.reason) == ("unchanged", FULL if left else NEARLY)
        assert at.writes.number == sent


@pytest.mark.parametrize("crm", CRMS)
def test_link_and_ref_line_are_added_where_they_alone_fit(crm: str, tmp_path: Path) -> None:
    """And the receipt names what went."""
    activity = full(crm, least(crm) - 1)
    with office(crm, tmp_path, activities=[activity]) as at:
        (standing,) = at.sync(call(**SAID))
        text = text_of(at)
        ours = text.removeprefix(activity["body"])

        assert (standing.reason or "").startswith(f"{NEARLY}; written nevertheless: ")
        assert (SAID["link"] in ours, "ref: x:1" in ours, "10 min" in ours, "demo" in ours) == (
            True,
            True,
            False,
            False,
        )
        assert units(text) <= crm_of(crm).body_limit


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
@pytest.mark.parametrize("left", [10, None])
def test_all_is_added_once_there_is_room(crm: str, left: int | None, tmp_path: Path) -> None:
    """Somebody shortens the text; nothing is told any more."""
    activity = full(crm, left or least(crm) - 1)
    with office(crm, tmp_path, activities=[activity]) as at:
        at.sync(call(**SAID))
        shorter = text_of(at).replace(activity["body"], "x" * 20)
        assert at.sandbox is not None
        obj = {"salesforce": "Task", "hubspot": "calls"}[crm]
        at.sandbox.patch(obj, at.id("T1"), {TEXTS[crm]: shorter}, delete=False, merge_into=None)
        standing = at.refresh()

        assert (standing.outcome, standing.reason) == ("updated", None)
        whole = str(render.body(call(**SAID), crm_of(crm).body_format, 1_000))
        assert whole in text_of(at)


FORMATS = st.sampled_from(["text", "html"])


@given(fmt=FORMATS, left=st.integers(0, 900), summary=st.none() | st.text(max_size=99), written=st.booleans())
def test_what_went_is_named_in_the_text_or_told(fmt: Any, left: int, summary: str | None, written: bool) -> None:
    """Of any room: all of a call stands in the text, or a line there says what does not, or the receipt does."""
    said = talk(summary=summary)
    form = Form(body_format=fmt, body_limit=100 + left)
    ours = (render.body(said, fmt, left, ()) or None) if written else None
    activity = Activity("T1", "call", body="y" * 100 + (ours or ""))
    before = Written("T1", "call", body=ours) if ours else None
    text = render.body(said, fmt, left - (2 if fmt == "text" and not ours else 0))
    whole = text == render.body(said, fmt, 32_000)
    told_there = text is not None and ("Left out:" in text or "…" in text)
    found = untold(decided(activity, changes={"summary": summary}), form, before)

    assert (found is None) == (whole or told_there)
    assert (found == FULL) == (text is None)


@pytest.mark.parametrize("body", [None, "", "Mine.", "Mine.\n\nref: aircall:1"])
def test_nothing_is_told_of_a_text_with_room_or_with_ours_in_it(body: str | None) -> None:
    """There is nothing to tell."""
    assert untold(decided(Activity("T1", "call", body=body)), FORM) is None


def test_nothing_is_told_of_our_part_that_somebody_changed() -> None:
    """It stays for another reason."""
    activity = Activity("T1", "call", body="y" * 32_000)
    assert untold(decided(activity), FORM, Written("T1", "call", body="What we wrote")) is None


@pytest.mark.parametrize(
    ("receipt", "reason"),
    [
        (Receipt("updated", "T1"), "no room; written nevertheless: people, account and Tags__c"),
        (Receipt("updated", "T1", kept=("account_id", "Tags__c")), "no room; written nevertheless: people"),
        (Receipt("unchanged", "T1", reason="and more"), "no room; and more"),
        (Receipt("refused", "T1", reason="a rule"), "a rule"),
        (Receipt("deferred", "T1", reason="busy"), "busy"),
    ],
)
def test_a_receipt_says_what_was_written_nevertheless(receipt: Receipt, reason: str) -> None:
    """Not what somebody changed meanwhile, and nothing of a change that was not made."""
    at = talk().started_at
    draft = ActivityDraft("x:1", "call", at, at, "T1", person_ids=("C1",), account_id="A1", fields={"Tags__c": "a"})
    assert told(draft, receipt) == receipt
    sent = ActivityDraft(
        "x:1", "call", at, at, "T1", person_ids=("C1",), account_id="A1", fields={"Tags__c": "a"}, untold="no room"
    )
    assert told(sent, receipt).reason == reason
