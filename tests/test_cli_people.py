"""The commands of people at their desk: what they print, what they change, and with which exit status."""

from __future__ import annotations

import getpass
import io
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from office import CARL, CRMS, NOBODY, Office, call, office

from connector_core.cli import main
from connector_core.ledger.ledger import Ledger
from connector_core.model import Call

Printed = Callable[[], tuple[list[dict[str, Any]], list[str]]]
ACME = ["--connection", "acme"]
JSON = [*ACME, "--json"]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Give the JSON objects on standard output and the lines on standard error."""

    def read() -> tuple[list[dict[str, Any]], list[str]]:
        captured = capsys.readouterr()
        return [json.loads(line) for line in captured.out.splitlines()], captured.err.splitlines()

    return read


def configure(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the configuration that leads to an office's CRM and ledger; secrets go into the environment."""
    said = dict(at.config.settings)
    for key in said.keys() & {"access_token", "client_secret", "refresh_token"}:
        monkeypatch.setenv(f"OFFICE_{key.upper()}", said[key])
        said[key] = f"env:OFFICE_{key.upper()}"
    settings = "".join(f"{key} = {json.dumps(value)}\n" for key, value in said.items())
    Path("connector.toml").write_text(
        f'[connections.acme]\ncrm = "{at.config.crm}"\nregions = ["FR"]\n[connections.acme.settings]\n{settings}'
        '[ledger]\nurl = "sqlite:///ledger.db"\n'
    )


@pytest.fixture(params=["file"])
def at(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Work in a folder with a configuration and two calls that are written: Carl's, and one of somebody unknown."""
    monkeypatch.chdir(tmp_path)
    with office(request.param, tmp_path) as opened:
        configure(opened, monkeypatch)
        opened.sync(call(1), call(2, NOBODY))
        yield opened


over_http = pytest.mark.parametrize("at", CRMS, indirect=True)


@pytest.fixture
def ambiguous(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """Work in a folder in which one call waits: two records may each be it."""
    alike = [
        {"id": name, "kind": "call", "person_ids": ["C1"], "started_at": "2026-03-02T09:05:00Z"}
        for name in ("T1", "T2")
    ]
    monkeypatch.chdir(tmp_path)
    with office("file", tmp_path, activities=alike) as opened:
        configure(opened, monkeypatch)
        opened.sync(call())
        yield opened


# -- correcting


@over_http
def test_assign_writes_at_once_and_prints_a_line_a_call(at: Office, printed: Printed) -> None:
    """As sync does, in the order of the calls; several at once."""
    account = at.id("A2")

    assert main(["assign", "x:2", "x:1", "--account", account, "--as", "Ada", *JSON]) == 0

    results, messages = printed()
    assert [(result["call_id"], result["activity"]["outcome"]) for result in results] == [
        ("x:2", "updated"),
        ("x:1", "updated"),
    ]
    assert [list(result) for result in results] == [["call_id", "decision", "activity"]] * 2
    assert [result["decision"]["account"]["source"] for result in results] == ["manual", "manual"]
    assert (messages, at.linked("x:1"), at.linked("x:2")) == ([], {"C1", "A2"}, {"A2"})


@over_http
def test_a_contact_and_an_opportunity_are_assigned_and_cleared(at: Office, printed: Printed) -> None:
    """Each is in the CRM when the command ends."""
    main(["assign", "x:2", "--participant", "1", "--contact", at.id("C2"), *JSON])
    contact = at.linked("x:2")
    main(["assign", "x:2", "--opportunity", at.id("O3"), *JSON])
    deal = at.linked("x:2")
    main(["clear", "x:2", "--opportunity", *JSON])
    main(["clear", "x:2", "--participant", "1", *JSON])

    assert contact == at.links("C2", "A2", "O2")
    assert deal == at.links("C2", "A1", "O3")
    assert at.linked("x:2") == set()
    assert [result["activity"]["outcome"] for result in printed()[0]] == ["updated"] * 4


def test_assign_prints_reasons_for_a_person(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --json: the outcome, why, and how many there were."""
    main(["assign", "x:2", "--participant", "1", "--contact", "C2", *ACME])

    lines = capsys.readouterr().out.splitlines()
    assert (lines[0], lines[-1]) == ("updated    x:2  T2", "1 updated")
    assert "Nina is contact C2 by hand." in lines[1]


@pytest.mark.parametrize("command", [["assign", "--account", "A2"], ["clear", "--account"], ["refresh"]])
def test_calls_are_read_from_standard_input(
    at: Office, monkeypatch: pytest.MonkeyPatch, printed: Printed, command: list[str]
) -> None:
    """One id a line; blank lines and repeats count for nothing."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("x:2\n\n  x:1 \nx:2\n"))

    assert main([command[0], "-", *command[1:], *JSON]) == 0
    assert [result["call_id"] for result in printed()[0]] == ["x:2", "x:1"]


def test_standard_input_without_a_call_is_refused(
    at: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Something went wrong before."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))

    assert main(["refresh", "-", *ACME]) == 2
    assert capsys.readouterr().err == "connector: standard input has no call: wanted one id a line\n"


def test_one_unknown_call_keeps_all_from_changing(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is kept, nothing is written."""
    before = at.records()

    assert main(["assign", "x:1", "x:9", "--account", "A2", *ACME]) == 2
    assert capsys.readouterr().err == "connector: connection acme: has accepted no call x:9\n"
    assert (at.records(), at.desk.show("x:1")["audit"], at.refresh().outcome) == (before, [], "unchanged")


@over_http
def test_refresh_twice_changes_nothing_the_second_time(at: Office, printed: Printed) -> None:
    """The contact that was added is found; then no request writes."""
    at.change("people", "C2", email="nina@new.example")

    assert main(["refresh", "x:1", "x:2", *JSON]) == 0
    after = at.records(), at.writing_requests()
    assert main(["refresh", "x:1", "x:2", *JSON]) == 0

    outcomes = [result["activity"]["outcome"] for result in printed()[0]]
    assert outcomes == ["unchanged", "updated", "unchanged", "unchanged"]
    assert (at.records(), at.writing_requests()) == after
    assert at.linked("x:2") == at.links("C2", "A2", "O2")


def test_what_was_corrected_stays_when_the_calls_are_synced_again(at: Office, printed: Printed) -> None:
    """Also in a richer version, by another process."""
    main(["assign", "x:1", "--opportunity", "O2", "--as", "Ada", *JSON])
    Path("calls.jsonl").write_text(f"{call(1, CARL, summary='More.').model_dump_json(exclude_none=True)}\n")
    done = subprocess.run(  # noqa: S603 - our own command
        [Path(sys.executable).with_name("connector"), "sync", "calls.jsonl", *JSON],
        capture_output=True,
        text=True,
        check=True,
    )

    result = json.loads(done.stdout)
    assert (result["activity"]["outcome"], result["decision"]["opportunity"]["id"]) == ("updated", "O2")
    assert [choice["by"] for choice in result["decision"]["manual"]] == ["Ada"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["assign", "x:1", *ACME], "one of the arguments --contact --account --opportunity is required"),
        (["assign", "x:1", "--account", "A", "--opportunity", "O", *ACME], "not allowed with argument --account"),
        (["assign", "--account", "A", *ACME], "the following arguments are required: CALL"),
        (["clear", "x:1", *ACME], "one of the arguments --participant --account --opportunity is required"),
        (["clear", "x:1", "--participant", "second", *ACME], "a place in the call is a number from 0 to 9999"),
        (["assign", "x:1", "--account", "A", "--role", "owner", *ACME], "invalid choice: 'owner'"),
        (["assign", "x:1", "--account", "A"], "the following arguments are required: --connection"),
        (["form", "x:1", *ACME], "one of the arguments --participant --opportunity is required"),
        (["assign", "x:1", "--account", "A2", "--as", " ", *ACME], "actor: the name is empty"),
        (["assign", "x:1", "--contact", "C2", *ACME], "wanted the guest's place (participant) with a contact"),
        (["assign", "x:1", "--account", "carl@buyer", *ACME], "the CRM has no account with the id that was given"),
        (["show", "x:\udcff", *ACME], "argument CALL: is no text in UTF-8"),
        (["refresh", "x:1", "--as", "\udcff", *ACME], "argument --as: is no text in UTF-8"),
        (["show", "x:9", *ACME], "connector: connection acme: has accepted no call x:9"),
        (["search", "ab", *ACME], "a text is too short; wanted 3 characters"),
        (["choices", "x:2", *ACME], "call x:2 has no account, whose opportunities could be chosen"),
        (["form", "x:1", "--participant", "0", *ACME], "no guest at place 0; guests stand at: 1"),
        (["queue", "--connection", "acne"], "has no connection 'acne'; did you mean acme?"),
        (["resume", *ACME, "--role", "user"], "resume: it takes an admin or a manager"),
    ],
)
def test_what_cannot_be_is_status_2_and_changes_nothing(
    at: Office, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """One message, on standard error, without an address."""
    before = at.records()

    assert main(arguments) == 2

    output = capsys.readouterr()
    assert (output.out, message in output.err, "@" in output.err) == ("", True, False)
    assert (at.records(), at.desk.show("x:1")["audit"]) == (before, [])


# -- who


def test_who_acts_is_said_or_is_the_name_of_the_login(at: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever can edit the configuration is an admin; a user corrects calls too."""
    monkeypatch.setenv("LOGNAME", "max")
    main(["assign", "x:1", "--account", "A2", *JSON])
    main(["clear", "x:1", "--account", "--as", "Uma", "--role", "user", *JSON])

    rows = [(row["by"], row["role"], row["action"]) for row in at.desk.show("x:1")["audit"]]
    assert rows == [("max", "admin", "assign"), ("Uma", "user", "clear")]


def test_without_a_name_of_the_login_one_has_to_be_said(
    at: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container may have none."""

    def nobody() -> str:
        raise OSError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)

    assert main(["refresh", "x:1", *ACME]) == 2
    assert capsys.readouterr().err == "connector: nobody is logged in by name: say with --as who it is\n"


# -- looking


def test_show_prints_all_that_is_known_of_a_call(at: Office, printed: Printed) -> None:
    """One object: how it stands and why, what was sent, who did what."""
    main(["assign", "x:1", "--opportunity", "O2", "--as", "Ada", *JSON])
    printed()

    assert main(["show", "x:1", *JSON]) == 0

    ((known,), messages) = printed()
    keys = ["call_id", "state", "due_at", "call", "decision", "activity", "owner", "writes", "audit"]
    assert (list(known), known["state"], messages) == (keys, "written", [])
    assert Call.model_validate(known["call"]) == call()
    assert [row["outcome"] for row in known["writes"]] == ["created", "updated"]
    assert known["audit"][0]["after"] == {"what": "opportunity", "id": "O2"}


def test_show_tells_a_person_the_same(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """In lines."""
    main(["assign", "x:1", "--opportunity", "O2", "--as", "Ada", *JSON])
    main(["clear", "x:1", "--participant", "1", "--as", "Max", "--role", "user", *JSON])
    capsys.readouterr()

    assert main(["show", "x:1", *ACME]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x:1  written  updated  T1"
    assert lines[-2].endswith("Ada (admin): assign  opportunity: O1 → O2")
    assert lines[-1].endswith("Max (user): clear  contact of participant 1: C1 → nothing")
    assert "  participant 1  Carl: nobody" in lines


def test_the_queue_says_what_waits_and_why_until_it_is_mended(
    ambiguous: Office, printed: Printed, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line a call; mended in the CRM and refreshed, it is written and the queue is empty."""
    assert main(["queue", *JSON]) == 0
    ((row,), _) = printed()
    assert row == {
        "call_id": "x:1",
        "title": "A talk",
        "started_at": "2026-03-02T09:00:00+00:00",
        "outcome": "waiting",
        "reason": "activities T1, T2 may each be this call",
    }
    assert main(["refresh", "x:1", *JSON]) == 1
    assert printed()[1] == ["x:1: waiting: activities T1, T2 may each be this call"]

    ambiguous.change("activities", "T1", account_id="A1")

    assert main(["refresh", "x:1", *JSON]) == 0
    assert main(["queue", *JSON]) == 0
    results, _ = printed()
    assert [result["activity"]["id"] for result in results] == ["T1"]


def test_the_queue_for_a_person(ambiguous: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """With how many they are; and that there is nothing."""
    main(["queue", *ACME])
    assert capsys.readouterr().out.splitlines() == [
        "x:1  2026-03-02T09:00:00+00:00  A talk",
        "  activities T1, T2 may each be this call",
        "1 waiting",
    ]

    main(["assign", "x:1", "--participant", "1", "--contact", "C2", *JSON])
    capsys.readouterr()
    main(["queue", *ACME])
    assert capsys.readouterr().out == "nothing waits\n"


@over_http
def test_search_prints_people_or_accounts(at: Office, printed: Printed) -> None:
    """By name; an account where one is asked for."""
    assert main(["search", "Dora", *JSON]) == 0
    assert main(["search", "Othe", "--accounts", *JSON]) == 0

    other = {"id": at.id("A2"), "name": "Other"}
    ((dora, account), _) = printed()
    assert account == other
    assert dora == {
        "kind": "contact",
        "id": at.id("C2"),
        "name": "Dora Dealer",
        "title": None,
        "emails": ["dora@other.example"],
        "phones": [],
        "account": dora["account"],
    }
    assert dora["account"]["id"] == at.id("A2")


def test_search_for_a_person(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, or that there is none."""
    for words in (["Dora"], ["Buyer", "--accounts"], ["nothing like it"], ["nothing like it", "--accounts"]):
        assert main(["search", *words, *ACME]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "C2  contact  Dora Dealer  A2 Other  dora@other.example",
        "A1  Buyer",
        "nobody is found",
        "no account is found",
    ]


@pytest.mark.parametrize(("number", "told"), [(49, False), (55, True)])
def test_search_says_where_it_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, printed: Printed, number: int, told: bool
) -> None:
    """Of more than fifty people fifty are given, and standard error says that there may be others."""
    monkeypatch.chdir(tmp_path)
    alike = [{"kind": "contact", "id": f"S{i}", "name": f"Sam Same {i}"} for i in range(number)]
    Path("world.json").write_text(json.dumps({"people": alike}))
    Path("connector.toml").write_text('[connections.acme]\ncrm = "file"\nsettings.path = "world.json"\n')

    assert main(["search", "Same", *JSON]) == 0

    found, messages = printed()
    assert (len(found), bool(messages)) == (min(number, 50), told)
    assert all("there may be others" in line for line in messages)


@over_http
def test_choices_are_the_opportunities_of_the_calls_account(at: Office, printed: Printed) -> None:
    """Each with what tells it from the others."""
    assert main(["choices", "x:1", *JSON]) == 0

    rows, _ = printed()
    assert [row["id"] for row in rows] == [at.id("O1"), at.id("O3")]
    assert list(rows[0]) == ["id", "name", "account", "owner_id", "created_at", "closed_at", "next_step"]
    assert (rows[0]["name"], rows[0]["account"]["id"], rows[0]["closed_at"]) == ("Renewal", at.id("A1"), None)


def test_choices_for_a_person(at: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Open ones first, and when the others were closed."""
    at.change("opportunities", "O1", closed_at="2026-02-20")

    main(["choices", "x:1", *ACME])

    assert capsys.readouterr().out.splitlines() == [
        "O3  Training  created 2025-06-01  open",
        "O1  Renewal  created 2026-02-01  closed 2026-02-20",
    ]


def test_form_prints_the_address_of_the_crms_own_form(at: Office, printed: Printed, tmp_path: Path) -> None:
    """Filled with the guest's name and address, or the account."""
    assert main(["form", "x:2", "--participant", "1", *JSON]) == 0
    assert main(["form", "x:1", "--opportunity", *JSON]) == 0

    rows, _ = printed()
    file = (tmp_path / "world.json").as_uri()
    assert rows == [
        {"call_id": "x:2", "record": "contact", "url": f"{file}?name=Nina&email=nina%40new.example#people"},
        {"call_id": "x:1", "record": "opportunity", "url": f"{file}?account_id=A1#opportunities"},
    ]


# -- standing still, and going on


def pause(at: Office) -> None:
    """Let the connection stand still."""
    with at.ledger.leases.take("acme", "test") as lease:
        assert lease is not None
        at.ledger.connections.pause(lease, "the token was refused")


def test_on_a_paused_connection_a_correction_waits_until_it_is_resumed(
    at: Office, printed: Printed, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is kept, and the queue tells of the pause; resumed, the connection goes on."""
    pause(at)

    assert main(["assign", "x:1", "--account", "A2", *JSON]) == 1
    ((result,), messages) = printed()
    reason = "the connection is paused, until somebody resumes it: the token was refused"
    hint = "connection acme is paused: the token was refused. Mend that, then: connector resume --connection acme"
    assert (result["activity"]["outcome"], messages) == ("deferred", [f"x:1: deferred: {reason}", hint])
    assert main(["queue", *JSON]) == 0
    assert printed() == ([], [hint])

    assert main(["resume", "--as", "Max", *JSON]) == 0
    assert printed()[0] == [{"connection": "acme", "resumed": True, "reason": "the token was refused"}]
    assert main(["resume", *ACME]) == 0
    assert capsys.readouterr().out == "acme was not paused\n"
    assert [it.outcome for it in at.settle("x:1")] == ["updated"]
    assert [row["by"] for row in at.ledger.people.audit_of("acme", None)] == ["Max"]


def test_another_process_that_works_on_the_connection_does_it(at: Office, printed: Printed) -> None:
    """The command waits for it, and prints what came of it."""
    working = threading.Event()
    with at.ledger.leases.take("acme", "another") as lease:
        assert lease is not None
        done: list[int] = []
        command = threading.Thread(
            target=lambda: done.append(main(["assign", "x:1", "--account", "A2", *JSON])), daemon=True
        )
        command.start()
        while at.desk.show("x:1")["state"] != "due":
            working.wait(0.01)
    at.pump.run()
    command.join(60)

    ((result,), _) = printed()
    assert (done, result["activity"]["outcome"], at.linked("x:1")) == ([0], "updated", {"C1", "A2"})
    assert len(at.desk.show("x:1")["writes"]) == 2


def test_another_ledger_is_named(at: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It knows nothing of these calls."""
    with Ledger(f"sqlite:///{tmp_path / 'other.db'}"):
        pass

    assert main(["show", "x:1", "--ledger", f"sqlite:///{tmp_path / 'other.db'}", *ACME]) == 2
    assert "has accepted no call x:1" in capsys.readouterr().err


def test_the_ledger_may_be_named_by_a_reference(
    at: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the configuration: a password in an address is no word for a command line."""
    monkeypatch.setenv("ELSEWHERE", f"sqlite:///{tmp_path / 'other.db'}")
    assert main(["show", "x:1", "--ledger", "env:ELSEWHERE", *ACME]) == 2
    assert ((tmp_path / "other.db").exists(), "has accepted no call x:1" in capsys.readouterr().err) == (True, True)

    monkeypatch.delenv("ELSEWHERE")
    assert main(["show", "x:1", "--ledger", "env:ELSEWHERE", *ACME]) == 2
    assert capsys.readouterr().err == (
        "connector: --ledger: ledger.url: the environment variable ELSEWHERE is not set\n"
    )


@pytest.mark.parametrize(
    "command",
    [["sync", "calls.jsonl", *ACME], ["backfill", "calls.jsonl", *ACME], ["queue", *ACME], ["status"], ["prune"]],
)
def test_a_ledger_that_cannot_be_opened_lets_no_command_start(
    at: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """Status 2, and the ledger named: no item failed."""
    (tmp_path / "calls.jsonl").write_text("")
    assert main([*command, "--ledger", f"sqlite:///{tmp_path}/nowhere/x.db"]) == 2
    assert capsys.readouterr().err == (
        f"connector: ledger sqlite:///{tmp_path}/nowhere/x.db: unable to open database file\n"
    )


def test_a_connection_that_was_renamed_while_calls_were_due_is_told_of(
    at: Office, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No worker works on it any more, and nobody else would say so."""
    at.ledger.inbox.accept("acme", [call(2), call(3)])
    file = tmp_path / "connector.toml"
    file.write_text(file.read_text().replace("acme", "renamed"))
    assert main(["status"]) == 0
    assert capsys.readouterr().err == (
        "connection acme: is not in connector.toml: 2 calls are due, 0 wait for a person\n"
    )
