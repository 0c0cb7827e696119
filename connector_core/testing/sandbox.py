"""A sandbox: a local HTTP server with state that speaks the part of a CRM's protocol that its plugin uses.

A CRM's sandbox is a subclass of :class:`Sandbox`; it holds the records and answers requests. Serving, the journal, the
faults and the addresses under ``/_sandbox`` are the same for all, in :mod:`connector_core.testing.server`.

A sandbox is strict where the service is strict, and answers 501 to what it does not know: it never guesses.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector_core.crms.world import World


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came. ``path`` is percent-decoded and without query; ``headers`` have lower-case names."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """An answer; ``api_calls`` is what it costs of the CRM's quota."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    api_calls: int = 1

    @classmethod
    def of(
        cls, value: object, status: int = 200, *, api_calls: int = 1, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Answer a value as JSON."""
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json;charset=UTF-8", **(headers or {})}, api_calls)


class SeedError(Exception):
    """A record of the seed that this CRM could not hold; the message names it and says why."""


class Sandbox(ABC):
    """The records of one CRM and the protocol that it speaks. Every method is called under one lock."""

    index_lag_seconds: float = 0.0
    """How long what was just written is hidden from searches; set by a fault."""

    @abstractmethod
    def __init__(self, world: World) -> None:
        """Hold the seed.

        :raises SeedError: A record that the CRM could not hold.
        """

    @abstractmethod
    def settings(self, url: str) -> dict[str, str | int | float | bool]:
        """Give the flat settings that a connection needs to reach this sandbox at ``url``."""

    @abstractmethod
    def handle(self, request: Request, row_error: RowError | None) -> Response:
        """Answer a request; rows that ``row_error`` picks fail with its code, and are not executed."""

    @abstractmethod
    def ids(self) -> dict[str, str]:
        """Map the ids of the seed to those of this CRM."""

    @abstractmethod
    def records(self) -> dict[str, list[dict[str, Any]]]:
        """Give everything it holds, by object, in the CRM's own names."""

    @abstractmethod
    def patch(
        self, obj: str, record_id: str, fields: Mapping[str, Any], *, delete: bool, merge_into: str | None
    ) -> None:
        """Change a record behind the client's back.

        :raises KeyError: There is no such record.
        :raises ValueError: The CRM could not hold the change; the message says why.
        """

    @abstractmethod
    def org(self, changes: Mapping[str, Any]) -> None:
        """Change the organization: hidden and read-only fields, picklist values, rules, rights.

        :raises ValueError: An unknown change; the message names it and what is possible.
        """

    @abstractmethod
    def expire_session(self) -> None:
        """Make the tokens that were handed out expire."""


class RowError(ABC):
    """A fault that fails rows of a batch."""

    code: str

    @abstractmethod
    def picks(self) -> bool:
        """Decide for the next row, in order; call it once a row."""


def seed_ids(world: World) -> Sequence[str]:
    """Give the ids of all records of a seed, in its order."""
    return [record.id for name in type(world).model_fields for record in getattr(world, name)]
