"""Templates: which fields of the CRM are filled from which calls, and how."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from connector_core.filling.outcomes import STANDARD_OBJECTS
from connector_core.model import Call, CallKind, Direction
from connector_core.outside import Id, Outside, Seconds

Mode: TypeAlias = Literal["automatic", "manual"]
Overwrite: TypeAlias = Literal["ours", "empty", "always"]
"""When a field may be written that has a value: where it is ours and nobody changed it since; never; always."""


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", value):
        raise PydanticCustomError("slug", "Input should be of lower case letters, digits, - and _, at most 64")
    return value


Slug: TypeAlias = Annotated[str, AfterValidator(_slug)]
"""A name for programs: lower case letters, digits, ``-`` and ``_``, at most 64."""


def _through(value: str) -> str:
    record, _, lookup = value.partition(".")
    if record not in STANDARD_OBJECTS or not lookup.strip():
        raise PydanticCustomError("through", "Input should be RECORD.FIELD, like opportunity.Project__c")
    return value


class Targeting(Outside):
    """Which calls a template is for: those that meet all conditions; of a list, any of its values will do.

    ``teams`` and ``tags`` compare without regard to case. ``shortest_seconds``: of the conversation.
    """

    teams: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    kinds: tuple[CallKind, ...] = ()
    directions: tuple[Direction, ...] = ()
    providers: tuple[str, ...] = ()
    shortest_seconds: Seconds = 0.0

    def targets(self, call: Call) -> bool:
        """Tell whether a call is one of them."""
        return (
            _shares(self.teams, call.teams)
            and _shares(self.tags, call.tags)
            and (not self.kinds or call.kind in self.kinds)
            and (not self.directions or call.direction in self.directions)
            and (not self.providers or call.provider in self.providers)
            and (call.length_seconds or 0.0) >= self.shortest_seconds
        )

    def overlaps(self, other: Targeting) -> bool:
        """Tell whether one call may meet both: it has one kind, direction and provider, and any teams and tags."""
        pairs: tuple[tuple[Sequence[str], Sequence[str]], ...] = (
            (self.kinds, other.kinds),
            (self.directions, other.directions),
            (self.providers, other.providers),
        )
        return all(not one or not another or set(one) & set(another) for one, another in pairs)


class TemplateField(Outside):
    """One field to fill.

    ``key`` tells it apart within its template. ``object``: ``contact``, ``lead``, ``account`` or ``opportunity``, of which
    the call has a record; or any other object of the CRM, by its name, reached ``through`` a field of one of these that
    names its record. ``field``: the CRM's own name. ``patterns``: for the extractor by rules.
    """

    key: Slug
    object: Id
    field: Id
    prompt: str = ""
    mode: Mode = "automatic"
    overwrite: Overwrite = "ours"
    through: Annotated[str, AfterValidator(_through)] | None = None
    patterns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _reachable(self) -> TemplateField:
        if (self.object in STANDARD_OBJECTS) is not (self.through is None):
            raise PydanticCustomError(
                "through", "Input should say through which field, for another object, and only then"
            )
        return self

    @property
    def target(self) -> str:
        """Where in the CRM its values go: data of one target is never mixed with that of another."""
        return ".".join(filter(None, [self.through, self.object, self.field]))


class Template(Outside):
    """What is filled from the calls that it targets. ``id`` is for programs; ``address``: where people see the template."""

    id: Slug
    name: Id
    address: str | None = None
    targeting: Targeting = Targeting()
    fields: Annotated[tuple[TemplateField, ...], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _each_once(self) -> Template:
        for what in ("key", "target"):
            seen = [getattr(field, what) for field in self.fields]
            if double := next((it for it in seen if seen.count(it) > 1), None):
                raise PydanticCustomError(
                    "double", "Input should have {what} {double} once", {"what": what, "double": double}
                )
        return self


def _shares(wanted: tuple[str, ...], there: tuple[str, ...] | None) -> bool:
    return not wanted or bool({it.casefold() for it in wanted} & {it.casefold() for it in there or ()})
