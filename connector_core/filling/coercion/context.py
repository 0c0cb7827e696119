"""What a value is read with, and how it is said that it was refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from connector_core.characters import clean
from connector_core.filling.outcomes import Reason
from connector_core.filling.values import RawValue
from connector_core.model import FieldValue

_QUOTED = 40
_LARGEST_BITS = 1_024
"""Of a whole number that is shown; Python refuses to write those of more than some thousand digits."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a value is read with.

    ``said_at``: when the call started, aware: ``le 3 mars`` and ``next year`` are counted from it. ``time_zone`` and
    ``regions`` (ISO 3166) are the connection's; the regions tell the decimal comma, the order of day and month, the clock
    of 12 hours, and whose phone numbers are meant. ``names``: for a reference the ids of the records of each name, looked
    up before. ``controlling``: the value of the field that controls this one, blank where it is empty; None where it is not
    known, and the choice is left to the CRM. ``currency``: in which amounts are, a code of ISO 4217; None where that is not
    known, and a currency that is named is left out.
    """

    said_at: dt.datetime
    time_zone: str = "UTC"
    regions: tuple[str, ...] = ()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    controlling: FieldValue | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a value cannot be had in a field. ``detail``: what was got, and what was wanted, in a sentence for a person.

    It may quote up to 40 characters of the value, so it belongs in the ledger, and in no log or exception.
    """

    reason: Reason
    detail: str


Coerced: TypeAlias = FieldValue | Refused | None
"""A value that fits its field, why there is none, or None: nothing was said."""


def refused(value: RawValue, why: str) -> Refused:
    """Refuse a value: its beginning, and what is wrong with it."""
    return Refused("refused_value", f"{quoted(value)} {why}")


def quoted(value: RawValue) -> str:
    """Show the beginning of a value on one line, in quotes."""
    if isinstance(value, int) and value.bit_length() > _LARGEST_BITS:
        return "A number of some hundred digits"
    if isinstance(value, bool | int | float):
        return f'"{value}"'
    text = value if isinstance(value, str) else "; ".join(it[:_QUOTED] for it in value[:_QUOTED])
    line = " ".join(clean(text[: 4 * _QUOTED]).split())
    whole = len(line) <= _QUOTED and len(text) <= 4 * _QUOTED
    return f'"{line if whole else f"{line[: _QUOTED - 1]}…"}"'
