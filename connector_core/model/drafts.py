"""What is written to a CRM, and what it says of that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector_core.model.call import CallStatus, Direction
from connector_core.model.records import Activity, ActivityKind

FieldValue: TypeAlias = str | int | float | bool

OwnerFrom: TypeAlias = Literal["mapped", "organizer", "fallback", "default"]
"""Why somebody owns an activity: named by the setting ``owners``, found by the organizer's e-mail, ``fallback_owner``, or
whomever the CRM makes its owner."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What a change takes the place of: what the activity said and named when the change was decided.

    ``subject`` and ``body``: its whole texts. ``account_id``, ``opportunity_id`` and ``person_ids``: those of its links
    that the connector made itself, nobody changed since, and the change takes back. An account that the draft names too
    stays; where a CRM has one field for both, the draft's opportunity takes its place. ``fields``: what the connector wrote
    in further fields.
    """

    subject: str | None = None
    body: str | None = None
    duration_seconds: float | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    person_ids: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Written:
    """The activity that is a call's, and what the connector wrote in it: what was there before is not ours.

    ``body`` is our own part of it, as the CRM shows it. ``person_ids``, ``account_id`` and ``opportunity_id``: the links
    that the connector made. ``owner_id`` and ``owner_from``: the owner that it was created with, and why; ``owner_from`` is
    None where the connector did not create it, or that is not known. ``fields``: further fields, as they were sent.
    ``note_id``: the note of the call, written beside the activity.
    """

    activity_id: str
    kind: ActivityKind
    url: str | None = None
    subject: str | None = None
    body: str | None = None
    duration_seconds: float | None = None
    person_ids: tuple[str, ...] = ()
    account_id: str | None = None
    opportunity_id: str | None = None
    owner_id: str | None = None
    owner_from: OwnerFrom | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)
    note_id: str | None = None

    def account_implied(self, activity: Activity) -> bool:
        """Tell whether an opportunity of the activity stands for our account: beside it not every CRM names that."""
        return not activity.accounts and any(
            deal.id == self.opportunity_id or (deal.account is not None and deal.account.id == self.account_id)
            for deal in activity.opportunities
        )


@dataclass(frozen=True, slots=True)
class ActivityDraft:
    """One activity to write: a new one where ``activity_id`` is None, else the changes to that one.

    ``key`` is the call's id: the idempotency key. ``kind`` is the kind of the activity (of the one that exists, in a
    change). ``subject`` and ``body`` are final: rendered in the CRM's format and within its limits. ``owner_id`` is of a new
    one; None leaves it to the CRM. ``owner_from``, and ``untold``, what the body has no room for, are for the core alone.
    ``fields``: further fields, by the CRM's own names; only where the CRM has the trait ``activity_fields``.

    In a change, None means *leave it as it is*, and ``set_key`` says that it carries no key yet. The activity is read once
    more just before: a subject, a body, a duration or a field is written only where it still says what ``replaces`` says
    (blank or none for None), ``account_id`` and ``opportunity_id`` are set only where it names none or the one of
    ``replaces``, one of ``replaces`` is taken off where the draft has none, ``person_ids`` are added to those it has, and
    those of ``replaces`` taken off. Whatever somebody changed meanwhile stays, and the receipt names it in ``kept``.
    """

    key: str
    kind: ActivityKind
    started_at: dt.datetime
    ended_at: dt.datetime
    activity_id: str | None = None
    set_key: bool = False
    subject: str | None = None
    body: str | None = None
    duration_seconds: float | None = None
    direction: Direction | None = None
    status: CallStatus = "completed"
    outcome: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    recording_url: str | None = None
    owner_id: str | None = None
    owner_from: OwnerFrom | None = None
    person_ids: tuple[str, ...] = ()
    account_id: str | None = None
    opportunity_id: str | None = None
    fields: Mapping[str, FieldValue] = field(default_factory=dict, hash=False)
    replaces: Replaced = Replaced()
    untold: str | None = None


WriteOutcome: TypeAlias = Literal["created", "updated", "unchanged", "refused", "unknown", "deferred"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a draft.

    ``unknown``: sent and not answered, it may have been written. ``deferred``: surely not written, ask again later.
    ``reason`` is for a person; ``code`` and ``field`` are the CRM's own. ``kept``: the draft's fields that were not written,
    because somebody changed them in the CRM. ``body``: what the CRM says that it holds now, where its answer tells.
    ``after_seconds``: how long the CRM asks to wait, where it does. ``owner_refused``: it was refused for its owner, who is
    inactive or not there; the core sends it again with another.
    """

    outcome: WriteOutcome
    id: str | None = None
    url: str | None = None
    reason: str | None = None
    code: str | None = None
    field: str | None = None
    kept: tuple[str, ...] = ()
    body: str | None = None
    after_seconds: float | None = None
    owner_refused: bool = False


@dataclass(frozen=True, slots=True)
class RecordUpdate:
    """Fields to set on one record. ``object`` and the names of ``fields`` are the CRM's own; None clears a field."""

    object: str
    id: str
    fields: Mapping[str, FieldValue | None]


@dataclass(frozen=True, slots=True)
class RecordFields:
    """Fields to read of one record. ``object`` and the names in ``fields`` are the CRM's own."""

    object: str
    id: str
    fields: tuple[str, ...]


FillReason: TypeAlias = Literal["validation_rule", "too_long", "no_permission", "field_missing", "refused_value"]
"""Why a CRM refused a field; said in words in :data:`connector_core.filling.outcomes.REASONS`."""


@dataclass(frozen=True, slots=True)
class FieldReceipt:
    """What became of one field of a :class:`RecordUpdate`. ``reason`` is for a person; ``code`` is the CRM's own."""

    outcome: Literal["sent", "unchanged", "refused", "unknown", "deferred"]
    reason: str | None = None
    code: str | None = None


FormRecord: TypeAlias = Literal["contact", "opportunity"]


@dataclass(frozen=True, slots=True)
class FormFields:
    """What is known of a record that a person is about to create in the CRM's own form; None: not known."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    account_id: str | None = None
