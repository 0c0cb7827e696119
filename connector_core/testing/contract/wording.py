"""What a clause that is broken says: what was got, what was wanted, and what to do."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence

from connector_core.manifest import CrmManifest
from connector_core.testing.contract.clauses import Clause

_MISSING = object()
_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 300
_short.maxtuple = _short.maxlist = _short.maxdict = _short.maxset = 12
_short.maxlevel = 6


class BrokenClauseError(AssertionError):
    """A plugin does not keep a clause of the contract."""


def broken(clause: Clause, manifest: CrmManifest, error: Exception) -> str:
    """Say which clause is broken by what."""
    what = str(error) if isinstance(error, BrokenClauseError) else f"raised {type(error).__name__}: {error}"
    return (
        f"{manifest.name} breaks {clause.id}: {clause.sentence}\n{what}\n"
        f"  docs/contract.md says more; where the service itself cannot, say so in the manifest:"
        f' deviations={{"{clause.id}": Deviation(reason, link)}}'
    )


def survivors(clause: Clause, manifest: CrmManifest, answers: Sequence[int]) -> str:
    """Say which recorded answers show nothing."""
    listed = ", ".join(map(str, answers))
    return (
        f"{manifest.name} keeps {clause.id} without the recorded answers {listed} (counted from 1): they show nothing."
        " Expect in the clause what they say, or let the plugin look at them"
    )


def compared(got: object, wanted: object, about: str) -> str:
    """Show two values; of mappings only where they differ."""
    heading = f"  {about}\n" if about else ""
    if isinstance(got, Mapping) and isinstance(wanted, Mapping):
        keys = [key for key in {**wanted, **got} if got.get(key, _MISSING) != wanted.get(key, _MISSING)]
        lines = [f"  {key!r}: got {_at(got, key)}, wanted {_at(wanted, key)}" for key in keys[:12]]
        return heading + "\n".join([*lines, *([f"  and {len(keys) - 12} more"] if len(keys) > 12 else [])])
    shown = f"{heading}  got     {_short.repr(got)}\n  wanted  {_short.repr(wanted)}"
    if isinstance(got, tuple) and isinstance(wanted, tuple) and _short.repr(got) == _short.repr(wanted):
        much, lacking = (
            _short.repr(tuple(it for it in these if it not in those)) for these, those in ((got, wanted), (wanted, got))
        )
        return f"{shown}\n  {len(got)} and {len(wanted)} of them: too much {much}, lacking {lacking}"
    return shown


def _at(value: Mapping[object, object], key: object) -> str:
    return _short.repr(value[key]) if key in value else "nothing"
