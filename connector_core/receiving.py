"""Receiving webhooks: proven, read, and kept in the ledger before the sender is told that it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.providers.binding import Provider
from connector_core.providers.hookspecs import Announced, Delivery, Part, Reply

Verdict: TypeAlias = Literal["kept", "ignored", "set_up"]


@dataclass(frozen=True, slots=True)
class Source:
    """A call provider of a connection, and how long its calls are left alone after their end."""

    provider: Provider
    delay_seconds: float = 0.0


FindSource: TypeAlias = Callable[[str, str], Source | None]
"""Gives the source of a connection and a provider, by their names; None where there is none."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery. ``kept``: the ledger has what it told. ``set_up``: ``reply`` is what the provider wants."""

    verdict: Verdict
    reply: Reply | None = None


class Receiver:
    """Receives the webhooks of all connections; safe for threads. It works on nothing: that is for a pump."""

    def __init__(self, ledger: Ledger, find: FindSource, *, wake: Wake | None = None) -> None:
        """Receive nothing yet.

        :param wake: Wakes the pump of a connection, in the step that made something due.
        """
        self._ledger = ledger
        self._find = find
        self._wake = wake

    def receive(self, connection: str, provider: str, delivery: Delivery) -> Received | None:
        """Take one delivery; None where there is no such connection or provider. Once this returns, nothing of it is lost.

        :raises CredentialsError: It is not proven to come from the provider, for this connection.
        :raises InputError: It is not what the provider sends.
        :raises TryAgainError: It could not be kept, or proven, now: the sender is to try again.
        :raises ConfigurationError: The provider cannot be used as it is configured.
        :raises ContractError: The plugin does not keep the contract.
        """
        source = self._find(connection, provider)
        if source is None:
            return None
        event = source.provider.verify(delivery)
        if isinstance(event, Reply):
            return Received("set_up", event)
        heard = source.provider.parse(event)
        parts = [each for each in heard if isinstance(each, Part)]
        announced = [each for each in heard if isinstance(each, Announced)]
        if not parts and not announced:
            return Received("ignored")
        self._ledger.heard.hear(
            connection, provider, parts, announced, delay_seconds=source.delay_seconds, wake=self._wake
        )
        return Received("kept")
