"""The JWT bearer flow: an assertion, signed with the connection's own key, stands for a password (RFC 7523).

Salesforce holds the key's certificate, and knows which users may use the app (help.salesforce.com, "OAuth 2.0 JWT Bearer
Flow for Server-to-Server Integration"). Its answer has no refresh token: after a session ended, another assertion is signed.
"""

from __future__ import annotations

import time

import jwt

from connector_salesforce.failures import Failure
from connector_salesforce.settings import SalesforceSettings

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE_SECONDS = 180
"""How long an assertion is good for: what Salesforce's own examples take."""


def assertion(settings: SalesforceSettings) -> str:
    """Sign an assertion of who signs in (``sub``), for which app (``iss``), where (``aud``), and until when (``exp``)."""
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": settings.token_audience,
        "exp": int(time.time()) + LIFE_SECONDS,
    }
    key = settings.private_key.get_secret_value() if settings.private_key else ""
    return jwt.encode(claims, key, algorithm="RS256")


def advice(failure: Failure, settings: SalesforceSettings) -> str:
    """Say what to do about a refusal."""
    said = failure.sentence.casefold()
    told = next((what for words, what in _BY_SENTENCE.items() if words in said), None)
    return (told or _BY_CODE.get(failure.code, _CHECK)).format(audience=settings.token_audience)


_CHECK = "check client_id, username, private_key, and what the app allows"
_APPROVE = (
    'in the app\'s policies let users be pre-authorized by an admin ("Admin approved users are pre-authorized"), and give'
    " this user a profile or permission set that the app names"
)
_BY_SENTENCE = {
    "hasn't approved this consumer": f"no active user has this username, or the app is not approved for it: {_APPROVE}",
    "audience": "audience is {audience}: it has to be https://test.salesforce.com for a sandbox or scratch org, and"
    " https://login.salesforce.com for any other",
    "invalid assertion": "the signature does not fit: upload the certificate of private_key to the app of client_id",
    "expired": "the assertion came too late: check the clock of this machine",
}
"""By words of Salesforce's descriptions, which share the code ``invalid_grant``."""
_BY_CODE = {
    "invalid_app_access": f"the user may not use the app: {_APPROVE}",
    "invalid_client_id": "client_id is of no app in this org; it is the app's consumer key",
    "inactive_user": "the user of username is inactive",
}
