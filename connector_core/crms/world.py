"""The JSON of a CRM in a file: the reference plugin's world, the input of a dry run, the seed of a sandbox."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import PlainValidator, TypeAdapter, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from connector_core.errors import InputError
from connector_core.model import ActivityKind, PersonKind
from connector_core.outside import Id, Outside, Seconds, Time
from connector_core.validation import problems

_TIME: TypeAdapter[dt.datetime] = TypeAdapter(Time)


def _day_or_time(value: object) -> dt.date | dt.datetime:
    """Read text of ten characters as a day; a union would read midnight as one too."""
    if isinstance(value, str) and len(value) == len("2026-03-02"):
        try:
            return dt.date.fromisoformat(value)
        except ValueError as error:
            raise PydanticCustomError("day", "Input should be a date of the calendar, like 2026-03-02") from error
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    return _TIME.validate_python(value)


DayOrTime = Annotated[dt.date | dt.datetime, PlainValidator(_day_or_time)]


class Record(Outside):
    """What every record has; ``fields`` are further fields of the CRM's own."""

    id: Id
    fields: dict[str, Any] | None = None


class WorldAccount(Record):
    """A company."""

    name: str | None = None


class WorldUser(Record):
    """A user of the CRM."""

    email: str | None = None
    name: str | None = None


class WorldPerson(Record):
    """A contact or a lead; a converted lead names a contact or a further lead."""

    kind: PersonKind
    name: str | None = None
    emails: tuple[str, ...] | None = None
    phones: tuple[str, ...] | None = None
    title: str | None = None
    account_id: str | None = None
    converted_contact_id: str | None = None

    @property
    def is_converted(self) -> bool:
        """Tell whether it is a lead that became somebody; a blank reference names nobody."""
        return self.kind == "lead" and bool((self.converted_contact_id or "").strip())


class WorldOpportunity(Record):
    """An opportunity; ``closed_at`` is the real closing."""

    created_at: Time
    name: str | None = None
    account_id: str | None = None
    owner_id: str | None = None
    closed_at: DayOrTime | None = None
    contact_ids: tuple[str, ...] | None = None
    next_step: str | None = None


class WorldActivity(Record):
    """An activity; ``started_at`` is a date where only the day is known."""

    kind: ActivityKind
    call_id: str | None = None
    person_ids: tuple[str, ...] | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    started_at: DayOrTime | None = None
    duration_seconds: Seconds | None = None
    title: str | None = None
    body: str | None = None
    owner_id: str | None = None


class World(Outside):
    """A whole CRM."""

    accounts: tuple[WorldAccount, ...] = ()
    users: tuple[WorldUser, ...] = ()
    people: tuple[WorldPerson, ...] = ()
    opportunities: tuple[WorldOpportunity, ...] = ()
    activities: tuple[WorldActivity, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _absent_lists(cls, value: object) -> object:
        return {key: item for key, item in value.items() if item is not None} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _one_record_an_id(self) -> World:
        for name in type(self).model_fields:
            seen: set[str] = set()
            for record in getattr(self, name):
                if record.id in seen:
                    raise PydanticCustomError(
                        "twice", "{name}: the id {id} stands twice", {"name": name, "id": record.id}
                    )
                seen.add(record.id)
        return self


def read_world(path: Path) -> World:
    """Read a world from a file.

    :raises InputError: The file cannot be read, or holds no world; the message names the file and each path in it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return world_in(data, source=str(path))


def world_in(data: bytes, *, source: str) -> World:
    """Read a world from JSON. A key that stands twice is refused, and so are numbers that JSON has not.

    :raises InputError: It holds no world; the message names the source and each path in it.
    """
    try:
        value = json.loads(data, object_pairs_hook=_each_once, parse_constant=_no_number)
    except ValueError as error:
        raise InputError(f"{source}: is no JSON: {error}") from error
    except RecursionError as error:
        raise InputError(f"{source}: is nested too deeply") from error
    return parse_world(value, source=source)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice = next(key for place, (key, _) in enumerate(pairs) if key in dict(pairs[:place]))
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return made


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def parse_world(value: object, *, source: str = "world") -> World:
    """Check a world that was read already.

    :raises InputError: With every problem, each with its path.
    """
    try:
        return World.model_validate(value)
    except ValidationError as error:
        found = "; ".join(f"{where}: {what}" if where else what for where, what in problems(error))
        raise InputError(f"{source}: {found}") from error
