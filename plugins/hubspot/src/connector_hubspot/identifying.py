"""Which properties of contacts identify a person: HubSpot's own, or those of the settings.

Of ``phone`` and ``mobilephone`` HubSpot calculates what searches see, the number without its country and with it (guide to
search); so it does of no other property, which is asked for as people write numbers. ``email`` stands for the further
addresses of a contact too (``hs_additional_emails``); another property is searched for the address as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector_hubspot.settings import HubSpotSettings

EMAIL, FURTHER_EMAILS = "email", "hs_additional_emails"
PHONES: Mapping[str, str] = {"phone": "phone_number", "mobilephone": "mobile_number"}
"""The typed numbers of which HubSpot calculates others, and how the names of those end."""


@dataclass(frozen=True, slots=True)
class Identifying:
    """The properties. ``chosen``: the settings that name properties, by what they name."""

    phones: tuple[str, ...]
    emails: tuple[str, ...]
    chosen: Mapping[str, str]

    @classmethod
    def of(cls, settings: HubSpotSettings) -> Identifying:
        """Give those of a connection."""
        given = {"phone_properties": settings.phone_properties, "email_properties": settings.email_properties}
        return cls(
            settings.phone_properties or tuple(PHONES),
            settings.email_properties or (EMAIL,),
            {name: setting for setting, names in given.items() for name in names or ()},
        )

    @property
    def calculated(self) -> bool:
        """Whether any of them is one of which HubSpot calculates others."""
        return any(it in PHONES for it in self.phones)

    @property
    def own_phones(self) -> tuple[str, ...]:
        """Those of which HubSpot calculates nothing."""
        return tuple(it for it in self.phones if it not in PHONES)

    @property
    def own_emails(self) -> tuple[str, ...]:
        """Those that are no address of HubSpot's own."""
        return tuple(it for it in self.emails if it != EMAIL)

    @property
    def told_emails(self) -> tuple[str, ...]:
        """Those that a contact's addresses are read from."""
        return tuple(it for name in self.emails for it in ((EMAIL, FURTHER_EMAILS) if name == EMAIL else (name,)))

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those that a contact's numbers are read from: what was typed, and what HubSpot makes of it."""
        return (*self.phones, *(f"hs_calculated_{PHONES[it]}" for it in self.phones if it in PHONES))

    @property
    def without_country(self) -> tuple[str, ...]:
        """Those that are searched for a number without its country."""
        return tuple(f"hs_searchable_calculated_{PHONES[it]}" for it in self.phones if it in PHONES)

    @property
    def with_country(self) -> tuple[str, ...]:
        """Those that are searched for a number with its country."""
        return tuple(f"hs_searchable_calculated_international_{PHONES[it]}" for it in self.phones if it in PHONES)

    @property
    def as_typed(self) -> tuple[str, ...]:
        """Those of HubSpot's own that are searched for a number as it may be written."""
        return tuple(it for it in self.phones if it == "phone")

    @property
    def searched(self) -> tuple[str, ...]:
        """All by which people are looked for."""
        calculated = (*self.without_country, *self.with_country, *self.as_typed)
        return (*calculated, *self.own_phones, *self.emails)
