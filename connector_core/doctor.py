"""What a connection can do, and why it cannot do the rest: asked of the CRM, told for a person and for an administrator."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connector_core.connection import Connection
from connector_core.errors import MissingRightError, RefusedError
from connector_core.meter import Quota
from connector_core.model import NEEDS, Access, Organization, Right

NOBODY = "nobody@connector.invalid"
"""Looked up to sign in where a plugin tells no rights: a name under ``.invalid`` is nobody's (RFC 2606)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found of a connection, which is signed in.

    ``access``: None where the plugin does not tell. ``clock_skew_seconds``: how far this machine's clock is behind the
    service's; None where no answer told. ``regions``: of numbers without a country's code. ``organization``: as the CRM
    tells it; a text says why it does not, and None that the plugin does not. ``notes_aside``: ``access`` is without the
    rights on notes, as none are written.
    """

    connection: str
    crm: str
    access: Access | None
    quota: Quota | None
    clock_skew_seconds: float | None
    regions: tuple[str, ...]
    time_zone: str
    organization: Organization | str | None = None
    notes_aside: bool = False

    @property
    def time_zone_to_set(self) -> str | None:
        """Give the organization's time zone, where its days are others than the connection's."""
        own = self.organization.time_zone if isinstance(self.organization, Organization) else None
        return None if own is None or _same_days(own, self.time_zone) else own

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
        organization = self.organization if isinstance(self.organization, Organization) else Organization()
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
            "organization_time_zone": organization.time_zone,
            "organization_currency": organization.currency,
            "time_zone_to_set": self.time_zone_to_set,
            "rights_told": self.access is not None,
            "writes_notes": not self.notes_aside,
            "works": list(self.works),
            "missing": [{"right": it.name, "must": it.must, "disables": it.disables} for it in self.missing],
            "not_told": [it.name for it in self.not_told],
            "note": self.note,
        }


def examine(connection: Connection, *, writes_notes: bool = True) -> Report:
    """Sign in, and ask for all that a connection needs. Nothing is changed.

    :param writes_notes: Whether notes are written beside activities; else no right on them is needed.
    :raises ConnectorError: The CRM cannot be asked; the error says why.
    """
    access = None
    if "check_access" in connection.operations:
        access = connection.check_access()
        if not writes_notes:
            access = replace(access, rights=tuple(it for it in access.rights if it.subject != "note"))
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
        _organization(connection),
        notes_aside=not writes_notes,
    )


def _organization(connection: Connection) -> Organization | str | None:
    if "describe_organization" not in connection.operations:
        return None
    try:
        return connection.describe_organization()
    except (MissingRightError, RefusedError) as error:
        return str(error)


def _same_days(one: str, other: str) -> bool:
    """Tell whether each day of this year begins alike in both zones, some of which have several names."""
    try:
        zones = ZoneInfo(one), ZoneInfo(other)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return one == other
    first = dt.datetime(dt.datetime.now(dt.UTC).year, 1, 1, tzinfo=dt.UTC)
    days = (first + dt.timedelta(days=number) for number in range(365))
    return all(len({day.astimezone(zone).utcoffset() for zone in zones}) == 1 for day in days)
