"""What HubSpot calculates from the phone numbers that were typed.

Known from portals: ``+5511999999999`` is searchable as ``11999999999``, and ``00004`` as ``4``; the international form of
the first is ``+5511999999999``. Unverified, and so assumed: the searchable international form is digits without ``+``; a
number without ``+`` is read under the contact's ``hs_country_region_code`` or ``country`` where that is a two-letter
code, else under the portal's default country; without either, or where it is no possible number there, its digits
without leading zeros are searchable, and there is no international form. Extensions are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import phonenumbers

from connector_hubspot.sandbox.schema import PHONE_FIELDS


def region_of(properties: Mapping[str, str], default: str | None) -> str | None:
    """Find the country under which a contact's numbers are read."""
    for name in ("hs_country_region_code", "country"):
        code = properties.get(name, "").strip().upper()
        if code in phonenumbers.SUPPORTED_REGIONS:
            return code
    return default


def calculate(properties: Mapping[str, str], default: str | None) -> dict[str, str | None]:
    """Give the calculated properties of a contact; None: it has none."""
    region = region_of(properties, default)
    return {
        name: value
        for typed, end in PHONE_FIELDS.items()
        for name, value in _calculated(properties.get(typed, ""), region, end).items()
    }


def _calculated(text: str, region: str | None, end: str) -> dict[str, str | None]:
    national, international = _read(text, region)
    return {
        f"hs_calculated_{end}": f"+{international}" if international else None,
        f"hs_searchable_calculated_{end}": national,
        f"hs_searchable_calculated_international_{end}": international,
    }


@lru_cache(maxsize=100_000)
def _read(text: str, region: str | None) -> tuple[str | None, str | None]:
    try:
        number = phonenumbers.parse(text, None if text.strip().startswith("+") else region)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and phonenumbers.is_possible_number(number):
        national = phonenumbers.national_significant_number(number)
        return national, f"{number.country_code}{national}"
    digits = "".join(character for character in text if character.isascii() and character.isdigit()).lstrip("0")
    return digits or None, None
