"""The feed of changes: which records of a CRM changed, page by page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, TypeAlias

RecordKind: TypeAlias = Literal["contact", "lead", "account", "opportunity", "activity"]


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that was created or changed. ``changed_at``: when it was so last, by the CRM's own clock."""

    kind: RecordKind
    id: str
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ChangePage:
    """A page of a list of changes. ``next``: what the plugin is asked for the next one with; None at the end."""

    records: tuple[Changed, ...]
    next: str | None = None
