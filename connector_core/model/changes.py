"""What is left of a change, once its activity was read again just before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from connector_core.model.drafts import ActivityDraft, FieldValue, Replaced

T = TypeVar("T", str, float)


@dataclass(frozen=True, slots=True)
class Current:
    """What an activity says and names now, read as an :class:`~connector_core.model.Activity` is.

    ``fields``: further ones that a draft names; one that cannot be read is left out.
    """

    subject: str | None = None
    body: str | None = None
    duration_seconds: float | None = None
    account_ids: tuple[str, ...] = ()
    opportunity_ids: tuple[str, ...] = ()
    person_ids: tuple[str, ...] = ()
    fields: Mapping[str, FieldValue | None] = field(default_factory=dict, hash=False)


def remaining(draft: ActivityDraft, current: Current) -> tuple[ActivityDraft, tuple[str, ...]]:
    """Leave of a change what is still to be written.

    :returns: The draft without what stands there already and what is not to be written any more; its ``replaces`` has just
        the links that are to be taken off. And the names of the fields that somebody changed meanwhile.
    """
    old = draft.replaces
    kept: list[str] = []

    def said(name: str, wanted: T | None, before: T | None, now: T | None) -> T | None:
        if wanted is None or wanted == now:
            return None
        if not _same(before, now):
            kept.append(name)
            return None
        return wanted

    def linked(
        name: str, wanted: str | None, before: str | None, now: tuple[str, ...]
    ) -> tuple[str | None, str | None]:
        off = before if before in now and before != wanted else None
        if wanted in now:
            return None, off
        if any(it != before for it in now) and (wanted or (before and not off)):
            kept.append(name)
            return None, None
        return wanted, off

    subject = said("subject", draft.subject, old.subject, current.subject)
    body = said("body", draft.body, old.body, current.body)
    duration = said("duration_seconds", draft.duration_seconds, old.duration_seconds, current.duration_seconds)
    account, no_account = linked("account_id", draft.account_id, old.account_id, current.account_ids)
    opportunity, no_opportunity = linked(
        "opportunity_id", draft.opportunity_id, old.opportunity_id, current.opportunity_ids
    )
    fields: dict[str, FieldValue] = {}
    for name, value in draft.fields.items():
        if name not in current.fields or not same_value(current.fields[name], old.fields.get(name)):
            if not same_value(current.fields.get(name), value):
                kept.append(name)
        elif not same_value(current.fields[name], value):
            fields[name] = value
    off = tuple(it for it in old.person_ids if it in current.person_ids and it not in draft.person_ids)
    left = replace(
        draft,
        subject=subject,
        body=body,
        duration_seconds=duration,
        account_id=account,
        opportunity_id=opportunity,
        person_ids=tuple(dict.fromkeys(it for it in draft.person_ids if it not in current.person_ids)),
        fields=fields,
        replaces=Replaced(account_id=no_account, opportunity_id=no_opportunity, person_ids=off),
    )
    return left, tuple(kept)


def same_value(one: FieldValue | None, other: FieldValue | None) -> bool:
    """Compare values of a field as CRMs show them: a number or a yes may be text there, and empty text is nothing."""
    mine, theirs = _text(one), _text(other)
    if mine is None or theirs is None or (isinstance(one, str) and isinstance(other, str)):
        return mine == theirs  # two texts are no numbers: 0123 is not 123
    try:
        return Decimal(mine) == Decimal(theirs)
    except InvalidOperation:
        return mine == theirs


def _text(value: FieldValue | None) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    return str(value).strip().replace("\r\n", "\n") or None


def _same(before: str | float | None, now: str | float | None) -> bool:
    """Compare as what was read before and is read now: a blank text is none."""
    return _something(before) == _something(now)


def _something(value: str | float | None) -> str | float | None:
    return None if isinstance(value, str) and not value.strip() else value
