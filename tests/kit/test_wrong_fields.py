"""The clauses on fields that are not there: no file refuses one, so that they are tried on a CRM that lists all it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pytest
from contract_accounts import FileAccount
from kit.examination import failures

from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.errors import TryAgainError
from connector_core.hookspecs import hookimpl
from connector_core.model import FieldReceipt, FieldValue, ObjectDescription, RecordFields, RecordUpdate

Values: TypeAlias = Mapping[str, FieldValue | None]
CLAUSES = ["C-WRITE-14", "C-FIELD-8"]
LISTING = dataclasses.replace(
    FILE,
    cannot_hold={},
    field_codes={"missing": "no_such_field"},
    refusals={"no_such_field": "field_missing"},
    adapter=f"{__name__}:Lists",
)


class Lists(FileAdapter):
    """Has the fields that it describes, and no others."""

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Say that nothing else is there."""
        found = super().describe_objects(objects)
        return {name: tuple(dataclasses.replace(it, complete=True) for it in told) for name, told in found.items()}

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], tuple[Values, ...]]:
        """Leave out what else is asked for."""
        there = {name: told[0].fields for name, told in super().describe_objects([it.object for it in records]).items()}
        some = [
            dataclasses.replace(it, fields=tuple(name for name in it.fields if name in there[it.object]))
            for it in records
        ]
        return super().read_fields(some)


class LeavesNothingOut(Lists):
    """Reads a field that is not there as an empty one."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], tuple[Values, ...]]:
        """Read."""
        return FileAdapter.read_fields(self, records)


class FailsForAField(Lists):
    """Answers nothing of a record, because of a field that is not there."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], tuple[Values, ...]]:
        """Read."""
        found = super().read_fields(records)
        whole = {
            (it.object, it.id) for it in records for told in found[it.object, it.id] if len(told) == len(it.fields)
        }
        return {key: told if key in whole else () for key, told in found.items()}


class RefusesRecords(Lists):
    """Describes nothing, and refuses all fields of a record for one."""

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Describe nothing."""
        return dict.fromkeys(objects, ())

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Refuse."""
        return {(it.object, it.id): dict.fromkeys(it.fields, FieldReceipt("refused", "no")) for it in updates}


class NeverDescribes(Lists):
    """Cannot tell what there is."""

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Fail."""
        raise TryAgainError("the file is busy")


def test_who_lists_all_fields_keeps_them() -> None:
    """The core refuses what is not described, so that a plugin has nothing to do for it."""
    assert failures(LISTING, FileAccount(), CLAUSES) == {}


@pytest.mark.parametrize("adapter", [FileAdapter, RefusesRecords])
def test_who_takes_any_field_or_refuses_too_many_breaks_them(adapter: type) -> None:
    """Nobody would hear that a setting names a field that is not there; or nothing else would be written."""
    wrong = dataclasses.replace(LISTING, adapter=f"{adapter.__module__}:{adapter.__name__}")

    assert failures(wrong, FileAccount(), CLAUSES).keys() == set(CLAUSES)


@pytest.mark.parametrize("adapter", [LeavesNothingOut, FailsForAField])
def test_a_field_that_is_not_there_is_neither_empty_nor_in_the_way(adapter: type) -> None:
    """Who reads what is not there, or nothing else for it, breaks the clause on reading such a field."""
    wrong = dataclasses.replace(LISTING, adapter=f"{__name__}:{adapter.__name__}")

    assert failures(LISTING, FileAccount(), ["C-VALUE-3"]) == {}
    assert failures(wrong, FileAccount(), ["C-VALUE-3"]).keys() == {"C-VALUE-3"}


def test_a_description_in_part_fails_a_clause() -> None:
    """Where a CRM says what fields there are, what is filled is held against all of them; nothing is said of a file."""
    part = dataclasses.replace(LISTING, adapter=f"{FileAdapter.__module__}:{FileAdapter.__name__}")
    asked = ["C-FIELD-1", "C-VALUE-1", "C-DESCRIBE-1", "C-REPLACE-12"]

    assert failures(FILE, FileAccount(), asked) == {}
    found = failures(part, FileAccount(), asked)
    assert [it for it in asked if "described with all its fields" in found.get(it, "")] == asked


def test_a_description_that_cannot_be_had_fails_a_clause() -> None:
    """A connection goes on without, and what the clause shows would not be what it says."""
    any_field = {"fixed_fields": "it keeps any further field"}
    wrong = dataclasses.replace(LISTING, cannot_hold=any_field, adapter=f"{__name__}:NeverDescribes")

    assert (
        "objects could not be described: the file is busy" in failures(wrong, FileAccount(), ["C-FIELD-1"])["C-FIELD-1"]
    )
