"""``connector worker`` as processes of their own: stopped, killed, side by side."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engine_host import WORLD, calls, states, until
from relay import Relay

from connector_core import crm
from connector_core.cli import main
from connector_core.crms.world import parse_world
from connector_core.ledger.ledger import Ledger
from connector_core.manifest import load
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer

MANY = 120
SLOW = [{"match": {}, "do": {"delay_seconds": 0.2}}]
CONNECTOR = Path(sys.executable).with_name("connector")


@dataclass
class Place:
    """A folder with a configuration, the ledger that it names, and a sandbox of Salesforce."""

    folder: Path
    ledger: Ledger
    sandbox: Sandbox
    workers: list[subprocess.Popen[str]] = field(default_factory=list)

    def work(self, *arguments: str, parented: bool = False) -> subprocess.Popen[str]:
        """Start a worker, and wait until it works; with ``parented`` by a process that waits for it."""
        command = [str(CONNECTOR), "worker", "--batch", "10", *arguments]
        if parented:
            command = ["sh", "-c", f"{' '.join(command)} & echo $!; wait"]
        error = (self.folder / f"stderr-{len(self.workers)}").open("w+")
        with error:
            worker = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=self.folder, stdout=subprocess.PIPE, stderr=error, text=True, start_new_session=True
            )
        self.workers.append(worker)
        until(lambda: re.search("working on|waiting for", self.told(worker)) or worker.poll() is not None)
        return worker

    def told(self, worker: subprocess.Popen[str]) -> str:
        """Give what a worker wrote on standard error so far."""
        return (self.folder / f"stderr-{self.workers.index(worker)}").read_text()

    @property
    def written(self) -> int:
        """How many calls are written, by the ledger."""
        return states(self.ledger, "acme")["written"]

    @property
    def activities(self) -> Counter[str]:
        """How often each call is in the CRM."""
        return Counter(row["CallObject"] for row in self.sandbox.records()["Task"])

    def expire_leases(self) -> None:
        """Let the leases of those that died end, without waiting for it."""
        with self.ledger.database.writing() as step:
            step.execute(sa.text("update connections set lease_until = null"))


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A place with each kind of ledger; its sandbox answers slowly."""
    sqlite = request.param == "SQLite"
    url = "sqlite:///ledger.db" if sqlite else request.getfixturevalue("postgres_url")
    manifest = crm("salesforce")
    make: type[Sandbox] = load(manifest.sandbox or "", of="salesforce")
    sandbox = make(parse_world(WORLD))
    with (
        SandboxServer(sandbox, faults=SLOW) as server,
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}" if sqlite else url) as ledger,
    ):
        configure(tmp_path, url, server.settings)
        place = Place(tmp_path, ledger, sandbox)
        yield place
        for worker in place.workers:
            with suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)  # with what it started itself, which holds its output open
            worker.communicate()


def configure(folder: Path, url: str, settings: Any) -> None:
    """Write the configuration of one connection."""
    (folder / "token").write_text(settings["access_token"])
    (folder / "connector.toml").write_text(
        f"""
        [ledger]
        url = "{url}"
        [connections.acme]
        crm = "salesforce"
        regions = ["FR"]
        [connections.acme.settings]
        instance_url = "{settings["instance_url"]}"
        access_token = "file:token"
        timeout_seconds = 3
        settle_seconds = 1
        """
    )


def test_sigkill_loses_nothing_and_doubles_nothing(place: Place) -> None:
    """Workers that are killed in the middle of batches leave all that the next one needs."""
    place.ledger.inbox.accept("acme", calls(MANY))
    for killed in range(3):
        worker = place.work()
        before = place.written
        until(lambda before=before: place.written > before)
        time.sleep(0.1 * killed)  # another moment each time
        worker.kill()
        worker.wait()
        place.expire_leases()
    assert place.written < MANY

    place.work()
    until(lambda: place.written == MANY)

    assert place.activities == Counter({f"test:{i}": 1 for i in range(MANY)})


def test_sigterm_ends_it_in_the_middle_of_a_backlog(place: Place) -> None:
    """What is under way is ended, the exit status is 0, nothing is in doubt, and the next worker does the rest."""
    place.ledger.inbox.accept("acme", calls(MANY))
    worker = place.work("--json")
    until(lambda: place.written > 0)

    worker.terminate()
    out, _ = worker.communicate(timeout=60)

    assert worker.returncode == 0
    assert "SIGTERM: ending what is under way" in place.told(worker)
    standing = states(place.ledger, "acme")
    assert 0 < standing["written"] < MANY
    assert sum(json.loads(line)["calls"] for line in out.splitlines()) == standing["written"]
    assert sum(place.activities.values()) == standing["written"]
    place.work()
    until(lambda: place.written == MANY)
    assert set(place.activities.values()) == {1}


def test_two_workers_side_by_side(place: Place) -> None:
    """Two processes on one ledger: a connection has one pump at a time, whoever's it is; SIGINT ends them too."""
    one, two = place.work("--json"), place.work("--json")
    for first in range(0, 60, 5):
        place.ledger.inbox.accept("acme", calls(5, first=first))
    until(lambda: place.written == 60)

    for worker in (one, two):
        worker.send_signal(signal.SIGINT)
        worker.communicate(timeout=60)
    assert (one.returncode, two.returncode) == (0, 0)
    assert place.activities == Counter({f"test:{i}": 1 for i in range(60)})


def test_a_grace_that_is_too_short(place: Place) -> None:
    """A batch that does not end in time is left, exit status 1; the next worker looks for what was sent."""
    place.ledger.inbox.accept("acme", calls(MANY))
    worker = place.work("--grace", "0")
    until(lambda: place.written > 0)

    worker.terminate()
    worker.communicate(timeout=60)

    assert worker.returncode == 1
    assert "not over after 0 s" in place.told(worker)
    place.expire_leases()
    place.work()
    until(lambda: place.written == MANY)
    assert set(place.activities.values()) == {1}


def test_it_ends_with_the_process_that_started_it(place: Place) -> None:
    """A worker whose parent died does not go on unseen."""
    parent = place.work(parented=True)
    assert parent.stdout
    process = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    until(lambda: "the process that started it is gone" in place.told(parent))
    until(lambda: _gone(process))


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().split()[2] == "Z"


def test_refused_credentials_are_told_of(place: Place) -> None:
    """The connection stands still, the message says so once, and the worker goes on."""
    (place.folder / "token").write_text("wrong")
    place.ledger.inbox.accept("acme", calls(1))

    worker = place.work("--json")
    until(lambda: "stands still until somebody resumes it" in place.told(worker))
    worker.terminate()
    out, _ = worker.communicate(timeout=60)

    (line,) = (json.loads(line) for line in out.splitlines())
    assert (line["connection"], line["calls"]) == ("acme", 0)
    assert "stands still" in line["problem"]
    assert worker.returncode == 0


@pytest.fixture
def relay(postgres_url: str) -> Iterator[Relay]:
    """A way to PostgreSQL, which is closed."""
    server = sa.make_url(postgres_url)
    relay = Relay(server.host or "127.0.0.1", server.port or 5432)
    yield relay
    relay.down()


@pytest.mark.parametrize("place", ["PostgreSQL"], indirect=True)
def test_it_waits_for_its_database(place: Place, relay: Relay, postgres_url: str) -> None:
    """It begins once the database is there, and says once that it is not; likewise when it goes away later."""
    url = sa.make_url(postgres_url).set(port=relay.port, host="127.0.0.1").render_as_string(hide_password=False)
    worker = place.work("--ledger", url, "--grace", "1")
    time.sleep(2.5)  # it tries again meanwhile
    relay.up()
    until(lambda: "working on acme" in place.told(worker))
    place.ledger.inbox.accept("acme", calls(1))
    until(lambda: place.written == 1)
    relay.down()
    until(lambda: place.told(worker).count("waiting for the ledger") == 2)
    time.sleep(2.5)  # whatever looks for the database finds it away

    worker.terminate()
    worker.communicate(timeout=60)

    told = place.told(worker).splitlines()
    ours = ("waiting for the ledger: ", "working on acme", "connection acme: ", "SIGTERM: ", "not over after")
    assert [line for line in told if not line.startswith(ours)] == []
    assert sum(line.startswith("waiting for the ledger: ") for line in told) == 2


Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a configuration into the working directory."""
    monkeypatch.chdir(tmp_path)
    return lambda text: (tmp_path / "connector.toml").write_text(text) and None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        (None, [], "connector.toml: there is none in this directory"),
        ("", [], "connector.toml: has no connection to work on"),
        ('[connections.acme]\ncrm = "file"', ["--connection", "acm"], "has no connection 'acm'; did you mean acme?"),
        ('[connections.acme]\ncrm = "file"', ["--ledger", "nowhere"], "is no address of a database"),
        ("", ["--pumps", "0"], "argument --pumps: N is a number from 1 to 1000"),
        ("", ["--batch", "9" * 20], "argument --batch: N is a number from 1 to 10000"),
        ("", ["--grace", "soon"], "argument --grace: SECONDS is a number from 0 to 86400"),
        ("", ["--grace", "86401"], "argument --grace: SECONDS is a number from 0 to 86400"),
    ],
)
def test_what_it_cannot_begin_with(
    write: Write, capsys: pytest.CaptureFixture[str], text: str | None, arguments: list[str], told: str
) -> None:
    """It does not start, and says what to mend."""
    if text is not None:
        write(text)

    assert main(["worker", "--batch", "10", *arguments]) == 2
    assert told in capsys.readouterr().err
