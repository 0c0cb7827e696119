"""Where the participants of a call stand in a richer version of it: what a person decided about one goes along."""

from __future__ import annotations

from connector_core.model import Call, Participant


def moved(before: Call, after: Call, wanted: set[int]) -> dict[int, int]:
    """Give the places after, for places before; a place that nobody has where it is not known who somebody became.

    Somebody is told by an address or a number, else by the name, else by the place, if nobody else stands there now.
    """
    places = range(len(before.participants))
    there = {place: _same(before.participants[place], place, after) for place in places}
    taken = {place for place in there.values() if place is not None}
    found: dict[int, int] = {}
    nobody = max(len(before.participants), len(after.participants))
    for place in sorted(wanted):
        now = there.get(place)
        if now is None and place not in taken and place < len(after.participants):
            now = place
        found[place] = nobody + place if now is None else now
    return found


def _same(who: Participant, place: int, after: Call) -> int | None:
    """Find somebody in a call; where several might be meant, whoever stands at the same place."""
    for alike in (_identifiers, _names):
        mine = alike(who)
        hits = [number for number, other in enumerate(after.participants) if mine & alike(other)]
        if hits:
            return place if place in hits else hits[0]
    return None


def _identifiers(who: Participant) -> set[str]:
    return {*(email.strip().casefold() for email in who.emails or ()), *map(_digits, who.phones or ())} - {""}


def _digits(phone: str) -> str:
    """Give the last digits of a number, which are alike however it is written."""
    return "".join(char for char in phone if char.isdigit())[-8:]


def _names(who: Participant) -> set[str]:
    return {(who.name or "").strip().casefold()} - {""}
