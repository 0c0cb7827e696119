"""The values of properties: what HubSpot takes, what it makes of it, and what it says to the rest.

The codes PROPERTY_DOESNT_EXIST, INVALID_OPTION, INVALID_LONG and READ_ONLY_VALUE were seen in answers; the others are
unverified, and so is the exact wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from connector_core.characters import units
from connector_hubspot.sandbox.instants import iso, read_day, read_instant
from connector_hubspot.sandbox.kinds import COMPANIES, DEALS, Kind
from connector_hubspot.sandbox.owners import Owners
from connector_hubspot.sandbox.pipelines import DEFAULT, PIPELINES, stage_of
from connector_hubspot.sandbox.refusals import Problem, invalid_values
from connector_hubspot.sandbox.schema import Property, Schema
from connector_hubspot.sandbox.store import Store

PORTAL_ID = 8_000_001
_LONGEST_TEXT = 65_536
_NUMBER = re.compile(r"-?\d+(\.\d+)?|-?\.\d+")
_EMAIL = re.compile(r"[^@\s;,]+@[^@\s;,.]+(\.[^@\s;,.]+)+")


class Rule(Protocol):
    """A validation rule of an administrator: gives what is wrong with a value, or None."""

    def __call__(self, value: str) -> tuple[str, str] | None:
        """Give the code and the message of a violation."""


@dataclass(slots=True)
class Values:
    """Checks values against the portal."""

    schema: Schema
    store: Store
    owners: Owners
    rules: dict[tuple[Kind, str], Rule] = field(default_factory=dict)

    def read(self, kind: Kind, given: Mapping[str, Any], current: Mapping[str, str]) -> dict[str, str | None]:
        """Read what is to be written to a record with the properties ``current``; None empties a property.

        :raises RefusalError: With every problem.
        """
        clean: dict[str, str | None] = {}
        problems: list[Problem] = []
        for name, raw in given.items():
            found = self._one(kind, name, raw, current)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                clean[name] = found
        if kind is DEALS:
            problems.extend(_stage_problems(clean, current))
        if problems:
            raise invalid_values(problems)
        return clean

    def _one(self, kind: Kind, name: str, raw: Any, current: Mapping[str, str]) -> str | Problem | None:
        prop = self.schema.find(kind, name)
        if prop is None:
            return Problem("PROPERTY_DOESNT_EXIST", name, f'Property "{name}" does not exist')
        if prop.read_only or prop.calculated:
            why = "calculated" if prop.calculated else "read only"
            return Problem("READ_ONLY_VALUE", name, f'"{name}" is a {why} property; its value cannot be set')
        text = _text(raw)
        if text is None:
            return Problem("INVALID_VALUE", name, f"{name} takes text, a number or true and false")
        if text == "":
            return None
        value = self._typed(kind, prop, text, current)
        rule = self.rules.get((kind, name))
        if isinstance(value, str) and rule is not None and (broken := rule(value)) is not None:
            return Problem(broken[0], name, broken[1])
        return value

    def _typed(self, kind: Kind, prop: Property, text: str, current: Mapping[str, str]) -> str | Problem:
        if prop.refers is not None:
            return self._reference(prop, text)
        if prop.type == "enumeration":
            return _chosen(prop, text, current.get(prop.name, ""))
        special = _SPECIAL.get(prop.name) or _BY_TYPE.get(prop.type, _read_text)
        value = special(text)
        if value is not None:
            return value
        code, message = _WRONG.get(prop.name) or _WRONG.get(prop.type, _TOO_LONG)
        return Problem(code, prop.name, message.format(text=text, portal=PORTAL_ID, kind=kind.type_id))

    def _reference(self, prop: Property, text: str) -> str | Problem:
        match prop.refers:
            case "OWNER":
                owner = self.owners.get(text)
                known = owner is not None and not owner.archived
                return text if known else Problem("INVALID_OWNER_ID", prop.name, f"Owner {text} does not exist")
            case "COMPANY":
                known = self.store.get(COMPANIES, text) is not None
                return text if known else Problem("INVALID_OPTION", prop.name, f"Company {text} does not exist")
            case "PIPELINE" if text not in PIPELINES:
                return Problem("INVALID_OPTION", prop.name, _not_an_option(text, PIPELINES))
        return text


def _text(raw: Any) -> str | None:
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, int | float):
        return str(raw)
    return raw if isinstance(raw, str) else None


def _not_an_option(text: str, options: Iterable[str]) -> str:
    return f"{text} was not one of the allowed options: [{', '.join(options)}]"


def _chosen(prop: Property, text: str, current: str) -> str | Problem:
    """Read the choice of an enumeration; a leading ``;`` adds to those of a multiple one."""
    options = {option.value: None for option in prop.options}
    several = prop.field == "checkbox"
    values = [part for part in text.split(";") if part] if several else [text]
    for value in values:
        if value not in options:
            return Problem("INVALID_OPTION", prop.name, _not_an_option(value, options))
    if several and text.startswith(";"):
        values = [*filter(None, current.split(";")), *values]
    return ";".join(dict.fromkeys(values))


def _stage_problems(clean: dict[str, str | None], current: Mapping[str, str]) -> Iterable[Problem]:
    """Check that a deal's stage is one of its pipeline, the default one where none is named."""
    if clean.get("dealstage") and not (clean.get("pipeline") or current.get("pipeline")):
        clean["pipeline"] = DEFAULT.id
    after = {**current, **clean}
    pipeline, stage = after.get("pipeline"), after.get("dealstage")
    if ("pipeline" in clean or "dealstage" in clean) and pipeline and stage and stage_of(pipeline, stage) is None:
        stages = [known.id for known in PIPELINES[pipeline].stages]
        yield Problem("INVALID_OPTION", "dealstage", _not_an_option(stage, stages))


def _read_text(text: str) -> str | None:
    return text if units(text) <= _LONGEST_TEXT else None


def _read_number(text: str) -> str | None:
    return text if _NUMBER.fullmatch(text) else None


def _read_bool(text: str) -> str | None:
    return text if text in {"true", "false"} else None


def _read_datetime(text: str) -> str | None:
    at = read_instant(text)
    return None if at is None else iso(at)


def _read_date(text: str) -> str | None:
    day = read_day(text)
    return None if day is None else day.isoformat()


def read_email(text: str) -> str | None:
    """Read an address: HubSpot keeps it trimmed and in lower case; None: it is none."""
    address = text.strip().lower()
    return address if _EMAIL.fullmatch(address) else None


def _read_https(text: str) -> str | None:
    return text if text.startswith("https://") and " " not in text else None


_BY_TYPE: Mapping[str, Callable[[str], str | None]] = {
    "number": _read_number,
    "bool": _read_bool,
    "datetime": _read_datetime,
    "date": _read_date,
}
_SPECIAL: Mapping[str, Callable[[str], str | None]] = {"email": read_email, "hs_call_recording_url": _read_https}
_TOO_LONG = ("VALUE_TOO_LONG", f"The value is longer than {_LONGEST_TEXT} characters")
_WRONG: Mapping[str, tuple[str, str]] = {
    "number": ("INVALID_NUMBER", "{text} was not a valid number. Portal {portal}, object type {kind}"),
    "datetime": ("INVALID_LONG", "{text} was not a valid long. Portal {portal}, object type {kind}"),
    "date": ("INVALID_DATE", "{text} is not a day, or not midnight in UTC"),
    "bool": ("INVALID_OPTION", "{text} was not one of the allowed options: [true, false]"),
    "email": ("INVALID_EMAIL", "Email address {text} is invalid"),
    "hs_call_recording_url": ("INVALID_URL", "hs_call_recording_url takes an https address"),
}
