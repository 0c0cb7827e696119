"""Extractors: what finds values in calls, and the two that ship with the core.

An entry point of the group ``connector.extractors`` names an :class:`ExtractorManifest`.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector_core.hookspecs import HOOK_API


@dataclass(frozen=True, slots=True)
class ExtractorManifest:
    """One extractor.

    ``settings``: a pydantic model with flat fields, as text (``package.module:Name``); secrets are ``SecretStr``.
    ``extractor``: a class called as ``Extractor(settings)``, with the hook of :mod:`connector_core.extractors.hookspecs`,
    doing no work and no I/O there, and with a ``close()``; as text too.
    """

    name: str
    title: str
    hook_api: int
    settings: str
    extractor: str


RULES = ExtractorManifest(
    name="rules",
    title="Rules",
    hook_api=HOOK_API,
    settings="connector_core.extractors.rules:RulesSettings",
    extractor="connector_core.extractors.rules:Rules",
)

OPENAI = ExtractorManifest(
    name="openai",
    title="OpenAI-compatible model",
    hook_api=HOOK_API,
    settings="connector_core.extractors.settings:OpenAISettings",
    extractor="connector_core.extractors.openai_compatible:OpenAIExtractor",
)
