"""What can go wrong, grouped by what the caller should do about it.

::

    ConnectorError
    ├── InputError               the caller's input is wrong: mend it
    ├── ConfigurationError       the configuration is wrong: mend it, nothing was sent
    │   ├── UnsupportedError     this CRM, or this connection, cannot do that
    │   └── MissingRightError    the connection's user lacks a right: ask the administrator
    ├── CredentialsError         the credentials are refused: sign in anew
    ├── TryAgainError            wait, then ask again (carries how long)
    ├── RefusedError             the CRM refused this record (carries field, code, the CRM's own sentence)
    ├── OutcomeUnknownError      sent, and no answer: look before sending again
    └── ContractError            the plugin broke the contract: tell its author

Messages carry no e-mail address, no phone number and no token: they end up in logs. What the CRM itself said stands in
an attribute of its own (``sentence``), for the person who looks at that record.
"""

from __future__ import annotations

import math


class ConnectorError(Exception):
    """The root: every error that this package raises on purpose."""


class InputError(ConnectorError):
    """What the caller handed in is wrong."""


class ConfigurationError(ConnectorError):
    """A connection's configuration is wrong."""


class UnsupportedError(ConfigurationError):
    """An operation or trait that the plugin does not declare was asked for. No request was sent."""

    def __init__(self, plugin: str, capability: str, message: str | None = None) -> None:
        """Name the plugin and the capability that it lacks."""
        super().__init__(message or f"{plugin} has no {capability}: it is not among what the plugin declares")
        self.plugin = plugin
        self.capability = capability


class MissingRightError(ConfigurationError):
    """The CRM user of the connection lacks a right (object, field or scope)."""

    def __init__(self, message: str, *, right: str | None = None) -> None:
        """Say which right is missing; ``right`` names it as the CRM does."""
        super().__init__(message)
        self.right = right


class CredentialsError(ConnectorError):
    """The CRM refuses the credentials, for good: asking again changes nothing."""


class TryAgainError(ConnectorError):
    """The CRM cannot answer now: limits, maintenance, no connection. Nothing was executed."""

    def __init__(self, message: str, *, after_seconds: float | None = None) -> None:
        """Carry the wait that the CRM asks for, in seconds, where it names one; the message tells it too."""
        super().__init__(message if after_seconds is None else f"{message}: ask again in {math.ceil(after_seconds)} s")
        self.after_seconds = after_seconds


class RefusedError(ConnectorError):
    """The CRM refused one record, and will refuse it again as it stands."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        sentence: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Keep the evidence: the CRM's code, the field, its own sentence and the id of the request."""
        super().__init__(message)
        self.code = code
        self.field = field
        self.sentence = sentence
        self.request_id = request_id


class OutcomeUnknownError(ConnectorError):
    """A request that writes was sent and not answered: it may have been executed, or still be."""


class ContractError(ConnectorError):
    """A plugin answered what the contract does not allow."""

    def __init__(self, plugin: str, operation: str, message: str) -> None:
        """Name the plugin, the operation, what came and what was wanted."""
        super().__init__(f"plugin {plugin}, {operation}: {message}")
        self.plugin = plugin
        self.operation = operation
