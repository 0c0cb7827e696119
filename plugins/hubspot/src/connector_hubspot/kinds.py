"""The kinds of activity that conversations are in HubSpot, with its names for what an activity holds.

Its tasks are none, as a task is still to be done. A note is none either: it hangs on records, and no association leads from
it to a call or a meeting. What was said may stand in one too, beside the activity, told by its last line as a meeting is.
Properties are documented at developers.hubspot.com, guides to calls and meetings; association types in the guide to
associations. They are directional: 194 is call to contact, 193 contact to call.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from connector_core.model import ActivityKind
from connector_hubspot.reading import Record, value
from connector_hubspot.times import instant

CONTACTS, COMPANIES, DEALS = "contacts", "companies", "deals"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. ``types`` are the associations from it to other objects; ``key`` is the field for a call's id.

    ``unread``: what is written and not read. A note has no ``length`` and no ``title``.
    """

    name: ActivityKind
    object: str
    types: Mapping[str, int]
    length: str | None
    title: str | None
    body: str
    start: str = "hs_timestamp"
    key: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def properties(self) -> list[str]:
        """The properties that an activity is read from."""
        names = ("hs_timestamp", self.start, self.title, self.body, self.key, "hubspot_owner_id", self.length)
        return [*dict.fromkeys(filter(None, names))]

    @property
    def written(self) -> list[str]:
        """The properties that the connector writes itself."""
        return [*self.properties, *self.unread]

    def key_of(self, record: Record) -> str | None:
        """Give the call's id that an activity carries: its key field, else the last line of its body."""
        own = value(record, self.key) if self.key else None
        return own or last_reference(value(record, self.body) or "")

    def title_of(self, record: Record) -> str | None:
        """Give the subject."""
        return value(record, self.title) if self.title else None

    def duration_of(self, record: Record) -> float | None:
        """Give the duration in seconds: HubSpot keeps that of a call in milliseconds, that of a meeting as its end."""
        if self.length is None:
            return None
        text = value(record, self.length)
        if self.name == "call":
            try:
                return float(text) / 1000 if text else None
            except ValueError:
                return None
        start, end = instant(value(record, self.start)), instant(text)
        return (end - start).total_seconds() if start and end and end >= start else None


CALL = Kind(
    name="call",
    object="calls",
    types={CONTACTS: 194, COMPANIES: 182, DEALS: 206},
    length="hs_call_duration",
    title="hs_call_title",
    body="hs_call_body",
    key="hs_call_external_id",
    unread=(
        *("hs_call_status", "hs_call_direction", "hs_call_disposition"),
        *("hs_call_from_number", "hs_call_to_number", "hs_call_recording_url"),
    ),
)
MEETING = Kind(
    name="meeting",
    object="meetings",
    types={CONTACTS: 200, COMPANIES: 188, DEALS: 212},
    length="hs_meeting_end_time",
    title="hs_meeting_title",
    body="hs_internal_meeting_notes",  # the description, hs_meeting_body, is sent to the guests (guide to meetings)
    start="hs_meeting_start_time",
    unread=("hs_meeting_outcome",),
)
NOTE = Kind(
    name="note",
    object="notes",
    types={CONTACTS: 202, COMPANIES: 190, DEALS: 214},
    length=None,
    title=None,
    body="hs_note_body",
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (CALL, MEETING, NOTE)}

_BREAK = re.compile(r"(?i)<br\s*/?>|</(?:p|div|li|ul|ol|h[1-6]|tr|table|blockquote|pre|body|html)\s*>")
_TAG = re.compile(r"</?[a-zA-Z!][^>]*>")


def last_reference(body: str) -> str | None:
    """Find the id in a body's last line ``ref: ID``; the body is HTML, or text."""
    lines = html.unescape(_TAG.sub("", _BREAK.sub("\n", body))).splitlines()
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return last.removeprefix("ref: ").strip() or None if last.startswith("ref: ") else None
