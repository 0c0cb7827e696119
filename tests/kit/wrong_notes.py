"""Adapters that are wrong in one way each about notes."""

from __future__ import annotations

import dataclasses
from typing import Any

from kit.mutants import Wrong, failed_by

from connector_core.model import Activity, ActivityDraft, CallKey


@failed_by("C-NOTE-1")
class SaysNothingInNotes(Wrong):
    """Writes the last line of a note alone."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.kind == "note":
            record["body"] = f"ref: {draft.key}"


@failed_by("C-NOTE-2")
class LinksNotesToNobody(Wrong):
    """Leaves the people of a note out."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return dataclasses.replace(draft, person_ids=()) if draft.kind == "note" else draft


@failed_by("C-NOTE-2")
class LinksNotesToPeopleAlone(Wrong):
    """Leaves the opportunity of a note out."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return dataclasses.replace(draft, opportunity_id=None) if draft.kind == "note" else draft


@failed_by("C-NOTE-3")
class ShowsNotesAmongActivities(Wrong):
    """Gives the note of a call as one of its activities."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        index = self._index()
        return found + tuple(it for it in index.activities_by_key.get(call.call_id, ()) if it.id in index.notes)


@failed_by("C-NOTE-3")
class ShowsActivitiesAmongNotes(Wrong):
    """Gives whatever carries the call's id where its note is asked for."""

    def of_call(self, call: CallKey, found: tuple[Activity, ...]) -> Any:
        return tuple(self._index().activities_by_key.get(call.call_id, ())) if call.kind == "note" else found


@failed_by("C-NOTE-1", "C-NOTE-2", "C-NOTE-3")
class KeepsNotesAsActivities(Wrong):
    """Keeps nothing that tells a note from an activity."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.kind == "note":
            del record["fields"]
