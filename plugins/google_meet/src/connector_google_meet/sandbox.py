"""A stand-in for the part of Google that this plugin asks: tokens, certificates, Meet, Calendar, Drive, subscriptions.

It is evidence of how Google's documentation was read, and no more: nothing in it was compared with a live account. What it
does not know it refuses with 501. :class:`connector_core.testing.server.SandboxServer` serves it, and injects faults::

    with SandboxServer(GoogleSandbox([Conference(id=..., ...)])) as server:
        provider = bind_provider(GOOGLE_MEET, server.settings)
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl

from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_google_meet import sandbox_signing as signing
from connector_google_meet.sandbox_subscriptions import Subscriptions
from connector_google_meet.settings import SCOPES

USERS = {"ada@seller.example": "100000000000000000001", "sam@seller.example": "100000000000000000002"}
"""The users of the Workspace, and their ids."""
_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
_TIME_FILTER = re.compile(r'end_time>="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Conference:
    """A conference that took place, in Google's names and forms. ``readers``: who may read it.

    ``entries``: of each transcript, by its name. ``end_time``: None while it goes on.
    """

    id: str
    start_time: str
    end_time: str | None
    meeting_code: str = "abc-mnop-xyz"
    space: str = "jQCFfuBOdN5z"
    readers: tuple[str, ...] = ("ada@seller.example",)
    participants: tuple[Mapping[str, Any], ...] = ()
    recordings: tuple[Mapping[str, Any], ...] = ()
    transcripts: tuple[Mapping[str, Any], ...] = ()
    entries: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    smart_notes: tuple[Mapping[str, Any], ...] = ()


class RefusalError(Exception):
    """What Google would refuse."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        """Say it as Google's newer APIs do."""
        super().__init__(message)
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
        error = {"code": status, "message": message, "status": _STATUSES[status], "details": details}
        self.response = Response.of({"error": error}, status)


class GoogleSandbox(Sandbox):
    """Google, over conferences, calendars and documents that are given."""

    def __init__(
        self,
        conferences: Iterable[Conference] = (),
        *,
        calendars: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
        documents: Mapping[str, str] | None = None,
    ) -> None:
        """Hold them; nobody has signed in yet.

        :param calendars: Events of each user, in the forms of the Calendar API.
        :param documents: What Drive exports, by the file's id.
        """
        self._conferences = {it.id: it for it in conferences}
        self._calendars = dict(calendars or {})
        self._documents = dict(documents or {})
        self._tokens: dict[str, str] = {}
        self._scopes = set(SCOPES)
        self._users = dict(USERS)
        self._subscriptions = Subscriptions()

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the settings of a provider that reads here."""
        return {
            "subscription": signing.SUBSCRIPTION,
            "audience": signing.AUDIENCE,
            "push_account": signing.PUSH_ACCOUNT,
            "service_account_key": signing.service_account_key(),
            "users": ", ".join(USERS),
            "topic": signing.TOPIC,
            "sandbox_url": url,
        }

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request as Google would, as far as it is known."""
        del row_error  # nothing is read in batches
        try:
            if request.path == "/oauth2/v1/certs" and request.method == "GET":
                headers = {"Cache-Control": "public, max-age=21600, must-revalidate, no-transform"}
                return Response.of({signing.KEY_ID: signing.certificate()}, headers=headers)
            if request.path == "/token":
                return self._sign_in(request)
            user = self._user(request)
            if request.path.startswith("/v1/subscriptions"):
                return self._subscriptions.answer(request, self._users[user]) or unknown(request)
            return self._read(request, user) if request.method == "GET" else unknown(request)
        except RefusalError as error:
            return error.response

    # -- signing in ----------------------------------------------------------------------------------------------------

    def _sign_in(self, request: Request) -> Response:
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        if request.method != "POST" or form.keys() != {"grant_type", "assertion"}:
            return unknown(request)
        claims = signing.asserted(form["assertion"])
        if form["grant_type"] != _GRANT_TYPE or claims is None or claims.get("iss") != signing.SERVICE_ACCOUNT:
            return Response.of({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        user = claims.get("sub")
        if user not in self._users:
            return Response.of({"error": "invalid_grant", "error_description": "Invalid email or User ID"}, 400)
        if not set(str(claims.get("scope")).split()) <= self._scopes:
            return Response.of({"error": "unauthorized_client", "error_description": "Client is unauthorized"}, 401)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = user
        return Response.of({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _user(self, request: Request) -> str:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self._tokens:
            raise RefusalError(401, "Request had invalid authentication credentials.")
        return self._tokens[token]

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, request: Request, user: str) -> Response:
        steps = request.path.strip("/").split("/")
        match steps:
            case ["v1", "userinfo"]:
                return Response.of({"sub": self._users[user]})
            case ["v2", "spaces", space]:
                return self._space(space, user)
            case ["v2", "conferenceRecords"]:
                return self._records(request, user)
            case ["v2", "conferenceRecords", record]:
                return unknown(request) if request.query else Response.of(record_of(self._conference(record, user)))
            case ["v2", "conferenceRecords", record, *rest]:
                return self._belonging(request, self._conference(record, user), rest)
            case ["calendar", "v3", "calendars", "primary", "events"]:
                return self._events(request, user)
            case ["drive", "v3", "files", file, "export"]:
                return self._export(request, file)
        return unknown(request)

    def _conference(self, name: str, user: str) -> Conference:
        found = self._conferences.get(name)
        if found is None:
            raise RefusalError(404, "Requested entity was not found.")
        if user not in found.readers:
            raise RefusalError(403, "The caller does not have permission")
        return found

    def _space(self, space: str, user: str) -> Response:
        for it in self._conferences.values():
            if it.space == space and user in it.readers:
                uri = f"https://meet.google.com/{it.meeting_code}"
                return Response.of({"name": f"spaces/{space}", "meetingUri": uri, "meetingCode": it.meeting_code})
        raise RefusalError(403, "Permission denied on resource Space (or it might not exist)")

    def _records(self, request: Request, user: str) -> Response:
        window = _TIME_FILTER.fullmatch(request.query.get("filter", ""))
        if window is None:
            return unknown(request)
        mine = [it for it in self._conferences.values() if user in it.readers and it.end_time]
        found = [record_of(it) for it in mine if it.end_time and window[1] <= it.end_time]
        return self._page(request, "conferenceRecords", found, most=100, also={"filter"})

    def _belonging(self, request: Request, conference: Conference, steps: Sequence[str]) -> Response:
        lists: Mapping[str, tuple[tuple[Mapping[str, Any], ...], int]] = {
            "participants": (conference.participants, 250),
            "recordings": (conference.recordings, 100),
            "transcripts": (conference.transcripts, 100),
            "smartNotes": (conference.smart_notes, 100),
        }
        match steps:
            case [name] if name in lists:
                rows, most = lists[name]
                return self._page(request, name, rows, most=most)
            case ["transcripts", name, "entries"]:
                rows = tuple(conference.entries.get(name, ()))
                return self._page(request, "transcriptEntries", rows, most=100)
        return unknown(request)

    def _events(self, request: Request, user: str) -> Response:
        names = {"singleEvents", "timeMin", "timeMax", "maxResults", "pageToken"}
        if request.query.get("singleEvents") != "true" or not request.query.keys() <= names:
            return unknown(request)
        start, end = request.query.get("timeMin", ""), request.query.get("timeMax", "9")
        found = [
            it for it in self._calendars.get(user, ()) if _time_of(it, "end") > start and _time_of(it, "start") < end
        ]
        return self._page(request, "items", found, most=2500, size="maxResults", also=names)

    def _export(self, request: Request, file: str) -> Response:
        if request.query != {"mimeType": "text/plain"}:
            return unknown(request)
        if file not in self._documents:
            raise RefusalError(404, f"File not found: {file}.")
        return Response(200, b"\xef\xbb\xbf" + self._documents[file].encode(), {"Content-Type": "text/plain"})

    def _page(
        self,
        request: Request,
        name: str,
        rows: Sequence[Mapping[str, Any]],
        *,
        most: int,
        size: str = "pageSize",
        also: Iterable[str] = (),
    ) -> Response:
        """Answer a page; its token is the place where it begins. An empty list has no key."""
        asked, token = request.query.get(size, ""), request.query.get("pageToken", "0")
        if not request.query.keys() <= {size, "pageToken", *also} or not asked.isdigit() or not token.isdigit():
            return unknown(request)
        start, end = int(token), int(token) + min(int(asked), most)
        page: dict[str, Any] = {name: [dict(row) for row in rows[start:end]]} if rows[start:end] else {}
        return Response.of(page | ({"nextPageToken": str(end)} if end < len(rows) else {}))

    # -- behind the client's back --------------------------------------------------------------------------------------

    def ids(self) -> dict[str, str]:
        """Map nothing: conferences have the ids that they were given."""
        return {name: name for name in self._conferences}

    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Give the conferences and the subscriptions, in Google's names."""
        found = [record_of(it) for it in self._conferences.values()]
        return {"conferences": found, "subscriptions": self._subscriptions.records()}

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a conference or a subscription, or delete it.

        :raises KeyError: There is none.
        :raises ValueError: It has no such field, or is to be merged.
        """
        if obj not in ("conferences", "subscriptions") or merge_into is not None:
            raise ValueError("only conferences and subscriptions are held here, and none is merged")
        if obj == "subscriptions":
            self._subscriptions.patch(record_id, fields, delete=delete)
            return
        if unknown_ones := fields.keys() - _FIELDS:
            raise ValueError(f"a conference has no {', '.join(sorted(unknown_ones))}")
        self._conferences[record_id] = replace(self._conferences[record_id], **fields)
        if delete:
            del self._conferences[record_id]

    def org(self, changes: Mapping[str, Any]) -> None:
        """Change what is delegated, ``{"scopes": […]}``, or whom there is, ``{"users": […]}``.

        :raises ValueError: Another change.
        """
        known: Mapping[str, Callable[[Any], None]] = {"scopes": self._delegate, "users": self._employ}
        if unknown_ones := changes.keys() - known.keys():
            raise ValueError(f"{', '.join(sorted(unknown_ones))} cannot be changed; possible are {', '.join(known)}")
        for name, value in changes.items():
            known[name](value)

    def _delegate(self, scopes: Any) -> None:
        self._scopes = set(scopes)

    def _employ(self, users: Any) -> None:
        self._users = {user: USERS[user] for user in users}

    def expire_session(self) -> None:
        """Make the tokens that were handed out expire."""
        self._tokens.clear()


_FIELDS = {item.name for item in fields(Conference)} - {"id"}


def record_of(conference: Conference) -> dict[str, Any]:
    """Give the record of a conference, as Meet's API has it."""
    ended = {"endTime": conference.end_time} if conference.end_time else {}
    name = f"conferenceRecords/{conference.id}"
    return {"name": name, "startTime": conference.start_time, **ended, "space": f"spaces/{conference.space}"}


def _time_of(event: Mapping[str, Any], key: str) -> str:
    """Give a time of an event, all in UTC here, to be compared as text."""
    at = event.get(key, {})
    return str(at.get("dateTime") or at.get("date") or "")


def unknown(request: Request) -> Response:
    """Refuse what is not known."""
    return Response.of({"message": f"The sandbox does not know {request.method} {request.path}."}, 501, api_calls=0)
