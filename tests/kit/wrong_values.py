"""Adapters that are wrong in one way of reading or refusing fields; see :mod:`kit.mutants`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kit.wrongs import Wrongs

from connector_core.crms.file import FileAdapter
from connector_core.errors import RefusedError
from connector_core.hookspecs import hookimpl
from connector_core.model import FieldReceipt, RecordFields, RecordUpdate

FAILED_BY = Wrongs()
failed_by = FAILED_BY.note


class Wrong(FileAdapter):
    """Wrong nowhere yet."""

    def values(self, held: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a record."""
        return held

    def receipt(self, made: FieldReceipt) -> FieldReceipt:
        """Answer a field."""
        return made

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        """Read."""
        return {key: tuple(map(self.values, told)) for key, told in super().read_fields(records).items()}

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Fill."""
        receipts = super().fill_fields(updates)
        return {key: {name: self.receipt(it) for name, it in made.items()} for key, made in receipts.items()}


@failed_by("C-FIELD-5")
class GivesNoReason(Wrong):
    """Refuses without a word."""

    def receipt(self, made: FieldReceipt) -> FieldReceipt:
        return dataclasses.replace(made, reason=None)


@failed_by("C-FIELD-5")
class TakesAWrongValueForAReadOnlyField(Wrong):
    """Refuses everything with one code."""

    def receipt(self, made: FieldReceipt) -> FieldReceipt:
        return dataclasses.replace(made, code="fixed") if made.code else made


@failed_by("C-VALUE-1", "C-VALUE-7")
class RoundsNumbers(Wrong):
    """Reads whole numbers alone."""

    def values(self, held: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: int(value) if isinstance(value, float) else value for name, value in held.items()}


@failed_by("C-VALUE-2")
class ReadsNothingAsText(Wrong):
    """Has an empty text for what is empty."""

    def values(self, held: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: "" if name == "title" and value is None else value for name, value in held.items()}


@failed_by("C-VALUE-2")
class LeavesOutWhatIsEmpty(Wrong):
    """Takes a title that is empty for one that is not there."""

    def values(self, held: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name: value for name, value in held.items() if name != "title" or value is not None}


@failed_by("C-VALUE-4")
class RefusesAnOddId(Wrong):
    """Lets an id that cannot be one fail the whole batch."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        if any(not it.id.isalnum() for it in records):
            raise RefusedError("malformed id", code="MALFORMED_ID")
        return super().read_fields(records)


@failed_by("C-VALUE-5")
class RemembersWhoIsGone(Wrong):
    """Tells of a record that was deleted what its id tells: nothing."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        there = {it.id for it in self._index().world.people}
        gone = [it for it in records if it.object == "people" and it.id not in there and it.id[1:].isdecimal()]
        return {**super().read_fields(records), **{(it.object, it.id): (dict.fromkeys(it.fields),) for it in gone}}


@failed_by("C-VALUE-9")
class ReadsAConvertedLead(Wrong):
    """Reads a lead, whatever it became."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        converted = {it.id for it in self._index().world.people if it.is_converted}
        told = {(it.object, it.id): (dict.fromkeys(it.fields),) for it in records if it.id in converted}
        return {**super().read_fields(records), **told}


class ReadsTheSurvivor(Wrong):
    """Answers the id of a merged record with the one that is left: what is written there counts as of the other."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        left = {(it.fields or {}).get("stands_for"): it.id for it in self._index().world.people}
        asked = [dataclasses.replace(it, id=left.get(it.id, it.id)) for it in records]
        found = super().read_fields(asked)
        return {(it.object, it.id): found[it.object, its.id] for it, its in zip(records, asked, strict=True)}


@failed_by("C-VALUE-6")
class FailsForAnObject(Wrong):
    """Lets an object that is not there fail the whole batch."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        if any(it.object not in ("people", "opportunities") for it in records):
            raise RefusedError("there is no such object")
        return super().read_fields(records)


@failed_by("C-VALUE-7")
class ReadsTheFirstPage(Wrong):
    """Answers a hundred records, as if there were no others."""

    @hookimpl
    def read_fields(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], Any]:
        nothing: dict[tuple[str, str], Any] = {(it.object, it.id): () for it in records}
        return nothing | dict(super().read_fields(records[:100]))
