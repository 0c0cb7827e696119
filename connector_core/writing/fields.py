"""The CRM's own fields of a new activity: fixed values, and what the call says."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connector_core.characters import clean
from connector_core.errors import ConfigurationError
from connector_core.model import Call
from connector_core.model.drafts import FieldValue


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(seconds: float | None) -> FieldValue | None:
    return int(seconds) if seconds is not None and seconds == int(seconds) else seconds


def _all(texts: Iterable[str] | None) -> str | None:
    """Join with semicolons, as fields for several choices take them (Salesforce's multipicklist, HubSpot's checkbox)."""
    return ";".join(said for text in texts or () if (said := clean(text))) or None


SAID: Mapping[str, Callable[[Call], FieldValue | None]] = {
    "id": lambda call: call.id,
    "provider": lambda call: call.provider,
    "direction": lambda call: call.direction,
    "status": lambda call: call.status,
    "outcome": lambda call: call.outcome,
    "title": lambda call: call.title,
    "started_at": lambda call: _time(call.started_at),
    "ended_at": lambda call: _time(call.end),
    "duration_seconds": lambda call: _number(call.length_seconds),
    "talk_seconds": lambda call: _number(call.talk_seconds),
    "from_number": lambda call: call.from_number,
    "to_number": lambda call: call.to_number,
    "link": lambda call: call.link,
    "recording_url": lambda call: call.recording_url,
    "summary": lambda call: call.summary,
    "topics": lambda call: _all(call.topics),
    "highlights": lambda call: _all(call.highlights),
    "tags": lambda call: _all(call.tags),
    "teams": lambda call: _all(call.teams),
}
"""What of a call may be written into a field."""


@dataclass(frozen=True, slots=True)
class FromCall:
    """The value of a field is what the call says. ``said``: one of :data:`SAID`."""

    said: str


Given: TypeAlias = FieldValue | FromCall


def fields_of(call: Call, wanted: Mapping[str, Given]) -> dict[str, FieldValue]:
    """Give the fields of a call's activity by name; one for which the call says nothing is left out."""
    found = {name: _said(call, it) if isinstance(it, FromCall) else it for name, it in wanted.items()}
    return {name: value for name, value in found.items() if value is not None and value != ""}


def _said(call: Call, it: FromCall) -> FieldValue | None:
    value = SAID[it.said](call)
    return clean(value) if isinstance(value, str) else value


def read_fields(setting: str, table: Mapping[str, object]) -> dict[str, Given]:
    """Read such a setting from a configuration: ``{"Name": value}``, or ``{"Name": {"from": "title"}}``.

    :raises ConfigurationError: It says something else.
    """
    found = {name: _read(f"{setting}.{name}", value) for name, value in table.items()}
    check_fields(setting, found)
    return found


def check_fields(setting: str, wanted: Mapping[str, Given]) -> None:
    """Check what a connection is to write.

    :raises ConfigurationError: A name that none has, or a value that is not possible.
    """
    for name, value in wanted.items():
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise ConfigurationError(f"{setting}: {name!r} is no name of a field; wanted letters, digits and _")
        if isinstance(value, FromCall) and value.said not in SAID:
            raise ConfigurationError(f"{setting}.{name}: {value.said!r} is none of {', '.join(SAID)}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigurationError(f"{setting}.{name}: should be a finite number")


def _read(where: str, value: object) -> Given:
    if isinstance(value, dict) and list(value) == ["from"] and isinstance(value["from"], str):
        return FromCall(value["from"])
    if not isinstance(value, str | int | float | bool):
        raise ConfigurationError(f'{where}: should be text, a number, true, false or {{from = "…"}}')
    return value
