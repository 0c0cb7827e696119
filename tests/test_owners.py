"""Who owns a written activity: the mapped user, the organizer's own, the fallback, or whomever the CRM makes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from office import CRMS, NOBODY, WORLD, Office, call, office

from connector_core.cli import main
from connector_core.ledger.calls import Standing
from connector_core.model import ActivityDraft, Call
from connector_core.settling import sync_settled
from connector_core.sync import sync
from connector_core.writing import Owner, Owners, Writing

OVER_HTTP = ("salesforce", "hubspot")
USERS = [
    {"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"},
    {"id": "U2", "email": "bo@seller.example", "name": "Bo Boss"},
    {"id": "U3", "email": "cy@seller.example", "name": "Cy Clerk"},
]
BY_ADA = {"organizer": {"email": "Ada@Seller.example"}}
MAPPED = {"ADA@seller.example ": "U2"}


@pytest.fixture
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    with office(request.param, tmp_path, users=USERS) as it:
        yield it


def on(*names: str) -> Any:
    return pytest.mark.parametrize("crm", names, indirect=True)


def writing(crm: Office, owners: Mapping[str, str] | None = None, fallback: str | None = None) -> Writing:
    """Name users of the seed as the CRM does."""
    mapped = {address: crm.id(user) for address, user in (owners or {}).items()}
    return Writing(owners=mapped, fallback_owner=crm.id(fallback) if fallback else None)


def write(crm: Office, settings: Writing, *calls: Call) -> list[Standing]:
    config = replace(crm.config, writing=settings)
    with config.open() as opened:
        return list(sync_settled(crm.ledger, opened, calls or [call(**BY_ADA)], sleep=lambda _: None))


def dismiss(crm: Office, user: str) -> None:
    """Let a user leave the company."""
    assert crm.sandbox is not None
    if crm.config.crm == "salesforce":
        crm.sandbox.patch("User", crm.id(user), {"IsActive": False}, delete=False, merge_into=None)
    else:
        crm.sandbox.patch("owners", crm.id(user), {}, delete=True, merge_into=None)


def owner_in(crm: Office, call_id: str = "x:1") -> str | None:
    """Give the owner of the one activity of a call: the id of the seed, else the CRM's."""
    (row,) = [row for rows in crm.records().values() for row in rows if f"ref: {call_id}" in json.dumps(row)]
    fields = row.get("properties", row)
    found = next((fields[name] for name in ("OwnerId", "hubspot_owner_id", "owner_id") if fields.get(name)), None)
    return {there: seed for seed, there in crm.ids.items()}.get(found or "", found)


def told(standing: Standing) -> Any:
    return standing.owner.to_json() if standing.owner else None


@on(*CRMS)
def test_the_mapped_user_owns_it_before_the_one_with_the_address(crm: Office) -> None:
    """However the organizer's address is written, here or in the settings."""
    (it,) = write(crm, writing(crm, MAPPED, "U3"))

    assert (owner_in(crm), told(it)) == ("U2", {"id": crm.id("U2"), "from": "mapped"})


@on(*CRMS)
def test_the_user_with_the_organizer_s_address_owns_it(crm: Office) -> None:
    """Also where others are mapped and somebody stands in."""
    (it,) = write(crm, writing(crm, {"bo@seller.example": "U3"}, "U3"))

    assert (owner_in(crm), told(it)) == ("U1", {"id": crm.id("U1"), "from": "organizer"})


@on(*CRMS)
def test_the_fallback_owns_it_where_nobody_is_found(crm: Office) -> None:
    """Nobody has the organizer's address."""
    (it,) = write(crm, writing(crm, fallback="U3"), call(organizer={"email": "zoe@seller.example"}))

    assert (owner_in(crm), told(it)) == ("U3", {"id": crm.id("U3"), "from": "fallback"})


@on(*CRMS)
def test_without_any_of_them_it_is_whomever_the_crm_makes_it(crm: Office) -> None:
    """A call without an organizer, and no fallback."""
    (it,) = write(crm, Writing(), call())

    assert (told(it), owner_in(crm) in ("U1", "U2", "U3")) == ({"id": None, "from": "default"}, False)


@on(*OVER_HTTP)
def test_an_inactive_user_is_never_set_by_look_up(crm: Office) -> None:
    """The fallback owns it, and nothing was refused on the way."""
    dismiss(crm, "U1")
    (it,) = write(crm, writing(crm, fallback="U3"))

    assert (owner_in(crm), told(it)["from"], it.reason) == ("U3", "fallback", None)


@on(*OVER_HTTP)
def test_a_mapped_user_who_is_inactive_gives_way_to_the_fallback(crm: Office) -> None:
    """The activity is written all the same, and the reason says which owner was refused and where that is set."""
    dismiss(crm, "U2")
    (it,) = write(crm, writing(crm, MAPPED, "U3"))

    assert (it.outcome, owner_in(crm), told(it)["from"]) == ("created", "U3", "fallback")
    assert (it.reason or "").startswith(f"owner {crm.id('U2')}, of the setting owners, was refused: ")


@on(*OVER_HTTP)
def test_without_a_fallback_it_gives_way_to_the_crm_s_default(crm: Office) -> None:
    """Nothing is lost for a colleague who left."""
    dismiss(crm, "U2")
    (it,) = write(crm, writing(crm, MAPPED))

    assert (it.outcome, told(it)) == ("created", {"id": None, "from": "default"})


@on(*OVER_HTTP)
def test_where_both_are_refused_both_are_told(crm: Office) -> None:
    """The reason names the two settings."""
    dismiss(crm, "U2")
    dismiss(crm, "U3")
    (it,) = write(crm, writing(crm, MAPPED, "U3"))

    assert (it.outcome, told(it)["from"]) == ("created", "default")
    assert [word in (it.reason or "") for word in ("setting owners", "setting fallback_owner")] == [True, True]


@on(*CRMS)
def test_an_owner_who_is_not_there_keeps_no_other_call_back(crm: Office) -> None:
    """The others of the batch have theirs."""
    strange = "003000000000001AAA" if crm.config.crm == "salesforce" else "999999"
    settings = Writing(owners={"ada@seller.example": strange, "bo@seller.example": crm.id("U3")})
    found = write(crm, settings, call(1, **BY_ADA), call(2, organizer={"email": "bo@seller.example"}))

    assert [(it.outcome, told(it)["from"]) for it in found] == [("created", "default"), ("created", "mapped")]


@pytest.mark.parametrize(("mapped", "asked"), [("bo@seller.example", True), ("ada@seller.example", False)])
@on("hubspot")
def test_a_mapped_organizer_is_not_looked_up(crm: Office, mapped: str, asked: bool) -> None:
    """What the settings say costs no request."""
    assert crm.server is not None
    write(crm, writing(crm, {mapped: "U2"}), call(1, NOBODY, **BY_ADA))

    assert any("/owners/" in str(entry["path"]) for entry in crm.server._journal) == asked


@on(*CRMS)
def test_who_owns_it_is_known_after_a_later_version(crm: Office) -> None:
    """The ledger keeps whom it was created with."""
    settings = writing(crm, MAPPED)
    write(crm, settings)
    (it,) = write(crm, settings, call(**BY_ADA, summary="Now there is one."))

    assert (it.outcome, told(it)["from"]) == ("updated", "mapped")


@on(*OVER_HTTP)
def test_who_owns_it_is_known_of_a_write_that_was_not_answered(crm: Office) -> None:
    """The activity is found with the owner that it was sent with."""
    assert crm.server is not None
    path = "*/composite/sobjects*" if crm.config.crm == "salesforce" else "*/batch/create*"
    crm.server._set_faults([{"match": {"path": path}, "times": 1, "do": {"drop_after_commit": True}}])
    (it,) = write(crm, writing(crm, MAPPED))

    assert (it.outcome, told(it)["from"]) == ("created", "mapped")


def test_what_somebody_else_wrote_has_no_owner_of_ours(tmp_path: Path) -> None:
    """An activity that was there is completed, and keeps its owner."""
    there = {"id": "T1", "kind": "call", "started_at": "2026-03-02T09:00:00Z", "person_ids": ["C1"], "owner_id": "U3"}
    with office("file", tmp_path, users=USERS, activities=[there]) as crm:
        (it,) = write(crm, writing(crm, MAPPED))

        assert (it.outcome, told(it), owner_in(crm)) == ("updated", None, "U3")


def test_a_sync_without_a_ledger_tells_it_too(tmp_path: Path) -> None:
    """By the same rules."""
    with office("file", tmp_path, users=USERS) as crm, crm.config.open() as opened:
        found = list(
            sync(
                opened.connection,
                [call(**BY_ADA)],
                opened.association,
                writing=Writing(owners={"ada@seller.example": "U9"}),
            )
        )

    assert [it.owner for it in found] == [Owner(None, "default")]


def test_the_command_says_who_owns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the text for people, on a line of its own; in the JSON of show, since that of sync has a format that is agreed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "world.json").write_text(json.dumps({**WORLD, "users": USERS}))
    (tmp_path / "calls.jsonl").write_text(call(**BY_ADA).model_dump_json())
    (tmp_path / "connector.toml").write_text(
        """[connections.acme]\ncrm = "file"\nsettings.path = "world.json"\nowners = {"ada@seller.example" = "U2"}\n"""
    )
    main(["sync", "calls.jsonl", "--connection", "acme"])

    assert "  owner U2, of the setting owners\n" in capsys.readouterr().out
    main(["show", "x:1", "--connection", "acme"])
    assert "  owner U2, of the setting owners\n" in capsys.readouterr().out
    main(["show", "x:1", "--connection", "acme", "--json"])
    assert json.loads(capsys.readouterr().out)["owner"] == {"id": "U2", "from": "mapped"}


ADDRESSES = st.sampled_from(["a@x.example", "b@x.example", "c@x.example"])
IDS = st.sampled_from(["U1", "U2", "U3"])


@given(mapped=st.dictionaries(ADDRESSES, IDS), active=st.dictionaries(ADDRESSES, IDS), email=ADDRESSES | st.none(),
       fallback=IDS | st.none())  # fmt: skip
def test_the_first_that_there_is_owns_it(
    mapped: dict[str, str], active: dict[str, str], email: str | None, fallback: str | None
) -> None:
    """Mapped, found, fallback, default: in this order, whatever else there is."""
    chosen = Owners.of({key.upper(): user for key, user in mapped.items()}, fallback).choose(email, active)
    ways = [
        Owner(mapped.get(email or ""), "mapped"),
        Owner(active.get(email or ""), "organizer"),
        Owner(fallback, "fallback"),
        Owner(None, "default"),
    ]

    assert chosen == next(it for it in ways if it.id or it.why == "default")


@given(first=IDS, fallback=IDS | st.none())
def test_a_draft_that_is_refused_again_and_again_comes_to_the_default(first: str, fallback: str | None) -> None:
    """No owner is tried twice."""
    start = call().started_at
    owners = Owners.of({}, fallback)
    draft = ActivityDraft("x:1", "call", start, start, owner_id=first, owner_from="organizer")
    tried = []
    while draft.owner_id is not None:
        tried.append(draft.owner_id)
        draft = owners.instead(draft)

    assert (tried, draft.owner_from) == (list(dict.fromkeys([first, *([fallback] if fallback else [])])), "default")
