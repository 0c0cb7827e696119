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
    activity that carries the call's id already none is added: without a ledger nothing tells ours from a person's.
    """
    call, activity = decision.call, decision.activity
    assert activity is not None  # noqa: S101 - the caller has one to change
    body = render.extend(activity.body, call, form.body_format, form.body_limit)
    duration = call.length_seconds if activity.duration_seconds is None else None
    people: tuple[str, ...] = ()
    account = opportunity = None
    if not decision.by_key:
        there = {person.id for person in activity.people} | {
            person.converted_to.id for person in activity.people if person.converted_to is not None
        }
        people = tuple(person.id for person in decision.people if person.id not in there)
        if not activity.opportunities and decision.opportunity is not None:
            opportunity = decision.opportunity.id
        if not activity.accounts and decision.account is not None:
            account = decision.account.id
    if body is None and duration is None and decision.by_key:
        return None
    return ActivityDraft(
        key=call.id,
        kind=activity.kind,
        started_at=call.started_at,
        ended_at=call.end,
        activity_id=activity.id,
        set_key=not decision.by_key,
        body=body,
        duration_seconds=duration,
        person_ids=people,
        account_id=account,
        opportunity_id=opportunity,
    )
