"""What appears in a CRM after a call associates it: on the file, and on the sandboxes over HTTP."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from engine_host import running, until
from office import CARL, CRMS, NOBODY, USER, WORLD, Office, call, office

from connector_core.association import Settings
from connector_core.connection import Connection
from connector_core.engines import Limits, engine_for
from connector_core.errors import ContractError, TryAgainError
from connector_core.feed import Feed
from connector_core.ledger.agenda import read_agenda
from connector_core.ledger.feeds import PATIENCE
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons
from connector_core.ledger.retention import Retention
from connector_core.ledger.schema import awaited, feeds
from connector_core.model import Call, Changed
from connector_core.providers.hookspecs import Delivery
from connector_core.receiving import Received, Receiver
from connector_core.settling import sync_settled
from connector_core.writing import Writing

NINA = {"name": "Nina New", "email": "nina@new.example"}
NUMBER = "+33639980077"
CALLER = {"is_user": False, "name": "Nina", "phones": ["06 39 98 00 77"]}


@pytest.fixture(params=CRMS)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office of each CRM; nothing is synced yet."""
    with office(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Office]:
    """The same with the CRM in a file alone, where the CRM makes no difference."""
    with office("file", tmp_path) as opened:
        yield opened


def now() -> dt.datetime:
    """Tell the time."""
    return dt.datetime.now(dt.UTC)


def talk(number: int = 1, *guests: dict[str, Any], ago: dt.timedelta = dt.timedelta(hours=3), **more: Any) -> Call:
    """Make a call of today, with somebody whom the CRM lacks unless others are said."""
    return call(number, *(guests or (NOBODY,)), started_at=now() - ago, **more)


def adapter_of(connection: Connection) -> Any:
    """Give the plugin's own object behind a connection."""
    return next(it for it in connection._manager.get_plugins() if hasattr(it, "_client"))


def create(at: Office, kind: str, **fields: str) -> str:
    """Create a contact, a lead or an opportunity as a person does: ``name``, ``email``, ``phone``, ``account``, ``of``."""
    if at.config.crm == "file":
        return create_in_file(at, kind, fields)
    with at.config.open() as opened:
        client = adapter_of(opened.connection)._client
        return (create_in_salesforce if at.config.crm == "salesforce" else create_in_hubspot)(at, client, kind, fields)


def create_in_file(at: Office, kind: str, given: dict[str, str]) -> str:
    """Add a record to the file."""
    path = Path(at.config.settings["path"])
    world = json.loads(path.read_bytes())
    if kind == "opportunity":
        made = {"id": "ONEW", "name": given["name"], "created_at": now().isoformat(), "contact_ids": [given["of"]]}
        world["opportunities"].append({**made, "account_id": given["account"]})
    else:
        reached = {f"{name}s": [given[name]] for name in ("email", "phone") if name in given}
        made = {"id": f"CNEW{len(world['people'])}", "kind": kind, "name": given["name"], **reached}
        world["people"].append({**made, **({"account_id": given["account"]} if "account" in given else {})})
    path.write_text(json.dumps(world))
    return str(made["id"])


def create_in_salesforce(at: Office, client: Any, kind: str, given: dict[str, str]) -> str:
    """Create a record over REST."""

    def post(name: str, fields: dict[str, Any]) -> str:
        act = {"method": "POST", "referenceId": "r", "url": f"{client.root}/sobjects/{name}", "body": fields}
        ((status, answer),) = client.composite([act], reads=False)
        assert status == 201, answer
        return str(answer["id"])

    account = {"AccountId": at.ids[given["account"]]} if "account" in given else {}
    if kind == "opportunity":
        deal = {"Name": given["name"], "StageName": "Prospecting", "CloseDate": "2027-01-31", **account}
        made = post("Opportunity", deal)
        post("OpportunityContactRole", {"OpportunityId": made, "ContactId": at.ids[given["of"]]})
        return made
    reached = {own: given[name] for name, own in {"email": "Email", "phone": "Phone"}.items() if name in given}
    first, _, last = given["name"].partition(" ")
    company = {"Company": "New"} if kind == "lead" else {}
    return post(kind.title(), {"FirstName": first, "LastName": last, **reached, **account, **company})


def create_in_hubspot(at: Office, client: Any, kind: str, given: dict[str, str]) -> str:
    """Create a record over the API."""

    def to(seed: str, type_id: int) -> dict[str, Any]:
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        return {"to": {"id": at.ids[seed]}, "types": types}

    if kind == "opportunity":
        fields = {"dealname": given["name"], "dealstage": "appointmentscheduled", "pipeline": "default"}
        bonds = [to(given["of"], 3), to(given["account"], 341)]
    else:
        first, _, last = given["name"].partition(" ")
        reached: dict[str, str] = {name: given[name] for name in ("email", "phone") if name in given}
        fields = {"firstname": first, "lastname": last, **reached}
        bonds = [to(given["account"], 279)] if "account" in given else []
    body = {"inputs": [{"properties": fields, "associations": bonds}]}
    answer = client.post(
        "/crm/objects/{version}/{object}/batch/create", body, object="deals" if kind == "opportunity" else "contacts"
    )
    return str(answer["results"][0]["id"])


def read(at: Office) -> list[str]:
    """Read what changed now, and bring what is due to the CRM."""
    with at.config.open() as opened:
        due = Feed(at.ledger, opened).read(at_once=True)
    at.settle(*(due or ["x:1"]))
    return due


def people(at: Office, call_id: str = "x:1") -> list[str | None]:
    """Give who the guests of a call are."""
    return [person and person["id"] for person in at.decision(call_id)["people"][1:]]


def activities(at: Office, call_id: str = "x:1") -> int:
    """Count the activities of a call in the CRM."""
    return sum(f"ref: {call_id}" in json.dumps(row) for rows in at.records().values() for row in rows)


# -- who waits is associated


def test_a_contact_that_appears_is_on_the_one_activity(at: Office) -> None:
    """The call was written without anybody; once its guest is in the CRM, the same activity has the contact."""
    at.sync(talk())
    contact = create(at, "contact", **NINA, account="A1")

    assert read(at) == ["x:1"]
    assert (people(at), activities(at)) == ([contact], 1)
    assert contact in json.dumps(at.records())


def test_a_number_is_compared_as_a_number(at: Office) -> None:
    """However the contact's number is written."""
    at.sync(talk(1, CALLER))
    contact = create(at, "contact", name="Nina New", phone="+33 6 39 98 00 77")

    assert read(at) == ["x:1"]
    assert people(at) == [contact]


def test_a_call_that_was_not_written_for_want_of_anybody_is(at: Office) -> None:
    """With write_unmatched off, a call that nobody was found for is written once somebody is there."""
    with replace(at.config, writing=Writing(write_unmatched=False)).open() as opened:
        assert [it.outcome for it in sync_settled(at.ledger, opened, [talk()])] == ["skipped"]
        create(at, "contact", **NINA)
        due = Feed(at.ledger, opened).read(at_once=True)
        at.settle(*due)

    assert (due, activities(at)) == (["x:1"], 1)


def test_an_opportunity_that_appears_is_chosen(at: Office) -> None:
    """One of the guest's, created after the call."""
    guest = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}
    at.change("opportunities", "O3", delete=True)
    at.sync(talk(1, guest))
    before = at.decision()["opportunity"]
    deal = create(at, "opportunity", name="New deal", account="A1", of="C3")

    assert read(at) == ["x:1"]
    assert (before, at.decision()["opportunity"]["id"]) == (None, deal)


@pytest.mark.parametrize("crm", ["file", "salesforce"])
def test_an_account_that_a_contact_gets_is_the_calls(crm: str, tmp_path: Path) -> None:
    """A contact without an account was found; once it has one, the call has too."""
    alone = {"kind": "contact", "id": "C9", "name": "Nina New", "emails": ["nina@new.example"]}
    with office(crm, tmp_path, people=[*WORLD["people"], alone]) as at:
        at.sync(talk())
        before = at.decision()["account"]
        at.change("people", "C9", **{"AccountId" if crm == "salesforce" else "account_id": at.id("A1")})

        assert read(at) == ["x:1"]
        assert (before, at.decision()["account"]["id"]) == (None, at.id("A1"))


@pytest.mark.parametrize("crm", ["file", "salesforce"])
def test_a_lead_that_appears_is_found(crm: str, tmp_path: Path) -> None:
    """Where there are leads."""
    with office(crm, tmp_path) as at:
        at.sync(talk())
        lead = create(at, "lead", **NINA)

        assert read(at) == ["x:1"]
        assert people(at) == [lead]


def test_only_the_calls_that_wait_for_it_are_due(at: Office) -> None:
    """Others, of guests whom the CRM has or lacks still, are left alone."""
    other = {"is_user": False, "name": "Otto", "emails": ["otto@new.example"]}
    at.sync(talk(1), talk(2, CARL), talk(3, other), talk(4, other, NOBODY))
    create(at, "contact", **NINA)

    assert read(at) == ["x:1", "x:4"]


def test_reading_once_more_changes_nothing(at: Office) -> None:
    """The look-back tells the contact again; nobody waits for it any more, and nothing is written."""
    at.sync(talk())
    create(at, "contact", **NINA)
    read(at)
    before = at.writes.number

    assert (read(at), at.writes.number, activities(at)) == ([], before, 1)


@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_both_databases_know_who_waits(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Of several calls and connections, on several pages, and once more after a decision that waits for others."""
    url = request.getfixturevalue("postgres_url") if database == "PostgreSQL" else None
    with office("file", tmp_path, ledger_url=url) as at:
        at.ledger.inbox.accept("other", [talk(1)])
        at.sync(talk(1), talk(2, CARL), talk(3, NOBODY, CALLER))
        create(at, "contact", **NINA)
        first = read(at)
        create(at, "contact", name="Nina Second", phone=NUMBER)
        listing = at.ledger.feeds.turn("acme", every_seconds=60, at_once=True)
        assert listing is not None
        second = at.ledger.feeds.went_on("acme", listing, "p2")
        assert (second, at.ledger.feeds.went_on("acme", listing, "p3")) == (replace(listing, page="p2"), None)
        assert at.ledger.feeds.went_on("acme", replace(listing, page="p2"), None) is None

        assert (first, read(at)) == (["x:1", "x:3"], ["x:3"])
        assert at.ledger.feeds.turn("other", every_seconds=60, at_once=True) is None


# -- what a person decided stays


def test_who_was_cleared_by_hand_stays_cleared(at: Office) -> None:
    """A person said that the guest is nobody: no contact of the CRM is waited for."""
    at.sync(talk())
    at.clear(participant=1)
    create(at, "contact", **NINA)

    assert (read(at), people(at)) == ([], [None])


def test_who_was_set_by_hand_stays(at: Office) -> None:
    """A person said that the guest is Dora: that the address is another's by now changes nothing."""
    at.sync(talk())
    at.assign(participant=1, contact="C2")
    create(at, "contact", **NINA)

    assert (read(at), people(at)) == ([], [at.id("C2")])


def test_of_two_guests_the_one_decided_by_hand_stays(at: Office) -> None:
    """The other one is found, and the choice is what it was."""
    caller = {"is_user": False, "name": "Otto", "emails": ["otto@new.example"]}
    at.sync(talk(1, NOBODY, caller))
    at.assign(participant=2, contact="C2")
    contact = create(at, "contact", **NINA)

    assert (read(at), people(at)) == (["x:1"], [contact, at.id("C2")])


def test_an_opportunity_cleared_by_hand_stays_cleared(at: Office) -> None:
    """None is waited for."""
    at.sync(talk(1, CARL))
    at.clear(opportunity=True)
    create(at, "opportunity", name="New deal", account="A1", of="C1")

    assert (read(at), at.decision()["opportunity"]) == ([], None)


# -- who does not wait


def test_a_call_of_long_ago_stays(at: Office) -> None:
    """Thirty days after its start it waits no more."""
    at.sync(talk(1, ago=PATIENCE + dt.timedelta(minutes=1)), talk(2, ago=PATIENCE - dt.timedelta(hours=1)))
    contact = create(at, "contact", **NINA)

    assert (read(at), people(at), people(at, "x:2")) == (["x:2"], [None], [contact])


def test_a_call_grows_too_old_to_wait(tmp_path: Path) -> None:
    """What it waited for is forgotten then, and nothing is asked of the CRM for it."""
    moved = [0.0]
    with office("file", tmp_path) as at:
        at.sync(talk())
    with Ledger(at.ledger_url, clock=lambda: now().timestamp() + moved[0]) as ledger, at.config.open() as opened:
        moved[0] = PATIENCE.total_seconds()
        due = Feed(ledger, opened).read(at_once=True)
        with ledger.database.reading() as step:
            left = [*step.execute(sa.select(awaited)), *step.execute(sa.select(feeds))]

    assert (due, left) == ([], [])


def test_an_ignored_address_is_not_waited_for(file: Office) -> None:
    """It is not looked up either."""
    ignoring = replace(file.config, association=Settings(regions=("FR",), ignore_emails=("*@new.example",)))
    file.config = ignoring
    file.sync(talk())
    create(file, "contact", **NINA)

    assert read(file) == []


def test_a_guest_who_did_not_attend_is_not_waited_for(file: Office) -> None:
    """Nothing would be written for them."""
    file.sync(talk(1, {**NOBODY, "attended": False}))
    create(file, "contact", **NINA)

    assert read(file) == []


def test_what_was_erased_waits_for_nobody(file: Office) -> None:
    """Nothing of the person is left, not even a hash."""
    file.sync(talk())
    Persons(file.ledger.database).erase("nina@new.example", {"acme": ("FR",)}, Actor("Ada"))
    create(file, "contact", **NINA)

    with file.ledger.database.reading() as step:
        assert step.execute(sa.select(awaited)).all() == []
    assert read(file) == []


def test_what_was_pruned_waits_for_nobody(file: Office) -> None:
    """What the call said is gone, so there is nothing to associate."""
    file.sync(talk())
    Retention(file.ledger.database).prune(0)
    create(file, "contact", **NINA)

    assert read(file) == []


def test_a_call_that_its_provider_deleted_before_it_was_written_stays_rejected(file: Office) -> None:
    """It is not to be written, whoever appears."""
    with replace(file.config, writing=Writing(write_unmatched=False)).open() as opened:
        list(sync_settled(file.ledger, opened, [talk()]))
    file.ledger.inbox.deleted("acme", "x:1")
    create(file, "contact", **NINA)

    assert read(file) == []


# -- when it is read


def test_nothing_is_asked_while_no_call_waits(at: Office) -> None:
    """A connection whose guests are all known costs nothing."""
    at.sync(talk(1, {**CARL, "emails": ["carl@buyer.example"]}))
    with at.config.open() as opened:
        Feed(at.ledger, opened).read(at_once=True)
        asked = opened.connection.cost.requests

    assert asked == 0


def test_it_is_read_as_often_as_configured(file: Office) -> None:
    """At the first time at once, then when the seconds are over."""
    file.sync(talk())
    create(file, "contact", **NINA)
    with file.config.open() as opened:
        feed = Feed(file.ledger, opened)
        first, second = feed.read(), feed.read()

    assert (first, second) == (["x:1"], [])


def test_a_connection_that_is_paused_is_left_alone(file: Office) -> None:
    """Until somebody resumes it."""
    file.sync(talk())
    create(file, "contact", **NINA)
    with file.ledger.database.writing() as step:
        step.execute(sa.text("update connections set paused_at = '2026-01-01T00:00:00.000000Z', paused_reason = 'x'"))

    with file.config.open() as opened:
        assert Feed(file.ledger, opened).read(at_once=True) == []


def test_where_it_is_switched_off_nothing_waits(file: Office) -> None:
    """With changes_seconds 0; what waited before is forgotten."""
    file.sync(talk())
    with replace(file.config, changes_seconds=0).open() as opened:
        Feed(file.ledger, opened).read()
    with file.ledger.database.reading() as step:
        assert [*step.execute(sa.select(awaited)), *step.execute(sa.select(feeds))] == []


def test_a_webhook_makes_a_call_due_at_once(at: Office) -> None:
    """What it says changed is heard as what is read."""
    at.sync(talk())
    contact = create(at, "contact", **NINA)
    with at.config.open() as opened:
        due = Feed(at.ledger, opened).hear([Changed("contact", contact, now()), Changed("account", "A9", now())])
    at.settle(*due)

    assert (due, people(at)) == (["x:1"], [contact])


def test_what_a_webhook_of_the_crm_told_is_heard_before_the_next_list(at: Office) -> None:
    """It is kept for whoever reads changes, who is woken."""
    at.sync(talk())
    with at.config.open() as opened:
        feed = Feed(at.ledger, opened)
        feed.read(at_once=True)
        contact = create(at, "contact", **NINA)
        told = [Changed("contact", contact, now()), Changed("contact", contact, now())]
        receiver = Receiver(at.ledger, lambda *_: None, find_changes={"acme": lambda delivery: told}.get)
        received = receiver.receive_changes("acme", Delivery(b""))
        woken = read_agenda(at.ledger.database).due
        assert (received, woken, feed.read(), feed.read()) == (Received("kept"), ("acme",), ["x:1"], [])
    at.settle("x:1")
    assert people(at) == [contact]


def test_a_webhook_of_the_crm_that_no_call_waits_for_is_not_kept(file: Office) -> None:
    """Nor one of a connection that there is not."""
    told = [Changed("contact", "C1", now())]
    receiver = Receiver(file.ledger, lambda *_: None, find_changes={"acme": lambda delivery: told}.get)
    received = [receiver.receive_changes(name, Delivery(b"")) for name in ("acme", "other")]
    assert (received, read_agenda(file.ledger.database).due) == ([Received("ignored"), None], ())


def test_a_worker_reads_what_changed(tmp_path: Path) -> None:
    """An engine that runs associates the call by itself."""
    with office("file", tmp_path) as at:
        config = replace(at.config, changes_seconds=0.05)
        at.sync(talk())
        create(at, "contact", **NINA)
        engine = engine_for(at.ledger, lambda name: config.open(), limits=Limits(sweep_seconds=0.05))
        with running(engine):
            until(lambda: people(at) == ["CNEW3"] and at.desk.show("x:1")["state"] == "written")

    assert activities(at) == 1


def test_a_feed_that_fails_keeps_no_call_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and tried again; calls are worked on meanwhile."""

    def fail(*_: object) -> None:
        raise TryAgainError("the search is away")

    told: list[object] = []
    with office("file", tmp_path) as at:
        at.sync(talk())
        monkeypatch.setattr(Connection, "list_changes", fail)
        config = replace(at.config, changes_seconds=0.05)
        limits = Limits(sweep_seconds=0.05)
        engine = engine_for(
            at.ledger, lambda name: config.open(), limits=limits, report=lambda _, ran: told.append(ran)
        )
        with running(engine):
            at.ledger.inbox.accept("acme", [talk(2, CARL)])
            until(lambda: at.desk.show("x:2")["state"] == "written")
            until(lambda: sum(isinstance(it, TryAgainError) for it in told) > 1)

    assert activities(at, "x:2") == 1


def test_a_page_that_cannot_be_read_any_more_is_begun_anew(tmp_path: Path) -> None:
    """Of a list that another version of the plugin had begun."""
    with office("hubspot", tmp_path) as at:
        at.sync(talk())
        contact = create(at, "contact", **NINA)
        listing = at.ledger.feeds.turn("acme", every_seconds=60, at_once=True)
        assert listing is not None
        at.ledger.feeds.went_on("acme", listing, "of another version")
        with pytest.raises(ContractError):
            read(at)

        assert (read(at), people(at)) == (["x:1"], [contact])


def test_the_user_is_no_guest(file: Office) -> None:
    """A user of the call platform who becomes a contact associates nothing."""
    file.sync(talk())
    create(file, "contact", name="Ada Agent", email=str(USER["emails"][0]))  # type: ignore[index]  # a list

    assert read(file) == []
