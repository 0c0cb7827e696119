"""How objects and their fields are written down, and read from that text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

_LINE = re.compile(
    r"(?P<name>\w+)\s+(?P<type>\w+)(?::(?P<length>\d+))?\s+(?P<flags>[cunfsdriNxX-]+)"
    r'(?:\s+"(?P<label>[^"]+)")?(?:\s+->(?P<to>[\w,]+)(?:@(?P<rel>\w+))?(?:/(?P<kids>\w+))?)?(?:\s+\{(?P<values>.+)\})?'
)
_HEAD = re.compile(
    r'\[(?P<name>[\w*]+)\](?: (?P<prefix>\S+) (?P<flags>[cuds-]+) "(?P<label>[^"]+)"(?: of (?P<view>\w+))?)?'
)
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Field:
    """A field; its properties are those of a describe. ``children`` names the relationship seen from the parent.

    ``labels`` has those of choices that are not their value. ``only_with``: for values of a dependent picklist those of
    its ``controller`` with which they may be chosen. ``only_ids``: of a reference, what it may refer to, if not anything.
    ``rich``: of a text, that it is HTML.
    """

    name: str
    type: str
    label: str
    length: int = 0
    createable: bool = True
    updateable: bool = True
    nillable: bool = True
    filterable: bool = True
    sortable: bool = True
    defaulted: bool = False
    restricted: bool = False
    id_lookup: bool = False
    name_field: bool = False
    external_id: bool = False
    unique: bool = False
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    children: str | None = None
    values: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    default: str | bool | None = None
    controller: str | None = None
    only_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_ids: tuple[str, ...] = ()
    rich: bool = False

    @property
    def polymorphic(self) -> bool:
        """Whether the relationship leads to a ``Name``, which stands for records of several objects."""
        return len(self.targets) > 1

    @property
    def required(self) -> bool:
        """Whether a create must give it."""
        return self.createable and not self.nillable and not self.defaulted


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An object; ``fields`` is keyed by lower-case name, ``view_of`` names the table of an object that is a view.

    ``not_modelled`` are fields that the service has and the sandbox has not, in lower case.
    """

    name: str
    prefix: str
    label: str
    fields: Mapping[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    searchable: bool = False
    view_of: str | None = None
    not_modelled: frozenset[str] = frozenset()
    parents: Mapping[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        parents = {item.relationship.lower(): item for item in self.fields.values() if item.relationship}
        object.__setattr__(self, "parents", parents)


def read_objects(text: str) -> dict[str, ObjectType]:
    """Read objects, each headed ``[NAME] PREFIX FLAGS "LABEL" of TABLE``; ``of`` makes it a view of another's table.

    Flags: c createable, u updateable, d deletable, s searchable, - none. The fields of ``[*]`` are every object's.
    A line ``~ NAME NAME`` names fields of the service that the sandbox has not.
    """
    sections: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            lines = sections.setdefault(line, [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    shared = "\n".join(sections.pop("[*]"))
    objects = (_object(head, shared, "\n".join(lines)) for head, lines in sections.items())
    return {item.name: item for item in objects}


def _object(head: str, shared: str, text: str) -> ObjectType:
    match = _HEAD.fullmatch(head)
    if match is None:
        raise ValueError(f"no object: {head!r}")
    lines = text.splitlines()
    held = "\n".join(line for line in lines if not line.startswith("~"))
    return ObjectType(
        name=match["name"],
        prefix=match["prefix"],
        label=match["label"],
        fields=read_fields(held if match["prefix"] == "-" else f"{shared}\n{held}"),
        createable="c" in match["flags"],
        updateable="u" in match["flags"],
        deletable="d" in match["flags"],
        searchable="s" in match["flags"],
        view_of=match["view"],
        not_modelled=frozenset(name for line in lines if line.startswith("~") for name in line[1:].lower().split()),
    )


def read_fields(text: str) -> dict[str, Field]:
    """Read a table of fields, one a line::

        NAME  TYPE:LENGTH  FLAGS  "LABEL"  ->TARGET,TARGET@RELATIONSHIP/CHILDREN  {VALUE|*DEFAULT|VALUE=LABEL}

    Flags: c createable, u updateable, n nillable, f filterable, s sortable, d defaulted on create, r restricted
    picklist, i id lookup, N name field, x external id, X unique external id, - none.
    """
    fields = (_field(line.strip()) for line in text.strip().splitlines() if line.strip())
    return {item.name.lower(): item for item in fields}


def _field(line: str) -> Field:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"no field: {line!r}")
    flags, choices = match["flags"], (match["values"] or "").split("|") if match["values"] else []
    labels = dict(choice.removeprefix("*").split("=") for choice in choices if "=" in choice)
    values = [choice.partition("=")[0] for choice in choices]
    starred = [value[1:] for value in values if value.startswith("*")]
    boolean = match["type"] == "boolean"
    return Field(
        name=match["name"],
        type=match["type"],
        label=match["label"] or label_of(match["name"]),
        length=18 if match["type"] in ("reference", "id") else int(match["length"] or 0),
        createable="c" in flags,
        updateable="u" in flags,
        nillable="n" in flags,
        filterable="f" in flags,
        sortable="s" in flags,
        defaulted="d" in flags,
        restricted="r" in flags,
        id_lookup="i" in flags,
        name_field="N" in flags,
        external_id="x" in flags or "X" in flags,
        unique="X" in flags,
        targets=tuple(match["to"].split(",")) if match["to"] else (),
        relationship=match["rel"],
        children=match["kids"],
        values=tuple(value.removeprefix("*") for value in values),
        labels=labels,
        default=False if boolean else (starred[0] if starred else None),
    )


def label_of(name: str) -> str:
    """Derive the usual label of a field from its name."""
    return _WORDS.sub(" ", name[:-2] + " ID" if name.endswith("Id") and name != "Id" else name).replace("  ", " ")


def child_relationships(objects: Iterable[ObjectType]) -> dict[tuple[str, str], tuple[ObjectType, Field]]:
    """Map (parent object, lower-case relationship) to the child object and its reference."""
    return {
        (target, item.children.lower()): (obj, item)
        for obj in objects
        for item in obj.fields.values()
        if item.children
        for target in item.targets
    }


OBJECTS = read_objects(files(__package__).joinpath("objects.txt").read_text(encoding="utf-8"))
"""The standard objects, by name."""

NAME = OBJECTS.pop("Name")
"""What may be asked of the record behind a reference to several objects."""

NOT_MODELLED = frozenset(
    """
    AccountContactRole ActivityHistory ApexClass Asset Attachment Campaign CampaignMember Case ContentVersion Contract
    Document EmailMessage EntityDefinition FieldDefinition FieldPermissions Group LeadStatus Note ObjectPermissions
    OpenActivity OpportunityFieldHistory OpportunityLineItem Order PermissionSet PermissionSetAssignment Pricebook2
    Product2 Profile Quote RecordType Report Solution TaskPriority UserRecordAccess UserRole
    """.lower().split()
)
"""Objects of the service that the sandbox has not, in lower case; one that is in neither list does not exist."""
