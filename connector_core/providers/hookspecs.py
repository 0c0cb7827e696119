"""The contract between the core and a call provider.

A provider's adapter is a class whose methods carry :data:`hookimpl` and the names and arguments below. It raises errors of
:mod:`connector_core.errors`, and no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from connector_core.hookspecs import hookimpl, hookspec

if TYPE_CHECKING:
    from connector_core.model import Call

__all__ = ["Answer", "Contribution", "Ignored", "ProviderHooks", "hookimpl"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one event says of a call. Of two about one call the one with the greater ``revision`` is the newer."""

    call: Call
    revision: float


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is no finished call; ``reason`` is for a person."""

    event: str
    reason: str


Answer: TypeAlias = Contribution | Ignored


class ProviderHooks(Protocol):
    """The hooks of a call provider, as a class: an adapter's methods have these signatures, exactly."""

    @hookspec(firstresult=True)
    def contribute(self, body: bytes) -> Answer:
        """Verify the body of a webhook, and say what it contributes to a call.

        :param body: As it came over the network, not parsed, not decoded: signatures are made over bytes.
        :raises CredentialsError: It does not come from the provider, or is meant for somebody else.
        :raises InputError: It is not what the provider sends; the message names the place and holds no value.
        """
        ...
