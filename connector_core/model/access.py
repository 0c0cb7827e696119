"""The rights that the connector uses, and what the user of a connection has of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Subject: TypeAlias = Literal["contact", "lead", "account", "opportunity", "activity", "note"]
Verb: TypeAlias = Literal["read", "edit", "create"]


@dataclass(frozen=True, slots=True)
class Need:
    """How much a right is needed, and what does not work without it."""

    must: bool
    disables: str


NEEDS: Mapping[tuple[Subject, Verb], Need] = {
    ("contact", "read"): Need(must=True, disables="recognising the contacts of a call"),
    ("contact", "edit"): Need(must=False, disables="filling fields of contacts"),
    ("lead", "read"): Need(must=True, disables="recognising the leads of a call"),
    ("lead", "edit"): Need(must=False, disables="filling fields of leads"),
    ("account", "read"): Need(must=True, disables="finding the account of a call"),
    ("account", "edit"): Need(must=False, disables="filling fields of accounts"),
    ("opportunity", "read"): Need(must=True, disables="finding the opportunity of a call"),
    ("opportunity", "edit"): Need(must=False, disables="filling fields of opportunities"),
    ("activity", "read"): Need(
        must=True, disables="recognising what is in the CRM already, so that nothing is doubled"
    ),
    ("activity", "edit"): Need(must=True, disables="completing activities that are in the CRM already"),
    ("activity", "create"): Need(must=True, disables="writing calls and meetings"),
    ("note", "read"): Need(must=True, disables="reading notes"),
    ("note", "edit"): Need(must=True, disables="changing notes"),
    ("note", "create"): Need(must=True, disables="writing notes"),
}
"""Every right that the connector uses. Records of people are read, and filled where somebody wants it; none is created."""


@dataclass(frozen=True, slots=True)
class Right:
    """A right on an object, or with ``field`` on a field of it.

    ``name``: as an administrator of the CRM finds it. ``granted``: whether the connection's user has it; None where the
    CRM does not tell. ``spare``: the connector goes on without it.
    """

    subject: Subject
    verb: Verb
    name: str
    granted: bool | None
    field: str | None = None
    spare: bool = False

    @property
    def must(self) -> bool:
        """Whether nothing works as it should without it."""
        return NEEDS[self.subject, self.verb].must and not self.spare

    @property
    def disables(self) -> str:
        """Say what does not work without it."""
        what = NEEDS[self.subject, self.verb].disables
        return f"{what}: the part of {self.field} in it" if self.field and self.spare else what


@dataclass(frozen=True, slots=True)
class Access:
    """What a connection's user may do, and the version of the API that is asked.

    ``newest_version``: the newest one that the service offers. None where it is not told.
    """

    rights: tuple[Right, ...]
    api_version: str | None = None
    newest_version: str | None = None
