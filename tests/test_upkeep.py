"""Subscriptions are kept alive, and calls listed that no webhook told of: at their time, by one process, and in peace."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from echo_provider import ECHO, EchoSettings, Tended, said
from engine_host import Host, calls, running, states, until

from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.engines import Engine, Limits, engine_for
from connector_core.errors import ConnectorError, ContractError, CredentialsError, TryAgainError
from connector_core.ledger.agenda import read_agenda
from connector_core.ledger.chores import TURN, Chores
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.overview import read_overview
from connector_core.providers.binding import Provider
from connector_core.providers.hookspecs import Announced, Kept, Missed, Part
from connector_core.upkeep import KEEP, LIST, LIST_SECONDS, LOOK_BACK, MOST_PAGES, PATIENCE, Upkeep

BEGIN = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
AWAY = TryAgainError("away")


@dataclasses.dataclass
class Place:
    """A ledger whose clock a test moves on, a connection, and its provider."""

    ledger: Ledger
    opened: OpenConnection
    adapter: Tended
    passed_seconds: float = 0.0

    def read(self, after_seconds: float = 0.0) -> bool:
        """Let time pass, and do what is due."""
        self.passed_seconds += after_seconds
        return self.upkeep.read()

    @property
    def upkeep(self) -> Upkeep:
        """What another process would begin with."""
        return Upkeep(self.ledger, self.opened)

    def told(self, after_seconds: float = 0.0) -> str | None:
        """Let time pass, and do what is due; give what was told of it."""
        try:
            self.read(after_seconds)
        except ConnectorError as error:
            return str(error)
        return None

    def next_in_seconds(self) -> float | None:
        """Tell when there is something to do next."""
        agenda = read_agenda(self.ledger.database)
        return 0.0 if agenda.due else agenda.next_in_seconds

    def calls(self) -> list[str]:
        """Give the calls that the ledger has."""
        with self.ledger.database.reading() as step:
            return sorted(step.execute(sa.text("select call_id from calls")).scalars())


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "world.json").write_text("{}")
    config = ConnectionConfig("acme", "file", {"path": "world.json"}, directory=tmp_path, providers={"echo": {}})
    clock: Callable[[], float] = lambda: BEGIN.timestamp() + place.passed_seconds  # noqa: E731 - the place is made below
    adapter = Tended(EchoSettings())
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock=clock) as ledger, config.open() as opened:
        opened.sources._bound["echo"] = Provider(ECHO, adapter)
        place = Place(ledger, opened, adapter)
        yield place


def missed(*numbers: int, **more: str | None) -> Missed:
    """List calls."""
    return Missed(tuple(Part(**said(number)) for number in numbers), **more)


# -- subscriptions -----------------------------------------------------------------------------------------------------


def test_subscriptions_are_seen_to_at_once_and_then_when_the_provider_says(at: Place) -> None:
    """Not with every run of a pump."""
    at.adapter.kept = [Kept(100), Kept(200)]
    seen = []
    for after_seconds in (0, 99, 1, 199, 1):
        at.read(after_seconds)
        seen.append(at.adapter.seen_to)
    assert seen == [1, 1, 2, 2, 3]


def test_a_moment_that_is_due_is_on_the_agenda(at: Place) -> None:
    """So that an engine comes without a webhook."""
    at.adapter.kept = [Kept(100)]
    at.read()
    before = at.next_in_seconds()
    at.passed_seconds += 100
    assert (before, at.next_in_seconds()) == (100, 0)


def test_a_paused_connection_is_seen_to_and_nothing_else_of_it(at: Place) -> None:
    """Its webhooks are received all the while."""
    at.read()
    at.ledger.heard.hear("acme", "echo", [Part(**said())])
    with at.ledger.leases.take("acme", "somebody") as lease:
        assert lease
        at.ledger.connections.pause(lease, "the credentials are refused")
    before = at.next_in_seconds()
    at.passed_seconds += 3600
    assert (before, read_agenda(at.ledger.database).due) == (3600, ("acme",))


def test_whoever_sees_to_them_has_a_while_for_it(at: Place) -> None:
    """Another process leaves them alone, until the first is over or was ended in the middle."""
    at.read()
    chores = Chores(at.ledger.database)
    at.passed_seconds += 3600
    first = chores.take("acme")
    second = chores.take("acme")
    at.passed_seconds += TURN.total_seconds()
    third = chores.take("acme")
    assert first
    assert third
    assert (first.hook, second, third.hook) == (KEEP, None, KEEP)


def test_who_was_too_slow_keeps_nothing(at: Place) -> None:
    """What the process after it kept stays."""
    at.read()
    chores = Chores(at.ledger.database)
    at.passed_seconds += 3600
    slow = chores.take("acme")
    at.passed_seconds += TURN.total_seconds()
    quick = chores.take("acme")
    assert slow
    assert quick
    chores.done("acme", quick, again_in_seconds=50)
    chores.done("acme", slow, again_in_seconds=9_000)
    assert at.next_in_seconds() == 50


def test_what_fails_is_told_once_and_tried_later_each_time(at: Place) -> None:
    """Until it goes well: then the next failure is news again."""
    at.adapter.kept = [AWAY, AWAY, AWAY, Kept(500), AWAY]
    told, pauses = [], []
    for after_seconds in (0, 60, 120, 240, 500):
        told.append(at.told(after_seconds))
        pauses.append(at.next_in_seconds())
    assert (told, pauses) == (["echo: away", None, None, None, "echo: away"], [60, 120, 240, 500, 60])


def test_what_fails_stands_in_the_overview_until_it_goes_well(at: Place) -> None:
    """It is told once, and there whoever looks finds it."""
    at.adapter.kept = [AWAY]
    at.told()
    failing = read_overview(at.ledger.database)["acme"].failing
    at.read(60)
    assert (failing, read_overview(at.ledger.database)["acme"].failing) == (["echo: away"], [])


def test_another_failure_is_news(at: Place) -> None:
    """One that differs in its numbers alone is none."""
    busy = [TryAgainError("busy", after_seconds=seconds) for seconds in (90, 70)]
    at.adapter.kept = [*busy, CredentialsError("the key was deleted")]
    assert [at.told(), at.told(90), at.told(70)] == ["echo: busy: ask again in 90 s", None, "echo: the key was deleted"]


def test_what_is_wrong_with_some_of_them_is_told_and_tried_sooner(at: Place) -> None:
    """The others were seen to."""
    at.adapter.kept = [Kept(86_400, problems=("users[0]: is gone", "users[2]: is gone"))] * 2
    told = at.told()
    assert (told, at.next_in_seconds(), at.told(60)) == ("echo: users[0]: is gone; users[2]: is gone", 60, None)


def test_no_pause_grows_beyond_hours(at: Place) -> None:
    """Whatever is mended is noticed the same day."""
    at.adapter.kept = [AWAY] * 30
    for _ in range(30):
        at.told(6 * 3600)
    assert at.next_in_seconds() == 6 * 3600


# -- calls that no webhook told of -------------------------------------------------------------------------------------


def test_what_was_missed_is_heard_as_a_webhook_would_tell_it(at: Place) -> None:
    """Parts make calls, and what can be read is read."""
    at.adapter.missed = [Missed((Part(**said(1)), Announced("echo:2", "recording")))]
    at.read()
    (waiting,) = at.ledger.heard.take("acme")
    assert (at.calls(), waiting.announced) == (["echo:1"], Announced("echo:2", "recording"))


def test_a_list_goes_on_page_by_page(at: Place) -> None:
    """To its end, once a day."""
    at.adapter.missed = [missed(1, next="2"), missed(2, next="3"), missed(3)]
    at.read()
    at.adapter.kept = [Kept(LIST_SECONDS)]
    assert [page for _, page in at.adapter.asked] == [None, "2", "3"]
    assert at.calls() == ["echo:1", "echo:2", "echo:3"]
    at.read(LIST_SECONDS - 1)
    assert len(at.adapter.asked) == 3
    at.read(1)
    assert len(at.adapter.asked) == 4


def test_a_list_begins_where_the_one_before_began(at: Place) -> None:
    """Less a look-back, and never before the provider was first the connection's."""
    for _ in range(4):
        at.read(LIST_SECONDS)
    begun = BEGIN + dt.timedelta(seconds=LIST_SECONDS)
    day = dt.timedelta(seconds=LIST_SECONDS)
    assert [since for since, _ in at.adapter.asked] == [
        begun,
        begun,
        begun + day - LOOK_BACK,
        begun + 2 * day - LOOK_BACK,
    ]


def test_a_list_that_fails_goes_on_at_its_page(at: Place) -> None:
    """Nothing is left out, and nothing asked for twice."""
    at.adapter.missed = [missed(1, next="2"), AWAY, missed(2)]
    told = at.told()
    at.read(60)
    assert (told, [page for _, page in at.adapter.asked], at.calls()) == (
        "echo: away",
        [None, "2", "2"],
        ["echo:1", "echo:2"],
    )


def test_a_page_that_nobody_knows_any_more_lets_the_list_begin_anew(at: Place) -> None:
    """Another version of the plugin may have named it."""
    at.adapter.missed = [missed(1, next="2"), ContractError("echo", LIST, "raised ValueError"), missed(1)]
    at.told()
    at.read(60)
    assert [page for _, page in at.adapter.asked] == [None, "2", None]


def test_an_incomplete_list_is_told_and_read_once_more(at: Place) -> None:
    """From where it began, also where it was another page that was cut short."""
    at.adapter.missed = [missed(1, next="2", incomplete="users[0]: is gone"), missed(2), missed(1)]
    told = at.told()
    again = at.told(60)
    since = {since for since, _ in at.adapter.asked}
    assert (told, again, since, len(at.adapter.asked)) == ("echo: users[0]: is gone", None, {BEGIN}, 3)


def test_what_cannot_be_listed_for_days_is_given_up(at: Place) -> None:
    """Else each list would be longer than the one before; until then it is asked for once a day."""
    at.adapter.missed = [missed(1, incomplete="users[0]: is gone")] * 40
    for _ in range(20):
        at.told(LIST_SECONDS)
    (*_, before, last) = [since for since, _ in at.adapter.asked]
    assert last - before == dt.timedelta(seconds=LIST_SECONDS)
    assert BEGIN + dt.timedelta(seconds=at.passed_seconds) - last <= PATIENCE + dt.timedelta(seconds=LIST_SECONDS)


def test_a_long_list_lets_calls_go_between(at: Place) -> None:
    """Some pages at a time; the next turn goes on at once."""
    at.adapter.missed = [missed(number, next=f"{number + 1}") for number in range(1, MOST_PAGES + 2)]
    more = [at.read(), at.read()]
    assert (more, at.adapter.asked[-1][1], len(at.calls())) == ([True, False], f"{MOST_PAGES + 2}", MOST_PAGES + 1)


def test_after_a_gap_calls_are_listed_at_once(at: Place) -> None:
    """A subscription that had ended told of none of them."""
    at.adapter.kept = [Kept(100), Kept(100, gap=True)]
    at.read()
    at.read(100)
    assert len(at.adapter.asked) == 2


def test_what_was_listed_and_is_known_is_not_due_anew(at: Place) -> None:
    """A list has what webhooks told."""
    at.ledger.heard.hear("acme", "echo", [Part(**said())])
    with at.ledger.database.writing() as step:
        step.execute(sa.text("update calls set state = 'written'"))
    at.adapter.missed = [missed(1)]
    at.read()
    assert read_agenda(at.ledger.database).due == ()


# -- which providers ---------------------------------------------------------------------------------------------------


def test_a_provider_without_the_hooks_costs_nothing(at: Place) -> None:
    """Aircall's webhooks end by themselves, for one."""
    from echo_provider import Echo  # beside the one that has them

    at.opened.sources._bound["echo"] = Provider(ECHO, Echo(EchoSettings()))
    assert (at.read(), at.next_in_seconds()) == (False, None)


def test_a_provider_that_left_is_seen_to_no_more(at: Place) -> None:
    """Once the connection is opened without it."""
    at.read()
    at.opened.sources.settings = {}
    at.read(3600)
    assert (at.adapter.seen_to, at.next_in_seconds()) == (1, None)


def test_a_provider_that_cannot_be_used_is_told_once(at: Place) -> None:
    """With what to mend."""
    at.opened.sources.settings = {"echo": {}, "carrier pigeon": {}}
    told = [at.told(), at.told(60)]
    assert (told[0] or "").startswith("carrier pigeon: ")
    assert (told[1], at.adapter.seen_to) == (None, 1)


# -- engines -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["threads on SQLite", "Procrastinate"])
def test_engines_see_to_it_without_a_webhook(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """Woken once, they come again when it is due; a provider that fails keeps no call back."""
    url = (
        f"sqlite:///{tmp_path / 'ledger.db'}"
        if kind == "threads on SQLite"
        else request.getfixturevalue("postgres_url")
    )
    host, adapter = Host(tmp_path), Tended(EchoSettings())
    adapter.kept = [Kept(0.5), Kept(0.5), AWAY]

    def opening(name: str) -> OpenConnection:
        opened = host.opening(name)
        opened.sources.settings = {"echo": {}}
        opened.sources._bound["echo"] = Provider(ECHO, adapter)
        return opened

    with Ledger(url) as ledger:
        engine: Engine = engine_for(ledger, opening, limits=Limits(sweep_seconds=0.2), report=host.report)
        with running(engine):
            engine.wake("acme")
            until(lambda: any(isinstance(it, ConnectorError) for _, it in host.reports))
            ledger.inbox.accept("acme", calls(2), wake=engine.wake)
            until(lambda: states(ledger, "acme")["written"] == 2)
    told = [str(it) for _, it in host.reports if isinstance(it, ConnectorError)]
    assert (adapter.seen_to, told) == (3, ["echo: away"])
