"""Which record of the CRM a field belongs to: the one that the call was associated with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def linked(decision: Mapping[str, Any] | None) -> dict[str, str]:
    """Give the ids of a call's contact, lead, account and opportunity, by role; what it has none of is left out.

    The contact, and likewise the lead, is the first guest, in the order of the call, who is one; then come people that only
    the activity names.

    :param decision: The public JSON of a decision; None where there is none.
    """
    if decision is None:
        return {}
    found: dict[str, str] = {}
    for person in [*(decision.get("people") or ()), *(decision.get("also") or ())]:
        if person is not None:
            found.setdefault(person["kind"], person["id"])
    for role in ("account", "opportunity"):
        if decision.get(role):
            found[role] = decision[role]["id"]
    return found
