"""Notes of calls (ContentNote): written with all their links or not at all, and found by their title.

- *Where the key stands*: in the title. It can be asked for in many notes at once, whatever they are linked to; a content
  cannot, and the preview of it holds 255 characters of the beginning, where the last line ``ref: ID`` is not (Object
  Reference, "ContentNote": ``Title`` and ``TextPreview`` filter, ``Content`` does not).
- *Written*: a note and its links are a graph of their own, of which Salesforce writes everything or nothing, and refuses one
  without another. At most 75 graphs and 500 records a request, which is one API call; after 14 refused graphs it leaves
  the rest alone (REST API Developer Guide, "Composite Graph", "Composite Graph Limits"). The owner is the connection's user:
  to set another takes a permission of its own (Object Reference, "ContentNote", ``OwnerId``).
- *Found*: a query by titles gives the notes that the user owns; one that hangs on a record, and is not the user's, is given
  by its id alone, or through the links of the record: so the links of a call's people are asked for as well (Object
  Reference, "ContentDocument", "Special Access Rules" and "Usage"; "ContentDocumentLink"). One API call for 200 calls where
  there is no note, three where there are some.
"""

from __future__ import annotations

import base64
import functools
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connector_core.errors import ConnectorError, MissingRightError, OutcomeUnknownError, RefusedError
from connector_core.model import Activity, ActivityDraft, CallKey, Opportunity, Receipt, Unknown
from connector_salesforce import rows
from connector_salesforce.activities import details
from connector_salesforce.client import Answer, Client, Row
from connector_salesforce.failures import RIGHTS, read_failure
from connector_salesforce.links import MOST_CONTACTS
from connector_salesforce.people import People
from connector_salesforce.records import ids_of, record_id, text
from connector_salesforce.soql import Query, askable, split, within

MOST_GRAPHS = 75
MOST_NODES = 500
LARGEST = 4_000_000
"""Characters of content in one request: our own choice, as documentation gives no limit that is near."""

CALLS_AT_ONCE = 100
"""Titles that one query asks for: as many as fit into it, however long they are."""

_HALTED = "PROCESSING_HALTED"
_OFF = "Notes are off in the org (Setup, Notes Settings), or not for the connection's user"
_NO_NOTES = RIGHTS | {"NOT_FOUND", "INVALID_TYPE"}
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINK = "ContentDocumentLink"
_NOTE_COLUMNS = ("Id", "Title", "TextPreview", "OwnerId")
_LINK_COLUMNS = ("ContentDocumentId", "LinkedEntityId")


@dataclass(frozen=True, slots=True)
class _Note:
    """What one draft is sent as: the note, and the records that it is linked to."""

    draft: ActivityDraft
    title: str
    content: str
    linked: tuple[str, ...]
    left_out: int


class Notes:
    """Writes and finds the notes of one connection."""

    def __init__(self, client: Client, people: People) -> None:
        """Ask for nothing yet."""
        self._client = client
        self._people = people

    # -- writing -------------------------------------------------------------------------------------------------------

    def write(self, drafts: Sequence[ActivityDraft], *, sent: bool = False) -> dict[str, Receipt]:
        """Write notes: one API call for up to 75.

        :param sent: The caller has written before and must not lose what came of it: nothing is raised.
        :raises ConnectorError: What stops the very first request: nothing was written.
        """
        receipts: dict[str, Receipt] = {}
        notes: list[_Note] = []
        for draft in drafts:
            title = title_of(draft.key)
            if draft.activity_id is not None:
                receipts[draft.key] = Receipt("refused", draft.activity_id, reason="a note is written once")
            elif title is None:
                receipts[draft.key] = Receipt("refused", reason="no title of a note can hold the id of this call")
            else:
                notes.append(_note(draft, title))
        outcomes: dict[str, rows.Outcome] = {}
        for attempt in range(rows.LOCK_TRIES):
            waiting = [it for it in notes if it.draft.key not in outcomes or rows.may_pass(outcomes[it.draft.key])]
            if attempt and waiting:
                self._client.policy.rest(rows.LOCK_SECONDS * attempt)
            outcomes |= self._send(waiting, sent=sent or bool(outcomes))
        return receipts | {it.draft.key: self._receipt(it, rows.settled(outcomes[it.draft.key])) for it in notes}

    def _send(self, notes: Sequence[_Note], *, sent: bool) -> dict[str, rows.Outcome]:
        """Send notes, in as few requests as their number and size allow; what Salesforce left alone is sent once more."""
        outcomes: dict[str, rows.Outcome] = {}
        while left := [it for it in notes if it.draft.key not in outcomes]:
            batch = _packed(left)
            try:
                found = self._graphs(batch)
            except ConnectorError as error:
                if not sent and not outcomes and not isinstance(error, OutcomeUnknownError | RefusedError):
                    raise
                found = dict.fromkeys((it.draft.key for it in batch), rows.spread(error))
            later = rows.Later("Salesforce left the note alone after others that it refused")
            outcomes |= found or {it.draft.key: later for it in batch}
        return outcomes

    def _graphs(self, notes: Sequence[_Note]) -> dict[str, rows.Outcome]:
        """Send notes in one request; those that were left alone are not among what came of it."""
        answers = self._client.graphs([self._nodes(it) for it in notes])
        found = zip(notes, answers, strict=True)
        return {it.draft.key: outcome for it, answer in found if (outcome := _outcome(it, answer)) is not None}

    def _nodes(self, note: _Note) -> list[Row]:
        link = {"ContentDocumentId": "@{note.id}", "ShareType": "I", "Visibility": "InternalUsers"}
        bodies = [
            ("note", "ContentNote", {"Title": note.title, "Content": note.content}),
            *((f"link{place}", _LINK, {**link, "LinkedEntityId": it}) for place, it in enumerate(note.linked)),
        ]
        return [
            {"method": "POST", "referenceId": name, "url": f"{self._client.root}/sobjects/{kind}", "body": body}
            for name, kind, body in bodies
        ]

    def _receipt(self, note: _Note, outcome: rows.Outcome) -> Receipt:
        match outcome:
            case rows.Done(id):
                told = f"{note.left_out} people are left out: a note is linked to {MOST_CONTACTS}" * bool(note.left_out)
                return Receipt("created", id, self._url(id), told or None)
            case rows.Later(reason):
                return Receipt("deferred", reason=reason)
            case rows.Unsure(reason):
                return Receipt("unknown", reason=reason)
            case rows.Refused(code, sentence, fields):
                return Receipt("refused", reason=sentence, code=code or None, field=next(iter(fields), None))

    def _url(self, note: str) -> str:
        return f"{self._client.instance_url}/lightning/r/ContentNote/{note}/view"

    # -- finding -------------------------------------------------------------------------------------------------------

    def find(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        """Find the notes of calls; where the org has none, or hides them, none is known."""
        try:
            return self._find(calls)
        except MissingRightError as error:
            hint = f" ({_OFF})" if (error.right or "").startswith("Content") else ""
            return {call.call_id: Unknown(f"{error}{hint}") for call in calls}

    def _find(self, calls: Sequence[CallKey]) -> dict[str, tuple[Activity, ...] | Unknown]:
        titled = {title: call for call in calls if (title := title_of(call.call_id))}
        asked = list(_asked(titled))
        found: dict[str, str] = {}
        unknown: dict[str, Unknown] = {}
        for (of, _), answer in zip(asked, self._client.ask([it for _, it in asked]), strict=True):
            if isinstance(answer, Unknown):
                unknown |= dict.fromkeys(of, answer)
            else:
                found |= {note: titled[title].call_id for note, title in map(_titled, answer) if title in titled}
        read, failed = self._read(found)
        return {
            call.call_id: unknown.get(call.call_id)
            or (failed if call.call_id in found.values() else None)
            or tuple(it for it in read if it.key == call.call_id)
            for call in calls
        }

    def _read(self, found: Mapping[str, str]) -> tuple[list[Activity], Unknown | None]:
        """Read notes whose ids and calls are known, and whom they are linked to."""
        notes = split(sorted(found), lambda part: Query("ContentNote", _NOTE_COLUMNS, (within("Id", part),)))
        linked = split(sorted(found), lambda part: Query(_LINK, _LINK_COLUMNS, (within("ContentDocumentId", part),)))
        answers = self._client.ask([it for _, it in (*notes, *linked)])
        links: dict[str, list[str]] = {}
        for row in _rows(answers[len(notes) :]):
            links.setdefault(text(row, "ContentDocumentId") or "", []).append(text(row, "LinkedEntityId") or "")
        everything = [it for ids in links.values() for it in ids]
        who, what, unknown = details(self._client, self._people, everything, everything)
        unknown = next((it for it in answers if isinstance(it, Unknown)), None) or unknown
        read = []
        for row in _rows(answers[: len(notes)]):
            about = [what[it] for it in links.get(record_id(row), ()) if it in what]
            read.append(
                Activity(
                    id=record_id(row),
                    kind="note",
                    key=found[record_id(row)],
                    people=tuple(who[it] for it in links.get(record_id(row), ()) if it in who),
                    opportunities=tuple(it for it in about if isinstance(it, Opportunity)),
                    accounts=tuple(it for it in about if not isinstance(it, Opportunity)),
                    subject=text(row, "Title"),
                    body=text(row, "TextPreview"),
                    owner_id=text(row, "OwnerId"),
                    url=self._url(record_id(row)),
                )
            )
        return read, unknown


def title_of(call_id: str) -> str | None:
    """Give the title of a call's note; None where no title holds the id: too long, or read as a reference in a graph."""
    title = f"Call notes (ref: {call_id})"
    return title if askable(title) and "@{" not in title else None


def _asked(titled: Mapping[str, CallKey]) -> Iterator[tuple[Sequence[str], Query]]:
    """Ask for notes by their titles alone, and by whom they are linked to as well; each with the calls that depend on it."""
    titles = list(titled)
    for start in range(0, len(titles), CALLS_AT_ONCE):
        some = titles[start : start + CALLS_AT_ONCE]
        calls = [titled[it] for it in some]
        of = [it.call_id for it in calls]
        yield of, Query("ContentNote", ("Id", "Title"), (within("Title", some),))
        people = [it for call in calls for it in call.person_ids]
        linked = split([*ids_of("Contact", people), *ids_of("Lead", people)], functools.partial(_linked_to, some))
        yield from ((of, query) for _, query in linked)


def _linked_to(titles: Sequence[str], people: Sequence[str]) -> Query:
    conditions = (within("LinkedEntityId", people), within("ContentDocument.Title", titles))
    return Query(_LINK, ("ContentDocumentId", "ContentDocument.Title"), conditions)


def _titled(row: Row) -> tuple[str, str]:
    """Give the id and the title of a note, of its own row or of a link's."""
    return text(row, "ContentDocumentId") or record_id(row), text(row, "Title") or text(
        row, "ContentDocument.Title"
    ) or ""


def _rows(answers: Iterable[Answer]) -> Iterator[Row]:
    return (row for answer in answers if not isinstance(answer, Unknown) for row in answer)


def _note(draft: ActivityDraft, title: str) -> _Note:
    about = [it for it in (draft.account_id, draft.opportunity_id) if it]
    people = draft.person_ids[:MOST_CONTACTS]
    linked = tuple(dict.fromkeys([*people, *about]))
    return _Note(draft, title, _content(draft.body or ""), linked, len(draft.person_ids) - len(people))


def _content(body: str) -> str:
    """Make the content of a text: escaped HTML, a paragraph a line, as line ends are lost (Object Reference, "ContentNote").

    An apostrophe goes as a number, and no control character at all: a content with either makes Salesforce fail
    (https://github.com/davidmreed/DMRNoteAttachmentImporter, "Note Content Preparation").
    """
    lines = [html.escape(_CONTROLS.sub("", it)).replace("&#x27;", "&#39;") for it in body.splitlines()]
    content = "".join(f"<p>{it}</p>" for it in lines if it.strip())
    return base64.b64encode(content.encode("utf-8", "replace")).decode("ascii")


def _packed(notes: Sequence[_Note]) -> list[_Note]:
    """Give the first notes, as many as go into one request."""
    batch: list[_Note] = []
    nodes = size = 0
    for it in notes[:MOST_GRAPHS]:
        nodes, size = nodes + 1 + len(it.linked), size + len(it.content)
        if batch and (nodes > MOST_NODES or size > LARGEST):
            break
        batch.append(it)
    return batch


def _outcome(note: _Note, answers: Sequence[tuple[int, Any]]) -> rows.Outcome | None:
    """Read what came of a note and its links; None where Salesforce left them alone."""
    (status, body), *_ = answers
    if all(it < 300 for it, _ in answers):
        made = text(body, "id") if isinstance(body, dict) else None
        return rows.Done(made) if made else rows.Unsure(f"Salesforce answered {status} without an id")
    failures = [(place, read_failure(*it)) for place, it in enumerate(answers) if it[0] >= 300]
    place, failure = next(((place, it) for place, it in failures if it.code != _HALTED), (0, None))
    if failure is None:
        return None
    if failure.status >= 500:
        return rows.Unsure(f"Salesforce answered {failure.status}")
    if place:
        return rows.Refused(failure.code, f"linking it to {note.linked[place - 1]}: {failure.told}", failure.blamed)
    lacking = f": {_OFF}" if failure.code in _NO_NOTES else ""
    return rows.Refused(failure.code, f"{failure.told}{lacking}", failure.blamed)
