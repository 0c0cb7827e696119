"""The settings of the decision."""

from __future__ import annotations

import functools
import zoneinfo
from dataclasses import dataclass
from typing import Literal, TypeAlias

from connector_core.association.ignored import Ignored
from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader

Policy: TypeAlias = Literal["all_contacts", "primary_contact"]
POLICIES: tuple[Policy, ...] = ("all_contacts", "primary_contact")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a connection's calls are associated.

    ``windows_days``: created after the call, closed before it, closed long before it; whole days of 24 hours.
    ``regions``: default regions of phone numbers, ISO 3166 codes, in order. ``time_zone``: an IANA name.
    ``ignore_emails``, ``ignore_numbers``: identifiers of guests that are not looked up; see :class:`Ignored`.
    ``most_people_per_identifier``: an identifier that more people have identifies none of them; None for no bound.

    :raises ConfigurationError: A value that is not possible, or two that exclude each other.
    """

    policy: Policy = "all_contacts"
    owner_filter: bool = False
    windows_days: tuple[int, int, int] = (30, 30, 90)
    regions: tuple[str, ...] = ()
    time_zone: str = "UTC"
    ignore_emails: tuple[str, ...] = ()
    ignore_numbers: tuple[str, ...] = ()
    most_people_per_identifier: int | None = None

    def __post_init__(self) -> None:
        """Refuse what is not possible."""
        if self.policy not in POLICIES:
            raise ConfigurationError(f"policy: {self.policy!r} is none of {', '.join(POLICIES)}")
        if self.owner_filter and self.policy == "primary_contact":
            raise ConfigurationError("owner_filter: the policy primary_contact has none; switch one of the two off")
        days: tuple[object, ...] = tuple(self.windows_days)
        if len(days) != 3 or not all(type(day) is int and day >= 0 for day in days):
            raise ConfigurationError("windows_days: wants three whole numbers of days, none negative")
        if self.windows_days[2] < self.windows_days[1]:
            raise ConfigurationError(
                f"windows_days: the third ({self.windows_days[2]}) is shorter than the second ({self.windows_days[1]}),"
                " of which it is the continuation"
            )
        try:
            zoneinfo.ZoneInfo(self.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationError(f"time_zone: {self.time_zone!r} is no IANA time zone like Europe/Paris") from error
        _ignored(self.ignore_emails, self.ignore_numbers, self.regions)
        most = self.most_people_per_identifier
        if most is not None and not (type(most) is int and most >= 1):
            raise ConfigurationError("most_people_per_identifier: wants a whole number from 1 on")

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The time zone."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def ignored(self) -> Ignored | None:
        """Which identifiers are not looked up; None where all are."""
        if not self.ignore_emails and not self.ignore_numbers:
            return None
        return _ignored(self.ignore_emails, self.ignore_numbers, self.regions)


@functools.lru_cache(maxsize=256)
def phone_reader(regions: tuple[str, ...]) -> PhoneReader:
    """Give the reader of phone numbers under these regions; one for all connections that share them."""
    return PhoneReader(regions)


@functools.lru_cache(maxsize=256)
def _ignored(emails: tuple[str, ...], numbers: tuple[str, ...], regions: tuple[str, ...]) -> Ignored:
    return Ignored(emails, numbers, phone_reader(regions))
