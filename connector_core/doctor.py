"""What a connection can do, and why it cannot do the rest: asked of the CRM, told for a person and for an administrator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connector_core.connection import Connection
from connector_core.meter import Quota
from connector_core.model import NEEDS, Access, Right

NOBODY = "nobody@connector.invalid"
"""Looked up to sign in where a plugin tells no rights: a name under ``.invalid`` is nobody's (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of a connection, which is signed in.

    ``access``: None where the plugin does not tell. ``clock_skew_seconds``: how far this machine's clock is behind the
    service's; None where no answer told. ``regions``: of numbers without a country's code.
    """

    connection: str
    crm: str
    access: Access | None
    quota: Quota | None
    clock_skew_seconds: float | None
    regions: tuple[str, ...]
    time_zone: str

    @property
    def works(self) -> tuple[str, ...]:
        """Name what works: all of whose rights are there."""
        told = self.access.rights if self.access else ()
        needed = {of: [it for it in told if (it.subject, it.verb) == of and not it.spare] for of in NEEDS}
        return tuple(NEEDS[of].disables for of, rights in needed.items() if rights and all(it.granted for it in rights))

    @property
    def missing(self) -> tuple[Right, ...]:
        """Give the rights that are missing, the musts first."""
        told = self.access.rights if self.access else ()
        return tuple(sorted((it for it in told if it.granted is False), key=lambda it: not it.must))

    @property
    def not_told(self) -> tuple[Right, ...]:
        """Give the rights of which the CRM does not tell whether they are there."""
        return tuple(it for it in self.access.rights if it.granted is None) if self.access else ()

    @property
    def note(self) -> str | None:
        """Write what to ask the CRM's administrator for; None where nothing is missing."""
        if not self.missing:
            return None
        named: dict[str, list[Right]] = {}  # one that stands for several, as a scope does, is asked for once
        for right in self.missing:
            named.setdefault(right.name, []).append(right)
        lines = [
            f"- {name} ({'needed' if any(it.must for it in rights) else 'recommended'}). "
            f"Without it does not work: {'; '.join(dict.fromkeys(it.disables for it in rights))}."
            for name, rights in named.items()
        ]
        head = f"The user or app that the connector signs in to {self.crm} with lacks rights. Please grant to it:"
        return "\n".join([head, *lines])

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        access = self.access or Access(())
        return {
            "connection": self.connection,
            "crm": self.crm,
            "signed_in": True,
            "api_version": access.api_version,
            "newest_api_version": access.newest_version,
            "requests_left": self.quota.left if self.quota else None,
            "requests_limit": self.quota.limit if self.quota else None,
            "clock_skew_seconds": self.clock_skew_seconds,
            "regions": list(self.regions),
            "time_zone": self.time_zone,
            "rights_told": self.access is not None,
            "works": list(self.works),
            "missing": [{"right": it.name, "must": it.must, "disables": it.disables} for it in self.missing],
            "not_told": [it.name for it in self.not_told],
            "note": self.note,
        }


def examine(connection: Connection) -> Report:
    """Sign in, and ask for all that a connection needs. Nothing is changed.

    :raises ConnectorError: The CRM cannot be asked; the error says why.
    """
    access = None
    if "check_access" in connection.operations:
        access = connection.check_access()
    else:
        connection.find_contacts_by_email([NOBODY])
    return Report(
        connection.name,
        connection.manifest.title,
        access,
        connection.quota,
        connection.info.meter.clock_skew_seconds,
        connection.info.regions,
        connection.info.time_zone,
    )
