"""Clauses on filling fields: each field has an outcome of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_core.connection import FieldReceipts
from connector_core.model import FieldReceipt, FillReason, RecordUpdate
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.described import expect_whole
from connector_core.testing.contract.opportunities import LIST, opportunity
from connector_core.testing.contract.reads import EMAIL, person
from connector_core.testing.contract.wording import BrokenClauseError
from connector_core.testing.contract.world import MANY

FILL = "fill_fields"
UNKNOWN_FIELD = "no_such_field_of_the_contract"


def name(crm: Crm, of: str) -> str:
    """Give the CRM's own name of an object or a field."""
    if of not in crm.manifest.names:
        raise BrokenClauseError(f"  the manifest does not say what the CRM calls {of}: add it to names={{…}}")
    return crm.manifest.names[of]


def update(crm: Crm, world_id: str, of: str, **fields: Any) -> RecordUpdate:
    """Make an update of fields that the manifest names; of others under the name that is given."""
    known = {"title", "next_step", "amount", "date"}
    named = {name(crm, f"{of}.{key}") if key in known else key: value for key, value in fields.items()}
    return RecordUpdate(name(crm, of), crm.id(world_id), named)


def fill(crm: Crm, *updates: RecordUpdate) -> FieldReceipts:
    """Fill fields of records, which are held against what their objects are said to have."""
    receipts = crm.connection.fill_fields(updates)
    expect_whole(crm, *sorted({it.object for it in updates}))
    return receipts


def filled(crm: Crm, one: RecordUpdate) -> Mapping[str, FieldReceipt]:
    """Fill fields of one record."""
    return fill(crm, one)[one.object, one.id]


def outcomes(receipts: Mapping[str, FieldReceipt]) -> dict[str, str]:
    """Show outcomes."""
    return {key: it.outcome for key, it in receipts.items()}


def meaning(crm: Crm, receipt: FieldReceipt) -> FillReason:
    """Say what the code of a refusal means, by the manifest."""
    return crm.manifest.refusals.get(receipt.code or "", "refused_value")


class Fields:
    """Values, refusals, batches."""

    @clause("C-FIELD-1", FILL, EMAIL, changes=True)
    def test_a_text_is_sent(self, crm: Crm) -> None:
        """A text that is filled is answered as sent, and is what is read then."""
        one = update(crm, "C1", "contact", title="Chief of Tests")
        crm.expect(outcomes(filled(crm, one)), dict.fromkeys(one.fields, "sent"))
        crm.expect(person(crm).title, "Chief of Tests", "the title of C1")

    @clause("C-FIELD-2", FILL, EMAIL, changes=True)
    def test_none_clears(self, crm: Crm) -> None:
        """None clears a field."""
        one = update(crm, "C1", "contact", title=None)
        crm.expect(outcomes(filled(crm, one)), dict.fromkeys(one.fields, "sent"))
        crm.expect(person(crm).title, None, "the title of C1")

    @clause("C-FIELD-3", FILL, changes=True)
    def test_a_number_is_sent(self, crm: Crm) -> None:
        """A number is taken as a number, with its fraction."""
        one = update(crm, "O1", "opportunity", amount=1234.5)
        crm.expect(outcomes(filled(crm, one)), dict.fromkeys(one.fields, "sent"))

    @clause("C-FIELD-4", FILL, LIST, changes=True)
    def test_a_wrong_value_is_refused_for_its_field_alone(self, crm: Crm) -> None:
        """A value that is not of its field's type is refused for that field, by name, and the record's others are sent."""
        one = update(crm, "O1", "opportunity", date="no date", next_step="Call again")
        wanted = {name(crm, "opportunity.date"): "refused", name(crm, "opportunity.next_step"): "sent"}
        crm.expect(outcomes(filled(crm, one)), wanted)
        crm.expect(opportunity(crm, "O1").next_step, "Call again", "the next step of O1")

    @clause("C-FIELD-5", FILL, changes=True)
    def test_a_refusal_has_a_reason(self, crm: Crm) -> None:
        """A refused field has a reason that a person can read, and its code does not mean another refusal."""
        one = update(crm, "O1", "opportunity", date="no date")
        told = [
            (it.outcome, bool(it.reason and it.reason.strip()), meaning(crm, it)) for it in filled(crm, one).values()
        ]
        crm.expect(told, [("refused", True, "refused_value")], "the outcome, whether there is a reason, and the code's")

    @clause("C-FIELD-6", FILL, EMAIL, changes=True)
    def test_a_record_that_is_not_there_is_refused_alone(self, crm: Crm) -> None:
        """Fields of a record that is not there are refused, and the other records of the batch are filled."""
        gone = update(crm, "U1", "contact", title="Nobody")
        one = update(crm, "C1", "contact", title="Chief of Tests")
        receipts = fill(crm, gone, one)
        crm.expect(outcomes(receipts[gone.object, gone.id]), dict.fromkeys(gone.fields, "refused"), "what is not there")
        crm.expect(outcomes(receipts[one.object, one.id]), dict.fromkeys(one.fields, "sent"), "what is there")
        crm.expect(person(crm).title, "Chief of Tests", "the title of C1")

    @clause("C-FIELD-7", FILL, changes=True)
    def test_a_large_batch_is_filled_whole(self, crm: Crm) -> None:
        """Of 105 records each is filled."""
        updates = [update(crm, key, "opportunity", next_step="Call again") for key in MANY]
        receipts = fill(crm, *updates)
        told = {(it.object, it.id): outcomes(receipts[it.object, it.id]) for it in updates}
        crm.expect(told, {(it.object, it.id): dict.fromkeys(it.fields, "sent") for it in updates})

    @clause("C-FIELD-8", FILL, LIST, holds=("fixed_fields",), changes=True)
    def test_a_field_that_is_not_there_is_refused_alone(self, crm: Crm) -> None:
        """A field that is not there is refused as such, with a reason, and the record's others are sent."""
        one = update(crm, "O1", "opportunity", next_step="Call again", **{UNKNOWN_FIELD: "x"})
        receipts = filled(crm, one)
        crm.expect(outcomes(receipts), {UNKNOWN_FIELD: "refused", name(crm, "opportunity.next_step"): "sent"})
        crm.expect(bool(receipts[UNKNOWN_FIELD].reason), True, "the refusal has a reason")
        crm.expect(meaning(crm, receipts[UNKNOWN_FIELD]), "field_missing", "what the manifest says of its code")
        crm.expect(opportunity(crm, "O1").next_step, "Call again", "the next step of O1")
