"""What an extractor is asked for, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from connector_core.model import FieldDescription, FieldValue

RawValue: TypeAlias = FieldValue | Sequence[str]
"""A value as it was said, or found: text in any way people write it, a number, a truth, or several texts."""


@dataclass(frozen=True, slots=True)
class WantedField:
    """A field of a template, as an extractor is asked for it.

    ``key``: of the template and the field, as the answer names it. ``prompt``: what is looked for, in a person's words.
    ``patterns``: regular expressions for an extractor that works by rules. ``described``: the CRM's description of it.
    """

    key: str
    prompt: str
    patterns: tuple[str, ...]
    described: FieldDescription


@dataclass(frozen=True, slots=True)
class Extracted:
    """A value that was found in a call.

    ``passage``: the words that it came from. ``confidence``: from 0 to 1, where the extractor gives one.
    """

    value: RawValue
    passage: str | None = None
    confidence: float | None = None
