"""What a CRM answers: records, and the third answer beside *found* and *not there*."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector_core.model.call import CallKind

PersonKind: TypeAlias = Literal["contact", "lead"]
ActivityKind: TypeAlias = Literal["call", "task", "meeting", "event", "note"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """The third answer: the CRM was not, or not completely, asked. Never the same as *nothing found*."""

    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """A company. ``name`` is None where the CRM has none."""

    id: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A contact or a lead.

    References point to records that are there: one to a deleted record is None, one to a merged record is the survivor.
    ``account`` is the primary one; ``other_account_ids`` are shown, and count for nothing.
    A lead with ``converted`` stands for ``converted_to``, which is the end of the chain (a contact, or a lead that is not
    converted); None there: the chain is a circle, or ends at a record that is gone.
    """

    kind: PersonKind
    id: str
    name: str | None = None
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    title: str | None = None
    account: Account | None = None
    other_account_ids: tuple[str, ...] = ()
    converted: bool = False
    converted_to: Person | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of the CRM, who may own records."""

    id: str
    email: str
    name: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An opportunity (deal). References as in :class:`Person`.

    ``person_ids``: those whose opportunity it is, converted leads already replaced by whom they became.
    ``closed_at``: the real closing, a date where the CRM knows only the day; None while open. An expected close date is
    no closing.
    """

    id: str
    created_at: dt.datetime
    name: str | None = None
    account: Account | None = None
    owner_id: str | None = None
    owner_email: str | None = None
    closed_at: dt.datetime | dt.date | None = None
    person_ids: tuple[str, ...] = ()
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """An activity that the CRM already has. References as in :class:`Person`.

    ``key`` is the call id that it carries, exactly as stored, or None. ``opportunities`` and ``accounts`` hold only
    associations that somebody made, never what the CRM derives by itself; most CRMs know one of each.
    ``started_at`` is a date where only the day is known.
    """

    id: str
    kind: ActivityKind
    key: str | None = None
    people: tuple[Person, ...] = ()
    opportunities: tuple[Opportunity, ...] = ()
    accounts: tuple[Account, ...] = ()
    started_at: dt.datetime | dt.date | None = None
    duration_seconds: float | None = None
    subject: str | None = None
    body: str | None = None
    owner_id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class CallKey:
    """What a CRM needs to find the activities that may be a call's.

    ``person_ids``: every record that a guest may be (alternates, absent guests, leads and whom they became). Of kind
    ``note`` it asks for notes alone, by the id of their call; only where the CRM has the trait ``notes``.
    ``known_id`` and ``known_kind``: the activity that is known to be the call's, as its plugin answered or wrote it. It is a
    candidate wherever it is in time, and also without its key: the call, or somebody in the CRM, may have moved it.
    """

    call_id: str
    kind: CallKind | Literal["note"]
    started_at: dt.datetime
    ended_at: dt.datetime
    duration_seconds: float | None = None
    person_ids: tuple[str, ...] = ()
    known_id: str | None = None
    known_kind: ActivityKind | None = None


@dataclass(frozen=True, slots=True)
class Opportunities:
    """The opportunities of people, of accounts and by id: each key that was asked for has its answer.

    By id: a tuple of one, or an empty one where the record is gone.
    """

    of_people: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)
    of_accounts: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)
    by_id: Mapping[str, tuple[Opportunity, ...] | Unknown] = field(default_factory=dict)
