"""Who is to own a new activity: the settings first, then the organizer's own user, then whoever stands in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from connector_core.errors import ConfigurationError
from connector_core.identity import email_key
from connector_core.model import ActivityDraft
from connector_core.model.drafts import OwnerFrom

_SAID: Mapping[OwnerFrom, str] = {
    "mapped": "of the setting owners",
    "organizer": "found by the organizer's e-mail",
    "fallback": "of the setting fallback_owner",
    "default": "whomever the CRM makes it",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner, and why it is that one. ``id``: None for whomever the CRM makes the owner."""

    id: str | None
    why: OwnerFrom

    def to_json(self) -> dict[str, str | None]:
        """Give it as plain data."""
        return {"id": self.id, "from": self.why}

    def __str__(self) -> str:
        """Give it in words: the id, and the setting that it comes from."""
        return f"owner {self.id}, {_SAID[self.why]}" if self.id else f"owner: {_SAID[self.why]}"


@dataclass(frozen=True, slots=True)
class Owners:
    """Chooses owners. ``mapped``: users by e-mail, as :func:`~connector_core.identity.email_key` compares them."""

    mapped: Mapping[str, str] = field(default_factory=dict)
    fallback: str | None = None

    @classmethod
    def of(cls, owners: Mapping[str, str], fallback: str | None) -> Self:
        """Read the settings ``owners`` and ``fallback_owner``.

        :raises ConfigurationError: One of them is no address, or no id; the message shows none of them.
        """
        faults = [
            *_faults(owners),
            *(["fallback_owner: should be the id of a user in the CRM"] if _wrong(fallback) else []),
        ]
        if faults:
            raise ConfigurationError(faults[0])
        return cls({email_key(address) or "": user for address, user in owners.items()}, fallback)

    def choose(self, email: str | None, active: Mapping[str, str]) -> Owner:
        """Choose the owner of a call.

        :param email: The organizer's, as it compares.
        :param active: The active users that were found, by e-mail.
        """
        if email and email in self.mapped:
            return Owner(self.mapped[email], "mapped")
        if email and email in active:
            return Owner(active[email], "organizer")
        return self._standing_in()

    def instead(self, draft: ActivityDraft) -> ActivityDraft:
        """Give a draft whose owner the CRM refuses the next one: ``fallback_owner``, else whomever the CRM makes it."""
        next_one = Owner(None, "default") if draft.owner_id == self.fallback else self._standing_in()
        return replace(draft, owner_id=next_one.id, owner_from=next_one.why)

    def _standing_in(self) -> Owner:
        return Owner(self.fallback, "fallback") if self.fallback else Owner(None, "default")


def _faults(owners: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with a mapping: by place, since an address is personal."""
    places: dict[str, int] = {}
    for place, (address, user) in enumerate(owners.items(), start=1):
        key = email_key(address) or ""
        if "@" not in key:
            yield f'owners: key {place} is no e-mail address; wanted "ada@seller.example" = "ID OF THE USER"'
        if key in places:
            yield f"owners: keys {places[key]} and {place} are one address; name each once"
        if _wrong(user) or not user:
            yield f"owners: the value of key {place} should be the id of a user in the CRM, as text"
        places[key] = place


def _wrong(user: object) -> bool:
    return user is not None and not (isinstance(user, str) and user.strip())
