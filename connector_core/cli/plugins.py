"""``connector plugins``: what is installed, importing no SDK."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from connector_core import discovery
from connector_core.cli.output import DONE, paragraph, say, say_json, styled
from connector_core.discovery import Found
from connector_core.manifest import CrmManifest


def run(arguments: Namespace) -> int:
    """List the CRMs, then the call providers, then the extractors, by name; those that cannot be used too."""
    for plugin in _plugins():
        say_json(plugin) if arguments.json else _show(plugin)
    return DONE


def _plugins() -> Iterator[dict[str, Any]]:
    for crm in discovery.crms().values():
        yield _described(crm, "crm", crm.manifest)
    for provider in discovery.providers().values():
        yield _described(provider, "provider", None)
    for extractor in discovery.extractors().values():
        yield _described(extractor, "extractor", None)


def _described(found: Found[Any], kind: str, manifest: CrmManifest | None) -> dict[str, Any]:
    return {
        "name": found.name,
        "kind": kind,
        "title": found.manifest.title if found.manifest else None,
        "distribution": found.distribution,
        "version": found.version,
        "operations": sorted(manifest.operations) if manifest else [],
        "traits": sorted(manifest.traits) if manifest else [],
        "sandbox": bool(manifest and manifest.sandbox),
        "usable": found.problem is None,
        "problem": found.problem,
    }


def _show(plugin: dict[str, Any]) -> None:
    state = styled("usable", "green") if plugin["usable"] else styled("cannot be used", "red")
    say(
        f"{styled(plugin['name'], 'bold')}  {plugin['title'] or ''}  {plugin['kind']}"
        f"  {plugin['distribution']} {plugin['version']}  {state}"
    )
    if plugin["problem"]:
        paragraph(plugin["problem"], indent="  ")
    for what in ("operations", "traits"):
        if plugin[what]:
            paragraph(f"{what}: {', '.join(plugin[what])}", indent="  ", style="dim")
