"""From a decision to what is written: a new activity, or the changes to the one that the CRM has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from connector_core.model import ActivityDraft, ActivityKind
from connector_core.writing import render

if TYPE_CHECKING:
    from connector_core.association import Decision


@dataclass(frozen=True, slots=True)
class Form:
    """How a CRM wants activities: the kind that meetings are kept as, the format of a body, the limits in characters."""

    meeting: ActivityKind = "event"
    body_format: render.BodyFormat = "text"
    subject_limit: int = 255
    body_limit: int = 32_000


def create(decision: Decision, form: Form, owner_id: str | None) -> ActivityDraft:
    """Draft a new activity with all that the decision found."""
    call = decision.call
    people = decision.people
    guests = [participant.name or "" for participant in call.participants if not participant.is_user]
    return ActivityDraft(
        key=call.id,
        kind="call" if call.kind == "phone" else form.meeting,
        started_at=call.started_at,
        ended_at=call.end,
        subject=render.subject(call, guests, form.subject_limit),
        body=render.body(call, form.body_format, form.body_limit),
        duration_seconds=call.length_seconds,
        direction=call.direction,
        status=call.status,
        outcome=call.outcome,
        from_number=call.from_number,
        to_number=call.to_number,
        recording_url=call.recording_url,
        owner_id=owner_id,
        person_ids=tuple(person.id for person in people),
        account_id=decision.account.id if decision.account else None,
        opportunity_id=decision.opportunity.id if decision.opportunity else None,
    )


def change(decision: Decision, form: Form) -> ActivityDraft | None:
    """Draft the changes to the activity that the CRM has; None where there is nothing to change.

    What people wrote in it stays, and ours is added once. Associations that it lacks are added, none is replaced. To an
    activity that carries both the call's id and our ``ref:`` line nothing is added: it was written before, and without a
    ledger nothing tells what we associated it with from what a person did since.
    """
    call, activity = decision.call, decision.activity
    assert activity is not None  # noqa: S101 - the caller has one to change
    if decision.by_key and render.carries_ref(activity.body or "", call.id, form.body_format):
        return None
    there = {person.id for person in decision.on_activity}
    draft = ActivityDraft(
        key=call.id,
        kind=activity.kind,
        started_at=call.started_at,
        ended_at=call.end,
        activity_id=activity.id,
        set_key=not decision.by_key,
        body=render.extend(activity.body, call, form.body_format, form.body_limit),
        duration_seconds=call.length_seconds if activity.duration_seconds is None else None,
        person_ids=tuple(person.id for person in decision.people if person.id not in there),
        account_id=decision.account.id if decision.account and not activity.accounts else None,
        opportunity_id=decision.opportunity.id if decision.opportunity and not activity.opportunities else None,
    )
    nothing = ActivityDraft(
        draft.key, draft.kind, draft.started_at, draft.ended_at, draft.activity_id, status=draft.status
    )
    return None if draft == nothing else draft
