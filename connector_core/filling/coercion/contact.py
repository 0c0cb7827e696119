"""E-mail addresses, phone numbers and web addresses."""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

import phonenumbers

from connector_core.filling.coercion.context import Coerced, Context, refused
from connector_core.filling.coercion.text import fitting
from connector_core.identity import PhoneReader
from connector_core.model import FieldDescription

_LONGEST = 2_000
_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}")
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}\.?")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:(?!\d)", re.IGNORECASE)


def as_email(text: str, field: FieldDescription) -> Coerced:
    """Read an e-mail address, without the name before it, in lower case, as HubSpot keeps it."""
    if len(text) <= _LONGEST:
        named = _NAMED.fullmatch(text)
        address = (named[1] if named else text).strip().lower().removeprefix("mailto:")
        if _EMAIL.fullmatch(address):
            return fitting(address, field)
    return refused(text, "is no e-mail address")


def as_phone(text: str, field: FieldDescription, context: Context) -> Coerced:
    """Read a phone number, in E.164."""
    number = phone_reader(context.regions).read(text)
    if number is None:
        where = f" in {', '.join(context.regions)}" if context.regions else " with its country, like +33"
        return refused(text, f"is no phone number{where}")
    return fitting(number, field)


@functools.lru_cache(64)
def phone_reader(regions: tuple[str, ...]) -> PhoneReader:
    """Give the reader of some regions; what is no region reads nothing."""
    return PhoneReader([it for it in regions if it in phonenumbers.SUPPORTED_REGIONS])


def as_url(text: str, field: FieldDescription) -> Coerced:
    """Read a web address; one without a scheme gets https."""
    address = text if _SCHEME.match(text) else f"https://{text.removeprefix('//')}"
    try:
        parts = urlsplit(address) if len(address) <= _LONGEST and not re.search(r"\s", address) else None
        host = parts.hostname if parts and parts.scheme in ("http", "https") and parts.port != 0 else None
    except ValueError:  # a bracket that is not closed, or a port that is none
        host = None
    return fitting(address, field) if host and _HOST.fullmatch(host) else refused(text, "is no address of a web page")
