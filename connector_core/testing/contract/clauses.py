"""Clauses: what each is about, and when it applies to a plugin.

A clause is a method that carries :func:`clause`; its docstring is the sentence that ``docs/contract.md`` has.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from connector_core.manifest import HOLDS, CrmManifest, Deviation

if TYPE_CHECKING:
    from connector_core.testing.contract.crm import Crm

Standing: TypeAlias = Literal["proved", "refused", "deviation", "not applicable"]
Body: TypeAlias = Callable[[Any, "Crm"], None]


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the contract.

    ``operations`` and ``traits``: what a plugin must declare for it to be proved; where it declares less, it is proved that
    the rest is refused without a request. ``holds``: what the CRM must be able to hold. ``http``: it is about requests.
    ``changes``: it leaves another world behind. ``quiet``: it sends nothing. ``plays``: it has no cassette of its own, and
    plays the one of this clause to the plugin, with faults. ``without``: contacts that somebody deletes beforehand
    (None), or merges into another one.
    """

    id: str
    sentence: str
    function: str
    operations: tuple[str, ...]
    traits: tuple[str, ...]
    holds: tuple[str, ...]
    body: Body
    http: bool = False
    changes: bool = False
    quiet: bool = False
    plays: Clause | None = None
    without: Mapping[str, str | None] = field(default_factory=dict, hash=False)

    def undeclared(self, manifest: CrmManifest) -> tuple[str, ...]:
        """Give the operations and traits that the plugin does not declare."""
        traits = [it for it in self.traits if it not in manifest.traits]
        return (*[it for it in self.operations if it not in manifest.operations], *traits)

    @property
    def recorded(self) -> bool:
        """Whether it has a cassette, where the CRM is asked over HTTP."""
        return not self.quiet and self.plays is None

    def why_not(self, manifest: CrmManifest, *, local: bool) -> str | None:
        """Say why the clause does not apply; None where it does."""
        if self.http and local:
            return f"{manifest.title} is asked without HTTP"
        reasons = [
            f"cannot hold {HOLDS[it]}: {manifest.cannot_hold[it]}" for it in self.holds if it in manifest.cannot_hold
        ]
        return f"{manifest.title} {'; '.join(reasons)}" if reasons else None

    def standing(self, manifest: CrmManifest, deviations: Mapping[str, Deviation], *, local: bool) -> Standing:
        """Say what a suite that passes says of the clause."""
        if self.undeclared(manifest):
            return "refused"
        if self.why_not(manifest, local=local):
            return "not applicable"
        return "deviation" if self.id in deviations else "proved"


def clause(
    clause_id: str,
    *operations: str,
    traits: tuple[str, ...] = (),
    holds: tuple[str, ...] = (),
    http: bool = False,
    changes: bool = False,
    quiet: bool = False,
    plays: Body | None = None,
    without: Mapping[str, str | None] = MappingProxyType({}),
) -> Callable[[Body], Body]:
    """Make a method a clause; see :class:`Clause`."""

    def mark(body: Body) -> Body:
        sentence = inspect.getdoc(body) or ""
        if not sentence.endswith("."):
            raise TypeError(f"{clause_id}: the docstring of {body.__name__} is to be the clause's sentence")
        made = Clause(
            clause_id,
            " ".join(sentence.split()),
            body.__name__,
            operations,
            traits,
            holds,
            body,
            http=http or plays is not None,
            changes=changes,
            quiet=quiet,
            plays=clause_of(plays),
            without=without,
        )

        @functools.wraps(body)
        def run(self: Any, crm: Crm) -> None:
            __tracebackhide__ = True
            crm.run(made, functools.partial(body, self))

        run.clause = made  # type: ignore[attr-defined]  # where clause_of looks
        return run

    return mark


def clause_of(function: object) -> Clause | None:
    """Give the clause that a function is."""
    found: Clause | None = getattr(function, "clause", None)
    return found if isinstance(found, Clause) else None


def clauses_of(cls: type) -> Iterator[Clause]:
    """Give all clauses of a class, in the order of the contract."""
    names = dict.fromkeys(name for base in cls.__mro__ for name in vars(base))
    for name in names:
        found = clause_of(getattr(cls, name, None))
        if found is not None:
            yield found
