"""What calls said is forgotten in time, told and erased on demand; and no known call becomes new by that."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet
from engine_host import Host, calls
from hypothesis import given
from hypothesis import strategies as st

from connector_core import Call, InputError, TryAgainError
from connector_core.cli import main
from connector_core.engines.pumps import Limits, Pumps
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons
from connector_core.ledger.retention import Retention
from connector_core.ledger.schema import metadata
from connector_core.ledger.vault import Vault
from connector_core.pump import Pump
from connector_core.tokens import Grant

DAY = 86_400.0
REGIONS = {"acme": ("FR",)}
ADA = Actor("ada", "admin")
SECRET = "the secret of the quote"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        """Begin in 2026."""
        self.now = dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def person_call(number: int = 0, **changes: Any) -> Call:
    """Give a call with somebody who is in no CRM."""
    said = {
        "id": f"test:{number}",
        "provider": "test",
        "kind": "phone",
        "started_at": "2026-03-02T09:00:00Z",
        "participants": [
            {
                "is_user": False,
                "name": "Perla Privat",
                "emails": ["perla@private.example"],
                "phones": ["06 39 98 11 22"],
            }
        ],
        "from_number": "+33639981122",
        "summary": f"Perla tells {SECRET}.",
    }
    return Call.model_validate({**said, **changes})


@pytest.fixture
def clock() -> Clock:
    """The ledger's clock."""
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """A ledger in a file."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock) as opened:
        yield opened


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """CRMs in files."""
    return Host(tmp_path)


def pump(ledger: Ledger, host: Host, name: str = "acme") -> None:
    """Work on what is due."""
    with host.opening(name) as opened:
        Pump(ledger, opened).run()


def state(ledger: Ledger, call_id: str = "test:0") -> tuple[str, str | None]:
    """Give a call's state and reason."""
    it = ledger.calls.of("acme", [call_id])[call_id]
    return it.state, it.reason


def everything(ledger: Ledger) -> str:
    """Give all rows of all tables as one text."""
    with ledger.database.reading() as step:
        return str([list(step.execute(sa.select(table))) for table in metadata.sorted_tables])


def test_what_settled_long_ago_is_forgotten(ledger: Ledger, host: Host, clock: Clock) -> None:
    """Nothing that was said is left; how the call stands, and what was written where, is."""
    ledger.inbox.accept("acme", [person_call()])
    pump(ledger, host)
    clock.now += 91 * DAY
    assert Retention(ledger.database).prune(90) == 1

    held = everything(ledger)
    assert [word for word in ("Perla", "private.example", "39981122", SECRET) if word in held] == []
    it = ledger.calls.of("acme", ["test:0"])["test:0"]
    assert (it.state, it.activity_id, it.content, it.decision) == ("written", "T1", None, None)


def test_what_settled_of_late_is_kept(ledger: Ledger, host: Host, clock: Clock) -> None:
    """The time counts from when a call settled, not from when it took place; and nothing is pruned twice."""
    ledger.inbox.accept("acme", [person_call()])
    clock.now += 80 * DAY
    pump(ledger, host)
    clock.now += 89 * DAY
    retention = Retention(ledger.database)
    assert retention.prune(90) == 0
    clock.now += 2 * DAY

    assert [retention.prune(90), retention.prune(90)] == [1, 0]


def test_what_waits_is_kept(ledger: Ledger, clock: Clock) -> None:
    """A call that is still due is never forgotten."""
    ledger.inbox.accept("acme", [person_call()])
    clock.now += 1000 * DAY

    assert Retention(ledger.database).prune(1) == 0
    assert ledger.calls.of("acme", ["test:0"])["test:0"].call == person_call()


def test_at_most_so_many_are_pruned_in_one_go(ledger: Ledger, host: Host, clock: Clock) -> None:
    """A limit is kept, and the next time goes on."""
    for name in ("acme", "other"):
        ledger.inbox.accept(name, calls(4))
        pump(ledger, host, name)
    clock.now += 2 * DAY
    retention = Retention(ledger.database)

    assert [retention.prune(1, most=3), retention.prune(1, most=3), retention.prune(1, most=3)] == [3, 3, 2]


def test_a_worker_prunes_once_a_day(ledger: Ledger, host: Host, clock: Clock) -> None:
    """Its first sweep forgets what is old; without a limit it forgets nothing."""
    ledger.inbox.accept("acme", calls(2))
    pump(ledger, host)
    clock.now += 91 * DAY

    def kept(limits: Limits) -> int:
        Pumps(ledger, host.opening, limits, None).prune()
        return sum(it.content is not None for it in ledger.calls.of("acme", ["test:0", "test:1"]).values())

    assert [kept(Limits()), kept(Limits(keep_days=92)), kept(Limits(keep_days=90))] == [2, 2, 0]


def test_news_of_a_pruned_call_reach_its_one_activity(ledger: Ledger, host: Host, clock: Clock) -> None:
    """Content that is new makes a pruned call due once more; no second activity is written."""
    ledger.inbox.accept("acme", [person_call()])
    pump(ledger, host)
    clock.now += 91 * DAY
    Retention(ledger.database).prune(90)
    changed = person_call(title="Another title")

    assert ledger.inbox.accept("acme", [changed]).verdicts == {"test:0": "changed"}
    pump(ledger, host)
    assert state(ledger)[0] == "written"
    assert host.written("acme") == ["test:0"]


@contextmanager
def a_fresh_ledger(clock: Clock) -> Iterator[Ledger]:
    """Give a ledger in memory of its own."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, Ledger(f"sqlite:///{folder}/ledger.db", clock=clock) as opened:
        yield opened


@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("accept"), st.integers(0, 2), st.integers(0, 2)),
            st.tuples(st.just("pump"), st.just(0), st.just(0)),
            st.tuples(st.just("prune"), st.integers(0, 40), st.just(0)),
            st.tuples(st.just("erase"), st.just(0), st.just(0)),
        ),
        max_size=12,
    )
)
def test_no_pruning_makes_a_known_call_new(steps: list[tuple[str, int, int]]) -> None:
    """Whatever was accepted once is known for good, in each of its versions, and has one activity at most."""
    from tempfile import TemporaryDirectory

    clock, seen = Clock(), set[tuple[int, int]]()
    with TemporaryDirectory() as folder, a_fresh_ledger(clock) as ledger:
        host = Host(Path(folder))
        for what, number, version in steps:
            clock.now += DAY
            if what == "accept":
                verdict = ledger.inbox.accept("acme", [person_call(number, title=f"Title {version}")]).verdicts
                expected = "known" if (number, version) in seen else "changed" if _of(seen, number) else "new"
                assert verdict == {f"test:{number}": expected}
                seen.add((number, version))
            elif what == "pump":
                pump(ledger, host)
            elif what == "prune":
                Retention(ledger.database).prune(number)
            else:
                Persons(ledger.database).erase("perla@private.example", REGIONS, ADA)
        assert len(set(host.written("acme"))) == len(host.written("acme"))


def _of(seen: set[tuple[int, int]], number: int) -> bool:
    return any(it == number for it, _ in seen)


@pytest.mark.parametrize(
    "identifier",
    ["perla@private.example", " PERLA@Private.example", "+33639981122", "06.39.98.11.22", "0033 639981122"],
)
def test_a_person_is_found_in_any_form(identifier: str, ledger: Ledger, host: Host) -> None:
    """By an address in any case, and a number in any form; nobody else's call is told."""
    ledger.inbox.accept("acme", [*calls(1, first=7), person_call(1)])
    pump(ledger, host)

    (held,) = Persons(ledger.database).export(identifier, REGIONS)

    assert held["call_id"] == "test:1"
    assert held["content"]["summary"] == f"Perla tells {SECRET}."
    assert held["activities"][0]["wrote"]["subject"]
    assert held["writes"][0]["outcome"] == "created"
    assert held["decisions"][0]["decision"]["status"] == "decided"


@pytest.mark.parametrize(
    "changes",
    [
        {"participants": [], "from_number": "06 39 98 11 22"},
        {"participants": [], "from_number": None, "to_number": "0639981122"},
        {"participants": [], "from_number": None, "organizer": {"email": "Perla@private.example"}},
        {"participants": [], "from_number": None, "summary": "Write to perla@private.example, or call."},
        {"participants": [], "from_number": None, "notes": [{"text": "her number is 06 39 98 11 22"}]},
    ],
    ids=["from", "to", "organizer", "an address in the summary", "a number in a note"],
)
def test_a_person_is_found_wherever_she_is_named(changes: dict[str, Any], ledger: Ledger) -> None:
    """Beside the participants: the numbers of the call, its organizer, and what was said."""
    ledger.inbox.accept("acme", [person_call(**changes)])
    found = [
        held["call_id"]
        for identifier in ("perla@private.example", "+33639981122")
        for held in Persons(ledger.database).export(identifier, REGIONS)
    ]

    assert found == ["test:0"]


@pytest.mark.parametrize(
    "near", ["xperla@private.example", "perla@private.example.org", "0639981123", "1 0639981122 3"]
)
def test_somebody_else_is_not_found(near: str, ledger: Ledger) -> None:
    """An address that only begins or ends alike, and a number that differs, are others'."""
    ledger.inbox.accept("acme", [person_call(participants=[], from_number=None, summary=near.replace("1 0", "10"))])

    persons = Persons(ledger.database)
    assert list(persons.export("perla@private.example", REGIONS)) == []
    assert list(persons.export("+33639981122", REGIONS)) == []


def test_what_is_no_identifier_is_refused(ledger: Ledger) -> None:
    """A name finds nobody: it is told what is wanted."""
    with pytest.raises(InputError, match="neither an e-mail address nor a phone number"):
        list(Persons(ledger.database).export("Perla", REGIONS))


@pytest.mark.parametrize("work", [True, False], ids=["written", "due"])
def test_erasing_leaves_ids_and_a_note(work: bool, ledger: Ledger, host: Host) -> None:
    """What was said is gone; the call is known, written once at most, and somebody is noted to have erased."""
    ledger.inbox.accept("acme", [person_call()])
    if work:
        pump(ledger, host)

    assert Persons(ledger.database).erase("0639981122", REGIONS, ADA) == 1
    pump(ledger, host)

    held = everything(ledger)
    assert [word for word in ("Perla", "perla", "39981122", SECRET) if word in held] == []
    assert ledger.inbox.accept("acme", [person_call()]).verdicts == {"test:0": "known"}
    assert state(ledger) == (
        ("written", None) if work else ("rejected", "what it said was erased before it was written")
    )
    (note,) = ledger.people.audit_of("acme", "test:0")
    assert (note["by"], note["action"], note["before"], note["after"]) == ("ada", "erase", None, None)
    assert host.written("acme") == (["test:0"] if work else [])


def test_what_is_erased_while_it_is_written_is_not_kept(ledger: Ledger, host: Host) -> None:
    """A batch that was on its way keeps that it was written, and nothing of what it said."""
    ledger.inbox.accept("acme", [person_call()])

    def reached(point: str) -> None:
        if point == "noted":
            Persons(ledger.database).erase("perla@private.example", REGIONS, ADA)

    with host.opening("acme") as opened:
        Pump(ledger, opened, reached=reached).run()

    held = everything(ledger)
    assert [word for word in ("Perla", "perla", "39981122", SECRET) if word in held] == []
    assert state(ledger)[0] == "written"
    assert host.written("acme") == ["test:0"]


def test_nothing_of_the_erased_remains_in_the_file(ledger: Ledger, host: Host, tmp_path: Path) -> None:
    """Among many calls of others, changed and pruned and erased: no byte of the database or its log names the person."""
    filler = [
        person_call(
            number,
            participants=[{"is_user": False, "name": "Carl", "phones": ["+33639980012"]}],
            from_number=None,
            summary="x" * (number * 37 % 3000),
        )
        for number in range(100, 400)
    ]
    hers = [person_call(number, title="y" * (number * 53 % 5000)) for number in range(60)]
    for place in range(6):
        ledger.inbox.accept("acme", [*filler[50 * place : 50 * place + 50], *hers[10 * place : 10 * place + 10]])
        pump(ledger, host)
    ledger.inbox.accept("acme", [person_call(number, title="shorter now") for number in range(60)])
    pump(ledger, host)

    assert Persons(ledger.database).erase("perla@private.example", REGIONS, ADA) == 60
    assert ledger.database.purge()

    for file in tmp_path.glob("ledger.db*"):
        if file.is_file():
            raw = file.read_bytes()
            assert [
                word for word in (b"Perla", b"perla@", b"39981122", b"39 98 11 22", SECRET.encode()) if word in raw
            ] == []


def test_a_person_is_erased_from_postgresql_too(postgres_url: str, host: Host) -> None:
    """No table names her any more, and the tables are vacuumed."""
    with Ledger(postgres_url) as ledger:
        ledger.inbox.accept("acme", [person_call()])
        pump(ledger, host)
        assert Retention(ledger.database).prune(1) == 0

        assert Persons(ledger.database).erase("perla@private.example", REGIONS, ADA) == 1
        assert ledger.database.purge()

        held = everything(ledger)
    assert [word for word in ("Perla", "perla", "39981122", SECRET) if word in held] == []


def test_a_reader_keeps_the_log_from_being_emptied(ledger: Ledger) -> None:
    """While another reads, it is told that the log could not be emptied."""
    with ledger.database.reading() as step:
        step.execute(sa.select(sa.func.count()).select_from(metadata.tables["calls"])).scalar()
        ledger.inbox.accept("acme", [person_call()])
        assert not ledger.database.purge()
    assert ledger.database.purge()


def test_a_call_that_was_deleted_before_it_was_written_is_rejected(ledger: Ledger, host: Host) -> None:
    """It is not written, with the reason; and its redelivery changes nothing."""
    ledger.inbox.accept("acme", [person_call()])
    assert ledger.inbox.deleted("acme", "test:0")
    pump(ledger, host)

    assert state(ledger) == ("rejected", "it was deleted at its provider before it was written")
    assert ledger.inbox.accept("acme", [person_call(title="Late")]).verdicts == {"test:0": "known"}
    assert host.written("acme") == []


def test_a_call_that_was_deleted_after_it_was_written_stays(ledger: Ledger, host: Host) -> None:
    """Its activity stays, and it is marked."""
    ledger.inbox.accept("acme", [person_call()])
    pump(ledger, host)
    assert ledger.inbox.deleted("acme", "test:0")
    pump(ledger, host)

    assert state(ledger)[0] == "written"
    assert host.written("acme") == ["test:0"]
    (held,) = Persons(ledger.database).export("perla@private.example", REGIONS)
    assert held["deleted_at"] is not None


def test_a_call_that_nobody_knows_was_not_deleted(ledger: Ledger) -> None:
    """It is told that there is none."""
    assert not ledger.inbox.deleted("acme", "test:0")


def held_of(ledger: Ledger, connection: str) -> dict[str, int]:
    """Count the rows of a connection, by table; tables without any are left out."""
    with ledger.database.reading() as step:
        tables = [it for it in metadata.sorted_tables if "connection" in it.c]
        found = {it.name: len(step.execute(sa.select(it).where(it.c.connection == connection)).all()) for it in tables}
    return {name: number for name, number in found.items() if number}


def test_nothing_is_left_of_a_connection_that_was_removed_and_all_of_the_others(ledger: Ledger, host: Host) -> None:
    """Calls that are written, that are due, and its credentials; it may begin anew."""
    for name in ("acme", "other"):
        ledger.inbox.accept(name, [person_call()])
        pump(ledger, host, name)
        ledger.inbox.accept(name, [person_call(1)])
        Vault(ledger.database, Fernet.generate_key().decode()).tokens(name).write(Grant(refresh_token="r"))
    before = held_of(ledger, "other")

    assert before.keys() == held_of(ledger, "acme").keys() >= {"calls", "activities", "writes", "credentials"}
    assert ledger.connections.remove("acme") == 2
    assert (held_of(ledger, "acme"), held_of(ledger, "other")) == ({}, before)
    ledger.inbox.accept("acme", [person_call(1)])
    pump(ledger, host)
    assert state(ledger, "test:1")[0] == "written"


def test_a_connection_that_was_paused_is_not_when_it_comes_again(ledger: Ledger) -> None:
    """Nothing of what ended it stays."""
    with ledger.leases.take("acme", "test") as lease:
        assert lease is not None
        ledger.connections.pause(lease, SECRET)
    ledger.connections.remove("acme")

    assert ledger.people.paused("acme") is None
    assert SECRET not in everything(ledger)


def test_a_connection_that_is_worked_on_is_not_removed(ledger: Ledger) -> None:
    """What a pump is about to send would be noted behind it."""
    ledger.inbox.accept("acme", [person_call()])

    with (
        ledger.leases.take("acme", "a pump"),
        pytest.raises(TryAgainError, match="connection acme: a pump works on it"),
    ):
        ledger.connections.remove("acme")
    assert state(ledger)[0] == "due"


def test_the_command_removes_what_is_configured_no_more(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is configured still, or that the ledger does not know, is refused; nothing of it stays in the file."""
    ledger.inbox.accept("acme", [person_call()])
    (file := tmp_path / "connector.toml").write_text(
        '[connections.other]\ncrm = "file"\n[ledger]\nurl = "sqlite:///ledger.db"'
    )
    told = {name: main(["remove-connection", name, "--config", str(file)]) for name in ("other", "acne", "acme")}
    printed = capsys.readouterr()

    assert told == {"other": 2, "acne": 2, "acme": 0}
    assert printed.out == "acme and 1 calls removed\n"
    assert printed.err.splitlines() == [
        f"connector: {file}: connections.other: is there still: take it out, and remove it then",
        f"connector: ledger {ledger.database.name}: knows no connection 'acne'; did you mean acme? Possible: acme",
    ]
    assert b"Perla" not in b"".join(it.read_bytes() for it in tmp_path.glob("ledger.db*") if it.is_file())


def test_what_is_due_is_told_of_calls_that_are(ledger: Ledger, host: Host) -> None:
    """And left out of one that is written."""
    ledger.inbox.accept("acme", [person_call(1)])
    (due,) = Persons(ledger.database).export("perla@private.example", REGIONS)
    pump(ledger, host)
    (written,) = Persons(ledger.database).export("perla@private.example", REGIONS)

    assert ("due_at" in due, "due_at" in written) == (True, False)


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Export, erase and prune tell what they did; what is no identifier ends with status 2."""
    from connector_core.cli import main

    Host(tmp_path).opening("acme").close()
    config = tmp_path / "connector.toml"
    config.write_text(
        '[connections.acme]\ncrm = "file"\nregions = ["FR"]\n[connections.acme.settings]\npath = "acme.json"\n'
    )
    file = tmp_path / "calls.jsonl"
    file.write_text(person_call().model_dump_json(exclude_none=True) + "\n")

    def connector(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
        status = main([*arguments, "--config", str(config), "--json"])
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert connector("sync", str(file), "--connection", "acme")[0] == 0
    status, (held,) = connector("export-person", "0639981122")
    assert (status, held["call_id"]) == (0, "test:0")
    assert connector("erase-person", "0639981122", "--as", "ada") == (0, [{"erased": 1, "purged": True}])
    assert connector("export-person", "0639981122", "--connection", "acme") == (0, [])
    assert connector("prune", "--keep-days", "7") == (0, [{"pruned": 0, "keep_days": 7}])
    assert connector("export-person", "Perla") == (2, [])
