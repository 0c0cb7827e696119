"""Addresses of services, as settings name them: credentials are sent there, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""The hosts that are this machine: what is sent there over http is seen by nobody."""


@dataclass(frozen=True, slots=True)
class Address:
    """What an address names; ``port`` is None where it names none."""

    scheme: str
    host: str
    port: int | None
    path: str

    @property
    def on_loopback(self) -> bool:
        """Tell whether it is one of this machine, over http: of a sandbox."""
        return self.scheme == "http" and self.host in LOOPBACK

    @property
    def origin(self) -> str:
        """The address without its path, like ``https://acme.example:8080``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


def read_address(text: str) -> Address | None:
    """Read an address of a host, with a path or without; None where it has a user, a query or a fragment, or is none."""
    if not text.isascii() or not text.isprintable() or {" ", "?", "#"} & set(text):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:  # a bracket that is not closed, or a port that is none
        return None
    return Address(parts.scheme, host, port, parts.path) if host and parts.username is None else None


def read_origin(text: str) -> Address | None:
    """Read an address likewise, but without a path."""
    found = read_address(text)
    return found if found is not None and found.path in ("", "/") else None
