"""Proves the notifications of Microsoft Graph, reads what they announce, and completes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from connector_core.errors import InputError, TryAgainError
from connector_core.providers.hookspecs import (
    Announced,
    Answer,
    Delivery,
    Heard,
    Kept,
    Later,
    Missed,
    Reply,
    hookimpl,
)
from connector_microsoft_teams import notifications
from connector_microsoft_teams.client import GraphClient
from connector_microsoft_teams.listing import list_records
from connector_microsoft_teams.reading import AGAIN_SECONDS, Reading
from connector_microsoft_teams.rich import PublisherKeys
from connector_microsoft_teams.settings import TeamsSettings
from connector_microsoft_teams.subscriptions import keep

_SOON_SECONDS = 60.0
_MOST_TROUBLES = 3


class TeamsAdapter:
    """Microsoft Teams, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: TeamsSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._settings = settings
        self._client = GraphClient(settings)
        self._publisher = PublisherKeys(f"{settings.login_url}/common/discovery/keys", self._client.quickly)

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes | Reply:
        """Answer what sets a subscription up, or prove what is delivered."""
        reply = notifications.handshake(delivery)
        if reply is not None:
            return reply
        return notifications.prove(delivery, self._settings, self._publisher)

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read which calls have a record now, or a newer one."""
        return list(dict.fromkeys(notifications.heard(event, self._settings)))

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced, one by one.

        What Graph cannot answer keeps nothing else back; it does so once a limit is reached, or several in turn fail.
        """
        reading = Reading(self._client, self._settings)
        answers: dict[Announced, Answer] = {}
        troubles: list[TryAgainError] = []
        for announced in sorted(asked, key=lambda it: it.call_id):
            try:
                answers[announced] = reading.read(announced)
            except InputError as error:
                answers[announced] = Later(AGAIN_SECONDS, f"Graph answered what it does not document: {error}")
            except TryAgainError as error:
                troubles.append(error)
                if error.after_seconds is not None or len(troubles) == _MOST_TROUBLES:
                    break
        if not troubles:
            return answers
        if not answers:
            raise troubles[-1]
        later = Later(troubles[-1].after_seconds or _SOON_SECONDS, str(troubles[-1]))
        return {announced: answers.get(announced, later) for announced in asked}

    @hookimpl
    def keep_subscribed(self) -> Kept:
        """See to it that call records are told, and with a ``private_key`` transcripts too."""
        return keep(self._client, self._settings)

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        """List the calls that began since; Graph keeps them for 30 days."""
        return list_records(self._client, self._settings, since, page)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
