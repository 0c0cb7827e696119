"""The owners: the users of the portal, as records refer to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector_hubspot.sandbox.instants import iso, now

_FIRST_USER_ID = 60_000_000


@dataclass(slots=True)
class Owner:
    """A user. ``id`` is what ``hubspot_owner_id`` holds; the id of the user behind it is another."""

    id: str
    email: str | None
    first_name: str | None
    last_name: str | None
    archived: bool = False


class Owners:
    """All owners, in the order of their ids."""

    def __init__(self) -> None:
        """Begin without any."""
        self._owners: dict[str, Owner] = {}
        self._since = iso(now())

    def add(self, owner: Owner) -> None:
        """Hold an owner."""
        self._owners[owner.id] = owner

    def get(self, owner_id: str) -> Owner | None:
        """Find an owner, an archived one too."""
        return self._owners.get(owner_id)

    def select(self, *, archived: bool, email: str | None) -> list[Owner]:
        """Give the active owners, or the archived ones; of one address, if it is given."""
        return [
            owner
            for owner in self._owners.values()
            if owner.archived == archived and (email is None or (owner.email or "").lower() == email.strip().lower())
        ]

    def describe(self, owner: Owner) -> dict[str, Any]:
        """Give an owner as the owners API does."""
        user_id = _FIRST_USER_ID + list(self._owners).index(owner.id)
        return {
            "id": owner.id,
            "email": owner.email,
            "type": "PERSON",
            "firstName": owner.first_name or "",
            "lastName": owner.last_name or "",
            "userId": None if owner.archived else user_id,
            "userIdIncludingInactive": user_id,
            "createdAt": self._since,
            "updatedAt": self._since,
            "archived": owner.archived,
        }
