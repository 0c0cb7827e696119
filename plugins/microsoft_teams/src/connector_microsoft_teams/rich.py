"""Rich notifications: the tokens that prove them, and what they carry, decrypted.

Documented at learn.microsoft.com/graph/change-notifications-with-resource-data. What is encrypted proves nothing by itself:
anybody can encrypt to a public key. The tokens do, which Microsoft signs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from pydantic import Field

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.policy import Reply
from connector_core.providers.bodies import Sent, read_object
from connector_microsoft_teams.settings import TeamsSettings

PUBLISHER = "0bf30f3b-4a52-48df-9a82-234910c4a086"
"""The app in whose name Microsoft Graph delivers notifications."""

_LEEWAY_SECONDS = 300
_KEYS_LAST_SECONDS = 86_400.0
_KEYS_AT_LEAST_SECONDS = 60.0
"""Microsoft changes its keys daily; for a key that is not known they are read anew, but not at every delivery."""
_FAILURE_LASTS_SECONDS = 30.0
"""How long nobody asks again for keys that cannot be had: a sender waits, and Graph gives up after three seconds."""

Base64 = Annotated[str, Field(min_length=1, max_length=4_000_000)]


class Encrypted(Sent):
    """The encrypted resource. ``dataKey``: a symmetric key, used once, encrypted to ours."""

    data: Base64
    dataKey: Base64  # noqa: N815 - as Graph writes it
    dataSignature: Base64  # noqa: N815 - as Graph writes it


class PublisherKeys:
    """Microsoft's public keys, read when they are needed; shared by threads."""

    def __init__(self, url: str, read: Callable[[str], Reply]) -> None:
        """Read nothing yet."""
        self._url = url
        self._read = read
        self._lock = threading.Lock()
        self._keys: dict[str, Any] = {}
        self._read_at: float | None = None
        self._failed_at: float | None = None

    def key(self, kid: object) -> Any:
        """Give the key of that id.

        :raises CredentialsError: Microsoft has none.
        :raises TryAgainError: Its keys cannot be read now.
        """
        with self._lock:
            age = None if self._read_at is None else time.monotonic() - self._read_at
            known = isinstance(kid, str) and kid in self._keys
            if age is None or age > (_KEYS_LAST_SECONDS if known else _KEYS_AT_LEAST_SECONDS):
                self._read_anew()
            if not isinstance(kid, str) or kid not in self._keys:
                raise CredentialsError("a validation token is signed with a key that is not Microsoft's")
            return self._keys[kid]

    def _read_anew(self) -> None:
        now = time.monotonic()
        if self._failed_at is not None and now - self._failed_at < _FAILURE_LASTS_SECONDS:
            raise TryAgainError("Microsoft's public keys could not be read a moment ago")
        try:
            self._keys = self._fetched()
        except TryAgainError:
            self._failed_at = time.monotonic()
            raise
        self._read_at = time.monotonic()

    def _fetched(self) -> dict[str, Any]:
        reply = self._read(self._url)
        if reply.status == 200:
            try:
                found = jwt.PyJWKSet.from_dict(read_object(reply.body))
                return {key.key_id: key.key for key in found.keys if key.key_id and key.key_type == "RSA"}
            except Exception as error:  # PyJWT lets out whatever a key of another form leads to
                raise TryAgainError("Microsoft's public keys cannot be read: they have another form") from error
        raise TryAgainError(f"Microsoft's public keys cannot be read (status {reply.status})")


def prove_tokens(tokens: Sequence[str], settings: TeamsSettings, keys: PublisherKeys) -> None:
    """Prove that Microsoft Graph made a delivery for this app and tenant: every token says so.

    :raises CredentialsError: One does not, or there is none.
    :raises TryAgainError: Microsoft's keys cannot be read now.
    """
    if not tokens:
        raise CredentialsError("a notification with encrypted content has no validation token")
    for token in tokens:
        claims = _claims(token, settings, keys)
        if PUBLISHER not in (claims.get("appid"), claims.get("azp")):
            raise CredentialsError("a validation token is of another app than Microsoft Graph's publisher")


def _claims(token: str, settings: TeamsSettings, keys: PublisherKeys) -> dict[str, Any]:
    tenant = settings.tenant_id
    issuers = [
        f"https://sts.windows.net/{tenant}/",
        f"https://sts.chinacloudapi.cn/{tenant}/",
        f"{settings.login_url}/{tenant}/v2.0",
    ]
    try:
        key = keys.key(jwt.get_unverified_header(token).get("kid"))
        return jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            audience=settings.client_id,
            issuer=issuers,
            leeway=_LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        raise CredentialsError(f"a validation token does not hold ({type(error).__name__})") from error


def decrypted(content: Encrypted, keys: Sequence[RSAPrivateKey]) -> dict[str, Any]:
    """Decrypt a resource, with whichever of the keys it is encrypted to.

    :raises CredentialsError: With none; which step fails is not told.
    :raises InputError: It is no JSON object.
    """
    try:
        data, data_key, signature = (
            base64.b64decode(text, validate=True) for text in (content.data, content.dataKey, content.dataSignature)
        )
    except (binascii.Error, ValueError):
        raise _undecipherable() from None
    for key in keys:
        try:
            symmetric = key.decrypt(data_key, OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None))  # noqa: S303 - Graph's
        except ValueError:
            continue
        if hmac.compare_digest(hmac.new(symmetric, data, hashlib.sha256).digest(), signature):
            return read_object(_plain(symmetric, data))
    raise _undecipherable()


def _plain(symmetric: bytes, data: bytes) -> bytes:
    try:
        decryptor = Cipher(AES(symmetric), CBC(symmetric[:16])).decryptor()
        unpadder = PKCS7(128).unpadder()
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise _undecipherable() from None


def _undecipherable() -> CredentialsError:
    return CredentialsError("encryptedContent cannot be decrypted with private_key, or was changed")
