"""The settings of what is written: of which calls, and as what."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from connector_core.errors import ConfigurationError
from connector_core.model import Call
from connector_core.writing.fields import Given, check_fields
from connector_core.writing.owners import Owners
from connector_core.writing.render import PARTS, PARTS_SAID

MeetingsAs: TypeAlias = Literal["event", "task"]


@dataclass(frozen=True, slots=True)
class Writing:
    """Which calls of a connection are written, and as what.

    ``meetings_as``: ``event`` is whatever the CRM keeps meetings as, ``task`` a task; None for the CRM's default.
    ``write_unmatched``: calls in which nobody was found, without associations. ``write_internal``: calls between users of
    the call platform only, likewise. ``write_missed``, ``write_cancelled``: calls of that status. ``shortest_seconds``:
    calls shorter than that are not written; one whose length is not known is. ``parts``: of which parts the body of an
    activity is made, in their order; the link stands first where it is not named. ``owners``: for organizers' e-mails the
    ids of the users in the CRM who are to own new activities, before any user with that e-mail; ``fallback_owner``: the
    id of the one who owns them where nobody is found, or the owner is refused. ``call_fields`` and ``meeting_fields``: what
    a new activity of a phone call, and of a meeting, has in further fields, by the CRM's own names. ``note_parts``: what of
    a call is written as a note of its own too, once there is something of it; nothing unless named.

    :raises ConfigurationError: A value that is not possible.
    """

    meetings_as: MeetingsAs | None = None
    write_unmatched: bool = True
    write_internal: bool = False
    write_missed: bool = True
    write_cancelled: bool = True
    shortest_seconds: float = 0.0
    parts: tuple[str, ...] = PARTS
    owners: Mapping[str, str] = field(default_factory=dict, hash=False)
    fallback_owner: str | None = None
    call_fields: Mapping[str, Given] = field(default_factory=dict, hash=False)
    meeting_fields: Mapping[str, Given] = field(default_factory=dict, hash=False)
    note_parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not possible."""
        if not 0 <= self.shortest_seconds < math.inf:
            raise ConfigurationError(f"shortest_seconds: is {self.shortest_seconds}; wanted 0 or more seconds")
        _check_parts("parts", self.parts, PARTS)
        _check_parts("note_parts", self.note_parts, PARTS_SAID)
        Owners.of(self.owners, self.fallback_owner)
        check_fields("call_fields", self.call_fields)
        check_fields("meeting_fields", self.meeting_fields)

    def why_not(self, call: Call, *, unmatched: bool = False) -> str | None:
        """Say which setting keeps a call from being written; None where none does.

        :param unmatched: None of its guests was found; without it that is not known yet.
        """
        length = call.length_seconds
        internal = bool(call.participants) and all(person.is_user for person in call.participants)
        if internal and not self.write_internal:
            return "only users of the call platform took part, and write_internal is off"
        if unmatched and not internal and not self.write_unmatched:
            return "nobody was found in the CRM, and write_unmatched is off"
        if call.status == "missed" and not self.write_missed:
            return "the call was missed, and write_missed is off"
        if call.status == "cancelled" and not self.write_cancelled:
            return "the call was cancelled, and write_cancelled is off"
        if length is not None and length < self.shortest_seconds:
            return f"the call took {length:g} s, and shortest_seconds is {self.shortest_seconds:g}"
        return None


def _check_parts(setting: str, parts: Sequence[str], possible: Sequence[str]) -> None:
    for place, part in enumerate(parts):
        if part not in possible:
            raise ConfigurationError(f"{setting}: {part!r} is none of {', '.join(possible)}")
        if part in parts[:place]:
            raise ConfigurationError(f"{setting}: {part!r} is there twice; name each part once")
