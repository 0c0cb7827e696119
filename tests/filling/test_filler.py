"""Fields of the CRM are filled from calls, each with exactly one outcome: on the file, and on the sandboxes over HTTP."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fill_office import MANAGER, NEXT_STEP, TITLE, USER, FillOffice, fill_office, said
from office import CRMS, NOBODY

from connector_core.backfill import Backfill
from connector_core.engines.pumps import Limits, Pumps
from connector_core.errors import InputError
from connector_core.filler import Filler
from connector_core.filling.outcomes import OUTCOMES, REASONS
from connector_core.ledger.agenda import read_agenda
from connector_core.ledger.retention import Retention


@pytest.fixture(params=CRMS)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on each CRM."""
    with fill_office(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture(params=[name for name in CRMS if name != "file"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on each CRM that is a service, and refuses what its fields do not take."""
    with fill_office(request.param, tmp_path) as opened:
        yield opened


# -- outcomes


def test_what_was_found_is_sent(at: FillOffice) -> None:
    """A value that a call's note holds is in the CRM."""
    at.publish(NEXT_STEP, TITLE)
    at.hear(said("next: call again"))

    assert (at.outcome(), at.value()) == (("sent", None), "call again")


def test_nothing_found_is_empty(at: FillOffice) -> None:
    """A field of which the call says nothing has that outcome, and the CRM's is left alone."""
    at.publish(NEXT_STEP, TITLE)
    at.edit("theirs")
    at.hear(said("next time: the weather"))

    assert (at.outcome(), at.value()) == (("empty", None), "theirs")


def test_a_call_without_the_record_has_no_link(at: FillOffice) -> None:
    """What was found for an opportunity has nowhere to go where the call has none."""
    at.publish(NEXT_STEP, TITLE)
    at.hear(said("next: call again", participants=[NOBODY]))

    assert at.outcome() == ("no_crm_link", None)


def test_a_value_that_stands_there_already_is_sent(at: FillOffice) -> None:
    """Nothing is written where the CRM says it already, and that counts as sent."""
    at.publish(NEXT_STEP)
    at.edit("call again")
    at.hear(said("next: call again"))

    (row,) = at.rows()
    assert (row.outcome, row.run) == ("sent", None)


def test_what_takes_approval_waits(at: FillOffice) -> None:
    """A manual field is not sent by itself."""
    at.publish({**NEXT_STEP, "mode": "manual"})
    at.hear(said("next: call again"))

    assert (at.outcome(), at.value() or None) == (("pending", None), None)


def test_what_is_approved_is_sent(at: FillOffice) -> None:
    """A user's approval sends it, and is kept with it."""
    at.publish({**NEXT_STEP, "mode": "manual"})
    at.hear(said("next: call again"))
    at.desk.send(USER, ["x:1"])
    at.filler.run()

    (row,) = at.rows()
    assert (row.outcome, row.approved_by, at.value()) == ("sent", "Ada Agent", "call again")


def test_a_field_that_has_a_value_is_left_alone(at: FillOffice) -> None:
    """What the connector never wrote is a person's."""
    at.publish(NEXT_STEP)
    at.edit("theirs")
    at.hear(said("next: call again"))

    assert (at.outcome(), at.value()) == (("other", "not_empty"), "theirs")


def test_always_takes_the_place_of_a_value(at: FillOffice) -> None:
    """A template may say that its value counts whatever stands there."""
    at.publish({**NEXT_STEP, "overwrite": "always"})
    at.edit("theirs")
    at.hear(said("next: call again"))

    assert (at.outcome(), at.value()) == (("sent", None), "call again")


def test_a_later_call_replaces_what_we_wrote(at: FillOffice) -> None:
    """What nobody changed since is ours to rewrite."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.hear(said("next: send the quote", 2))

    assert (at.outcome("x:2"), at.value()) == (("sent", None), "send the quote")


def test_what_a_person_changed_stays(at: FillOffice) -> None:
    """After a person's edit no call rewrites the field."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.edit("theirs")
    at.hear(said("next: send the quote", 2))

    assert (at.outcome("x:2"), at.value()) == (("other", "changed_by_person"), "theirs")


def test_what_a_person_cleared_stays_clear(at: FillOffice) -> None:
    """To clear what the connector wrote is an edit too."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.edit(None)
    at.hear(said("next: send the quote", 2))

    assert (at.outcome("x:2"), at.value() or None) == (("other", "changed_by_person"), None)


def test_only_when_empty_rewrites_nothing(at: FillOffice) -> None:
    """Such a field is written once, by whichever call is first."""
    at.publish({**NEXT_STEP, "overwrite": "empty"})
    at.hear(said("next: call again"))
    at.hear(said("next: send the quote", 2))

    assert (at.outcome("x:2"), at.value()) == (("other", "not_empty"), "call again")


def test_an_older_call_does_not_replace_a_newer_one(at: FillOffice) -> None:
    """A call that is heard of late does not take the place of what a later one said."""
    at.publish(NEXT_STEP)
    at.hear(said("next: send the quote", 2))
    at.hear(said("next: call again", 1))

    assert (at.outcome("x:1"), at.value()) == (("other", "newer_call"), "send the quote")


def test_of_calls_that_are_filled_together_the_latest_counts(at: FillOffice) -> None:
    """Two calls about one opportunity in one batch: the later one's value is sent, once."""
    at.publish(NEXT_STEP)
    at.hear(said("next: send the quote", 2), said("next: call again", 1))

    assert [at.outcome("x:1"), at.outcome("x:2")] == [("other", "newer_call"), ("sent", None)]
    assert at.value() == "send the quote"


def test_a_richer_version_of_a_call_rewrites_its_own_value(at: FillOffice) -> None:
    """What is learned later of the same call takes the place of what it said before."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.hear(said("next: call on Monday"))

    assert (at.outcome(), at.value()) == (("sent", None), "call on Monday")


def test_filling_anew_changes_nothing(at: FillOffice) -> None:
    """What was sent is not sent again, even where a person changed it since."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.edit("theirs")
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (at.outcome(), at.value()) == (("sent", None), "theirs")


def test_an_opportunity_that_is_linked_later_gets_what_waited(at: FillOffice) -> None:
    """What was found waits for its record, and is sent when a person links one."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again", participants=[NOBODY]))
    at.at.desk.assign(USER, ["x:1"], opportunity=at.at.id("O1"))
    at.at.settle("x:1")
    at.filler.run()

    assert (at.outcome(), at.value()) == (("sent", None), "call again")


def test_a_deleted_call_fills_nothing(file: FillOffice) -> None:
    """Fields of a call that was deleted at its provider say so."""
    file.publish({**NEXT_STEP, "mode": "manual"})
    file.hear(said("next: call again"))
    file.at.ledger.inbox.deleted("acme", "x:1")
    file.filler.run()

    assert file.outcome() == ("other", "call_deleted")


def test_a_field_that_is_gone_says_so(service: FillOffice) -> None:
    """A field that the CRM does not have (any more) keeps no other from being sent."""
    gone = {**TITLE, "key": "gone", "object": "opportunity", "field": "No_such_field__c"}
    service.publish(NEXT_STEP, gone)
    service.hear(said("next: call again\ntitle: CTO"))

    assert (service.outcome(), service.outcome(key="gone")) == (("sent", None), ("other", "field_missing"))


def test_another_object_is_reached_through_a_field(file: FillOffice) -> None:
    """A record that is no role of the call's is found through one that is."""
    website = {"key": "site", "object": "accounts", "field": "website", "through": "opportunity.account_id"}
    file.publish({**website, "patterns": ["site: (.+)"]})
    file.hear(said("site: buyer.example"))

    (account,) = [it for it in file.at.records()["accounts"] if it["id"] == "A1"]
    assert account["fields"] == {"website": "buyer.example"}


def test_another_object_that_is_not_linked_is_told(file: FillOffice) -> None:
    """Where the field that leads to it is empty, the outcome says so."""
    file.edit(None, field="account_id")
    website = {"key": "site", "object": "accounts", "field": "website", "through": "opportunity.account_id"}
    file.publish({**website, "patterns": ["site: (.+)"]})
    file.hear(said("site: buyer.example"))

    assert file.outcome(key="site") == ("other", "object_not_linked")


def test_a_template_is_for_the_calls_that_it_targets(file: FillOffice) -> None:
    """A call that a template does not target has no fields of it."""
    file.publish(NEXT_STEP, targeting={"tags": ["demo"]})
    file.hear(said("next: call again"), said("next: send the quote", 2, tags=["Demo"]))

    assert (file.rows("x:1"), file.outcome("x:2")) == ([], ("sent", None))


def test_a_call_that_is_targeted_no_more_counts_no_more(file: FillOffice) -> None:
    """A new version of a template that is for other calls takes the outcomes of this one away; the CRM keeps its value."""
    file.publish(NEXT_STEP)
    file.hear(said("next: call again"))
    file.publish(NEXT_STEP, targeting={"tags": ["demo"]})
    file.filler.run()

    assert (file.rows(), file.value()) == ([], "call again")


# -- what people decide


def test_one_field_is_sent_alone(file: FillOffice) -> None:
    """Of several that wait, the named one is sent."""
    file.publish({**NEXT_STEP, "mode": "manual"}, {**TITLE, "mode": "manual"})
    file.hear(said("next: call again\ntitle: CTO"))
    file.desk.send(USER, ["x:1"], ["t.title"])
    file.filler.run()

    assert (file.outcome(), file.outcome(key="title")) == (("pending", None), ("sent", None))


def test_a_field_that_does_not_wait_cannot_be_sent(file: FillOffice) -> None:
    """The error names those that do."""
    file.publish({**NEXT_STEP, "mode": "manual"})
    file.hear(said("next: call again"))

    with pytest.raises(InputError, match=r"no field t\.title of these calls waits; those that do: t\.next_step"):
        file.desk.send(USER, ["x:1"], ["t.title"])


def test_what_is_found_anew_is_approved_anew(file: FillOffice) -> None:
    """An approval is of one value: another one waits again."""
    file.publish({**NEXT_STEP, "mode": "manual"})
    file.hear(said("next: call again"))
    file.desk.send(USER, ["x:1"])
    file.filler.run()
    file.hear(said("next: call on Monday"))

    assert (file.outcome(), file.value()) == (("pending", None), "call again")


def test_a_value_that_somebody_gave_is_sent(file: FillOffice) -> None:
    """It takes the place of what was found, and stays when more is learned of the call."""
    file.publish(NEXT_STEP)
    file.hear(said("next: call again"))
    file.desk.give(USER, "x:1", {"t.next_step": "send the quote"})
    file.filler.run()
    file.hear(said("next: call on Monday"))

    (row,) = file.rows()
    assert (row.outcome, row.source, file.value()) == ("sent", "by Ada Agent", "send the quote")


def test_a_run_is_taken_back(at: FillOffice) -> None:
    """What stood there before is there again."""
    at.publish({**NEXT_STEP, "overwrite": "always"})
    at.edit("theirs")
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()

    (row,) = at.rows()
    assert (row.reason, row.detail, at.value()) == ("taken_back", "by Ada Agent", "theirs")


def test_what_was_empty_is_empty_again(at: FillOffice) -> None:
    """A value that took the place of nothing is cleared."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()

    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


def test_what_somebody_changed_is_not_taken_back(at: FillOffice) -> None:
    """A person's edit stays, and the field says why."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.edit("theirs")
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()

    (row,) = at.rows()
    assert (row.outcome, row.detail, at.value()) == ("sent", "not taken back: somebody changed it since", "theirs")


def test_what_was_taken_back_stays_so(at: FillOffice) -> None:
    """Neither filling anew nor a richer call sends it again."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()
    at.hear(said("next: call on Monday"))

    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


def test_what_was_taken_back_may_be_sent_after_all(at: FillOffice) -> None:
    """A person's send is newer than the undo."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()
    at.desk.send(USER, ["x:1"])
    at.filler.run()

    assert (at.outcome(), at.value()) == (("sent", None), "call again")


def test_a_backfill_fills(file: FillOffice) -> None:
    """The calls of a backfill fill their fields once they are written."""
    file.publish(NEXT_STEP)
    Backfill(file.at.ledger, file.opened, iter([said("next: call again")])).run()

    assert (file.outcome(), file.value()) == (("sent", None), "call again")


def test_a_worker_fills(file: FillOffice) -> None:
    """A worker fills the fields of the calls that it wrote, and those that a person sends."""
    file.publish(NEXT_STEP, {**TITLE, "mode": "manual"})
    pumps = Pumps(file.at.ledger, lambda name: file.at.config.open(), Limits(), None)
    file.at.ledger.inbox.accept("acme", [said("next: call again\ntitle: CTO")])
    pumps.run("acme", threading.Event())
    file.desk.send(USER, ["x:1"])
    due = read_agenda(file.at.ledger.database).due
    pumps.run("acme", threading.Event())
    pumps.close()

    assert (due, file.outcome(), file.outcome(key="title")) == (("acme",), ("sent", None), ("sent", None))


# -- what the documents say


def test_the_page_has_each_outcome_and_reason() -> None:
    """Each stands in one of its tables, and no other does."""
    page = (Path(__file__).parents[2] / "docs/filling.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == sorted([*OUTCOMES, *REASONS])


# -- what goes wrong


@pytest.mark.parametrize("point", ["noted", "sent"])
def test_a_process_that_dies_loses_nothing(point: str, at: FillOffice) -> None:
    """Wherever it dies, the value is in the CRM in the end, is known as ours, and can be taken back."""
    at.publish(NEXT_STEP)
    list(at.at.sync(said("next: call again")))

    def die(reached: str) -> None:
        if reached == point:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Filler(at.at.ledger, at.opened, reached=die).run()
    between = at.outcome()
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()
    (row,) = at.rows()
    assert (between, row.outcome, at.value()) == (("other", "unknown_outcome"), "sent", "call again")
    at.desk.undo(USER, row.run or "")
    at.filler.run()
    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


def test_what_was_said_is_forgotten_and_counted(file: FillOffice) -> None:
    """Of a call that is pruned the outcome stays, and nothing that was said; what was written is still known as ours."""
    file.publish(NEXT_STEP)
    file.hear(said("next: call again"))

    Retention(file.at.ledger.database).prune(0)
    (row,) = file.rows()
    file.hear(said("next: send the quote", 2))

    assert (row.outcome, row.value, row.passage, row.wanted) == ("sent", None, None, None)
    assert (file.outcome("x:2"), file.value()) == (("sent", None), "send the quote")
