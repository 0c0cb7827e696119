"""The pump: whatever fails, nothing is lost, nothing is written twice, and one call keeps no other back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from ledger_bench import ACME, USER, Bench, Killed, call, several

from connector_core.association import Choice
from connector_core.errors import ContractError, CredentialsError, OutcomeUnknownError, RefusedError, TryAgainError
from connector_core.ledger import jobs as jobs_module
from connector_core.ledger.people import Actor
from connector_core.ledger.progress import Step
from connector_core.model import ActivityDraft, Replaced, Written
from connector_core.pump import MOST_TRIES, Pump
from connector_core.writing import Writing

POINTS = ("claimed", "decided", "noted", "sent", "kept")


def raising(error: BaseException) -> Any:
    """Make what raises, whatever it is given."""

    def raise_it(*_: object) -> None:
        raise error

    return raise_it


def test_calls_are_written_once(at: Bench) -> None:
    """And a second run has nothing to do."""
    at.run(*several(7), batch=3)
    before = at.path.read_bytes()

    assert at.pump().run().calls == 0
    assert (dict(at.written), at.path.read_bytes()) == ({f"x:{it}": 1 for it in range(1, 8)}, before)
    assert set(at.states().values()) == {("written", "created")}


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_anywhere_loses_and_repeats_nothing(at: Bench, point: str) -> None:
    """The next one looks for what may have been sent, and goes on."""

    def reached(here: str) -> None:
        if here == point:
            raise Killed

    with pytest.raises(Killed):
        at.run(*several(5), batch=2, reached=reached)
    at.again(batch=2).run()
    at.later(120)
    at.again(batch=2).run()

    assert dict(at.written) == {f"x:{it}": 1 for it in range(1, 6)}
    assert set(at.states().values()) == {("written", "created")}
    assert at.open_writes() == []


def test_a_call_that_fails_by_itself_is_set_aside_and_the_others_are_written(
    at: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After five tries a person is asked."""
    pump = at.pump()
    plan = pump._work.plan

    def failing(calls: Any, *more: Any) -> Any:
        if any(it.id == "x:3" for it in calls):
            raise ZeroDivisionError
        return plan(calls, *more)

    monkeypatch.setattr(pump._work, "plan", failing)
    at.accept(*several(5))
    for tries in range(1, MOST_TRIES + 1):
        pump.run()
        assert at.row("x:3").state == ("waiting" if tries == MOST_TRIES else "due")
        at.later(3600)

    assert dict(at.written) == {f"x:{it}": 1 for it in (1, 2, 4, 5)}
    assert "ZeroDivisionError" in (at.standing("x:3").reason or "")


def test_a_doubt_outlives_a_failure_of_its_call(at: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What may have been sent is looked for, however often its call fails by itself before."""
    at.faults.answer = at.faults.lose_the_answer
    at.run(call())
    pump = at.again()
    plan = pump._work.plan
    monkeypatch.setattr(pump._work, "plan", raising(ZeroDivisionError()))
    at.later(3600)
    pump.run()
    assert at.open_writes() == ["x:1"]

    monkeypatch.setattr(pump._work, "plan", plan)
    at.later(3600)
    pump.run()
    assert (at.states(), at.open_writes(), dict(at.written)) == ({"x:1": ("written", "created")}, [], {"x:1": 1})


def test_refused_credentials_pause_the_connection_and_lose_nothing(at: Bench) -> None:
    """However often it is tried in vain, no call is taken for one over which processes die."""
    at.faults.write = raising(CredentialsError("refused"))
    at.accept(*several(2))
    for _ in range(jobs_module.MOST_CLAIMS + 2):
        ran = at.pump().run()
        assert (ran.paused, at.pump().run().paused) == ("refused", "refused")
        at.ledger.people.resume(ACME, Actor("Ada", "admin"))
        at.later(3600)
    at.faults.write = lambda drafts: None
    at.pump().run()

    assert set(at.states().values()) == {("written", "created")}


def test_credentials_that_a_look_up_needs_let_go_of_the_calls(at: Bench) -> None:
    """Nobody died: nothing counts against the calls."""
    at.faults.look_up = raising(CredentialsError("refused"))
    assert at.run(*several(2)).paused == "refused"
    assert {(at.row(f"x:{it}").claimed, at.row(f"x:{it}").claims) for it in (1, 2)} == {(None, 0)}


@pytest.mark.parametrize(
    "error", [TryAgainError("later"), ContractError("file", "find_activity", "garbage"), ValueError("a defect")]
)
def test_a_plugin_that_cannot_be_asked_leaves_calls_due(at: Bench, error: Exception) -> None:
    """And nothing is written meanwhile."""
    at.faults.look_up = raising(error)
    at.run(call())
    assert (at.row().state, dict(at.written)) == ("due", {})
    at.faults.look_up = lambda: None
    at.later(3600)
    at.pump().run()
    assert at.states() == {"x:1": ("written", "created")}


@pytest.mark.parametrize("garbage", [None, {}, {"x:1": None}, {"x:1": "created"}, [], 7])
def test_a_plugin_that_answers_garbage_is_looked_after(at: Bench, garbage: Any) -> None:
    """It may have written: that is looked for, and found."""
    at.faults.answer = lambda receipts: garbage
    at.run(call())
    assert at.states() == {"x:1": ("due", "unknown")}
    at.faults.answer = lambda receipts: receipts
    at.later(3600)
    at.pump().run()
    assert (at.states(), dict(at.written)) == ({"x:1": ("written", "created")}, {"x:1": 1})


def test_what_a_person_adds_before_a_lost_answer_is_found_stays_theirs(at: Bench) -> None:
    """A richer call replaces our part, and no word of theirs."""
    at.faults.answer = at.faults.lose_the_answer
    at.run(call(summary="First"))
    with at.changing() as held:
        held["activities"][0]["body"] += "\nMine!"
    at.faults.answer = lambda receipts: receipts
    at.later(3600)
    at.pump().run()
    at.run(call(summary="Second"))

    (activity,) = at.world()["activities"]
    assert "Second" in activity["body"]
    assert "First" not in activity["body"]
    assert activity["body"].endswith("Mine!")


def test_a_lost_answer_and_a_death_after_it_leave_a_persons_words_theirs(at: Bench) -> None:
    """What was found out about the first write is known when the second is looked for."""
    with at.changing() as held:
        typed = {"id": "T9", "kind": "call", "person_ids": ["C1"], "started_at": call().started_at.isoformat()}
        held["activities"] = [typed | {"body": "Typed by hand."}]
    at.faults.answer = at.faults.lose_the_answer
    at.run(call(summary="First"))
    at.accept(call(summary="Second"))
    at.later(3600)
    at.faults.answer = raising(Killed())
    with suppress(Killed):
        at.pump().run()
    at.later(3600)
    at.faults.answer = lambda receipts: receipts
    at.pump().run()
    at.run(call(summary="Third"))

    (activity,) = at.world()["activities"]
    assert activity["body"].startswith("Typed by hand.\n\n")
    assert [word in activity["body"] for word in ("First", "Second", "Third")] == [False, False, True]


def test_a_lost_change_that_was_not_made_takes_nothing_off_the_ledger(at: Bench) -> None:
    """Our link that was to go is still ours: the next time it goes, and is no evidence meanwhile."""
    at.run(call())
    nobody = {"is_user": False, "emails": ["nobody@else.example"]}
    at.faults.write = raising(OutcomeUnknownError("it was not made, and nobody knows"))
    at.run(call(1, nobody))
    assert at.states() == {"x:1": ("due", "unknown")}
    at.faults.write = lambda drafts: None
    at.later(3600)
    at.pump().run()

    (activity,) = at.world()["activities"]
    assert (activity["person_ids"], activity["account_id"], activity["opportunity_id"]) == ([], None, None)


def test_two_batches_in_flight_never_take_one_activity(at: Bench) -> None:
    """The first is sent while the second is decided: it makes one of its own."""
    again: list[Pump] = []

    def second(drafts: Sequence[ActivityDraft]) -> None:
        at.faults.write = lambda drafts: None
        pump = again[0]
        with at.ledger.leases.take("another", "me") as lease:
            assert lease is not None
        jobs = pump.claim(held[0])[0]
        pump.work_on(held[0], jobs)

    with at.changing() as held_world:
        held_world["activities"] = [
            {"id": "T9", "kind": "call", "person_ids": ["C1"], "started_at": "2026-03-02T00:01:00Z", "title": "Dialled"}
        ]
    at.accept(call(1), call(2, started_at="2026-03-02T00:02:00Z"))
    pump = at.pump(batch=1)
    again.append(pump)
    held: list[Any] = []
    at.faults.write = second
    with at.leased() as lease:
        held.append(lease)
        pump.work_on(lease, pump.claim(lease)[0])

    assert (dict(at.written), set(at.states().values())) == (
        {"x:1": 1, "x:2": 1},
        {("written", "updated"), ("written", "created")},
    )


def test_an_activity_that_somebody_else_created_meanwhile_gets_what_the_call_brought(at: Bench) -> None:
    """Its words stay, and are never taken for ours."""

    def dialler(_: object) -> None:
        at.faults.write = lambda drafts: None
        with at.changing() as held:
            held["activities"] = [{"id": "T9", "kind": "call", "call_id": "x:1", "body": "Dialled.", "person_ids": []}]

    at.faults.write = dialler
    at.run(call(summary="Good"))
    at.later(3600)
    at.pump().run()
    at.run(call(summary="Better"))

    (activity,) = at.world()["activities"]
    assert activity["body"].startswith("Dialled.")
    assert ("Better" in activity["body"], "Good" in activity["body"]) == (True, False)


def test_after_ours_was_deleted_a_new_one_starts_afresh(at: Bench) -> None:
    """What stood in the deleted one is not taken for what somebody removed from the new one."""
    dora = {"is_user": False, "emails": ["dora@other.example"]}
    carl = {"is_user": False, "emails": ["carl@buyer.example"]}
    at.run(call(1, carl, dora))
    with at.changing() as held:
        held["activities"] = []
    at.run(call(1, carl))
    at.run(call(1, carl, dora, summary="Both after all"))

    (activity,) = at.world()["activities"]
    assert sorted(activity["person_ids"]) == ["C1", "C2"]


def test_a_call_deleted_while_in_doubt_is_not_written_anew(at: Bench) -> None:
    """It is looked for; what is not there is not created any more."""
    at.faults.write = raising(OutcomeUnknownError("it was not made, and nobody knows"))
    at.run(call())
    assert at.ledger.inbox.deleted(ACME, "x:1")
    assert at.states() == {"x:1": ("due", "unknown")}
    at.faults.write = lambda drafts: None
    at.later(3600)
    at.pump().run()
    assert (at.states(), dict(at.written), at.open_writes()) == ({"x:1": ("rejected", "skipped")}, {}, [])


SETTINGS: list[tuple[Writing, dict[str, Any], dict[str, Any]]] = [
    (Writing(), {"participants": [USER]}, {}),
    (Writing(write_missed=False), {"status": "missed"}, {}),
    (Writing(write_cancelled=False), {"status": "cancelled"}, {}),
    (
        Writing(write_unmatched=False),
        {"participants": [USER, {"is_user": False, "emails": ["nobody@buyer.example"]}]},
        {},
    ),
    (Writing(shortest_seconds=60), {"duration_seconds": 59}, {"duration_seconds": 60}),
]


@pytest.mark.parametrize(("writing", "out", "within"), SETTINGS)
def test_a_call_that_is_not_to_be_written_is_rejected_until_a_version_is(
    at: Bench, writing: Writing, out: dict[str, Any], within: dict[str, Any]
) -> None:
    """The version that qualifies later is written."""
    at.opened = replace(at.opened, writing=writing)
    at.run(call(**out))
    assert (at.states(), dict(at.written)) == ({"x:1": ("rejected", "skipped")}, {})

    at.run(call(**within))
    assert (at.states(), dict(at.written)) == ({"x:1": ("written", "created")}, {"x:1": 1})


@pytest.mark.parametrize(("writing", "out", "within"), SETTINGS)
def test_what_was_written_stays_when_a_later_version_is_not_to_be(
    at: Bench, writing: Writing, out: dict[str, Any], within: dict[str, Any]
) -> None:
    """The activity is as it was; the call counts as written, and the reason names the setting."""
    at.opened = replace(at.opened, writing=writing)
    at.run(call(**within))
    before = at.path.read_bytes()
    at.run(call(**{**out, "summary": "Said later"}))

    assert (at.states(), at.path.read_bytes()) == ({"x:1": ("written", "unchanged")}, before)
    assert at.standing().reason


def test_what_a_person_chose_reaches_what_was_written_whatever_the_settings_say(at: Bench) -> None:
    """A missed call was written, then missed ones were switched off: its guest is cleared by hand, and goes."""
    at.run(call(status="missed"))
    at.opened = replace(at.opened, writing=Writing(write_missed=False))
    nobody = Choice("contact", None, by="Ada", at=dt.datetime(2026, 3, 3, tzinfo=dt.UTC), participant=1)
    at.ledger.people.choose(ACME, Actor("Ada"), {"x:1": nobody})
    at.pump().run()

    assert (at.states(), at.world()["activities"][0]["person_ids"]) == ({"x:1": ("written", "updated")}, [])


def test_what_cannot_be_read_any_more_keeps_no_other_back(at: Bench) -> None:
    """One run writes the rest, however many there are of it."""
    import sqlalchemy as sa

    from connector_core.ledger.schema import calls

    at.accept(*several(6))
    with at.ledger.database.writing() as step:
        step.execute(sa.update(calls).where(calls.c.call_id < "x:5").values(content='{"of": "another version"}'))
    at.pump(batch=2).run()
    assert at.states() == {
        **{f"x:{it}": ("waiting", "waiting") for it in (1, 2, 3, 4)},
        **{f"x:{it}": ("written", "created") for it in (5, 6)},
    }


def test_a_refusal_waits_for_a_person(at: Bench) -> None:
    """It is not tried again by itself, and is when somebody asks for it."""
    at.faults.write = raising(RefusedError("no", code="X", field="Y"))
    at.run(call())
    assert (at.states(), at.standing().reason) == ({"x:1": ("waiting", "refused")}, "no")
    at.faults.write = lambda drafts: None
    at.later(3600)
    assert at.pump().run().calls == 0
    at.ledger.inbox.hurry(ACME, ["x:1"])
    at.pump().run()
    assert at.states() == {"x:1": ("written", "created")}


def test_two_pumps_on_one_connection_count_each_request_once(at: Bench) -> None:
    """The ledger's figure is the meter's."""
    import sqlalchemy as sa

    from connector_core.ledger.schema import connections

    meter = at.opened.connection.info.meter
    for number in (1, 2):
        at.accept(call(number))
        pump = at.pump()
        at.faults.look_up = lambda: meter.sent(0.1)
        pump.run()
    (row,) = at.rows(sa.select(connections))
    assert row.requests == meter.cost.requests == 2


def test_after_a_run_the_connection_may_create_again(at: Bench) -> None:
    """Whoever uses it without a ledger needs no lease."""
    at.run(call())
    assert at.opened.connection.info.meter.why_not_write() is None


def test_after_a_run_that_found_it_paused_the_connection_may_create_too(at: Bench) -> None:
    """Long after its lease came to an end."""
    seconds = 0.0
    at.ledger.leases._clock = lambda: seconds
    with at.leased() as lease:
        at.ledger.connections.pause(lease, "the token was refused")
    at.run(call())
    seconds = 3600.0

    assert at.opened.connection.info.meter.why_not_write() is None


def test_a_wait_that_no_clock_can_tell_is_a_day(at: Bench) -> None:
    """What the CRM asks for is heeded within reason: the receipts are kept, and the call is tried again."""
    at.faults.write = raising(TryAgainError("later", after_seconds=1e300))
    at.run(call())
    at.faults.write = lambda drafts: None
    before = at.states()
    at.later(86_401)
    at.pump().run()

    assert (before, at.states()) == ({"x:1": ("due", "deferred")}, {"x:1": ("written", "created")})


def test_words_that_no_database_keeps_are_kept_as_far_as_can_be(at: Bench) -> None:
    """A CRM may cut its text within a character, or send a NUL."""
    at.faults.write = raising(RefusedError("no\0 more \ud83d", code="\0"))
    at.run(call())
    assert (at.states(), at.standing().reason) == (
        {"x:1": ("waiting", "refused")},
        "no\N{REPLACEMENT CHARACTER} more ?",
    )


def test_half_a_character_in_what_the_crm_holds_is_kept_as_it_is(at: Bench) -> None:
    """In what is about to be sent, in what was decided, and in what was written."""
    broken = "cut \ud83d\0"
    at.accept(call())
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 1)
        it = job.call
        sent = ActivityDraft(it.id, "call", it.started_at, it.end, "T1", body="new", replaces=Replaced(body=broken))
        step = Step(job, json.dumps({"status": broken}), sent)
        at.ledger.progress.begin(lease, [step], doubt_seconds=0)
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 1)
        assert job.doubt == sent
        step = Step(job, None, None, "unchanged", None, Written("T1", "call", body=broken))
        at.ledger.progress.begin(lease, [step], doubt_seconds=0)
    assert at.standing().decision == {"status": broken}
    at.accept(call(summary="New"))
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 1)
    assert job.written == Written("T1", "call", body=broken)
