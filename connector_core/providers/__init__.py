"""Call providers: what they share, readable without importing any of them.

An entry point of the group ``connector.providers`` names a :class:`ProviderManifest`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Proof: TypeAlias = Literal["body", "headers", "sender"]


@dataclass(frozen=True, slots=True)
class ProviderManifest:
    """One call provider.

    ``settings``: a pydantic model with flat fields, as text (``package.module:Name``); secrets are ``SecretStr``.
    ``adapter``: a class called as ``Adapter(settings)``, with the hooks of :mod:`connector_core.providers.hookspecs`,
    doing no work and no I/O there, and with a ``close()``; as text too. ``proof``: what proves a webhook: a word in its
    ``body``; ``headers`` that sign it; or headers that prove the ``sender`` and say nothing of the body, which is then
    believed for no more than what to read. A body in a file has lost its headers, and is believed on the word of whoever
    hands it in.
    """

    name: str
    title: str
    settings: str
    adapter: str
    proof: Proof = "headers"
