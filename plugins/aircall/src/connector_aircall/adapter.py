"""Proves a webhook of Aircall's, reads what it says of a call, and fetches what it only announces."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence

from connector_aircall.body import CallEvent, EndedEvent, Event, Head
from connector_aircall.client import AircallClient
from connector_aircall.intelligence import ANNOUNCED, Announcement, read_part
from connector_aircall.listing import list_calls
from connector_aircall.mapping import to_part
from connector_aircall.settings import AircallSettings
from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import (
    Announced,
    Answer,
    Delivery,
    Heard,
    Ignored,
    Later,
    Missed,
    hookimpl,
)

FINISHED = "call.ended"
FURTHER = frozenset(
    f"call.{event}"
    for event in ("archived", "assigned", "commented", "comm_assets_generated", "tagged", "untagged", "voicemail_left")
)
"""Further events that hold the whole call as it stands; some come before it is finished, and some long after."""
_FINISHED_AFTER_SECONDS = 30
"""From the hang-up to ``call.ended``: what is told of a call later than that is told of a finished one."""
_NOT_THERE_AFTER_SECONDS = 300.0
_UNREADABLE_AFTER_SECONDS = 3_600.0
_BUSY_AFTER_SECONDS = 60.0


class AircallAdapter:
    """Aircall, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: AircallSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._token = settings.token
        self._client: AircallClient | None = None
        if settings.api_id is not None and settings.api_token is not None:
            self._client = AircallClient(settings, settings.api_id, settings.api_token.get_secret_value())

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes:
        """Compare the token in the body, the only proof there is, in a time that tells nothing of it.

        Documented at developer.aircall.io/tutorials/webhooks-guide. An old ``timestamp`` is no reason to refuse: Aircall
        delivers for hours.
        """
        token = read_object(delivery.body).get("token")
        if not isinstance(token, str):
            raise InputError("token: is required, as text: is this a webhook of Aircall's?")
        expected = self._token.get_secret_value()
        if not hmac.compare_digest(token.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")):
            raise CredentialsError("the token in the body is not that of this webhook: see GET /v1/webhooks at Aircall")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Take ``call.ended``, which follows the hang-up by half a minute and is the first to hold the whole call.

        The events about a call before and after it hold the call as it stands, with its tags and comments; those of
        conversation intelligence name a call. Documented at developer.aircall.io/docs/webhooks-overview.
        """
        value = read_object(event)
        name = checked(Head, value).event
        if name in ANNOUNCED:
            if self._client is None:
                return [Ignored(name, "its text is read from Aircall's API; set api_id and api_token for that")]
            number = checked(Announcement, value).data.call_id
            return [Announced(f"aircall:{number}", ANNOUNCED[name])]
        if name not in {FINISHED, *FURTHER}:
            return [Ignored(name, f"no finished call; {FINISHED} tells of one")]
        head = checked(Event, value)
        if name == FINISHED:
            return [to_part(head, checked(EndedEvent, value).data, complete=True)]
        data = checked(CallEvent, value).data
        over = data.ended_at is not None and head.timestamp >= data.ended_at + _FINISHED_AFTER_SECONDS
        return [to_part(head, data, complete=over)]

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read summaries, topics and transcripts: a request for each.

        :raises TryAgainError: Nothing could be asked; what could not after something was, is put off.
        :raises CredentialsError: Likewise, the API id and token are refused.
        """
        answers: dict[Announced, Answer] = {}
        for announced in asked:
            try:
                answers[announced] = self._read(announced)
            except InputError as error:
                answers[announced] = Later(_UNREADABLE_AFTER_SECONDS, str(error))
            except (TryAgainError, CredentialsError) as error:
                if not answers:
                    raise
                asked_for = error.after_seconds if isinstance(error, TryAgainError) else None
                later = Later(asked_for or _BUSY_AFTER_SECONDS, str(error))
                return {each: answers.get(each, later) for each in asked}
        return answers

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        """List the calls that began since; none without ``api_id`` and ``api_token``, which is how the settings want it."""
        return Missed(()) if self._client is None else list_calls(self._client, since, page)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _read(self, announced: Announced) -> Answer:
        if announced.what not in ANNOUNCED.values():
            return ()
        if self._client is None:
            raise CredentialsError("what Aircall announced is read from its API: set api_id and api_token for that")
        number = int(announced.call_id.removeprefix("aircall:"))
        found = self._client.read(number, announced.what)
        if found is None:
            return Later(_NOT_THERE_AFTER_SECONDS, f"Aircall has no {announced.what} of the call yet")
        return (read_part(number, announced.what, found),)
