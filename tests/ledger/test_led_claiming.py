"""Claiming and leases: what is due, in order, by one owner at a time."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys

import pytest
import sqlalchemy as sa
from engine_host import until
from ledger_bench import ACME, Bench, call, draft, ids, several

from connector_core.errors import TryAgainError
from connector_core.ledger.jobs import FEW_CLAIMS, MOST_CLAIMS
from connector_core.ledger.leases import LeaseLostError
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.progress import PATIENCE, PATIENT_TRIES, Step
from connector_core.ledger.schema import calls, connections
from connector_core.meter import Meter
from connector_core.model import Receipt


def test_interactive_calls_come_before_backfill_and_older_ones_first(at: Bench) -> None:
    """Whatever the order in which they were accepted."""
    at.accept(call(5), call(6), backfill=True)
    at.accept(call(3))
    at.later(1)
    at.accept(call(1))
    with at.leased() as lease:
        assert ids(at.ledger.jobs.claim(lease, 9)) == ["x:3", "x:1", "x:5", "x:6"]


def test_backfill_is_left_out_while_it_is_held_back(at: Bench) -> None:
    """Interactive calls go on."""
    at.accept(call(1), backfill=True)
    at.accept(call(2))
    with at.leased() as lease:
        assert ids(at.ledger.jobs.claim(lease, 9, backfill=False)) == ["x:2"]
        assert ids(at.ledger.jobs.claim(lease, 9)) == ["x:1"]


def test_what_is_not_due_yet_is_not_claimed(at: Bench) -> None:
    """Until then."""
    at.accept(call(1, started_at=at.ledger.now().isoformat(), duration_seconds=0), delay_seconds=100)
    with at.leased() as lease:
        assert at.ledger.jobs.claim(lease, 9) == []
        at.later(101)
        assert ids(at.ledger.jobs.claim(lease, 9)) == ["x:1"]


def test_none_is_claimed_twice_under_one_lease(at: Bench) -> None:
    """Until it is let go of."""
    at.accept(*several(5))
    with at.leased() as lease:
        first, second = at.ledger.jobs.claim(lease, 3), at.ledger.jobs.claim(lease, 3)
        assert (len(first), len(second), at.ledger.jobs.claim(lease, 3)) == (3, 2, [])
        at.ledger.progress.let_go(lease, ids(first))
        assert ids(at.ledger.jobs.claim(lease, 9)) == ids(first)


def test_the_next_lease_takes_over_what_the_last_one_left(at: Bench) -> None:
    """At once."""
    at.accept(*several(2))
    with at.leased() as lease:
        at.ledger.jobs.claim(lease, 9)
    with at.leased() as lease:
        assert len(at.ledger.jobs.claim(lease, 9)) == 2


def test_where_processes_die_fewer_and_fewer_calls_are_given_at_once_and_in_the_end_none(at: Bench) -> None:
    """The one over which they die is found, and set aside with a reason."""
    at.accept(*several(16))
    sizes = []
    for _ in range(FEW_CLAIMS + 6):
        with at.leased() as lease:
            sizes.append(len(at.ledger.jobs.claim(lease, 16)))
    assert sizes == [16, 16, 16, 16, 8, 4, 2, 1, 1]
    with at.ledger.database.writing() as step:
        step.execute(sa.update(calls).where(calls.c.call_id == "x:1").values(claims=MOST_CLAIMS))
    with at.leased() as lease:
        assert "x:1" not in ids(at.ledger.jobs.claim(lease, 16))
    assert at.states()["x:1"] == ("waiting", "waiting")


def test_what_was_set_aside_as_processes_died_is_given_again_when_a_person_asks(at: Bench) -> None:
    """What they died of may be mended by then."""
    at.accept(call(1))
    with at.ledger.database.writing() as step:
        step.execute(sa.update(calls).values(claims=MOST_CLAIMS))
    with at.leased() as lease:
        assert at.ledger.jobs.claim(lease, 1) == []
        at.ledger.people.refresh(ACME, Actor("Ada"), ["x:1"])

        assert ids(at.ledger.jobs.claim(lease, 1)) == ["x:1"]


def test_one_owner_at_a_time(at: Bench) -> None:
    """Another process, or another thread, is told so; another connection is free."""
    with Ledger(at.url, clock=at.clock) as other, at.leased():
        with other.leases.take(ACME, "other") as lease:
            assert lease is None
        with other.leases.take("another", "other") as lease:
            assert lease is not None
    with at.leased("next") as lease:
        assert lease.owner == "next"


def test_each_owner_has_a_higher_fence_and_the_last_ones_steps_are_kept_no_more(at: Bench) -> None:
    """Neither claims nor decisions nor receipts: nothing of such a step."""
    at.accept(*several(2))
    with at.leased() as lease:
        jobs = at.ledger.jobs.claim(lease, 1)
        (sent,) = at.ledger.progress.begin(lease, [draft(jobs[0])], doubt_seconds=60)
        at.stolen()
        before = at.rows(sa.select(calls))
        for step in (
            lambda: at.ledger.jobs.claim(lease, 9),
            lambda: at.ledger.progress.begin(lease, [Step(jobs[0], outcome="skipped")], doubt_seconds=0),
            lambda: at.ledger.progress.finish(lease, [(sent, Receipt("created", "T1"))], settle_seconds=0),
            lambda: at.ledger.progress.let_go(lease, ["x:1"]),
            lambda: at.ledger.connections.pause(lease, "no"),
        ):
            with pytest.raises(LeaseLostError):
                step()
        assert at.rows(sa.select(calls)) == before
    at.later(200)
    with at.leased() as later:
        assert later.fence > lease.fence


def test_a_lease_is_taken_over_once_it_ended(postgres_url: str) -> None:
    """Its owner died, or cannot reach the database; in SQLite the lock of its process tells."""
    from ledger_bench import bench

    with bench(postgres_url) as at:
        with at.ledger.database.writing() as step:
            step.execute(sa.insert(connections).values(name=ACME, fence=7, owner="dead", lease_until=at.ledger.now()))
        with at.leased() as lease:
            assert lease.fence == 8


def test_a_lease_that_no_owner_could_have_made_is_void(at: Bench) -> None:
    """The clock was set back since."""
    with at.leased():
        pass
    with at.ledger.database.writing() as step:
        values = {"owner": "dead", "lease_until": at.ledger.now() + 2 * PATIENCE}
        step.execute(sa.update(connections).values(values))
    with at.leased() as lease:
        assert lease.owner == "me"


def test_a_lease_is_kept_while_a_batch_lasts(postgres_url: str) -> None:
    """However short it is: it is extended again and again, whatever its owner does meanwhile."""
    with Ledger(postgres_url, lease_seconds=1.0) as ledger, ledger.leases.take(ACME, "me"):

        def ends() -> dt.datetime:
            with ledger.database.reading() as step:
                end: dt.datetime = step.execute(sa.select(connections.c.lease_until)).scalar_one()
                return end

        first = ends()
        until(lambda: ends() > first)


def test_a_step_that_is_not_kept_extends_no_lease(at: Bench) -> None:
    """The owner believes of its lease what the ledger knows of it, and no more."""
    at.ledger.leases.seconds = 3600.0  # which nothing else extends as long as the test lasts
    with at.leased() as lease:
        believed = lease._until
        with pytest.raises(sa.exc.StatementError):
            at.ledger.connections.pause(lease, object())  # type: ignore[arg-type]  # it cannot be kept

        assert lease._until == believed


@pytest.mark.parametrize("name", ["é" * 100, ".", "..", "a/b"])
def test_any_name_of_a_connection_can_be_worked_on(at: Bench, name: str) -> None:
    """Whatever a host calls its connections."""
    with at.ledger.leases.take(name, "me") as lease:
        assert lease is not None


HOLD = """
import sys, time
from connector_core.ledger.ledger import Ledger
with Ledger(sys.argv[1], lease_seconds=600) as ledger, ledger.leases.take("acme", "child") as lease:
    print("held" if lease else "busy", flush=True)
    time.sleep(60)
"""


def test_the_lock_of_a_process_that_was_killed_is_free_at_once(tmp_path: object) -> None:
    """On SQLite nobody waits for its lease to end."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    hold = [sys.executable, "-c", HOLD, url]
    with subprocess.Popen(hold, stdout=subprocess.PIPE) as child, Ledger(url) as ledger:  # noqa: S603 - ours
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with ledger.leases.take(ACME, "me") as lease:
            assert lease is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        with ledger.leases.take(ACME, "me") as lease:
            assert lease is not None
            assert lease.fence == 2


def test_a_lock_that_cannot_be_made_is_told(tmp_path: object) -> None:
    """As something to try again, with its reason."""
    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        assert ledger.database.path is not None
        ledger.database.path.with_name("ledger.db.locks").write_text("a file stands in the way")
        with pytest.raises(TryAgainError, match="cannot be locked"), ledger.leases.take(ACME, "me"):
            raise AssertionError


# -- steps


def test_a_write_that_was_not_answered_stays_open_until_it_is_looked_for(at: Bench) -> None:
    """It is due when it has settled, and holds what was sent."""
    at.accept(call())
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 1)
        (sent,) = at.ledger.progress.begin(lease, [draft(job)], doubt_seconds=600)
        at.ledger.progress.finish(lease, [(sent, Receipt("unknown"))], settle_seconds=60)
        assert at.ledger.jobs.claim(lease, 1) == []
        at.later(61)
        (again,) = at.ledger.jobs.claim(lease, 1)
        assert (again.doubt, again.settled) == (sent.draft, True)
        at.ledger.progress.begin(lease, [Step(again, outcome="deferred", reason="it failed")], doubt_seconds=0)
        assert at.open_writes() == ["x:1"]


def test_what_was_sent_and_never_finished_is_looked_for_at_once_by_the_next_owner(at: Bench) -> None:
    """But is not taken for not there before it has settled."""
    at.accept(call())
    with at.leased() as lease:
        (job,) = at.ledger.jobs.claim(lease, 1)
        at.ledger.progress.begin(lease, [draft(job)], doubt_seconds=600)
    with at.leased() as lease:
        at.ledger.connections.start(lease, Meter(), settle_seconds=60)
        (job,) = at.ledger.jobs.claim(lease, 1)
        assert (job.doubt is not None, job.settled) == (True, False)


def test_a_step_that_fails_keeps_nothing(at: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither decision nor draft."""
    from connector_core.ledger.schema import decisions

    at.accept(*several(2))
    with at.leased() as lease:
        jobs = at.ledger.jobs.claim(lease, 2)
        monkeypatch.setattr(at.ledger.progress, "_finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            at.ledger.progress.begin(lease, [draft(it) for it in jobs], doubt_seconds=60)
    assert (at.open_writes(), at.rows(sa.select(decisions))) == ([], [])


def test_a_call_is_tried_for_seven_days_and_then_a_person_is_asked(at: Bench) -> None:
    """Not where nobody tried: a connection may have stood still for as long."""
    at.accept(call())
    at.later(PATIENCE.total_seconds() + 60)
    for tries in range(PATIENT_TRIES + 1):
        assert at.row().state == "due", tries
        with at.leased() as lease:
            jobs = at.ledger.jobs.claim(lease, 1)
            steps = [Step(it, outcome="deferred", reason="the CRM is away") for it in jobs]
            at.ledger.progress.begin(lease, steps, doubt_seconds=0)
        at.later(3601)
    assert at.states() == {"x:1": ("waiting", "waiting")}
    assert "the CRM is away" in (at.standing().reason or "")


def test_a_receipt_for_a_call_that_was_erased_meanwhile_keeps_no_other_back(at: Bench) -> None:
    """The others are written."""
    at.accept(*several(2))
    with at.leased() as lease:
        jobs = at.ledger.jobs.claim(lease, 2)
        sent = at.ledger.progress.begin(lease, [draft(it) for it in jobs], doubt_seconds=60)
        with at.ledger.database.writing() as step:
            step.execute(sa.delete(calls).where(calls.c.call_id == "x:1"))
        done = [(it, Receipt("created", f"T{place}")) for place, it in enumerate(sent)]
        at.ledger.progress.finish(lease, done, settle_seconds=0)
    assert set(at.states()) == {"x:2"}
