"""What is read at Google once it was announced: who was in a conference, and what came out of it.

Documented at developers.google.com/workspace/meet/api/reference/rest/v2; records are kept for 30 days.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import time
from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field

from connector_core.errors import InputError
from connector_core.model import Utterance
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.hookspecs import Answer, Later
from connector_google_meet import invitations
from connector_google_meet.client import DRIVE, MEET, GoogleClient, Refusal
from connector_google_meet.events import CONFERENCE, NOTES, RECORDINGS, TRANSCRIPTS, GoogleTime, part, record_of
from connector_google_meet.invitations import Invitation, Invited, Text
from connector_google_meet.settings import MeetSettings

AGAIN_SECONDS = 900.0
"""Until something is asked for again that Google has not ready: it does not say how long that takes."""
_NEVER = dt.datetime.max.replace(tzinfo=dt.UTC)
_GENERATED = "FILE_GENERATED"
_FILES = {"pageSize": "100"}
_DOCUMENT = re.compile(r"[A-Za-z0-9_-]{10,200}")

Found: TypeAlias = Answer | Refusal
"""What a reading gives; a refusal is this user's, and another one may be told more."""

_log = logging.getLogger(__name__)


class Record(Sent):
    """A conference; one that goes on has no end."""

    name: str
    startTime: GoogleTime  # noqa: N815 - Google's name
    endTime: GoogleTime | None = None  # noqa: N815 - Google's name
    space: Annotated[str, Field(pattern=r"^spaces/[A-Za-z0-9_-]{1,128}$")] | None = None


class Space(Sent):
    """A room."""

    meetingCode: Text = None  # noqa: N815 - Google's name


class Shown(Sent):
    """Somebody as others saw them; ``user`` is ``users/ID``, for whoever signed in."""

    user: Text = None
    displayName: Text = None  # noqa: N815 - Google's name


class Participant(Sent):
    """Somebody who was there, once however often they joined; who did not sign in may stand there again."""

    name: str
    signedinUser: Shown | None = None  # noqa: N815 - Google's name
    anonymousUser: Shown | None = None  # noqa: N815 - Google's name
    phoneUser: Shown | None = None  # noqa: N815 - Google's name

    @property
    def shown(self) -> Shown:
        """What they are called; the number of who dialled in is masked."""
        return self.signedinUser or self.anonymousUser or self.phoneUser or Shown()


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


def read_conference(client: GoogleClient, settings: MeetSettings, user: str, call_id: str) -> Found:
    """Read when a conference was, who was there, and who was invited.

    :raises InputError: Google answers something else than it documents.
    :raises ConnectorError: As :meth:`GoogleClient.get`.
    """
    record = _record(client, user, call_id)
    if isinstance(record, Refusal):
        return record
    if record.endTime is None:
        return Later(AGAIN_SECONDS, "the conference goes on, as Google has it")
    people = _people(client, user, call_id)
    if isinstance(people, Refusal):
        return people
    invitation = _invitation(client, user, record, record.endTime)
    own_id = client.user_id(user) if any(it.signedinUser for it in people) else None
    said = part(
        call_id,
        CONFERENCE,
        time.time(),
        complete=True,
        status="completed",
        started_at=record.startTime,
        ended_at=record.endTime,
        title=invitation.summary if invitation else None,
        organizer=_organizer(invitation, settings),
        participants=(
            *(_was_there(it, user, own_id) for it in reversed(people)),  # Google lists the last one first
            *(_was_invited(it, settings) for it in _guests(invitation)),
        ),
    )
    return (said,)


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
    record = _record(client, user, call_id)
    if isinstance(record, Refusal):
        return record
    people = _people(client, user, call_id)
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


# -- what is asked for -------------------------------------------------------------------------------------------------


def _record(client: GoogleClient, user: str, call_id: str) -> Record | Refusal:
    found = client.get(user, f"{MEET}{record_of(call_id)}")
    if isinstance(found, Refusal):
        return found
    record = checked(Record, found)
    if record.name != record_of(call_id):
        raise InputError("name: is of another conference than the one that was asked for")
    return record


def _people(client: GoogleClient, user: str, call_id: str) -> list[Participant] | Refusal:
    url = f"{MEET}{record_of(call_id)}/participants"
    rows = client.pages(user, url, "participants", {"pageSize": "250"})
    return rows if isinstance(rows, Refusal) else [checked(Participant, row) for row in rows]


def _invitation(client: GoogleClient, user: str, record: Record, end: dt.datetime) -> Invitation | None:
    if record.space is None:
        return None
    found = client.get(user, f"{MEET}{record.space}")
    if isinstance(found, Refusal):
        _log.warning("the room of a conference cannot be read at Google (%s); going on without its event", found)
        return None
    code = checked(Space, found).meetingCode
    return invitations.find(client, user, code, record.startTime, end) if code else None


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


# -- what it says ------------------------------------------------------------------------------------------------------


def _was_there(it: Participant, user: str, own_id: str | None) -> dict[str, Any]:
    """Say who took part. Of the addresses Meet tells none; that of the user whom we ask for is known."""
    shown = it.shown
    own = own_id is not None and shown.user == f"users/{own_id}"
    named = f"name {shown.displayName}" if shown.displayName else f"participant {it.name}"
    return {
        "key": f"user {shown.user}" if shown.user else named,
        "is_user": True if own else None,
        "name": shown.displayName,
        "emails": ({"email": user, "source": "attendance"},) if own else (),
        "attended": True,
    }


def _was_invited(it: Invited, settings: MeetSettings) -> dict[str, Any]:
    """Say who was invited, which is not to say that they came."""
    email = it.email or ""
    return {
        "key": f"email {email.casefold()}",
        "is_user": settings.is_own(email),
        "name": it.displayName,
        "emails": ({"email": email, "source": "calendar"},),
    }


def _guests(invitation: Invitation | None) -> Sequence[Invited]:
    return [it for it in (invitation.attendees if invitation else None) or () if it.email and not it.resource]


def _organizer(invitation: Invitation | None, settings: MeetSettings) -> dict[str, str | None] | None:
    """Give who invited, where that is one of us."""
    it = invitation.organizer if invitation else None
    if it is None or it.email is None or not settings.is_own(it.email):
        return None
    return {"name": it.displayName, "email": it.email}


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
