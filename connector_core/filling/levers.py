"""What to do where fields are not sent: for each outcome, what it can be changed by, as data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from connector_core.filling.counts import Missing, Tally, Target, Waiting
from connector_core.filling.outcomes import OUTCOMES, Outcome, Reason

Action: TypeAlias = Literal["prompt", "targeting", "training", "link", "approve", "reasons"]

ACTIONS: Mapping[Outcome, tuple[Action, ...]] = {
    "empty": ("prompt", "targeting", "training"),
    "no_crm_link": ("link",),
    "pending": ("approve",),
    "other": ("reasons",),
}
"""What can be done about an outcome: change what the template asks for, or which calls it is for; let the team ask for it in
calls; link the records that calls lack; approve what waits; see to the reasons."""


@dataclass(frozen=True, slots=True)
class MissingObject:
    """An object that calls have no record of, and how many calls.

    ``through``: the field that should have named the record, of an object beyond the standard ones. ``exact``: else there
    are at least so many, as it is not known which calls lacked it for several of the fields.
    """

    object: str
    through: str | None
    calls: int
    exact: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"object": self.object, "through": self.through, "calls": self.calls, "exact": self.exact}


@dataclass(frozen=True, slots=True)
class Approver:
    """Whose approvals wait, how many, and since when the longest; ``who`` is None where nobody is known."""

    who: str | None
    number: int
    since: dt.datetime

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"who": self.who, "number": self.number, "since": self.since.astimezone(dt.UTC).isoformat()}


@dataclass(frozen=True, slots=True)
class Because:
    """A reason of the outcome ``other``, and how many fields came to it."""

    reason: Reason
    number: int

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {"reason": self.reason, "number": self.number}


@dataclass(frozen=True, slots=True)
class Lever:
    """What can be done about fields that came to one outcome, and how many these are; the greatest part of each first."""

    outcome: Outcome
    number: int
    share: float
    actions: tuple[Action, ...]
    missing: tuple[MissingObject, ...] = ()
    waiting: tuple[Approver, ...] = ()
    reasons: tuple[Because, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "outcome": self.outcome,
            "number": self.number,
            "share": round(self.share, 4),
            "actions": list(self.actions),
            **{
                name: [it.to_json() for it in them]
                for name in ("missing", "waiting", "reasons")
                if (them := getattr(self, name))
            },
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of fields that were not sent. ``lacking``: of each object, how many calls lack it for which field."""

    waiting: Sequence[Waiting] = ()
    missing: Sequence[Missing] = ()
    lacking: Mapping[str, Mapping[Target, int]] = field(default_factory=dict)


def levers(
    tally: Tally, reasons: Mapping[str, int], targets: frozenset[Target], evidence: Evidence
) -> tuple[Lever, ...]:
    """Name what can be done about fields, that first of which there is most to gain.

    :param targets: The fields.
    :param evidence: Of these, and perhaps of other fields.
    """
    found = []
    for outcome in OUTCOMES:
        number, share = tally.of(outcome), tally.share(outcome)
        if outcome == "sent" or not number or share is None:
            continue
        found.append(
            Lever(
                outcome,
                number,
                share,
                ACTIONS[outcome],
                _missing(outcome, targets, evidence),
                _approvers(targets, evidence.waiting) if outcome == "pending" else (),
                _because(reasons) if outcome == "other" else (),
            )
        )
    return tuple(sorted(found, key=lambda lever: -lever.number))


def _missing(outcome: Outcome, targets: frozenset[Target], evidence: Evidence) -> tuple[MissingObject, ...]:
    """Tell which objects are missing, and for how many calls.

    That a record names none of another object is one of the reasons of ``other``; that the call lacks the record itself is
    an outcome of its own.
    """
    if outcome not in ("no_crm_link", "other"):
        return ()
    found = []
    for name, lacking in evidence.lacking.items():
        if ("." in name) is (outcome == "other") and not targets.isdisjoint(lacking):
            role, _, rest = name.partition(".")
            lookup, _, other = rest.partition(".")
            through = f"{role}.{lookup}" if other else None
            found.append(MissingObject(other or role, through, *_calls(name, lacking, targets, evidence.missing)))
    return tuple(sorted(found, key=lambda it: (-it.calls, it.object, it.through or "")))


def _calls(
    name: str, lacking: Mapping[Target, int], targets: frozenset[Target], known: Iterable[Missing]
) -> tuple[int, bool]:
    """Count the calls that lack an object for any of these fields, each once; and tell whether that is exact.

    It was counted for all fields of a template together: of one field alone, its own number is exact; of some of a
    template's, at least as many calls lack it as for the one that lacks it most.
    """
    numbers = [number for target, number in lacking.items() if target in targets]
    templates = {template for template, _, _ in targets & lacking.keys()}
    if len(numbers) == 1:
        return numbers[0], True
    if any(target not in targets for target in lacking if target[0] in templates):
        return max(numbers), False
    return sum(it.calls for it in known if it.object == name and templates & it.templates), True


def _approvers(targets: frozenset[Target], known: Iterable[Waiting]) -> tuple[Approver, ...]:
    of: dict[str | None, list[Waiting]] = {}
    for it in known:
        if it.target in targets:
            of.setdefault(it.who, []).append(it)
    found = (Approver(who, sum(it.number for it in them), min(it.since for it in them)) for who, them in of.items())
    return tuple(sorted(found, key=lambda it: (-it.number, it.since, it.who or "")))


def _because(reasons: Mapping[str, int]) -> tuple[Because, ...]:
    found = (Because(reason, number) for reason, number in reasons.items())  # type: ignore[arg-type]  # as they were kept
    return tuple(sorted(found, key=lambda it: (-it.number, it.reason)))
