"""What the text of an activity has no room for, beside what somebody else wrote in it, and how that is told."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from connector_core.characters import units
from connector_core.model import ActivityDraft, Receipt, Written
from connector_core.writing import render
from connector_core.writing.draft import Form, ours_in

if TYPE_CHECKING:
    from connector_core.association import Decision

FULL = "the text of the activity is full, so nothing that the call brought was added to it"
_WORDS: Mapping[str, str] = {
    "subject": "subject",
    "duration_seconds": "duration",
    "person_ids": "people",
    "account_id": "account",
    "opportunity_id": "opportunity",
}


def untold(decision: Decision, form: Form, written: Written | None = None) -> str | None:
    """Say what goes of a call in the text of the activity that the CRM has, where nothing in that text says so.

    None: nothing does, or that text is left alone for another reason.

    :param written: What the connector wrote in the activity before.
    """
    call, activity = decision.call, decision.activity
    assert activity is not None  # noqa: S101 - the caller has one to change
    ours, fmt = ours_in(activity, written), form.body_format
    there = render.beside(activity.body, ours.body if ours else None, call.id, fmt)
    if there is None:
        return None
    room = form.body_limit - sum(map(units, there))
    text, least = (render.body(call, fmt, room, parts) for parts in (form.parts, ()))
    if text is None:
        return FULL
    whole = render.body(call, fmt, sys.maxsize, ())
    gone = [*(["facts"] if least != whole else []), *(render.loose(call, form.parts) if text == least else ())]
    if not gone:
        return None
    return f"the text of the activity is nearly full, so {_listed(gone)} of the call went, and nothing there says so"


def told(draft: ActivityDraft, receipt: Receipt) -> Receipt:
    """Add to the receipt of a change what had no room, and what was written nevertheless."""
    if draft.untold is None or receipt.outcome not in ("updated", "unchanged"):
        return receipt
    names = [name for name in _WORDS if getattr(draft, name) not in (None, ())]
    written = [_WORDS.get(name, name) for name in (*names, *draft.fields) if name not in receipt.kept]
    nevertheless = f"; written nevertheless: {_listed(written)}" if written and receipt.outcome == "updated" else ""
    return replace(receipt, reason="; ".join(filter(None, [f"{draft.untold}{nevertheless}", receipt.reason])))


def _listed(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
