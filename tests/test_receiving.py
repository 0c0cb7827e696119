"""Webhooks are proven, read, and kept before anybody is told that they were; what they announce is read later."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from echo_provider import WORD, Echo, provider, said
from engine_host import until

from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.errors import ConnectorError, CredentialsError, InputError, TryAgainError
from connector_core.fetching import Fetching
from connector_core.ledger.agenda import read_agenda
from connector_core.ledger.heard import PATIENCE, Heard
from connector_core.ledger.inbox import Inbox
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.overview import read_overview
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons
from connector_core.ledger.retention import Retention
from connector_core.model import Call
from connector_core.providers.binding import Provider
from connector_core.providers.hookspecs import Announced, Delivery, Later
from connector_core.providers.parts import Part
from connector_core.receiving import Received, Receiver, Source


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class Desk:
    """A ledger, a provider and what receives its webhooks."""

    ledger: Ledger
    provider: Provider
    adapter: Echo
    receiver: Receiver
    clock: Clock
    opened: OpenConnection

    def receive(self, *parts: dict[str, Any], announced: list[dict[str, Any]] | None = None) -> Received | None:
        """Receive an event."""
        body = json.dumps({"parts": parts, "announced": announced or []}).encode()
        return self.receiver.receive("acme", "echo", Delivery(body, {"x-echo-token": WORD}))

    def announce(self, what: str = "recording", after_seconds: float = 0.0) -> None:
        """Receive an event that announces something of the call."""
        self.receive(announced=[{"call_id": "echo:1", "what": what, "after_seconds": after_seconds}])

    def fetch(self) -> int:
        """Read what is due."""
        return Fetching(self.ledger, self.opened).read()

    def call(self, number: int = 1) -> Call | None:
        """Give a call as the ledger has it."""
        with self.ledger.database.reading() as step:
            text = step.execute(sa.text(f"select content from calls where call_id = 'echo:{number}'")).scalar()  # noqa: S608 - a number
        return None if text is None else Call.model_validate_json(text)

    def said(self) -> list[str]:
        """Give the parts of which more than a digest is kept."""
        with self.ledger.database.reading() as step:
            return list(step.execute(sa.text("select part from parts where part <> ''")).scalars())

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with self.ledger.database.reading() as step:
            return step.execute(sa.text(f"select count(*) from {table}")).scalar() or 0  # noqa: S608 - ours


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = Clock()
    bound, adapter = provider()
    (tmp_path / "world.json").write_text("{}")
    config = ConnectionConfig("acme", "file", {"path": "world.json"}, directory=tmp_path, providers={"echo": {}})
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock) as ledger, config.open() as opened:
        opened.sources._bound["echo"] = bound
        find = {("acme", "echo"): Source(bound)}.get
        yield Desk(ledger, bound, adapter, Receiver(ledger, lambda *names: find(names)), clock, opened)


# -- receiving ---------------------------------------------------------------------------------------------------------


def test_a_complete_call_is_accepted(desk: Desk) -> None:
    """What was told is a call that is due."""
    received = desk.receive(said(title="A talk"))
    call = desk.call()
    assert (received, call and call.title) == (Received("kept"), "A talk")
    assert read_agenda(desk.ledger.database).due == ("acme",)


def test_an_incomplete_call_waits_for_the_rest(desk: Desk) -> None:
    """A tag is kept until the call is told, and is then one of it."""
    desk.receive(said(complete=False, started_at=None, tags={"1": "Demo"}))
    before = desk.call()
    desk.receive(said(revision=2.0))
    after = desk.call()
    assert (before, after and after.tags) == (None, ("Demo",))


def test_an_event_that_comes_again_changes_nothing(desk: Desk) -> None:
    """The call is not due anew."""
    desk.receive(said())
    with desk.ledger.database.writing() as step:
        step.execute(sa.text("update calls set state = 'written'"))
    desk.receive(said())
    assert read_agenda(desk.ledger.database).due == ()


def test_what_comes_later_makes_the_call_due_again(desk: Desk) -> None:
    """A recording after the call was written updates it."""
    desk.receive(said())
    with desk.ledger.database.writing() as step:
        step.execute(sa.text("update calls set state = 'written'"))
    desk.receive(said(revision=2.0, complete=False, recording_url="https://calls.example/1"))
    assert read_agenda(desk.ledger.database).due == ("acme",)


def test_what_is_taken_away_again_is_gone(desk: Desk) -> None:
    """A tag that was set and taken away leaves the call as it was once: that is news."""
    desk.receive(said(tags={"1": "Demo"}))
    desk.receive(said(revision=2.0, tags={"1": "Demo", "2": "Lead"}))
    desk.receive(said(revision=3.0, tags={"1": "Demo"}, replaces=["tags"]))
    call = desk.call()
    assert call is not None
    assert call.tags == ("Demo",)


def test_shuffled_events_make_the_same_call(desk: Desk) -> None:
    """Late, twice and in any order: one call with all that was said."""
    events = [
        said(1, 1.0, complete=False, title="A"),
        said(1, 2.0, title="B", tags={"1": "Demo"}),
        said(1, 3.0, complete=False, summary="They talked."),
        said(1, 4.0, tags={"2": "Lead"}),
    ]
    chance = random.Random(7)  # noqa: S311 - a repeatable order, not a secret
    for number in range(2, 8):
        mine = [{**event, "call_id": f"echo:{number}"} for event in events * 2]
        chance.shuffle(mine)
        for event in mine:
            desk.receive(event)
    made = {desk.call(number) for number in range(2, 8)}
    assert {call and (call.title, call.tags, call.summary) for call in made} == {
        ("B", ("Demo", "Lead"), "They talked.")
    }


def test_several_calls_may_come_at_once(desk: Desk) -> None:
    """One event may be of several calls."""
    desk.receive(said(1), said(2))
    assert desk.count("calls") == 2


def test_an_event_that_says_nothing_is_ignored(desk: Desk) -> None:
    """It is understood, and nothing is kept."""
    assert (desk.receive(), desk.count("parts")) == (Received("ignored"), 0)


def test_what_is_not_proven_is_not_even_read(desk: Desk) -> None:
    """A forger is refused before the body is looked at."""
    with pytest.raises(CredentialsError):
        desk.receiver.receive("acme", "echo", Delivery(b"no JSON"))


def test_nothing_of_a_wrong_event_is_kept(desk: Desk) -> None:
    """An event of which one part is wrong is refused as a whole."""
    with pytest.raises(InputError):
        desk.receive(said(1), said(2, kind="smoke signal"))
    assert desk.count("parts") == 0


def test_nobody_receives_for_others(desk: Desk) -> None:
    """A connection that there is not, or a provider that it has not, receives nothing."""
    delivery = Delivery(b"{}", {"x-echo-token": WORD})
    assert [desk.receiver.receive(*names, delivery) for names in (("acme", "other"), ("other", "echo"))] == [None, None]


def test_a_set_up_is_answered(desk: Desk) -> None:
    """What the provider wants to see is handed on, and nothing is kept."""
    received = desk.receiver.receive("acme", "echo", Delivery(b"", {"x-echo-token": WORD}, {"echo": "hello"}))
    assert received is not None
    assert (received.verdict, received.reply and received.reply.body, desk.count("parts")) == ("set_up", b"hello", 0)


def test_the_pump_is_woken_in_the_same_step(tmp_path: Path) -> None:
    """Whoever hears of it finds the call; a part that makes no call due wakes nobody."""
    bound, _ = provider()
    woken: list[str] = []
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        receiver = Receiver(ledger, lambda *_: Source(bound), wake=lambda name, step: woken.append(name))
        for part in (said(complete=False), said(), said()):
            receiver.receive("acme", "echo", Delivery(json.dumps({"parts": [part]}).encode(), {"x-echo-token": WORD}))
    assert woken == ["acme"]


def test_postgresql_keeps_them_as_well(postgres_url: str) -> None:
    """The same, in the other database."""
    bound, _ = provider()
    with Ledger(postgres_url) as ledger:
        receiver = Receiver(ledger, lambda *_: Source(bound))
        for part in (said(tags={"1": "Demo"}), said(), said(revision=2.0, tags={"2": "Lead"}), said()):
            receiver.receive("acme", "echo", Delivery(json.dumps({"parts": [part]}).encode(), {"x-echo-token": WORD}))
        with ledger.database.reading() as step:
            (text,) = step.execute(sa.text("select content from calls")).scalars()
    assert Call.model_validate_json(text).tags == ("Demo", "Lead")


# -- reading what was announced ----------------------------------------------------------------------------------------


def recording(revision: float = 5.0) -> Part:
    return Part(**said(revision=revision, complete=False, recording_url="https://calls.example/1"))


def test_what_was_announced_is_read(desk: Desk) -> None:
    """What is read belongs to the call, and is not asked for again."""
    desk.receive(said())
    desk.adapter.answer = lambda asked: (recording(),)
    desk.announce()
    answered = [desk.fetch(), desk.fetch()]
    call = desk.call()
    assert (answered, desk.adapter.fetched) == ([1, 0], [Announced("echo:1", "recording")])
    assert call is not None
    assert call.recording_url == "https://calls.example/1"


def test_an_announcement_is_on_the_agenda(desk: Desk) -> None:
    """An engine comes to read it, at its time."""
    desk.announce(after_seconds=60)
    agenda = read_agenda(desk.ledger.database)
    desk.clock.now += 60
    assert (agenda.due, agenda.next_in_seconds, read_agenda(desk.ledger.database).due) == ((), 60.0, ("acme",))


def test_nothing_is_read_before_its_time(desk: Desk) -> None:
    """A report is ready minutes after the meeting."""
    desk.announce(after_seconds=60)
    assert (desk.fetch(), desk.adapter.fetched) == (0, [])


def test_what_is_not_there_yet_is_asked_for_again(desk: Desk) -> None:
    """As late as the provider says."""
    desk.adapter.answer = lambda asked: Later(300, "not ready")
    desk.announce()
    first = desk.fetch()
    desk.adapter.answer = lambda asked: (recording(),)
    early = desk.fetch()
    desk.clock.now += 300
    assert (first, early, desk.fetch()) == (0, 0, 1)


def failing(error: Exception) -> Any:
    def answer(asked: Announced) -> Any:
        raise error

    return answer


@pytest.mark.parametrize("error", [TryAgainError("busy", after_seconds=40), CredentialsError("revoked"), KeyError("x")])
def test_what_fails_is_told_and_asked_for_again(desk: Desk, error: Exception) -> None:
    """Nothing is lost, and nothing is asked for at once."""
    desk.adapter.answer = failing(error)
    desk.announce()
    with pytest.raises(ConnectorError):
        desk.fetch()
    desk.adapter.answer = lambda asked: (recording(),)
    at_once = desk.fetch()
    desk.clock.now += 3600
    assert (at_once, desk.fetch()) == (0, 1)


def test_one_that_always_fails_holds_up_no_other(desk: Desk) -> None:
    """The first time they fail together; from then on each is asked for by itself."""

    def answer(asked: Announced) -> tuple[Part, ...]:
        if asked.what == "poison":
            raise TryAgainError("busy")
        return ()

    desk.adapter.answer = answer
    for what in ("poison", "recording", "summary"):
        desk.announce(what)
    with pytest.raises(TryAgainError):
        desk.fetch()
    desk.clock.now += 60
    assert (desk.fetch(), desk.count("announcements")) == (2, 1)


def test_a_provider_that_is_away_is_not_asked_for_everything(desk: Desk) -> None:
    """After two failures in a row the rest is left for later."""
    desk.adapter.answer = failing(TryAgainError("away"))
    for number in range(6):
        desk.announce(f"recording {number}")
    with pytest.raises(TryAgainError):
        desk.fetch()
    desk.adapter.fetched.clear()
    desk.clock.now += 60
    with pytest.raises(TryAgainError):
        desk.fetch()
    assert len(desk.adapter.fetched) == 2


def test_what_cannot_be_read_for_days_is_given_up(desk: Desk) -> None:
    """It stays to be seen, with its reason, and is not asked for any more."""
    desk.adapter.answer = lambda asked: Later(60, "not ready")
    desk.announce()
    desk.clock.now += PATIENCE.total_seconds()
    desk.fetch()
    desk.clock.now += PATIENCE.total_seconds()
    assert (desk.fetch(), len(desk.adapter.fetched)) == (0, 1)
    overview = read_overview(desk.ledger.database)["acme"]
    assert (overview.to_read, overview.not_read, overview.not_read_reason) == (0, 1, "not ready")


def test_what_is_announced_anew_while_it_is_read_is_read_again(desk: Desk) -> None:
    """The second announcement may be of more than was there for the first."""

    def meanwhile(asked: Announced) -> tuple[Part, ...]:
        desk.adapter.answer = lambda asked: ()
        desk.clock.now += 1
        desk.announce()
        return (recording(),)

    desk.adapter.answer = meanwhile
    desk.announce()
    assert [desk.fetch(), desk.fetch(), desk.fetch()] == [1, 1, 0]


def test_two_who_read_do_not_read_the_same(desk: Desk) -> None:
    """Whoever took something has it for a while."""
    desk.announce()
    taken = [len(desk.ledger.heard.take("acme")) for _ in range(2)]
    desk.clock.now += 3600
    assert (taken, len(desk.ledger.heard.take("acme"))) == ([1, 0], 1)


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_what_was_told_is_forgotten_with_the_call(desk: Desk) -> None:
    """A call that settled long ago leaves nothing of what was said."""
    desk.receive(said())
    with desk.ledger.database.writing() as step:
        step.execute(sa.text("update calls set state = 'written', settled_at = accepted_at"))
    desk.clock.now += 100 * 86_400
    Retention(desk.ledger.database).prune(90)
    assert desk.said() == []


def test_what_never_became_a_call_is_forgotten_too(desk: Desk) -> None:
    """A tag of a call that nobody told of, and what could not be read."""
    desk.receive(said(complete=False), announced=[{"call_id": "echo:1", "what": "recording"}])
    desk.clock.now += 80 * 86_400
    Retention(desk.ledger.database).prune(90)
    kept = desk.count("parts")
    desk.clock.now += 20 * 86_400
    Retention(desk.ledger.database).prune(90)
    assert (kept, desk.count("parts"), desk.count("announcements")) == (1, 0, 0)


CARL = {"key": "carl", "is_user": False, "emails": [{"email": "carl@buyer.example"}]}


@pytest.mark.parametrize("complete", [True, False])
def test_a_person_is_erased_from_what_was_told(desk: Desk, complete: bool) -> None:
    """Whether or not it became a call."""
    desk.receive(said(complete=complete, participants=[CARL]), said(2, complete=complete))
    erased = Persons(desk.ledger.database).erase("Carl@buyer.example", {"acme": ()}, Actor("Ada"))
    assert (erased, len(desk.said())) == (1, 1)


@pytest.mark.parametrize("complete", [True, False])
def test_a_person_is_exported_with_what_was_told(desk: Desk, complete: bool) -> None:
    """Each part as it was kept."""
    desk.receive(said(complete=complete, participants=[CARL]))
    (held,) = Persons(desk.ledger.database).export("carl@buyer.example", {"acme": ()})
    assert [row["part"]["participants"][0]["key"] for row in held["parts"]] == ["carl"]


# -- what a database refuses, or is too slow for -----------------------------------------------------------------------


class Away(Inbox):
    """An inbox whose database is away: each step waits for it in vain."""

    tries = 0

    def keep(self, *_: Any, **__: Any) -> Any:
        self.tries += 1
        raise TryAgainError("away")


def test_a_database_that_is_away_is_waited_for_once_for_all_that_wait(tmp_path: Path) -> None:
    """Each of many senders is told at once, not after as many times the wait as there are others."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        inbox = Away(ledger.database)
        heard = Heard(ledger.database, inbox)
        told: list[TryAgainError] = []

        def tell(number: int) -> None:
            with pytest.raises(TryAgainError, match=r"^away$") as caught:
                heard.hear("acme", "echo", [Part(**said(number))])
            told.append(caught.value)

        with heard._turn:
            threads = [threading.Thread(target=tell, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            until(lambda: len(heard._told) == 8)
        for thread in threads:
            thread.join()
    assert (inbox.tries, len({id(error) for error in told}), heard._told) == (1, 8, {})


def test_one_event_that_cannot_be_kept_keeps_back_no_other(tmp_path: Path) -> None:
    """Of those that are kept in one step, each of its own is kept or refused."""

    def refuse(*_: object) -> None:
        raise KeyError("a defect of whoever is to be woken")

    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        heard = ledger.heard
        failed: list[type[Exception]] = []

        def tell(number: int) -> None:
            try:
                heard.hear("acme", "echo", [Part(**said(number))], wake=refuse if number == 3 else None)
            except KeyError as error:
                failed.append(type(error))

        with heard._turn:
            threads = [threading.Thread(target=tell, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            until(lambda: len(heard._told) == 8)
        for thread in threads:
            thread.join()
        ids = [f"echo:{number}" for number in range(8)]
        assert (sorted(ledger.calls.of("acme", ids)), failed) == ([it for it in ids if it != "echo:3"], [KeyError])


@pytest.mark.parametrize(
    "names", [{"call_id": "echo:a\0b"}, {"what": "a\0b"}, {"call_id": "echo:" + "9" * 600}, {"what": ""}]
)
def test_an_announcement_that_no_database_keeps_is_no_event(desk: Desk, names: dict[str, str]) -> None:
    """The sender is told so, instead of being asked to try for ever."""
    with pytest.raises(InputError, match=r"what is announced: (call|what) should"):
        desk.receive(announced=[{"call_id": "echo:1", "what": "recording"} | names])


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), -float("inf"), 1e30, -5.0])
def test_a_wait_beyond_reason_is_bounded(desk: Desk, seconds: float) -> None:
    """Whatever a provider asks for, it is asked again within a month, and not at once."""
    desk.adapter.answer = lambda asked: Later(seconds, "not ready")
    desk.announce()
    counts = [desk.fetch(), len(desk.adapter.fetched), desk.fetch(), len(desk.adapter.fetched)]
    desk.clock.now += 30 * 86_400
    desk.fetch()
    assert (counts, len(desk.adapter.fetched)) == ([0, 1, 0, 1], 2)


# -- calls that the ledger has from elsewhere, and those of which it keeps nothing any more -----------------------------


def accepted(**more: Any) -> Call:
    base = {
        "id": "echo:1",
        "provider": "echo",
        "kind": "phone",
        "started_at": "2026-03-02T09:00:00Z",
        "participants": [],
    }
    return Call.model_validate(base | more)


def test_what_a_backfill_knows_of_a_call_stays(desk: Desk) -> None:
    """Webhooks that say less than what was read in add to it, however many of them come."""
    before = accepted(summary="They talked.", status="missed", participants=[{"is_user": False, "name": "Carl"}])
    desk.ledger.inbox.accept("acme", [before], backfill=True)
    desk.receive(said(title="A talk"))
    desk.receive(said(revision=2.0, complete=False, tags={"1": "Demo"}))
    assert desk.call() == before.model_copy(update={"title": "A talk", "tags": ("Demo",)})


def test_what_is_announced_of_a_call_of_a_backfill_is_added(desk: Desk) -> None:
    """Its base needs not be told of once more."""
    desk.ledger.inbox.accept("acme", [accepted(title="A talk")], backfill=True)
    desk.adapter.answer = lambda asked: (recording(),)
    desk.announce()
    desk.fetch()
    assert desk.call() == accepted(title="A talk", recording_url="https://calls.example/1")


def told_of_carl(desk: Desk, *, complete: bool = True) -> None:
    desk.receive(said(complete=complete, participants=[CARL]))


def erase(desk: Desk) -> int:
    return Persons(desk.ledger.database).erase("carl@buyer.example", {"acme": ()}, Actor("Ada"))


def kept_of_carl(desk: Desk) -> int:
    return len(list(Persons(desk.ledger.database).export("carl@buyer.example", {"acme": ()})))


@pytest.mark.parametrize("complete", [True, False])
def test_an_event_that_comes_again_brings_nothing_of_the_erased_back(desk: Desk, complete: bool) -> None:
    """Neither as a call nor as what was told of it."""
    told_of_carl(desk, complete=complete)
    erase(desk)
    told_of_carl(desk, complete=complete)
    assert (desk.call(), desk.said(), read_agenda(desk.ledger.database).due) == (None, [], ())


def test_an_event_of_several_that_comes_again_makes_a_pruned_call_no_poorer(desk: Desk) -> None:
    """What it says by itself would be another call than that of all parts."""
    for event in (said(title="A talk"), said(revision=2.0, complete=False, summary="They talked.")):
        desk.receive(event)
    with desk.ledger.database.writing() as step:
        step.execute(sa.text("update calls set state = 'written', settled_at = accepted_at"))
    desk.clock.now += 100 * 86_400
    Retention(desk.ledger.database).prune(90)
    desk.receive(said(title="A talk"))
    assert (desk.call(), read_agenda(desk.ledger.database).due) == (None, ())


def test_what_is_told_late_of_an_erased_call_is_found(desk: Desk) -> None:
    """Though the call says nothing any more, what was told of the person since is exported and erased."""
    told_of_carl(desk)
    erase(desk)
    desk.receive(said(revision=2.0, complete=False, participants=[CARL], tags={"1": "Demo"}))
    assert (kept_of_carl(desk), erase(desk), kept_of_carl(desk), desk.said()) == (1, 1, 0, [])


def test_postgresql_forgets_and_knows_as_well(postgres_url: str) -> None:
    """An event that comes again brings nothing back; what is told late is found, page by page."""
    with Ledger(postgres_url) as ledger:
        persons = Persons(ledger.database)
        for _ in range(2):
            ledger.heard.hear("acme", "echo", [Part(**said(participants=[CARL]))])
            erased = persons.erase("carl@buyer.example", {"acme": ()}, Actor("Ada"))
        late = [Part(**said(number, complete=False, participants=[CARL])) for number in range(1, 1203)]
        ledger.heard.hear("acme", "echo", late)
        found = [row["call_id"] for row in persons.export("carl@buyer.example", {"acme": ()})]
    assert (erased, len(found), len(set(found))) == (0, 1202, 1202)


def test_what_a_call_does_not_say_any_more_is_found(desk: Desk) -> None:
    """An older part may name a person whom a newer one does not."""
    desk.receive(said(title="With carl@buyer.example"))
    desk.receive(said(revision=2.0, title="A talk"))
    assert (kept_of_carl(desk), erase(desk), desk.said()) == (1, 1, [])
