"""Syncing calls with a CRM in a file: what is written, what is left alone, and what becomes of each call."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms import FILE
from connector_core.errors import ConfigurationError, UnsupportedError
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.sync import SyncResult, associate, sync
from connector_core.writing import Writing

FRANCE = Settings(regions=("FR",))
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}],
    "users": [{"id": "U1", "email": "ada@seller.example"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "emails": ["carl@buyer.example"], "phones": ["06 39 98 00 01"]},
        {"kind": "contact", "id": "C2", "name": "Dora", "emails": ["dora@buyer.example"], "account_id": "A1"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Deal", "account_id": "A1", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C2"]}
    ],
}


def guest(name: str, **more: Any) -> dict[str, Any]:
    return {"is_user": False, "emails": [f"{name}@buyer.example"], **more}


def call(number: int = 1, *participants: dict[str, Any], **changes: Any) -> Call:
    raw = {
        "id": f"x:{number}",
        "provider": "x",
        "kind": "phone",
        "started_at": "2026-03-02T09:00:00Z",
        "duration_seconds": 600,
        "organizer": {"email": "Ada@seller.example"},
        "participants": participants or [guest("dora")],
        **changes,
    }
    return Call.model_validate(raw)


class World:
    """A CRM in a file, and what syncing with it did."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.path = path
        path.write_text(json.dumps({**WORLD, **changes}), encoding="utf-8")

    def open(self) -> Connection:
        return bind(FILE, {"path": self.path}, ConnectionInfo("test", ("FR",)))

    def sync(self, *calls: Call, settings: Settings = FRANCE, **options: Any) -> list[SyncResult]:
        with self.open() as connection:
            return list(sync(connection, calls, settings, **options))

    @property
    def activities(self) -> list[dict[str, Any]]:
        activities: list[dict[str, Any]] = json.loads(self.path.read_text(encoding="utf-8")).get("activities", [])
        return activities


Make = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path) -> Make:
    return lambda **changes: World(tmp_path / "world.json", **changes)


def outcomes(results: Sequence[SyncResult]) -> list[str]:
    return [result.outcome for result in results]


def test_a_call_is_written_with_all_that_the_decision_found(world: Make) -> None:
    """People, account, opportunity, owner, time and key."""
    crm = world()
    crm.sync(call())

    wanted = {
        "kind": "call",
        "call_id": "x:1",
        "person_ids": ["C2"],
        "account_id": "A1",
        "opportunity_id": "O1",
        "owner_id": "U1",
        "started_at": "2026-03-02T09:00:00Z",
        "duration_seconds": 600,
    }
    assert [{key: row[key] for key in wanted} for row in crm.activities] == [wanted]


def test_syncing_the_same_calls_again_writes_nothing(world: Make) -> None:
    """The second run leaves the file as it is, to the byte."""
    crm = world()
    calls = [call(1), call(2, guest("carl")), call(3, kind="meeting")]
    crm.sync(*calls)
    before = crm.path.read_bytes()

    assert (outcomes(crm.sync(*calls)), crm.path.read_bytes()) == (["unchanged"] * 3, before)


def test_a_repeated_sync_changes_no_association(world: Make) -> None:
    """An opportunity that came later is not linked to what was written before."""
    crm = world()
    crm.sync(call(1, guest("carl")))
    data = json.loads(crm.path.read_text())
    data["opportunities"].append({"id": "O2", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]})
    crm.path.write_text(json.dumps(data))
    before = crm.activities

    crm.sync(call(1, guest("carl")))

    assert crm.activities == before


def test_results_come_in_the_order_of_the_calls(world: Make) -> None:
    """Whatever became of each."""
    crm = world()
    users = call(2, {"is_user": True})

    results = crm.sync(call(3), users, call(1, guest("nobody")))

    assert [(result.call_id, result.outcome) for result in results] == [
        ("x:3", "created"),
        ("x:2", "skipped"),
        ("x:1", "created"),
    ]


LOOK_ALIKE = {
    "id": "T1",
    "kind": "call",
    "person_ids": ["C2"],
    "started_at": "2026-03-02T09:05:00Z",
    "body": "My own words.",
}


def test_a_look_alike_is_completed_and_what_people_wrote_stays(world: Make) -> None:
    """It gets the key, our part, and the associations that it lacks; no second activity is made."""
    crm = world(activities=[LOOK_ALIKE])
    crm.sync(call())
    row = crm.activities[0]

    assert (len(crm.activities), row["call_id"], row["opportunity_id"], row["body"].splitlines()[0]) == (
        1,
        "x:1",
        "O1",
        "My own words.",
    )


def test_one_activity_serves_one_call(world: Make) -> None:
    """Two calls look like it: the first takes it, the second gets its own."""
    crm = world(activities=[LOOK_ALIKE])

    results = crm.sync(call(1), call(2))

    assert [(result.outcome, result.activity_id) for result in results] == [("updated", "T1"), ("created", "T2")]


def test_an_association_that_somebody_made_is_not_replaced(world: Make) -> None:
    """The activity's own account stays, and decides."""
    accounts = [*WORLD["accounts"], {"id": "A2", "name": "Other"}]
    crm = world(accounts=accounts, activities=[{**LOOK_ALIKE, "account_id": "A2"}])
    crm.sync(call())

    assert (crm.activities[0]["account_id"], crm.activities[0].get("opportunity_id")) == ("A2", None)


def test_equal_look_alikes_wait_for_a_person(world: Make) -> None:
    """Nothing is written."""
    rows = [LOOK_ALIKE, {**LOOK_ALIKE, "id": "T2"}]
    crm = world(activities=rows)

    assert (outcomes(crm.sync(call())), len(crm.activities)) == (["waiting"], 2)


def test_a_call_with_nobody_matched_is_written_without_associations(world: Make) -> None:
    """So that it is not lost."""
    crm = world()
    crm.sync(call(1, guest("nobody")))

    assert [(row["person_ids"], row["account_id"]) for row in crm.activities] == [([], None)]


def test_writing_calls_with_nobody_matched_can_be_switched_off(world: Make) -> None:
    """Then the call is skipped, and the result says so."""
    result = world().sync(call(1, guest("nobody")), writing=Writing(write_unmatched=False))[0]

    assert (result.outcome, "write_unmatched" in (result.reason or "")) == ("skipped", True)


USER = {"is_user": True, "emails": ["ada@seller.example"]}


def test_a_call_between_users_only_is_written_where_the_setting_says_so(world: Make) -> None:
    """Once, without associations, and whether or not calls with nobody matched are."""
    crm = world()
    internal = call(1, USER, USER)
    writing = Writing(write_internal=True, write_unmatched=False)

    assert outcomes(crm.sync(internal, writing=writing)) == ["created"]
    assert outcomes(crm.sync(internal, writing=writing)) == ["unchanged"]
    assert [(row["person_ids"], row["account_id"]) for row in crm.activities] == [([], None)]


LEFT_OUT: list[tuple[Writing, Call, str]] = [
    (Writing(), call(1, USER, USER), "write_internal"),
    (Writing(write_missed=False), call(1, status="missed"), "write_missed"),
    (Writing(write_cancelled=False), call(1, status="cancelled"), "write_cancelled"),
    (Writing(shortest_seconds=600.5), call(1), "shortest_seconds"),
    (Writing(write_unmatched=False), call(1, guest("nobody")), "write_unmatched"),
]


@pytest.mark.parametrize(("writing", "left_out", "name"), LEFT_OUT, ids=[name for _, _, name in LEFT_OUT])
def test_a_call_that_is_not_to_be_written_names_the_setting(
    world: Make, writing: Writing, left_out: Call, name: str
) -> None:
    """Nothing is written, and the reason says which setting it is."""
    crm = world()
    (result,) = crm.sync(left_out, writing=writing)

    assert (result.outcome, name in (result.reason or ""), crm.activities) == ("skipped", True, [])


def test_what_the_settings_keep_out_is_not_looked_up(world: Make) -> None:
    """The CRM's quota is for calls that are written: one that cannot be read makes no difference."""
    crm = world()
    with crm.open() as connection:
        crm.path.unlink()
        results = list(sync(connection, [call(1, status="missed")], FRANCE, writing=Writing(write_missed=False)))
        with pytest.raises(ConfigurationError):
            list(sync(connection, [call(2)], FRANCE))

    assert outcomes(results) == ["skipped"]


KEPT: list[tuple[Writing, Call]] = [
    (Writing(write_missed=False, write_cancelled=False), call(1, status="voicemail")),
    (Writing(shortest_seconds=600), call(1)),
    (Writing(shortest_seconds=600), call(1, duration_seconds=None)),
    (Writing(write_internal=False, write_unmatched=True), call(1, guest("nobody"))),
]


@pytest.mark.parametrize(("writing", "kept"), KEPT)
def test_settings_keep_out_nothing_else(world: Make, writing: Writing, kept: Call) -> None:
    """A voicemail is not missed; as long is not shorter; a length that is not known is not short; a guest is no user."""
    assert outcomes(world().sync(kept, writing=writing)) == ["created"]


def test_a_negative_length_is_refused() -> None:
    """In Python as in a file."""
    with pytest.raises(ConfigurationError, match="shortest_seconds: is -1"):
        Writing(shortest_seconds=-1)


def test_a_guest_who_did_not_attend_is_not_written(world: Make) -> None:
    """Only who was there is associated."""
    crm = world()
    crm.sync(call(1, guest("carl"), guest("dora", attended=False)))

    assert crm.activities[0]["person_ids"] == ["C1"]


def test_meetings_are_written_as_the_setting_says(world: Make) -> None:
    """Events by default, tasks if wanted."""
    crm = world()
    crm.sync(call(1, kind="meeting"))
    crm.sync(call(2, kind="meeting"), writing=Writing(meetings_as="task"))

    assert [row["kind"] for row in crm.activities] == ["event", "task"]


def test_a_body_has_the_parts_of_the_setting(world: Make) -> None:
    """In a new activity, and in one that was there."""
    crm = world(activities=[LOOK_ALIKE])
    brought = {"summary": "A quote.", "tags": ["demo"], "topics": ["pricing"]}
    writing = Writing(parts=("tags", "summary"))
    crm.sync(call(1, **brought), call(2, **brought), writing=writing)

    wanted = ["Call: x, 10 min", "Tags: demo", "Summary: A quote."]
    assert [row["body"].splitlines() for row in crm.activities] == [
        ["My own words.", "", *wanted, "ref: x:1"],
        [*wanted, "ref: x:2"],
    ]


def test_a_guest_whose_address_is_ignored_is_not_associated(world: Make) -> None:
    """The others are, and the decision says which setting it was."""
    crm = world()
    (result,) = crm.sync(call(1, guest("dora"), guest("carl")), settings=replace(FRANCE, ignore_emails=("dora@*",)))

    assert result.decision is not None
    (unmatched,) = result.decision.to_json()["unmatched"]
    assert (crm.activities[0]["person_ids"], unmatched["participant"], unmatched["reason"]) == (
        ["C1"],
        0,
        "no_identifier",
    )
    assert "ignore_emails" in unmatched["detail"]


def test_associating_changes_nothing(world: Make) -> None:
    """The file stays as it is, to the byte."""
    crm = world(activities=[LOOK_ALIKE])
    before = crm.path.read_bytes()
    with crm.open() as connection:
        associate(connection, [call()], FRANCE)

    assert crm.path.read_bytes() == before


def test_the_owner_filter_needs_a_crm_that_has_it(world: Make) -> None:
    """Elsewhere it is refused before anything is asked."""
    with world().open() as connection:
        connection.manifest = replace(connection.manifest, traits=frozenset({"leads"}))
        with pytest.raises(UnsupportedError, match="owner_filter"):
            associate(connection, [call()], Settings(regions=("FR",), owner_filter=True))


@pytest.mark.parametrize("settings", [Settings(), Settings(regions=("FR",), time_zone="Europe/Paris")])
def test_regions_and_time_zone_are_those_of_the_connection(world: Make, settings: Settings) -> None:
    """Two ways of reading numbers would find nobody, and write that as a fact."""
    with world().open() as connection, pytest.raises(ConfigurationError, match="give both the same"):
        associate(connection, [call()], settings)


def test_more_calls_than_a_unit_are_all_worked_on(world: Make) -> None:
    """450 calls: each has its result and its activity."""
    crm = world()
    calls = [call(number) for number in range(450)]

    results = crm.sync(*calls)

    assert (outcomes(results), len(crm.activities)) == (["created"] * 450, 450)


def test_of_two_calls_with_one_id_the_later_one_counts(world: Make) -> None:
    """A richer version of a call comes after it: one activity, with what the later one says."""
    crm = world()

    results = crm.sync(call(1), call(2), call(1, guest("carl")))

    assert [(row["call_id"], row["person_ids"]) for row in crm.activities] == [("x:1", ["C1"]), ("x:2", ["C2"])]
    assert [result.call_id for result in results] == ["x:1", "x:2"]
