"""Where admins and managers keep templates, hold them against the CRM, and take them into use. Every verb is a command."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace

from connector_core.config import OpenConnection
from connector_core.errors import InputError, TryAgainError
from connector_core.filler.trying import Tried, try_out
from connector_core.filling.checking import Checked, Described, check, objects_of, overlapping
from connector_core.filling.templates import Template
from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.templates import Published, require_author
from connector_core.model import Call, ObjectDescription, Unknown


class TemplateDesk:
    """The templates of one connection. What was published is filled by a pump."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, *, wake: Wake | None = None) -> None:
        """Look at nothing yet.

        :param wake: Wakes a pump when something became due.
        """
        self._kept = ledger.templates
        self._opened = opened
        self._connection = opened.connection
        self._name = opened.connection.name
        self._wake = wake

    def check(self, template: Template) -> Checked:
        """Hold a template against what the CRM says of itself now, and against the others that are in use.

        :raises TryAgainError: The CRM could not be asked.
        """
        manifest = self._connection.manifest
        crm = Described(
            manifest.title,
            self._connection.operations,
            manifest.names,
            self._described(template, anew=True) if "describe_objects" in self._connection.operations else {},
            leads="leads" in manifest.traits,
        )
        found = check(template, crm)
        others = (it.template for it in self._kept.published(self._name))
        return replace(found, warnings=(*found.warnings, *overlapping(template, others)))

    def test(self, template: Template, calls: Iterable[Call]) -> Iterator[Tried]:
        """Tell what a template finds in calls, draft or not; nothing is kept, and nothing sent.

        :raises TryAgainError: The CRM, or the extractor, could not be asked.
        :raises UnsupportedError: The CRM does not describe its fields.
        """
        names = self._connection.manifest.names
        described = self._described(template)
        objects = {it.object: described.get(names.get(it.object, it.object), ()) for it in template.fields}
        return (try_out(self._opened, template, objects, call) for call in calls)

    def save(self, actor: Actor, templates: Iterable[Template]) -> dict[str, int]:
        """Keep templates as drafts; give the number of each one's newest version, by id.

        :raises InputError: A user may not.
        """
        return {it.id: self._kept.save(self._name, actor, it) for it in templates}

    def publish(self, actor: Actor, template_id: str, *, since: dt.datetime | None = None) -> tuple[Published, Checked]:
        """Take a template's newest version into use; give it as it is used, and what was found of it.

        :param since: As in :meth:`connector_core.ledger.templates.Templates.publish`.
        :raises InputError: A user may not; there is no such template; or it does not fit the CRM: all that is wrong, a line
            each.
        :raises TryAgainError: The CRM could not be asked.
        """
        require_author(actor, "publish")
        newest = self._kept.get(self._name, template_id).newest
        found = self.check(newest.template)
        if found.problems:
            raise InputError("\n".join(found.problems))
        published = self._kept.publish(
            self._name, actor, template_id, types=found.types, since=since, version=newest.version, wake=self._wake
        )
        return published, found

    def unpublish(self, actor: Actor, template_id: str) -> None:
        """Make a draft of a template again: nothing more is filled by it, and its outcomes are shown no more.

        :raises InputError: A user may not; there is no such template.
        """
        self._kept.unpublish(self._name, actor, template_id)

    def delete(self, actor: Actor, template_id: str) -> None:
        """Let go of a template that is not published; its versions stay, and what came of its fields.

        :raises InputError: A user may not; there is no such template; it is published.
        """
        self._kept.delete(self._name, actor, template_id)

    def _described(self, template: Template, *, anew: bool = False) -> dict[str, tuple[ObjectDescription, ...]]:
        names = objects_of(template, self._connection.manifest.names)
        found: dict[str, tuple[ObjectDescription, ...]] = {}
        for name, answer in self._connection.describe_objects(names, anew=anew).items():
            if isinstance(answer, Unknown):
                raise TryAgainError(f"connection {self._name}: {name} could not be described: {answer.reason}")
            found[name] = answer
        return found
