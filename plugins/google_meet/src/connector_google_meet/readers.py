"""As whom something is read: Meet tells of a conference to those who were in it, or own its room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from connector_core.errors import CredentialsError
from connector_core.providers.hookspecs import Answer, Later
from connector_google_meet.client import Refusal
from connector_google_meet.conferences import Found

_MOST_KEPT = 10_000
_NOBODY_SECONDS = 6 * 3_600.0
"""Until all users are tried again, a request each: rights seldom come late."""


class Readers:
    """Tries users in turn; the one who served for a subscription serves for its next conference too.

    What no subscription told of goes by the id of its call: by whose list it was found.
    """

    def __init__(self, users: Sequence[str]) -> None:
        """Know nothing yet."""
        self._users = users
        self._served: dict[str, str] = {}

    def read(self, told_by: str, read: Callable[[str], Found]) -> Answer:
        """Read as the first user who may.

        :raises CredentialsError: Google refuses the service account for one of them, and none of the others may.
        """
        error: CredentialsError | None = None
        refusal: Refusal | None = None
        first = self._served.get(told_by)
        for user in sorted(self._users, key=lambda it: it != first):
            try:
                found = read(user)
            except CredentialsError as refused:
                error = refused
                continue
            if not isinstance(found, Refusal):
                self.remember(told_by, user)
                return found
            refusal = found
        if error is not None:
            raise error
        return Later(_NOBODY_SECONDS, f"none of users may read it at Google ({refusal})")

    def remember(self, told_by: str, user: str) -> None:
        """Note who may read what was told by something."""
        if self._served.get(told_by) != user:
            if len(self._served) >= _MOST_KEPT:
                self._served.clear()
            self._served[told_by] = user
