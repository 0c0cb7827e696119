"""What the ledger holds of the calls of a person: found by an e-mail address or a phone number, exported, erased."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector_core.errors import InputError
from connector_core.identity import PhoneReader, email_key, written_variants
from connector_core.ledger.database import Database
from connector_core.ledger.fill_days import FillDays
from connector_core.ledger.fillings import erase_fillings
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.people import Actor, note
from connector_core.ledger.retention import AT_ONCE, forget
from connector_core.ledger.schema import (
    activities,
    announcements,
    audit,
    awaited,
    calls,
    choices,
    decisions,
    parts,
    writes,
)
from connector_core.ledger.schema_filling import filled, fillings

ERASED = "what it said was erased before it was written"
HELD = (calls, parts, announcements, decisions, writes, activities, choices, awaited, fillings, filled, audit)
"""The tables that hold something of a call."""
_SHORTEST = 9
"""Digits of a number as people write it, from which on it is looked for in what was said."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An e-mail address or a phone number, as it compares under the regions of one connection."""

    email: str | None
    number: str | None
    reader: PhoneReader
    said: re.Pattern[str]

    @classmethod
    def of(cls, text: str, regions: Sequence[str]) -> Identifier | None:
        """Read one; None where it is neither."""
        reader = PhoneReader(regions)
        email = email_key(text) if "@" in text else None
        number = None if email else reader.read(text)
        if email is None and number is None:
            return None
        forms = [email] if email else [it for it in written_variants(number or "") if _digits(it) >= _SHORTEST]
        said = "|".join(re.escape(form or "") for form in forms)
        return cls(email, number, reader, re.compile(rf"(?<![\w.+-])(?:{said})(?![\w-]|\.\w)", re.IGNORECASE))

    def is_in(self, content: str) -> bool:
        """Tell whether a call, as the ledger keeps it, is one with that person, or says the identifier anywhere."""
        call = json.loads(content)
        people = [*call.get("participants", ()), call.get("organizer") or {}]
        if self.email is not None:
            emails = [email for it in people for email in (*(it.get("emails") or ()), it.get("email") or "")]
            found = any(email_key(email) == self.email for email in emails)
        else:
            phones = [phone for it in people for phone in it.get("phones") or ()]
            phones += [call.get("from_number") or "", call.get("to_number") or ""]
            found = any(self.reader.read(phone) == self.number for phone in phones)
        return found or self.said.search(content) is not None


def _digits(text: str) -> int:
    return sum(char.isdigit() for char in text)


class Persons:
    """Finds, exports and erases the calls of persons."""

    def __init__(self, database: Database) -> None:
        """Find nothing yet."""
        self._database = database

    def export(self, identifier: str, regions: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
        """Give all that is held about each call with a person, as plain data, by connection and id.

        :param identifier: An e-mail address or a phone number, in any form.
        :param regions: The connections to look in, and each one's regions, by which numbers without ``+`` are read.
        :raises InputError: The identifier cannot be read as either.
        """
        for connection, ids in self._find(identifier, regions):
            with self._database.reading() as step:
                rows = [self._held(step, connection, call_id) for call_id in ids]
            yield from rows

    def erase(self, identifier: str, regions: Mapping[str, Sequence[str]], actor: Actor) -> int:
        """Remove what the calls with a person said; ids, hashes of contents, and a note of it without the identifier stay.

        A call that is not settled is rejected: nothing is left to write. What is in the CRM already stays there.

        :returns: How many calls there were.
        :raises InputError: As :meth:`export`.
        """
        erased = 0
        touched: set[str] = set()
        for connection, ids in self._find(identifier, regions):
            self._erase(connection, ids, identifiers(identifier, {connection: regions[connection]})[connection], actor)
            erased += len(ids)
            touched.add(connection)
        for connection in sorted(touched):  # whose approvals wait was counted by name
            FillDays(self._database).refresh(connection)
        return erased

    def _find(self, identifier: str, regions: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
        """Give the ids of a person's calls, some at a time."""
        for connection, wanted in identifiers(identifier, regions).items():
            found: set[str] = set()
            after = ""
            while True:
                page = sa.select(calls.c.call_id, calls.c.content).where(
                    calls.c.connection == connection, calls.c.call_id > after
                )
                with self._database.reading() as step:
                    rows = step.execute(page.order_by(calls.c.call_id).limit(AT_ONCE)).all()
                ids = [row.call_id for row in rows if row.content and wanted.is_in(row.content)]
                if ids:
                    found.update(ids)
                    yield connection, ids
                if len(rows) < AT_ONCE:
                    break
                after = rows[-1].call_id
            for told in self._told(connection, wanted):
                if told not in found:
                    yield connection, [told]

    def _told(self, connection: str, wanted: Identifier) -> Iterator[str]:
        """Give the ids of calls of which webhooks told something of the person, once, whether or not the call says it."""
        after = ("", "")
        key = sa.tuple_(parts.c.call_id, parts.c.digest)
        found = ""
        while True:
            page = sa.select(parts.c.call_id, parts.c.digest, parts.c.part).where(
                parts.c.connection == connection, key > after
            )
            with self._database.reading() as step:
                rows = step.execute(page.order_by(parts.c.call_id, parts.c.digest).limit(AT_ONCE)).all()
            for row in rows:
                if row.call_id != found and row.part and wanted.is_in(_as_call(row.part)):
                    found = row.call_id
                    yield found
            if len(rows) < AT_ONCE:
                break
            after = (rows[-1].call_id, rows[-1].digest)

    def _held(self, step: sa.Connection, connection: str, call_id: str) -> dict[str, Any]:
        held: dict[str, Any] = {}
        for table in HELD:
            wanted = sa.select(table).where(table.c.connection == connection, table.c.call_id == call_id)
            held[table.name] = [_plain(row) for row in step.execute(wanted)]
        found = held.pop("calls")
        call = found[0] if found else {"connection": connection, "call_id": call_id, "state": None}
        if found and call["state"] != "due":
            del call["due_at"]  # it was due then, and is not any more
        return {**call, **held}

    def _erase(self, connection: str, ids: Sequence[str], wanted: Identifier, actor: Actor) -> None:
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            now = self._database.now(step)
            forget(self._database, step, connection, ids, now)
            erase_fillings(step, connection, ids)
            these = (calls.c.connection == connection, calls.c.call_id.in_(ids))
            rejected = {"state": "rejected", "outcome": "skipped", "reason": ERASED, "settled_at": now, "claimed": None}
            there = sa.exists().where(activities.c.connection == connection, activities.c.call_id == calls.c.call_id)
            written = {"state": "written", "outcome": "unchanged", "settled_at": now, "claimed": None}
            # Whoever works on such a call by now finds another version, and keeps nothing of what it said.
            anew = calls.c.version + 1
            open_ones = (*these, calls.c.state.in_(("due", "waiting")))
            step.execute(sa.update(calls).where(*open_ones, ~there).values(**rejected, version=anew))
            step.execute(sa.update(calls).where(*open_ones).values(**written, version=anew))
            step.execute(sa.update(calls).where(*these, calls.c.state == "written").values(reason=None))
            told = (audit.c.connection == connection, audit.c.call_id.in_(ids))
            for row in step.execute(sa.select(audit).where(*told)).all():
                if any(wanted.said.search(text) for text in (row.before, row.after) if text):
                    step.execute(sa.update(audit).where(audit.c.id == row.id).values(before=None, after=None))
            for call_id in ids:
                note(step, connection, call_id, now, actor, "erase", None, None)


def identifiers(text: str, regions: Mapping[str, Sequence[str]]) -> dict[str, Identifier]:
    """Read an identifier under the regions of each connection that can.

    :raises InputError: None can.
    """
    read = {name: found for name, its in regions.items() if (found := Identifier.of(text, its)) is not None}
    if regions and not read:
        raise InputError(
            "the identifier is neither an e-mail address nor a phone number that the regions of these connections can"
            " read: write it with + and the country's code"
        )
    return read


def _as_call(part: str) -> str:
    """Write a part with its participants as a call has them."""
    said = json.loads(part)
    for who in said.get("participants", ()):
        who["emails"] = [address["email"] for address in who.get("emails", ())]
    return json.dumps(said, ensure_ascii=False)


def _plain(row: sa.Row[Any]) -> dict[str, Any]:
    """Give a row as plain data, its texts of JSON opened."""
    opened = {"content", "part", "decision", "draft", "wrote", "before", "after", "value", "wanted", "previous"}
    return {
        name: json.loads(value)
        if name in opened and value
        else value.isoformat()
        if hasattr(value, "isoformat")
        else value
        for name, value in row._mapping.items()  # noqa: SLF001 - its public name, see SQLAlchemy's "Row"
    }
