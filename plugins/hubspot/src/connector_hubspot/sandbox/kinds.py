"""The objects that the sandbox holds, by every name that a path or a body may give them, and their association types.

Object and association type ids are documented at developers.hubspot.com, "Using object APIs" and "Associate records".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError


@dataclass(frozen=True, slots=True)
class Kind:
    """One object. ``shown`` are the properties of an answer to a request that asks for none."""

    name: str
    singular: str
    type_id: str
    created: str = "hs_createdate"
    modified: str = "hs_lastmodifieddate"
    shown: tuple[str, ...] = ()
    scope: str = "contacts"
    """Engagements need the scopes of contacts (the ``security`` of HubSpot's published specification)."""

    @property
    def always(self) -> frozenset[str]:
        """The properties of every answer."""
        return frozenset({"hs_object_id", self.created, self.modified})


CONTACTS = Kind(
    "contacts", "contact", "0-1", "createdate", "lastmodifieddate", shown=("email", "firstname", "lastname")
)
COMPANIES = Kind("companies", "company", "0-2", "createdate", shown=("domain", "name"), scope="companies")
DEALS = Kind(
    "deals",
    "deal",
    "0-3",
    "createdate",
    shown=("amount", "closedate", "dealname", "dealstage", "pipeline"),
    scope="deals",
)
TASKS = Kind("tasks", "task", "0-27")
NOTES = Kind("notes", "note", "0-46")
MEETINGS = Kind("meetings", "meeting", "0-47")
CALLS = Kind("calls", "call", "0-48")

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (CONTACTS, COMPANIES, DEALS, CALLS, MEETINGS, NOTES, TASKS)}
ENGAGEMENTS = (CALLS, MEETINGS, NOTES, TASKS)

_BY_ANY_NAME = {name: kind for kind in KINDS.values() for name in (kind.name, kind.singular, kind.type_id)}
_NOT_HELD = frozenset(
    {"tickets", "ticket", "0-5", "emails", "email", "0-49", "users", "user", "0-115", "leads", "lead"}
)


def kind_of(text: str) -> Kind:
    """Find the object of a path.

    :raises RefusalError: HubSpot knows no such object.
    :raises NotSpokenError: HubSpot does, the sandbox does not.
    """
    name = text.lower()
    if name in _NOT_HELD:
        raise NotSpokenError(f"the object {text}")
    if name not in _BY_ANY_NAME:
        raise RefusalError(400, f"Unable to infer object type from: {text}")
    return _BY_ANY_NAME[name]


PLAIN, PRIMARY = "", "primary"
"""The two labels of an association that the sandbox knows; the plain one has none."""

_PAIRS: Mapping[tuple[Kind, Kind], Mapping[str, tuple[int, int]]] = {
    (CONTACTS, CONTACTS): {PLAIN: (449, 449)},
    (COMPANIES, COMPANIES): {PLAIN: (450, 450)},
    (DEALS, DEALS): {PLAIN: (451, 451)},
    (CONTACTS, COMPANIES): {PLAIN: (279, 280), PRIMARY: (1, 2)},
    (CONTACTS, DEALS): {PLAIN: (4, 3)},
    (COMPANIES, DEALS): {PLAIN: (342, 341), PRIMARY: (6, 5)},
    (CALLS, CONTACTS): {PLAIN: (194, 193)},
    (CALLS, COMPANIES): {PLAIN: (182, 181)},
    (CALLS, DEALS): {PLAIN: (206, 205)},
    (MEETINGS, CONTACTS): {PLAIN: (200, 199)},
    (MEETINGS, COMPANIES): {PLAIN: (188, 187)},
    (MEETINGS, DEALS): {PLAIN: (212, 211)},
    (NOTES, CONTACTS): {PLAIN: (202, 201)},
    (NOTES, COMPANIES): {PLAIN: (190, 189)},
    (NOTES, DEALS): {PLAIN: (214, 213)},
    (TASKS, CONTACTS): {PLAIN: (204, 203)},
    (TASKS, COMPANIES): {PLAIN: (192, 191)},
    (TASKS, DEALS): {PLAIN: (216, 215)},
}

TYPE_IDS: Mapping[tuple[Kind, Kind], Mapping[str, int]] = {
    **{(b, a): {label: back for label, (_, back) in types.items()} for (a, b), types in _PAIRS.items()},
    **{pair: {label: there for label, (there, _) in types.items()} for pair, types in _PAIRS.items()},
}
"""The association type ids of a pair, by label. They are directional."""


def label_of(start: Kind, end: Kind, type_id: int) -> str | None:
    """Find the label that a type id means from one object to another; None: it is of another pair."""
    return next((label for label, known in TYPE_IDS.get((start, end), {}).items() if known == type_id), None)


def shown_label(start: Kind, end: Kind, label: str) -> str | None:
    """Give the label as answers write it; that of company to contact was recorded longer than the others."""
    if label == PLAIN:
        return None
    return "Primary Company" if (start, end) == (COMPANIES, CONTACTS) else "Primary"
