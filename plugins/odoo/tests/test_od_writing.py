"""Writing calls and meetings into a real Odoo."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from connector_odoo import ODOO

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Call, CallKey, Replaced
from connector_core.sync import sync
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
BODY = "<p><strong>Call:</strong> aircall, 30 min</p><p>ref: test:1</p>"
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}],
    "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "emails": ["carl@x.example"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Fred"},
        {"kind": "lead", "id": "L1", "name": "Lea"},
    ],
    "opportunities": [{"id": "O1", "name": "Deal", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]}],
}


def draft(key: str = "test:1", **more: Any) -> ActivityDraft:
    """Draft a call of half an hour."""
    given = {"kind": "call", "started_at": START, "ended_at": START + dt.timedelta(minutes=30), "subject": "Call"}
    return ActivityDraft(key=key, **{**given, "body": BODY.replace("test:1", key), **more})  # type: ignore[arg-type] # as given


def write(account: Any, *drafts: ActivityDraft) -> list[Any]:
    """Write drafts; give their receipts."""
    receipts = account.adapter.write_activity(drafts)
    return [receipts[each.key] for each in drafts]


def find(account: Any, key: str = "test:1") -> list[Any]:
    """Find what carries a key."""
    return list(account.adapter.find_activity([CallKey(key, "phone", START, START)])[key])


def test_a_call_is_written_and_found_again(connect: Connect) -> None:
    """What was drafted is what is read: kind, key, people, opportunity, time, length, text, owner."""
    account = connect(**WORLD)
    people = (account["C1"], account["C2"])
    (receipt,) = write(account, draft(person_ids=people, opportunity_id=account["O1"], owner_id=account["U1"]))

    (activity,) = find(account)

    assert (receipt.outcome, receipt.id) == ("created", activity.id)
    assert (activity.kind, activity.key, activity.subject, activity.body) == ("call", "test:1", "Call", BODY)
    assert sorted(person.id for person in activity.people) == sorted(people)
    assert [opportunity.id for opportunity in activity.opportunities] == [account["O1"]]
    assert (activity.started_at, activity.duration_seconds, activity.owner_id) == (START, 1800, account["U1"])


@pytest.mark.parametrize("named", ["O1", "C2", "L1", None])
def test_a_call_is_a_done_activity_of_the_type_call(connect: Connect, named: str | None) -> None:
    """On the opportunity, the contact or the lead that the call is about, so that its history shows the call."""
    account = connect(**WORLD)
    people = (account[named],) if named in ("C2", "L1") else ()
    (receipt,) = write(account, draft(person_ids=people, opportunity_id=account["O1"] if named == "O1" else None))

    domain = [["calendar_event_id", "=", int(receipt.id.partition(":")[2])], ["active", "in", [True, False]]]
    fields = ["res_model", "res_id", "active", "date_done", "activity_category"]
    (mark,) = account.odoo.read("mail.activity", "search_read", domain=domain, fields=fields)

    model = {"O1": "crm.lead", "L1": "crm.lead", "C2": "res.partner", None: False}[named]
    assert (mark["res_model"], mark["active"], mark["activity_category"]) == (model, False, "phonecall")
    assert mark["date_done"] == "2026-03-02"
    assert mark["res_id"] == (account.number(named) if named else 0)


def test_a_meeting_is_an_event_with_its_guests(connect: Connect) -> None:
    """A meeting is no call, and an account stands among its guests where it has no opportunity."""
    account = connect(**WORLD)
    write(account, draft(kind="event", person_ids=(account["C2"],), account_id=account["A1"]))

    (activity,) = find(account)

    assert (activity.kind, [company.id for company in activity.accounts]) == ("event", [account["A1"]])


def test_nobody_is_told(connect: Connect) -> None:
    """Neither writing nor adding somebody sends an invitation or any other message."""
    account = connect(**WORLD)
    before = account.odoo.read("mail.mail", "search_count", domain=[])
    notified = account.odoo.read("mail.notification", "search_count", domain=[])
    (receipt,) = write(account, draft(person_ids=(account["C1"],), owner_id=account["U1"]))
    write(account, draft(activity_id=receipt.id, person_ids=(account["C2"],)))

    assert account.odoo.read("mail.mail", "search_count", domain=[]) == before
    assert account.odoo.read("mail.notification", "search_count", domain=[]) == notified


def test_a_hundred_are_one_request(connect: Connect) -> None:
    """A hundred calls are created together; what has to be known of the server is asked once."""
    account = connect(**WORLD)
    drafts = [draft(f"test:{number}", person_ids=(account["C1"],)) for number in range(100)]
    receipts = write(account, *drafts)
    first = list(account.sent)
    write(account, draft("test:again", person_ids=(account["C1"],)))

    assert {receipt.outcome for receipt in receipts} == {"created"}
    assert len({receipt.id for receipt in receipts}) == 100
    assert first == ["mail.activity.type/search", "mail.activity/default_get", "calendar.event/create"]
    assert account.sent[len(first) :] == ["calendar.event/create"]


def test_one_that_is_refused_keeps_no_other_back(connect: Connect) -> None:
    """A request is one transaction: the others are sent again without the one that Odoo does not take."""
    account = connect(**WORLD)
    wrong = draft("test:wrong", subject="a\x00b")  # PostgreSQL has no such character
    drafts = [draft(f"test:{number}") for number in range(5)]

    receipts = write(account, *drafts[:2], wrong, *drafts[2:])

    assert [receipt.outcome for receipt in receipts] == ["created"] * 2 + ["refused"] + ["created"] * 3
    assert receipts[2].reason


@pytest.mark.parametrize("gone", ["C2", "O1"])
def test_what_is_gone_is_left_out(connect: Connect, gone: str) -> None:
    """A record that was deleted since it was found counts as absent; the call is written without it."""
    account = connect(**WORLD)
    given = {"person_ids": (account["C1"], account["C2"]), "opportunity_id": account["O1"], "owner_id": account["U1"]}
    missing = {"C2": {"person_ids": (account["C1"], "partner:99999999")}, "O1": {"opportunity_id": "lead:99999999"}}

    (receipt,) = write(account, draft(**{**given, **missing[gone]}))

    (activity,) = find(account)
    assert receipt.outcome == "created"
    assert len(activity.people) == (1 if gone == "C2" else 2)
    assert len(activity.opportunities) == (0 if gone == "O1" else 1)
    assert activity.owner_id == account["U1"]


@pytest.mark.parametrize("owner", ["user:99999999", "C1"])
def test_an_owner_who_is_no_user_is_refused(connect: Connect, owner: str) -> None:
    """The core writes the call again with another one; one whose owner is there is written at once."""
    account = connect(**WORLD)
    wrong = draft("test:wrong", owner_id=account[owner] if owner == "C1" else owner)

    refused, made = write(account, wrong, draft(owner_id=account["U1"]))

    assert (refused.outcome, refused.owner_refused, made.outcome) == ("refused", True, "created")


def test_a_change_changes_what_it_says_and_no_more(connect: Connect) -> None:
    """Text is replaced where it is given, people are added, and what is not spoken of stays."""
    account = connect(**WORLD)
    (made,) = write(account, draft(person_ids=(account["C1"],), owner_id=account["U1"]))
    nothing = draft(activity_id=made.id, subject=None, body=None, replaces=Replaced(subject="Call"))

    (receipt,) = write(account, replace(nothing, subject="Renamed", person_ids=(account["C2"],)))

    (activity,) = find(account)
    assert (receipt.outcome, receipt.id) == ("updated", made.id)
    assert (activity.subject, activity.body, activity.duration_seconds) == ("Renamed", BODY, 1800)
    assert sorted(person.id for person in activity.people) == sorted([account["C1"], account["C2"]])
    assert activity.owner_id == account["U1"]


def test_a_change_of_nothing_sends_nothing(connect: Connect) -> None:
    """What is so already is read, and not written."""
    account = connect(**WORLD)
    (made,) = write(account, draft(person_ids=(account["C1"],)))
    account.sent.clear()

    (receipt,) = write(account, draft(activity_id=made.id, person_ids=(account["C1"],)))

    assert (receipt.outcome, account.sent) == ("unchanged", ["calendar.event/web_search_read"])


def test_an_opportunity_that_is_there_stays(connect: Connect) -> None:
    """A change sets an opportunity where there is none, and never replaces one."""
    world = {**WORLD, "opportunities": [*WORLD["opportunities"], {"id": "O2", "created_at": "2026-02-02T00:00:00Z"}]}
    account = connect(**world)
    (made,) = write(account, draft())
    for wanted in ("O1", "O2"):
        write(account, draft(activity_id=made.id, opportunity_id=account[wanted]))

    (activity,) = find(account)

    assert [opportunity.id for opportunity in activity.opportunities] == [account["O1"]]


def test_an_opportunity_of_the_connector_stays_too(connect: Connect) -> None:
    """Neither replaced nor taken off, as the manifest says; the receipt tells it."""
    world = {**WORLD, "opportunities": [*WORLD["opportunities"], {"id": "O2", "created_at": "2026-02-02T00:00:00Z"}]}
    account = connect(**world)
    (made,) = write(account, draft(opportunity_id=account["O1"]))
    nothing = draft(activity_id=made.id, subject=None, body=None, replaces=Replaced(opportunity_id=account["O1"]))

    receipts = [*write(account, nothing), *write(account, replace(nothing, opportunity_id=account["O2"]))]

    (activity,) = find(account)
    assert [(receipt.outcome, receipt.kept) for receipt in receipts] == [("unchanged", ("opportunity_id",))] * 2
    assert [opportunity.id for opportunity in activity.opportunities] == [account["O1"]]


def test_a_text_that_somebody_wrote_meanwhile_stays(connect: Connect) -> None:
    """It is read again just before; the rest of the change is written."""
    account = connect(**WORLD)
    (made,) = write(account, draft())
    stale = draft(
        activity_id=made.id, subject="New", body="<p>New</p>", replaces=Replaced(subject="Call", body="<p>Old</p>")
    )

    (receipt,) = write(account, stale)

    (activity,) = find(account)
    assert (receipt.outcome, receipt.kept) == ("updated", ("body",))
    assert (activity.subject, activity.body) == ("New", BODY)


def test_people_and_accounts_of_the_connector_are_taken_off(connect: Connect) -> None:
    """Guests, the company among them, and a lead in the place of an opportunity; nobody is told."""
    account = connect(**WORLD)
    people = (account["C1"], account["C2"], account["L1"])
    (made,) = write(account, draft(person_ids=people))
    (other,) = write(account, draft("test:2", person_ids=(account["C1"],), account_id=account["A1"]))
    before = account.odoo.read("mail.mail", "search_count", domain=[])
    nothing = draft(
        activity_id=made.id, subject=None, body=None, replaces=Replaced(person_ids=(account["C1"], people[2]))
    )
    company = replace(nothing, key="test:2", activity_id=other.id, replaces=Replaced(account_id=account["A1"]))

    receipts = write(account, nothing, company)

    assert [(receipt.outcome, receipt.kept) for receipt in receipts] == [("updated", ())] * 2
    assert [person.id for activity in find(account) for person in activity.people] == [account["C2"]]
    (second,) = find(account, "test:2")
    assert ([person.id for person in second.people], second.accounts) == ([account["C1"]], ())
    assert account.odoo.read("mail.mail", "search_count", domain=[]) == before


def test_a_person_s_event_is_given_the_key(connect: Connect) -> None:
    """An event that somebody made by hand is found by the call's id after the change, and keeps its text."""
    by_hand = {"id": "T1", "kind": "event", "person_ids": ["C1"], "started_at": "2026-03-02T09:00:00Z", "body": "Mine."}
    account = connect(**WORLD, activities=[by_hand])
    change = draft(activity_id=account["T1"], set_key=True, subject=None, body=None)

    (receipt,) = write(account, change)

    (activity,) = find(account)
    assert (receipt.outcome, activity.id, activity.body) == ("updated", account["T1"], "<p>Mine.</p>")


def test_another_call_s_event_is_left_alone(connect: Connect) -> None:
    """An event that carries another call's id by now is not changed."""
    account = connect(**WORLD)
    (made,) = write(account, draft("other:1"))

    (receipt,) = write(account, draft(activity_id=made.id, subject="Stolen"))

    assert (receipt.outcome, receipt.code) == ("refused", "other_key")
    assert find(account, "other:1")[0].subject == "Call"


def test_an_event_that_is_gone_is_refused_alone(connect: Connect) -> None:
    """A change of what was deleted is refused; the others of the batch are made."""
    account = connect(**WORLD)
    (made,) = write(account, draft())

    gone, kept = write(
        account,
        draft("test:2", activity_id="event:99999999"),
        draft(activity_id=made.id, subject="Renamed", replaces=Replaced(subject="Call")),
    )

    assert (gone.outcome, kept.outcome) == ("refused", "updated")


def test_a_change_to_what_is_gone_changes_nothing(connect: Connect) -> None:
    """A change that names nothing but a record that was deleted is answered, and leaves the event as it was."""
    account = connect(**WORLD)
    (made,) = write(account, draft())

    receipts = write(account, draft(activity_id=made.id, opportunity_id="lead:99999999"))

    assert [receipt.outcome for receipt in receipts] == ["unchanged"]


def test_a_kind_that_odoo_has_not_is_refused(connect: Connect) -> None:
    """Tasks and notes are not written here."""
    account = connect(**WORLD)

    (receipt,) = write(account, draft(kind="task"))

    assert (receipt.outcome, account.sent) == ("refused", [])


@pytest.fixture
def forgetful() -> Iterator[Callable[[str], tuple[str, list[str]]]]:
    """Stand between connector and server: what is created is created, and the first answer to it gets lost."""
    listeners: list[Listener] = []
    pool = urllib3.PoolManager(retries=False)

    def before(server: str) -> tuple[str, list[str]]:
        created: list[str] = []

        def answer(request: Request) -> Response | None:
            kept = {name: text for name, text in request.headers.items() if name not in ("host", "content-length")}
            got = pool.request("POST", f"{server}{request.path}", body=request.body, headers=kept)
            if request.path.endswith("/create"):
                created.append(json.dumps(json.loads(request.body)["vals_list"]))
                if len(created) == 1:
                    return None
            return Response(got.status, got.data, {"Content-Type": "application/json"})

        listener = Listener(answer, 0)
        threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        listeners.append(listener)
        return f"http://127.0.0.1:{listener.server_address[1]}", created

    yield before
    for listener in listeners:
        listener.shutdown()
        listener.server_close()
    pool.clear()


def test_a_lost_answer_makes_no_second_activity(
    connect: Connect, forgetful: Callable[[str], tuple[str, list[str]]]
) -> None:
    """A create that was executed and not answered is found by its key, and not sent again."""
    account = connect(**WORLD)
    url, created = forgetful(account.settings["base_url"])
    guest = {"is_user": False, "emails": ["carl@x.example"]}
    given = {"id": "test:1", "provider": "test", "kind": "phone", "started_at": START, "participants": [guest]}
    settings = {**account.settings, "base_url": url}

    with bind(ODOO, settings, ConnectionInfo("odoo", ("FR",))) as odoo:
        (result,) = sync(odoo, [Call.model_validate(given)], Settings(regions=("FR",)), sleep=lambda _: None)

    assert (result.outcome, len(created)) == ("created", 1)
    assert [activity.id for activity in find(account)] == [result.activity_id]
