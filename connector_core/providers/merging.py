"""One call out of the parts that events and readings told of it.

The laws, each tested: the order of the parts does not matter, nor that some came twice; a part more never replaces a value
by nothing; what a newer part says goes before what an older one says, unless that one is of greater rank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connector_core.model import Call
from connector_core.providers.parts import EMAIL_SOURCES, LISTS, SAID, Attendant, EmailSource, Listed, Part


def merge(parts: Iterable[Part], before: Call | None = None) -> Call | None:
    """Make the call that parts of one call tell of; None while it is not complete.

    :param before: The call as it is known, wherever from: what it says stays where no part says it.
    """
    newest = _in_order(parts)
    if before is None and not any(part.complete for part in newest):
        return None
    said: dict[str, Any] = {name: _or(_newest(newest, name), before, name) for name in SAID}
    if said["started_at"] is None:
        return None
    if said["ended_at"] is not None and said["ended_at"] < said["started_at"]:
        said["ended_at"] = None  # parts contradict each other: of when it began something must be believed
    whole = {name for part in newest for name in part.replaces}
    said |= {name: _or(_listed(newest, name), None if name in whole else before, name) for name in LISTS}
    people = _people(newest) or (before.participants if before else ())
    return Call.model_validate({**said, "id": newest[0].call_id, "participants": people})


def _or(value: Any, before: Call | None, name: str) -> Any:
    return getattr(before, name, None) if value is None else value


def _in_order(parts: Iterable[Part]) -> list[Part]:
    """Order parts by rank, then the newest first; of those that say the same, the newest alone."""
    by_digest: dict[str, Part] = {}
    for part in parts:
        digest = part.digest()
        if digest not in by_digest or by_digest[digest].revision < part.revision:
            by_digest[digest] = part
    ranked = sorted(by_digest.items(), key=lambda item: (item[1].order, item[0]), reverse=True)
    return [part for _, part in ranked]


def _newest(newest: Sequence[Part], name: str) -> Any:
    return next((value for part in newest if (value := getattr(part, name)) is not None), None)


def _listed(newest: Sequence[Part], name: Listed) -> tuple[Any, ...] | None:
    """Gather a list by the ids of its items: those of the newest part that has all of them, and what was said since."""
    since = max((part.order for part in newest if name in part.replaces), default=None)
    items: dict[str, Any] = {}
    for part in newest:
        if since is None or part.order >= since:
            for key, item in getattr(part, name).items():
                items.setdefault(key, item)
    return tuple(items[key] for key in sorted(items, key=_by_age)) or None


def _by_age(key: str) -> tuple[int, str]:
    """Sort ids that are numbers as such: they grow, so what was said first stands first."""
    return (len(key), key) if key.isdigit() else (0, key)


# -- who took part -----------------------------------------------------------------------------------------------------


def _people(newest: Sequence[Part]) -> tuple[dict[str, Any], ...]:
    """Make the participants, in the order in which the oldest part that names each does."""
    groups: list[_Person] = []
    for age, part in enumerate(reversed(newest)):
        for attendant in part.participants:
            mine = [person for person in groups if person.tokens & _tokens(attendant)]
            person = mine[0] if mine else _Person()
            for other in mine[1:]:  # it ties together who seemed to be several
                person.take(other)
                groups.remove(other)
            if not mine:
                groups.append(person)
            person.hear(age, attendant)
    return tuple(person.told() for person in groups)


def _tokens(attendant: Attendant) -> set[tuple[str, str]]:
    emails = {_plain(address.email) for address in attendant.emails} - {""}
    return {("key", attendant.key), *(("email", email) for email in emails)}


def _plain(email: str) -> str:
    return email.strip().casefold()


class _Person:
    """Somebody, out of all that was said of them."""

    def __init__(self) -> None:
        self.tokens: set[tuple[str, str]] = set()
        self.said: list[tuple[int, Attendant]] = []

    def hear(self, age: int, attendant: Attendant) -> None:
        self.tokens |= _tokens(attendant)
        self.said.append((age, attendant))

    def take(self, other: _Person) -> None:
        self.tokens |= other.tokens
        self.said += other.said

    def told(self) -> dict[str, Any]:
        newest = [attendant for _, attendant in sorted(self.said, key=lambda item: item[0], reverse=True)]
        attended = {each.attended for each in newest}
        return {
            "is_user": any(each.is_user for each in newest),
            "name": next((name for each in newest if (name := (each.name or "").strip())), None),
            "emails": tuple(self._emails(newest)) or None,
            "phones": tuple(dict.fromkeys(phone for each in newest for phone in each.phones)) or None,
            "attended": True if True in attended else False if False in attended else None,
        }

    def _emails(self, newest: Sequence[Attendant]) -> Iterator[str]:
        """Give each address once, the surest first."""
        surest: dict[str, tuple[int, str]] = {}
        for each in newest:
            for address in each.emails:
                rank, key = _rank(address.source), _plain(address.email)
                if key and (key not in surest or rank < surest[key][0]):
                    surest[key] = rank, address.email.strip()
        return (email for _, email in sorted(surest.values()))


def _rank(source: EmailSource) -> int:
    return EMAIL_SOURCES.index(source)
