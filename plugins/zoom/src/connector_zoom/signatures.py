"""What proves that a request comes from Zoom.

``x-zm-signature`` is ``v0=`` and the hex HMAC-SHA256, keyed with the app's secret token, of ``v0:``, the header
``x-zm-request-timestamp`` (seconds since 1970), ``:`` and the body as it came (developers.zoom.us, "Using webhooks").
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Annotated

from pydantic import Field

from connector_core.errors import CredentialsError
from connector_core.providers.bodies import Sent
from connector_core.providers.hookspecs import Delivery, Reply

SET_UP = "endpoint.url_validation"
WINDOW_SECONDS = 2 * 3_600
"""How old a signature may be. Zoom states no window and delivers again for 85 minutes, and does not say whether it signs
anew then: what is replayed within the window adds nothing to a call that it does not have."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def prove(delivery: Delivery, secret: str, now: float) -> None:
    """Compare the signature, in a time that tells nothing of the right one.

    :param now: Seconds since 1970.
    :raises CredentialsError: It is missing, wrong, or too old.
    """
    timestamp = delivery.headers.get("x-zm-request-timestamp", "")
    signature = delivery.headers.get("x-zm-signature", "")
    if not signature or not _TIMESTAMP.fullmatch(timestamp):
        raise CredentialsError("the request carries no signature of Zoom's")
    message = b"v0:" + timestamp.encode() + b":" + delivery.body
    expected = f"v0={_hmac(secret, message)}"
    if not hmac.compare_digest(signature.encode(errors="surrogatepass"), expected.encode()):
        raise CredentialsError("the signature is not made with secret_token: see the app's Features page at Zoom")
    if abs(now - int(timestamp)) > WINDOW_SECONDS:
        raise CredentialsError("the signature is more than two hours off: is the clock of this machine right?")


class _Token(Sent):
    # Whoever may choose what is signed could sign events: a token has no colon, so none reads "v0:TIME:BODY".
    plainToken: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # noqa: N815 - Zoom's name


class Challenge(Sent):
    """What Zoom asks when a webhook is set up, and every 72 hours. It is signed like any event."""

    payload: _Token

    def reply(self, secret: str) -> Reply:
        """Give what proves to Zoom that the secret token is known here."""
        token = self.payload.plainToken
        answer = {"plainToken": token, "encryptedToken": _hmac(secret, token.encode())}
        return Reply(json.dumps(answer).encode(), "application/json")


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
