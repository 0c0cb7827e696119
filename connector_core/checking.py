"""Fields that somebody chose, held against the CRM's description before anything is sent.

One that the CRM would refuse whatever its value would be refused with every record of a batch; and where a service does not
say which record is to blame, in many requests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

from connector_core.errors import ConnectorError
from connector_core.manifest import CrmManifest
from connector_core.model import ActivityDraft, FieldReceipt, ObjectDescription, Receipt, RecordUpdate, Unknown
from connector_core.model.changes import same_value
from connector_core.remembered import Remembered

Target: TypeAlias = tuple[str, bool]
"""An object by the CRM's own name, and whether the record is new."""

Refusals: TypeAlias = Mapping[Target, Mapping[str, FieldReceipt]]
Descriptions: TypeAlias = Mapping[str, tuple[ObjectDescription, ...] | Unknown]


class FieldChecks:
    """Says which fields a CRM would refuse; nothing where it does not describe them: then it answers the write itself."""

    def __init__(
        self,
        manifest: CrmManifest,
        describe: Callable[[Collection[str]], Descriptions],
        remembered: Remembered[tuple[ObjectDescription, ...]],
    ) -> None:
        """Ask nothing yet.

        :param describe: Describes objects, as far as they are not ``remembered``.
        """
        self._manifest = manifest
        self._describe = describe
        self._remembered = remembered

    def drafts(self, drafts: Sequence[ActivityDraft]) -> tuple[tuple[ActivityDraft, ...], dict[str, Receipt]]:
        """Give the drafts that may be sent, and a receipt, by key, for each with a field that would be refused."""
        chosen: dict[Target, set[str]] = {}
        for draft in drafts:
            if names := _changed(draft):
                chosen.setdefault(self._target(draft), set()).update(names)
        refusals = self._refusals(chosen)
        found: dict[str, Receipt] = {}
        for draft in drafts:
            refused = refusals.get(self._target(draft), {})
            name = next((it for it in _changed(draft) if it in refused), None)
            if name is not None:
                why = refused[name]
                found[draft.key] = Receipt("refused", draft.activity_id, None, why.reason, why.code, name)
        return tuple(draft for draft in drafts if draft.key not in found), found

    def updates(
        self, updates: Sequence[RecordUpdate]
    ) -> tuple[tuple[RecordUpdate, ...], dict[tuple[str, str], dict[str, FieldReceipt]]]:
        """Give what of updates may be sent, and for each record a receipt for each field that would be refused."""
        chosen: dict[Target, set[str]] = {}
        for it in updates:
            if it.fields:
                chosen.setdefault((it.object, False), set()).update(it.fields)
        refusals = self._refusals(chosen)
        left, found = [], {}
        for it in updates:
            refused = refusals.get((it.object, False), {})
            found[it.object, it.id] = {name: refused[name] for name in it.fields if name in refused}
            if rest := {name: value for name, value in it.fields.items() if name not in refused}:
                left.append(replace(it, fields=rest))
        return tuple(left), found

    def _target(self, draft: ActivityDraft) -> Target:
        return self._manifest.names.get(draft.kind, ""), draft.activity_id is None

    def _refusals(self, chosen: Mapping[Target, Collection[str]]) -> Refusals:
        """Say which fields would be refused. What was remembered is asked for anew before it speaks against one."""
        objects = {name for name, _ in chosen if name}
        if not objects or "describe_objects" not in self._manifest.operations:
            return {}
        known = self._remembered.recall(objects)
        found = self._held_against(self._described(objects), chosen)
        doubtful = {name for name, _ in found} & known.keys()
        if doubtful:
            self._remembered.forget(doubtful)
            found = self._held_against(self._described(objects), chosen)
        return found

    def _described(self, objects: Collection[str]) -> Descriptions:
        try:
            return self._describe(objects)
        except ConnectorError:
            return {}

    def _held_against(self, told: Descriptions, chosen: Mapping[Target, Collection[str]]) -> Refusals:
        found: dict[Target, dict[str, FieldReceipt]] = {}
        for (name, new), fields in chosen.items():
            described = told.get(name)
            if described and not isinstance(described, Unknown):
                refused = self._refused(described[0], fields, new=new)
                found |= {(name, new): refused} if refused else {}
        return found

    def _refused(self, it: ObjectDescription, fields: Collection[str], *, new: bool) -> dict[str, FieldReceipt]:
        if not (it.creatable if new else it.updatable):
            return {}  # it is no matter of a field
        title, codes = self._manifest.title, self._manifest.field_codes
        by_name = {name.casefold(): field for name, field in it.fields.items()}
        found: dict[str, FieldReceipt] = {}
        for name in fields:
            field = by_name.get(name.casefold())
            if field is None and it.complete:
                reason = f"{title} has no field {name} of {it.name}, or hides it from the connection's user"
                found[name] = FieldReceipt("refused", reason, codes.get("missing"))
            elif field is not None and not (field.creatable if new else field.updatable):
                reason = f"{title} does not let the connection's user set {name} of {it.name}"
                found[name] = FieldReceipt("refused", reason, codes.get("read_only"))
        return found


def _changed(draft: ActivityDraft) -> list[str]:
    """Name the further fields of a draft, in a change those that it does not leave as they were."""
    old = draft.replaces.fields if draft.activity_id is not None else {}
    return [name for name, value in draft.fields.items() if name not in old or not same_value(value, old[name])]
