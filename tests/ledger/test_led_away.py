"""Leases and steps when a machine stops, sleeps or goes away, and when a server takes over from another."""

from __future__ import annotations

import errno
import fcntl
import itertools
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from ledger_bench import ACME, Bench, call, several
from postgres import execute

from connector_core.errors import TryAgainError
from connector_core.ledger import database
from connector_core.ledger.leases import LeaseLostError, lock_connection
from connector_core.ledger.ledger import Ledger
from connector_core.settling import TELL_AFTER, sync_settled


def test_a_machine_that_is_gone_in_the_middle_of_a_step_keeps_no_other_waiting(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL itself hears of it hours later, and would keep the connection locked till then."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    with Ledger(postgres_url) as gone, Ledger(postgres_url) as other:

        def fall_silent() -> None:
            with gone.database.writing() as step:
                lock_connection(gone.database, step, ACME)
                assert other.inbox.accept(ACME, several(1)).verdicts == {"x:1": "new"}

        with pytest.raises(TryAgainError):
            fall_silent()


def test_a_server_that_only_reads_is_tried_again(postgres_url: str) -> None:
    """So it is where another took over, and connections still lead to the former one."""
    with Ledger(postgres_url) as ledger:
        name = postgres_url.rpartition("/")[2]
        execute(postgres_url, f"alter database {name} set default_transaction_read_only = on")
        ledger.close()
        with pytest.raises(TryAgainError, match="read-only"):
            ledger.inbox.accept(ACME, several(1))


def test_a_vacuum_that_is_broken_off_is_tried_again(postgres_url: str) -> None:
    """Though it is asked of the driver itself."""
    with Ledger(postgres_url):
        pass
    hurried = database.Database(f"{postgres_url}?options=-cstatement_timeout%3D5")
    with pytest.raises(TryAgainError, match="statement timeout"):
        hurried.purge()
    hurried.close()


def test_whoever_comes_to_a_file_by_a_link_finds_its_lock(tmp_path: Path) -> None:
    """The ledger is the same one."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(tmp_path / "ledger.db")
    with (
        Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger,
        Ledger(f"sqlite:///{link}") as linked,
        ledger.leases.take(ACME, "me"),
        linked.leases.take(ACME, "other") as lease,
    ):
        assert lease is None


def test_a_file_system_that_has_no_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As something to try again, with its reason."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    with Ledger(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        monkeypatch.setattr(fcntl, "flock", refuse)
        with pytest.raises(TryAgainError, match="cannot be locked: No locks available"), ledger.leases.take(ACME, "me"):
            raise AssertionError


def test_whoever_lost_its_lease_creates_nothing_more(at: Bench) -> None:
    """Though by its own clock the lease lasts: the database's may have been set forward."""
    at.accept(call())
    with at.leased() as lease:
        assert lease.outlasts(1.0)
        at.stolen()
        with pytest.raises(LeaseLostError):
            at.ledger.jobs.claim(lease, 1)

        assert not lease.outlasts(1.0)


def test_a_lease_ends_while_the_machine_sleeps(at: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine's pump works on the connection by then."""
    with at.leased() as lease:
        assert lease.outlasts(1.0)
        awake = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: awake)
        slept = {time.CLOCK_BOOTTIME: 3600.0, time.CLOCK_MONOTONIC: 0.0}
        tell = time.clock_gettime
        monkeypatch.setattr(time, "clock_gettime", lambda which: tell(which) + slept[which])

        assert not lease.outlasts(1.0)


def test_that_another_process_is_waited_for_is_told_once(at: Bench, caplog: pytest.LogCaptureFixture) -> None:
    """It may have been stopped by hand, and nobody would see why nothing goes on."""
    looks = itertools.count()
    with Ledger(at.url, clock=at.clock) as ledger, ExitStack() as other:
        other.enter_context(ledger.leases.take(ACME, "other"))

        def sleep(_: float) -> None:
            if next(looks) == 2 * TELL_AFTER:
                other.close()

        (standing,) = sync_settled(at.ledger, at.opened, several(1), sleep=sleep)

    assert standing.outcome == "created"
    assert caplog.messages == ["connection acme: waiting for another process that works on it"]


def test_a_server_whose_machine_is_gone_is_not_waited_for_for_hours(postgres_url: str) -> None:
    """Unless the address says so itself."""
    said = {"keepalives_idle": "30", "tcp_user_timeout": "30000", "connect_timeout": "7"}
    with (
        Ledger(f"{postgres_url}?connect_timeout=7") as ledger,
        ledger.database.reading() as step,
    ):
        driver = step.connection.driver_connection
        assert driver is not None
        given = driver.info.get_parameters()

    assert {name: given[name] for name in said} == said
