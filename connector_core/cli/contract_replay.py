"""``connector contract-replay``: whether the installed CRM plugins still agree with what was recorded of their CRMs."""

from __future__ import annotations

import textwrap
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from connector_core import discovery
from connector_core.cli.output import DONE, INCOMPLETE, paragraph, say, say_json, styled, tell
from connector_core.errors import ConfigurationError
from connector_core.manifest import CrmManifest

if TYPE_CHECKING:
    from connector_core.testing.contract.replaying import Replay
    from connector_core.testing.contract.report import Line

_ORIGINS = ("live", "self-hosted", "sandbox")
_LONGEST = 400
"""Characters of a failure that are shown; ``--json`` has it whole."""


def run(arguments: Namespace) -> int:
    """Replay the cassettes of CRMs, and print the clauses that fail, and what the others rest on.

    :raises ConfigurationError: The extra is not installed, there is no such CRM, or there are no cassettes.
    """
    try:
        from connector_core.testing.contract.replaying import replay
    except ImportError as error:
        raise ConfigurationError(
            f"contract-replay needs the extra testing ({error.name} is missing): pip install 'connector-core[testing]'"
        ) from error
    manifests, unusable = _chosen(arguments.crms, arguments.cassettes)
    lines: list[Line] = []
    for manifest in manifests:
        replayed = replay(manifest, arguments.cassettes)
        lines += replayed.lines
        _show(manifest.name, replayed, as_json=arguments.json)
    if len(manifests) > 1 and not arguments.json:
        say(f"all: {_summary(lines)}")
    return INCOMPLETE if unusable or any(line.status == "failed" for line in lines) else DONE


def _chosen(names: Sequence[str], folder: Path) -> tuple[list[CrmManifest], bool]:
    """Give the CRMs that are named, else those that are installed and recorded; and whether one cannot be used."""
    if names:
        return [discovery.crm(name) for name in dict.fromkeys(names)], False
    recorded = [crm for crm in discovery.crms().values() if (folder / crm.name).is_dir()]
    if not recorded:
        raise ConfigurationError(
            f"{folder}: has no cassettes of an installed CRM ({', '.join(discovery.crms())}); copy those of the CRM that"
            " you depend on, or name another folder with --cassettes"
        )
    for crm in recorded:
        if crm.problem:
            tell(f"{crm.name}: not replayed: {crm.problem}")
    return [crm.manifest for crm in recorded if crm.manifest and not crm.problem], any(crm.problem for crm in recorded)


def _show(name: str, replayed: Replay, *, as_json: bool) -> None:
    if replayed.unrecorded:
        tell(f"{name}: not replayed, for want of a cassette: {', '.join(replayed.unrecorded)}")
    if replayed.unplayed:
        tell(f"{name}: not replayed, as this version has no such clause: {', '.join(replayed.unplayed)}")
    for line in replayed.lines:
        if as_json:
            say_json({"crm": name, **{key: getattr(line, key) for key in ("clause", "status", "origin", "reason")}})
        elif line.status == "failed":
            paragraph(textwrap.shorten(line.reason, _LONGEST), indent="", label=f"{name}  {line.clause}  ")
    if not as_json:
        say(f"{name}: {_summary(replayed.lines)}")


def _summary(lines: Sequence[Line]) -> str:
    """Count clauses by what they were replayed on, and by what became of them."""
    played = [line for line in lines if line.status in ("proved", "deviation", "failed")]
    origins = Counter(line.origin for line in played)
    others = Counter(line.status for line in lines if line.status not in ("proved", "failed"))
    failed = sum(line.status == "failed" for line in played)
    told = styled(f"{failed} failed", "red") if failed else styled("none failed", "green")
    counts = ", ".join(f"{origins[origin]} {origin}" for origin in _ORIGINS)
    return ", ".join([f"{len(played)} clauses replayed ({counts}), {told}", *(f"{n} {it}" for it, n in others.items())])
