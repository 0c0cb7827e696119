"""A stand-in for what delivers notifications: it signs validation tokens, and encrypts resources to an app's key.

It is the counterpart of :mod:`connector_microsoft_teams.rich`, for tests, and evidence of one reading of the same page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from jwt.algorithms import RSAAlgorithm

from connector_microsoft_teams.rich import PUBLISHER

_TOKEN_SECONDS = 3600


class Publisher:
    """Signs with a key of its own, made when it is first needed."""

    def __init__(self, kid: str = "sandbox-key") -> None:
        """Make no key yet."""
        self.kid = kid
        self._key: Any = None

    def public(self) -> list[dict[str, Any]]:
        """Give the public keys, as Microsoft publishes its own."""
        return [{**json.loads(RSAAlgorithm.to_jwk(self._signing().public_key())), "kid": self.kid, "use": "sig"}]

    def token(self, client_id: str, tenant_id: str, **claims: Any) -> str:
        """Sign a validation token; ``claims`` go before those that Microsoft's have."""
        now = int(time.time())
        usual = {
            "aud": client_id,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + _TOKEN_SECONDS,
            "appid": PUBLISHER,
            "tid": tenant_id,
            "ver": "1.0",
        }
        said = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        return jwt.encode(said, self._signing(), algorithm="RS256", headers={"kid": self.kid})

    def _signing(self) -> Any:
        if self._key is None:
            self._key = generate_private_key(public_exponent=65537, key_size=2048)
        return self._key


def encrypt(resource: Mapping[str, Any], to: RSAPublicKey, certificate_id: str = "sandbox") -> dict[str, str]:
    """Encrypt a resource, as ``encryptedContent`` has it."""
    symmetric = secrets.token_bytes(32)
    padder = PKCS7(128).padder()
    padded = padder.update(json.dumps(resource).encode()) + padder.finalize()
    encryptor = Cipher(AES(symmetric), CBC(symmetric[:16])).encryptor()
    data = encryptor.update(padded) + encryptor.finalize()
    sent = {
        "data": data,
        "dataSignature": hmac.new(symmetric, data, hashlib.sha256).digest(),
        "dataKey": to.encrypt(symmetric, OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None)),  # noqa: S303 - Graph's
    }
    return {name: base64.b64encode(value).decode() for name, value in sent.items()} | {
        "encryptionCertificateId": certificate_id
    }
