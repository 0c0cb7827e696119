"""From a decision to what is written: a new activity, or the changes to the one that the CRM has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from connector_core.model import (
    Account,
    Activity,
    ActivityDraft,
    ActivityKind,
    Call,
    Opportunity,
    Replaced,
    Written,
)
from connector_core.model.changes import same_value
from connector_core.model.drafts import FieldValue
from connector_core.writing import render
from connector_core.writing.fields import Given, fields_of
from connector_core.writing.owners import Owner

if TYPE_CHECKING:
    from connector_core.association import Decision

T = TypeVar("T")
What: TypeAlias = Literal["account", "opportunity"]


@dataclass(frozen=True, slots=True)
class Form:
    """How a CRM wants activities: the kind that meetings are kept as, the format of a body, the limits in characters.

    ``parts``: of which parts a body is made, in their order. ``call_fields`` and ``meeting_fields``: what else a new
    activity has, by the CRM's own names. ``note_parts``: of which parts a note beside it is made, if any.
    """

    meeting: ActivityKind = "event"
    body_format: render.BodyFormat = "text"
    subject_limit: int = 255
    body_limit: int = 32_000
    parts: tuple[str, ...] = render.PARTS
    call_fields: Mapping[str, Given] = field(default_factory=dict, hash=False)
    meeting_fields: Mapping[str, Given] = field(default_factory=dict, hash=False)
    note_parts: tuple[str, ...] = ()

    def fields_of(self, call: Call) -> dict[str, FieldValue]:
        """Give the further fields of a call's activity."""
        return fields_of(call, self.call_fields if call.kind == "phone" else self.meeting_fields)


def create(decision: Decision, form: Form, owner: Owner) -> ActivityDraft:
    """Draft a new activity with all that the decision found."""
    call = decision.call
    people = decision.people
    return ActivityDraft(
        key=call.id,
        kind="call" if call.kind == "phone" else form.meeting,
        started_at=call.started_at,
        ended_at=call.end,
        subject=render.subject(call, guests_of(call), form.subject_limit),
        body=render.body(call, form.body_format, form.body_limit, form.parts),
        duration_seconds=call.length_seconds,
        direction=call.direction,
        status=call.status,
        outcome=call.outcome,
        from_number=call.from_number,
        to_number=call.to_number,
        recording_url=call.recording_url,
        owner_id=owner.id,
        owner_from=owner.why,
        person_ids=tuple(person.id for person in people),
        account_id=decision.account.id if decision.account else None,
        opportunity_id=decision.opportunity.id if decision.opportunity else None,
        fields=form.fields_of(call),
    )


def note(decision: Decision, form: Form, owner_id: str | None) -> ActivityDraft | None:
    """Draft the note of a call, linked as its activity is; None where the call says nothing of what is wanted in it."""
    call = decision.call
    if not render.loose(call, form.note_parts):
        return None
    return ActivityDraft(
        key=call.id,
        kind="note",
        started_at=call.started_at,
        ended_at=call.end,
        body=render.body(call, form.body_format, form.body_limit, form.note_parts),
        owner_id=owner_id,
        person_ids=tuple(person.id for person in decision.people),
        account_id=decision.account.id if decision.account else None,
        opportunity_id=decision.opportunity.id if decision.opportunity else None,
    )


def guests_of(call: Call) -> list[str]:
    """Give the names of a call's guests."""
    return [participant.name or "" for participant in call.participants if not participant.is_user]


def change(decision: Decision, form: Form, written: Written | None = None) -> ActivityDraft | None:
    """Draft the changes to the activity that the CRM has; None where there is nothing to change.

    What people wrote in it stays. Without ``written`` ours is added once and associations that it lacks are added; to an
    activity that carries both the call's id and our ``ref:`` line nothing is added: it was written before, and nothing tells
    what we associated it with from what a person did since.

    :param written: What the connector wrote in it before: that is rewritten where nobody changed it, and what the decision
        no longer says of its links is taken back.
    """
    call, activity = decision.call, decision.activity
    assert activity is not None  # noqa: S101 - the caller has one to change
    ours = ours_in(activity, written)
    if ours is None and decision.by_key and render.carries_ref(activity.body or "", call.id, form.body_format):
        return None
    links = _Links(decision, activity, ours)
    account, no_account = links.one("account", decision.account, activity.accounts, ours.account_id if ours else None)
    deal, no_deal = links.one(
        "opportunity", decision.opportunity, activity.opportunities, ours.opportunity_id if ours else None
    )
    if deal is not None and ours is not None and account is None and links.stays(decision.account):
        account = no_account = ours.account_id  # some CRMs have one field for both: the opportunity may stand in it
    if account is not None and deal is None and no_deal is None and links.implied(account):
        account = None
    if ours is not None and no_deal is not None and (deal, account, no_account) == (None, None, None):
        # The opportunity stood for our account too: taken off, it takes it along.
        no_account = ours.account_id if ours.account_implied(activity) else None
    people, nobody = links.people()
    draft = ActivityDraft(
        key=call.id,
        kind=activity.kind,
        started_at=call.started_at,
        ended_at=call.end,
        activity_id=activity.id,
        set_key=not decision.by_key,
        subject=_subject(call, activity, ours, form),
        body=_body(call, activity, ours, form),
        duration_seconds=_duration(call, activity, ours),
        person_ids=people,
        account_id=account,
        opportunity_id=deal,
        fields=_fields(call, ours, form),
        replaces=Replaced(
            activity.subject,
            activity.body,
            activity.duration_seconds,
            no_account,
            no_deal,
            nobody,
            ours.fields if ours else {},
        ),
    )
    nothing = ActivityDraft(
        draft.key, draft.kind, draft.started_at, draft.ended_at, draft.activity_id, replaces=draft.replaces
    )
    return None if draft == nothing and not (no_account or no_deal or nobody) else draft


def ours_in(activity: Activity, written: Written | None) -> Written | None:
    """Give what the connector wrote in this activity; None where it was in another one, or nothing."""
    return written if written is not None and written.activity_id == activity.id else None


def _subject(call: Call, activity: Activity, ours: Written | None, form: Form) -> str | None:
    if ours is None or ours.subject is None or activity.subject != ours.subject:
        return None
    return _new(render.subject(call, guests_of(call), form.subject_limit), activity.subject)


def _body(call: Call, activity: Activity, ours: Written | None, form: Form) -> str | None:
    if ours is None or ours.body is None:
        return render.extend(activity.body, call, form.body_format, form.body_limit, form.parts)
    new = render.rewrite(activity.body, ours.body, call, form.body_format, form.body_limit, form.parts)
    return _new(new, activity.body)


def _fields(call: Call, ours: Written | None, form: Form) -> dict[str, FieldValue]:
    """Give what the call says otherwise now; to an activity that the connector did not create none are given."""
    if ours is None or ours.owner_from is None:
        return {}
    return {name: it for name, it in form.fields_of(call).items() if not same_value(it, ours.fields.get(name))}


def _duration(call: Call, activity: Activity, ours: Written | None) -> float | None:
    mine = activity.duration_seconds is None or (
        ours is not None and activity.duration_seconds == ours.duration_seconds
    )
    return _new(call.length_seconds, activity.duration_seconds) if mine else None


def _new(value: T | None, there: T | None) -> T | None:
    return None if value == there else value


@dataclass(frozen=True, slots=True)
class _Links:
    """What a change does to an activity's links: others' stay, ours follow the decision."""

    decision: Decision
    activity: Activity
    ours: Written | None

    def one(
        self, what: What, wanted: Account | Opportunity | None, there: Sequence[Account | Opportunity], mine: str | None
    ) -> tuple[str | None, str | None]:
        """Give the id to set, and the one of ours that it takes the place of."""
        ids = {record.id for record in there}
        if ids - {mine}:
            return None, None  # somebody else's is there
        replaced = mine if mine in ids else None
        if wanted is None:
            return None, replaced
        if wanted.id in ids or (what, wanted.id) in self.decision.removed:
            return None, None
        return wanted.id, replaced

    def stays(self, account: Account | None) -> bool:
        """Tell whether an account of ours is the only one there, and stays."""
        there = {record.id for record in self.activity.accounts}
        return account is not None and self.ours is not None and there == {account.id} == {self.ours.account_id}

    def implied(self, account: str) -> bool:
        """Tell whether an account is ours already, though the activity names an opportunity alone."""
        ours = self.ours
        mine = ours is not None and ours.account_id == account and ours.account_implied(self.activity)
        return mine and "account" not in self.decision.by_hand

    def people(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the people to add, and those of ours to take off."""
        there = {person.id for person in self.decision.on_activity}
        wanted = [person.id for person in self.decision.people if ("contact", person.id) not in self.decision.removed]
        mine = self.ours.person_ids if self.ours else ()
        return (
            tuple(person for person in wanted if person not in there),
            tuple(person for person in mine if person in there and person not in wanted),
        )
