"""What a CRM tells of its organization, objects and fields, as the connection's user may use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

FieldType: TypeAlias = Literal["text", "number", "boolean", "date", "time", "choice", "choices", "reference", "other"]
"""What a field holds. ``time`` is a day and its time; ``choice`` one of its values, ``choices`` any number of them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a field. ``label`` is what people see of it; one that is not ``active`` is kept, and not set anew.

    ``only_with``: the values of the field that controls this one with which it may be chosen; None for any.
    """

    value: str
    label: str
    active: bool = True
    only_with: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """A field, as the connection's user may use it. ``name`` is the CRM's own, and so is ``crm_type``.

    A text whose ``crm_type`` is ``html`` or ``richtextarea`` is sent as HTML, and any other as it is.
    ``length``: the most characters, where there is a bound. ``values``: what may be chosen; with ``restricted`` nothing
    else is taken. ``controlled_by``: the field on whose value the choice depends.
    ``required``: a create must give it. ``creatable``, ``updatable``: the user may set it in a create, or change it.
    ``refers_to``: the objects of whose records a reference holds an id, by the CRM's own names. ``currency_field``: of a
    number the field of the same object that says in which currency it is, which is read as a code of ISO 4217; None, or
    empty in a record, for the organization's. ``unique``: the CRM refuses a second record with the same value.
    """

    name: str
    label: str
    type: FieldType
    crm_type: str
    length: int | None = None
    values: tuple[Choice, ...] = ()
    restricted: bool = False
    controlled_by: str | None = None
    required: bool = False
    creatable: bool = True
    updatable: bool = True
    refers_to: tuple[str, ...] = ()
    currency_field: str | None = None
    unique: bool = False


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """An object, as the connection's user may use it. ``name`` is the CRM's own.

    ``fields``: those that the user may see, by name. ``readable``, ``creatable``, ``updatable``: what the user may do with
    its records, as far as the object decides it. ``complete``: the user may use no field that is not listed.
    """

    name: str
    label: str
    fields: Mapping[str, FieldDescription] = field(default_factory=dict, hash=False)
    readable: bool = True
    creatable: bool = True
    updatable: bool = True
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization whose CRM it is. ``time_zone``: an IANA name, of those who read days in the CRM.

    ``currency``: a code of ISO 4217, of amounts whose record says no other. None is for what the CRM has not, or does not
    tell.
    """

    time_zone: str | None = None
    currency: str | None = None
