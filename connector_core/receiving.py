"""Receiving webhooks: proven, read, and kept in the ledger before the sender is told that it was.

Call providers tell of calls; a CRM of what changed in it, so that calls that wait for it need not wait for the next list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector_core import discovery
from connector_core.binding import read_settings
from connector_core.config import ConnectionConfig
from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.manifest import load
from connector_core.model import Changed
from connector_core.providers.binding import Provider
from connector_core.providers.hookspecs import Announced, Delivery, Part, Reply
from connector_core.tokens import Grant, MemoryTokens

_NO_TOKEN = MemoryTokens(Grant(refresh_token="not-yet"))  # noqa: S106 - what stands for the token that is to come
Verdict: TypeAlias = Literal["kept", "ignored", "set_up"]


@dataclass(frozen=True, slots=True)
class Source:
    """A call provider of a connection, and how long its calls are left alone after their end."""

    provider: Provider
    delay_seconds: float = 0.0


FindSource: TypeAlias = Callable[[str, str], Source | None]
"""Gives the source of a connection and a provider, by their names; None where there is none."""


ReadChanges: TypeAlias = Callable[[Delivery], Sequence[Changed]]
"""Proves a webhook of a CRM, and reads what changed.

It raises CredentialsError where it does not come from the CRM, and InputError where it is none of its.
"""
FindChanges: TypeAlias = Callable[[str], ReadChanges | None]
"""Gives what reads the webhooks of a connection's CRM, by the connection's name; None where there are none."""


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a delivery. ``kept``: the ledger has what it told. ``set_up``: ``reply`` is what the provider wants."""

    verdict: Verdict
    reply: Reply | None = None


class Receiver:
    """Receives the webhooks of all connections; safe for threads. It works on nothing: that is for a pump."""

    def __init__(
        self,
        ledger: Ledger,
        find: FindSource,
        *,
        find_changes: FindChanges = lambda connection: None,
        wake: Wake | None = None,
    ) -> None:
        """Receive nothing yet.

        :param wake: Wakes the pump of a connection, in the step that made something due.
        """
        self._ledger = ledger
        self._find = find
        self._find_changes = find_changes
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

    def receive_changes(self, connection: str, delivery: Delivery) -> Received | None:
        """Take one delivery of a connection's CRM; None where there is no such connection, or its CRM sends none.

        Nothing is kept where no call waits for anything. What a pump then cannot read, its list of changes has too.

        :raises CredentialsError: It is not proven to come from the CRM, for this connection.
        :raises InputError: It is not what the CRM sends.
        :raises TryAgainError: It could not be kept now: the sender is to try again.
        """
        read = self._find_changes(connection)
        if read is None:
            return None
        records = read(delivery)
        kept = bool(records) and self._ledger.feeds.tell(connection, records, wake=self._wake)
        return Received("kept" if kept else "ignored")


def changes_of(config: ConnectionConfig) -> ReadChanges | None:
    """Give what reads the webhooks of a connection's CRM; None where it sends none, or its settings cannot prove them.

    :raises ConfigurationError: The CRM is not installed, or a setting is wrong.
    """
    manifest = discovery.crm(config.crm)
    if manifest.webhooks is None:
        return None
    # The token that a person's consent brings may be still to come; it proves nothing here.
    store = _NO_TOKEN if "refresh_token" in config.settings else None
    settings = read_settings(manifest, config.resolved(manifest, store), config.name)
    reader: ReadChanges | None = load(manifest.webhooks, of=f"plugin {manifest.name}")(settings)
    return reader
