"""What a draft says, in HubSpot's properties (guides to calls, meetings and notes)."""

from __future__ import annotations

from collections.abc import Mapping

from connector_core.model import ActivityDraft, CallStatus
from connector_hubspot.dispositions import PROPERTY
from connector_hubspot.filling import text_of
from connector_hubspot.kinds import CALL, MEETING, Kind
from connector_hubspot.times import written

_CALL_STATUS: Mapping[CallStatus, str] = {
    "completed": "COMPLETED",
    "missed": "NO_ANSWER",
    "voicemail": "NO_ANSWER",
    "cancelled": "CANCELED",
    "failed": "FAILED",
}
_MEETING_OUTCOME: Mapping[CallStatus, str] = {
    "completed": "COMPLETED",
    "missed": "NO_SHOW",
    "voicemail": "NO_SHOW",
    "cancelled": "CANCELED",
    "failed": "CANCELED",
}


def properties_of(kind: Kind, draft: ActivityDraft) -> dict[str, str]:
    """Give what is to be set; in a change, times and status stay as they are."""
    new = draft.activity_id is None
    further = {name: text_of(it) for name, it in draft.fields.items()}
    found: dict[str, str | None] = {
        **further,
        kind.body: draft.body,
        "hubspot_owner_id": draft.owner_id,
    }
    if kind.title:
        found[kind.title] = draft.subject
    if kind.key and (new or draft.set_key):
        found[kind.key] = draft.key
    if new:
        found |= {"hs_timestamp": written(draft.started_at), kind.start: written(draft.started_at)}
    if kind is CALL:
        found |= _of_call(draft)
    if kind is MEETING and kind.length and (new or draft.duration_seconds is not None):
        found[kind.length] = written(draft.ended_at)
    if new and kind is CALL:
        found["hs_call_status"] = _CALL_STATUS[draft.status]
    if new and kind is MEETING:
        found["hs_meeting_outcome"] = _MEETING_OUTCOME[draft.status]
    return {name: text for name, text in found.items() if text is not None}


def own_field(kind: Kind, draft: ActivityDraft) -> str | None:
    """Name a further property of a draft that the connector writes itself."""
    return next((name for name in draft.fields if name in kind.written), None)


def _of_call(draft: ActivityDraft) -> dict[str, str | None]:
    duration, recording = draft.duration_seconds, draft.recording_url or ""
    return {
        "hs_call_duration": None if duration is None else str(round(duration * 1000)),
        PROPERTY: draft.outcome,
        "hs_call_direction": {"inbound": "INBOUND", "outbound": "OUTBOUND"}.get(draft.direction or ""),
        "hs_call_from_number": draft.from_number,
        "hs_call_to_number": draft.to_number,
        # Anything but https is refused, and the whole call with it.
        "hs_call_recording_url": recording if recording.startswith("https://") and " " not in recording else None,
    }
