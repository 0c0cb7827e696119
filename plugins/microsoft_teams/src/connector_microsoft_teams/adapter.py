"""Proves the notifications of Microsoft Graph, reads what they announce, and completes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector_core.providers.hookspecs import Announced, Answer, Delivery, Heard, Reply, hookimpl
from connector_microsoft_teams import notifications
from connector_microsoft_teams.settings import TeamsSettings


class TeamsAdapter:
    """Microsoft Teams, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: TeamsSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._settings = settings

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes | Reply:
        """Answer what sets a subscription up, or prove what is delivered."""
        reply = notifications.handshake(delivery)
        if reply is not None:
            return reply
        notifications.prove(delivery, self._settings)
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read which calls have a record now, or a newer one."""
        return list(dict.fromkeys(notifications.heard(event, self._settings)))

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced."""
        return dict.fromkeys(asked, ())

    def close(self) -> None:
        """Close the connections."""
