"""What is read at Zoom once it was announced: who was in a meeting, and what was said."""

from __future__ import annotations

import datetime as dt
import logging
import time
from typing import Any

from pydantic import Field

from connector_core.errors import InputError
from connector_core.model import Utterance
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.hookspecs import Answer, Later
from connector_zoom.client import Refusal, ZoomClient, path_of
from connector_zoom.events import Joiner, OptionalTime, Text, Uuid, ZoomTime
from connector_zoom.meetings import attendant, part, uuid_of
from connector_zoom.vtt import read_vtt

PAGE_SIZE = 300
MOST_PAGES = 100
_NO_SUCH_MEETING = 3001
AGAIN_SECONDS = 900.0
"""Until something is asked for again that Zoom has not ready: it does not say how long that takes."""

_log = logging.getLogger(__name__)


class PastMeeting(Sent):
    """``GET /past_meetings/{uuid}``. ``user_name`` and ``user_email`` are the host's.

    ``participants_count``: Zoom lists nobody of a meeting that only one was in.
    """

    uuid: Uuid
    topic: Text = None
    user_name: Text = None
    user_email: Text = None
    start_time: ZoomTime
    end_time: ZoomTime
    participants_count: int | None = None


class Row(Joiner):
    """One join of ``GET /past_meetings/{uuid}/participants``: who joined thrice stands there three times."""

    user_name: Text = Field(default=None, alias="name")
    email: Text = Field(default=None, alias="user_email")
    status: Text = None
    internal_user: bool | None = None


class Page(Sent):
    """A page of joins; its token is empty on the last one, and serves for 15 minutes."""

    participants: list[Row]
    next_page_token: Text = None


class File(Sent):
    """A file of a recording. Each recording of a meeting has its own transcript."""

    file_type: Text = None
    status: Text = None
    recording_start: OptionalTime = None
    download_url: Text = None


class Recordings(Sent):
    """``GET /meetings/{uuid}/recordings``; ``start_time`` is the meeting's."""

    uuid: Uuid
    start_time: OptionalTime = None
    recording_files: list[File] | None = None


def read_participants(client: ZoomClient, call_id: str) -> Answer:
    """Read when a meeting was, whose it was, and who was there.

    :raises InputError: Zoom answers something else than it documents.
    :raises ConnectorError: As :meth:`ZoomClient.get`.
    """
    uuid = uuid_of(call_id)
    path = f"/past_meetings/{path_of(uuid)}"
    found = client.get(path)
    if isinstance(found, Refusal):
        return _refused(found, "the past meeting")
    meeting = checked(PastMeeting, found)
    if meeting.uuid != uuid:
        raise InputError("uuid: is of another meeting than the one that was asked for")
    alone = meeting.participants_count is not None and meeting.participants_count <= 1
    rows = [] if alone else _rows(client, path)
    if isinstance(rows, Refusal):
        return _refused(rows, "the participants of a meeting")
    said = part(
        uuid,
        "participants",
        time.time(),
        complete=True,
        status="completed",
        title=meeting.topic,
        started_at=meeting.start_time,
        ended_at=meeting.end_time,
        organizer=_host(meeting),
        participants=tuple(map(_attendant, rows)),
    )
    return (said,)


def read_transcript(client: ZoomClient, call_id: str) -> Answer:
    """Read what was said, of all recordings of a meeting.

    :raises ConnectorError: As :func:`read_participants`.
    """
    uuid = uuid_of(call_id)
    found = client.get(f"/meetings/{path_of(uuid)}/recordings")
    if isinstance(found, Refusal):
        return _refused(found, "the recordings of a meeting", gone=True)
    recordings = checked(Recordings, found)
    if recordings.uuid != uuid:
        raise InputError("uuid: is of another meeting than the one that was asked for")
    files = [file for file in recordings.recording_files or () if file.file_type == "TRANSCRIPT"]
    if not files or any(file.status not in (None, "completed") for file in files):
        return Later(AGAIN_SECONDS, "the transcript is not ready at Zoom")
    said: list[Utterance] = []
    for file in sorted(files, key=lambda it: _offset(it, recordings.start_time)):
        text = client.download(file.download_url or "")
        if isinstance(text, Refusal):
            return _refused(text, "the transcript of a meeting", gone=True)
        said += read_vtt(text.decode("utf-8-sig", errors="replace"), _offset(file, recordings.start_time))
    return (part(uuid, "transcript", time.time(), transcript=tuple(said)),) if said else ()


def _rows(client: ZoomClient, path: str) -> list[Row] | Refusal:
    """Read all joins; no page is left out."""
    rows: list[Row] = []
    params = {"page_size": str(PAGE_SIZE)}
    for _ in range(MOST_PAGES):
        found = client.get(f"{path}/participants", params)
        if isinstance(found, Refusal):
            return found
        page = checked(Page, found)
        rows += page.participants
        if page.next_page_token is None:
            return rows
        params["next_page_token"] = page.next_page_token
    raise InputError(f"next_page_token: leads to more than {MOST_PAGES} pages")


def _refused(refusal: Refusal, what: str, *, gone: bool = False) -> Answer:
    """Say whether to ask again: not where Zoom will never tell.

    :param gone: Announced, so that what is not there is no more.
    """
    if not gone and (refusal.status == 404 or refusal.code == _NO_SUCH_MEETING):
        return Later(AGAIN_SECONDS, f"{what} cannot be read at Zoom yet")
    code = "" if refusal.code is None else f", code {refusal.code}"
    _log.warning("%s cannot be read at Zoom (status %s%s); going on without", what, refusal.status, code)
    return ()


def _host(meeting: PastMeeting) -> dict[str, str | None] | None:
    if meeting.user_name is None and meeting.user_email is None:
        return None
    return {"name": meeting.user_name, "email": meeting.user_email}


def _attendant(row: Row) -> dict[str, Any]:
    """Say who joined. Whoever only stood in the waiting room was not there."""
    said = attendant(row, "report") | {"attended": row.status != "in_waiting_room"}
    return said if row.internal_user is None else said | {"is_user": row.internal_user}


def _offset(file: File, start: dt.datetime | None) -> float:
    if file.recording_start is None or start is None:
        return 0.0
    return (file.recording_start - start).total_seconds()
