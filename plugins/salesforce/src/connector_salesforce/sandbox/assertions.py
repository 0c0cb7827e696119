"""What an organization makes of an assertion of the JWT bearer flow (RFC 7523).

Order and words of the refusals as people quote them of the service: ``invalid_client_id`` for an app that is not known,
``invalid assertion``, ``expired authorization code``, ``audience is invalid``, ``user hasn't approved this consumer``.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connector_salesforce.sandbox.faults import NotSpokenError, SignInError

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
AUDIENCE = "https://test.salesforce.com"  # that of a sandbox org, which this one says it is
_ALGORITHM = "RS256"
_LONGEST_SECONDS = 180


def check(assertion: str, app: str, key: RSAPublicKey | None, user: str, approved: Collection[str]) -> None:
    """Refuse an assertion that does not sign the user in.

    :param app: The consumer key of the app that there is.
    :param key: Of the certificate that was uploaded to the app; None where none was.
    :param user: The one user name that the sandbox acts for.
    :param approved: User names that an admin approved; empty where users approve the app themselves, as ``user`` did.
    :raises SignInError: What the service refuses.
    :raises NotSpokenError: What it makes of is not known.
    """
    claims = _claims(assertion)
    if claims.get("iss") != app:
        raise SignInError(400, "invalid_client_id", "client identifier invalid")
    if key is None or not _is_signed(assertion, key):
        raise _refused("invalid assertion")
    left = _seconds_left(claims.get("exp"))
    if left <= 0:
        raise _refused("expired authorization code")
    if claims.get("aud") != AUDIENCE:
        raise _refused("audience is invalid")
    if left > _LONGEST_SECONDS:
        raise NotSpokenError(f"an assertion that is good for longer than {_LONGEST_SECONDS} s")
    if claims.get("sub") != user:
        if claims.get("sub") in approved:
            raise NotSpokenError(f"signing in as another user than {user}")
        raise _refused("user hasn't approved this consumer")
    if approved and user not in approved:
        raise SignInError(400, "invalid_app_access", "user is not admin approved to access this app")


def _claims(assertion: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise _refused("invalid assertion") from error
    return claims


def _is_signed(assertion: str, key: RSAPublicKey) -> bool:
    try:  # the claims are checked one by one, each in words of its own
        jwt.decode(assertion, key, algorithms=[_ALGORITHM], options={"verify_exp": False, "verify_aud": False})
    except jwt.InvalidTokenError:
        return False
    return True


def _seconds_left(exp: object) -> float:
    """Read ``exp``, in seconds since 1970; some clients write it as text."""
    try:
        return float(exp) - time.time() if isinstance(exp, int | float | str) else 0.0
    except ValueError:
        return 0.0


def _refused(description: str) -> SignInError:
    return SignInError(400, "invalid_grant", description)
