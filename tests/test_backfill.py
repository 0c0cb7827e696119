"""Backfill: a stream of calls, resumable, that leaves quota to others; and how connections stand."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from bad_day import CREATE
from engine_host import WORLD, Host, calls, states, until

from connector_core import Call, crm
from connector_core.backfill import IN_FLIGHT, Backfill
from connector_core.cli import main
from connector_core.cli.backfill import _Lines
from connector_core.crms.world import parse_world
from connector_core.ledger import schema
from connector_core.ledger.jobs import Job
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.overview import Overview, read_overview
from connector_core.ledger.people import Actor
from connector_core.manifest import load
from connector_core.pump import Pump
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer

RUN = "import sys; from connector_core.cli import main; sys.exit(main())"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in a file."""
    with Ledger(f"sqlite:///{tmp_path / 'connector.db'}") as opened:
        yield opened


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """CRMs in files."""
    return Host(tmp_path)


def folder_of(tmp_path: Path, number: int) -> Path:
    """Write a configuration, a CRM in a file and so many calls."""
    Host(tmp_path).opening("acme").close()
    settings = '[connections.acme.settings]\npath = "acme.json"\n'
    (tmp_path / "connector.toml").write_text(f'[connections.acme]\ncrm = "file"\nregions = ["FR"]\n{settings}')
    lines = [call.model_dump_json(exclude_none=True) for call in calls(number)]
    (tmp_path / "calls.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def start(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-c", RUN, "backfill", "--connection", "acme", "--json", *arguments]
    return subprocess.Popen(  # noqa: S603 - ours
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any]]:
    """Wait for its end; give the status and the summary."""
    out, err = process.communicate(timeout=120)
    assert out, err
    summary: dict[str, Any] = json.loads(out.splitlines()[-1])
    return process.returncode, summary


def test_a_stream_is_written_once(ledger: Ledger, host: Host) -> None:
    """All calls are written; given again, all are known and nothing is done."""
    for expected, outcomes in (("new", {"created": 30}), ("known", {})):
        with host.opening("acme") as opened:
            backfill = Backfill(ledger, opened, iter(calls(30)), batch=7)
            assert backfill.run().how == "done"
        assert backfill.tally.accepted == {expected: 30}
        assert +backfill.tally.outcomes == outcomes

    assert len(host.written("acme")) == 30


def test_the_later_of_two_calls_with_one_id_counts(ledger: Ledger, host: Host) -> None:
    """Also where they stand far apart in the stream: the second is a change, and one activity is written."""
    again = calls(1)[0].model_copy(update={"title": "The later one"})
    with host.opening("acme") as opened:
        assert Backfill(ledger, opened, iter([*calls(10), again]), batch=3).run().how == "done"

    assert len(host.written("acme")) == 10
    it = ledger.calls.of("acme", ["test:0"])["test:0"].call
    assert it is not None
    assert it.title == "The later one"


def test_no_more_is_read_than_is_worked_on(ledger: Ledger, host: Host) -> None:
    """While a batch is read, fewer calls are due than what is worked on at once; nothing is read ahead of the pump."""
    ahead: list[int] = []

    def stream() -> Iterator[Call]:
        for call in calls(60):
            ahead.append(ledger.calls.behind("acme").number)
            yield call

    with host.opening("acme") as opened:
        assert Backfill(ledger, opened, stream(), batch=5).run().how == "done"

    assert max(ahead) < 5 * IN_FLIGHT
    assert len(host.written("acme")) == 60


def test_batches_are_worked_on_side_by_side(ledger: Ledger, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them ends before as many are under way as may be."""
    under_way, work_on = threading.Barrier(IN_FLIGHT, timeout=30), Pump.work_on

    def held(pump: Pump, lease: Lease, jobs: Sequence[Job]) -> int:
        under_way.wait()
        return work_on(pump, lease, jobs)

    monkeypatch.setattr(Pump, "work_on", held)
    with host.opening("acme") as opened:
        assert Backfill(ledger, opened, iter(calls(5 * IN_FLIGHT)), batch=5).run().how == "done"

    assert len(host.written("acme")) == 5 * IN_FLIGHT


def test_nothing_more_is_accepted_while_much_is_put_off(ledger: Ledger, host: Host) -> None:
    """Calls that are due later count: a CRM that is down does not let the whole file into the ledger."""
    ledger.inbox.accept("acme", calls(5 * IN_FLIGHT), backfill=True)
    with ledger.database.writing() as step:
        step.execute(sa.text("update calls set due_at = '2999-01-01T00:00:00.000000Z'"))
    with host.opening("acme") as opened:
        backfill = Backfill(ledger, opened, iter(calls(5, first=100)), batch=5)
        end = backfill.run()

    assert (end.how, end.reason) == ("later", f"{5 * IN_FLIGHT} calls are due later")
    assert backfill.tally.accepted.total() == 0


def test_it_stops_where_the_rest_of_the_quota_is_reserved(ledger: Ledger, host: Host) -> None:
    """It says so, nothing more is sent, and the next run with quota goes on where it stopped."""
    with host.opening("acme") as opened:
        meter = opened.connection.info.meter
        meter.told(limit=1000, used=900)
        end = Backfill(ledger, opened, iter(calls(5)), batch=2).run()
        assert end.how == "held_back"
        assert "are reserved" in (end.reason or "")
        assert host.written("acme") == []
        meter.told(limit=1000, used=10)
        assert Backfill(ledger, opened, iter(calls(5)), batch=2).run().how == "done"

    assert len(host.written("acme")) == 5


def test_what_another_process_was_told_of_the_quota_holds(ledger: Ledger, host: Host) -> None:
    """For an hour, as the CRM said it: a new process has asked for nothing yet, and spends nothing to find out."""
    with host.opening("acme") as opened:
        backfill = Backfill(ledger, opened, iter(calls(5)), batch=2)
        opened.connection.info.meter.told(limit=1000, used=900, seconds_ago=1800)
        opened.connection.info.meter.sent(1.0)
        assert backfill.run().how == "held_back"
    with host.opening("acme") as opened:
        assert Backfill(ledger, opened, iter(calls(5)), batch=2).run().how == "held_back"
        assert host.written("acme") == []
        quota = opened.connection.quota
        assert quota is not None
        assert 1800 <= time.monotonic() - quota.at < 1900


def test_it_is_done_where_the_quota_ends_with_the_calls(ledger: Ledger, host: Host) -> None:
    """Nothing is left that would have to wait."""
    with host.opening("acme") as opened:
        backfill = Backfill(ledger, opened, iter(calls(5)), batch=5)
        backfill._pump._heard = lambda _steps: opened.connection.info.meter.told(limit=1000, used=900)
        assert backfill.run().how == "done"


def test_it_waits_for_quota_if_it_is_told_to(ledger: Ledger, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again after a while, and goes on."""
    monkeypatch.setattr("connector_core.backfill.HELD_BACK_SECONDS", 0.05)
    with host.opening("acme") as opened:
        meter = opened.connection.info.meter
        meter.told(limit=1000, used=900)
        backfill = Backfill(ledger, opened, iter(calls(5)), batch=2)
        waited = backfill._stop.wait
        monkeypatch.setattr(backfill._stop, "wait", lambda seconds: meter.told(limit=1000, used=1) or waited(seconds))
        assert backfill.run(wait_for_quota=True).how == "done"

    assert len(host.written("acme")) == 5


def test_where_another_process_works_it_hands_over(ledger: Ledger, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody else has the connection, calls are accepted; it ends when they are worked on."""
    monkeypatch.setattr("connector_core.backfill.LOOK_SECONDS", 0.05)
    from connector_core.pump import Pump

    with host.opening("acme") as opened, host.opening("acme") as mine:
        backfill = Backfill(ledger, mine, iter(calls(12)), batch=4)
        runs: list[bool] = []
        own = backfill._pump.run

        def run(*given: Any, **named: Any) -> Any:
            if len(runs) < 3:
                with ledger.leases.take("acme", "another process"):
                    ran = own(*given, **named)
                runs.append(ran.busy)
                return ran
            Pump(ledger, opened).run()
            return own(*given, **named)

        monkeypatch.setattr(backfill._pump, "run", run)
        assert backfill.run().how == "done"

    assert runs == [True, True, True]
    assert len(host.written("acme")) == 12


def test_a_killed_process_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """After kill -9 the same command writes the rest: none twice, none lost."""
    folder = folder_of(tmp_path, 2500)
    process = start(folder, "calls.jsonl")
    with Ledger(f"sqlite:///{folder / 'connector.db'}") as ledger:
        until(lambda: ledger.calls.behind("acme").number > 0)
        process.kill()
        process.communicate()
        left = ledger.calls.behind("acme").number
    assert left > 0

    status, summary = ended(start(folder, "calls.jsonl"))
    assert (status, summary["ended"], summary["waiting"], summary["due"]) == (0, "done", 0, 0)
    assert summary["accepted"]["known"] > 0
    assert sum(summary["accepted"].values()) == 2500
    written = Host(folder).written("acme")
    assert len(written) == len(set(written)) == 2500


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 1), (signal.SIGINT, 130)], ids=["TERM", "INT"])
def test_a_signal_ends_it_cleanly(number: signal.Signals, status: int, tmp_path: Path) -> None:
    """Also while it waits for standard input: with the status of the signal, and the sum of what was done."""
    process = start(folder_of(tmp_path, 1), "-", stdin=subprocess.PIPE)
    assert process.stderr is not None
    assert "accepted" in process.stderr.readline()  # it runs, and waits
    os.kill(process.pid, number)
    assert process.wait(60) == status
    assert process.stdout is not None
    assert json.loads(process.stdout.read().splitlines()[-1])["ended"] == "stopped"
    assert process.stderr.readline() == f"{number.name}: ending the batches under way; once more ends it at once\n"
    for pipe in (process.stdin, process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


def test_a_signal_between_two_lines_ends_the_reading(tmp_path: Path) -> None:
    """The next one may be hours away, if it ever comes."""
    (tmp_path / "calls.jsonl").write_text("one\ntwo\n")
    lines = _Lines([str(tmp_path / "calls.jsonl")] * 2)
    read = (line for _, each in lines.of_each() for line in each)
    first = next(read)
    lines.stop()

    assert (first, list(read)) == (b"one\n", [])


def test_a_pipe_with_a_name_is_read_once(tmp_path: Path) -> None:
    """Whoever writes into it finds one reader, that stays until the end."""
    folder = folder_of(tmp_path, 3)
    os.mkfifo(folder / "pipe")
    code = "import pathlib; pathlib.Path('pipe').write_text(pathlib.Path('calls.jsonl').read_text())"
    with subprocess.Popen([sys.executable, "-c", code], cwd=folder) as writer, start(folder, "pipe") as process:  # noqa: S603 - ours
        try:
            status, summary = ended(process)
        finally:
            writer.kill()
            process.kill()

    assert (status, summary["outcomes"]) == (0, {"created": 3})


def test_a_signal_ends_the_wait_for_a_writer(tmp_path: Path) -> None:
    """Pipes that nobody opens to write hold nothing up, however many are still to be read."""
    folder = folder_of(tmp_path, 1)
    os.mkfifo(folder / "pipe")
    with start(folder, "pipe", "pipe") as process:
        try:
            assert process.stderr is not None
            assert "accepted" in process.stderr.readline()  # it runs, and waits
            process.terminate()
            status, summary = ended(process)
        finally:
            process.kill()

    assert (status, summary["ended"]) == (1, "stopped")


def test_progress_counts_what_was_read_at_once(tmp_path: Path) -> None:
    """Also before there are calls enough to be accepted."""
    process = start(folder_of(tmp_path, 1), "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write((tmp_path / "calls.jsonl").read_text())
    process.stdin.flush()
    told = process.stderr.readline()
    status, summary = ended(process)

    assert told.startswith("1 read, 0 accepted (0 known before), ")
    assert (status, summary["outcomes"]) == (0, {"created": 1})


def test_a_call_counts_once_by_its_last_outcome(tmp_path: Path) -> None:
    """One that was sent, not answered, and found later is created, and nothing else."""
    manifest = crm("salesforce")
    make: type[Sandbox] = load(manifest.sandbox or "", of="salesforce")
    lost = [{"match": CREATE["salesforce"], "times": 1, "do": {"drop_after_commit": True}}]
    with SandboxServer(make(parse_world(WORLD)), faults=lost) as server:
        settings = {**server.settings, "access_token": "file:token", "timeout_seconds": 3, "settle_seconds": 1}
        folder = folder_of(tmp_path, 5)
        (folder / "token").write_text(server.settings["access_token"])
        rows = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items() if "client" not in key)
        (folder / "connector.toml").write_text(
            f'[connections.acme]\ncrm = "salesforce"\nregions = ["FR"]\n[connections.acme.settings]\n{rows}'
        )
        status, summary = ended(start(folder, "calls.jsonl"))

    assert (status, summary["outcomes"]) == (0, {"created": 5})


def test_a_connection_that_stands_still_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Why it does, and how it goes on; not that there is nothing to do."""
    monkeypatch.chdir(folder_of(tmp_path, 3))
    with Ledger(f"sqlite:///{tmp_path / 'connector.db'}") as ledger, ledger.leases.take("acme", "test") as lease:
        assert lease is not None
        ledger.connections.pause(lease, "the token was refused")

    assert main(["backfill", "calls.jsonl", "--connection", "acme"]) == 1

    told = capsys.readouterr()
    assert told.out.splitlines()[-1].startswith("nothing done; ")
    assert told.err.splitlines() == [
        "connection acme: stands still until somebody resumes it: the token was refused",
        "mend that, and say connector resume --connection acme; then the same command goes on where it stopped",
    ]


def test_one_that_is_held_back_from_the_start_says_that_nothing_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rather than that no call was accepted, as if something were wrong with them."""
    monkeypatch.chdir(folder_of(tmp_path, 2))
    with Ledger("sqlite:///connector.db") as ledger, Host(tmp_path).opening("acme") as opened:
        backfill = Backfill(ledger, opened, iter(calls(2)))
        opened.connection.info.meter.told(limit=1000, used=900)
        opened.connection.info.meter.sent(1.0)
        assert backfill.run().how == "held_back"

    assert main(["backfill", "calls.jsonl", "--connection", "acme"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == "no call was read yet"


def test_the_summary_counts_the_lines_that_could_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a person as for a program."""
    monkeypatch.chdir(folder_of(tmp_path, 3))
    with Path("calls.jsonl").open("a") as file:
        file.write("{no json\n")

    assert main(["backfill", "calls.jsonl", "--connection", "acme"]) == 1
    told = capsys.readouterr().out.splitlines()[0]
    assert told == "3 calls accepted, 0 of them known before, 1 line could not be read"


def test_a_wrong_line_is_named_and_the_others_are_written(tmp_path: Path) -> None:
    """With its file and number on standard error; the status says that something is left."""
    folder = folder_of(tmp_path, 3)
    (folder / "more.jsonl").write_text('{"id": "x"}\n')
    process = start(folder, "calls.jsonl", "more.jsonl")
    out, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "more.jsonl: line 1: " in err
    assert json.loads(out)["outcomes"] == {"created": 3}


def test_a_file_that_is_not_there_is_told_before_anything_is_done(tmp_path: Path) -> None:
    """With status 2."""
    process = start(folder_of(tmp_path, 1), "calls.jsonl", "nowhere.jsonl")
    _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "nowhere.jsonl: cannot be read" in err
    assert not (tmp_path / "connector.db").exists()


# -- status ------------------------------------------------------------------------------------------------------------


def test_status_tells_how_a_connection_stands(ledger: Ledger, host: Host) -> None:
    """States, what was written today, and since when something is due; another connection is told apart."""
    ledger.inbox.accept("acme", calls(3))
    with host.opening("acme") as opened:
        Backfill(ledger, opened, iter(())).run()
    ledger.inbox.accept("acme", calls(2, first=10), backfill=True)
    ledger.inbox.accept("other", calls(1))

    told = read_overview(ledger.database)

    acme = told["acme"]
    assert acme.states == {"due": 2, "written": 3, "waiting": 0, "rejected": 0}
    assert acme.written_today == 3
    assert acme.oldest_due_at is not None
    assert told["other"].states["due"] == 1
    assert states(ledger, "acme")["written"] == 3


def test_status_tells_what_holds_a_connection_up(ledger: Ledger) -> None:
    """Paused, held back, worked on, with the reasons; what it cost, and the quota."""
    from connector_core.meter import Cost, Meter

    with ledger.leases.take("acme", "me") as lease:
        assert lease is not None
        ledger.connections.hold_back(lease, "quota is reserved")
        meter = Meter()
        meter.told(limit=100, used=40)
        ledger.connections.spent(lease, Cost(10, 2.5), meter)
        ledger.connections.pause(lease, "no credentials")
        told = read_overview(ledger.database)["acme"].to_json()

    assert told["worked_on_by"] == "me"
    assert told["paused"]["reason"] == "no credentials"
    assert told["backfill_held_back"]["reason"] == "quota is reserved"
    assert (told["requests"], told["seconds"], told["quota"]["left"]) == (10, 2.5, 60)
    ledger.people.resume("acme", Actor("ada", "admin"))
    later = read_overview(ledger.database)["acme"]
    assert (later.worked_on_by, later.paused_at) == (None, None)


def test_status_names_nobody_who_died(tmp_path: Path, ledger: Ledger) -> None:
    """In SQLite, where the lock of a process ends with it, however long its lease would have lasted."""
    code = (
        "import sys; from connector_core.ledger.ledger import Ledger; ledger = Ledger(sys.argv[1]);"
        "hold = ledger.leases.take('acme', 'one that dies'); hold.__enter__(); print('held', flush=True); input()"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'connector.db'}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        process.stdout.readline()
        alive = read_overview(ledger.database)["acme"].worked_on_by
        process.kill()
    dead = read_overview(ledger.database)["acme"].worked_on_by

    assert (alive, dead) == ("one that dies", None)


def test_status_costs_the_same_for_many_connections(ledger: Ledger) -> None:
    """As many queries for thirty connections as for one."""
    counted: list[int] = []
    statements: list[str] = []
    sa.event.listen(ledger.database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    for first in (0, 1):
        for number in range(first, 1 + 29 * first):
            ledger.inbox.accept(f"c{number}", calls(1))
        statements.clear()
        assert len(read_overview(ledger.database)) == 1 + 29 * first
        counted.append(len(statements))

    assert counted[0] == counted[1] <= 8


def test_status_of_a_connection_without_any_call() -> None:
    """All is zero, and what is not known is null."""
    told = Overview("new").to_json()

    assert (told["due"], told["requests_per_call"], told["quota"], told["paused"]) == (0, None, None, None)


@pytest.mark.parametrize(
    ("state", "outcome", "later", "told"),
    [("due", "deferred", 1, (0, 0, 0)), ("due", "deferred", 5_000, (1, 1, 1)), ("waiting", "refused", 0, (1, 1, 0))],
)
def test_calls_that_came_in_otherwise_before_are_its_calls_too(
    tmp_path: Path, ledger: Ledger, state: str, outcome: str, later: int, told: tuple[int, int, int]
) -> None:
    """It waits for those that are due soon; it is not done while others are due, or wait for a person, and names them."""
    folder = folder_of(tmp_path, 2)
    ledger.inbox.accept("acme", calls(2)[:1])
    due_at = ledger.now() + dt.timedelta(seconds=later)
    with ledger.database.writing() as step:
        step.execute(sa.update(schema.calls).values(state=state, outcome=outcome, due_at=due_at))

    status, summary = ended(start(folder, "calls.jsonl"))
    assert (status, summary["waiting"], summary["due"]) == told
