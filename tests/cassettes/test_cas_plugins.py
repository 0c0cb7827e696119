"""The real clients of the plugins, recorded against their sandboxes and replayed: over requests, and over urllib3."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from connector_core import discovery
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms.world import parse_world
from connector_core.errors import ConnectorError
from connector_core.manifest import ConnectionInfo, load
from connector_core.model import ActivityDraft, RecordUpdate
from connector_core.testing.cassettes import (
    CassetteError,
    Fault,
    Provenance,
    Tape,
    cassette_path,
    drift,
    inconsistencies,
    orphans,
    provenance,
    read,
    recorded,
    recording,
    replay_server,
    replaying,
    sabotaged,
    scan,
)
from connector_core.testing.cassettes.scrub import LOOPBACK
from connector_core.testing.server import SandboxServer

PLUGINS = ["hubspot", "salesforce"]
INFO = ConnectionInfo("c", ("FR",), "Europe/Paris")
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Acme"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Ann", "emails": ["ann@buyer.example"], "phones": ["+33639981011"],
         "account_id": "A1"},
    ],
    "opportunities": [
        {"id": "O1", "name": "Deal", "account_id": "A1", "owner_id": "U1", "created_at": "2026-01-12T09:15:00Z",
         "contact_ids": ["C1"]},
    ],
}  # fmt: skip
EMAILS = ["ann@buyer.example", "nobody@buyer.example"]
Work = Callable[[Connection, Any], Any]


def look_up(connection: Connection, ids: Any) -> Any:
    """Ask for people and opportunities: batches, one of them in parts (207), and subrequests."""
    return (
        connection.find_contacts_by_email(EMAILS),
        connection.find_contacts_by_phone(["+33639981011"]),
        connection.list_opportunities([ids["C1"]]),
    )


def write(connection: Connection, ids: Any) -> Any:
    """Write two activities, one of them refused, and fill a field."""
    start = dt.datetime(2026, 3, 20, 9, tzinfo=dt.UTC)
    drafts = [
        ActivityDraft(
            key=f"call:{person}", kind="call", started_at=start, ended_at=start + dt.timedelta(minutes=1), subject="Call",
            body=f"Hello.\nref: call:{person}", duration_seconds=60.0, person_ids=(person,),
        )
        for person in (ids["C1"], ids["C1"][:-4] + "9999")
    ]  # fmt: skip
    title = "Title" if connection.manifest.name == "salesforce" else "jobtitle"
    return (
        connection.write_activity(drafts),
        connection.fill_fields([RecordUpdate("contact", ids["C1"], {title: "CEO"})]),
    )


def in_threads(connection: Connection, ids: Any) -> Any:
    """Look people up from several threads at once."""
    with ThreadPoolExecutor(3) as pool:
        emails = [[f"{name}@buyer.example"] for name in ("ann", "bob", "cleo", "dan")]
        return list(pool.map(connection.find_contacts_by_email, emails))


@contextmanager
def bound(plugin: str, settings: Any) -> Iterator[Connection]:
    """Bind a connection, and close it."""
    with bind(discovery.crm(plugin), settings, INFO, users_age_seconds=0) as connection:
        yield connection


def record(path: Path, plugin: str, work: Work, *, faults: Sequence[object] = (), expired: bool = False) -> Any:
    """Record work against the plugin's sandbox, and give what it gave."""
    manifest = discovery.crm(plugin)
    sandbox = load(manifest.sandbox or "", of=plugin)(parse_world(WORLD))
    with SandboxServer(sandbox, faults=faults) as server, bound(plugin, server.settings) as connection:
        made = Provenance.now(manifest, "sandbox", server.settings, ids=sandbox.ids(), info=INFO)
        if expired:
            sandbox.expire_session()
        with recording(path, made):
            return work(connection, sandbox.ids())


def replay(path: Path, work: Work) -> tuple[Any, Tape]:
    """Replay work, and give what it gave."""
    with replaying(path) as tape, bound(tape.provenance.plugin, tape.provenance.settings) as connection:
        return work(connection, tape.provenance.ids), tape


def _anywhere(given: Any) -> str:
    """Show what was given without the port of this machine, which is another one each time."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1", repr(given))


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("work", [look_up, write, in_threads])
def test_a_replay_gives_what_the_crm_gave(tmp_path: Path, plugin: str, work: Work) -> None:
    """What an adapter makes of a replay is what it made of the CRM: people, opportunities, receipts, refusals."""
    path = tmp_path / "x.yaml"
    given = record(path, plugin, work)

    replayed, tape = replay(path, work)

    assert (_anywhere(replayed), tape.requests) == (_anywhere(given), len(read(path).exchanges))


@pytest.mark.parametrize(("plugin", "status"), [("hubspot", 207), ("salesforce", 200)])
def test_answers_in_parts_are_recorded(tmp_path: Path, plugin: str, status: int) -> None:
    """A batch that was answered in parts (207, or a composite) stands in the cassette as such."""
    path = tmp_path / "x.yaml"
    record(path, plugin, look_up)

    answer = read(path).exchanges[0].answer

    assert (answer.status, bool({"numErrors", "compositeResponse"} & set(answer.body.value))) == (status, True)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_session_that_ended_is_replayed(tmp_path: Path, plugin: str) -> None:
    """A refused session, the sign-in with placeholders and what follows are replayed."""
    path = tmp_path / "x.yaml"
    given = record(path, plugin, look_up, expired=True)

    replayed, _ = replay(path, look_up)

    statuses = [each.answer.status for each in read(path).exchanges[:3]]
    assert (replayed, statuses[:2]) == (given, [401, 200])


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_limit_is_replayed_without_waiting(tmp_path: Path, plugin: str) -> None:
    """A 429 is answered by a wait as long as it asks for, which takes no time on replay."""
    path = tmp_path / "x.yaml"
    limit = {"times": 1, "do": {"status": 429, "headers": {"Retry-After": "1"}, "body": {"message": "slow down"}}}
    given = record(path, plugin, look_up, faults=[limit])

    replayed, tape = replay(path, look_up)

    assert (replayed, tape.slept) == (given, [1.0])


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("work", [look_up, write])
def test_what_is_saved_can_be_published(tmp_path: Path, plugin: str, work: Work) -> None:
    """A recording holds no secret, and agrees with itself; the id that nothing has is known."""
    path = tmp_path / "x.yaml"
    record(path, plugin, work, expired=True)

    nobody = read(path).provenance.ids["C1"][:-4] + "9999"
    assert (scan(path), inconsistencies(path, known=[nobody])) == ([], [])


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_answer_counts(tmp_path: Path, plugin: str) -> None:
    """Each answer of a look-up that is emptied changes what the adapter gives, or makes it fail."""
    path = tmp_path / "x.yaml"
    given = record(path, plugin, look_up)

    def survives(n: int) -> bool:
        try:
            with sabotaged(path, n) as tape, bound(plugin, tape.provenance.settings) as connection:
                return bool(look_up(connection, tape.provenance.ids) == given)
        except (ConnectorError, CassetteError):
            return False

    assert [n for n in range(len(read(path).exchanges)) if survives(n)] == []


FAULTS = {
    "limit": Fault.json(429, {"message": "slow down"}, retry_after="3"),
    "page": Fault.page(),
    "nothing": Fault.nothing(),
    "garbage": Fault.garbage(),
    "half": Fault("half"),
    "reset": Fault("reset", times=2),
    "silence": Fault("silence"),
}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_read_outlives_a_fault(tmp_path: Path, plugin: str, fault: Fault) -> None:
    """A look-up gives what it gave, whatever goes wrong once before the first answer."""
    path = tmp_path / "x.yaml"
    given = record(path, plugin, look_up)

    with (
        replay_server(path, [fault]) as server,
        bound(plugin, {**server.settings, "timeout_seconds": 0.3}) as connection,
    ):
        replayed = look_up(connection, read(path).provenance.ids)

    assert replayed == given
    assert [served.fault for served in server.requests if served.fault] == [fault.kind] * fault.times


LIVE = {"hubspot": "https://api.hubapi.com", "salesforce": "https://example.my.salesforce.com"}


@pytest.fixture
def live(tmp_path: Path) -> Callable[[str], Path]:
    """Make a recording look like one of an account of the service: over https, from its own host."""

    def make(plugin: str) -> Path:
        path = tmp_path / "live.yaml"
        record(path, plugin, look_up, expired=True)
        path.write_text(path.read_text(encoding="utf-8").replace(LOOPBACK, LIVE[plugin]), encoding="utf-8")
        return path

    return make


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_recording_over_https_is_replayed(live: Callable[[str], Path], plugin: str) -> None:
    """What was recorded of the service itself is replayed at its own address, over https."""
    path = live(plugin)

    _, tape = replay(path, look_up)

    assert {each.url.partition("/")[0] for each in tape.sent} == {"https:"}


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_recording_over_https_is_served_here(live: Callable[[str], Path], plugin: str) -> None:
    """With faults, it is served on this machine: addresses in settings and answers lead there, a sign-in's too."""
    path = live(plugin)

    with replay_server(path, [Fault.page(before=2)]) as server, bound(plugin, server.settings) as connection:
        look_up(connection, read(path).provenance.ids)

    assert [served.index for served in server.requests if served.index is None] == []


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_world_that_changed_is_drift(tmp_path: Path, plugin: str) -> None:
    """A recording of an account in which the contact lost its number differs in that, and no other one does."""
    old, same, new = (tmp_path / f"{name}.yaml" for name in ("old", "same", "new"))

    def ask(connection: Connection, _: Any) -> object:
        return connection.find_contacts_by_email(EMAILS)

    record(old, plugin, ask)
    record(same, plugin, ask)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(WORLD, "people", [{**WORLD["people"][0], "phones": []}])
        record(new, plugin, ask)

    assert drift(old, same) == []
    assert {(it.change, it.place.rpartition(".")[2].lower()) for it in drift(old, new)} >= {("value lost", "phone")}


# -- for a team of its own ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_team_replays_a_clause(tmp_path: Path, plugin: str) -> None:
    """A suite of somebody else asks a recorded CRM through the plugin, by plugin and clause."""
    given = record(cassette_path(plugin, "C-TEST-1", tmp_path), plugin, look_up)
    ids = provenance(plugin, "C-TEST-1", folder=tmp_path).ids

    with recorded(plugin, "C-TEST-1", folder=tmp_path) as connection:
        replayed = look_up(connection, ids)

    assert replayed == given


def test_a_team_that_asks_for_something_else_is_told(tmp_path: Path) -> None:
    """A suite that asks for what was not recorded fails, and is told the file."""
    path = cassette_path("hubspot", "C-TEST-1", tmp_path)
    record(path, "hubspot", look_up)

    with (
        pytest.raises(CassetteError, match=r"C-TEST-1\.yaml: request 1 of"),
        recorded("hubspot", "C-TEST-1", folder=tmp_path) as connection,
    ):
        connection.find_contacts_by_email(["other@buyer.example"])


def test_orphans_are_told_on_both_sides(tmp_path: Path) -> None:
    """A cassette that no test plays is named, and so is one that is missing; other plugins are left alone."""
    for place in ("acme/C-A-1", "acme/C-A-2", "other/C-A-1"):
        path = tmp_path / f"{place}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.touch()

    found = orphans(tmp_path, [("acme", "C-A-1"), ("acme", "C-A-3")])

    assert found.unplayed == (tmp_path / "acme/C-A-2.yaml",)
    assert found.missing == (tmp_path / "acme/C-A-3.yaml",)
    assert len(str(found).splitlines()) == 2


def test_no_orphans_say_nothing(tmp_path: Path) -> None:
    """Where all is well, there is nothing to say."""
    assert str(orphans(tmp_path, [])) == ""


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_suite_of_somebody_else_uses_the_fixture(
    crm_cassette: Callable[[str, str], AbstractContextManager[Connection]], plugin: str
) -> None:
    """The fixture of the extra ``testing`` plays a clause of this project's, as the page on cassettes shows it."""
    with crm_cassette(plugin, "C-EMAIL-1") as connection:
        people = connection.find_contacts_by_email(["carla.client@example.com"])

    assert [person.name for person in people["carla.client@example.com"]] == ["Carla Client"]
