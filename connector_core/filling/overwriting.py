"""Whether a value may take the place of what stands in a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector_core.filling.outcomes import Reason
from connector_core.filling.templates import Overwrite

Verdict: TypeAlias = Literal["send", "there"] | Reason


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in a field, beside a value that is to go there.

    ``empty``: nothing. ``wanted``: that value already. ``ours``: what the connector wrote last; None where it never wrote.
    ``newer``: what the connector wrote last is of a call that started later.
    """

    empty: bool
    wanted: bool
    ours: bool | None = None
    newer: bool = False


def verdict(overwrite: Overwrite, found: Found) -> Verdict:
    """Say what becomes of a value: it is sent, it is there already, or the reason why it is kept out."""
    if found.wanted:
        return "there"
    if found.ours and found.newer:
        return "newer_call"
    if overwrite == "always":
        return "send"
    if overwrite == "empty":
        return "send" if found.empty else "not_empty"
    if found.ours is None:
        return "send" if found.empty else "not_empty"
    return "send" if found.ours else "changed_by_person"
