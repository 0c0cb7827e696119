"""Which fields of contacts and leads identify a person: Salesforce's own, or those of the settings.

Of the standard phone fields those count that are the person's own (not the assistant's, not a fax). They and ``Email`` may
be hidden, but for the first; a field that a setting names must be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connector_salesforce.settings import SalesforceSettings

PHONES: Mapping[str, tuple[str, ...]] = {
    "Contact": ("Phone", "MobilePhone", "HomePhone", "OtherPhone"),
    "Lead": ("Phone", "MobilePhone"),
}
EMAILS: Mapping[str, tuple[str, ...]] = {"Contact": ("Email",), "Lead": ("Email",)}


@dataclass(frozen=True, slots=True)
class Identifying:
    """The fields, by object. ``chosen``: the settings that name fields, by what they name, in lower case."""

    phones: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: PHONES)
    emails: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: EMAILS)
    chosen: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: SalesforceSettings) -> Identifying:
        """Give those of a connection."""
        given = {"phone_fields": settings.phone_fields, "email_fields": settings.email_fields}
        return cls(
            _by_object(settings.phone_fields, PHONES),
            _by_object(settings.email_fields, EMAILS),
            {name.lower(): setting for setting, names in given.items() for name in names or ()},
        )

    def columns(self, obj: str) -> tuple[str, ...]:
        """Give all of an object, each once."""
        return tuple(dict.fromkeys((*self.emails[obj], *self.phones[obj])))

    def needed(self, obj: str, columns: Sequence[str]) -> tuple[str, ...]:
        """Give those of columns without which a question by all of them makes no sense."""
        named = tuple(it for it in columns if self.setting(obj, it))
        return named or tuple(columns[:1])

    def setting(self, obj: str, column: str) -> str | None:
        """Name the setting that names a column."""
        return self.chosen.get(f"{obj}.{column}".lower())


def _by_object(names: Iterable[str] | None, standard: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    if names is None:
        return standard
    parted = [name.split(".") for name in names]
    return {obj: tuple(column for of, column in parted if of == obj) for obj in standard}
