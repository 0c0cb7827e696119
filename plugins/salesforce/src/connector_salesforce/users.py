"""Users of the org, by e-mail: who may own an activity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from connector_core.identity import email_key
from connector_core.model import Unknown, User
from connector_salesforce.client import Answer, Client, Row
from connector_salesforce.people import LONGEST_EMAIL
from connector_salesforce.records import named, record_id, text
from connector_salesforce.soql import Query, askable, split, within

MOST = 1_000
"""An org with more users is asked by e-mail, as they are needed."""

AGE_SECONDS = 900.0

_TYPE, _INTERNAL = "UserType", "Standard"


class Users:
    """Finds users; those of a small org are learned beside another question, so that they cost no request of their own."""

    def __init__(self, client: Client, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._all: dict[str, tuple[User, ...]] | None = None
        self._until = 0.0

    def queries(self) -> list[Query]:
        """Give the query to carry along, or none while what was learned, if only that there are too many, holds."""
        if self._clock() < self._until:
            return []
        return [Query("User", ("Id",), optional=("Email", "IsActive", "Name", _TYPE), limit=MOST + 1, spare=True)]

    def learn(self, answers: Sequence[Answer]) -> None:
        """Take the answer to :meth:`queries`."""
        for answer in answers:
            whole = not isinstance(answer, Unknown) and len(answer) <= MOST and all("Email" in row for row in answer)
            with self._lock:
                self._all = _by_email(answer) if whole and not isinstance(answer, Unknown) else None
                self._until = self._clock() + AGE_SECONDS

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[User, ...] | Unknown]:
        """Find users by e-mail, inactive ones too."""
        with self._lock:
            known = self._all if self._clock() < self._until else None
        if known is not None:
            return {email: known.get(email, ()) for email in emails}
        asked = split(
            [it for it in emails if askable(it, LONGEST_EMAIL)],
            lambda keys: Query("User", ("Id", "Email", "IsActive"), (within("Email", keys),), ("Name", _TYPE)),
        )
        found: dict[str, tuple[User, ...] | Unknown] = dict.fromkeys(emails, ())
        for (keys, _), answer in zip(asked, self._client.ask([query for _, query in asked]), strict=True):
            if isinstance(answer, Unknown):
                found |= dict.fromkeys(keys, answer)
            else:
                users = _by_email(answer)
                found |= {key: users.get(key, ()) for key in keys}
        return found


def _by_email(rows: Sequence[Row]) -> dict[str, tuple[User, ...]]:
    """Give the users of each address. Who has a user of the company's own and one of its portals too acts as the former."""
    parted: dict[str, list[Row]] = {}
    for row in rows:
        parted.setdefault(email_key(text(row, "Email") or "") or "", []).append(row)
    return {key: tuple(_user(row, _acting(those)) for row in those) for key, those in parted.items()}


def _acting(rows: Sequence[Row]) -> list[Row]:
    """Pick those of one address who may own what is written: users of portals only where there is no other."""
    active = [row for row in rows if row.get("IsActive") is True]
    return [row for row in active if row.get(_TYPE) == _INTERNAL] or active


def _user(row: Row, acting: Sequence[Row]) -> User:
    return User(record_id(row), text(row, "Email") or "", named(row), row in acting)
