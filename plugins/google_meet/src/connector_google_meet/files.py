"""What came out of a conference: recordings, transcripts, and the notes that Gemini took.

Each is generated minutes to hours after the end, and an event tells when. Documented at
developers.google.com/workspace/meet/api/guides/artifacts.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from urllib.parse import urlsplit

from connector_core.errors import InputError
from connector_core.model import Utterance
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.hookspecs import Later
from connector_google_meet.client import DRIVE, MEET, GoogleClient, Refusal
from connector_google_meet.conferences import AGAIN_SECONDS, Found, people_of, record_of_call
from connector_google_meet.events import NOTES, RECORDINGS, TRANSCRIPTS, GoogleTime, part, record_of
from connector_google_meet.invitations import Text
from connector_google_meet.settings import MeetSettings

_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_GENERATED = "FILE_GENERATED"
_FILES = {"pageSize": "100"}
_DOCUMENT = re.compile(r"[A-Za-z0-9_-]{10,200}")


class Destination(Sent):
    """Where a file is."""

    document: Text = None
    exportUri: Text = None  # noqa: N815 - Google's name


class File(Sent):
    """A recording, a transcript, or notes."""

    name: str
    state: Text = None
    startTime: GoogleTime | None = None  # noqa: N815 - Google's name
    driveDestination: Destination | None = None  # noqa: N815 - Google's name
    docsDestination: Destination | None = None  # noqa: N815 - Google's name


class Entry(Sent):
    """One turn of a transcript."""

    participant: Text = None
    text: Text = None
    startTime: GoogleTime | None = None  # noqa: N815 - Google's name


def read_recordings(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> Found:
    """Read where the recording is shown; of several, the first.

    :raises ConnectorError: As :func:`read_conference`.
    """
    del settings
    files = _files(client, user, call_id, "recordings")
    if not isinstance(files, list):
        return files
    pages = (_page(file.driveDestination, "drive.google.com") for file in files)
    page = next((page for page in pages if page), None)
    return (part(call_id, RECORDINGS, time.time(), recording_url=page),) if page else ()


def read_transcripts(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> Found:
    """Read what was said, and by whom.

    :raises ConnectorError: As :func:`read_conference`.
    """
    del settings
    files = _files(client, user, call_id, "transcripts")
    if not isinstance(files, list):
        return files
    record = record_of_call(client, user, call_id)
    if isinstance(record, Refusal):
        return record
    people = people_of(client, user, call_id)
    if isinstance(people, Refusal):
        return people
    names = {it.name: it.shown.displayName for it in people}
    said: list[Utterance] = []
    for file in files:
        rows = client.pages(user, f"{MEET}{_below(file, call_id)}/entries", "transcriptEntries", _FILES)
        if isinstance(rows, Refusal):
            return rows
        entries = (checked(Entry, row) for row in rows)
        said += (_utterance(it, it.text, names, record.startTime) for it in entries if it.text)
    return (part(call_id, TRANSCRIPTS, time.time(), transcript=tuple(said)),) if said else ()


def read_notes(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> Found:
    """Read the notes that Gemini took, as plain text.

    :raises ConnectorError: As :func:`read_conference`.
    """
    del settings
    files = _files(client, user, call_id, "smartNotes")
    if not isinstance(files, list):
        return files
    texts: list[str] = []
    for file in files:
        document = file.docsDestination.document if file.docsDestination else None
        if document is None or not _DOCUMENT.fullmatch(document):
            continue
        text = client.text(user, f"{DRIVE}files/{document}/export", {"mimeType": "text/plain"})
        if isinstance(text, Refusal):
            return text
        texts.append(text.replace("\r\n", "\n").strip())
    summary = "\n\n".join(text for text in texts if text)
    return (part(call_id, NOTES, time.time(), summary=summary),) if summary else ()


def _files(client: GoogleClient, user: str, call_id: str, name: str) -> list[File] | Later | Refusal | tuple[()]:
    """Read what of a kind is generated, in order; nothing where all was deleted."""
    rows = client.pages(user, f"{MEET}{record_of(call_id)}/{name}", name, _FILES)
    if isinstance(rows, Refusal):
        return rows
    files = [checked(File, row) for row in rows]
    ready = [file for file in files if file.state == _GENERATED]
    if not ready:
        return Later(AGAIN_SECONDS, f"the {name} are not ready at Google") if files else ()
    return sorted(ready, key=lambda it: (it.startTime or _NEVER, it.name))


def _below(file: File, call_id: str) -> str:
    """Give the name of a file, which has to be of this conference: it becomes a path."""
    if not re.fullmatch(rf"{re.escape(record_of(call_id))}/[A-Za-z]+/[A-Za-z0-9_.-]{{1,200}}", file.name):
        raise InputError("name: is none of a file of the conference that was asked for")
    return file.name


def _utterance(it: Entry, text: str, names: dict[str, str | None], start: dt.datetime) -> Utterance:
    at_seconds = max(0.0, (it.startTime - start).total_seconds()) if it.startTime else None
    return Utterance(speaker=names.get(it.participant or ""), text=text, at_seconds=at_seconds)


def _page(where: Destination | None, host: str) -> str | None:
    """Keep the page that shows a file, where it is one of Google's."""
    try:
        parts = urlsplit(where.exportUri or "" if where else "")
    except ValueError:
        return None
    return f"https://{host}{parts.path}" if (parts.scheme, parts.netloc) == ("https", host) else None
