"""``connector sandbox`` as a process of its own, with a CRM plugin that is installed for the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connector_core.calls import read_calls
from connector_core.crms.world import read_world
from connector_core.identity import PhoneReader
from connector_core.testing.demo import DEMO_CALLS, DEMO_REGIONS, DEMO_WORLD

_PLUGIN = """
from connector_core.hookspecs import HOOK_API
from connector_core.manifest import OPERATIONS, CrmManifest
from connector_core.testing.sandbox import Response, Sandbox, SeedError, seed_ids

def manifest(name, sandbox):
    return CrmManifest(name, name, HOOK_API, OPERATIONS, "a:B", "a:B", sandbox=sandbox)

SHELF = manifest("shelf", "shelf_plugin:Shelf")
BARE = manifest("bare", None)

class Shelf(Sandbox):
    def __init__(self, world):
        self.held = {key: key for key in seed_ids(world)}
        if "unfit" in self.held:
            raise SeedError("unfit: cannot be held")
    def settings(self, url): return {"instance_url": url, "settle_seconds": 1}
    def handle(self, request, row_error): return Response.of({})
    def ids(self): return self.held
    def records(self): return {}
    def patch(self, obj, record_id, fields, *, delete, merge_into): pass
    def org(self, changes): pass
    def expire_session(self): pass
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the command in a directory of its own; what still runs at the end is stopped."""
    site = tmp_path / "site"
    metadata = site / "shelf-1.0.dist-info"
    metadata.mkdir(parents=True)
    (site / "shelf_plugin.py").write_text(_PLUGIN)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shelf\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        "[connector.crms]\nshelf = shelf_plugin:SHELF\nbare = shelf_plugin:BARE\n"
    )
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        script = "import sys; from connector_core.cli import main; sys.exit(main())"
        command = [sys.executable, "-c", script, "sandbox", *arguments]
        running.append(
            subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(site)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Read the line that says where it listens."""
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def get(url: str) -> Any:
    """Read JSON."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - an address of our own
        return json.loads(answer.read())


def refused(process: subprocess.Popen[str]) -> str:
    """Wait for a command that cannot start, and give its message."""
    out, message = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    return message


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped(start: Start, number: int) -> None:
    """One line says where it listens and what a connection needs; a signal, or several at once, end it with status 0."""
    process = start("shelf")
    line = first_line(process)
    assert line == {"url": line["url"], "settings": {"instance_url": line["url"], "settle_seconds": 1}}
    assert get(f"{line['url']}/_sandbox/records") == {}
    for _ in range(3):
        process.send_signal(number)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0


def test_json_is_what_it_prints_anyway(start: Start) -> None:
    """Every command takes --json, this one too."""
    assert first_line(start("shelf", "--json")).keys() == {"url", "settings"}


def test_without_a_seed_it_serves_the_demo_world(start: Start) -> None:
    """The demo world is there for whoever has no seed."""
    assert set(get(f"{first_line(start('shelf'))['url']}/_sandbox/ids")) >= {"A1", "C1", "O1", "T1"}


def test_a_seed_and_faults_come_from_files(start: Start, tmp_path: Path) -> None:
    """What is in the files holds from the first request, and the journal is written to its own."""
    (tmp_path / "world.json").write_text('{"accounts": [{"id": "only"}]}')
    (tmp_path / "faults.json").write_text('[{"do": {"status": 503}}]')
    files = ("--seed", "world.json", "--faults", "faults.json", "--journal", "journal.jsonl")
    url = first_line(start("shelf", *files))["url"]
    assert get(f"{url}/_sandbox/ids") == {"only": "only"}
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(f"{url}/items")
    caught.value.close()
    entry = {"method": "GET", "path": "/items", "status": 503, "api_calls": 0}
    assert json.loads((tmp_path / "journal.jsonl").read_text()) == entry


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--seed", None, "file.json: cannot be read: No such file or directory\n"),
        ("--seed", "{", "file.json: is no JSON"),
        ("--seed", '{"people": [{"id": "C1"}]}', "file.json: people.0.kind: "),
        ("--seed", '{"accounts": [{"id": "unfit"}]}', "file.json: unfit: cannot be held"),
        ("--faults", None, "file.json: cannot be read"),
        ("--faults", "[", "file.json: is no JSON"),
        ("--faults", '[{"do": {"explode": true}}]', "file.json: faults[0].do: exactly one of status, "),
    ],
)
def test_a_bad_file_is_named(start: Start, tmp_path: Path, option: str, text: str | None, message: str) -> None:
    """A file that cannot be used keeps it from starting, with a message that names the file and what is wrong."""
    if text is not None:
        (tmp_path / "file.json").write_text(text)
    assert message in refused(start("shelf", option, "file.json"))


def test_a_journal_that_cannot_be_written_is_named(start: Start) -> None:
    """A journal in no directory keeps it from starting."""
    assert "nowhere/journal.jsonl: cannot be written" in refused(start("shelf", "--journal", "nowhere/journal.jsonl"))


def test_a_port_that_is_taken_is_named(start: Start) -> None:
    """A second sandbox on the same port does not start."""
    port = first_line(start("shelf"))["url"].rpartition(":")[2]
    assert f"port {port}: " in refused(start("shelf", "--port", port))


@pytest.mark.parametrize("port", ["65536", "http"])
def test_a_port_is_a_number(start: Start, port: str) -> None:
    """What is no port is a wrong usage."""
    assert "argument --port: a port is a number from 0 to 65535" in refused(start("shelf", "--port", port))


def test_an_unknown_crm_offers_the_nearest(start: Start) -> None:
    """A misspelled name is answered with the one that was meant."""
    assert "shelf" in refused(start("shelv"))


def test_a_crm_without_a_sandbox_names_those_that_have_one(start: Start) -> None:
    """Not every CRM has a sandbox."""
    assert "bare has no sandbox; those that have: " in refused(start("bare"))


# -- the demo world ----------------------------------------------------------------------------------------------------


def test_the_demo_calls_are_about_the_demo_world() -> None:
    """Every call can be read, and all of them but one have a guest that is in the world."""
    world = read_world(DEMO_WORLD)
    reader = PhoneReader(DEMO_REGIONS)
    known = {email for person in world.people for email in person.emails or ()}
    known |= {reader.read(phone) or "" for person in world.people for phone in person.phones or ()}
    with DEMO_CALLS.open("rb") as lines:
        read = read_calls(lines)
    strangers = [
        call.id
        for call in read.calls
        if not any(
            {email.casefold() for email in guest.emails or ()} & known
            or {reader.read(phone) for phone in guest.phones or ()} & known
            for guest in call.participants
            if not guest.is_user
        )
    ]
    assert (read.problems, strangers) == ([], ["demo:nobody"])


def test_the_demo_world_fits_every_crm() -> None:
    """E-mails are unique and one a person, no person has more than two numbers, and every number can be read."""
    people = read_world(DEMO_WORLD).people
    reader = PhoneReader(DEMO_REGIONS)
    emails = [email for person in people for email in person.emails or ()]
    assert len(emails) == len(set(emails)) == len(people)
    assert all(len(person.phones or ()) <= 2 for person in people)
    assert all(reader.read(phone) for person in people for phone in person.phones or ())


def test_the_demo_is_invented() -> None:
    """Addresses end in the reserved .example, and numbers lie in ranges kept for fiction."""
    reader = PhoneReader(DEMO_REGIONS)
    for person in read_world(DEMO_WORLD).people:
        assert all(email.endswith(".example") for email in person.emails or ())
        numbers = [reader.read(phone) or "" for phone in person.phones or ()]
        assert all(number.startswith(("+3363998", "+3319900", "+120255501")) for number in numbers)
