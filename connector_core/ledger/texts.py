"""Drafts and what was written, as the ledger keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from connector_core.model import ActivityDraft, Written

_DRAFT = TypeAdapter(ActivityDraft)
_LINKS = ("person_ids", "account_id", "opportunity_id", "owner_id", "owner_from", "note_id")
_OURS = ("subject", "body", "duration_seconds", "fields", *_LINKS)


def text_of_draft(draft: ActivityDraft) -> str:
    """Keep a draft that is about to be sent; it is dropped as soon as it is answered."""
    return json.dumps(_DRAFT.dump_python(draft, mode="json"))


def read_draft(row: sa.Row[Any]) -> ActivityDraft:
    """Read such a draft from its row of ``writes``."""
    return _DRAFT.validate_python(json.loads(row.draft))


def bare_draft(text: str) -> str:
    """Keep of a draft what it is looked for with, and nothing that was said."""
    said = _DRAFT.validate_python(json.loads(text))
    bare = ActivityDraft(said.key, said.kind, said.started_at, said.ended_at, said.activity_id, set_key=said.set_key)
    return text_of_draft(replace(bare, duration_seconds=said.duration_seconds, person_ids=said.person_ids))


def text_of_written(written: Written, *, links_alone: bool = False) -> str:
    """Keep what the connector wrote in an activity, or the links alone."""
    names = _LINKS if links_alone else _OURS
    return json.dumps({name: getattr(written, name) for name in names}, default=dict)


def bare_written(text: str) -> str:
    """Keep the links of what the connector wrote, and nothing that was said."""
    said = json.loads(text)
    return json.dumps({name: said.get(name) for name in _LINKS})


def read_written(row: sa.Row[Any]) -> Written:
    """Read it from its row of ``activities``; of what was pruned, the links are left."""
    said = json.loads(row.wrote) if row.wrote else {}
    said["person_ids"] = tuple(said.get("person_ids") or ())
    return Written(row.activity_id, row.activity_kind, row.url, **said)
