"""Fields to be found, and calls to find them in."""

from __future__ import annotations

from typing import Any

from connector_core.filling.values import WantedField
from connector_core.model import Call, Choice, FieldDescription
from connector_core.model.schema import FieldType


def field(key: str, *patterns: str, type: FieldType = "text", prompt: str = "", **more: Any) -> WantedField:  # noqa: A002 - the description's own word
    """Want a field of this type."""
    return WantedField(key, prompt, patterns, FieldDescription(key, key.title(), type, type, **more))


def choices(*labels: str) -> tuple[Choice, ...]:
    """Make active values, each a code of its label."""
    return tuple(Choice(label.upper(), label) for label in labels)


def call(**more: Any) -> Call:
    """Make a call in which this was written and said."""
    base = {
        "id": "echo:1",
        "provider": "echo",
        "kind": "phone",
        "started_at": "2026-03-02T09:00:00Z",
        "participants": [],
    }
    return Call.model_validate({**base, **more})


def said(*texts: str, **more: Any) -> Call:
    """Make a call in which this was said, line by line."""
    return call(transcript=[{"text": text} for text in texts], **more)
