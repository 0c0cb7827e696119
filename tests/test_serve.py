"""``connector serve`` and ``connector worker`` side by side, as processes: webhooks end as one activity a call."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from connector_google_meet.sandbox import GoogleSandbox
from engine_host import until

from connector_core.cli import main
from connector_core.testing.server import SandboxServer
from connector_core.web.app import MOST_BODIES, MOST_BYTES

CONNECTOR = Path(sys.executable).with_name("connector")
TOKEN = "3d5e1f0c-invented"
CONFIG = """
[connections.acme]
crm = "file"
regions = ["FR"]

[connections.acme.settings]
path = "world.json"

[connections.acme.providers.aircall]
token = "env:ACME_AIRCALL_TOKEN"
"""


def event(number: int, name: str, at: int, **more: Any) -> bytes:
    """Write an event of Aircall's about a call."""
    start = 1772442000 + 600 * number
    data = {
        "id": number,
        "direction": "inbound",
        "started_at": start,
        "answered_at": start + 10,
        "ended_at": start + 300,
        "raw_digits": "+33 6 39 98 10 11",
        "number": {"digits": "+33 1 99 00 00 01"},
        "comments": [],
        "tags": [],
        **more,
    }
    return json.dumps({"event": name, "timestamp": start + 300 + at, "token": TOKEN, "data": data}).encode()


def events(number: int) -> list[bytes]:
    """Write all events of a call; its tag came before its end was told, its comment after."""
    tags = [{"id": 1, "name": "Demo"}]
    return [
        event(number, "call.created", -300),
        event(number, "call.tagged", 2, tags=tags),
        event(number, "call.ended", 30, tags=tags),
        event(number, "call.commented", 90, tags=tags, comments=[{"id": 4, "content": "wants a quote"}]),
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    world = {"people": [{"kind": "contact", "id": "C1", "name": "Carl Customer", "phones": ["+33639981011"]}]}
    (tmp_path / "world.json").write_text(json.dumps(world))
    (tmp_path / "connector.toml").write_text(CONFIG)
    monkeypatch.setenv("ACME_AIRCALL_TOKEN", TOKEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block is over; it is asked to end, and has to."""
    with open(f"{arguments[0]}.err", "w") as errors:  # noqa: PTH123 - in the folder of the test
        process = subprocess.Popen(  # noqa: S603 - our own command
            [str(CONNECTOR), *arguments], stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ.copy()
        )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


@contextmanager
def serving() -> Iterator[str]:
    """Serve the webhooks; give their address."""
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["hooks"] == ["/hooks/acme/aircall"]
        yield told["url"] + told["hooks"][0]
    assert process.returncode == 0


def post(url: str, body: bytes) -> int:
    """Send a webhook; give the status."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=30) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_shuffled_repeated_and_late_events_end_as_one_activity_a_call(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some arrive while the worker writes, some after it has: the one activity has the best data in the end."""
    chance = random.Random(11)  # noqa: S311 - a repeatable order, not a secret
    sent = [each for number in range(1, 9) for each in events(number) * 2]
    chance.shuffle(sent)

    def activities() -> list[dict[str, Any]]:
        held = json.loads((folder / "world.json").read_text()).get("activities", [])
        return sorted(held, key=lambda activity: str(activity["call_id"]))

    def complete() -> bool:
        bodies = [activity["body"] for activity in activities()]
        return len(bodies) >= 8 and all("wants a quote" in body and "Demo" in body for body in bodies)

    with serving() as url, running("worker", "--json"):
        statuses = {post(url, body) for body in sent}
        until(complete)

    assert statuses == {200, 202}
    assert [activity["call_id"] for activity in activities()] == [f"aircall:{number}" for number in range(1, 9)]
    assert {tuple(activity["person_ids"]) for activity in activities()} == {("C1",)}
    assert main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (status["written"], status["due"], status["waiting"]) == (8, 0, 0)


def test_a_worker_subscribes_though_nothing_is_received(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks at the providers of its connections when it starts."""
    with SandboxServer(GoogleSandbox()) as google:
        monkeypatch.setenv("GOOGLE_KEY", str(google.settings["service_account_key"]))
        settings = {**google.settings, "service_account_key": "env:GOOGLE_KEY"}
        lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        with (folder / "connector.toml").open("a") as config:
            config.write("\n".join(["", "[connections.acme.providers.google_meet]", *lines, ""]))

        def subscribed() -> bool:
            with urllib.request.urlopen(f"{google.url}/_sandbox/records", timeout=30) as answer:  # noqa: S310 - loopback
                return len(json.load(answer)["subscriptions"]) == 2

        with running("worker", "--json"):
            until(subscribed)


def test_a_crm_that_tells_of_changes_has_an_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proven by its app's secret; without that it has none, and calls are received all the same."""
    monkeypatch.setenv("HUBSPOT_TOKEN", "invented")
    monkeypatch.setenv("HUBSPOT_APP_SECRET", "invented-too")
    settings = 'access_token = "env:HUBSPOT_TOKEN"\nwebhook_secret = "env:{}"\n'
    with (folder / "connector.toml").open("a") as config:
        for name, secret in (("buyer", "HUBSPOT_APP_SECRET"), ("other", "NOT_HERE")):
            config.write(f'\n[connections.{name}]\ncrm = "hubspot"\n[connections.{name}.settings]\n')
            config.write(settings.format(secret))
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert told["hooks"] == ["/hooks/acme/aircall", "/crm/buyer"]
        assert post(f"{told['url']}/crm/buyer", b"[]") == 401
    assert "NOT_HERE" in (folder / "serve.err").read_text()


def test_what_is_received_outlives_the_receiver(folder: Path) -> None:
    """A call that was answered with 200 is in the ledger, whatever happens to the process."""
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        answered = post(told["url"] + told["hooks"][0], event(1, "call.ended", 30))
        process.kill()
    assert answered == 200
    with running("worker"):
        until(lambda: "aircall:1" in (folder / "world.json").read_text())


def test_what_was_answered_outlives_kill_under_load(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed again and again among many senders, a receiver loses no call that it answered for, and doubles none."""
    waiting = deque(range(1, 121))
    kept: list[int] = []
    for seen in (10, 50, 90):
        load(waiting, kept, until_kept=seen)
    assert accepted(folder) >= {f"aircall:{number}" for number in kept}

    with serving() as url:  # senders try again where they had no answer, and some of them where they had
        assert {post(url, event(number, "call.ended", 30)) for number in [*waiting, *kept[::3]]} == {200}
    with running("worker"):
        until(lambda: due(capsys) == 0)
    written = [activity["call_id"] for activity in json.loads((folder / "world.json").read_text())["activities"]]
    assert sorted(written) == sorted(f"aircall:{number}" for number in range(1, 121))


def load(waiting: deque[int], kept: list[int], *, until_kept: int) -> None:
    """Let eight send the events of the calls that wait, and kill the receiver at that many answers."""
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        url = told["url"] + told["hooks"][0]

        def send() -> None:
            while process.poll() is None:
                try:
                    number = waiting.popleft()
                except IndexError:
                    return
                try:
                    status = post(url, event(number, "call.ended", 30))
                except (OSError, http.client.HTTPException):  # no answer: it may be kept, or not
                    waiting.append(number)
                    return
                assert status == 200
                kept.append(number)
                if len(kept) >= until_kept:
                    process.kill()

        with ThreadPoolExecutor(8) as senders:
            for sent in [senders.submit(send) for _ in range(8)]:
                sent.result()
        process.kill()
        process.wait()


def test_a_request_that_is_under_way_is_answered_when_it_ends(folder: Path) -> None:
    """Asked to end, it takes no new ones, and lets those finish that it has begun to read."""
    body = event(1, "call.ended", 30)
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        port = int(told["url"].rpartition(":")[2])
        head = f"POST {told['hooks'][0]} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=30) as sender, sender.makefile("rb") as answers:
            sender.sendall(head.encode())
            assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
            process.send_signal(signal.SIGTERM)
            sender.sendall(body)
            answered = answers.read()
    assert b"HTTP/1.1 200 OK" in answered
    assert (process.returncode, accepted(folder)) == (0, {"aircall:1"})


def due(capsys: pytest.CaptureFixture[str]) -> int:
    """Tell how many calls are due."""
    assert main(["status", "--json"]) == 0
    return int(json.loads(capsys.readouterr().out.splitlines()[0])["due"])


def accepted(folder: Path) -> set[str]:
    """Give the ids of the calls in the ledger."""
    (path,) = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as ledger:
        return {call_id for (call_id,) in ledger.execute("select call_id from calls")}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read in /proc")
@pytest.mark.parametrize("told", [True, False], ids=["that say their length", "that do not"])
def test_huge_bodies_take_no_more_memory_than_there_is_room_for(folder: Path, told: bool) -> None:
    """Fifty at once, each of 50 MB: of each no more is held than may be kept, however long it is."""
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        assert post(f"{url}/hooks/acme/aircall", b"{}") == 400
        before = memory(process.pid, "VmRSS")
        with ThreadPoolExecutor(MOST_BODIES) as threads:
            answers = set(threads.map(lambda _: post_huge(url, told=told), range(MOST_BODIES)))
        rise = memory(process.pid, "VmHWM") - before
    assert answers <= {413, 503, None}
    assert rise < 1.5 * MOST_BODIES * MOST_BYTES, f"{rise:,} bytes"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read in /proc")
def test_bodies_that_grow_when_they_are_read_do_not_fill_the_memory(folder: Path) -> None:
    """Fifty at once of 2 MB, each of many small things: nobody has proven anything before they are read."""
    small = b"{}," * ((MOST_BYTES - 100) // 3)
    body = b'{"token": [' + small + b"{}]}"
    with running("serve", "--port", "0", "--json") as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"] + "/hooks/acme/aircall"
        assert post(url, b"{}") == 400
        before = memory(process.pid, "VmRSS")
        with ThreadPoolExecutor(MOST_BODIES) as threads:
            answers = set(threads.map(lambda _: post(url, body), range(MOST_BODIES)))
        rise = memory(process.pid, "VmHWM") - before
    assert answers <= {400, 408, 503}
    assert rise < 3 * MOST_BODIES * MOST_BYTES, f"{rise:,} bytes"


def memory(pid: int, name: str) -> int:
    """Read how many bytes of memory a process has now (VmRSS), or had at most (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (found,) = (line for line in status.splitlines() if line.startswith(name))
    return int(found.split()[1]) * 1024


def post_huge(url: str, *, told: bool) -> int | None:
    """Send 50 MB, as far as they are taken; give the status, None where it was cut off before that could be read."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    megabyte = b"x" * 1_000_000
    try:
        connection.putrequest("POST", "/hooks/acme/aircall")
        connection.putheader(*(("Content-Length", "50000000") if told else ("Transfer-Encoding", "chunked")))
        connection.endheaders()
        for _ in range(50):
            connection.send(megabyte if told else b"%x\r\n%s\r\n" % (len(megabyte), megabyte))
        connection.send(b"" if told else b"0\r\n\r\n")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def test_a_forged_event_is_refused(folder: Path) -> None:
    """Another token is another webhook's."""
    with serving() as url:
        assert post(url, event(1, "call.ended", 30).replace(TOKEN.encode(), b"guessed")) == 401


def refused(capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, which cannot start; give its message."""
    assert main(["serve", "--port", "0"]) == 2
    return capsys.readouterr().err


def test_without_a_provider_there_is_nothing_to_serve(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what to write."""
    (folder / "connector.toml").write_text(CONFIG.partition("[connections.acme.providers")[0])
    assert "no connection has a call provider; write [connections.NAME.providers.PROVIDER]" in refused(capsys)


def test_a_wrong_setting_is_told_before_anything_is_received(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the place where it stands."""
    (folder / "connector.toml").write_text(CONFIG + 'tokn = "env:ACME_AIRCALL_TOKEN"\n')
    assert "connector.toml: connections.acme.providers.aircall: tokn is an unknown key" in refused(capsys)


def test_a_provider_that_is_not_installed_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest that is."""
    (folder / "connector.toml").write_text(CONFIG.replace("providers.aircall", "providers.aircal"))
    assert "aircall" in refused(capsys)


def test_without_a_ledger_it_does_not_start(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it could not keep it must not be told."""
    (folder / "connector.toml").write_text(CONFIG + '[ledger]\nurl = "sqlite:///no/such/folder/ledger.db"\n')
    assert main(["serve", "--port", "0"]) != 0
    assert "ledger" in capsys.readouterr().err


def test_a_host_that_there_cannot_be_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command says so, and does not fall over."""
    assert main(["serve", "--port", "0", "--host", "a" * 70]) == 2
    assert "cannot be listened on" in capsys.readouterr().err


def test_a_connection_is_called_by_an_address_that_can_be_copied(folder: Path) -> None:
    """A name may hold what an address cannot."""
    (folder / "connector.toml").write_text(CONFIG.replace("connections.acme", 'connections."Acme & Söhne"'))
    with running("serve", "--port", "0") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert post(url, event(1, "call.ended", 30)) == 200
    assert url.endswith("/hooks/Acme%20%26%20S%C3%B6hne/aircall")


def test_a_port_that_is_taken_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the address that was wanted."""
    with serving() as url:
        port = url.split(":")[2].split("/")[0]
        assert main(["serve", "--port", port]) == 2
    assert f"127.0.0.1, port {port}: cannot be listened on" in capsys.readouterr().err
