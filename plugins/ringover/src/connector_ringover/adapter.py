"""Proves Ringover's webhooks, reads what they say of a call, and fetches what they only announce."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Announced, Answer, Delivery, Heard, Ignored, Later, hookimpl
from connector_ringover.client import RingoverClient
from connector_ringover.rest import call_part, transcript_part
from connector_ringover.settings import RingoverSettings
from connector_ringover.webhook import AFTER, FINISHED, TRANSCRIBED, Head, after, finished

HEADER = "x-ringover-webhook-signature"
CALL, TRANSCRIPT = "call", "transcript"
LONGEST_TOKEN = 2**20
_KEY_BYTES = 64
_CLOCKS_APART_SECONDS = 300.0
"""Times in the token's own claims, which nobody documents, may differ from ours by so much."""
_CALL_AFTER_SECONDS = 300.0
"""By then the webhook of a call's end should have come; where it was lost, the API tells of the call."""
_TRANSCRIPT_AFTER_SECONDS = 300.0
_UNREADABLE_AFTER_SECONDS = 3_600.0
_BUSY_AFTER_SECONDS = 60.0


class RingoverAdapter:
    """Ringover, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: RingoverSettings) -> None:
        """Keep the settings; send nothing."""
        # HMAC fills a short key with zeros by itself. Its length is Ringover's choice: filled, PyJWT does not warn of it.
        self._key = settings.webhook_key.get_secret_value().encode().ljust(_KEY_BYTES, b"\0")
        self._address = settings.webhook_url
        self._client = RingoverClient(settings, settings.api_key.get_secret_value()) if settings.api_key else None

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes:
        """Check the token in the header, and take the event that stands in it: nothing binds the body to the token.

        The token is a JWT with HS512 (ringover/ringover-webhooks on GitHub); its claims are the event, or the address that
        was called and the event. The address is compared where the receiver knows it.
        """
        claims = self._claims(delivery.headers.get(HEADER, ""))
        called = self._address or delivery.url
        if "url" in claims and called is not None and not _same_address(claims["url"], called):
            raise CredentialsError(
                "the webhook was signed for another address than was called: if a proxy changes it, set webhook_url"
            )
        event = claims.get("payload", claims)
        if isinstance(event, str):  # as one handler of such webhooks has seen it
            return event.encode(errors="surrogatepass")
        if not isinstance(event, dict):
            raise InputError("payload: should be an object, in the token")
        return json.dumps(event).encode()

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Take the three events that end a call, and those that add to it later; see :mod:`connector_ringover.webhook`."""
        value = read_object(event)
        head = checked(Head, value)
        if head.resource == "call" and head.event in FINISHED:
            part = finished(value)
            return [part] if part.started_at else [part, *self._announced(part.call_id, CALL)]
        if head.resource != "aftercall" or head.event not in AFTER:
            return [Ignored(head.event, "no finished call; hangup, missed and voicemail tell of one")]
        part = after(value)
        if head.event != TRANSCRIBED:
            return [part, *self._announced(part.call_id, CALL)]
        announced = self._announced(part.call_id, TRANSCRIPT, CALL)
        return announced or [Ignored(head.event, "a transcript is read from Ringover's API; set api_key for that")]

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]:
        """Read calls of which only later events came, and then transcripts, which not every account has: a request for each.

        :raises TryAgainError: Nothing could be asked; what could not after something was, is put off.
        :raises CredentialsError: Likewise, the key is refused.
        """
        answers: dict[Announced, Answer] = {}
        for announced in sorted(asked, key=lambda each: each.what != CALL):
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

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _claims(self, token: str) -> dict[str, Any]:
        if not token:
            raise CredentialsError(f"the request has no {HEADER}: is it a webhook of Ringover's?")
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise CredentialsError("the webhook's token is no token of Ringover's")
        try:
            return jwt.decode(token, self._key, algorithms=["HS512"], leeway=_CLOCKS_APART_SECONDS)
        except (jwt.PyJWTError, RecursionError) as error:
            wrong = f"the webhook's token is not signed with the key of this webhook ({type(error).__name__})"
        # Raised out here: the cause may quote what stands in the token.
        raise CredentialsError(wrong)

    def _announced(self, call_id: str, *what: str) -> list[Announced]:
        after_seconds = {CALL: _CALL_AFTER_SECONDS}
        return [Announced(call_id, it, after_seconds.get(it, 0.0)) for it in what] if self._client else []

    def _read(self, announced: Announced) -> Answer:
        if self._client is None:
            raise CredentialsError("what Ringover announced is read from its API: set api_key for that")
        number = announced.call_id.removeprefix("ringover:")
        if announced.what == TRANSCRIPT:
            found = self._client.read("transcriptions", number)
            part = None if found is None else transcript_part(number, found)
            return (part,) if part else Later(_TRANSCRIPT_AFTER_SECONDS, "Ringover has not finished the transcript")
        if announced.what == CALL:
            found = self._client.read("calls", number)
            part = None if found is None else call_part(number, found)
            return (part,) if part else ()
        return ()


def _same_address(signed: object, called: str) -> bool:
    """Compare host and path; between us and Ringover the scheme, the port and the query may have changed."""
    try:
        ours, theirs = urlsplit(called), urlsplit(signed if isinstance(signed, str) else "")
        return (ours.hostname, ours.path.rstrip("/")) == (theirs.hostname, theirs.path.rstrip("/"))
    except ValueError:
        return False
