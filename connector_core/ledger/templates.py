"""Templates of the filling: every version is kept, one of them is in use, and it is known who made it so."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector_core.errors import InputError
from connector_core.filling.templates import Template
from connector_core.ledger.database import Database
from connector_core.ledger.fill_queue import make_settled_due
from connector_core.ledger.inbox import Wake
from connector_core.ledger.leases import lock_connection
from connector_core.ledger.people import Actor, note
from connector_core.ledger.schema_filling import template_versions, templates
from connector_core.model import FieldType


@dataclass(frozen=True, slots=True)
class Published:
    """The version of a template that is in use.

    ``since``: calls that started then or later are targeted. ``types``: of each field by key, as the CRM described it when
    it was published.
    """

    template: Template
    version: int
    since: dt.datetime
    types: Mapping[str, FieldType]


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a template, as it was kept; ``by`` whom, and ``at`` what time."""

    template: Template
    version: int
    by: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """How a template stands: its ``newest`` version, and the number of the one in use, None for none.

    ``since``: as in :class:`Published`; it stays when the template is unpublished. None: it never was.
    """

    newest: Version
    published: int | None
    since: dt.datetime | None


class Templates:
    """Keeps the templates of all connections."""

    def __init__(self, database: Database) -> None:
        """Keep nothing yet."""
        self._database = database

    # -- reading -------------------------------------------------------------------------------------------------------

    def published(self, connection: str) -> tuple[Published, ...]:
        """Give the versions that are in use, ordered by the id of their template."""
        with self._database.reading() as step:
            rows = step.execute(_with_versions(templates.c.published, connection)).all()
        return tuple(_published(row) for row in rows)

    def list(self, connection: str) -> tuple[Kept, ...]:
        """Give all templates, ordered by id."""
        with self._database.reading() as step:
            rows = step.execute(_with_versions(templates.c.version, connection)).all()
        return tuple(_kept(row) for row in rows)

    def get(self, connection: str, template_id: str) -> Kept:
        """Give one.

        :raises InputError: There is none; the nearest is offered.
        """
        with self._database.reading() as step:
            return _kept(_one(step, connection, template_id))

    def versions(self, connection: str, template_id: str) -> tuple[Version, ...]:
        """Give all versions of a template, the oldest first; also of one that was deleted.

        :raises InputError: As :meth:`get`.
        """
        with self._database.reading() as step:
            wanted = sa.select(template_versions).where(*_is(template_versions, connection, template_id))
            rows = step.execute(wanted.order_by(template_versions.c.version)).all()
            if not rows:
                _one(step, connection, template_id)
            return tuple(map(_version, rows))

    # -- changing ------------------------------------------------------------------------------------------------------

    def save(self, connection: str, actor: Actor, template: Template) -> int:
        """Keep a new version, a draft until it is published; give its number.

        The same content as the newest version's is no new one: its number is given, and nothing changes.

        :raises InputError: A user may not.
        """
        require_author(actor, "save")
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            row = step.execute(_with_versions(templates.c.version, connection, template.id)).one_or_none()
            if row is not None and _template(row) == template:
                number: int = row.version
                return number
            newest = sa.select(sa.func.max(template_versions.c.version))
            kept = step.execute(newest.where(*_is(template_versions, connection, template.id))).scalar()
            number = 1 + (kept or 0)  # one that was deleted has versions too, by which its outcomes are told
            now = self._database.now(step)
            key = {"connection": connection, "template": template.id}
            made = {"content": _content(template), "by": actor.name, "at": now}
            step.execute(sa.insert(template_versions).values(**key, version=number, **made))
            if row is None:
                step.execute(sa.insert(templates).values(**key, version=number, changed_at=now))
            else:
                _change(step, connection, template.id, version=number, changed_at=now)
            before = None if row is None else {"template": template.id, "version": row.version}
            after = {"template": template.id, "version": number}
            note(step, connection, None, now, actor, "save template", before, after)
            return number

    def publish(
        self,
        connection: str,
        actor: Actor,
        template_id: str,
        *,
        types: Mapping[str, FieldType],
        since: dt.datetime | None = None,
        version: int | None = None,
        wake: Wake | None = None,
    ) -> Published:
        """Take a template's newest version into use; the calls that it may be for become due to be filled.

        :param types: Of each field, by key.
        :param since: Also for calls that started then or later, by default only for those from now on. It never moves to
            a later time: what was published for a call stays so.
        :param version: The version that was found good: if it is the newest no more, nothing changes.
        :raises InputError: A user may not; there is no such template; it was changed meanwhile; a time without an offset.
        """
        require_author(actor, "publish")
        if since is not None and since.tzinfo is None:
            raise InputError("templates publish: since has no offset; wanted an aware time")
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            row, now = _one(step, connection, template_id), self._database.now(step)
            if version not in (None, row.version):
                raise InputError(f"template {template_id}: was changed meanwhile, it has version {row.version} now")
            known = [it for it in (row.since, since) if it is not None]
            made = Published(_template(row), row.version, min(known, default=now), dict(types))
            if row.published is not None and made == _published(row):
                return made
            values = {"published": row.version, "since": made.since, "types": json.dumps(made.types, sort_keys=True)}
            _change(step, connection, template_id, **values, changed_at=now)
            before = _use(template_id, row.published, row.since)
            note(step, connection, None, now, actor, "publish template", before, _use(template_id, *_at(made)))
            make_settled_due(self._database, step, connection, made.since, now)
            if wake is not None:
                wake(connection, step)
            return made

    def unpublish(self, connection: str, actor: Actor, template_id: str) -> None:
        """Make a draft of a template again; one that is a draft stays one.

        :raises InputError: A user may not; there is no such template.
        """
        require_author(actor, "unpublish")
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            row = _one(step, connection, template_id)
            if row.published is None:
                return
            now = self._database.now(step)
            _change(step, connection, template_id, published=None, changed_at=now)
            uses = (_use(template_id, number, row.since) for number in (row.published, None))
            note(step, connection, None, now, actor, "unpublish template", *uses)

    def delete(self, connection: str, actor: Actor, template_id: str) -> None:
        """Let go of a template that is not in use; its versions stay, and what came of its fields.

        Kept once more, its versions are counted on, and it is for calls from its next publication on.

        :raises InputError: A user may not; there is no such template; it is published.
        """
        require_author(actor, "delete")
        with self._database.writing() as step:
            lock_connection(self._database, step, connection)
            row = _one(step, connection, template_id)
            if row.published is not None:
                raise InputError(f"connection {connection}: template {template_id} is published; unpublish it first")
            step.execute(sa.delete(templates).where(*_is(templates, connection, template_id)))
            before = {"template": template_id, "version": row.version}
            note(step, connection, None, self._database.now(step), actor, "delete template", before, None)


def require_author(actor: Actor, what: str) -> None:
    """Make sure that somebody may write templates.

    :raises InputError: A user may not.
    """
    if actor.role == "user":
        raise InputError(f"templates {what}: it takes an admin or a manager")


def _with_versions(number: sa.ColumnElement[Any], connection: str, template_id: str | None = None) -> sa.Select[Any]:
    """Select templates, each with the version of that number; those that have none are left out."""
    same = (
        template_versions.c.connection == templates.c.connection,
        template_versions.c.template == templates.c.template,
        template_versions.c.version == number,
    )
    made = (template_versions.c.content, template_versions.c.by, template_versions.c.at)
    one = [] if template_id is None else [templates.c.template == template_id]
    joined = sa.select(templates, *made).join(template_versions, sa.and_(*same))
    return joined.where(templates.c.connection == connection, *one).order_by(templates.c.template)


def _one(step: sa.Connection, connection: str, template_id: str) -> sa.Row[Any]:
    row = step.execute(_with_versions(templates.c.version, connection, template_id)).one_or_none()
    if row is None:
        known = list(
            step.execute(sa.select(templates.c.template).where(templates.c.connection == connection)).scalars()
        )
        near = difflib.get_close_matches(template_id, known, n=1)
        hint = f": did you mean {near[0]}?" if near else f"; it has {', '.join(sorted(known)) or 'none'}"
        raise InputError(f"connection {connection}: has no template {template_id}{hint}")
    return row


def _change(step: sa.Connection, connection: str, template_id: str, **values: Any) -> None:
    step.execute(sa.update(templates).where(*_is(templates, connection, template_id)).values(values))


def _is(table: sa.Table, connection: str, template_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.connection == connection, table.c.template == template_id


def _content(template: Template) -> str:
    """Write what differs from the defaults: a field that is added to the models later changes no version."""
    return json.dumps(template.model_dump(mode="json", exclude_defaults=True))


def _template(row: sa.Row[Any]) -> Template:
    return Template.model_validate_json(row.content)


def _published(row: sa.Row[Any]) -> Published:
    return Published(_template(row), row.published, row.since, json.loads(row.types))


def _version(row: sa.Row[Any]) -> Version:
    return Version(_template(row), row.version, row.by, row.at)


def _kept(row: sa.Row[Any]) -> Kept:
    return Kept(_version(row), row.published, row.since)


def _at(published: Published) -> tuple[int, dt.datetime]:
    return published.version, published.since


def _use(template_id: str, version: int | None, since: dt.datetime | None) -> dict[str, Any]:
    return {"template": template_id, "published": version, "since": since.isoformat() if since else None}
