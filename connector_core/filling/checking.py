"""Templates held against what a CRM says of itself: all that is wrong is told at once, with what is possible."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from connector_core.filling.outcomes import STANDARD_OBJECTS
from connector_core.filling.patterns import check_patterns
from connector_core.filling.templates import Template, TemplateField
from connector_core.model import FieldDescription, FieldType, ObjectDescription

NEEDED = ("describe_objects", "fill_fields", "read_fields")
"""Operations without which no template can be published: what stands in a field is read before anything is sent."""

UNTOLD = "not described"
"""Instead of the CRM's type, of a field that may be there and is not described."""

_MOST_OFFERED = 12


@dataclass(frozen=True, slots=True)
class Described:
    """A CRM as it describes itself to the connection's user.

    ``names``: what it calls the objects that have a role in a call. ``objects``: by its own names; empty where it has none
    of that name, or hides it.
    """

    title: str
    operations: Collection[str]
    names: Mapping[str, str]
    objects: Mapping[str, tuple[ObjectDescription, ...]]
    leads: bool = True

    def object(self, role: str) -> ObjectDescription | None:
        """Give an object by its role in a call, or by the CRM's own name."""
        return next(iter(self.objects.get(self.names.get(role, role), ())), None)

    @property
    def roles(self) -> tuple[str, ...]:
        """Name the objects that a call may have a record of."""
        return tuple(it for it in STANDARD_OBJECTS if self.leads or it != "lead")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a template: one with ``problems`` cannot be published; with ``warnings`` it can.

    ``fields``: what the CRM says of each field that it has, by key.
    """

    fields: Mapping[str, FieldDescription] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def types(self) -> dict[str, FieldType]:
        """Give the type of each field, by key."""
        return {key: it.type for key, it in self.fields.items()}


def objects_of(template: Template, names: Mapping[str, str]) -> frozenset[str]:
    """Name the objects that a template needs to be described, as the CRM calls them; those that it has no name of aside."""
    roles = {it.object for it in template.fields} | {_record(it) for it in template.fields}
    return frozenset(names.get(role, role) for role in roles if role in names or role not in STANDARD_OBJECTS)


def check(template: Template, crm: Described) -> Checked:
    """Hold a template against a CRM; each message begins ``template ID, field KEY: ``."""
    lacking = [it for it in NEEDED if it not in crm.operations]
    if lacking:
        why = f"{crm.title} has no {', '.join(lacking)}: fields can be filled in CRMs whose plugin has {', '.join(NEEDED)}"
        return Checked(problems=(f"template {template.id}: {why}",))
    found: dict[str, FieldDescription] = {}
    places: dict[tuple[str, ...], str] = {}
    problems, warnings = [], []
    for it in template.fields:
        where = f"template {template.id}, field {it.key}: "
        wrong = [*_unreachable(it, crm), *check_patterns(it.patterns)]
        described = _find(crm.object(it.object), it.field)
        warnings += [where + text for text in _untold(it, crm)]
        if described is None:
            wrong += _not_there(it, crm)
        else:
            found[it.key] = described
            wrong += _not_fillable(it, described, crm)
            place = (it.through or "", it.object, described.name)
            if places.setdefault(place, it.key) != it.key:
                wrong.append(f"fills the same field as {places[place]}; each is filled once")
            warnings += [where + text for text in _odd(it, described)]
        problems += [where + text for text in wrong]
    return Checked(found, tuple(problems), tuple(warnings))


def overlapping(template: Template, others: Iterable[Template]) -> Iterator[str]:
    """Tell which fields of a template others fill too, for calls that they may share."""
    mine = {it.target.casefold(): it.key for it in template.fields}
    for other in others:
        if other.id == template.id or not template.targeting.overlaps(other.targeting):
            continue
        for it in other.fields:
            if key := mine.get(it.target.casefold()):
                what = f"template {other.id} fills {it.field} of {it.object} too, for calls that both may be for"
                yield f"template {template.id}, field {key}: {what}"


def _record(it: TemplateField) -> str:
    """Name the object of which the call has a record: the field's own, or the one that leads to it."""
    return (it.through or it.object).partition(".")[0]


def _unreachable(it: TemplateField, crm: Described) -> Iterator[str]:
    """Say why a call leads to no record of the field's object."""
    role, _, lookup = (it.through or "").partition(".")
    if _record(it) not in crm.roles:
        yield f"{crm.title} has no {_record(it)}s beside contacts; possible: {', '.join(crm.roles)}"
        return
    record = crm.object(role)
    described = _find(record, lookup)
    if not lookup or (described is not None and described.crm_type == UNTOLD):
        return
    if described is None:
        leading = {key: text for key, text in _fields(record) if text.type == "reference"}
        yield f"through: {_lacks(crm, lookup, role, record)}{_offered(lookup, leading)}"
    elif described.type != "reference":
        yield f"through: {described.name} of {role} is a {described.type} field ({described.crm_type}), and names no record"
    elif described.refers_to and it.object not in described.refers_to:
        leads = ", ".join(described.refers_to)
        yield f"through: {described.name} of {role} leads to {leads}, not to {it.object}; possible objects: {leads}"


def _not_there(it: TemplateField, crm: Described) -> Iterator[str]:
    if _record(it) in crm.roles:
        described = crm.object(it.object)
        settable = {name: text for name, text in _fields(described) if text.updatable}
        yield f"{_lacks(crm, it.field, it.object, described)}{_offered(it.field, settable)}"


def _not_fillable(it: TemplateField, described: FieldDescription, crm: Described) -> Iterator[str]:
    owner = crm.object(it.object)
    if owner is not None and not owner.updatable:
        yield f"{crm.title} does not let the connection's user change records of {owner.name}; grant that right"
    elif not described.updatable:
        settable = {name: text for name, text in _fields(owner) if text.updatable}
        hint = _offered(it.field, settable)
        yield f"{crm.title} does not let the connection's user set {described.name} of {it.object}{hint}"
    elif described.type in ("choice", "choices") and not any(value.active for value in described.values):
        yield f"{described.name} of {it.object} has no value that may be chosen; add some in {crm.title}"


def _untold(it: TemplateField, crm: Described) -> Iterator[str]:
    """Say which names the CRM does not describe, where it does not describe all that there is."""
    role, _, lookup = (it.through or "").partition(".")
    for owner, name in ((it.object, it.field), (role, lookup)):
        described = crm.object(owner)
        found = _find(described, name)
        if name and found is not None and found.crm_type == UNTOLD:
            hint = _offered(name, dict(_fields(described)))
            yield f"{crm.title} does not describe {name} of {owner}: it is taken as text{hint}"


def _odd(it: TemplateField, described: FieldDescription) -> Iterator[str]:
    """Say what keeps a field from being filled, most of the time."""
    name = f"{described.name} of {it.object}"
    if not it.prompt.strip() and not it.patterns:
        yield "has neither a prompt nor patterns: only values that are handed in fill it"
    if described.type == "other":
        yield f"{name} is of a kind of its own ({described.crm_type}): values are sent as text"
    if it.overwrite != "always" and (described.required or described.type == "boolean"):
        why = "is required" if described.required else "has a value from the start, where it is a box to tick"
        yield f"{name} {why}, so that overwrite {it.overwrite} finds it empty hardly ever; possible: always"


def _fields(described: ObjectDescription | None) -> Iterable[tuple[str, FieldDescription]]:
    return described.fields.items() if described else ()


def _find(described: ObjectDescription | None, name: str) -> FieldDescription | None:
    """Find a field by its name, case aside, as it is found when it is filled.

    Where the CRM does not describe all that there is, one that it does not describe may be there.
    """
    found = next((it for _, it in _fields(described) if it.name.casefold() == name.casefold()), None)
    if found is None and described is not None and not described.complete:
        return FieldDescription(name, name, "text", UNTOLD)
    return found


def _lacks(crm: Described, name: str, role: str, described: ObjectDescription | None) -> str:
    if described is None:
        return f"{crm.title} has no object {role}, or hides it from the connection's user"
    return f"{crm.title} has no field {name} of {role}, or hides it from the connection's user"


def _offered(name: str, possible: Mapping[str, FieldDescription]) -> str:
    """Offer what is nearest, by the CRM's names and by what people see; else what there is, as far as that is short."""
    called = {it.label.casefold(): key for key, it in possible.items()} | {key.casefold(): key for key in possible}
    near = difflib.get_close_matches(name.casefold(), called, n=3)
    if near:
        return f"; did you mean {' or '.join(dict.fromkeys(called[it] for it in near))}?"
    names = sorted(possible)
    more = f" and {len(names) - _MOST_OFFERED} more" if len(names) > _MOST_OFFERED else ""
    return f"; possible: {', '.join(names[:_MOST_OFFERED])}{more}" if names else ""
