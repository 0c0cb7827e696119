"""What is installed: entry points to manifests, importing no CRM SDK.

A plugin is named by an entry point of the group ``connector.crms``, ``connector.providers`` or ``connector.extractors``, and
the target of that is its manifest.
Names and versions come from the metadata of the distributions; a manifest stands in a module that imports no SDK.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from connector_core.errors import ConfigurationError
from connector_core.hookspecs import HOOK_API
from connector_core.manifest import CrmManifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from connector_core.extractors import ExtractorManifest
    from connector_core.providers import ProviderManifest

CRMS = "connector.crms"
PROVIDERS = "connector.providers"
EXTRACTORS = "connector.extractors"

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Found(Generic[M]):
    """A plugin that is installed.

    ``distribution`` is what pip calls it. ``problem`` says, for a person, why it cannot be used; None where it can.
    ``manifest`` is there whenever one could be read, also beside a problem.
    """

    name: str
    distribution: str
    version: str
    manifest: M | None
    problem: str | None = None


def crms() -> dict[str, Found[CrmManifest]]:
    """List the CRM plugins that are installed, by name, those that cannot be used included."""
    return {name: _look(name, points, CrmManifest) for name, points in _entry_points(CRMS).items()}


def crm(name: str) -> CrmManifest:
    """Give the manifest of a CRM plugin, importing no other plugin.

    :raises ConfigurationError: It is not installed (the message lists what is, and offers the nearest name) or cannot be
        used (the message says why).
    """
    return _usable(name, "CRM", CRMS, CrmManifest)


def providers() -> dict[str, Found[ProviderManifest]]:
    """List the call providers that are installed, as :func:`crms` does."""
    return {name: _look(name, points, _provider_manifest()) for name, points in _entry_points(PROVIDERS).items()}


def provider(name: str) -> ProviderManifest:
    """Give the manifest of a call provider, as :func:`crm` does.

    :raises ConfigurationError: It is not installed or cannot be used.
    """
    return _usable(name, "call provider", PROVIDERS, _provider_manifest())


def extractors() -> dict[str, Found[ExtractorManifest]]:
    """List the extractors that are installed, as :func:`crms` does."""
    return {name: _look(name, points, _extractor_manifest()) for name, points in _entry_points(EXTRACTORS).items()}


def extractor(name: str) -> ExtractorManifest:
    """Give the manifest of an extractor, as :func:`crm` does.

    :raises ConfigurationError: It is not installed or cannot be used.
    """
    return _usable(name, "extractor", EXTRACTORS, _extractor_manifest())


def _provider_manifest() -> type[ProviderManifest]:
    from connector_core.providers import ProviderManifest

    return ProviderManifest


def _extractor_manifest() -> type[ExtractorManifest]:
    from connector_core.extractors import ExtractorManifest

    return ExtractorManifest


def _entry_points(group: str) -> dict[str, list[metadata.EntryPoint]]:
    points: dict[str, list[metadata.EntryPoint]] = {}
    for point in sorted(metadata.entry_points(group=group), key=lambda point: (point.name, _distribution(point)[0])):
        points.setdefault(point.name, []).append(point)
    return points


def _usable(name: str, what: str, group: str, wanted: type[M]) -> M:
    points = _entry_points(group)
    if name not in points:
        raise ConfigurationError(f"no {what} {name!r} is installed{_offer(name, points)}")
    found = _look(name, points[name], wanted)
    if found.problem is not None or found.manifest is None:
        raise ConfigurationError(f"the {what} {name!r} ({found.distribution}) cannot be used: {found.problem}")
    return found.manifest


def _offer(name: str, installed: Iterable[str]) -> str:
    names = sorted(installed)
    near = difflib.get_close_matches(name.casefold(), names, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else "."
    return f"{meant} Installed: {', '.join(names)}" if names else ", and none is at all"


def _look(name: str, points: list[metadata.EntryPoint], wanted: type[M]) -> Found[M]:
    """Read the manifest behind a name, or say why there is none."""
    owners = [_distribution(point) for point in points]
    if len({point.value for point in points}) > 1 or len({owner for owner, _ in owners}) > 1:
        names = " and ".join(owner for owner, _ in owners)
        return Found(name, names, owners[0][1], None, f"claimed by {names}: uninstall all but one")
    manifest, problem = _read(name, points[0], wanted)
    return Found(name, *owners[0], manifest, problem)


def _read(name: str, point: metadata.EntryPoint, wanted: type[M]) -> tuple[M | None, str | None]:
    try:
        manifest: Any = point.load()
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises at import, the others are still listed
        return None, f"{point.value} cannot be imported: {type(error).__name__}: {error}"
    if not isinstance(manifest, wanted):
        return None, f"{point.value} is a {type(manifest).__name__}, wanted a {wanted.__name__}"
    return manifest, next((problem for check in _CHECKS if (problem := check(name, manifest))), None)


def _named(name: str, manifest: Any) -> str | None:
    if manifest.name == name:
        return None
    return f"its manifest is named {manifest.name!r}, its entry point {name!r}: they must be the same"


def _of_this_api(_name: str, manifest: Any) -> str | None:
    spoken = getattr(manifest, "hook_api", HOOK_API)
    if spoken == HOOK_API:
        return None
    return f"written for hook API {spoken}, and this core has {HOOK_API}: install versions that match"


_CHECKS: tuple[Callable[[str, Any], str | None], ...] = (_named, _of_this_api)


def _distribution(point: metadata.EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "unknown")
