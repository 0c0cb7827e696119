"""Adapters that are wrong in one way each where they change what the connector wrote."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from kit.mutants import Wrong, failed_by

from connector_core.hookspecs import hookimpl
from connector_core.model import ActivityDraft, Receipt


def keeps(draft: ActivityDraft, *names: str) -> ActivityDraft:
    """Let a draft replace nothing of these names."""
    off = {name: () if name == "person_ids" else None for name in names}
    return dataclasses.replace(draft, replaces=dataclasses.replace(draft.replaces, **off))


@failed_by("C-CHANGE-5")
class NeverSetsOpportunities(Wrong):
    """Changes no opportunity but one that is to be replaced, not where there is none either."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        added = draft.activity_id and not draft.replaces.opportunity_id
        return dataclasses.replace(draft, opportunity_id=None) if added else draft


@failed_by("C-REPLACE-1")
class WritesOverBodies(Wrong):
    """Writes a body without looking whether it is still what it was, where nothing else is said."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.activity_id and draft.body and draft.subject is None:
            record["body"] = draft.body


@failed_by("C-REPLACE-2")
class AllOrNothing(Wrong):
    """Writes nothing of a change where somebody changed one of its texts."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        found = self._index().activities.get(draft.activity_id or "")
        if found and draft.subject and draft.replaces.subject != found.subject:
            return dataclasses.replace(draft, body=None)
        return draft


@failed_by("C-REPLACE-3")
class NeverReplacesOpportunities(Wrong):
    """Keeps an opportunity where another is to take its place."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return keeps(draft, "opportunity_id") if draft.opportunity_id else draft


@failed_by("C-REPLACE-4")
class NeverClearsOpportunities(Wrong):
    """Takes None for *leave it as it is*, whatever is to be replaced."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return draft if draft.opportunity_id else keeps(draft, "opportunity_id")


@failed_by("C-REPLACE-5")
class ReplacesAnyOpportunity(Wrong):
    """Puts an opportunity in place of any, where the connector had one before."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.replaces.opportunity_id and draft.opportunity_id:
            record["opportunity_id"] = draft.opportunity_id


@failed_by("C-REPLACE-6")
class NeverReplacesAccounts(Wrong):
    """Keeps an account where another is to take its place."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return keeps(draft, "account_id") if draft.account_id else draft


@failed_by("C-REPLACE-7")
class NeverClearsAccounts(Wrong):
    """Keeps an account that is to be taken off."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return draft if draft.account_id else keeps(draft, "account_id")


@failed_by("C-REPLACE-8")
class ReplacesAnyAccount(Wrong):
    """Puts an account in place of any, where the connector had one before."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        if draft.replaces.account_id and draft.account_id:
            record["account_id"] = draft.account_id


@failed_by("C-REPLACE-9")
class NeverTakesOff(Wrong):
    """Keeps everybody on a call."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return keeps(draft, "person_ids") if draft.kind == "call" else draft


@failed_by("C-REPLACE-10")
class NeverTakesOffMeetings(Wrong):
    """Keeps everybody on a meeting."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return draft if draft.kind == "call" else keeps(draft, "person_ids")


@failed_by("C-REPLACE-11")
class TellsWhatItWasGiven(Wrong):
    """Tells the body that it was given, and not the one that the CRM has."""

    @hookimpl
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        receipts = super().write_activity(drafts)
        said = {draft.key: f"{draft.body} " for draft in drafts}
        return {key: dataclasses.replace(it, body=said[key]) for key, it in receipts.items()}


@failed_by("C-REPLACE-12", "C-REPLACE-13")
class ForgetsFurtherFields(Wrong):
    """Writes no further field."""

    def drafted(self, draft: ActivityDraft) -> ActivityDraft:
        return dataclasses.replace(draft, fields={})


@failed_by("C-REPLACE-13")
class WritesOverFurtherFields(Wrong):
    """Writes further fields without looking whether they still are what they were."""

    def activity(self, draft: ActivityDraft, record: dict[str, Any]) -> None:
        record["fields"] = {**record.get("fields", {}), **draft.fields}
