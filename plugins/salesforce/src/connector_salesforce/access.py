"""What the connection's user may do in an org: by the describes of the objects that this plugin reads and writes.

Activities are Tasks and Events, notes are ContentNotes with their links (Object Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connector_core.errors import TryAgainError
from connector_core.model import Access, ObjectDescription, Right, Subject, Unknown, Verb
from connector_salesforce import activities, opportunities, reading
from connector_salesforce.client import Client
from connector_salesforce.describing import describe
from connector_salesforce.people import People
from connector_salesforce.soql import Condition, Query

_READ: tuple[Verb, ...] = ("read",)
_FILL: tuple[Verb, ...] = ("read", "edit")
_WRITE: tuple[Verb, ...] = ("read", "edit", "create")
OBJECTS: Mapping[str, tuple[Subject, tuple[Verb, ...]]] = {
    "Contact": ("contact", _FILL),
    "Lead": ("lead", _FILL),
    "Account": ("account", _FILL),
    "Opportunity": ("opportunity", _FILL),
    "OpportunityContactRole": ("opportunity", _READ),
    "Task": ("activity", _WRITE),
    "Event": ("activity", _WRITE),
    "ContentNote": ("note", _WRITE),
    "ContentDocumentLink": ("note", ("read", "create")),
}
"""What is done with each object."""

SPARE = ("CallDisposition", "CallDurationInSeconds", "CallType", "TaskSubtype")
"""What the writer leaves out where the user may not write it."""

_ANY = Condition("")
_BOTH = ("Subject", "Description", "WhoId", "WhatId", "OwnerId")
_WRITTEN = {
    "Task": (*_BOTH, "Status", "ActivityDate", *SPARE),
    "Event": (*_BOTH, "StartDateTime", "EndDateTime"),
}
_OWN_KEY = {"Task": "CallObject"}
"""Where a call's id goes without a field of the org's own; an event's goes into its description."""


def check(client: Client, people: People, key_field: str | None) -> Access:
    """Tell the user's rights: one API call, and a request for the versions, which is none."""
    described = describe(client, sorted(OBJECTS))
    unknown = next((it for it in described.values() if isinstance(it, Unknown)), None)
    if unknown is not None:
        raise TryAgainError(unknown.reason)
    found = {name: it[0] for name, it in described.items() if isinstance(it, tuple) and it}
    rights = [right for name in OBJECTS for right in _of_object(name, found.get(name))]
    rights += [right for name, it in found.items() for right in _of_fields(name, it, people, key_field)]
    versions = client.versions()
    return Access(tuple(rights), client.version, versions[-1] if versions else None)


def _of_object(name: str, found: ObjectDescription | None) -> Iterator[Right]:
    subject, verbs = OBJECTS[name]
    for verb in verbs:
        yield Right(subject, verb, f"{verb.capitalize()} on {name}", granted=_may(found, verb))


def _may(found: ObjectDescription | None, verb: Verb) -> bool:
    if found is None:
        return False
    return {"read": found.readable, "edit": found.updatable, "create": found.creatable}[verb]


def _of_fields(name: str, found: ObjectDescription, people: People, key_field: str | None) -> Iterator[Right]:
    """Hold what is read and written against field-level security, under which a field is missing or read-only."""
    subject, _ = OBJECTS[name]
    known = {field.lower(): it for field, it in found.fields.items()}
    for query in _queries(name, people):
        for field in _plain(query.columns, query.optional):
            setting = people.setting(name, field)
            yield Right(
                subject,
                "read",
                f"Read on {name}.{field}" + (f" (settings.{setting})" if setting else ""),
                granted=field.lower() in known,
                field=field,
                spare=field not in query.columns,
            )
    key = (key_field or _OWN_KEY.get(name)) if name in _WRITTEN else None
    for field in (*_WRITTEN.get(name, ()), *([key] if key else ())):
        told = known.get(field.lower())
        yield Right(
            subject,
            "create",
            f"Edit on {name}.{field}",
            granted=told is not None and told.creatable,
            field=field,
            spare=field in SPARE,
        )
        if told is not None and field == key_field:
            mark = f"Unique on {name}.{field} (settings.key_field)"
            yield Right(subject, "create", mark, granted=told.unique, field=field, spare=True)


def _queries(name: str, people: People) -> list[Query]:
    asked = {
        **people.identified(),
        "Account": reading.accounts(),
        "Opportunity": opportunities.query(_ANY),
        **{kind: Query(kind, columns) for kind, columns in activities.COLUMNS.items()},
    }
    return [asked[name]] if name in asked else []


def _plain(*columns: Iterable[str]) -> list[str]:
    """Give the object's own fields: those of related records are theirs."""
    return [it for part in columns for it in part if "." not in it]
