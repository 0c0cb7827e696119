"""What Odoo's refusals mean, mapped once to the errors of the connector.

Odoo answers an exception as JSON: ``name`` (its class), ``message``, ``arguments``, ``context``, ``debug``. Whatever was
raised, the transaction was rolled back: nothing of the request was done. An unknown field, model value or argument is a
500 (seen on a server of version 19). Only ``name`` and ``message`` are read; ``debug`` is a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    RefusedError,
)

BUSY = frozenset(
    {"LockNotAvailable", "SerializationFailure", "DeadlockDetected", "ConcurrencyError", "LockError", "PoolError"}
)
"""Exceptions of transactions that met another one; Odoo tried five times itself."""

DOUBTFUL = frozenset(
    {
        "OperationalError",
        "InterfaceError",
        "AdminShutdown",
        "CrashShutdown",
        "DatabaseError",
        "MemoryError",
        "QueryCanceled",
    }
)
"""Exceptions of a database or worker that broke: a commit may have gone through before."""

_FIELD = re.compile(
    r"Invalid field '?(?:[a-z0-9_.]+\.)?([a-zA-Z0-9_]+)'?"  # Invalid field 'nofield' in 'crm.lead'
    r"|Wrong value for [a-z0-9_.]+\.([a-z0-9_]+):"  # Wrong value for crm.lead.type: 'zzz'
    r"|field '[^']*' \(([a-z0-9_]+)\)"  # Missing required value for the field 'Opportunity' (name)
)
_ACCESS = ("AccessDenied", "Unauthorized", "SessionExpiredException")


NO_FIELD = "InvalidField"
"""The connector's own code: of a field that is not there Odoo raises a ``ValueError``, as of a value that is wrong."""


class NoSuchModelError(ConfigurationError):
    """This Odoo has no such model, or the model no such method."""


def exception_of(value: object) -> str | None:
    """Give the class of the exception that an answer tells, without its module; None where it tells none."""
    if not isinstance(value, Mapping) or "message" not in value:
        return None
    name = value.get("name")
    return name.rpartition(".")[2] if isinstance(name, str) else None


def failure(status: int, value: object, asked: str) -> ConnectorError:
    """Map an answer that refuses.

    :param value: The answer's JSON, None where it is none.
    :param asked: The model and method, like ``crm.lead.create``.
    """
    name = exception_of(value)
    message = str(value.get("message") or "") if isinstance(value, Mapping) else ""
    if status == 401 or name in _ACCESS:
        return CredentialsError("Odoo refuses the API key: make a new one in the user's preferences, and set it")
    if status in range(300, 400):
        return ConfigurationError(
            f"base_url: Odoo redirects elsewhere (status {status}); set the address it redirects to"
        )
    if status == 403:
        whose = "Odoo's user of this connection" if name else "whoever stands before Odoo"
        return MissingRightError(f"{whose} may not do {asked}: give the user that right in Odoo", right=asked)
    if status == 404 and name != "MissingError":
        return _not_there(name, asked)
    if name is None and status != 413:
        return ConfigurationError(
            f"{asked}: status {status} with no answer of Odoo 19: check base_url and what stands before it"
        )
    if name in ("UnprocessableEntity", "BadRequest"):
        return ContractError("odoo", asked, f"Odoo does not take the request: is it of version 19? ({name})")
    return refusal(status, name, message, asked)


def refusal(status: int, name: str | None, message: str, asked: str) -> RefusedError:
    """Map what Odoo says of a record; its own sentence may name people, so it stands beside the message."""
    found = _FIELD.search(message)
    field = next(filter(None, found.groups()), None) if found else None
    about = f": {field}" if field else ""
    code = NO_FIELD if message.startswith("Invalid field") else name or str(status)
    return RefusedError(
        f"Odoo refused {asked} (status {status}, {code}){about}",
        code=code,
        field=field,
        sentence=message.strip() or None,
    )


def _not_there(name: str | None, asked: str) -> ConfigurationError:
    if name is None:
        return ConfigurationError("Odoo has no such database, or is not of version 19: check base_url and database")
    return NoSuchModelError(f"Odoo has no {asked}: are the apps CRM and Calendar installed, and is it of version 19?")
