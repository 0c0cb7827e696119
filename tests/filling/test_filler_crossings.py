"""What crosses the filling: decisions while it is under way, answers that are lost, templates and calls that change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from fill_office import MANAGER, NEXT_STEP, TITLE, USER, FillOffice, fill_office, said

from connector_core.connection import Connection
from connector_core.errors import ContractError, InputError, TryAgainError
from connector_core.extractors import ExtractorManifest
from connector_core.extractors.binding import Extractor
from connector_core.extractors.hookspecs import Answer, Extracted, WantedField, hookimpl
from connector_core.fill_report import FillReport
from connector_core.filler import Filler
from connector_core.hookspecs import HOOK_API
from connector_core.ledger.persons import Persons
from connector_core.ledger.retention import Retention
from connector_core.ledger.schema_filling import filled, fillings
from connector_core.model import Call, FieldReceipt, Unknown

EVE = {"is_user": False, "emails": ["eve@buyer.example"]}
MANUAL = {**NEXT_STEP, "mode": "manual"}
MOODY = ExtractorManifest(name="moody", title="Moody", hook_api=HOOK_API, settings="", extractor="")
Asked = Callable[[Call, WantedField], Answer]


@pytest.fixture(params=["sqlite", "postgres"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on the CRM in a file, with each ledger."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with fill_office("file", tmp_path, ledger_url=url) as opened:
        yield opened


class _Told:
    """An extractor that answers as a function says."""

    def __init__(self, answer: Asked) -> None:
        """Ask nothing yet."""
        self._answer = answer

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Mapping[str, Answer]:
        """Answer field by field."""
        return {field.key: self._answer(call, field) for field in fields}

    def close(self) -> None:
        """Hold nothing."""


def listen(monkeypatch: pytest.MonkeyPatch, at: FillOffice, answer: Asked) -> None:
    """Let the office's extractor be one that answers so."""
    extractor = Extractor(MOODY, _Told(answer))
    monkeypatch.setattr(type(at.opened), "extractor", lambda self: extractor)


def crossing(at: FillOffice, point: str, happens: Callable[[], object]) -> None:
    """Fill what is due, and let something happen when that reaches a point for the first time."""
    left = [happens]

    def reached(name: str) -> None:
        if name == point and left:
            left.pop()()

    Filler(at.at.ledger, at.opened, reached=reached).run()


def die(at: FillOffice, point: str) -> None:
    """Let the process die at a point."""

    def happens() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crossing(at, point, happens)


def sync(at: FillOffice, *calls: Call) -> None:
    """Sync calls without filling."""
    list(at.at.sync(*calls))


def due(at: FillOffice, *call_ids: str) -> list[str]:
    """Give the calls that are due."""
    return sorted(at.at.ledger.fillings.due_of("acme", call_ids or ("x:1", "x:2", "x:3")))


# -- answers that are lost ---------------------------------------------------------------------------------------------


def test_a_later_call_waits_for_what_is_not_sure(at: FillOffice) -> None:
    """What stands there may be ours: only the call that sent it can tell, and then the later one takes its place."""
    at.publish(NEXT_STEP)
    sync(at, said("next: call again"))
    die(at, "sent")
    at.hear(said("next: send the quote", 2))
    waiting = (at.value(), due(at))
    at.desk.again(MANAGER, ["x:1", "x:2"])
    at.filler.run()

    assert waiting == ("call again", ["x:1", "x:2"])
    assert (at.outcome("x:1"), at.outcome("x:2"), at.value()) == (("sent", None), ("sent", None), "send the quote")


def test_an_earlier_call_finds_what_was_not_answered(at: FillOffice) -> None:
    """Of two calls in one batch the one that was not answered is looked at first, whichever started first."""
    at.publish({**NEXT_STEP, "overwrite": "always"})
    sync(at, said("next: send the quote", 2))
    die(at, "sent")
    sync(at, said("next: call again", 1))
    at.desk.again(MANAGER, ["x:1", "x:2"])
    at.filler.run()

    assert (at.outcome("x:1"), at.outcome("x:2")) == (("other", "newer_call"), ("sent", None))
    assert at.value() == "send the quote"


def test_what_is_found_out_is_kept_before_anything_else(at: FillOffice) -> None:
    """A process that dies once it knows that a value was written keeps that it is ours."""
    at.publish(NEXT_STEP)
    sync(at, said("next: call again"))
    die(at, "sent")
    at.desk.again(MANAGER, ["x:1"])
    die(at, "noted")
    at.filler.run()
    at.hear(said("next: send the quote", 2))

    assert (at.outcome("x:2"), at.value()) == (("sent", None), "send the quote")


def test_what_is_in_doubt_outlives_that_the_call_says_no_more_of_it(at: FillOffice) -> None:
    """It was written: that is found out, though the call is known better meanwhile and says nothing of it."""
    at.publish(NEXT_STEP)
    sync(at, said("next: call again"))
    die(at, "sent")
    at.hear(said("something else"))
    (row,) = at.rows()
    at.desk.undo(USER, row.run or "")
    at.filler.run()

    assert (row.outcome, at.outcome(), at.value() or None) == ("sent", ("other", "taken_back"), None)


def test_what_the_later_call_was_refused_the_earlier_one_sends(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that made room for one that the CRM refuses is not lost."""
    fill = Connection.fill_fields

    def strict(self: Connection, updates: Any) -> Any:
        updates = list(updates)
        if any("quote" in str(it.fields) for it in updates):
            refused = FieldReceipt("refused", "never", "RULE")
            return {(it.object, it.id): dict.fromkeys(it.fields, refused) for it in updates}
        return fill(self, updates)

    monkeypatch.setattr(Connection, "fill_fields", strict)
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"), said("next: send the quote", 2))

    assert (at.outcome("x:1"), at.outcome("x:2")) == (("sent", None), ("other", "refused_value"))
    assert (at.value(), due(at)) == ("call again", [])


# -- decisions while it is under way -----------------------------------------------------------------------------------


def test_a_decision_about_one_of_two_keeps_the_other_due(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two calls say the same: where the one that was to send it is decided anew, the other one is not left in doubt."""
    left = ["x:1"]

    def answer(call: Call, _: WantedField) -> Answer:
        if call.id in left:
            left.remove(call.id)
            at.desk.again(MANAGER, [call.id])
        return Extracted("call again")

    listen(monkeypatch, at, answer)
    at.publish(NEXT_STEP, TITLE)
    at.hear(said("anything"), said("anything", 2))

    assert ([at.outcome("x:1"), at.outcome("x:2")], due(at)) == ([("sent", None), ("sent", None)], [])


def test_a_decision_about_an_undo_stops_it(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not noted is not sent: an undo whose call was decided anew meanwhile is begun anew."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    read, left = Connection.read_fields, ["x:1"]

    def reading(self: Connection, records: Any) -> Any:
        if left:
            at.desk.again(MANAGER, [left.pop()])
        return read(self, records)

    monkeypatch.setattr(Connection, "read_fields", reading)
    seen: list[Any] = []
    crossing(at, "noted", lambda: None)
    Filler(at.at.ledger, at.opened, reached=lambda point: seen.append((point, at.value()))).run()

    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


def test_a_call_that_is_erased_while_it_is_sent_leaves_nothing(at: FillOffice) -> None:
    """What was said in it is in no table afterwards, and the field is a person's."""
    at.publish(NEXT_STEP)
    sync(at, said("next: call again"))
    persons = Persons(at.at.ledger.database)
    crossing(at, "sent", lambda: persons.erase("carl@buyer.example", {"acme": ["FR"]}, MANAGER))
    (held,) = persons_held(at)
    at.hear(said("next: send the quote", 2, participants=[{"is_user": False, "emails": ["carl@buyer.example"]}]))

    assert "call again" not in held
    assert (at.outcome("x:1"), at.outcome("x:2")) == (("sent", None), ("other", "not_empty"))


def test_nothing_tells_what_an_erased_call_wrote(at: FillOffice) -> None:
    """No digest of it, which could be guessed; once it is cleared in the CRM too, another call may write there."""
    at.publish(NEXT_STEP)
    at.at.change("opportunities", "O1", contact_ids=["C1", "C3"])
    at.hear(said("next: call again"))
    erase(at)
    with at.at.ledger.database.reading() as step:
        left = len(step.execute(sa.select(filled)).all())
    at.edit(None)
    at.hear(said("next: send the quote", 2, participants=[EVE]))

    assert (left, at.outcome("x:2")) == (0, ("sent", None))


def test_what_an_erased_call_wrote_is_not_kept_for_an_undo(at: FillOffice) -> None:
    """What a later call wrote in its place stays the connector's, and cannot be taken back."""
    at.publish(NEXT_STEP)
    at.at.change("opportunities", "O1", contact_ids=["C1", "C3"])
    at.hear(said("next: call again"))
    at.hear(said("next: send the quote", 2, participants=[EVE]))
    erase(at)
    with at.at.ledger.database.reading() as step:
        held = [str(row) for table in (filled, fillings) for row in step.execute(sa.select(table))]
    at.desk.undo(USER, at.rows("x:2")[0].run or "")
    at.filler.run()

    assert [row for row in held if "call again" in row] == []
    assert (at.value(), at.rows("x:2")[0].detail) == (
        "send the quote",
        "not taken back: what stood there before is not kept any more",
    )


def erase(at: FillOffice) -> None:
    """Erase the person of the first call."""
    assert Persons(at.at.ledger.database).erase("carl@buyer.example", {"acme": ["FR"]}, MANAGER) == 1


def persons_held(at: FillOffice) -> list[str]:
    """Give all that the ledger holds of the first call, as text."""
    with at.at.ledger.database.reading() as step:
        return [str(Persons(at.at.ledger.database)._held(step, "acme", "x:1"))]


# -- several fills of one field, taken back ------------------------------------------------------------------------------


def test_fills_are_taken_back_one_after_the_other(at: FillOffice) -> None:
    """The last one first: what stands there again is the connector's, until that is taken back too."""
    at.publish(NEXT_STEP)
    for number, value in enumerate(("call again", "send the quote", "meet"), 1):
        at.hear(said(f"next: {value}", number))
    seen = [at.value()]
    for call_id in ("x:3", "x:2", "x:1"):
        at.desk.undo(USER, at.rows(call_id)[0].run or "")
        at.filler.run()
        seen.append(at.value() or None)

    assert seen == ["meet", "send the quote", "call again", None]


def test_what_stands_there_again_makes_room_for_a_later_call(at: FillOffice) -> None:
    """It is no person's, since the connector wrote it of an earlier call."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.hear(said("next: send the quote", 2))
    at.desk.undo(USER, at.rows("x:2")[0].run or "")
    at.filler.run()
    at.hear(said("next: meet", 3))

    assert (at.outcome("x:3"), at.value()) == (("sent", None), "meet")


def test_what_a_person_wrote_between_two_fills_stays_theirs(at: FillOffice) -> None:
    """Put back, it is not taken for an earlier call's."""
    at.publish({**NEXT_STEP, "overwrite": "always"})
    at.hear(said("next: call again"))
    at.edit("theirs")
    at.hear(said("next: send the quote", 2))
    at.desk.undo(USER, at.rows("x:2")[0].run or "")
    at.filler.run()
    at.desk.undo(USER, at.rows("x:1")[0].run or "")
    at.filler.run()

    assert at.value() == "theirs"


# -- what people decide ------------------------------------------------------------------------------------------------


def test_what_was_approved_and_taken_back_may_be_sent_after_all(at: FillOffice) -> None:
    """An approval of before the undo does not stand in the way of another one."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    at.desk.send(USER, ["x:1"])
    at.filler.run()
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()
    sent = at.desk.send(USER, ["x:1"])
    at.filler.run()

    assert (sent, at.outcome(), at.value()) == (1, ("sent", None), "call again")


def test_a_value_is_given_in_place_of_what_was_taken_back(at: FillOffice) -> None:
    """Whoever gives a value wants it sent."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()
    at.desk.give(USER, "x:1", {"t.next_step": "send the quote"})
    at.filler.run()

    assert (at.outcome(), at.value()) == (("sent", None), "send the quote")


def test_what_was_sent_is_taken_back_though_another_value_waits(at: FillOffice) -> None:
    """A manual field whose call says something else by now: the CRM still has what was approved before."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    at.desk.send(USER, ["x:1"])
    at.filler.run()
    at.hear(said("next: send the quote"))
    between = at.outcome()
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()

    assert (between, at.outcome(), at.value() or None) == (("pending", None), ("other", "taken_back"), None)


def test_what_was_sent_stays_sent_when_nothing_is_found_any_more(at: FillOffice) -> None:
    """The CRM has it still, and it can be taken back."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.hear(said("something else"))
    between = at.outcome()
    at.desk.undo(USER, at.rows()[0].run or "")
    at.filler.run()

    assert (between, at.outcome(), at.value() or None) == (("sent", None), ("other", "taken_back"), None)


def test_a_value_goes_to_the_opportunity_that_a_call_moves_to(at: FillOffice) -> None:
    """And stays where it was sent before: nobody asked to take it back."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.at.assign("x:1", opportunity="O2")
    at.filler.run()

    assert (at.outcome(), at.rows()[0].record_id) == (("sent", None), "O2")
    assert (at.value(seed="O1"), at.value(seed="O2")) == ("call again", "call again")


def test_a_value_that_is_kept_out_of_the_next_opportunity_is_not_sent(at: FillOffice) -> None:
    """That the first one has it does not count for the one that the call is about now."""
    at.publish(NEXT_STEP)
    at.edit("theirs", seed="O2")
    at.hear(said("next: call again"))
    at.at.assign("x:1", opportunity="O2")
    at.filler.run()

    assert (at.outcome(), at.value(seed="O2")) == (("other", "not_empty"), "theirs")


def test_whoever_lost_its_lease_sends_nothing_more(at: FillOffice) -> None:
    """It was stopped for longer, and another process may have sent since what a person gave."""
    seconds = 0.0
    at.at.ledger.leases._clock = lambda: seconds
    at.publish(NEXT_STEP)
    sync(at, said("next: call again"))

    def be_stopped() -> None:
        nonlocal seconds
        seconds = 3600.0

    with pytest.raises(TryAgainError, match="the lease of this connection"):
        crossing(at, "noted", be_stopped)

    assert not at.value()


# -- templates that change ---------------------------------------------------------------------------------------------


def test_what_waits_for_a_template_that_is_not_published_cannot_be_sent(at: FillOffice) -> None:
    """It is not in the queue, and an approval of it is refused, since nothing would come of it."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    at.at.ledger.templates.unpublish("acme", MANAGER, "t")

    assert (at.desk.pending(), at.desk.send(USER, ["x:1"])) == ([], 0)
    with pytest.raises(InputError, match="those that do: none"):
        at.desk.send(USER, ["x:1"], ["t.next_step"])


def test_a_pending_field_waits_while_its_mode_changes(at: FillOffice) -> None:
    """Made automatic, it still waits for the person that it waited for."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    at.publish(NEXT_STEP)
    at.filler.run()

    assert (at.outcome(), at.value() or None) == (("pending", None), None)


def test_a_field_that_goes_elsewhere_is_taken_back_first(at: FillOffice) -> None:
    """A field whose target changes while it is to be taken back has one outcome: that of its new target."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    at.publish({**NEXT_STEP, "field": "name", "overwrite": "always"})
    at.filler.run()

    (row,) = at.rows()
    assert (row.target, row.outcome, row.undo_by) == ("opportunity.name", "sent", None)
    assert (at.value() or None, due(at)) == (None, [])


def test_two_templates_that_write_one_field_agree_in_the_end(at: FillOffice) -> None:
    """Of two for one call the last one's value stands, however often the call is filled anew."""
    at.publish(NEXT_STEP, template_id="a")
    at.publish({**NEXT_STEP, "patterns": ["then: (.+)"]}, template_id="b")
    at.hear(said("next: call again\nthen: send the quote"))
    seen = [at.value()]
    for _ in range(2):
        at.desk.again(MANAGER, ["x:1"])
        at.filler.run()
        seen.append(at.value())

    assert (seen, [row.outcome for row in at.rows()]) == (["send the quote"] * 3, ["other", "sent"])


def test_what_was_pruned_waits_for_nobody(at: FillOffice) -> None:
    """A value that is not kept any more is not offered to be sent."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    Retention(at.at.ledger.database).prune(0)

    assert (at.desk.pending(), at.desk.send(USER, ["x:1"])) == ([], 0)


def test_a_given_value_that_was_pruned_before_it_was_sent_is_looked_for_anew(at: FillOffice) -> None:
    """Once the call says more; that nothing was said in it would be wrong."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    at.desk.give(USER, "x:1", {"t.next_step": "given"})
    at.filler.run()
    Retention(at.at.ledger.database).prune(0)
    at.hear(said("next: send the quote"))

    assert [(row.outcome, row.value) for row in at.rows()] == [("pending", "send the quote")]


def test_a_given_value_that_was_sent_stays_once_it_was_pruned(at: FillOffice) -> None:
    """Whatever the call says later."""
    at.publish(NEXT_STEP)
    at.hear(said("nothing"))
    at.desk.give(USER, "x:1", {"t.next_step": "given"})
    at.filler.run()
    Retention(at.at.ledger.database).prune(0)
    at.hear(said("next: send the quote"))

    assert (at.outcome(), at.value()) == (("sent", None), "given")


def test_the_report_names_nobody_for_what_was_pruned(at: FillOffice) -> None:
    """It is still pending, and no approval waits for it."""
    at.publish(MANUAL)
    at.hear(said("next: call again"))
    Retention(at.at.ledger.database).prune(0)
    report = FillReport(at.at.ledger, "acme", ZoneInfo("UTC"), MANAGER)
    report.refresh()
    (lever,) = report.report(report.query("2026-03-01..2026-03-31")).levers

    assert (lever.outcome, lever.number, lever.waiting) == ("pending", 1, ())


# -- the CRM, or the extractor, cannot be asked ------------------------------------------------------------------------


def test_what_was_found_is_not_looked_for_again(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extractor may cost money: while the CRM cannot be asked, and when the process dies, what it found is kept."""
    asked: list[str] = []

    def answer(call: Call, _: WantedField) -> Answer:
        asked.append(call.id)
        return Extracted("call again")

    def fails(self: Connection, records: Any) -> Any:
        raise TryAgainError("maintenance")

    listen(monkeypatch, at, answer)
    at.publish(NEXT_STEP)
    sync(at, said("anything"))
    with monkeypatch.context() as broken:
        broken.setattr(Connection, "read_fields", fails)
        with pytest.raises(TryAgainError):
            at.filler.run()
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (asked, at.outcome()) == (["x:1"], ("sent", None))


def test_a_poisoned_call_keeps_no_other_back(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call on which the plugin fails is left alone for long; the others are sent, and none is looked at twice."""
    asked: list[str] = []
    read = Connection.read_fields

    def answer(call: Call, _: WantedField) -> Answer:
        asked.append(call.id)
        return Extracted("call again")

    def fails(self: Connection, records: Any) -> Any:
        if any(it.id == "O2" for it in records):
            raise ContractError("file", "read_fields", "a defect")
        return read(self, records)

    listen(monkeypatch, at, answer)
    monkeypatch.setattr(Connection, "read_fields", fails)
    at.publish(NEXT_STEP)
    dora = {"is_user": False, "emails": ["dora@other.example"]}
    at.hear(said("anything"), said("anything", 2, participants=[dora]), said("anything", 3))

    assert (at.outcome("x:1"), at.outcome("x:3"), at.value()) == (("sent", None), ("sent", None), "call again")
    assert (at.outcome("x:2"), due(at), sorted(asked)) == (("other", "unknown_outcome"), ["x:2"], ["x:1", "x:2", "x:3"])


def test_a_record_that_cannot_be_read_has_an_outcome(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not known yet what comes of it; the call stays due."""
    monkeypatch.setattr(
        Connection, "read_fields", lambda self, records: {(it.object, it.id): Unknown("busy") for it in records}
    )
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))

    assert (at.outcome(), due(at)) == (("other", "unknown_outcome"), ["x:1"])


def test_an_object_that_is_not_described_keeps_no_other_back(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fields of the others are sent, and those of that one are looked at later."""
    describe = Connection.describe_objects

    def partly(self: Connection, objects: Any, *, anew: bool = False) -> Any:
        return {**describe(self, objects, anew=anew), "people": Unknown("busy")}

    monkeypatch.setattr(Connection, "describe_objects", partly)
    at.publish(NEXT_STEP, TITLE)
    at.hear(said("next: call again\ntitle: CTO"))

    assert (at.outcome(), at.outcome(key="title")) == (("sent", None), ("other", "unknown_outcome"))
    assert due(at) == ["x:1"]


def test_a_name_that_could_not_be_looked_up_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that is meant by name may be there: the field waits until the CRM can tell."""
    account = {"key": "account", "object": "opportunity", "field": "AccountId", "overwrite": "always"}
    with fill_office("salesforce", tmp_path) as at:
        at.publish({**account, "patterns": ["account: (.+)"]})
        with monkeypatch.context() as broken:
            broken.setattr(Connection, "search_accounts", lambda self, texts: dict.fromkeys(texts, Unknown("busy")))
            at.hear(said("account: other"))
        between = at.outcome(key="account")
        at.desk.again(MANAGER, ["x:1"])
        at.filler.run()

        assert (between, at.outcome(key="account")) == (("other", "unknown_outcome"), ("sent", None))


def test_an_undo_waits_for_an_object_that_is_not_described(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the CRM could not be asked is no reason to forget what a person decided."""
    at.publish(NEXT_STEP)
    at.hear(said("next: call again"))
    at.desk.undo(USER, at.rows()[0].run or "")
    with monkeypatch.context() as broken:
        broken.setattr(Connection, "describe_objects", lambda self, objects, **_: dict.fromkeys(objects, Unknown("")))
        at.filler.run()
    between = at.rows()[0].undo_by
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (between, at.outcome()) == ("Ada Agent", ("other", "taken_back"))


def test_a_slow_extractor_is_left_for_other_work(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time of a run is over, calls that were not looked at yet are left for the next one."""
    asked: list[str] = []

    def answer(call: Call, _: WantedField) -> Answer:
        asked.append(call.id)
        return Extracted("call again")

    listen(monkeypatch, at, answer)
    at.publish(NEXT_STEP)
    sync(at, *(said("anything", number) for number in range(1, 12)))
    ran = at.filler.run(for_seconds=0)
    first = len(asked)
    at.filler.run()

    assert ran.more
    assert 0 < first < 11
    assert sorted(asked) == sorted(f"x:{number}" for number in range(1, 12))


def test_what_somebody_waits_for_goes_before_a_backlog(at: FillOffice) -> None:
    """Calls that a template is published for do not keep back the one that was just heard of."""
    sync(at, said("next: call again"), said("next: call again", 2))
    at.publish(NEXT_STEP)
    sync(at, said("next: send the quote", 3))
    Filler(at.at.ledger, at.opened, batch=1).run(for_seconds=0)

    assert due(at) == ["x:1", "x:2"]


def test_nothing_is_written_that_cannot_be_read(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin that reads no fields would overwrite what a person wrote: nothing is sent, and the call stays due."""
    at.publish(NEXT_STEP)
    at.edit("theirs")
    operations = at.opened.connection.operations - {"read_fields"}
    monkeypatch.setattr(Connection, "operations", property(lambda self: operations))
    with pytest.raises(Exception, match="read_fields"):
        at.hear(said("next: call again"))

    assert (at.value(), due(at)) == ("theirs", ["x:1"])
