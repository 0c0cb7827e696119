"""Accepting: once it returned, no call is lost; what is known already changes nothing."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from ledger_bench import ACME, Bench, Killed, call, draft, ids, several

from connector_core.ledger.people import Actor
from connector_core.ledger.schema import BACKFILL, INTERACTIVE


def test_a_call_is_new_then_known_then_changed(at: Bench) -> None:
    """By its id and what it says."""
    assert at.accept(call()) == {"x:1": "new"}
    assert at.accept(call()) == {"x:1": "known"}
    assert at.accept(call(summary="More")) == {"x:1": "changed"}


def test_an_earlier_version_that_comes_late_changes_nothing(at: Bench) -> None:
    """The richer one stays, in whatever order the others come once more."""
    at.accept(call())
    at.accept(call(summary="More"))
    assert at.accept(call()) == {"x:1": "known"}
    standing = at.standing()
    assert standing.call is not None
    assert standing.call.summary == "More"


def test_of_one_id_twice_in_a_batch_the_later_one_counts(at: Bench) -> None:
    """Both are accepted, in their order."""
    assert at.accept(call(), call(summary="More")) == {"x:1": "changed"}
    assert at.row().version == 2


def test_more_calls_than_one_step_takes_are_accepted(at: Bench) -> None:
    """All of them."""
    assert set(at.accept(*several(1203)).values()) == {"new"}
    assert len(at.states()) == 1203


def test_a_written_call_is_due_again_when_more_is_known_of_it(at: Bench) -> None:
    """And its one activity is changed."""
    at.run(call())
    at.accept(call(summary="More"))
    assert at.states() == {"x:1": ("due", None)}
    at.pump().run()
    assert (at.states(), dict(at.written)) == ({"x:1": ("written", "updated")}, {"x:1": 1})


def test_backfill_that_is_wanted_now_is_interactive_and_never_back(at: Bench) -> None:
    """Whoever delivers it, and whether more is known of it."""
    at.accept(call(1), call(2), backfill=True)
    at.accept(call(1))
    at.accept(call(2, summary="More"))
    assert {at.row(it).priority for it in ("x:1", "x:2")} == {INTERACTIVE}
    at.accept(call(1, summary="More"), backfill=True)
    assert at.row("x:1").priority == INTERACTIVE


def test_what_was_settled_and_comes_by_backfill_is_backfill(at: Bench) -> None:
    """Nobody waits for it."""
    at.run(call())
    at.accept(call(summary="More"), backfill=True)
    assert at.row().priority == BACKFILL


def test_whoever_makes_a_call_due_wakes_the_pump_in_the_same_step(at: Bench) -> None:
    """Also where it only became more urgent; not where nothing changed. A waker that fails keeps nothing."""
    woken: list[str] = []

    def wake(connection: str, _: object) -> None:
        woken.append(connection)

    at.accept(call(), backfill=True, wake=wake)
    at.accept(call(), backfill=True, wake=wake)
    at.accept(call(), wake=wake)
    assert woken == [ACME, ACME]

    def failing(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        at.accept(call(2), wake=failing)
    assert set(at.states()) == {"x:1"}


@pytest.mark.parametrize(("ended_ago", "waits"), [(0, 300), (100, 200), (1000, 0), (-1000, 300), (-1e9, 300)])
def test_a_delay_counts_from_the_end_of_a_call_and_is_never_longer(at: Bench, ended_ago: int, waits: int) -> None:
    """A call that ends in the future has a wrong clock, and is not put off for ever."""
    end = at.ledger.now() - dt.timedelta(seconds=ended_ago)
    at.accept(call(started_at=end.isoformat(), duration_seconds=0), delay_seconds=300)
    left = (at.row().due_at - at.ledger.now()).total_seconds()
    assert waits - 30 < left <= waits


def test_without_a_delay_every_call_is_due_at_once(at: Bench) -> None:
    """Also one whose clock is a year ahead."""
    at.run(call(started_at="2999-12-31T23:59:59Z"))
    assert at.states() == {"x:1": ("written", "created")}


def test_a_deleted_call_is_not_written_and_does_not_come_back(at: Bench) -> None:
    """Neither by a richer version nor by a person in a hurry."""
    at.accept(call())
    assert at.ledger.inbox.deleted(ACME, "x:1")
    assert not at.ledger.inbox.deleted(ACME, "x:2")
    assert at.accept(call(summary="More")) == {"x:1": "known"}
    at.ledger.inbox.hurry(ACME, ["x:1"])
    at.pump().run()
    assert (at.states(), dict(at.written)) == ({"x:1": ("rejected", "skipped")}, {})


def test_what_is_written_stays_when_it_is_deleted_at_the_provider(at: Bench) -> None:
    """The activity is in the CRM, and the call stands as it did."""
    at.run(call())
    at.ledger.inbox.deleted(ACME, "x:1")
    at.pump().run()
    assert (at.states(), dict(at.written)) == ({"x:1": ("written", "created")}, {"x:1": 1})


def test_a_call_deleted_between_two_tries_is_rejected(at: Bench) -> None:
    """It was surely not written: the CRM had refused it."""
    from connector_core.errors import RefusedError

    def refuse(_: object) -> None:
        raise RefusedError("no")

    at.faults.write = refuse
    at.run(call())
    at.ledger.inbox.deleted(ACME, "x:1")
    assert at.states() == {"x:1": ("rejected", "skipped")}


def test_a_call_deleted_while_it_is_sent_ends_as_written(at: Bench) -> None:
    """The CRM has it: no state says otherwise."""
    gone: list[bool] = []
    at.faults.write = lambda drafts: gone.append(at.ledger.inbox.deleted(ACME, "x:1"))
    at.run(call())
    assert (at.row().state, dict(at.written)) == ("written", {"x:1": 1})


def test_hurry_leaves_alone_what_may_still_be_under_way(at: Bench) -> None:
    """Once that has settled, it may be tried at once: it is looked for first."""
    at.faults.answer = at.faults.lose_the_answer
    at.run(call())
    due = at.row().due_at
    at.ledger.inbox.hurry(ACME, ["x:1"])
    assert at.row().due_at == due
    at.later(61)
    at.ledger.inbox.hurry(ACME, ["x:1"])
    assert at.row().due_at <= at.ledger.now()


def test_what_is_accepted_while_it_is_sent_is_not_lost(at: Bench) -> None:
    """The newer version follows at once, not after what the write might have lasted."""
    at.faults.write = lambda drafts: at.faults.batches.append(list(at.accept(call(summary="More")).values()))
    at.run(call(), in_flight=1)
    assert (at.states()["x:1"][0], dict(at.written)) == ("written", {"x:1": 1})
    (activity,) = at.world()["activities"]
    assert "More" in activity["body"]


def test_what_a_person_decides_while_it_is_sent_follows_at_once(at: Bench) -> None:
    """Not after the time that the write might have lasted."""

    def meanwhile(_: object) -> None:
        at.faults.write = lambda drafts: None
        from connector_core.desk import Desk

        Desk(at.ledger, at.opened).clear(Actor("Ada"), ["x:1"], opportunity=True)

    at.faults.write = meanwhile
    at.run(call(), in_flight=1)
    (activity,) = at.world()["activities"]
    assert (at.states()["x:1"][0], activity["opportunity_id"]) == ("written", None)


def test_many_threads_accept_at_once(at: Bench) -> None:
    """Each call is new to one of them alone."""
    said: list[dict[str, str]] = []
    threads = [threading.Thread(target=lambda: said.append(at.accept(*several(20)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sum(each[it] == "new" for each in said) for it in said[0]] == [1] * 20


def test_a_call_that_changed_after_it_was_claimed_is_let_go_of(at: Bench) -> None:
    """Nothing of the older version is sent; the newer one is there to be claimed."""
    at.accept(call())
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 9)
        at.accept(call(summary="More"))
        assert at.ledger.progress.begin(lease, [draft(job)], doubt_seconds=60) == []
        assert (at.open_writes(), ids(at.ledger.jobs.claim(lease, 9))) == ([], ["x:1"])
