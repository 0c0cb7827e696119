"""Clauses on reading fields: what was filled is read, and what cannot be read stands in nobody's way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connector_core.model import FieldValue, RecordFields, Unknown
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.described import NO_OBJECT
from connector_core.testing.contract.fields import FILL, UNKNOWN_FIELD, filled, name, outcomes, update
from connector_core.testing.contract.records import NO_IDS
from connector_core.testing.contract.world import CROWD, MANY

VALUES = "read_fields"


def of_record(crm: Crm, record_id: str, of: str, *fields: str) -> RecordFields:
    """Ask for fields that the manifest names, of a record by the CRM's id."""
    return RecordFields(name(crm, of), record_id, tuple(name(crm, f"{of}.{field}") for field in fields))


def read(crm: Crm, *records: RecordFields) -> Sequence[Sequence[Mapping[str, FieldValue | None]] | Unknown]:
    """Read fields of records, in the order in which they are asked for."""
    found = crm.connection.read_fields(records)
    return [found[it.object, it.id] for it in records]


class Values:
    """Fields, as they are now."""

    @clause("C-VALUE-1", FILL, VALUES, changes=True)
    def test_what_was_filled_is_read(self, crm: Crm) -> None:
        """A text and a number that were filled are read, as they are or as text."""
        given = update(crm, "O1", "opportunity", next_step="Call again", amount=1234.5)
        crm.expect(outcomes(filled(crm, given)), dict.fromkeys(given.fields, "sent"))
        one = of_record(crm, crm.id("O1"), "opportunity", "next_step", "amount")
        values = _first(read(crm, one)[0])
        step, amount = (values.get(field) for field in one.fields)
        crm.expect((step, _number(amount)), ("Call again", 1234.5), "what O1 holds")

    @clause("C-VALUE-2", FILL, VALUES, changes=True)
    def test_what_is_empty_is_none(self, crm: Crm) -> None:
        """A field that was cleared is read as None, and so is one that was never filled; neither is left out."""
        given = update(crm, "C1", "contact", title=None)
        crm.expect(outcomes(filled(crm, given)), dict.fromkeys(given.fields, "sent"))
        found = read(crm, *(of_record(crm, key, "contact", "title") for key in crm.ids("C1", CROWD[0])))
        crm.expect(found, [({name(crm, "contact.title"): None},)] * 2, "the titles of C1, and of one who never had any")

    @clause("C-VALUE-3", VALUES, holds=("fixed_fields",))
    def test_a_field_that_is_not_there_is_left_out(self, crm: Crm) -> None:
        """A field that is not there is left out, and those of the same record and of others are answered."""
        one, other = (of_record(crm, key, "contact", "title") for key in crm.ids("C1", "C5"))
        found = read(crm, replace(one, fields=(*one.fields, UNKNOWN_FIELD)), other)
        crm.expect([isinstance(it, tuple) and [*map(tuple, it)] for it in found], [[one.fields]] * 2, "the fields")

    @clause("C-VALUE-4", VALUES)
    def test_a_record_that_is_not_there_is_empty(self, crm: Crm) -> None:
        """A record that is not there, by whatever id, is answered with an empty tuple, and fails no other."""
        gone = [of_record(crm, key, "contact", "title") for key in NO_IDS]
        there = of_record(crm, crm.id("C1"), "contact", "title")
        *nothing, one = read(crm, *gone, there)
        crm.expect(nothing, [()] * len(gone), "what is not there")
        crm.expect(isinstance(one, tuple) and [list(it) for it in one], [list(there.fields)], "the fields of C1")

    @clause("C-VALUE-5", VALUES, changes=True, without={"C4": None})
    def test_a_deleted_record_is_empty(self, crm: Crm) -> None:
        """A record that was deleted is answered with an empty tuple."""
        found = read(crm, *(of_record(crm, key, "contact", "title") for key in crm.ids("C3", "C4")))
        crm.expect([isinstance(it, tuple) and len(it) for it in found], [1, 0], "how often C3 and C4 are told")

    @clause("C-VALUE-6", VALUES)
    def test_an_object_that_is_not_there_fails_no_other(self, crm: Crm) -> None:
        """Of an object that is not there nothing is found, or it is not known, and records of others are read."""
        none, one = read(
            crm, RecordFields(NO_OBJECT, crm.id("C1"), ()), of_record(crm, crm.id("C1"), "contact", "title")
        )
        crm.expect(isinstance(none, Unknown) or none, isinstance(none, Unknown) or (), "of an object that is not there")
        crm.expect(isinstance(one, tuple) and len(one), 1, "how often C1 is told")

    @clause("C-VALUE-7", FILL, VALUES, changes=True)
    def test_a_large_batch_is_read_whole(self, crm: Crm) -> None:
        """Of 105 records each is read, and the one that was filled as it is now."""
        given = update(crm, MANY[-1], "opportunity", amount=1234.5)
        crm.expect(outcomes(filled(crm, given)), dict.fromkeys(given.fields, "sent"))
        found = [
            _first(it) for it in read(crm, *(of_record(crm, key, "opportunity", "amount") for key in crm.ids(*MANY)))
        ]
        amount = name(crm, "opportunity.amount")
        crm.expect([list(it) for it in found], [[amount]] * len(MANY), "the fields of each")
        crm.expect(_number(found[-1][amount]), 1234.5, "the amount of the one that was filled")

    @clause("C-VALUE-8", VALUES, holds=("merged_records",), changes=True, without={"C4": "C3"})
    def test_a_merged_record_is_empty(self, crm: Crm) -> None:
        """A record that was merged into another one is answered with an empty tuple, and the one that is left is read."""
        found = read(crm, *(of_record(crm, key, "contact", "title") for key in crm.ids("C3", "C4")))
        crm.expect([isinstance(it, tuple) and len(it) for it in found], [1, 0], "how often C3 and C4 are told")

    @clause("C-VALUE-9", VALUES, traits=("leads",), holds=("converted_leads",))
    def test_a_converted_lead_is_empty(self, crm: Crm) -> None:
        """A lead that was converted is answered with an empty tuple, and one that was not is read."""
        found = read(crm, *(of_record(crm, key, "lead") for key in crm.ids("L1", "L2")))
        crm.expect(found, [({},), ()], "what is told of L1 and L2, of which no field is asked for")


def _first(found: Sequence[Mapping[str, FieldValue | None]] | Unknown) -> Mapping[str, FieldValue | None]:
    """Give what is told of a record; nothing where nothing is."""
    return found[0] if isinstance(found, tuple) and found else {}


def _number(value: FieldValue | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
