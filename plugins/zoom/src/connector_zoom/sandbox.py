"""A stand-in for the part of Zoom that this plugin reads: signing in, past meetings, who was there, transcripts.

It is evidence of how Zoom's documentation was read, and no more: nothing in it was compared with a live account. What it
does not know it refuses with 501. :class:`connector_core.testing.server.SandboxServer` serves it, and injects faults::

    with SandboxServer(ZoomSandbox([PastMeeting(uuid=..., ...)])) as server:
        provider = bind_provider(ZOOM, server.settings)
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl, unquote

from connector_core.testing.sandbox import Request, Response, RowError, Sandbox

SECRET_TOKEN, ACCOUNT_ID = "sandbox-secret-token", "SandboxAccount"
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-client-secret"
SCOPES = (
    "meeting:read:past_meeting:admin",
    "meeting:read:list_past_participants:admin",
    "cloud_recording:read:list_recording_files:admin",
)
LONGEST_PAGE = 300
_TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PastMeeting:
    """A meeting that has ended, in Zoom's names and forms.

    ``participants``: one row a join; of a meeting with one alone Zoom lists none. ``transcripts``: WebVTT, by the time at
    which each recording began.
    """

    uuid: str
    id: int
    host_id: str
    topic: str
    start_time: str
    end_time: str
    user_name: str = ""
    user_email: str = ""
    participants: tuple[Mapping[str, Any], ...] = ()
    transcripts: Mapping[str, str] = field(default_factory=dict)
    transcript_status: str = "completed"


class _RefusalError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.response = Response.of({"code": code, "message": message}, status)


class ZoomSandbox(Sandbox):
    """Zoom's sign-in and API, over meetings that are given."""

    def __init__(self, meetings: Iterable[PastMeeting] = ()) -> None:
        """Hold the meetings; nobody has signed in yet."""
        self._meetings = {meeting.uuid: meeting for meeting in meetings}
        self._tokens: set[str] = set()
        self._pages: dict[str, tuple[str, int]] = {}
        self._scopes = set(SCOPES)

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the settings of a provider that reads here."""
        return {
            "secret_token": SECRET_TOKEN,
            "account_id": ACCOUNT_ID,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "base_url": url,
        }

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request as Zoom would, as far as it is known."""
        del row_error  # nothing is read in batches
        try:
            if request.path == "/oauth/token":
                return self._sign_in(request)
            if request.method != "GET":
                return _unknown(request)
            self._check_token(request)
            return self._read(request)
        except _RefusalError as error:
            return error.response

    # -- signing in ----------------------------------------------------------------------------------------------------

    def _sign_in(self, request: Request) -> Response:
        form = {**request.query, **dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))}
        if request.method != "POST" or not form.keys() <= {"grant_type", "account_id"}:
            return _unknown(request)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {basic}":
            return _not_signed_in("invalid_client", "Invalid client_id or client_secret")
        if form.get("grant_type") != "account_credentials":
            return _not_signed_in("unsupported_grant_type", "unsupported grant type")
        if form.get("account_id") != ACCOUNT_ID:
            return _not_signed_in("invalid_request", "Bad Request")
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        scope = " ".join(sorted(self._scopes))
        return Response.of(
            {"access_token": token, "token_type": "bearer", "expires_in": _TOKEN_SECONDS, "scope": scope}
        )

    def _check_token(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self._tokens:
            raise _RefusalError(401, 124, "Invalid access token.")

    def _check_scope(self, scope: str) -> None:
        if scope not in self._scopes:
            raise _RefusalError(400, 4711, f"Invalid access token, does not contain scopes:[{scope}].")

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, request: Request) -> Response:
        parts = request.path.split("/")
        if request.path.startswith("/rec/download/"):
            return self._file(request.path.removeprefix("/rec/download/"))
        match parts[1:3], parts[-1]:
            case ["v2", "past_meetings"], "participants":
                step = request.path.removeprefix("/v2/past_meetings/").removesuffix("/participants")
                self._check_scope(SCOPES[1])
                return self._participants(self._meeting(step), request)
            case ["v2", "past_meetings"], _:
                self._check_scope(SCOPES[0])
                meeting = self._meeting(request.path.removeprefix("/v2/past_meetings/"))
                return _unknown(request) if request.query else Response.of(_details(meeting))
            case ["v2", "meetings"], "recordings":
                step = request.path.removeprefix("/v2/meetings/").removesuffix("/recordings")
                self._check_scope(SCOPES[2])
                return _unknown(request) if request.query else self._recordings(self._meeting(step), request)
        return _unknown(request)

    def _meeting(self, step: str) -> PastMeeting:
        """Find the meeting that a step of the path names; the server has decoded it once."""
        if step.isdigit():
            raise _RefusalError(501, 0, "The sandbox reads no meeting by its number: that is the room's.")
        misread = step.startswith("/") or "//" in step  # not encoded twice, as Zoom wants it then
        meeting = None if misread else self._meetings.get(unquote(step))
        if meeting is None:
            raise _RefusalError(404, 3001, f"Meeting does not exist: {step}.")
        return meeting

    def _participants(self, meeting: PastMeeting, request: Request) -> Response:
        if not request.query.keys() <= {"page_size", "next_page_token"}:
            return _unknown(request)
        size = request.query.get("page_size", "30")
        if not size.isdigit() or not 1 <= int(size) <= LONGEST_PAGE:
            return _unknown(request)
        token = request.query.get("next_page_token", "")
        uuid, start = self._pages.get(token, ("", -1)) if token else (meeting.uuid, 0)
        if uuid != meeting.uuid:
            raise _RefusalError(400, 300, "The next page token is either invalid or expired.")
        listed = meeting.participants if len(meeting.participants) > 1 else ()  # as documented
        end = start + int(size)
        following = ""
        if end < len(listed):
            following = secrets.token_urlsafe(16)
            self._pages[following] = (meeting.uuid, end)
        page = {"page_count": -(-len(listed) // int(size)), "page_size": int(size), "total_records": len(listed)}
        rows = [dict(row) for row in listed[start:end]]
        return Response.of({**page, "next_page_token": following, "participants": rows})

    def _recordings(self, meeting: PastMeeting, request: Request) -> Response:
        if not meeting.transcripts:
            raise _RefusalError(404, 3301, "There is no recording for this meeting.")
        host = request.headers.get("host", "")
        files = [
            {
                "id": f"{meeting.id}-{number}",
                "meeting_id": meeting.uuid,
                "recording_start": start,
                "recording_end": meeting.end_time,
                "file_type": "TRANSCRIPT",
                "file_extension": "VTT",
                "file_size": len(text.encode()),
                "download_url": f"http://{host}/rec/download/{meeting.id}-{number}",
                "status": meeting.transcript_status,
                "recording_type": "audio_transcript",
            }
            for number, (start, text) in enumerate(meeting.transcripts.items())
        ]
        known = {name: getattr(meeting, name) for name in ("uuid", "id", "host_id", "topic", "start_time")}
        return Response.of({**known, "type": 2, "recording_count": len(files), "recording_files": files})

    def _file(self, name: str) -> Response:
        for meeting in self._meetings.values():
            for number, (_, text) in enumerate(meeting.transcripts.items()):
                if name == f"{meeting.id}-{number}":
                    return Response(200, text.encode(), {"Content-Type": "text/vtt"})
        raise _RefusalError(404, 3301, "There is no recording for this meeting.")

    # -- behind the client's back --------------------------------------------------------------------------------------

    def ids(self) -> dict[str, str]:
        """Map nothing: meetings have the ids that they were given."""
        return {uuid: uuid for uuid in self._meetings}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Give the meetings, in Zoom's names."""
        return {"meetings": [_details(meeting) for meeting in self._meetings.values()]}

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a meeting, or delete it.

        :raises KeyError: There is no such meeting.
        :raises ValueError: It has no such field, or is to be merged.
        """
        if obj != "meetings" or merge_into is not None:
            raise ValueError("only meetings are held here, and none is merged")
        meeting = self._meetings[record_id]
        if unknown := fields.keys() - _FIELDS:
            raise ValueError(
                f"a meeting has no {', '.join(sorted(unknown))}; possible are {', '.join(sorted(_FIELDS))}"
            )
        self._meetings[record_id] = replace(meeting, **fields)
        if delete:
            del self._meetings[record_id]

    def org(self, changes: Mapping[str, Any]) -> None:
        """Change the app: ``{"scopes": [...]}``.

        :raises ValueError: Another change.
        """
        if set(changes) != {"scopes"} or not set(changes["scopes"]) <= set(SCOPES):
            raise ValueError(f'possible is {{"scopes": […]}}, of {", ".join(SCOPES)}')
        self._scopes = set(changes["scopes"])

    def expire_session(self) -> None:
        """Make the tokens that were handed out expire."""
        self._tokens.clear()


_FIELDS = {item.name for item in fields(PastMeeting)} - {"uuid"}


def _details(meeting: PastMeeting) -> dict[str, Any]:
    names = ("uuid", "id", "host_id", "topic", "user_name", "user_email", "start_time", "end_time")
    return {**{name: getattr(meeting, name) for name in names}, "participants_count": len(meeting.participants)}


def _not_signed_in(error: str, reason: str) -> Response:
    return Response.of({"reason": reason, "error": error}, 401 if error == "invalid_client" else 400)


def _unknown(request: Request) -> Response:
    return Response.of({"message": f"The sandbox does not know {request.method} {request.path}."}, 501, api_calls=0)
