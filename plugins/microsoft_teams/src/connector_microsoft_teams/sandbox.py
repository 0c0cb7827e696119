"""A stand-in for the part of Microsoft Graph that this plugin uses: sign-in, call records, meetings, calendars.

It is evidence of how Microsoft's documentation and the recorded answers were read, and no more: nothing in it was compared
with a live tenant. What it does not know it refuses with 501. :class:`connector_core.testing.server.SandboxServer` serves
it, and injects faults::

    with SandboxServer(GraphSandbox(Tenant(records=[...]))) as server:
        provider = bind_provider(MICROSOFT_TEAMS, server.settings)
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from connector_core.testing.sandbox import Request, Response, RowError, Sandbox
from connector_microsoft_teams.sandbox_publisher import Publisher
from connector_microsoft_teams.sandbox_subscriptions import RefusalError, Subscriptions, unknown

TENANT_ID = "9d66187e-13f0-4666-9bac-be67ddd4b676"
CLIENT_ID, CLIENT_SECRET = "8e460676-ae3f-4b1e-8790-ee0fb5d6148f", "sandbox-client-secret"
CLIENT_STATE = "sandbox-client-state"
PERMISSIONS = (
    "CallRecords.Read.All",
    "OnlineMeetings.Read.All",
    "OnlineMeetingArtifact.Read.All",
    "Calendars.Read",
    "OnlineMeetingTranscript.Read.All",
)
LARGEST_PAGES = {"participants_v2": 130, "sessions": 60}
"""Documented; for other lists no size is."""
_OTHER_PAGES = 100
_TOKEN_SECONDS = 3599

Json = dict[str, Any]


@dataclass(slots=True)
class Tenant:
    """What a tenant holds, in Graph's own names and forms.

    ``records``: call records with their ``participants_v2`` and ``sessions``. ``meetings``: by organizer, each with its
    ``attendanceReports``, and those with their ``attendanceRecords``, and its ``transcripts``, with their ``content``.
    ``events``: by user, in UTC.
    """

    records: list[Json] = field(default_factory=list)
    meetings: dict[str, list[Json]] = field(default_factory=dict)
    events: dict[str, list[Json]] = field(default_factory=dict)


class GraphSandbox(Sandbox):
    """Microsoft's sign-in and Graph, over a tenant that is given."""

    def __init__(self, tenant: Tenant | None = None, publisher: Publisher | None = None) -> None:
        """Hold the tenant; nobody has signed in yet."""
        self._tenant = tenant or Tenant()
        self._tokens: set[str] = set()
        self._pages: dict[str, tuple[str, list[Any], int]] = {}
        self._granted = set(PERMISSIONS)
        self._publisher = publisher or Publisher()
        self._subscriptions = Subscriptions()

    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the settings of a provider that reads here."""
        return {
            "tenant_id": TENANT_ID,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "client_state": CLIENT_STATE,
            "base_url": url,
        }

    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request as Microsoft would, as far as it is known."""
        del row_error  # nothing is read in batches
        try:
            if not request.path.startswith("/v1.0/"):
                return self._log_in(request)
            self._check_token(request)
            if "$skiptoken" in request.query:
                return self._next_page(request)
            if request.path.startswith("/v1.0/subscriptions"):
                return self._subscriptions.handle(request, self._check_granted)
            return self._read(request) if request.method == "GET" else unknown(request)
        except RefusalError as error:
            return error.response

    # -- signing in ----------------------------------------------------------------------------------------------------

    def _log_in(self, request: Request) -> Response:
        _, tenant_id, rest = [*request.path.split("/", 2), "", ""][:3]
        if request.query:
            return unknown(request)
        if request.method == "GET" and request.path == "/common/discovery/keys":
            return Response.of({"keys": self._publisher.public()})
        if request.method == "GET" and rest == "v2.0/.well-known/openid-configuration":
            if tenant_id != TENANT_ID:
                return Response.of({"error": "invalid_tenant", "error_codes": [90002]}, 400)
            shown = (
                f"https://{request.headers.get('host', '')}/{tenant_id}"  # as Microsoft does, which knows https alone
            )
            names = ("authorization_endpoint", "token_endpoint", "device_authorization_endpoint")
            paths = {name: f"{shown}/oauth2/v2.0/{name.partition('_')[0]}" for name in names}
            return Response.of({**paths, "issuer": f"https://login.microsoftonline.com/{tenant_id}/v2.0"})
        if request.method == "POST" and rest == "oauth2/v2.0/token" and tenant_id == TENANT_ID:
            return self._token(request)
        return unknown(request)

    def _token(self, request: Request) -> Response:
        form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return unknown(request)
        if form.get("scope") != f"http://{request.headers.get('host', '')}/.default":
            return Response.of({"error": "invalid_scope", "error_codes": [70011]}, 400)
        if form.get("client_id") != CLIENT_ID:
            return Response.of({"error": "unauthorized_client", "error_codes": [700016]}, 400)
        if form.get("client_secret") != CLIENT_SECRET:
            return Response.of({"error": "invalid_client", "error_codes": [7000215]}, 401)
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return Response.of({"token_type": "Bearer", "expires_in": _TOKEN_SECONDS, "access_token": token})

    def _check_token(self, request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind != "Bearer" or token not in self._tokens:
            raise RefusalError(401, "InvalidAuthenticationToken", "Access token is empty or has expired.")

    def _check_granted(self, permission: str) -> None:
        if permission not in self._granted:
            raise RefusalError(403, "Forbidden", f"Application lacks {permission}.")

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, request: Request) -> Response:
        routes: tuple[tuple[str, Callable[..., Response]], ...] = (
            (r"communications/callRecords", self._records),
            (r"communications/callRecords/([^/]+)", self._record),
            (r"communications/callRecords/([^/]+)/sessions", self._sessions),
            (r"users/([^/]+)/onlineMeetings", self._meetings),
            (r"users/([^/]+)/onlineMeetings/([^/]+)/attendanceReports", self._reports),
            (r"users/([^/]+)/onlineMeetings/([^/]+)/attendanceReports/([^/]+)", self._report),
            (r"users/([^/]+)/onlineMeetings/([^/]+)/transcripts", self._transcripts),
            (r"users/([^/]+)/onlineMeetings/([^/]+)/transcripts/([^/]+)/content", self._content),
            (r"users/([^/]+)/calendarView", self._calendar),
        )
        for pattern, answer in routes:
            if found := re.fullmatch(pattern, request.path.removeprefix("/v1.0/")):
                return answer(request, *found.groups())
        return unknown(request)

    def _records(self, request: Request) -> Response:
        """List the records of a time, by when they began; without participants."""
        self._check_granted("CallRecords.Read.All")
        moment = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"
        pattern = f"startDateTime ge {moment} and startDateTime lt {moment}"
        wanted = re.fullmatch(pattern, request.query.get("$filter", ""))
        if wanted is None or len(request.query) != 1:
            return unknown(request)
        start, end = map(dt.datetime.fromisoformat, wanted.groups())
        during = [it for it in self._tenant.records if start <= dt.datetime.fromisoformat(it["startDateTime"]) < end]
        return self._list(request, "callRecords", [_without(it, *LARGEST_PAGES) for it in during])

    def _found(self, record_id: str) -> Json:
        self._check_granted("CallRecords.Read.All")
        record = next((it for it in self._tenant.records if it["id"] == record_id), None)
        if record is None:
            raise RefusalError(404, "NotFound", "The call record does not exist, or is older than 30 days.")
        return record

    def _record(self, request: Request, record_id: str) -> Response:
        """Give a record. Only one relationship can be expanded at a time, and the sessions have a path of their own."""
        record = self._found(record_id)
        shown = {key: value for key, value in record.items() if key not in LARGEST_PAGES}
        if request.query == {"$expand": "participants_v2"}:
            page, following = self._page(request, "participants_v2", record["participants_v2"])
            more = {"participants_v2@odata.nextLink": following} if following else {}
            return Response.of(shown | {"participants_v2": page} | more)
        return unknown(request) if request.query else Response.of(shown)

    def _sessions(self, request: Request, record_id: str) -> Response:
        record = self._found(record_id)
        return unknown(request) if request.query else self._list(request, "sessions", record.get("sessions", []))

    def _meetings(self, request: Request, user_id: str) -> Response:
        """Find a meeting by the address to join it, which has to be encoded once more: the server has decoded it once."""
        self._check_granted("OnlineMeetings.Read.All")
        wanted = re.fullmatch("JoinWebUrl eq '(.*)'", request.query.get("$filter", ""))
        if wanted is None or len(request.query) != 1:
            return unknown(request)
        url = wanted[1].replace("''", "'")
        same = [it for it in self._tenant.meetings.get(user_id, ()) if it["joinWebUrl"] == url]
        return self._list(request, "value", [_without(it, "attendanceReports", "transcripts") for it in same])

    def _meeting(self, user_id: str, meeting_id: str, permission: str = "OnlineMeetingArtifact.Read.All") -> Json:
        self._check_granted(permission)
        for meeting in self._tenant.meetings.get(user_id, ()):
            if meeting["id"] == meeting_id:
                return meeting
        raise RefusalError(404, "NotFound", "The meeting does not exist.")

    def _reports(self, request: Request, user_id: str, meeting_id: str) -> Response:
        meeting = self._meeting(user_id, meeting_id)
        shown = [_without(it, "attendanceRecords") for it in meeting.get("attendanceReports", ())]
        return unknown(request) if request.query else self._list(request, "value", shown)

    def _report(self, request: Request, user_id: str, meeting_id: str, report_id: str) -> Response:
        reports = self._meeting(user_id, meeting_id).get("attendanceReports", ())
        report = next((it for it in reports if it["id"] == report_id), None)
        if report is None:
            raise RefusalError(404, "NotFound", "The attendance report does not exist.")
        if request.query != {"$expand": "attendanceRecords"}:
            return unknown(request)
        page, following = self._page(request, "attendanceRecords", report["attendanceRecords"])
        more = {"attendanceRecords@odata.nextLink": following} if following else {}
        return Response.of(report | {"attendanceRecords": page} | more)

    def _transcripts(self, request: Request, user_id: str, meeting_id: str) -> Response:
        meeting = self._meeting(user_id, meeting_id, "OnlineMeetingTranscript.Read.All")
        shown = [_without(it, "content") for it in meeting.get("transcripts", ())]
        return unknown(request) if request.query else self._list(request, "value", shown)

    def _content(self, request: Request, user_id: str, meeting_id: str, transcript_id: str) -> Response:
        meeting = self._meeting(user_id, meeting_id, "OnlineMeetingTranscript.Read.All")
        if request.query != {"$format": "text/vtt"}:
            return unknown(request)
        for transcript in meeting.get("transcripts", ()):
            if transcript["id"] == transcript_id:
                return Response(200, transcript["content"].encode(), {"Content-Type": "text/vtt"})
        raise RefusalError(404, "NotFound", "The transcript does not exist.")

    def _calendar(self, request: Request, user_id: str) -> Response:
        """Give the events that touch a time; UTC has to be asked for."""
        self._check_granted("Calendars.Read")
        query = dict(request.query)
        start, end, select = (query.pop(name, "") for name in ("startDateTime", "endDateTime", "$select"))
        if query.keys() - {"$top"} or not (start and end and select):
            return unknown(request)
        if request.headers.get("prefer") != 'outlook.timezone="UTC"':
            return unknown(request)
        touching = [
            {name: it[name] for name in ("id", *select.split(",")) if name in it}
            for it in self._tenant.events.get(user_id, ())
            if it["start"]["dateTime"] < end and it["end"]["dateTime"] > start
        ]
        return self._list(request, "value", touching)

    # -- pages ---------------------------------------------------------------------------------------------------------

    def _list(self, request: Request, name: str, rows: list[Any]) -> Response:
        page, following = self._page(request, name, rows)
        return Response.of({"value": page} | ({"@odata.nextLink": following} if following else {}))

    def _page(self, request: Request, name: str, rows: list[Any], start: int = 0) -> tuple[list[Any], str | None]:
        end = start + LARGEST_PAGES.get(name, _OTHER_PAGES)
        if end >= len(rows):
            return rows[start:], None
        token = secrets.token_urlsafe(16)
        self._pages[token] = (name, rows, end)
        return rows[start:end], f"http://{request.headers.get('host', '')}{request.path}?$skiptoken={token}"

    def _next_page(self, request: Request) -> Response:
        if len(request.query) != 1 or request.query["$skiptoken"] not in self._pages:
            raise RefusalError(400, "BadRequest", "The skip token is invalid.")
        name, rows, start = self._pages[request.query["$skiptoken"]]
        page, following = self._page(request, name, rows, start)
        return Response.of({"value": page} | ({"@odata.nextLink": following} if following else {}))

    # -- behind the client's back --------------------------------------------------------------------------------------

    def ids(self) -> dict[str, str]:
        """Map nothing: records have the ids that they were given."""
        return {it["id"]: it["id"] for it in self._tenant.records}

    def records(self) -> dict[str, list[Json]]:
        """Give the call records and the subscriptions, in Graph's names."""
        return {"callRecords": self._tenant.records, "subscriptions": self._subscriptions.all()}

    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a call record, or delete it: Graph does so after 30 days.

        :raises KeyError: There is no such record.
        :raises ValueError: It is none, or is to be merged.
        """
        if obj != "callRecords" or merge_into is not None:
            raise ValueError("only callRecords are changed here, and none is merged")
        record = {it["id"]: it for it in self._tenant.records}[record_id]
        record.update(fields)
        if delete:
            self._tenant.records.remove(record)

    def org(self, changes: Mapping[str, Any]) -> None:
        """Change what the administrator granted: ``{"permissions": [...]}``.

        :raises ValueError: Another change.
        """
        if set(changes) != {"permissions"} or not set(changes["permissions"]) <= set(PERMISSIONS):
            raise ValueError(f'possible is {{"permissions": […]}}, of {", ".join(PERMISSIONS)}')
        self._granted = set(changes["permissions"])

    def expire_session(self) -> None:
        """Make the tokens that were handed out expire."""
        self._tokens.clear()


def _without(value: Json, *names: str) -> Json:
    return {key: item for key, item in value.items() if key not in names}
