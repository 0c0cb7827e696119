"""What people do at the desk stays, and is really in the CRM: on the file, and on the sandboxes over HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from office import ADA, CARL, CRMS, NOBODY, Office, call, office, restarted

from connector_core.association import Settings
from connector_core.config import ConnectionConfig
from connector_core.connection import Connection
from connector_core.desk import Desk
from connector_core.errors import ConnectorError, InputError, UnsupportedError
from connector_core.ledger.leases import Lease
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.retention import Retention
from connector_core.model import Person, Unknown
from connector_core.pump import Pump
from connector_core.settling import settle
from connector_core.writing import Writing


@pytest.fixture(params=CRMS)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office with one call written: Carl, his account, his opportunity."""
    with office(request.param, tmp_path) as opened:
        assert [it.outcome for it in opened.sync(call())] == ["created"]
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Office]:
    """The same with the CRM in a file alone, where the CRM makes no difference."""
    with office("file", tmp_path) as opened:
        opened.sync(call())
        yield opened


def found(decision: dict[str, Any]) -> tuple[str | None, ...]:
    """Give the ids of the guest, the account and the opportunity."""
    return tuple(it and it["id"] for it in (decision["people"][1], decision["account"], decision["opportunity"]))


# -- what a person decided


def assigned(at: Office) -> None:
    """Say that the guest was Dora: her account and her opportunity follow."""
    at.assign(participant=1, contact="C2")


def another_deal(at: Office) -> None:
    """Say which opportunity it was."""
    at.assign(opportunity="O2")


def another_account(at: Office) -> None:
    """Say which account it was: no opportunity of Carl's is one of that."""
    at.assign(account="A2")


def nobody(at: Office) -> None:
    """Say that the guest was nobody of the CRM."""
    at.clear(participant=1)


def no_account(at: Office) -> None:
    """Say that it is no account's: then no opportunity with an account can be it."""
    at.clear(account=True)


def no_deal(at: Office) -> None:
    """Say that it is about no opportunity."""
    at.clear(opportunity=True)


DECIDED: list[tuple[Callable[[Office], None], tuple[str | None, str | None, str | None]]] = [
    (assigned, ("C2", "A2", "O2")),
    (another_deal, ("C1", "A2", "O2")),
    (another_account, ("C1", "A2", None)),
    (nobody, (None, None, None)),
    (no_account, ("C1", None, None)),
    (no_deal, ("C1", "A1", None)),
]


@pytest.mark.parametrize(("decide", "links"), DECIDED, ids=[decide.__name__ for decide, _ in DECIDED])
def test_what_a_person_decided_is_written_and_stays(
    at: Office, decide: Callable[[Office], None], links: tuple[str | None, str | None, str | None]
) -> None:
    """The one activity follows, our old links are taken back; a sync, a richer call, a refresh and a restart keep it."""
    decide(at)
    assert at.linked() == at.links(*links)
    manual = at.decision()["manual"]

    at.sync(call())
    (richer,) = at.sync(call(1, CARL, summary="They want a quote."))
    at.refresh()
    with restarted(at) as again:
        again.refresh()
        again.sync(call(1, CARL, summary="They want two quotes."))

        assert richer.outcome == "updated"
        assert again.linked() == again.links(*links)
        assert again.decision()["manual"] == manual
        assert "two quotes" in str(again.records())


def test_the_json_says_what_is_by_hand_who_did_it_and_when(at: Office) -> None:
    """``manual`` lists the choices, each found record its source."""
    at.assign(participant=1, contact="C2")
    at.clear(opportunity=True)

    decision = at.decision()
    contact, deal = decision["manual"]
    assert (contact["what"], contact["participant"], contact["id"], contact["by"]) == ("contact", 1, at.id("C2"), "Ada")
    assert (deal["what"], deal["participant"], deal["id"], deal["by"]) == ("opportunity", None, None, "Ada")
    assert contact["at"] < deal["at"]
    assert (decision["people"][1]["source"], decision["account"]["source"]) == ("manual", "automatic")


@pytest.mark.parametrize("crm", CRMS)
def test_links_that_somebody_made_stay(tmp_path: Path, crm: str) -> None:
    """A look-alike names Eve; the call is then said to be Dora's, and then nobody's: Eve stays."""
    start = "2026-03-02T09:00:00Z"
    theirs = {"id": "T9", "kind": "call", "person_ids": ["C3"], "started_at": start, "duration_seconds": 600}
    eve = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}
    with office(crm, tmp_path, activities=[theirs]) as at:
        assert [it.outcome for it in at.sync(call(1, eve))] == ["updated"]

        at.assign(participant=1, contact="C2")
        both = at.linked()
        at.clear(participant=1)

        assert both == at.links("C2", "A1", "O3") | {"C3"}
        assert at.linked() == at.links("C3", "A1", "O3")


def test_of_several_guests_of_a_meeting_one_is_corrected(at: Office) -> None:
    """The others stay, and so do account and opportunity that the rest of them bring."""
    dora = {"is_user": False, "name": "Dora", "emails": ["dora@other.example"]}
    at.sync(call(3, CARL, dora, kind="meeting"))
    before = at.linked("x:3")

    at.assign("x:3", participant=2, contact="C3")
    after = at.linked("x:3")
    at.clear("x:3", participant=1)

    assert {"C1", "C2"} <= before
    assert after == at.links("C1", "A1", "O1") | {"C3"}
    assert at.linked("x:3") == at.links("C3", "A1", "O3")


def test_what_was_decided_about_somebody_goes_along_to_another_place(file: Office) -> None:
    """A richer version of the call names somebody before Carl: Carl is still who a person said, and the other is found."""
    file.assign(participant=1, contact="C2")
    eve = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}

    file.sync(call(1, eve, CARL))

    people = [person and (person["id"], person["source"]) for person in file.decision()["people"]]
    assert people == [None, ("C3", "automatic"), ("C2", "manual")]


def test_what_was_decided_about_somebody_who_is_not_there_any_more_holds_for_nobody_else(file: Office) -> None:
    """A richer version of the call has Eve where Carl stood, and Carl nowhere."""
    file.assign(participant=1, contact="C2")
    eve = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}
    file.sync(call(1, CARL, eve))

    file.sync(call(1, eve, title="A longer talk"))

    assert [person and person["id"] for person in file.decision()["people"]] == [None, "C3"]


def test_an_association_made_in_the_crm_after_our_writing_stays_too(file: Office) -> None:
    """Somebody adds Eve to our activity; correcting the guest takes back Carl alone."""
    file.change("activities", "T1", person_ids=["C1", "C3"])

    file.assign(participant=1, contact="C2")

    assert file.records()["activities"][0]["person_ids"] == ["C3", "C2"]


def test_what_a_crm_has_one_field_for_is_not_taken_for_taken_out(at: Office, tmp_path: Path) -> None:
    """Nobody did anything, and no explanation says so: not for ours, nor for a look-alike with its opportunity."""
    start = "2026-03-02T09:00:00Z"
    theirs = {
        "id": "T9",
        "kind": "call",
        "person_ids": ["C1"],
        "opportunity_id": "O1",
        "started_at": start,
        "duration_seconds": 600,
    }
    at.refresh()
    other = tmp_path / "other"
    other.mkdir()
    with office(at.config.crm, other, activities=[theirs]) as it:
        it.sync(call())
        it.refresh()

        assert "took out" not in at.decision()["explanation"] + it.decision()["explanation"]
        assert it.decision()["case"] == "activity_opportunity"


def test_what_was_cleared_by_hand_is_not_taken_for_taken_out(at: Office) -> None:
    """Also where the opportunity stood for the account, as in Salesforce: it went along with it."""
    at.clear(account=True)
    at.refresh()

    assert "took out" not in at.decision()["explanation"]
    assert at.linked() == {"C1"}


def test_an_opportunity_brings_its_account_but_not_in_place_of_one_set_by_hand(file: Office) -> None:
    """Both are then a person's choice, in whichever order."""
    file.assign(account="A2")
    file.assign(opportunity="O1")

    assert found(file.decision()) == ("C1", "A2", "O1")
    assert file.decision()["account"]["source"] == "manual"


def test_a_choice_takes_the_place_of_an_earlier_one(file: Office) -> None:
    """Setting after clearing after setting: the last one counts, and is the only one listed."""
    file.assign(opportunity="O2")
    file.clear(opportunity=True)
    file.assign(opportunity="O3")

    assert [choice["id"] for choice in file.decision()["manual"]] == ["O3"]
    assert file.linked() == {"C1", "A1", "O3"}


def test_what_is_not_by_hand_is_decided_anew_also_after_a_refresh(file: Office) -> None:
    """A refresh keeps who was found; a person's choice afterwards lets the rules look again."""
    file.change("people", "C3", email="carl@buyer.example", title="CEO")  # ranks before Carl today
    file.refresh()
    kept = found(file.decision())

    file.assign(account="A1")

    assert (kept[0], found(file.decision())[0]) == ("C1", "C3")


# -- what is offered, and refused


def test_the_choices_are_the_opportunities_of_the_calls_account(at: Office) -> None:
    """Open ones first, by name; those of other accounts are not offered."""
    assert [deal.id for deal in at.desk.choices("x:1")] == [at.id("O1"), at.id("O3")]

    at.assign(account="A2")
    assert [deal.id for deal in at.desk.choices("x:1")] == [at.id("O2")]


@pytest.fixture
def choosy(tmp_path: Path) -> Iterator[Office]:
    """An office whose settings leave calls out in which nobody was found, and one such call."""
    with office("file", tmp_path) as plain:
        plain.config = replace(plain.config, writing=Writing(write_unmatched=False))
        with restarted(plain) as opened:
            assert [it.outcome for it in opened.sync(call(1, NOBODY))] == ["skipped"]
            yield opened


def test_a_call_of_nobody_is_written_once_a_person_set_its_account(choosy: Office) -> None:
    """A person's choice counts as found, though ``write_unmatched`` is off."""
    assert choosy.assign(account="A1").outcome == "created"
    assert choosy.linked() == {"A1"}


def test_a_call_of_nobody_is_not_written_when_a_person_clears_its_account(choosy: Office) -> None:
    """There is still nothing to write it to."""
    assert choosy.clear(account=True).outcome == "skipped"


def test_without_an_account_there_is_nothing_to_choose_from(file: Office) -> None:
    """It says what to do."""
    file.clear(account=True)

    with pytest.raises(InputError, match=r"has no account, .*assign one first"):
        file.desk.choices("x:1")


def test_a_search_finds_people_and_accounts(at: Office) -> None:
    """By a part of the name."""
    people, accounts = at.desk.search("Deal"), at.desk.search(" Buyer ", accounts=True)

    assert ([it.id for it in people], [it.id for it in accounts]) == ([at.id("C2")], [at.id("A1")])


@pytest.mark.parametrize("accounts", [False, True])
@pytest.mark.parametrize("text", ["", "ab", "  ab  "])
def test_a_search_for_less_than_three_characters_is_refused(file: Office, text: str, accounts: bool) -> None:
    """Blanks around it do not count."""
    with pytest.raises(InputError, match="too short; wanted 3 characters"):
        file.desk.search(text, accounts=accounts)


@pytest.mark.parametrize("crm", ["file", "salesforce"])
def test_a_form_is_filled_with_what_is_known(tmp_path: Path, crm: str) -> None:
    """The guest's name and address, and the call's account."""
    with office(crm, tmp_path) as at:
        at.sync(call(1), call(2, NOBODY))

        contact = at.desk.form("x:2", "contact", participant=1)
        deal = at.desk.form("x:1", "opportunity")

    assert {"Nina", "nina@new.example"} <= set(re.split("[=&,?#]", unquote(unquote(contact))))
    assert at.id("A1") in deal


def test_a_crm_whose_form_has_no_address_is_named(tmp_path: Path) -> None:
    """HubSpot's is none that could be given."""
    with office("hubspot", tmp_path) as at:
        at.sync(call())
        with pytest.raises(UnsupportedError, match="hubspot has no form_address"):
            at.desk.form("x:1", "opportunity")


def untouched(at: Office) -> tuple[Any, ...]:
    """Give all that a refused correction must leave alone."""
    known = at.desk.show("x:1")
    return known["state"], known["audit"], known["decision"], at.records(), at.writes.number


def assign(**what: Any) -> Callable[[Desk], object]:
    return lambda desk: desk.assign(ADA, ["x:1"], **what)


REFUSED: dict[str, tuple[Callable[[Desk], object], str]] = {
    "a call that is not known": (lambda desk: desk.show("x:7"), "has accepted no call x:7"),
    "one of several is not known": (
        lambda desk: desk.assign(ADA, ["x:1", "x:7"], account="A2"),
        "has accepted no call x:7",
    ),
    "to clear, one of several is not known": (
        lambda desk: desk.clear(ADA, ["x:1", "x:7"], account=True),
        "has accepted no call x:7",
    ),
    "to refresh, one of several is not known": (
        lambda desk: desk.refresh(ADA, ["x:1", "x:7"]),
        "has accepted no call x:7",
    ),
    "no such place": (assign(participant=5, contact="C2"), "no guest at place 5; guests stand at: 1"),
    "a user": (assign(participant=0, contact="C2"), "no guest at place 0"),
    "to clear a user": (lambda desk: desk.clear(ADA, ["x:1"], participant=0), "no guest at place 0"),
    "a form for a user": (lambda desk: desk.form("x:1", "contact", participant=0), "no guest at place 0"),
    "a form for nobody": (lambda desk: desk.form("x:1", "contact"), "no guest at place None"),
    "a contact that is gone": (assign(participant=1, contact="C9"), "the CRM has no contact with the id"),
    "an account that is gone": (assign(account="A9"), "the CRM has no account with the id"),
    "an opportunity that is gone": (assign(opportunity="O9"), "the CRM has no opportunity with the id"),
    "a contact that is an address": (assign(participant=1, contact="carl@buyer.example"), "has no contact with the id"),
    "an empty id": (assign(account=" "), "the id is empty"),
    "a contact of nobody": (assign(contact="C2"), "wanted the guest's place"),
    "an account of a guest": (
        assign(participant=1, account="A2"),
        "wanted the guest's place",
    ),
    "two at once": (assign(account="A2", opportunity="O2"), "wanted one of"),
    "nothing": (assign(), "wanted one of"),
    "to clear nothing": (lambda desk: desk.clear(ADA, ["x:1"]), "wanted one of"),
    "to clear two at once": (lambda desk: desk.clear(ADA, ["x:1"], account=True, opportunity=True), "wanted one of"),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(
    file: Office, act: Callable[[Desk], object], message: str
) -> None:
    """For no call; and the message carries no address."""
    before = untouched(file)

    with pytest.raises(InputError, match=message) as refused:
        act(file.desk)

    assert "@" not in str(refused.value)
    assert untouched(file) == before


@pytest.mark.parametrize("what", ["contact", "account", "opportunity"])
def test_an_id_that_no_record_has_is_refused_by_every_crm(at: Office, what: str) -> None:
    """Whatever it looks like: neither a service nor its SDK stumbles over it."""
    before = at.records()
    for record in ("nope", "999999999", "003000000000ABC", "carl@buyer.example", "it's"):
        given = {what: record, **({"participant": 1} if what == "contact" else {})}
        with pytest.raises(InputError, match=f"the CRM has no {what} with the id that was given"):
            at.desk.assign(ADA, ["x:1"], **given)  # type: ignore[arg-type]  # names and values as they are wanted

    assert at.records() == before


def test_a_lead_that_was_converted_to_somebody_who_is_gone_is_refused(tmp_path: Path) -> None:
    """It stands for nobody."""
    lead = {"kind": "lead", "id": "L1", "name": "Lea", "converted_contact_id": "C9"}
    with office("file", tmp_path, people=[lead]) as at:
        at.sync(call())
        with pytest.raises(InputError, match="the CRM has no contact"):
            at.desk.assign(ADA, ["x:1"], participant=1, contact="L1")


ODOO = ConnectionConfig(
    "acme", "odoo", {"base_url": "http://127.0.0.1:9", "database": "none", "api_key": "none"}, Settings(regions=("FR",))
)


@pytest.mark.parametrize(
    "act",
    [
        lambda desk: desk.assign(ADA, ["x:1"], opportunity="1"),
        lambda desk: desk.clear(ADA, ["x:1"], opportunity=True),
        lambda desk: desk.choices("x:1"),
    ],
    ids=["assign", "clear", "choices"],
)
def test_where_the_opportunity_cannot_be_changed_it_is_refused_before_any_request(
    tmp_path: Path, act: Callable[[Desk], object]
) -> None:
    """Nobody listens at that address; the message names the plugin and what it lacks."""
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger, ODOO.open() as opened:
        ledger.inbox.accept("acme", [call()])
        desk = Desk(ledger, opened)

        with pytest.raises(UnsupportedError, match="odoo has no trait change_opportunity"):
            act(desk)

        assert (opened.connection.cost.requests, desk.show("x:1")["audit"]) == (0, [])


@pytest.mark.parametrize("status", [401, 403, 503])
@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_a_crm_that_cannot_be_asked_is_told_without_what_was_asked_and_nothing_changes(
    tmp_path: Path, crm: str, status: int
) -> None:
    """Whether the record is there is not known; the CRM's answer repeats what it was asked, and the message does not."""
    words = ("dora@other.example", "+33639980012")
    with office(crm, tmp_path) as at:
        at.sync(call())
        assert at.server is not None
        told = f"no {' '.join(words)} {' '.join(map(str, at.config.settings.values()))}"
        body = [{"message": told, "errorCode": "NOT_NOW"}] if crm == "salesforce" else {"message": told}
        at.server._set_faults([{"do": {"status": status, "body": body}}])
        acts: list[Callable[[Desk], object]] = [
            lambda desk: desk.assign(ADA, ["x:1"], account=at.id("A2")),
            lambda desk: desk.assign(ADA, ["x:1"], participant=1, contact=at.id("C2")),
            lambda desk: desk.assign(ADA, ["x:1"], opportunity=at.id("O2")),
            lambda desk: desk.choices("x:1"),
            lambda desk: desk.search(words[0]),
            lambda desk: desk.search(words[1]),
        ]
        messages = []
        for act in acts:
            with pytest.raises(ConnectorError) as failed:
                act(at.desk)
            messages.append(str(failed.value))

        assert (at.desk.show("x:1")["state"], at.desk.show("x:1")["audit"]) == ("written", [])
        secrets = [str(value) for key, value in at.config.settings.items() if "secret" in key or "token" in key]
        assert [text for text in messages if any(word in text for word in (*words, *secrets))] == []


@pytest.mark.parametrize("act", ["assign", "refresh"])
def test_what_was_deleted_at_its_provider_is_not_written_after_all(tmp_path: Path, act: str) -> None:
    """Nobody's correction brings it back."""
    with office("file", tmp_path) as at:
        at.ledger.inbox.accept("acme", [call()])
        at.ledger.inbox.deleted("acme", "x:1")
        with pytest.raises(InputError, match="was deleted at its provider"):
            at.assign(account="A2") if act == "assign" else at.refresh()

        assert at.records()["activities"] == []


def test_what_is_not_kept_any_more_is_shown_as_far_as_it_is_and_cannot_be_corrected(file: Office) -> None:
    """Where its activity is stays known."""
    Retention(file.ledger.database).prune(-1)

    known = file.desk.show("x:1")
    assert (known["state"], known["call"], known["decision"], known["activity"]["id"]) == ("written", None, None, "T1")
    for what in ({"account": "A2"}, {"participant": 1, "contact": "C2"}):
        with pytest.raises(InputError, match="not kept any more"):
            file.assign(**what)
    with pytest.raises(InputError, match="not kept any more"):
        file.refresh()


# -- refresh


def test_refreshing_an_unchanged_crm_changes_nothing_at_all(at: Office) -> None:
    """No request that writes, and the records are the same with their times of change."""
    at.sync(call(2, NOBODY))
    before = at.records(), at.writing_requests(), found(at.decision())

    outcomes = [at.refresh("x:1", "x:2").outcome, at.refresh("x:2", "x:1").outcome]

    assert (outcomes, at.writes.number) == (["unchanged", "unchanged"], 0)
    assert (at.records(), at.writing_requests(), found(at.decision())) == before


def test_a_contact_that_was_added_later_is_found_and_the_one_activity_is_updated(at: Office) -> None:
    """Account and opportunity come with it; refreshing once more changes nothing."""
    at.sync(call(2, NOBODY))
    assert at.linked("x:2") == set()
    at.change("people", "C2", email="nina@new.example")

    first = at.refresh("x:2")
    after = at.records(), at.writes.number
    second = at.refresh("x:2")

    assert (first.outcome, second.outcome, at.linked("x:2")) == ("updated", "unchanged", at.links("C2", "A2", "O2"))
    assert (at.records(), at.writes.number) == after


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_a_contact_that_was_merged_is_kept_as_its_survivor(tmp_path: Path, crm: str) -> None:
    """One that was found, and one that was set by hand."""
    with office(crm, tmp_path) as at:
        at.sync(call(1), call(2, NOBODY))
        at.assign("x:2", participant=1, contact="C1")
        at.change("people", "C1", merge_into="C3")

        at.refresh("x:1", "x:2")

        assert [at.decision(it)["people"][1]["id"] for it in ("x:1", "x:2")] == [at.id("C3"), at.id("C3")]
        assert at.decision("x:2")["people"][1]["source"] == "manual"
        assert "C3" in at.linked("x:1") & at.linked("x:2")
        before = at.records()
        assert (at.refresh("x:1", "x:2").outcome, at.records()) == ("unchanged", before)


def test_an_opportunity_set_by_hand_that_is_gone_gives_way_and_is_told(at: Office) -> None:
    """The automatic choice takes over, the explanation names the one that is gone; the list still shows the choice."""
    at.assign(opportunity="O3")
    at.change("opportunities", "O3", delete=True)

    at.refresh()

    decision = at.decision()
    assert found(decision) == (at.id("C1"), at.id("A1"), at.id("O1"))
    assert at.linked() == at.links("C1", "A1", "O1")
    assert f"The opportunity {at.id('O3')} that was set by hand is no longer in the CRM" in decision["explanation"]
    assert [choice["id"] for choice in decision["manual"]] == [at.id("O3")]


def test_a_refresh_that_could_not_ask_keeps_what_was_found_for_the_next_try(tmp_path: Path) -> None:
    """While the CRM was down nothing was decided: who was found before is not forgotten."""
    with office("salesforce", tmp_path) as at:
        at.sync(call())
        at.change("people", "C3", email="carl@buyer.example", Title="CEO")  # ranks before Carl today
        assert at.server is not None
        at.server._set_faults([{"do": {"status": 503, "body": []}}])
        waits = at.refresh()
        at.server._set_faults([])
        (after,) = at.sync(call())

        assert (waits.outcome, after.outcome) == ("deferred", "unchanged")
        assert found(at.decision()) == (at.id("C1"), at.id("A1"), at.id("O1"))


def test_a_refresh_of_what_is_to_be_decided_anew_keeps_nothing(file: Office) -> None:
    """New data about the call came first: that is no refresh."""
    file.ledger.inbox.accept("acme", [call(1, {"is_user": False, "emails": ["dora@other.example"]})])

    file.refresh()

    assert found(file.decision()) == ("C2", "A2", "O2")


# -- what waits


def alike(number: int) -> dict[str, Any]:
    """Make a record of the same talk that somebody else made."""
    return {"id": f"T{number}", "kind": "call", "person_ids": ["C1"], "started_at": "2026-03-02T09:05:00Z"}


def test_look_alikes_wait_in_the_queue_until_somebody_mends_them(tmp_path: Path) -> None:
    """The reason names them; once one is linked to its opportunity, a refresh takes that one."""
    with office("file", tmp_path, activities=[alike(1), alike(2)]) as at:
        at.sync(call())
        (row,) = at.desk.queue()
        assert (row["call_id"], row["title"], row["outcome"]) == ("x:1", "A talk", "waiting")
        assert row["reason"] == "activities T1, T2 may each be this call"

        at.change("activities", "T2", opportunity_id="O1")

        assert (at.refresh().activity_id, at.desk.queue()) == ("T2", [])
        assert [row.get("call_id") for row in at.records()["activities"]] == [None, "x:1"]


def test_a_call_with_look_alikes_is_written_once_its_guest_is_somebody_else(tmp_path: Path) -> None:
    """They are then no look-alikes."""
    with office("file", tmp_path, activities=[alike(1), alike(2)]) as at:
        at.sync(call())

        assert at.assign(participant=1, contact="C2").outcome == "created"
        assert (at.linked(), at.desk.queue()) == ({"C2", "A2", "O2"}, [])


def test_what_the_crm_refused_waits_with_its_reason_until_that_is_mended(tmp_path: Path) -> None:
    """The CRM's own words; then a refresh writes it, once."""
    with office("hubspot", tmp_path) as at:
        at.sandbox.org({"required": {"calls": ["hs_call_direction"]}})  # type: ignore[union-attr]  # there is one
        (refused,) = at.sync(call())
        (row,) = at.desk.queue()
        assert (refused.outcome, row["outcome"], row["reason"]) == ("refused", "refused", refused.reason)

        at.sandbox.org({"required": {}})  # type: ignore[union-attr]  # likewise

        assert (at.refresh().outcome, at.desk.queue()) == ("created", [])
        assert at.linked() == at.links("C1", "A1", "O1")


def test_the_queue_lists_the_oldest_call_first(tmp_path: Path) -> None:
    """However they came in."""
    later = [{**alike(number), "started_at": "2026-03-02T10:05:00Z"} for number in (3, 4)]
    with office("file", tmp_path, activities=[alike(1), alike(2), *later]) as at:
        at.sync(call(2), call(1))

        assert [row["call_id"] for row in at.desk.queue()] == ["x:1", "x:2"]


# -- who did what


def test_the_audit_says_who_did_what_with_before_and_after(file: Office) -> None:
    """In order, each with the role; a refresh too."""
    file.desk.assign(Actor("Ada", "user"), ["x:1"], participant=1, contact="C2")
    file.desk.clear(Actor("Max", "manager"), ["x:1"], participant=1)
    file.desk.refresh(Actor("Root", "admin"), ["x:1"])

    rows = [
        (row["by"], row["role"], row["action"], row["before"], row["after"]) for row in file.desk.show("x:1")["audit"]
    ]
    said = {"what": "contact", "participant": 1}
    assert rows == [
        ("Ada", "user", "assign", {**said, "id": "C1", "by": None}, {**said, "id": "C2"}),
        ("Max", "manager", "clear", {**said, "id": "C2", "by": "Ada"}, {**said, "id": None}),
        ("Root", "admin", "refresh", None, None),
    ]


@pytest.mark.parametrize(("what", "had"), [("account", "A1"), ("opportunity", "O1")])
def test_the_audit_says_what_the_rules_had_found(file: Office, what: str, had: str) -> None:
    """Which is lost otherwise: only the newest decision is kept."""
    file.clear(**{what: True})
    file.clear(**{what: True})

    befores = [row["before"] for row in file.desk.show("x:1")["audit"]]
    assert befores == [{"what": what, "id": had, "by": None}, {"what": what, "id": None, "by": ADA.name}]


def test_the_audit_of_what_nothing_was_found_for_has_no_before(tmp_path: Path) -> None:
    """Nobody, no account, no opportunity."""
    with office("file", tmp_path) as at:
        at.sync(call(1, NOBODY))
        at.assign(account="A1")
        assert [row["before"] for row in at.desk.show("x:1")["audit"]] == [None]


@pytest.mark.parametrize(("name", "role"), [(" ", "user"), ("Ada", "owner"), ("Ada", "")])
def test_an_actor_is_somebody_with_a_role(name: str, role: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(InputError, match="actor:"):
        Actor(name, role)


def test_a_paused_connection_goes_on_when_an_admin_or_a_manager_resumes_it(file: Office) -> None:
    """What was corrected meanwhile is kept, and written then; who resumed it is kept too."""
    with file.ledger.leases.take("acme", "test") as lease:
        assert lease is not None
        file.ledger.connections.pause(lease, "the token was refused")

    waits = file.assign(account="A2")
    assert (waits.outcome, waits.settled) == ("deferred", False)
    assert waits.reason == "the connection is paused, until somebody resumes it: the token was refused"
    assert file.desk.paused() == "the token was refused"
    with pytest.raises(InputError, match="an admin or a manager"):
        file.desk.resume(Actor("Uma", "user"))
    assert file.desk.resume(Actor("Max", "manager")) == "the token was refused"

    (after,) = file.settle()
    assert (after.outcome, file.linked(), file.desk.paused()) == ("updated", {"C1", "A2"}, None)
    (row,) = file.ledger.people.audit_of("acme", None)
    assert (row["by"], row["role"], row["action"], row["before"]) == (
        "Max",
        "manager",
        "resume",
        {"paused": "the token was refused"},
    )


def test_resuming_what_was_not_paused_is_no_event(file: Office) -> None:
    """Nothing is noted."""
    assert (file.desk.resume(Actor("Max", "admin")), file.ledger.people.audit_of("acme", None)) == (None, [])


def test_a_correction_wakes_a_pump_in_its_own_step(tmp_path: Path) -> None:
    """Each of them, once."""
    with office("file", tmp_path) as at, at.config.open() as opened:
        at.sync(call())
        woken: list[str] = []
        desk = Desk(at.ledger, opened, wake=lambda name, _: woken.append(name))

        desk.assign(ADA, ["x:1"], account="A2")
        desk.clear(ADA, ["x:1"], account=True)
        desk.refresh(ADA, ["x:1"])
        desk.resume(Actor("Max", "admin"))

        assert woken == ["acme"] * 4


def test_a_correction_while_the_call_is_being_written_is_worked_on_after_it(file: Office) -> None:
    """The call is due once more, and until then nothing says that it was worked on."""
    stop = threading.Event()

    def meanwhile(point: str) -> None:
        if point == "sent":
            file.desk.assign(ADA, ["x:1"], account="A2")
            stop.set()

    file.desk.assign(ADA, ["x:1"], participant=1, contact="C3")
    with file.config.open() as opened:
        # One batch at a time: with more, the run might claim the call once more before it hears of the stop.
        Pump(file.ledger, opened, in_flight=1, reached=meanwhile).run(stop)
    between = file.desk.show("x:1")
    (after,) = file.settle()

    assert (between["state"], between["activity"]["outcome"]) == ("due", None)
    assert (after.outcome, file.linked()) == ("updated", {"C3", "A2"})


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_a_correction_while_a_write_is_not_answered_waits_for_it(tmp_path: Path, crm: str) -> None:
    """What may still be under way is looked for first: one activity, and it says what the person said."""
    with office(crm, tmp_path, settle_seconds=1) as at:
        assert at.server is not None
        create = {"salesforce": {"body": '*"Subject"*'}, "hubspot": {"path": "*/batch/create"}}[crm]
        at.server._set_faults([{"match": create, "times": 1, "do": {"drop_after_commit": True}}])
        at.ledger.inbox.accept("acme", [call()])
        at.pump.run()
        between = at.desk.show("x:1")["activity"]["outcome"]
        at.desk.assign(ADA, ["x:1"], participant=1, contact=at.id("C2"))

        (after,) = settle(at.ledger, at.pump, ["x:1"]).values()

        assert (between, after.outcome) == ("unknown", "updated")
        assert at.linked() == at.links("C2", "A2", "O2")


def test_corrections_are_kept_in_postgresql_as_well(tmp_path: Path, postgres_url: str) -> None:
    """Choosing, clearing, refreshing, resuming, and the record of it."""
    with office("file", tmp_path, ledger_url=postgres_url) as at:
        at.sync(call())
        at.assign(participant=1, contact="C2")
        at.clear(opportunity=True)
        with at.ledger.leases.take("acme", "test") as lease:
            assert lease is not None
            at.ledger.connections.pause(lease, "mended soon")
        at.desk.resume(Actor("Max", "manager"))

        assert at.refresh().outcome == "unchanged"
        assert at.linked() == {"C2", "A2"}
        assert [row["action"] for row in at.desk.show("x:1")["audit"]] == ["assign", "clear", "refresh"]
        assert [row["action"] for row in at.ledger.people.audit_of("acme", None)] == ["resume"]


def test_a_choice_is_for_the_guest_that_the_person_saw(file: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a richer version comes while the CRM is asked, in which another one stands at that place."""
    read = Connection.read_people

    def meanwhile(connection: Connection, ids: Iterable[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        file.ledger.inbox.accept("acme", [call(1, NOBODY, CARL)])
        return read(connection, ids)

    monkeypatch.setattr(Connection, "read_people", meanwhile)
    decision = file.assign(participant=1, contact="C2").decision

    assert decision is not None
    assert [it["participant"] for it in decision["manual"]] == [2]


@pytest.mark.parametrize("name", ["salesforce", "hubspot"])
def test_whoever_may_have_lost_its_lease_changes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sent late, its change would undo what another process wrote meanwhile, by what a person decided since."""
    with office(name, tmp_path) as at:
        at.sync(call())
        at.desk.assign(ADA, ["x:1"], contact=at.id("C2"), participant=1)
        before = at.records()
        lasts = iter([True])
        monkeypatch.setattr(Lease, "outlasts", lambda *_: next(lasts, False))
        at.pump.run()

        assert at.records() == before
