"""What is read at Graph once it was announced: the record of a call, who attended it, and who was invited."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from urllib.parse import quote

from connector_core.errors import CredentialsError, InputError
from connector_core.model import Utterance
from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Announced, Answer, Later
from connector_microsoft_teams import meetings, transcripts
from connector_microsoft_teams.client import GraphClient, Refusal
from connector_microsoft_teams.meetings import Meeting, Report, Row
from connector_microsoft_teams.notifications import ATTENDANCE, CALENDAR, RECORD, TRANSCRIPT, record_id_of
from connector_microsoft_teams.records import Record, Session, own_user, told
from connector_microsoft_teams.settings import TeamsSettings
from connector_microsoft_teams.transcripts import Transcript

AGAIN_SECONDS = 900.0
"""Until something is asked for again that is not there: a report is made minutes after a meeting, and no limit is named."""
READY_WITHIN = dt.timedelta(hours=6)
"""How long after a meeting its report is waited for: a tenant, or an organizer, may have switched reports off."""

_EVENT_FIELDS = "subject,start,end,lastModifiedDateTime,organizer,attendees,onlineMeeting"
_log = logging.getLogger(__name__)


class Reading:
    """Reads for one round of announcements; a record that several are of is read once."""

    def __init__(self, client: GraphClient, settings: TeamsSettings) -> None:
        """Read nothing yet."""
        self._client = client
        self._settings = settings
        self._records: dict[str, Record | Later] = {}

    def read(self, announced: Announced) -> Answer:
        """Read what was announced of one call.

        :raises InputError: Graph answers something else than it documents.
        :raises CredentialsError: Microsoft refuses the app, or it may not read call records.
        :raises TryAgainError: Graph does not answer now.
        """
        reads: Mapping[str, Callable[[Record], Answer]] = {
            RECORD: self._record,
            ATTENDANCE: self._attendance,
            CALENDAR: self._calendar,
            TRANSCRIPT: self._transcript,
        }
        read = reads.get(announced.what)
        if read is None:
            return ()
        record = self._found(record_id_of(announced.call_id))
        return record if isinstance(record, Later) else read(record)

    # -- call records --------------------------------------------------------------------------------------------------

    def _found(self, record_id: str) -> Record | Later:
        if record_id not in self._records:
            self._records[record_id] = self._read_record(record_id)
        return self._records[record_id]

    def _read_record(self, record_id: str) -> Record | Later:
        path = f"/communications/callRecords/{quote(record_id, safe='')}"
        answer = self._client.get(path, {"$expand": "participants_v2"})
        if isinstance(answer, dict):
            people = self._client.rest_of(answer, "participants_v2")
            if isinstance(people, list):
                record = checked(Record, answer | {"participants_v2": people})
                if record.id.lower() != record_id:
                    raise InputError("id: is of another record than the one that was asked for")
                return record
            answer = people
        return self._no_record(answer)

    def _no_record(self, refusal: Refusal) -> Later:
        if refusal.status == 403:
            raise CredentialsError("the app lacks the permission CallRecords.Read.All, or an administrator's consent")
        return Later(AGAIN_SECONDS, f"the call record cannot be read at Graph (status {refusal.status})")

    def _record(self, record: Record) -> Answer:
        sessions: list[Session] = []
        if record.between_two:
            path = f"/communications/callRecords/{quote(record.id, safe='')}/sessions"
            found = self._client.get_list(path)
            if isinstance(found, Refusal):
                return self._no_record(found)
            sessions = [checked(Session, it) for it in found]
        return (told(record, sessions, self._settings.tenant_id),)

    # -- who attended --------------------------------------------------------------------------------------------------

    def _attendance(self, record: Record) -> Answer:
        found = self._meeting(record)
        if found is None:
            return ()
        meeting, path = found
        listed = self._client.get_list(f"{path}/attendanceReports")
        if isinstance(listed, Refusal):
            return _without("the attendance reports of a meeting", listed)
        report = meetings.overlapping([checked(Report, it) for it in listed], record)
        if report is None:
            return _not_yet(record, "the meeting has no attendance report yet")
        return self._attended(record, meeting, report, f"{path}/attendanceReports")

    def _meeting(self, record: Record) -> tuple[Meeting, str] | None:
        """Find the meeting of a record, and its path; None for calls, and for meetings that another tenant holds."""
        organizer = own_user(record.organizer_v2.identity if record.organizer_v2 else None, self._settings.tenant_id)
        if record.joinWebUrl is None or organizer is None or organizer.id is None:
            return None
        path = f"/users/{quote(organizer.id, safe='')}/onlineMeetings"
        url = record.joinWebUrl.replace("'", "''")
        found = self._client.get_list(path, {"$filter": f"JoinWebUrl eq '{url}'"})
        if isinstance(found, Refusal):
            _without("the meeting", found)
            return None
        if not found:
            return None
        meeting = checked(Meeting, found[0])
        return meeting, f"{path}/{quote(meeting.id, safe='')}"

    def _attended(self, record: Record, meeting: Meeting, report: Report, path: str) -> Answer:
        answer = self._client.get(f"{path}/{quote(report.id, safe='')}", {"$expand": "attendanceRecords"})
        rows = self._client.rest_of(answer, "attendanceRecords") if isinstance(answer, dict) else answer
        if isinstance(rows, Refusal):
            return _without("the attendance report of a meeting", rows)
        people = [checked(Row, it) for it in rows]
        return (meetings.attended(record, meeting, report, people, self._settings.tenant_id),)

    # -- what was said -------------------------------------------------------------------------------------------------

    def _transcript(self, record: Record) -> Answer:
        found = self._meeting(record)
        if found is None:
            return ()
        path = f"{found[1]}/transcripts"
        listed = self._client.get_list(path)
        if isinstance(listed, Refusal):
            return _without("the transcripts of a meeting", listed)
        mine = transcripts.of_record([checked(Transcript, it) for it in listed], record)
        said: list[Utterance] = []
        for it in mine:
            text = self._client.get_bytes(f"{path}/{quote(it.id, safe='')}/content", {"$format": "text/vtt"})
            if isinstance(text, Refusal):
                return _without("a transcript", text)
            offset_seconds = (it.createdDateTime - record.startDateTime).total_seconds()
            said += transcripts.read_vtt(text.decode("utf-8-sig", errors="replace"), offset_seconds)
        if not mine:
            return _not_yet(record, "the transcript is not ready at Graph")
        return (transcripts.told(record, mine, said),) if said else ()

    # -- who was invited -----------------------------------------------------------------------------------------------

    def _calendar(self, record: Record) -> Answer:
        owner = meetings.calendar_owner(record, self._settings.tenant_id)
        if record.joinWebUrl is None or owner is None:
            return ()
        params = meetings.window(record) | {"$select": _EVENT_FIELDS, "$top": "100"}
        prefer = {"Prefer": 'outlook.timezone="UTC"'}
        found = self._client.get_list(f"/users/{quote(owner, safe='')}/calendarView", params, prefer)
        if isinstance(found, Refusal):
            return _without("the calendar", found)
        event = meetings.event_of(found, record)
        return () if event is None else (meetings.invited(record, event, self._settings.tenant_id),)


def _not_yet(record: Record, reason: str) -> Answer:
    waited = dt.datetime.now(dt.UTC) - record.endDateTime
    return () if waited > READY_WITHIN else Later(AGAIN_SECONDS, reason)


def _without(what: str, refusal: Refusal) -> Answer:
    """Go on without what an administrator did not grant, or what is not there."""
    _log.warning("%s cannot be read at Graph (status %s); going on without", what, refusal.status)
    return ()
