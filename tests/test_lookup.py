"""What people chose, and what a refresh keeps, is read by id: in one batch, and never taken for granted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from opened_world import crm

from connector_core.association import Choice, Choices, Decision, Earlier, History, Settings, decide
from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.hookspecs import hookimpl
from connector_core.lookup import FEW_CALLS, KNOWN_SECONDS, KnownPeople, look_up
from connector_core.manifest import CrmManifest
from connector_core.model import Call, Participant
from connector_core.work import Taken, Work

AT = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1"}, {"id": "A2"}],
    "people": [
        {"kind": "contact", "id": "C1", "emails": ["c@b.example"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "account_id": "A2"},
    ],
    "opportunities": [{"id": "O1", "created_at": "2026-02-01T00:00:00Z", "account_id": "A1"}],
}
CALLS = [
    Call.model_validate(
        {
            "id": f"x:{number}",
            "provider": "x",
            "kind": "meeting",
            "started_at": "2026-03-02T09:00:00Z",
            "participants": [{"is_user": False, "emails": ["c@b.example"]}],
        }
    )
    for number in range(3)
]
CHOICES = [
    Choice("contact", "C2", "Ada", AT, 0),
    Choice("account", "A2", "Ada", AT),
    Choice("opportunity", "O1", "Ada", AT),
]
WITHOUT = frozenset({"read_people", "read_accounts"})


class Watching:
    """Notes the operations that were called, with how many keys."""

    def __init__(self) -> None:
        """Begin with none."""
        self.called: list[tuple[str, int]] = []

    @hookimpl
    def operation_finished(self, operation: str, keys: int) -> None:
        """Note one."""
        self.called.append((operation, keys))


MISSING = {*WITHOUT, "__dict__", "__weakref__"}
CannotRead = type("CannotRead", (), {name: it for name, it in vars(FileAdapter).items() if name not in MISSING})
POOR = replace(FILE, adapter="test_lookup:CannotRead", operations=FILE.operations - WITHOUT)


def decided(history: History, manifest: CrmManifest = FILE, observers: Sequence[object] = ()) -> list[Decision]:
    histories = {call.id: history for call in CALLS}
    with crm(WORLD, manifest=manifest, observers=observers) as connection:
        records = look_up(connection, CALLS, Settings(regions=("FR",)), histories)
    return [decide(call, records, Settings(regions=("FR",)), history) for call in CALLS]


def test_what_people_chose_is_read_by_its_id() -> None:
    """A contact, an account and an opportunity that no look-up would find."""
    found = decided(History(Choices.of(CHOICES)))[0].to_json()

    assert [found["people"][0]["id"], found["account"]["id"], found["opportunity"]["id"]] == ["C2", "A2", "O1"]


@pytest.mark.parametrize("choice", CHOICES[:2], ids=["contact", "account"])
def test_a_plugin_that_cannot_read_by_id_leaves_the_choice_unknown(choice: Choice) -> None:
    """Nothing tells whether the record is there: the call waits, and says what the plugin lacks."""
    decision = decided(History(Choices.of([choice])), POOR)[0]

    assert decision.status == "undecided"
    assert decision.unknown[0].startswith(f"{choice.what} {choice.id}: the plugin file has no read_")


def test_such_a_plugin_still_serves_calls_without_a_past_and_unchanged_refreshes() -> None:
    """Who is found again need not be read by id."""
    first = decided(History(), POOR)[0]
    again = decided(History(earlier=Earlier.from_json(first.to_json())), POOR)[0]

    assert (first.status, again.to_json()) == ("decided", first.to_json())


def test_one_look_up_reads_what_all_calls_of_a_unit_want() -> None:
    """However many calls name it."""
    watching = Watching()

    decided(History(Choices.of(CHOICES)), observers=[watching])

    read = [called for called in watching.called if called[0] in WITHOUT]
    assert read == [("read_people", 1), ("read_accounts", 1)]


# -- many calls at once ------------------------------------------------------------------------------------------------


def guest_of(number: int, email: str) -> Call:
    """Make a call with somebody who has an address, and a number of their own."""
    guest = {"is_user": False, "emails": [email], "phones": [f"+336399810{number % 100:02}"]}
    return CALLS[0].model_copy(update={"id": f"y:{number}", "participants": (Participant.model_validate(guest),)})


def asked(calls: Sequence[Call], known: KnownPeople | None = None) -> dict[str, int]:
    """Look calls up; give how many people each operation was asked for."""
    watching = Watching()
    with crm(WORLD, observers=[watching]) as connection:
        look_up(connection, calls, Settings(regions=("FR",)), known=known)
    return {name: keys for name, keys in watching.called if name.startswith("find_contacts")}


def test_few_calls_are_asked_about_all_at_once() -> None:
    """A round less is worth more than a number that nobody has to know."""
    assert asked([guest_of(1, "c@b.example")]) == {"find_contacts_by_email": 1, "find_contacts_by_phone": 1}


def test_of_many_calls_numbers_wait_for_emails() -> None:
    """Of guests who are found by their e-mail no number is asked for; of the others it is."""
    calls = [guest_of(number, "c@b.example" if number else "n@b.example") for number in range(FEW_CALLS + 1)]

    assert asked(calls) == {"find_contacts_by_email": 2, "find_contacts_by_phone": 1}


def test_who_is_known_is_not_asked_for() -> None:
    """For a minute; who was not found is asked for anew."""
    now = [0.0]
    known = KnownPeople(lambda: now[0])
    calls = [guest_of(0, "c@b.example"), guest_of(1, "n@b.example")]
    first, second = asked(calls, known), asked(calls, known)
    now[0] = KNOWN_SECONDS + 1

    assert (first, second, asked(calls, known)) == (
        {"find_contacts_by_email": 2, "find_contacts_by_phone": 2},
        {"find_contacts_by_email": 1, "find_contacts_by_phone": 2},
        {"find_contacts_by_email": 2, "find_contacts_by_phone": 2},
    )


def test_whom_a_person_decided_about_is_asked_for_anew() -> None:
    """A call that somebody corrected or refreshes is decided by what the CRM has now."""
    watching, known = Watching(), KnownPeople()
    with crm(WORLD, observers=[watching]) as connection:
        work = Work(connection, Settings(regions=("FR",)), known=known)
        take = Taken()
        work.decide(CALLS[:1], take)
        work.decide(CALLS[:1], take, {"x:0": History(Choices.of([CHOICES[1]]))})

    assert [name for name, _ in watching.called].count("find_contacts_by_email") == 2
