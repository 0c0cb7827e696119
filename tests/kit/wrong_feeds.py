"""Adapters that are wrong in one way of telling what changed; see :mod:`kit.mutants`."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

from kit.wrongs import Wrongs

from connector_core.crms.file import FileAdapter
from connector_core.hookspecs import hookimpl
from connector_core.model import Changed, ChangePage, FieldReceipt, RecordKind, RecordUpdate

FAILED_BY = Wrongs()
failed_by = FAILED_BY.note
PAGE = 40


class Paged(FileAdapter):
    """Gives pages of 40, and is wrong nowhere yet: goes on behind the last record."""

    def keep(self, record: Changed) -> bool:
        """Tell whether a record is told."""
        return True

    def told(self, kinds: Sequence[RecordKind], since: dt.datetime) -> list[Changed]:
        """List what changed."""
        found = super().list_changes(kinds, since, None).records
        return sorted((it for it in found if self.keep(it)), key=lambda it: (it.changed_at, it.id))

    @hookimpl
    def list_changes(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
        """List."""
        rest = [it for it in self.told(kinds, since) if page is None or it.id > page]
        more = len(rest) > PAGE
        return ChangePage(tuple(rest[:PAGE]), rest[PAGE - 1].id if more else None)


@failed_by("C-FEED-1")
class TellsNoActivities(Paged):
    """Knows of no change of activities."""

    def keep(self, record: Changed) -> bool:
        return record.kind != "activity"


@failed_by("C-FEED-2")
class TellsNoLeads(Paged):
    """Knows of no change of leads."""

    def keep(self, record: Changed) -> bool:
        return record.kind != "lead"


@failed_by("C-FEED-3")
class GoesOnBehindTheTime(Paged):
    """Begins the next page behind the time of the last record: what shares it is lost."""

    @hookimpl
    def list_changes(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
        told = self.told(kinds, since)
        rest = [it for it in told if page is None or it.changed_at > dt.datetime.fromisoformat(page)]
        if kinds != ("opportunity",) and kinds != ("contact",):
            return ChangePage(tuple(rest))
        more = len(rest) > PAGE
        return ChangePage(tuple(rest[:PAGE]), rest[PAGE - 1].changed_at.isoformat() if more else None)


@failed_by("C-FEED-4")
class LeavesTheTimeItselfOut(Paged):
    """Tells what changed after the time, and not what changed at it."""

    def told(self, kinds: Sequence[RecordKind], since: dt.datetime) -> list[Changed]:
        found = super().told(kinds, since)
        return [it for it in found if it.changed_at > since or it.kind == "contact"]


@failed_by("C-FEED-4")
class KnowsNoTime(Paged):
    """Tells all records, whenever they changed."""

    def told(self, kinds: Sequence[RecordKind], since: dt.datetime) -> list[Changed]:
        return super().told(kinds, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


@failed_by("C-FEED-5")
class ForgetsWhatItFilled(Paged):
    """Does not tell what the connector itself changed."""

    filled: frozenset[str] = frozenset()

    def keep(self, record: Changed) -> bool:
        return record.id not in self.filled

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Fill."""
        self.filled |= {update.id for update in updates}
        return super().fill_fields(updates)


@failed_by("C-FEED-5")
class TellsTimesOfLongAgo(Paged):
    """Tells a time at which nobody had changed anything, once a record was changed."""

    filled = False

    def told(self, kinds: Sequence[RecordKind], since: dt.datetime) -> list[Changed]:
        found = super().told(kinds, since)
        long_ago = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return [dataclasses.replace(it, changed_at=long_ago) for it in found] if self.filled else found

    @hookimpl
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Fill."""
        self.filled = True
        return super().fill_fields(updates)
