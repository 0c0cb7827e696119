"""The CRM in a file writes what it is told, once, and never loses a write."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from file_world import WORLD, adapter, candidates, draft, stored

from connector_core.binding import bind
from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.crms.world import read_world
from connector_core.errors import ConfigurationError, MissingRightError, TryAgainError
from connector_core.manifest import ConnectionInfo
from connector_core.model import RecordUpdate, Replaced


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the world above."""
    file = tmp_path / "world.json"
    file.write_text(json.dumps(WORLD), encoding="utf-8")
    return file


@pytest.fixture
def crm(path: Path) -> FileAdapter:
    """The adapter on that file."""
    return adapter(path)


def test_a_draft_becomes_an_activity(crm: FileAdapter, path: Path) -> None:
    """All that the format has a place for is written, under the next free id."""
    receipt = crm.write_activity(
        [
            draft(
                subject="Call",
                body="x\nref: zoom:7",
                owner_id="U1",
                person_ids=("C1", "L6"),
                account_id="A1",
                opportunity_id="O1",
            )
        ]
    )["zoom:7"]
    assert (receipt.outcome, receipt.id) == ("created", "T7")
    assert stored(path, "activities", "T7") == {
        "id": "T7", "kind": "call", "call_id": "zoom:7", "person_ids": ["C1", "L6"], "account_id": "A1",
        "opportunity_id": "O1", "started_at": "2026-03-02T09:00:00Z", "duration_seconds": 1800, "title": "Call",
        "body": "x\nref: zoom:7", "owner_id": "U1",
    }  # fmt: skip


def test_a_new_id_is_nobody_elses(crm: FileAdapter, path: Path) -> None:
    """An id that is taken is passed over."""
    path.write_text(
        json.dumps({"activities": [{"id": "T2", "kind": "call"}, {"id": "T3", "kind": "call"}]}), encoding="utf-8"
    )
    receipts = crm.write_activity([draft("a"), draft("b")])
    assert [receipt.id for receipt in receipts.values()] == ["T4", "T5"]


def test_a_key_is_created_once(crm: FileAdapter, path: Path) -> None:
    """The same draft again makes no second activity, and leaves the file alone."""
    first = crm.write_activity([draft()])["zoom:7"]
    before = path.stat()
    second = crm.write_activity([draft()])["zoom:7"]
    assert (second.outcome, second.id) == ("unchanged", first.id)
    assert path.stat().st_ino == before.st_ino


def test_a_key_in_a_body_is_no_second_activity_either(crm: FileAdapter) -> None:
    """The smallest of the activities that carry the key is the one."""
    receipt = crm.write_activity([draft("aircall:1")])["aircall:1"]
    assert (receipt.outcome, receipt.id) == ("unchanged", "T1")


def test_a_change_sets_what_it_names_and_adds_people(crm: FileAdapter, path: Path) -> None:
    """Named fields are set, people added but for those there as a lead; start, kind and further fields stay."""
    receipt = crm.write_activity([draft(activity_id="T3", set_key=True, body="new", person_ids=("C1", "C2"))])["zoom:7"]
    assert receipt.outcome == "updated"
    assert stored(path, "activities", "T3") == {
        **WORLD["activities"][2], "call_id": "zoom:7", "body": "new", "person_ids": ["L1", "C2"],
    }  # fmt: skip


def test_a_change_replaces_no_association(crm: FileAdapter, path: Path) -> None:
    """The account that an activity has stays; one that is gone counts as none."""
    path.write_text(
        json.dumps(
            {**WORLD, "opportunities": [*WORLD["opportunities"], {"id": "O3", "created_at": "2026-02-01T00:00:00Z"}]}
        ),
        encoding="utf-8",
    )
    crm.write_activity(
        [
            draft(activity_id="T3", account_id="A2", opportunity_id="O3"),
            draft("aircall:1", activity_id="T1", account_id="A2", opportunity_id="O3"),
        ]
    )
    links = [
        (record["account_id"], record["opportunity_id"])
        for record in (stored(path, "activities", key) for key in ("T3", "T1"))
    ]
    assert links == [("A1", "O1"), ("A2", "O3")]


def test_a_change_replaces_what_is_ours_and_keeps_what_somebody_wrote(crm: FileAdapter, path: Path) -> None:
    """The opportunity and the person of ``replaces`` go, the body that somebody wrote meanwhile stays and is told."""
    crm.write_activity([draft("aircall:1", activity_id="T1", account_id="A2", body="by hand")])
    ours = Replaced(body="ours", account_id="A2", person_ids=("C2",))
    receipt = crm.write_activity(
        [draft("aircall:1", activity_id="T1", body="new", person_ids=("C1",), opportunity_id="O1", replaces=ours)]
    )["aircall:1"]
    assert (receipt.outcome, receipt.kept) == ("updated", ("body",))
    record = stored(path, "activities", "T1")
    assert (record["body"], record["person_ids"]) == ("by hand", ["C9", "C1"])
    assert (record["account_id"], record["opportunity_id"]) == (None, "O1")


def test_a_change_of_what_somebody_wrote_alone_is_unchanged(crm: FileAdapter, path: Path) -> None:
    """Nothing is written, and the receipt says what was not."""
    before = path.stat()
    receipt = crm.write_activity([draft(activity_id="T3", body="new", replaces=Replaced(body="old"))])
    assert (receipt["zoom:7"].outcome, receipt["zoom:7"].kept) == ("unchanged", ("body",))
    assert path.stat().st_ino == before.st_ino


def test_a_change_that_changes_nothing_rewrites_nothing(crm: FileAdapter, path: Path) -> None:
    """What is as wanted already is unchanged, and the file is the same one."""
    before = path.stat()
    receipt = crm.write_activity([draft(activity_id="T5", duration_seconds=1800.0, person_ids=("C1", "L2"))])["zoom:7"]
    assert (receipt.outcome, receipt.id, path.stat().st_ino) == ("unchanged", "T5", before.st_ino)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"activity_id": "T99"}, "activity_id"),
        ({"person_ids": ("C1", "C9")}, "person_ids"),
        ({"account_id": "A9"}, "account_id"),
        ({"opportunity_id": "O9"}, "opportunity_id"),
        ({"owner_id": "U9"}, "owner_id"),
    ],
)
def test_a_draft_that_names_what_is_gone_is_refused(crm: FileAdapter, changes: dict[str, Any], field: str) -> None:
    """The receipt names the draft's field; the other draft is written."""
    receipts = crm.write_activity([draft(**changes), draft("other")])
    assert [(receipt.outcome, receipt.field) for receipt in receipts.values()] == [
        ("refused", field),
        ("created", None),
    ]


def test_another_calls_activity_is_not_taken(crm: FileAdapter, path: Path) -> None:
    """An activity that carries another key by now is refused, untouched."""
    receipt = crm.write_activity([draft(activity_id="T1", set_key=True, body="mine")])["zoom:7"]
    assert (receipt.outcome, receipt.code) == ("refused", "other_key")
    assert stored(path, "activities", "T1") == WORLD["activities"][0]


def test_what_was_written_is_found(crm: FileAdapter) -> None:
    """A look-up right after a write sees it."""
    receipt = crm.write_activity([draft(person_ids=("C1",))])["zoom:7"]
    assert set(candidates(crm, call_id="zoom:7")) == {receipt.id}


# -- fields ------------------------------------------------------------------------------------------------------------


def test_fields_are_set_each_with_its_receipt(crm: FileAdapter, path: Path) -> None:
    """Named fields and further ones are sent or unchanged; a refused one keeps no other from being sent."""
    update = RecordUpdate(
        "opportunities", "O1", {"next_step": "Sign", "id": "O7", "account_id": "A1", "owner_id": "U9", "score": 3}
    )
    receipts = crm.fill_fields([update])["opportunities", "O1"]
    assert {name: receipt.outcome for name, receipt in receipts.items()} == {
        "next_step": "sent", "id": "refused", "account_id": "unchanged", "owner_id": "refused", "score": "sent",
    }  # fmt: skip
    assert stored(path, "opportunities", "O1") == {
        **WORLD["opportunities"][0],
        "next_step": "Sign",
        "fields": {"score": 3},
    }


def test_none_clears_a_field(crm: FileAdapter, path: Path) -> None:
    """Clearing takes the field away, a further one too; clearing what is clear is unchanged."""
    receipts = crm.fill_fields([RecordUpdate("activities", "T3", {"account_id": None, "mood": None, "title": None})])
    assert [receipt.outcome for receipt in receipts["activities", "T3"].values()] == ["sent", "sent", "unchanged"]
    assert stored(path, "activities", "T3").keys() & {"account_id", "fields", "title"} == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created_at", "yesterday"),
        ("created_at", None),
        ("name", 5),
        ("contact_ids", "C1"),
        ("fields", "x"),
        ("odds", float("nan")),
    ],
)
def test_a_value_that_does_not_fit_is_refused(crm: FileAdapter, path: Path, name: str, value: Any) -> None:
    """What the format would refuse is refused with a reason, and the file stays."""
    before = path.read_bytes()
    receipt = crm.fill_fields([RecordUpdate("opportunities", "O1", {name: value})])["opportunities", "O1"][name]
    assert (receipt.outcome, bool(receipt.reason), path.read_bytes()) == ("refused", True, before)


@pytest.mark.parametrize(("name", "record"), [("deals", "O1"), ("opportunities", "O9")])
def test_fields_of_what_is_not_there_are_refused(crm: FileAdapter, name: str, record: str) -> None:
    """An unknown object, or a record that is gone, refuses each field."""
    receipts = crm.fill_fields([RecordUpdate(name, record, {"a": 1, "b": 2})])[name, record]
    assert [receipt.outcome for receipt in receipts.values()] == ["refused", "refused"]


def test_the_same_instant_is_unchanged(crm: FileAdapter) -> None:
    """A time written with another offset is the same time."""
    update = RecordUpdate("opportunities", "O1", {"created_at": "2026-02-01T01:00:00+01:00"})
    assert crm.fill_fields([update])["opportunities", "O1"]["created_at"].outcome == "unchanged"


def test_true_is_no_one(crm: FileAdapter, path: Path) -> None:
    """A further field that changes only its type is written."""
    for value in (1, True):
        crm.fill_fields([RecordUpdate("accounts", "A1", {"vip": value})])
    assert stored(path, "accounts", "A1")["fields"]["vip"] is True


# -- the file ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "cannot be read"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b'{"people": [{"id": "C1"}]}', r"people\.0\.kind"),
        (b'{"accounts": [{"id": ""}]}', r"accounts\.0\.id: should not be empty"),
        (b'{"accounts": [{"id": " "}]}', r"accounts\.0\.id: should not be blank"),
        (b"[]", "object"),
        (b"[" * 100_000, "is nested too deeply"),
        (b'{"accounts": [{"id": "A1", "name": "x", "name": "y"}]}', "the key 'name' stands twice"),
        (b'{"accounts": [{"id": "A1", "fields": {"size": NaN}}]}', "NaN is no number"),
        (
            b'{"activities": [{"id": "T1", "kind": "call", "started_at": "2026-02-30"}]}',
            r"activities\.0\.started_at: should be a date of",
        ),
    ],
)
@pytest.mark.parametrize("operation", ["read", "write"])
def test_what_is_no_world_is_named(tmp_path: Path, content: bytes | None, named: str, operation: str) -> None:
    """A missing or wrong file is an input error that names the file and what is wrong with it."""
    file = tmp_path / "sub" / "world.json"
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"world.json: .*{named}"):
        adapter(file).find_contacts_by_email(["a@b.example"]) if operation == "read" else adapter(file).write_activity(
            [draft()]
        )


@pytest.mark.parametrize(("folder", "file", "granted"), [(0o700, 0o400, True), (0o500, 0o600, False)])
def test_the_right_to_write_is_that_of_the_folder(
    path: Path, crm: FileAdapter, monkeypatch: pytest.MonkeyPatch, folder: int, file: int, *, granted: bool
) -> None:
    """A file is replaced by a write: the mode of its folder decides, for whoever is not the superuser."""
    monkeypatch.setattr(os, "access", lambda it, rights: Path(it).stat().st_mode >> 6 & rights == rights)
    path.chmod(file)
    path.parent.chmod(folder)
    rights = {right.granted for right in crm.check_access().rights if right.verb != "read"}
    path.parent.chmod(0o700)

    assert rights == {granted}


def test_an_unknown_setting_is_refused(path: Path) -> None:
    """A setting that does not exist is a configuration error that names it."""
    with pytest.raises(ConfigurationError, match="pfad"):
        bind(FILE, {"path": str(path), "pfad": "x"}, ConnectionInfo("test"))


def test_a_write_keeps_everything_else(crm: FileAdapter, path: Path) -> None:
    """Order, nulls, further fields, odd text, access rights and a link to the file survive a write."""
    world = {
        "opportunities": None,
        "people": [{"name": "Zoë 😀", "id": "C1", "kind": "contact", "title": None, "fields": {"half": "\ud800"}}],
    }
    target = path.with_name("target.json")
    target.write_text(json.dumps(world), encoding="utf-8")
    target.chmod(0o640)
    path.unlink()
    path.symlink_to(target)
    crm.write_activity([draft()])
    after = json.loads(path.read_bytes())
    assert (list(after), after["people"], path.is_symlink()) == (
        ["opportunities", "people", "activities"],
        world["people"],
        True,
    )
    assert (stat.S_IMODE(target.stat().st_mode), "Zoë" in target.read_text(encoding="utf-8")) == (0o640, True)


@pytest.mark.parametrize(
    ("failure", "error"),
    [(PermissionError(13, "Permission denied"), MissingRightError), (OSError(28, "No space left"), TryAgainError)],
)
def test_a_failed_write_leaves_the_file_whole(
    crm: FileAdapter, path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError, error: type[Exception]
) -> None:
    """When the disk gives up in the middle, the file is as it was and nothing lies about."""
    before = path.read_bytes()

    def denied(_: int) -> None:
        raise failure

    monkeypatch.setattr("os.fsync", denied)
    with pytest.raises(error, match=rf"world\.json: .* written: {failure.strerror}"):
        crm.write_activity([draft()])
    assert (path.read_bytes(), {file.name for file in path.parent.iterdir()}) == (
        before,
        {"world.json", ".world.json.lock"},
    )


def test_threads_lose_no_write(path: Path) -> None:
    """Writers on two connections and in several threads each find their activity in the end."""
    crms = [adapter(path), adapter(path)]
    threads = [threading.Thread(target=lambda n=n: crms[n % 2].write_activity([draft(f"call:{n}")])) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record.call_id for record in read_world(path).activities} >= {f"call:{n}" for n in range(16)}


WRITER = """
import datetime as dt, pathlib, sys
from connector_core.crms.file import FileAdapter, FileSettings
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft
crm = FileAdapter(FileSettings(path=pathlib.Path(sys.argv[1])), ConnectionInfo("test"))
now = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
sys.stdin.readline()
for n in range(10):
    crm.write_activity([ActivityDraft(f"{sys.argv[2]}:{n}", "call", now, now)])
"""


def test_processes_lose_no_write(path: Path) -> None:
    """Two processes that write at once both find all their activities in the end."""
    names = ("a", "b")
    running = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], stdin=subprocess.PIPE, text=True)  # noqa: S603 - our own code
        for name in names
    ]
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait() for process in running] == [0, 0]
    keys = {record.call_id for record in read_world(path).activities}
    assert keys >= {f"{name}:{n}" for name in names for n in range(10)}
