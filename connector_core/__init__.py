"""Associates calls and meetings with the right CRM records, writes exactly one activity, and says why.

The contents page: each name is imported from its module when it is first used, so that importing this package costs
nothing. :func:`connector_core.sync.sync` has the name of its module, and is imported from there.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector_core.association import Decision, Settings, decide
    from connector_core.binding import bind
    from connector_core.config import ConnectionConfig, OpenConnection, open_connection
    from connector_core.config_file import load_config
    from connector_core.connection import Connection
    from connector_core.discovery import crm
    from connector_core.errors import (
        ConfigurationError,
        ConnectorError,
        ContractError,
        CredentialsError,
        InputError,
        MissingRightError,
        OutcomeUnknownError,
        RefusedError,
        TryAgainError,
        UnsupportedError,
    )
    from connector_core.hookspecs import HOOK_API, hookimpl
    from connector_core.identity import PhoneReader
    from connector_core.manifest import ConnectionInfo, CrmManifest
    from connector_core.model import (
        Account,
        Activity,
        ActivityDraft,
        Call,
        CallKey,
        FieldReceipt,
        FormFields,
        Note,
        Opportunities,
        Opportunity,
        Organizer,
        Participant,
        Person,
        Receipt,
        RecordUpdate,
        Unknown,
        User,
        Utterance,
    )
    from connector_core.sync import SyncResult, associate
    from connector_core.writing import Writing

__all__ = [
    "HOOK_API",
    "Account",
    "Activity",
    "ActivityDraft",
    "Call",
    "CallKey",
    "ConfigurationError",
    "Connection",
    "ConnectionConfig",
    "ConnectionInfo",
    "ConnectorError",
    "ContractError",
    "CredentialsError",
    "CrmManifest",
    "Decision",
    "FieldReceipt",
    "FormFields",
    "InputError",
    "MissingRightError",
    "Note",
    "OpenConnection",
    "Opportunities",
    "Opportunity",
    "Organizer",
    "OutcomeUnknownError",
    "Participant",
    "Person",
    "PhoneReader",
    "Receipt",
    "RecordUpdate",
    "RefusedError",
    "Settings",
    "SyncResult",
    "TryAgainError",
    "Unknown",
    "UnsupportedError",
    "User",
    "Utterance",
    "Writing",
    "associate",
    "bind",
    "crm",
    "decide",
    "hookimpl",
    "load_config",
    "open_connection",
]

_HOMES = {
    "association": "Decision Settings decide",
    "binding": "bind",
    "config": "ConnectionConfig OpenConnection open_connection",
    "config_file": "load_config",
    "connection": "Connection",
    "discovery": "crm",
    "errors": (
        "ConfigurationError ConnectorError ContractError CredentialsError InputError MissingRightError "
        "OutcomeUnknownError RefusedError TryAgainError UnsupportedError"
    ),
    "hookspecs": "HOOK_API hookimpl",
    "identity": "PhoneReader",
    "manifest": "ConnectionInfo CrmManifest",
    "model": (
        "Account Activity ActivityDraft Call CallKey FieldReceipt FormFields Note Opportunities Opportunity "
        "Organizer Participant Person Receipt RecordUpdate Unknown User Utterance"
    ),
    "sync": "SyncResult associate",
    "writing": "Writing",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("connector-core")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
