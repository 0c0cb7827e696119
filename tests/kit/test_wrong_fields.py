"""The clauses on fields that are not there: no file refuses one, so that they are tried on a CRM that lists all it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import pytest
from contract_accounts import FileAccount
from kit.examination import failures

from connector_core.crms import FILE
from connector_core.crms.file import FileAdapter
from connector_core.errors import TryAgainError
from connector_core.hookspecs import hookimpl
from connector_core.model import FieldReceipt, ObjectDescription, RecordUpdate

CLAUSES = ["C-WRITE-14", "C-FIELD-8"]
LISTING = dataclasses.replace(FILE, cannot_hold={}, adapter=f"{__name__}:Lists")


class Lists(FileAdapter):
    """Has the fields that it describes, and no others."""

    @hookimpl
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...]]:
        """Say that nothing else is there."""
        found = super().describe_objects(objects)
        return {name: tuple(dataclasses.replace(it, complete=True) for it in told) for name, told in found.items()}


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


def test_a_description_that_cannot_be_had_fails_a_clause() -> None:
    """A connection goes on without, and what the clause shows would not be what it says."""
    wrong = dataclasses.replace(LISTING, adapter=f"{__name__}:NeverDescribes")

    assert (
        "objects could not be described: the file is busy" in failures(wrong, FileAccount(), ["C-FIELD-1"])["C-FIELD-1"]
    )
