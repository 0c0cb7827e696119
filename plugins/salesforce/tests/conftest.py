"""What the tests of the adapter share: an adapter bound to a sandbox over HTTP."""

from __future__ import annotations

import datetime as dt
import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from connector_salesforce.adapter import SalesforceAdapter
from connector_salesforce.sandbox import SalesforceSandbox
from connector_salesforce.settings import SalesforceSettings
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo
from connector_core.testing.listener import Answerer, Listener
from connector_core.testing.server import SandboxServer


@dataclass
class Desk:
    """An adapter, the sandbox that it talks to, the ids of the seed, and the settings that lead there."""

    adapter: SalesforceAdapter
    url: str
    ids: dict[str, str]
    settings: dict[str, Any]

    def post(self, path: str, body: Any) -> None:
        """Set faults, or change the organization."""
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), method="POST")  # noqa: S310 - loopback
        with urllib.request.urlopen(request):  # noqa: S310 - loopback
            pass

    def get(self, path: str) -> Any:
        """Read what the sandbox tells of itself."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/{path}") as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def record(self, obj: str, record_id: str | None) -> dict[str, Any]:
        """Read one record."""
        found: dict[str, Any] = next(it for it in self.get("records")[obj] if it["Id"] == record_id)
        return found

    @property
    def api_calls(self) -> int:
        """What was spent of the quota."""
        return sum(entry["api_calls"] for entry in self.get("journal"))


Connect = Callable[..., Desk]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make a desk for a world; ``settings`` go over those that the sandbox gives."""
    with ExitStack() as stack:

        def make(world: dict[str, Any], regions: tuple[str, ...] = ("FR",), zone: str = "UTC", **settings: Any) -> Desk:
            sandbox = SalesforceSandbox(parse_world(world))
            server = stack.enter_context(SandboxServer(sandbox))
            given = SalesforceSettings.model_validate(server.settings | settings)
            adapter = SalesforceAdapter(given, ConnectionInfo("test", regions, zone))
            adapter._client.policy.sleep = lambda seconds: None
            stack.callback(adapter.close)
            return Desk(adapter, server.url, sandbox.ids(), dict(server.settings))

        yield make


@dataclass(frozen=True)
class KeyPair:
    """A private key, and the certificate of it for the app, both in PEM."""

    private: str
    certificate: str


def key_pair(bits: int = 2048) -> KeyPair:
    """Make a pair, as ``openssl req -x509`` does."""
    key = rsa.generate_private_key(65537, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "connector")])
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), day, day.replace(year=2056)
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return KeyPair(key.private_bytes(*plain).decode(), certificate.decode())


@pytest.fixture(scope="session")
def keys() -> KeyPair:
    """Give a pair that all tests share."""
    return key_pair()


@pytest.fixture(scope="session")
def other_keys() -> KeyPair:
    """Give the pair of somebody else."""
    return key_pair()


@pytest.fixture(scope="session")
def short_keys() -> KeyPair:
    """Give a pair whose key is too short."""
    return key_pair(1024)


@pytest.fixture
def listening() -> Iterator[Callable[[Answerer], str]]:
    """Serve functions, each at an address of its own."""
    with ExitStack() as stack:

        def listen(answer: Answerer) -> str:
            listener = Listener(answer, 0)
            threading.Thread(target=listener.serve_forever, args=(0.01,)).start()
            stack.callback(listener.server_close)
            stack.callback(listener.shutdown)
            return f"http://127.0.0.1:{listener.server_address[1]}"

        yield listen
